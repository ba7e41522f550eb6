/** `import` and `require` of the built package give one instance of the library, whichever comes first. */
import { execFile, spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, test } from 'vitest'
import { buildUnlessThere } from '../support/dist.ts'

const path = (relative: string) => fileURLToPath(new URL(`../../${relative}`, import.meta.url))

beforeAll(buildUnlessThere)

/** The claims of `one-instance.mjs` that do not hold, with what came instead. */
async function broken(...args: string[]): Promise<[claim: string, outcome: unknown][]> {
  const { stdout } = await promisify(execFile)(process.execPath, [path('test/support/one-instance.mjs'), ...args])
  const outcomes = Object.entries(JSON.parse(stdout))
  expect(outcomes.length).toBeGreaterThan(16)
  return outcomes.filter(([, outcome]) => outcome !== true)
}

/** The modules of the library that the built files hold, each as often as it is there. */
function builtModules(): string[] {
  const files = readdirSync(path('dist')).filter((file) => /\.c?js$/.test(file))
  return files.flatMap((file) => readFileSync(path(`dist/${file}`), 'utf8').match(/(?<=^\/\/#region )lib\/.*/gm) ?? [])
}

describe('one instance', () => {
  test.each(['import', 'require'])('with %s first', async (first) => {
    expect(await broken(first)).toEqual([])
  })

  test.each(['import', 'require'])('with %s first, in a worker', async (first) => {
    expect(await broken(first, '--worker')).toEqual([])
  })

  test('a module is in the package once, whatever entries it has', () => {
    const modules = builtModules()
    expect(modules.length).toBeGreaterThan(100)
    expect(modules.filter((module, i) => modules.indexOf(module) !== i)).toEqual([])
  })

  test('TypeScript sees one library too', () => {
    const options = ['--ignoreConfig', '--noEmit', '--strict', '--allowImportingTsExtensions', '--types', 'node']
    const versions = ['--target', 'es2023', '--lib', 'es2023', '--module', 'nodenext']
    const args = [
      path('node_modules/typescript/bin/tsc'),
      ...options,
      ...versions,
      path('test/support/mixed-formats.mts'),
    ]
    const { stdout } = spawnSync(process.execPath, args, { encoding: 'utf8' })
    expect(stdout).toBe('')
  })
})

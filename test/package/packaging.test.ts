import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { nodeApiText } from '../../tools/node-api.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const read = (path: string) => readFileSync(`${root}/${path}`, 'utf8')

function nativeFiles(extension: string): string[] {
  return readdirSync(`${root}/native`, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith(extension))
    .map((path) => `native/${path}`)
    .sort()
}

const isTool = (path: string) => /^native\/(test|bench)\//.test(path)
const isBinding = (path: string) => path.startsWith('native/binding/')
const listed = read('native/sources.txt').trim().split('\n')
const manifest = JSON.parse(read('package.json'))

describe('native sources', () => {
  test('native/sources.txt lists every source of the core, sorted', () => {
    expect(listed).toEqual(nativeFiles('.cc').filter((path) => !isTool(path) && !isBinding(path)))
  })

  test('binding.gyp builds that list and the binding', () => {
    const gyp = read('binding.gyp')
    expect(gyp).toContain('native/sources.txt')
    expect(gyp.match(/native\/[\w/]+\.cc/g)).toEqual(nativeFiles('.cc').filter(isBinding))
  })

  test('CMakeLists.txt builds that list, the binding and the tests', () => {
    const cmake = read('CMakeLists.txt')
    expect(cmake).toContain('file(STRINGS native/sources.txt core_sources)')
    expect(cmake).toContain('file(GLOB test_sources CONFIGURE_DEPENDS native/test/*.cc)')
    expect(cmake).toContain('file(GLOB binding_sources CONFIGURE_DEPENDS native/binding/*.cc)')
  })

  test('the flags keep floating point IEEE and the ABI stable, and every build takes them', () => {
    const flags = read('native/flags/compile.txt').match(/^-.*/gm)
    expect(flags).toEqual(expect.arrayContaining(['-ffp-contract=off', '-DNAPI_VERSION=8']))
    for (const flag of flags!) expect(flag).not.toMatch(/-ffast-math|-Ofast|-funsafe-math|-ffinite-math|-march=/)
    for (const build of ['binding.gyp', 'CMakeLists.txt']) expect(read(build)).toContain('native/flags/compile.txt')
    expect(read('lib/cli/addon/compile.ts')).toContain("flagsIn(root, 'compile')")
  })
})

test('native/binding/node_api_functions.inc is what `npm run generate:node-api` writes', () => {
  const message = 'native/binding/node_api_functions.inc is not up to date: npm run generate:node-api'
  expect(read('native/binding/node_api_functions.inc') === nodeApiText(), message).toBe(true)
})

describe('package', () => {
  test('has no script that `npm run prebuild` would be a part of', () => {
    expect(Object.keys(manifest.scripts)).not.toContain('build')
  })

  test('depends on nothing, and on exact versions to be developed', () => {
    expect(manifest.dependencies).toBeUndefined()
    for (const version of Object.values(manifest.devDependencies)) expect(version).toMatch(/^\d+\.\d+\.\d+$/)
  })

  test('the ABI is Node-API 8', () => {
    expect(manifest.binary.napi_versions).toEqual([8])
  })

  test('the lock file names no registry', () => {
    expect(read('package-lock.json')).not.toContain('"resolved"')
  })
})

/** Projects that have the package in their node_modules, as it is installed, and processes that run there. */
import { execFile } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll } from 'vitest'
import { prebuiltFor, thisMachine } from '../../lib/backend/machine.ts'
import { buildUnlessThere } from './dist.ts'
import { root } from './root.ts'

export { root }

export const built = join(root, 'build/Release/galvani.node')
const folder = mkdtempSync(join(tmpdir(), 'galvani-project-'))
export const named = (name: string) => join(folder, name)

beforeAll(buildUnlessThere)
afterAll(() => rmSync(folder, { recursive: true, force: true }), 60_000)

interface Outcome {
  code: number | null
  out: string
  errors: string
}

type Settings = { cwd?: string } & Readonly<Record<string, string>>

/** A process of Node's; of the variables that name an addon or a compiler it has those alone that are given. */
export function node(args: readonly string[], { cwd = root, ...more }: Settings = {}) {
  const { GALVANI_ADDON: _, CXX: __, ...env } = process.env
  return new Promise<Outcome>((resolve) => {
    const child = execFile(process.execPath, args, { cwd, env: { ...env, ...more } }, (_, out, errors) =>
      resolve({ code: child.exitCode, out: out.trim(), errors }),
    )
  })
}

export const write = (path: string, text: string | Buffer) => {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
  return path
}

/** Where an addon stands in the package: one that was built there, and one that came with it. */
export const places = {
  build: 'build/Release/galvani.node',
  prebuilt: `prebuilds/${prebuiltFor(thisMachine)}/galvani.node`,
}

/** A project that has the package in its node_modules, with the addon in a place or without; gives its folder. */
export function project(name: string, { addon = '', manifest = '{ "name": "app" }' } = {}): string {
  const home = join(named(name), 'node_modules', 'galvani')
  mkdirSync(home, { recursive: true })
  write(join(named(name), 'package.json'), manifest)
  cpSync(join(root, 'dist'), join(home, 'dist'), { recursive: true, filter: (path) => !path.endsWith('.map') })
  cpSync(join(root, 'package.json'), join(home, 'package.json'))
  if (addon) cpSync(built, join(home, addon))
  const code = `console.log(g.backendInfo().backend, g.tensor([1, 2]).add(1).dataSync().join())`
  write(join(named(name), 'app.cjs'), `const g = require('galvani')\n${code}\n`)
  write(join(named(name), 'app.mjs'), `import * as g from 'galvani'\n${code}\n`)
  return named(name)
}

/** A file of the package in a project. */
export const inPackage = (home: string, place = '') => join(home, 'node_modules/galvani', place)

/** An addon of another package: rolldown, which builds the library, has one. */
export function another(): string {
  const scope = join(root, 'node_modules/@rolldown')
  const files = readdirSync(scope, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.node'))
  return join(scope, files[0]!)
}

/** Which file the addon is loaded from, and what is said to whom where there is none: in a checkout, a package, a bundle. */
import { execFile, execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))
const built = join(root, 'build/Release/galvani.node')
const folder = mkdtempSync(join(tmpdir(), 'galvani-addon-'))
const named = (name: string) => join(folder, name)

beforeAll(() => {
  if (!existsSync(join(root, 'dist'))) execFileSync('npm', ['run', 'build'], { cwd: root })
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

interface Outcome {
  code: number | null
  out: string
  errors: string
}

/** A process of Node's; of the variables that name an addon it has those alone that are given. */
function node(args: readonly string[], { cwd = root, ...more }: { cwd?: string; GALVANI_ADDON?: string } = {}) {
  const { GALVANI_ADDON: _, ...env } = process.env
  return new Promise<Outcome>((resolve) => {
    const child = execFile(process.execPath, args, { cwd, env: { ...env, ...more } }, (_, out, errors) =>
      resolve({ code: child.exitCode, out: out.trim(), errors }),
    )
  })
}

const write = (path: string, text: string) => {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
  return path
}

/** A project that has the package in its node_modules, with the addon or without; gives its folder. */
function project(name: string, { addon = false, manifest = '{ "name": "app" }' } = {}): string {
  const home = join(named(name), 'node_modules', 'galvani')
  mkdirSync(home, { recursive: true })
  write(join(named(name), 'package.json'), manifest)
  cpSync(join(root, 'dist'), join(home, 'dist'), { recursive: true })
  cpSync(join(root, 'package.json'), join(home, 'package.json'))
  if (addon) cpSync(built, join(home, 'build/Release/galvani.node'))
  const code = `console.log(g.backendInfo().backend, g.tensor([1, 2]).add(1).dataSync().join())`
  write(join(named(name), 'app.cjs'), `const g = require('galvani')\n${code}\n`)
  write(join(named(name), 'app.mjs'), `import * as g from 'galvani'\n${code}\n`)
  return named(name)
}

function bundle(home: string, entry: string, output: string, ...options: string[]): string {
  const esbuild = join(root, 'node_modules/.bin/esbuild')
  const flags = ['--bundle', '--platform=node', '--log-level=error', `--outfile=${output}`, ...options]
  execFileSync(esbuild, [entry, ...flags], { cwd: home })
  return join(home, output)
}

const external = /galvani is bundled, .*--external:galvani, externals of webpack, serverExternalPackages of Next/
const rebuild = /npm rebuild galvani --ignore-scripts=false, or pnpm approve-builds/

describe('without an addon', () => {
  test('a user of the package hears of install scripts, not of what a checkout has', async () => {
    const home = project('unbuilt')
    for (const app of ['app.cjs', 'app.mjs']) {
      const { code, out, errors } = await node([app], { cwd: home })
      expect([code, out]).toEqual([0, 'reference 2,3'])
      expect(errors).toMatch(rebuild)
      expect(errors).not.toContain('build:native')
    }
  })

  test('and so where it is that of another machine', async () => {
    const home = project('foreign')
    write(join(home, 'node_modules/galvani/build/Release/galvani.node'), 'Mach-O')
    const { code, errors } = await node(['app.cjs'], { cwd: home })
    expect(code).toBe(0)
    expect(errors).toMatch(new RegExp(`galvani.node does not load on ${process.platform} ${process.arch} \\(.*\\); `))
    expect(errors).toMatch(rebuild)
  })

  test('who works on the library hears how it is built', async () => {
    const home = project('checkout')
    write(join(home, 'node_modules/galvani/lib/index.ts'), '')
    const { errors } = await node(['app.cjs'], { cwd: home })
    expect(errors).toContain('npm run build:native')
    expect(errors).not.toContain('npm rebuild')
  })

  test.each([[[]], [['--minify']]])('who bundled the package hears of externals (%j)', async (flags: string[]) => {
    const home = project('bundled', { addon: true })
    const app = bundle(home, 'app.cjs', 'out/app.cjs', ...flags)
    const { code, out, errors } = await node([app], { cwd: home })
    expect([code, out]).toEqual([0, 'reference 2,3'])
    expect(errors).toMatch(external)
    expect(await node([bundle(home, 'app.cjs', 'out/app.cjs', '--external:galvani')], { cwd: home })).toMatchObject({
      code: 0,
      out: 'native 2,3',
    })
  })

  test('who bundled it to an ES module, which has no __filename, hears it too', async () => {
    const banner = `import { createRequire } from 'node:module'; const require = createRequire(import.meta.url)`
    const home = project('bundled-module', { addon: true })
    const app = bundle(home, 'app.mjs', 'out/app.mjs', '--format=esm', `--banner:js=${banner}`)
    const { code, out, errors } = await node([app], { cwd: home })
    expect([code, out]).toEqual([0, 'reference 2,3'])
    expect(errors).toMatch(external)
  })

  test('a bundle in a project that has the name of the package is not the package', async () => {
    const home = project('namesake', { manifest: '{ "name": "galvani", "dependencies": { "galvani": "0.1.0" } }' })
    const { errors } = await node([bundle(home, 'app.cjs', 'dist/app.cjs')], { cwd: home })
    expect(errors).toMatch(external)
  })

  test('a bundle takes the addon that is named', async () => {
    const home = project('bundled-named')
    const app = bundle(home, 'app.cjs', 'out/app.cjs')
    expect(await node([app], { cwd: home, GALVANI_ADDON: built })).toMatchObject({ code: 0, out: 'native 2,3' })
  })

  test.each([
    ['nothing', ''],
    ['what is no JSON', '{ "name": "app", }'],
    ['a byte order mark', '\ufeff{ "name": "app" }'],
    ['null', 'null'],
    ['a string', '"galvani"'],
    ['a list', '[]'],
    ['a name that is none', '{ "name": { "name": "galvani" } }'],
    ['dependencies that are none', '{ "name": "app", "dependencies": null }'],
  ])('package.json of a folder above may hold %s', async (what, manifest) => {
    const home = project(`manifest, ${what}`)
    const app = bundle(home, 'app.cjs', 'out/app.cjs')
    write(join(home, 'package.json'), manifest)
    write(join(home, 'out', 'package.json'), manifest)
    // Of a malformed one Node itself complains, where it asks what kind of module a .js is, but not of a .cjs.
    const { code, out, errors } = await node([app], { cwd: home })
    expect([code, out]).toEqual([0, 'reference 2,3'])
    expect(errors).toMatch(external)
  })

  test('package.json of a folder above may be a folder', async () => {
    const home = project('manifest that is a folder')
    const app = bundle(home, 'app.cjs', 'out/app.cjs')
    mkdirSync(join(home, 'out', 'package.json'))
    expect(await node([app], { cwd: home })).toMatchObject({ code: 0, out: 'reference 2,3' })
  })
})

describe('GALVANI_ADDON', () => {
  const code = `import * as g from './lib/index.ts'; g.setSeed(1); console.log(g.backendInfo().backend)`
  const inCheckout = (GALVANI_ADDON: string, cwd = root) =>
    node(['--import', 'tsx', '--input-type=module', '--eval', code], { cwd, GALVANI_ADDON })

  test('names the addon, from the working directory on', async () => {
    for (const file of [built, 'build/Release/galvani.node', './build/../build/Release/galvani.node'])
      expect(await inCheckout(file)).toMatchObject({ code: 0, out: 'native' })
  })

  test('names none where it is empty', async () => {
    expect(await inCheckout('')).toMatchObject({ code: 0, out: 'native' })
  })

  const notAddon = join(root, 'node_modules/vitest/package.json')
  /** An addon of another package: rolldown, which builds the library, has one. */
  const another = () => {
    const scope = join(root, 'node_modules/@rolldown')
    const files = readdirSync(scope, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.node'))
    return join(scope, files[0]!)
  }

  test.each([
    ['a missing file', () => named('missing.node'), 'which is no file'],
    ['a folder', () => root, 'which is no file'],
    ['a file of another kind', () => notAddon, 'which does not end in .node'],
    ['code', () => write(named('code.js'), 'console.log("ran")'), 'which does not end in .node'],
    ['a file that is no addon', () => write(named('text.node'), 'text'), 'does not load on'],
    ['another addon', another, 'which is of another version or of something else, and lacks names, configure, '],
    ['an empty file', () => write(named('empty.node'), ''), 'does not load on'],
  ])('that names %s is an error, not the reference backend', async (_, file, what) => {
    const { code, out, errors } = await inCheckout(file())
    expect([code, out]).toEqual([1, ''])
    expect(errors).toContain(`RangeError: GALVANI_ADDON: expected the file of galvani's addon, got ${file()}`)
    expect(errors).toContain(what)
  })
})

/** Which file the addon is loaded from, and what is said to whom where there is none: in a checkout, a package, a bundle. */
import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { another, built, inPackage, named, node, places, project, root, write } from '../support/project.ts'

function bundle(home: string, entry: string, output: string, ...options: string[]): string {
  const esbuild = join(root, 'node_modules/.bin/esbuild')
  const flags = ['--bundle', '--platform=node', '--log-level=error', `--outfile=${output}`, ...options]
  execFileSync(esbuild, [entry, ...flags], { cwd: home })
  return join(home, output)
}

const external = /galvani is bundled, .*--external:galvani, externals of webpack, serverExternalPackages of Next/
const cure = '; build it with a C++17 compiler: npx galvani build; more is said by: npx galvani doctor'

describe('in the package', () => {
  test.each(Object.values(places))('the addon is %s', async (addon) => {
    const home = project(`with ${dirname(addon).replaceAll('/', '-')}`, { addon })
    expect(await node(['app.cjs'], { cwd: home })).toEqual({ code: 0, out: 'native 2,3', errors: '' })
  })

  test('one that was built there comes first', async () => {
    const home = project('both', { addon: places.build })
    write(inPackage(home, places.prebuilt), 'never read')
    expect(await node(['app.cjs'], { cwd: home })).toEqual({ code: 0, out: 'native 2,3', errors: '' })
  })

  test('one that was built there for another version is told of, and the prebuilt one takes over', async () => {
    const home = project('stale', { addon: places.prebuilt })
    cpSync(another(), inPackage(home, places.build))
    const { code, out, errors } = await node(['app.cjs'], { cwd: home })
    expect([code, out]).toEqual([0, 'native 2,3'])
    expect(errors).toContain(
      `${inPackage(home, places.build)} is of another version or of something else, and lacks names, configure, ` +
        `prepare, run and 9 more; ${inPackage(home, places.prebuilt)} takes over${cure}`,
    )
  })

  test('that is linked, as pnpm does, it is found beside the real files', async () => {
    const store = project('store', { addon: places.prebuilt })
    const home = project('linked')
    rmSync(inPackage(home, ''), { recursive: true })
    symlinkSync(inPackage(store, ''), inPackage(home, ''))
    expect(await node(['app.mjs'], { cwd: home })).toEqual({ code: 0, out: 'native 2,3', errors: '' })
  })

  test('a worker has it too, and so has a folder that nobody may write', async () => {
    const home = project('worker', { addon: places.prebuilt })
    const worker = `new (require('node:worker_threads').Worker)('./app.cjs')`
    execFileSync('chmod', ['-R', 'a-w', inPackage(home, '')])
    const outcome = await node(['--eval', worker], { cwd: home })
    execFileSync('chmod', ['-R', 'u+w', inPackage(home, '')])
    expect(outcome).toEqual({ code: 0, out: 'native 2,3', errors: '' })
  })
})

describe('without an addon', () => {
  test('a user of the package hears, once, where it was looked for and what helps', async () => {
    const home = project('unbuilt')
    const [build, prebuilt] = Object.values(places).map((place) => inPackage(home, place))
    for (const app of ['app.cjs', 'app.mjs']) {
      const { code, out, errors } = await node(['--no-deprecation', app], { cwd: home })
      expect([code, out]).toEqual([0, 'reference 2,3'])
      const said = `Warning: galvani: the native backend did not load, the slow reference backend takes over: ${build} is not there; ${prebuilt} is not there${cure}`
      expect(errors.split('\n')[0]).toContain(said)
      expect(errors.match(/Warning: /g)).toHaveLength(1)
    }
  })

  test.each([
    ['an empty file', () => Buffer.alloc(0), 'is empty'],
    ['text', () => Buffer.from('an addon'), 'is no library of any system'],
    ['the first half of it', () => readFileSync(built).subarray(0, 100_000), 'is cut off or damaged'],
    [
      'one of macOS',
      () => Buffer.from('cffaedfe0c000001', 'hex'),
      'is Mach-O for arm64, where linux x64 loads ELF for x64',
    ],
  ])('and why the file is none that is there: %s', async (_, bytes, why) => {
    const home = project(`wrong, ${why.replaceAll(/[ ,]+/g, '-')}`)
    write(inPackage(home, places.prebuilt), bytes())
    const { code, out, errors } = await node(['app.cjs'], { cwd: home })
    expect([code, out]).toEqual([0, 'reference 2,3'])
    expect(errors).toContain(`${inPackage(home, places.prebuilt)} ${why}${cure}`)
  })

  test('who works on the library hears how it is built', async () => {
    const home = project('checkout')
    write(join(home, 'node_modules/galvani/lib/index.ts'), '')
    const { errors } = await node(['app.cjs'], { cwd: home })
    expect(errors).toContain('npm run build:native')
    expect(errors).not.toContain('npx')
  })

  test.each([[[]], [['--minify']]])('who bundled the package hears of externals (%j)', async (flags: string[]) => {
    const home = project('bundled', { addon: places.prebuilt })
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
    const home = project('bundled-module', { addon: places.prebuilt })
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
  test.each([
    ['a missing file', () => named('missing.node'), 'which is not there'],
    ['a folder', () => root, 'which is no file'],
    ['a file of another kind', () => notAddon, 'which does not end in .node'],
    ['code', () => write(named('code.js'), 'console.log("ran")'), 'which does not end in .node'],
    ['a file that is no addon', () => write(named('text.node'), 'text'), 'which is no library of any system'],
    [
      'another addon',
      another,
      'which is of another version or of something else, and lacks names, configure, prepare, run and 9 more',
    ],
    ['an empty file', () => write(named('empty.node'), ''), 'which is empty'],
  ])('that names %s is an error, not the reference backend', async (_, file, what) => {
    const { code, out, errors } = await inCheckout(file())
    expect([code, out]).toEqual([1, ''])
    expect(errors).toContain(`RangeError: GALVANI_ADDON: expected the file of galvani's addon, got ${file()}`)
    expect(errors).toContain(what)
  })
})

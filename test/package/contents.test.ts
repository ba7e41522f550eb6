/** What the package holds, laid out from this checkout with an addon that is none, and that the checkout itself is no package. */
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { stage } from '../../tools/package/contents.ts'
import { publishedManifest } from '../../tools/package/manifest.ts'
import { npmPack, type Packed } from '../../tools/package/npm.ts'
import { buildUnlessThere } from '../support/dist.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const scratch = mkdtempSync(join(tmpdir(), 'galvani-contents-'))
const staged = join(scratch, 'galvani')
const addon = join(scratch, 'addon')

const filesIn = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
const read = (path: string) => readFileSync(join(staged, path), 'utf8')
const json = (path: string) => JSON.parse(read(path))

let packed: Packed
beforeAll(() => {
  buildUnlessThere()
  writeFileSync(addon, Buffer.from([0, 1, 2, 254, 255]))
  stage(root, staged, new Map([['linux-x64', addon]]))
  packed = npmPack(staged, '--dry-run')
}, 120_000)
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

describe('the manifest', () => {
  test('has nothing that runs or is installed, and nothing of the checkout', () => {
    const fields = Object.keys(json('package.json'))
    const expected = ['name', 'version', 'exports', 'types', 'engines', 'sideEffects', 'repository', 'homepage', 'bugs']
    expect(fields).toEqual(expect.arrayContaining([...expected, 'files', 'publishConfig', 'license']))
    const refused = ['scripts', 'dependencies', 'devDependencies', 'optionalDependencies', 'bundleDependencies']
    expect(fields.filter((field) => [...refused, 'gypfile', 'private'].includes(field))).toEqual([])
    expect(existsSync(join(staged, 'binding.gyp'))).toBe(false)
  })

  test('needs nobody: all that may stand beside it is optional', () => {
    const { peerDependencies, peerDependenciesMeta } = json('package.json')
    for (const name of Object.keys(peerDependencies)) expect(peerDependenciesMeta[name]).toEqual({ optional: true })
  })

  test('names its pages by the one address of the repository', () => {
    const { repository, homepage, bugs } = json('package.json')
    expect(repository.url).toMatch(/^git\+https:\/\/.*\.git$/)
    for (const page of [homepage, bugs]) expect(`git+${page}`).toContain(repository.url.replace(/\.git$/, ''))
  })

  test('is refused where the checkout has dependencies', () => {
    const manifest = json('package.json')
    expect(() => publishedManifest({ ...manifest, dependencies: { other: '1.0.0' } }, [])).toThrow(/expected no dep/)
  })

  test('every entry has declarations for import and for require, and every file that it names is there', () => {
    const { exports, main, types, bin = {} } = json('package.json')
    const entries = Object.entries<Record<string, Record<string, string>>>(exports)
    const code = entries.filter(([, target]) => typeof target !== 'string')
    for (const [, target] of code)
      for (const condition of ['import', 'require'])
        expect(target[condition]).toEqual({ types: expect.any(String), default: expect.any(String) })
    const named = [
      main,
      types,
      ...Object.values(bin),
      ...code.flatMap(([, x]) => Object.values(x).flatMap(Object.values)),
    ]
    expect(named.filter((file) => !existsSync(join(staged, file)))).toEqual([])
    expect(code.length).toBeGreaterThan(0)
  })
})

describe('the files', () => {
  test('have all that an addon is compiled of, and no tests', () => {
    const native = filesIn(join(root, 'native')).filter((path) => !/^(test|bench)\//.test(path))
    const packed = filesIn(join(staged, 'native')).filter((path) => !path.startsWith('headers/'))
    expect(packed.toSorted()).toEqual(native.toSorted())
  })

  test('have the headers of Node-API that the sources include, with their licences', () => {
    const sources = filesIn(join(root, 'native', 'binding')).map((path) => read(join('native/binding', path)))
    const included = new Set(sources.flatMap((text) => text.match(/(?<=#include ")napi.*\.h(?=")/g) ?? []))
    expect(included).toContain('napi.h')
    const headers = filesIn(join(staged, 'native', 'headers'))
    expect(headers).toEqual(expect.arrayContaining([...included].map((header) => `node-addon-api/${header}`)))
    expect(headers).toEqual(expect.arrayContaining(['node-addon-api/LICENSE', 'node-api-headers/LICENSE']))
    expect(headers).toEqual(expect.arrayContaining(['node-api-headers/node_api.h', 'node-api-headers/js_native_api.h']))
  })

  test('have the addon as it was given', () => {
    expect(readFileSync(join(staged, 'prebuilds/linux-x64/galvani.node'))).toEqual(readFileSync(addon))
  })

  test('have a map wherever one is named, which says the lines of lib and does not hold them', () => {
    const scripts = filesIn(join(staged, 'dist')).filter((path) => /\.(cjs|js|mjs)$/.test(path))
    const named = scripts.flatMap((script) => {
      const [, map] = read(join('dist', script)).match(/^\/\/# sourceMappingURL=(.*)$/m) ?? []
      return map === undefined ? [] : [join('dist', dirname(script), map)]
    })
    const maps = filesIn(staged).filter((path) => path.startsWith('dist') && path.endsWith('.map'))
    expect(named.toSorted()).toEqual(maps.toSorted())
    expect(maps).toContain('dist/surface.cjs.map')
    for (const map of maps) expect(json(map).sourcesContent ?? [], map).toEqual([])
    expect(json('dist/train.cjs.map').sources).toContain('../lib/train/loop.ts')
  })

  test('name the lines of lib in stack traces, which are not there', () => {
    const code = 'require("./dist/index.cjs").tensor([1, 2]).matmul([[1], [2], [3]])'
    const { stderr } = spawnSync(process.execPath, ['--enable-source-maps', '--eval', code], {
      cwd: staged,
      encoding: 'utf8',
    })
    expect(stderr).toContain('inner dimensions differ')
    const [, file, line] = stderr.match(/[/\\](lib[/\\]graph[/\\]ops[/\\]matmul\.ts):(\d+)/)!
    expect(existsSync(join(staged, file!))).toBe(false)
    expect(readFileSync(join(root, file!), 'utf8').split('\n')[Number(line) - 1]).toContain('.shape.at(-1)')
  })

  test('ask for the packages that pictures and gRPC are made with, where they are not installed', () => {
    const code = `
      const tell = (error) => console.log(error.name, error.message)
      const plot = require('./dist/index.cjs').plot.lines({ y: [1, 2] })
      for (const file of ['svg', 'png']) plot[file]().catch(tell)
      require('./dist/serve-grpc.cjs').serveGrpc({ models: {} }).catch(tell)`
    const { stdout } = spawnSync(process.execPath, ['--eval', code], { cwd: staged, encoding: 'utf8' })
    expect(stdout.trim().split('\n').toSorted()).toEqual([
      'MissingPackageError png: expected the package sharp to be there: npm install sharp',
      'MissingPackageError serveGrpc: expected the package @grpc/grpc-js to be there: npm install @grpc/grpc-js',
      'MissingPackageError svg: expected the package @observablehq/plot to be there: npm install @observablehq/plot',
    ])
  })

  test('are packed as they are laid out', () => {
    const paths = packed.files.map(({ path }) => path)
    expect(paths.toSorted()).toEqual(filesIn(staged).toSorted())
    const roots = /^(dist|docs|native|prebuilds)\/|^(CHANGELOG|README)\.md$|^LICENSE$|^package\.json$|^sbom\.cdx\.json$/
    expect(paths.filter((path) => !roots.test(path))).toEqual([])
  })

  test('are the same, byte by byte, when they are laid out again', () => {
    const again = join(scratch, 'again')
    cpSync(staged, again, { recursive: true })
    writeFileSync(join(again, 'left-over'), '')
    stage(root, again, new Map([['linux-x64', addon]]))
    expect(npmPack(again, '--dry-run').integrity).toBe(packed.integrity)
  })
})

describe('the code of others', () => {
  const noticed = () =>
    ['dist/third-party-licences.txt', 'prebuilds/third-party-licences.txt']
      .concat(['native/headers/node-addon-api/LICENSE', 'native/headers/node-api-headers/LICENSE'])
      .flatMap((file) =>
        [...read(file).matchAll(/^(\S+) (\S+) \((.+)\)\n\n/gm)].map(([, name, version]) => `${name}@${version}`),
      )

  test('is listed where its licence is given, and the other way about', () => {
    const listed: string[] = json('sbom.cdx.json').components.map((part: { 'bom-ref': string }) => part['bom-ref'])
    expect(listed.toSorted()).toEqual(noticed().toSorted())
    const known = [
      'csv-parse',
      'commander',
      'node-addon-api',
      'node-api-headers',
      'libc++',
      'libunwind',
      'mingw-w64',
      'musl',
    ]
    for (const name of known.filter((name) => name !== 'commander' || existsSync(join(staged, 'dist/cli.cjs'))))
      expect(
        listed.some((part) => part.startsWith(`${name}@`)),
        name,
      ).toBe(true)
  })

  test('has a licence, a version and, of npm, a hash', () => {
    for (const part of json('sbom.cdx.json').components) {
      expect(part.version, part.name).toMatch(/^\d+\.\d+/)
      expect(part.licenses?.length, part.name).toBeGreaterThan(0)
      if (part.purl) expect(part.hashes?.length, part.name).toBeGreaterThan(0)
    }
  })
})

describe('the checkout', () => {
  test.each(['pack', 'publish'])('npm %s is refused there, and says what to do', (command) => {
    const { status, stderr } = spawnSync('npm', [command, '--dry-run'], { cwd: root, encoding: 'utf8' })
    expect(status).not.toBe(0)
    expect(stderr).toContain('npm run package')
  })

  test('is private, which stops a publish that leaves out scripts', () => {
    expect(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).private).toBe(true)
  })
})

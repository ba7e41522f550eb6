/** What an import of the built package loads: its surface, and nothing that only the use of something needs. */
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, test } from 'vitest'
import * as g from '../../lib/index.ts'
import { buildUnlessThere } from '../support/dist.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

beforeAll(buildUnlessThere)

interface Loaded {
  /** Of the package, as paths in it. */
  readonly files: string[]
  /** Of Node, without what is internal, and without what it reads ES modules with. */
  readonly builtins: string[]
  readonly names: string[]
}

/** What a process has loaded after these lines, which may call the package `g`. */
function loadedBy(type: 'module' | 'commonjs', lines: string): Loaded {
  const code = `
    ${lines}
    const { cache } = process.getBuiltinModule('node:module').createRequire('${root}/')
    const { sharedObjects } = process.report.getReport()
    const files = [...Object.keys(cache), ...sharedObjects].filter((file) => file.startsWith('${root}'))
    const builtins = process.moduleLoadList.filter((name) => /^NativeModule (?!internal|string_decoder)/.test(name))
    console.log(JSON.stringify({ files, builtins, names: typeof g === 'object' ? Object.keys(g) : [] }))`
  const args = [`--input-type=${type}`, '--eval', code]
  const loaded: Loaded = JSON.parse(execFileSync(process.execPath, args, { cwd: root, encoding: 'utf8' }))
  return { ...loaded, files: [...new Set(loaded.files.map((file) => file.slice(root.length)))] }
}

const ways = [
  ['module', "import * as g from 'galvani'"],
  ['commonjs', "const g = require('galvani')"],
] as const

const entry = { module: ['dist/index.required.cjs', 'dist/index.cjs'], commonjs: ['dist/index.cjs'] }

describe.each(ways)('loaded as a %s', (type, line) => {
  const files = [...entry[type], 'dist/surface.cjs', 'dist/rolldown-runtime.cjs']

  test('are the surface and what it stands on, and no modules of Node that a program without it does not load', () => {
    const bare = loadedBy(type, '')
    const loaded = loadedBy(type, line)
    expect(loaded.files).toEqual(files)
    expect(loaded.builtins.filter((name) => !bare.builtins.includes(name))).toEqual([])
  })

  test('are all names of the library, and no others', () => {
    expect(loadedBy(type, line).names.toSorted()).toEqual(Object.keys(g).toSorted())
  })

  test.each([
    ['the names of a namespace', 'Object.keys(g.nn); Object.keys(g.optim)', []],
    ['a tensor', 'g.tensor([1, 2])', ['dist/engine.cjs']],
    ['an operation', 'g.add(1, 2).dataSync()', ['dist/engine.cjs', 'build/Release/galvani.node']],
    ['a layer', 'g.nn.relu()', ['dist/nn.cjs', 'dist/engine.cjs']],
    ['a plot', 'String(g.plot.lines({ y: [1, 2] }))', ['dist/plot.cjs']],
    ['a file', "try { g.loadSync('none') } catch {}", ['dist/files.cjs']],
  ])('with %s', (_, use, more) => {
    expect(loadedBy(type, `${line}\n${use}`).files).toEqual([...files, ...more])
  })
})

test('what a file requires when it is first used is called wherever it is used, behind three dots too', () => {
  const lazy = /^const (require_\w+) = \(\) => /gm
  const uncalled = readdirSync(`${root}dist`)
    .filter((file) => file.endsWith('.cjs'))
    .flatMap((file) => {
      const code = readFileSync(`${root}dist/${file}`, 'utf8')
      const names = Array.from(code.matchAll(lazy), ([, name]) => name!)
      return names.flatMap((name) => code.match(RegExp(`.*\\b${name}\\.\\w+`, 'g')) ?? [])
    })
  expect(uncalled).toEqual([])
})

test('functions whose options are partly those of another file take them', () => {
  const lines = `
    import * as g from 'galvani'
    import { mkdtempSync, rmSync } from 'node:fs'
    import { tmpdir } from 'node:os'
    import { join } from 'node:path'
    const folder = mkdtempSync(join(tmpdir(), 'galvani-'))
    const model = g.nn.linear(1, 1)
    await g.save(join(folder, 'model.safetensors'), model, { metadata: { epoch: '3' } })
    const events = []
    const options = { epochs: 1, loss: 'mse', optimizer: g.optim.adam() }
    for await (const { type } of g.train(model, g.data.fromTensors([[1]], [[2]]), options)) events.push(type)
    const { metadata } = await g.open(join(folder, 'model.safetensors'))
    rmSync(folder, { recursive: true })
    console.log(metadata.epoch, events.at(-1))`
  const args = ['--input-type=module', '--eval', lines]
  expect(execFileSync(process.execPath, args, { cwd: root, encoding: 'utf8' })).toBe('3 trainEnd\n')
})

/** The folders of lib import from each other as ARCHITECTURE.md shows, and no file imports itself in a circle. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { circles, folderOf, forbiddenArrows, importsOf, layersOf, privateImports } from './support/layers.ts'

const root = fileURLToPath(new URL('..', import.meta.url))

/** Folders on the public API. */
const users = ['nn', 'losses', 'optim', 'metrics', 'files', 'data', 'plot', 'train', 'torch', 'keras']

/** What they take beside it: operands that are refused by the name of the function that was called, and the public `evaluate` where it is of tensors. */
const operandsByName = / → tensor\/tensor\.ts (toTensor|evaluate)$/

describe('the library', () => {
  const paths = readdirSync(join(root, 'lib'), { recursive: true, encoding: 'utf8' }).filter((path) =>
    path.endsWith('.ts'),
  )
  const sources = Object.fromEntries(
    paths.map((path) => [path.replaceAll('\\', '/'), readFileSync(join(root, 'lib', path), 'utf8')]),
  )
  const picture = readFileSync(join(root, 'ARCHITECTURE.md'), 'utf8').match(/## Layers[\s\S]*?```\n([\s\S]*?)```/)![1]!
  const layers = layersOf(picture.split('\n').filter((line) => line.includes('←')))

  test(`is index.ts and the folders of the picture: ${paths.length} files`, () => {
    expect(new Set(Object.keys(sources).map(folderOf))).toEqual(new Set(['', ...layers.keys()]))
    expect(Object.keys(sources).filter((path) => folderOf(path) === '')).toEqual(['index.ts'])
    expect(paths.length).toBeGreaterThan(150)
  })

  test('imports along the arrows of the picture', () => {
    expect(forbiddenArrows(sources, layers)).toEqual([])
  })

  test('has no circle of imports at run time', () => expect(circles(sources)).toEqual([]))

  test(`stands on its public API: ${users.join(', ')}`, () => {
    expect(privateImports(sources, users).filter((found) => !operandsByName.test(found))).toEqual([])
  })
})

describe('what is found in sources with faults', () => {
  const layers = layersOf(['base ← graph, backend ← tensor ← nn, losses', 'losses ← nn'])

  test('layers are read from a picture', () => {
    const lists = Object.fromEntries([...layers].map(([folder, below]) => [folder, [...below]]))
    expect(lists).toEqual({
      base: [],
      graph: ['base'],
      backend: ['base'],
      tensor: ['base', 'graph', 'backend'],
      nn: ['base', 'graph', 'backend', 'tensor', 'losses'],
      losses: ['base', 'graph', 'backend', 'tensor'],
    })
  })

  test('every form of an import', () => {
    const text = `
      import '../a.ts'
      import { b, type c as d } from './b.ts'
      import type { e } from '../graph/e.ts'
      import * as f from './f.ts'
      import { readFileSync } from 'node:fs'
      export * from './g.ts'
      export type { h } from './h.ts'
      type I = import('./i.ts').I
      const j = await import('./j.ts')`
    expect(importsOf('nn/x.ts', text).map(({ to, names, atRunTime }) => [to, names, atRunTime])).toEqual([
      ['a.ts', null, true],
      ['nn/b.ts', ['b', 'c'], true],
      ['graph/e.ts', ['e'], false],
      ['nn/f.ts', null, true],
      ['nn/g.ts', null, true],
      ['nn/h.ts', ['h'], false],
      ['nn/i.ts', null, false],
      ['nn/j.ts', null, true],
    ])
  })

  test('an arrow upwards, sideways, to a file of no folder, and from an unknown folder', () => {
    const sources = {
      'index.ts': "export * from './nn/a.ts'",
      'base/a.ts': "import type { N } from '../nn/a.ts'",
      'graph/a.ts': "import '../backend/a.ts'; import '../base/a.ts'",
      'nn/a.ts': "import '../losses/a.ts'; import '../index.ts'",
      'losses/a.ts': "import { n } from '../nn/a.ts'",
      'extra/a.ts': "import { b } from '../base/a.ts'",
    }
    expect(forbiddenArrows(sources, layers)).toEqual([
      'base/a.ts → nn/a.ts',
      'graph/a.ts → backend/a.ts',
      'nn/a.ts → index.ts',
      'losses/a.ts → nn/a.ts',
      'extra/a.ts → base/a.ts',
    ])
  })

  test('circles, but for those of types', () => {
    const sources = {
      'a.ts': "import { c } from './c.ts'",
      'b.ts': "import { a } from './a.ts'; import { d } from './d.ts'",
      'c.ts': "import { b } from './b.ts'",
      'd.ts': "import type { b } from './b.ts'; export * from './d.ts'",
    }
    expect(circles(sources)).toEqual(['a.ts → c.ts → b.ts → a.ts', 'd.ts → d.ts'])
  })

  test('names that are not public', () => {
    const sources = {
      'index.ts': "export { a, b as c } from './tensor/a.ts'; export * as ops from './operations/index.ts'",
      'tensor/a.ts': 'export const a = 1, hidden = 2; export function b() {}; const unexported = 3',
      'operations/index.ts': "export * from './sort.ts'; export type { T } from './types.ts'",
      'operations/sort.ts': 'export class Sorted {}; export interface Options {}',
      'operations/types.ts': 'export type T = 1; export type Hidden = 2',
      'operations/private.ts': 'export const helper = 1',
      'base/a.ts': 'export const shape = 1',
      'nn/a.ts': `
        import { a, b } from '../tensor/a.ts'
        import { hidden } from '../tensor/a.ts'
        import * as sorting from '../operations/sort.ts'
        import type { T, Hidden } from '../operations/types.ts'
        import * as all from '../operations/private.ts'
        import { shape } from '../base/a.ts'
        import { other } from './other.ts'`,
    }
    expect(privateImports(sources, ['nn'])).toEqual([
      'nn/a.ts → tensor/a.ts hidden',
      'nn/a.ts → operations/types.ts Hidden',
      'nn/a.ts → operations/private.ts helper',
    ])
  })
})

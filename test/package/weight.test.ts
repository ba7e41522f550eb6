/** What each entry of the package loads: its own, and nothing that an application which does not ask for it would pay for. */
import { execFileSync } from 'node:child_process'
import { readFileSync, statSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { beforeAll, describe, expect, test } from 'vitest'
import { buildUnlessThere } from '../support/dist.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))

interface Weight {
  /** Bytes of all files that are loaded, at most. */
  readonly bytes: number
  /** The folders of lib that have to stay out. */
  readonly without: readonly string[]
}

const subpaths = ['onnx', 'keras', 'tfjs', 'torch', 'numpy', 'serve', 'board', 'tensorboard', 'distributed']

/** By entry: what a new one may weigh is decided here. */
const weights: Readonly<Record<string, Weight>> = {
  '.': { bytes: 0.5e6, without: ['cli', ...subpaths] },
  './numpy': { bytes: 0.5e6, without: ['cli', ...subpaths.filter((name) => name !== 'numpy')] },
  './torch': { bytes: 0.5e6, without: ['cli', ...subpaths.filter((name) => name !== 'torch')] },
  './onnx': { bytes: 1.12e6, without: ['cli', ...subpaths.filter((name) => name !== 'onnx')] },
  './keras': { bytes: 1e6, without: ['cli', ...subpaths.filter((name) => name !== 'keras')] },
  './tfjs': { bytes: 1e6, without: ['cli', ...subpaths.filter((name) => name !== 'keras' && name !== 'tfjs')] },
  './tensorboard': { bytes: 0.6e6, without: ['cli', ...subpaths.filter((name) => name !== 'tensorboard')] },
  './board': { bytes: 0.6e6, without: ['cli', ...subpaths.filter((name) => name !== 'board')] },
  './serve': { bytes: 0.52e6, without: ['cli', ...subpaths.filter((name) => name !== 'serve')] },
  './serve/http': { bytes: 1.2e6, without: ['cli', ...subpaths.filter((name) => name !== 'serve' && name !== 'onnx')] },
  './serve/grpc': { bytes: 0.6e6, without: ['cli', ...subpaths.filter((name) => name !== 'serve')] },
}

/** Modules of Node that take long to load, or open connections. */
const heavy = ['http', 'https', 'http2', 'net', 'tls', 'dns', 'child_process', 'cluster', 'inspector', 'repl']

const report = `
  const files = Object.keys(require('node:module')._cache)
  const builtins = process.moduleLoadList.map((name) => name.replace(/^NativeModule /, ''))
  console.log(JSON.stringify({ files, builtins }))`

/** What a process that imports a file has loaded. */
function loadedBy(file: string): { files: string[]; builtins: string[] } {
  const code = `import(${JSON.stringify(pathToFileURL(file).href)}).then(() => {${report}})`
  return JSON.parse(execFileSync(process.execPath, ['-e', code], { encoding: 'utf8' }))
}

const foldersIn = (file: string): string[] =>
  [...readFileSync(file, 'utf8').matchAll(/^\/\/#region (?:lib\/([^/\n]+)|(node_modules)\/)/gm)].map(
    ([, folder, others]) => folder ?? others!,
  )

beforeAll(buildUnlessThere)

test('every entry of the package is weighed', () => {
  expect(Object.keys(exports).filter((entry) => entry !== './package.json')).toEqual(Object.keys(weights))
})

describe.each(Object.entries(weights))('%s', (entry, { bytes, without }) => {
  let files: string[] = []
  let builtins: string[] = []
  beforeAll(() => {
    ;({ files, builtins } = loadedBy(join(root, exports[entry].import.default)))
  })

  test('loads files of dist alone', () => {
    expect(files.length).toBeGreaterThan(0)
    expect(files.map((file) => relative(root, file)).filter((file) => !file.startsWith('dist/'))).toEqual([])
  })

  test(`loads nothing of ${without.join(', ')}, and no code of other packages`, () => {
    const folders = new Set(files.flatMap(foldersIn))
    expect(folders).toContain('base')
    expect([...folders].filter((folder) => [...without, 'node_modules'].includes(folder))).toEqual([])
  })

  test(`loads at most ${bytes / 1e6} MB`, () => {
    const total = files.reduce((sum, file) => sum + statSync(file).size, 0)
    expect(total).toBeLessThanOrEqual(bytes)
    expect(total).toBeGreaterThan(bytes / 10)
  })

  test('opens no connection and loads nothing that could', () => {
    expect(builtins.filter((name) => heavy.includes(name))).toEqual([])
  })
})

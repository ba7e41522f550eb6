/** LayersModels and GraphModels of TensorFlow.js. */
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as g from 'galvani'
import { afterAll, describe, expect, test } from 'vitest'
import * as tfjs from '../../lib/tfjs/index.ts'
import { tensorOf } from '../keras/fixtures.ts'
import { expectClose } from '../support/close.ts'
import { expectedOf, expectOutputs, outputsOf, pathOf } from './fixtures.ts'

const scratch = mkdtempSync(join(tmpdir(), 'galvani-tfjs-'))
afterAll(() => rmSync(scratch, { recursive: true }))

// biome-ignore lint/suspicious/noExplicitAny: what a test changes in a file is anything.
type Json = Record<string, any>

/** A copy of a model with another model.json, and what `tfjs.load` says of it. */
let copies = 0
function changed(name: string, change: (json: Json) => unknown): string {
  const folder = join(scratch, String(copies++))
  cpSync(join(pathOf(name), '..'), folder, { recursive: true })
  const path = join(folder, 'model.json')
  const json = JSON.parse(readFileSync(path, 'utf8'))
  writeFileSync(path, JSON.stringify(change(json) ?? json))
  return path
}

async function refused(path: string, message: string | RegExp): Promise<void> {
  const failure = expect(tfjs.load(path)).rejects
  await failure.toThrow(message)
  await failure.toThrow(g.DataFormatError)
}

test.each(['mlp', 'graph', 'graph-cnn', 'graph-several', 'graph-more'])(
  'the model %s gives what it gave there',
  async (name) => {
    expectOutputs(await tfjs.load(pathOf(name)), name)
  },
)

test('a model in memory', async () => {
  const json = JSON.parse(readFileSync(pathOf('mlp'), 'utf8'))
  const bytes = readFileSync(pathOf('mlp', 'weights.bin'))
  const artifacts = { modelTopology: json.modelTopology, weightSpecs: json.weightsManifest[0].weights }
  expectOutputs(await tfjs.load({ ...artifacts, weightData: bytes }), 'mlp')
  const buffer = new Uint8Array(bytes).buffer
  expectOutputs(await tfjs.load({ ...artifacts, weightData: [buffer.slice(0, 100), buffer.slice(100)] }), 'mlp')
})

test.each([
  ['uint8', 0.05],
  ['uint16', 2e-4],
  ['float16', 5e-3],
])('weights that are quantized to %s become floats', async (kind, tolerance) => {
  expectOutputs(await tfjs.load(pathOf(`graph-cnn-${kind}`)), 'graph-cnn', tolerance)
  const exact = expectedOf('graph-cnn').outputs[0]!.values
  const values = outputsOf(await tfjs.load(pathOf(`graph-cnn-${kind}`)), 'graph-cnn')[0]!.dataSync()
  expect(Math.max(...exact.map((value, i) => Math.abs(value - values[i]!)))).toBeGreaterThan(tolerance / 1e4)
})

describe('a graph', () => {
  test('says what it takes and gives, and has its constants as parameters', async () => {
    const model = await tfjs.load<Record<string, g.Tensor>>(pathOf('graph-several'))
    expect(model.inputs).toEqual([
      { name: 'x', shape: [null, 4, 4, 2], dtype: 'float32' },
      { name: 'y', shape: [null, 3], dtype: 'float32' },
    ])
    expect(model.outputs).toEqual([0, 1, 2, 3, 4, 5, 6].map((i) => `output_${i}`))
    const [x, y] = expectedOf('graph-several').inputs.map(tensorOf) as [g.Tensor, g.Tensor]
    const outputs = model.forward({ y, x })
    expectClose(outputs.output_6!, expectedOf('graph-several').outputs[6]!.values)
    expect(() => model.forward({ x })).toThrow('expected inputs x, y, got x')
    expect(() => model.forward([y, x])).toThrow('expected an input x of shape […, 4, 4, 2], got [2, 3]')
  })

  test('trains on, compiled', async () => {
    const model = (await tfjs.load(pathOf('graph-cnn'))) as tfjs.GraphModel
    const names = Object.keys(model.namedParameters())
    expect(names.length).toBeGreaterThan(4)
    const before = model.stateDict()
    const x = tensorOf(expectedOf('graph-cnn').inputs[0]!)
    const labels = g.tensor([1, 3], { dtype: 'int32' })
    const optimizer = g.optim.sgd({ learningRate: 0.05 })
    const step = g.compile((x: g.Tensor) =>
      optimizer.minimize(() => g.losses.crossEntropy(model.forward(x) as g.Tensor, labels)),
    )
    const first = (await step(x)).itemSync()
    let last = first
    for (let i = 0; i < 5; i++) last = (await step(x)).itemSync()
    expect(last).toBeLessThan(first)
    const after = model.stateDict()
    for (const name of names) expect(after[name]!.dataSync()).not.toEqual(before[name]!.dataSync())
  })

  test('with operations that are not known is refused, with all of them', async () => {
    const path = changed('graph-cnn', ({ modelTopology: { node } }) => {
      for (const each of node) if (['_FusedConv2D', 'Mean'].includes(each.op)) each.op = `My${each.op}`
    })
    await refused(path, /operations that are known, got .*My_FusedConv2D \(.+\).*MyMean \(.+\)/)
  })

  test('with a circle, or a node that is not there, is refused', async () => {
    const first = (json: Json) =>
      json.modelTopology.node.find((each: Json) => each.op !== 'Const' && each.op !== 'Placeholder')
    await refused(
      changed('graph-cnn', (json) => void first(json).input.splice(0, 1, 'nowhere')),
      'a node nowhere, got none',
    )
    await refused(
      changed('graph-cnn', (json) => void first(json).input.splice(0, 1, first(json).name)),
      'a graph without a circle',
    )
    await refused(
      changed('graph-cnn', (json) => {
        Object.assign(json.modelTopology, { node: 3 })
      }),
      'a list of nodes, got 3',
    )
  })
})

describe('files of weights', () => {
  const paths =
    (...given: unknown[]) =>
    (json: Json) =>
      void Object.assign(json.weightsManifest[0], { paths: given })

  test('are in the folder of the model', async () => {
    for (const path of [
      '../weights.bin',
      '/etc/passwd',
      'a/../../weights.bin',
      '',
      '.',
      '..',
      'a\0b',
      '..\\weights.bin',
    ])
      await refused(changed('mlp', paths(path)), 'weights in the folder of the model')
    const outside = join(scratch, 'outside.bin')
    writeFileSync(outside, readFileSync(pathOf('mlp', 'weights.bin')))
    const path = changed('mlp', paths('link.bin'))
    symlinkSync(outside, join(path, '..', 'link.bin'))
    await refused(path, 'a link link.bin that leads out of it')
  })

  test('that are not there, too short or too long', async () => {
    await expect(tfjs.load(changed('mlp', paths('none.bin')))).rejects.toMatchObject({ code: 'ENOENT' })
    await refused(changed('mlp', paths('weights.bin', 'weights.bin')), /\d+ bytes of weights, got \d+/)
    await refused(changed('mlp', paths()), /\d+ bytes of weights, got 0/)
    await refused(changed('mlp', paths(3)), 'paths in the weightsManifest')
  })

  type Change = readonly [property: string, value: unknown, message: string]

  test.each<Change>([
    ['shape', [2 ** 31, 2 ** 31], 'at most'],
    ['shape', [-1], 'a shape of the weight'],
    ['shape', new Array(9).fill(1), 'of at most 8 extents'],
    ['shape', [6, 4], 'expected kernel of the layer dense_Dense1 of shape […, 6], got [6, 4]'],
    ['dtype', 'string', 'a dtype of the weight'],
    ['quantization', { dtype: 'int4' }, 'as uint8, uint16 or float16'],
    ['quantization', { dtype: 'uint8', min: 'a' }, 'a finite min and scale'],
    ['name', 'other/kernel', 'weights of the layer'],
  ])('whose specifications have another %s: %j', async (property, value, message) => {
    const path = changed('mlp', (json) => {
      json.weightsManifest[0].weights[0][property] = value
    })
    await refused(path, message)
  })
})

test('a model.json that is none', async () => {
  const path = join(scratch, 'none.json')
  for (const [text, message] of [
    ['{', 'model.json as JSON'],
    ['[]', 'model.json as an object'],
    ['{}', 'a modelTopology'],
    ['['.repeat(1e5), 'at most 256 deep'],
  ] as const) {
    writeFileSync(path, text)
    await refused(path, message)
  }
  await expect(tfjs.load(3 as never)).rejects.toThrow('tfjs.load: expected the path of a model.json')
})

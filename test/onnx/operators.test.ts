/** Operators one by one: cases of ONNX's suite and of onnxruntime, gradients, sums that are exact, and attributes that are hostile. */
import { readFileSync } from 'node:fs'
import { fromBinary } from '@bufbuild/protobuf'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import * as g from '../../lib/index.ts'
import * as onnx from '../../lib/onnx/index.ts'
import { HostArray } from '../../lib/onnx/values.ts'
import { TensorProtoSchema } from '../../lib/onnx/wire/onnx_pb.ts'
import { decodeTensor, tensorProto } from '../../lib/onnx/wire/tensors.ts'
import { backendNames } from '../support/backends.ts'
import { model, node, value } from './build.ts'

interface Case {
  readonly name: string
  readonly model: string
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
}

const fixtures = new URL('../fixtures/onnx-operators.json', import.meta.url)
const cases = JSON.parse(readFileSync(fixtures, 'utf8')) as readonly Case[]

const bytesOf = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'base64'))

function tensorOf(text: string): g.Tensor {
  const value = decodeTensor(fromBinary(TensorProtoSchema, bytesOf(text)), 'float64', 'the fixture')
  return value instanceof HostArray ? value.tensor('float64') : value.tensor
}

/** One model's outputs, in the order of the file. */
function run(net: onnx.OnnxModel, inputs: readonly g.Tensor[]): g.Tensor[] {
  const given = Object.fromEntries(net.inputs.map(({ name }, i) => [name, inputs[i]!]))
  const results = net.forward(given)
  return net.outputs.length === 1 ? [results] : net.outputs.map(({ name }) => results[name]!)
}

describe.each(backendNames)('on %s', (backend) => {
  beforeAll(() => g.setBackend(backend))
  afterAll(() => g.setBackend('native'))

  test.each(cases)('$name', async ({ model, inputs, outputs }) => {
    const net = await onnx.load(bytesOf(model), { doubles: 'float64' })
    const results = run(net, inputs.map(tensorOf))
    expect(results).toHaveLength(outputs.length)
    for (const [i, wanted] of outputs.map(tensorOf).entries()) {
      const result = results[i]!
      expect([result.dtype, result.shape]).toEqual([wanted.dtype, wanted.shape])
      const given = result.dataSync()
      const close = wanted
        .dataSync()
        .every((x, at) => Math.abs(given[at]! - x) <= 1e-5 + 1e-3 * Math.abs(x) || given[at] === x)
      expect(close, `${result} is to be ${wanted}`).toBe(true)
    }
  })
})

type Attributes = Parameters<typeof node>[3]

/** A model of one node, whose inputs have these shapes; null for one that is left out. */
function single(
  operator: string,
  shapes: readonly (g.Shape | null)[],
  attributes: Attributes = {},
  type: 'double' | 'uint8' = 'double',
) {
  const names = shapes.map((shape, i) => (shape === null ? '' : `x${i}`))
  const inputs = shapes.flatMap((shape, i) => (shape === null ? [] : [value(names[i]!, type, shape)]))
  const nodes = [node(operator, names, ['y'], attributes)]
  return onnx.load(model({ inputs, outputs: [value('y', 'double', [])], nodes }, 23), { doubles: 'float64' })
}

describe('gradients', () => {
  beforeAll(() => g.setBackend('reference'))
  afterAll(() => g.setBackend('native'))

  const both = { hidden_size: 3n, direction: 'bidirectional' }
  const lstm = [[3, 2, 2], [2, 12, 2], [2, 12, 3], [2, 24], null, [2, 2, 3], [2, 2, 3], [2, 9]]
  const rows: Readonly<Record<string, readonly [string, readonly (g.Shape | null)[], Attributes?]>> = {
    'LSTM in both directions, with peepholes': ['LSTM', lstm, both],
    'GRU backwards': [
      'GRU',
      [
        [3, 2, 2],
        [1, 9, 2],
        [1, 9, 3],
        [1, 18],
      ],
      { hidden_size: 3n, direction: 'reverse' },
    ],
    'Conv with uneven padding': [
      'Conv',
      [
        [1, 2, 5, 4],
        [2, 2, 3, 2],
      ],
      { pads: [1n, 0n, 2n, 1n], strides: [2n, 1n] },
    ],
    'ConvTranspose of volumes': [
      'ConvTranspose',
      [
        [1, 2, 2, 2, 3],
        [2, 1, 2, 3, 2],
      ],
      { strides: [2n, 1n, 2n] },
    ],
    'AveragePool with elements apart': ['AveragePool', [[1, 2, 6, 5]], { kernel_shape: [2n, 2n], dilations: [2n, 3n] }],
    LRN: ['LRN', [[2, 5, 3]], { size: 3n, alpha: 0.5 }],
    'GridSample by cubes': [
      'GridSample',
      [
        [1, 2, 4, 5],
        [1, 3, 2, 2],
      ],
      { mode: 'cubic', padding_mode: 'border' },
    ],
    'GridSample of volumes': [
      'GridSample',
      [
        [1, 1, 3, 3, 3],
        [1, 2, 1, 2, 3],
      ],
      { mode: 'linear' },
    ],
    DeformConv: [
      'DeformConv',
      [
        [1, 2, 4, 4],
        [2, 2, 2, 2],
        [1, 8, 3, 3],
      ],
      { kernel_shape: [2n, 2n] },
    ],
    RMSNormalization: ['RMSNormalization', [[3, 4], [4]]],
    Attention: [
      'Attention',
      [
        [1, 2, 3, 2],
        [1, 1, 4, 2],
        [1, 1, 4, 3],
      ],
      { is_causal: 1n },
    ],
  }

  test.each(Object.entries(rows))('of %s', async (_, [operator, shapes, attributes]) => {
    const net = await single(operator, shapes, attributes)
    const given = shapes.filter((shape) => shape !== null)
    const draws = given.map((shape, seed) => g.uniform(shape, { min: -0.9, max: 0.9, dtype: 'float64', seed }))
    g.checkGradients((...xs: g.Tensor[]) => run(net, xs)[0]!.sum(), draws)
  })
})

describe('sums of products of bytes are exact', () => {
  const bytes = (shape: g.Shape) => g.full(shape, 255, { dtype: 'uint8' })

  test.each([1, 256, 257, 1000])('over %i of them', async (depth) => {
    const net = await single(
      'MatMulInteger',
      [
        [2, depth],
        [depth, 3],
      ],
      {},
      'uint8',
    )
    expect(new Set(net.forward({ x0: bytes([2, depth]), x1: bytes([depth, 3]) }).dataSync())).toEqual(
      new Set([depth * 255 ** 2]),
    )
  })

  const bytesAs = (name: string, shape: g.Shape, at: (i: number) => number) =>
    tensorProto(
      name,
      'uint8',
      shape,
      Uint8Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => at(i)),
    )

  test.each<[string, number, number]>([
    ['at once, where weights are small', 30, 1],
    ['in a few parts', 100, 2],
    ['in many, where weights are great', 255, 4],
  ])('with weights that are known %s', async (_, weight, parts) => {
    const nodes = [node('MatMulInteger', ['x', 'w', 'zero'], ['y'])]
    const initializers = [bytesAs('w', [1000, 3], (i) => (i % 3) * (weight / 2)), bytesAs('zero', [], () => 0)]
    const inputs = [value('x', 'uint8', ['n', 1000])]
    const net = await onnx.load(model({ inputs, outputs: [value('y', 'int32', ['n', 3])], nodes, initializers }))
    const x = bytes([2, 1000])
    const wanted = [0, 1, 2].map((i) => 255_000 * Math.floor((i * weight) / 2))
    expect(net.forward(x).arraySync()).toEqual([wanted, wanted])
    const program = g.compile((x: g.Tensor) => net.forward(x)).program(x)
    expect(program.match(/= matmul/g)).toHaveLength(parts)
  })

  test('of windows, in groups', async () => {
    const net = await single(
      'ConvInteger',
      [
        [1, 200, 3, 3],
        [4, 100, 3, 3],
      ],
      { group: 2n },
      'uint8',
    )
    const y = net.forward({ x0: bytes([1, 200, 3, 3]), x1: bytes([4, 100, 3, 3]) })
    expect([...y.dataSync()]).toEqual(new Array(4).fill(900 * 255 ** 2))
  })
})

describe('attributes that no model has', () => {
  const image = [1, 1, 4, 4]
  const kernel = [1, 1, 2, 2]
  const huge = 2n ** 40n
  const rows: Readonly<Record<string, readonly [string, readonly g.Shape[], Attributes, RegExp]>> = {
    'strides of 0': [
      'Conv',
      [image, kernel],
      { strides: [0n, 1n] },
      /2 integers from 1 to 2147483647, got \[0,1\] \(attribute strides of node y \(Conv\)/,
    ],
    'dilations below 0': [
      'MaxPool',
      [image],
      { kernel_shape: [2n, 2n], dilations: [-1n, 1n] },
      /attribute dilations of node y \(MaxPool\)/,
    ],
    'pads below 0': ['AveragePool', [image], { kernel_shape: [2n, 2n], pads: [-1n, 0n, 0n, 0n] }, /attribute pads/],
    'pads beyond memory': ['Conv', [image, kernel], { pads: [30000n, 30000n, 0n, 0n] }, /at most 268435456 elements/],
    'pads beyond integers': ['Conv', [image, kernel], { pads: [huge, 0n, 0n, 0n] }, /attribute pads/],
    'too few pads': ['Conv', [image, kernel], { pads: [1n, 1n] }, /4 integers from 0 to 2147483647, got \[1,1\]/],
    'a kernel that is not the weight': ['Conv', [image, kernel], { kernel_shape: [3n, 3n] }, /attribute kernel_shape/],
    'no kernel': ['MaxPool', [image], {}, /attribute kernel_shape/],
    'a kernel greater than the image': [
      'LpPool',
      [image],
      { kernel_shape: [5n, 1n] },
      /a window of at most the padded extent 4, got 5/,
    ],
    'windows of many elements': [
      'MaxPool',
      [image],
      { kernel_shape: [20000n, 20000n], pads: [9999n, 9999n, 9999n, 9999n] },
      /elements/,
    ],
    'groups of 0': ['Conv', [image, kernel], { group: 0n }, /a weight \[out, 1 \/ 0, …\]/],
    'an unknown auto_pad': ['Conv', [image, kernel], { auto_pad: 'SOME' }, /attribute auto_pad/],
    'an output beyond memory': ['ConvTranspose', [image, kernel], { output_shape: [2n ** 20n, 2n ** 20n] }, /elements/],
    'outputs of nothing': [
      'ConvTranspose',
      [image, kernel],
      { pads: [9n, 9n, 9n, 9n] },
      /at least one element along each axis/,
    ],
    'a block of 0': ['DepthToSpace', [image], { blocksize: 0n }, /attribute blocksize/],
    'groups that do not divide': ['GroupNormalization', [image, [1], [1]], { num_groups: 3n }, /attribute num_groups/],
    'a norm of order 0': ['LpPool', [image], { kernel_shape: [1n, 1n], p: 0n }, /attribute p/],
    'heads that do not divide': [
      'Attention',
      [
        [1, 2, 5],
        [1, 2, 5],
        [1, 2, 5],
      ],
      { q_num_heads: 2n, kv_num_heads: 2n },
      /a width that 2 heads divide, got 5/,
    ],
    'a random tensor beyond memory': ['RandomNormal', [], { shape: [2n ** 20n, 2n ** 20n] }, /elements/],
  }

  test.each(Object.entries(rows))('%s', async (_, [operator, shapes, attributes, message]) => {
    const net = await single(operator, shapes, attributes)
    expect(() =>
      run(
        net,
        shapes.map((shape) => g.ones(shape, { dtype: 'float64' })),
      ),
    ).toThrow(message)
  })
})

test('how many boxes are left depends on data, which there is none of inside compile', async () => {
  const net = await single('NonMaxSuppression', [
    [1, 3, 4],
    [1, 1, 3],
  ])
  const given = { x0: g.uniform([1, 3, 4], { dtype: 'float64' }), x1: g.uniform([1, 1, 3], { dtype: 'float64' }) }
  expect(net.forward(given).shape).toEqual([0, 3])
  const compiled = g.compile((x: Record<string, g.Tensor>) => net.forward(x))
  await expect(compiled(given)).rejects.toThrow('depends on data')
  expect((await net.run(given)).shape).toEqual([0, 3])
})

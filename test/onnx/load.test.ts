/** Models of ONNX files as modules: names, shapes on the host, paths that data choose, and loading. */
import { describe, expect, test } from 'vitest'
import * as g from '../../lib/index.ts'
import * as onnx from '../../lib/onnx/index.ts'
import { turnsUntil } from '../support/turns.ts'
import { floats, graph, int64s, model, node, value } from './build.ts'

/** relu(x·w + b) for any batch, its shape taken apart and put together as exporters do. */
const perceptron = model({
  inputs: [value('x', 'float', ['batch', 2, 3])],
  outputs: [value('y', 'float', ['batch', 4])],
  initializers: [
    floats(
      'fc.weight',
      [4, 6],
      Array.from({ length: 24 }, (_, i) => (i % 5) - 2),
    ),
    floats('fc.bias', [4], [1, -1, 0, 0.5]),
    int64s('zero', [], [0n]),
    int64s('axes', [1], [0n]),
    int64s('rest', [1], [-1n]),
  ],
  nodes: [
    node('Shape', ['x'], ['shape']),
    node('Gather', ['shape', 'zero'], ['batch']),
    node('Unsqueeze', ['batch', 'axes'], ['first']),
    node('Concat', ['first', 'rest'], ['flat_shape'], { axis: 0n }),
    node('Reshape', ['x', 'flat_shape'], ['flat']),
    node('Gemm', ['flat', 'fc.weight', 'fc.bias'], ['sum'], { transB: 1n }),
    node('Relu', ['sum'], ['y']),
  ],
})

const x = g.arange(12).reshape([2, 2, 3]).div(4)

test('parameters have the names of the file, and inputs and outputs say what they are', async () => {
  const net = await onnx.load(perceptron)
  expect(Object.keys(net.namedParameters())).toEqual(['fc.weight', 'fc.bias'])
  expect(net.stateDict()['fc.bias']!.arraySync()).toEqual([1, -1, 0, 0.5])
  expect(net.inputs).toEqual([{ name: 'x', dtype: 'float32', shape: ['batch', 2, 3] }])
  expect(net.outputs).toEqual([{ name: 'y', dtype: 'float32', shape: ['batch', 4] }])
  expect(String(net)).toBe('OnnxModel(x: float32[batch, 2, 3] → y: float32[batch, 4])')
})

test('a module that has it has its parameters under its own name', async () => {
  const backbone = await onnx.load(perceptron)
  class Classifier extends g.nn.Module {
    backbone = backbone
    forward(x: g.Tensor) {
      return this.backbone.forward(x)
    }
  }
  expect(Object.keys(new Classifier().namedParameters())).toEqual(['backbone.fc.weight', 'backbone.fc.bias'])
})

test('nothing of the arithmetic on shapes is left in the program, whatever the batch', async () => {
  const net = await onnx.load(perceptron)
  const compiled = g.compile((x: g.Tensor) => net.forward(x))
  for (const batch of [1, 2, 7]) {
    const program = compiled.program(g.zeros([batch, 2, 3]))
    expect(program.split('\n').filter((line) => line.includes(' = '))).toHaveLength(1)
    expect(program).toContain('= matmul %0 %1ᵀ + %2, relu')
  }
})

test('forward takes the tensor or a record, run gives the same by one program for each signature', async () => {
  const net = await onnx.load(perceptron)
  const { 'fc.weight': weight, 'fc.bias': bias } = net.stateDict()
  const y = x.reshape([2, 6]).matmul(weight!.transpose()).add(bias!).relu().arraySync()
  expect(net.forward(x).arraySync()).toEqual(y)
  expect(net.forward({ x }).arraySync()).toEqual(y)
  expect(await (await net.run(x)).array()).toEqual(y)
})

test('what was not asked to be trained is a buffer', async () => {
  const none = await onnx.load(perceptron, { trainable: false })
  expect(none.parameters()).toEqual([])
  expect(Object.keys(none.namedBuffers())).toEqual(['fc.weight', 'fc.bias'])
  const bias = await onnx.load(perceptron, { trainable: (name) => name.endsWith('bias') })
  expect(Object.keys(bias.namedParameters())).toEqual(['fc.bias'])
})

test('gradients go through it', async () => {
  const net = await onnx.load(perceptron)
  const loss = () => net.forward(x).sum()
  const [ofBias] = g.gradients(loss(), [net.namedParameters()['fc.bias']!])
  const open = net.forward(x).greater(0).cast('float32').sum(0)
  expect(ofBias!.arraySync()).toEqual(open.arraySync())
})

test('all operators that are not supported are in one error, with their nodes', async () => {
  const bytes = model({
    inputs: [value('x', 'float', [2])],
    outputs: [value('y', 'float', [2])],
    nodes: [
      node('Nonsense', ['x'], ['a']),
      node('Relu', ['a'], ['b']),
      node('Nonsense', ['b'], ['c']),
      node('Fancy', ['c'], ['y'], {}, 'com.example'),
    ],
  })
  const error: unknown = await onnx.load(bytes).catch((error: unknown) => error)
  expect(error).toBeInstanceOf(onnx.UnsupportedOperatorError)
  expect((error as onnx.UnsupportedOperatorError).operators).toEqual([
    {
      operator: 'Nonsense',
      opset: 17,
      nodes: ['node a (Nonsense)', 'node c (Nonsense)'],
      reason: 'no operator of ONNX by then',
    },
    { operator: 'com.example.Fancy', opset: 1, nodes: ['node y (com.example.Fancy)'], reason: 'not supported' },
  ])
})

/** x doubled where the rate is 8000, and else what only four elements have the shape for. */
const byRate = model({
  inputs: [value('x', 'float', ['n']), value('rate', 'int64', [])],
  outputs: [value('y', 'float', ['a', 'b'])],
  initializers: [int64s('slow', [], [8000n]), int64s('row', [2], [1n, -1n]), int64s('square', [2], [2n, 2n])],
  nodes: [
    node('Equal', ['rate', 'slow'], ['is_slow']),
    node('If', ['is_slow'], ['y'], {
      then_branch: graph({
        nodes: [node('Add', ['x', 'x'], ['doubled']), node('Reshape', ['doubled', 'row'], ['a'])],
        outputs: [value('a', 'float', ['a', 'b'])],
      }),
      else_branch: graph({
        nodes: [node('Reshape', ['x', 'square'], ['b'])],
        outputs: [value('b', 'float', ['a', 'b'])],
      }),
    }),
  ],
})

describe('run', () => {
  test('takes the path that an integer chooses, where the other has no meaning for these shapes', async () => {
    const net = await onnx.load(byRate)
    const doubled = await net.run({ x: [1, 2, 3], rate: 8000 })
    const square = await net.run({ x: [1, 2, 3, 4], rate: 16000 })
    expect(doubled.arraySync()).toEqual([[2, 4, 6]])
    expect(square.arraySync()).toEqual([
      [1, 2],
      [3, 4],
    ])
  })

  test('tells which input an integer is of, and its shape', async () => {
    const net = await onnx.load(
      model({
        inputs: [value('a', 'int64', ['n']), value('b', 'int64', ['m'])],
        outputs: [value('y', 'int64', ['k'])],
        initializers: [int64s('ten', [], [10n])],
        nodes: [node('Mul', ['a', 'ten'], ['tens']), node('Add', ['tens', 'b'], ['y'])],
      }),
    )
    expect((await net.run({ a: [5], b: [1, 2] })).arraySync()).toEqual([51, 52])
    expect((await net.run({ a: [1, 2], b: [5] })).arraySync()).toEqual([15, 25])
  })

  test('takes more integers than it keeps programs for', async () => {
    const net = await onnx.load(
      model({
        inputs: [value('x', 'int64', [])],
        outputs: [value('y', 'int64', [])],
        initializers: [int64s('one', [], [1n])],
        nodes: [node('Add', ['x', 'one'], ['y'])],
      }),
    )
    for (let x = 0; x < 40; x++) expect((await net.run(x)).arraySync()).toBe(x + 1)
  })

  test('evaluates where data decide on shapes, each time anew', async () => {
    const net = await onnx.load(
      model({
        inputs: [value('x', 'float', ['n'])],
        outputs: [value('y', 'float', ['m'])],
        initializers: [],
        nodes: [
          node('NonZero', ['x'], ['places']),
          node('Transpose', ['places'], ['rows']),
          node('GatherND', ['x', 'rows'], ['y']),
        ],
      }),
    )
    expect((await net.run([0, 2, 0, 3])).arraySync()).toEqual([2, 3])
    expect((await net.run([0, 0, 5, 0])).arraySync()).toEqual([5])
    await expect(g.compile((x: g.Tensor) => net.forward(x))(g.tensor([1]))).rejects.toThrow('depends on data')
  })
})

test('large weights are decoded in pieces, between which the event loop turns', async () => {
  const elements = Array.from({ length: 2 ** 21 }, (_, i) => Math.sin(i))
  const bytes = model({
    inputs: [value('x', 'float', ['n', 2048])],
    outputs: [value('y', 'float', ['n', 1024])],
    initializers: [floats('w', [2048, 1024], elements)],
    nodes: [node('MatMul', ['x', 'w'], ['y'])],
  })
  const loading = onnx.load(bytes)
  expect(await turnsUntil(loading)).toBeGreaterThan(4)
  const net = await loading
  expect(await net.stateDict().w!.data()).toEqual(Float32Array.from(elements))
})

/** Normalizations, attention, embedding and dropout: values, statistics and mistakes. */
import { beforeEach, describe, expect, test } from 'vitest'
import * as g from '../../lib/index.ts'
import { expectClose } from '../support/close.ts'

beforeEach(() => g.setSeed(1))

const x = g.tensor([
  [1, 2, 3],
  [4, 6, 11],
])
const integers = g.tensor([[1, 2]], { dtype: 'int32' })
const wrong = (value: unknown): never => value as never

describe('dropout', () => {
  const ones = g.ones([200, 300])

  test('drops at its rate and keeps the expectation', () => {
    const values = g.dropout(ones, 0.2).dataSync()
    expect(new Set(values)).toEqual(new Set([0, Math.fround(1 / 0.8)]))
    const dropped = values.filter((x) => x === 0).length / values.length
    // Five standard errors of the share of 60,000 numbers.
    expect(Math.abs(dropped - 0.2)).toBeLessThan(5 * Math.sqrt((0.2 * 0.8) / 60_000))
  })

  test('at rates 0 and 1, and in evaluation', () => {
    expect(g.dropout(x, 0).arraySync()).toEqual(x.arraySync())
    expect(g.dropout(x, 1).arraySync()).toEqual([
      [0, 0, 0],
      [0, 0, 0],
    ])
    expect(x.dropout(0.9, { training: false }).arraySync()).toEqual(x.arraySync())
  })

  test('draws anew at each call of a compiled function, unless it has a seed', () => {
    const drop = g.compile((x: g.Tensor) => [g.dropout(x), g.dropout(x, 0.5, { seed: 3 })])
    const [first, seeded] = drop.sync(ones).map((y) => y.dataSync())
    const [second, again] = drop.sync(ones).map((y) => y.dataSync())
    expect(second).not.toEqual(first)
    expect(again).toEqual(seeded)
    expect(seeded).not.toEqual(first)
  })

  test('its gradient drops the same elements', () => {
    const y = g.dropout(ones, 0.3)
    const [gradient] = g.gradients(y, [ones])
    expect(gradient.dataSync()).toEqual(y.dataSync())
  })
})

describe('scaledDotProductAttention', () => {
  test('a query without keys gets 0, and no gradient', () => {
    const [q, k, v] = [g.variable(g.randn([2, 3])), g.variable(g.randn([4, 3])), g.variable(g.randn([4, 5]))]
    const mask = [
      [false, false, false, false],
      [true, false, true, false],
    ]
    const y = g.scaledDotProductAttention(q, k, v, { mask })
    expect(y.arraySync()).toMatchObject([[0, 0, 0, 0, 0], expect.anything()])
    const [dq, dk, dv] = g.gradients(y, [q, k, v]).map((gradient) => gradient.arraySync() as number[][])
    expect(dq![0]).toEqual([0, 0, 0])
    expect(dq![1]).not.toEqual([0, 0, 0])
    expect([dk![1], dk![3]]).toEqual([
      [0, 0, 0],
      [0, 0, 0],
    ])
    expect(dv![1]).toEqual([0, 0, 0, 0, 0])
  })

  test('causal: what comes later changes nothing', () => {
    const [q, k, v] = [g.randn([6, 4]), g.randn([6, 4]), g.randn([6, 2])]
    const attend = (k: g.Tensor) => g.scaledDotProductAttention(q, k, v, { causal: true }).slice(0, 4).arraySync()
    expect(attend(k.add([[0], [0], [0], [0], [9], [9]]))).toEqual(attend(k))
    expect(g.scaledDotProductAttention(q, k, v, { causal: true }).slice(0, 1).arraySync()).toEqual(
      v.slice(0, 1).arraySync(),
    )
  })

  test('large scores do not overflow', () => {
    const q = g.tensor([[1000], [-1000]])
    expect(g.scaledDotProductAttention(q, q, [[1], [2]]).arraySync()).toEqual([[1], [2]])
  })

  describe('long sequences', () => {
    const length = 640
    const [q, k, v] = [4, 4, 3].map((width) => g.variable(g.randn([2, length, width])))
    const ct = g.randn([2, length, 3])
    const positions = g.arange(length, undefined, { dtype: 'int32' })
    const order = positions.reshape([length, 1]).greaterEqual(positions)

    test.each([
      ['in full', {}, (scores: g.Tensor) => scores],
      ['causal', { causal: true }, (scores: g.Tensor) => order.where(scores, -Infinity)],
      ['masked', { mask: order }, (scores: g.Tensor) => order.where(scores, -Infinity)],
    ] as const)('%s, as from the matrix of all scores', (_, options, masked) => {
      const scores = masked(q!.matmul(k!.transpose([0, 2, 1])).mul(0.5))
      const [y, wanted] = [g.scaledDotProductAttention(q!, k!, v!, options), scores.softmax().matmul(v!)]
      expectClose(y.dataSync(), wanted.dataSync(), 1e-5)
      const expected = g.gradients(wanted, [q!, k!, v!], ct)
      g.gradients(y, [q!, k!, v!], ct).forEach((gradient, i) => {
        expectClose(gradient.dataSync(), expected[i]!.dataSync(), 1e-4)
      })
    })

    test('take memory for some queries at a time, in the gradient too', () => {
      const long = 4096
      const x = g.zeros([long, 8])
      const arena = (f: (x: g.Tensor) => unknown) =>
        Number(/arena (\d+) bytes/.exec(g.compile((x: g.Tensor) => f(x)).program(x))![1])
      expect(arena((x) => g.scaledDotProductAttention(x, x, x))).toBeLessThan(1e6)
      const gradient = (x: g.Tensor) => g.gradients(g.scaledDotProductAttention(x, x, x), [x])
      expect(arena(gradient)).toBeLessThan((4 * long * long) / 8)
    })
  })

  test('dropout of the weights keeps the expectation', () => {
    const y = g.scaledDotProductAttention(g.zeros([2000, 2]), g.zeros([50, 2]), g.ones([50, 1]), { dropout: 0.5 })
    expect(new Set(y.dataSync()).size).toBeGreaterThan(10)
    expectClose(y.mean().itemSync(), 1, 0.02)
  })
})

test('embedding: no gradient reaches the padding row, however it is counted', () => {
  const table = g.randn([4, 2])
  for (const paddingIndex of [3, -1]) {
    const [gradient] = g.gradients(g.embedding([3, 1, 3, 1], table, { paddingIndex }), [table])
    expect(gradient.arraySync()).toEqual([
      [0, 0],
      [2, 2],
      [0, 0],
      [0, 0],
    ])
  }
  expect(() => g.embedding([0, 4], table).dataSync()).toThrow(RangeError)
})

test('integers given as arrays are floats to a normalization, and a NaN spoils its own row alone', () => {
  const rows = g.layerNorm([
    [Number.NaN, 1],
    [-1, 1],
  ])
  expect(rows.dataSync()[0]).toBeNaN()
  expectClose(rows.slice(1).dataSync(), [-1, 1], 1e-4)
})

const { ShapeError, DTypeError } = g
const attend = g.scaledDotProductAttention

test.each<readonly [string, () => unknown, new (...args: never[]) => Error]>([
  ['layerNorm: expected float32 or float64, got int32', () => g.layerNorm(integers), DTypeError],
  [
    'layerNorm: expected an input of shape […, 4], got [2, 3]',
    () => g.layerNorm(x, { weight: [1, 1, 1, 1] }),
    ShapeError,
  ],
  ['layerNorm: expected a bias of shape [3], got [2]', () => g.layerNorm(x, { bias: [1, 2] }), ShapeError],
  ['layerNorm: expected a finite epsilon of at least 0, got -1', () => g.layerNorm(x, { epsilon: -1 }), RangeError],
  [
    'rmsNorm: expected an input of shape […, 2, 3], got [3]',
    () => g.rmsNorm([1, 2, 3], { normalizedShape: [2, 3] }),
    ShapeError,
  ],
  ['batchNorm: expected an input of at least two axes, got [3]', () => g.batchNorm([1, 2, 3]), ShapeError],
  [
    'batchNorm: expected both mean and variance, or none, got one of them',
    () => g.batchNorm(x, { mean: [0, 0, 0] }),
    TypeError,
  ],
  ['batchNorm: expected a weight of shape [3], got [2]', () => g.batchNorm(x, { weight: [1, 2] }), ShapeError],
  [
    'batchNorm: expected an input of 3 channels, as the weight has, got [1, 28, 28, 3], which has them at axis: -1',
    () => g.batchNorm(g.ones([1, 28, 28, 3]), { weight: [1, 2, 3] }),
    ShapeError,
  ],
  [
    'batchNorm: expected an input of 4 axes with 3 channels at axis 1, got [1, 28, 28, 3], which has them at axis: -1',
    () => g.nn.batchNorm2d(3).forward(g.ones([1, 28, 28, 3])),
    ShapeError,
  ],
  [
    'groupNorm: expected a positive integer of groups that divides the 3 channels, got 2',
    () => g.groupNorm(x, 2),
    RangeError,
  ],
  [
    'groupNorm: expected channels along another axis than the first, got 0',
    () => g.groupNorm(x, 1, { axis: 0 }),
    ShapeError,
  ],
  ['instanceNorm: expected an input of at least three axes, got [2, 3]', () => g.instanceNorm(x), ShapeError],
  ['dropout: expected a rate in [0, 1], got 1.5', () => g.dropout(x, 1.5), RangeError],
  ['dropout: expected a rate in [0, 1], got "0.5"', () => g.dropout(x, wrong('0.5')), TypeError],
  ['dropout: expected float32 or float64, got int32', () => g.dropout(integers), DTypeError],
  ['embedding: expected a table [n, features], got [2]', () => g.embedding([0], [1, 2]), ShapeError],
  ['embedding: expected int32 indices, got float32', () => g.embedding(x, x), DTypeError],
  [
    'embedding: expected an integer paddingIndex in [-2, 2), got 2',
    () => g.embedding([0], x, { paddingIndex: 2 }),
    RangeError,
  ],
  [
    'scaledDotProductAttention: expected q and k of one width, got [2, 3] and [1, 2]',
    () => attend(x, g.ones([1, 2]), x),
    ShapeError,
  ],
  [
    'scaledDotProductAttention: expected as many values as keys, got [2, 3] and [1, 2]',
    () => attend(x, x, g.ones([1, 2])),
    ShapeError,
  ],
  ['scaledDotProductAttention: expected q of at least two axes, got [2]', () => attend([1, 2], x, x), ShapeError],
  ['scaledDotProductAttention: expected float32 or float64, got int32 for v', () => attend(x, x, integers), DTypeError],
  [
    'scaledDotProductAttention: expected a mask that broadcasts to [2, 2], got [1, 2, 2]',
    () => attend(x, x, x, { mask: g.ones([1, 2, 2]) }),
    ShapeError,
  ],
  [
    'scaledDotProductAttention: expected a mask of bool or floats, got int32',
    () => attend(x, x, x, { mask: integers }),
    DTypeError,
  ],
  ['scaledDotProductAttention: expected a finite scale, got NaN', () => attend(x, x, x, { scale: NaN }), RangeError],
])('%s', (message, run, error) => {
  expect(run).toThrow(error)
  expect(run).toThrow(message)
})

import { describe, expect, test } from 'vitest'
import * as g from '../../lib/index.ts'
import { expectClose } from '../support/close.ts'

const losses = {
  crossEntropy: g.losses.crossEntropy,
  meanSquaredError: g.losses.meanSquaredError,
  binaryCrossEntropy: g.losses.binaryCrossEntropy,
}
describe.each([
  ['float32', 2e-6],
  ['float64', 1e-12],
] as const)('reductions of losses in %s', (dtype, tolerance) => {
  test('the sum is the sum of the single losses', () => {
    const x = g.tensor(
      [
        [2, -1, 0.5],
        [0, 3, 1],
      ],
      { dtype },
    )
    const y = g.tensor(
      [
        [1, 0, 0.5],
        [0, 0.25, 1],
      ],
      { dtype },
    )
    for (const loss of Object.values(losses))
      expectClose(loss(x, y, { reduction: 'sum' }), loss(x, y, { reduction: 'none' }).sum().itemSync(), tolerance)
  })
})

describe('crossEntropy', () => {
  const logits = g.tensor([
    [1, 2, 3],
    [3, 1, -2],
  ])

  test('classes as uint8, and one-hot rows of any dtype, say the same', () => {
    const expected = g.losses.crossEntropy(logits, g.tensor([2, 0], { dtype: 'int32' })).itemSync()
    expect(g.losses.crossEntropy(logits, g.tensor([2, 0], { dtype: 'uint8' })).itemSync()).toBe(expected)
    const oneHot = g.tensor([
      [0, 0, 1],
      [1, 0, 0],
    ])
    for (const dtype of ['float32', 'int32', 'uint8', 'bool'] as const)
      expectClose(g.losses.crossEntropy(logits, oneHot.cast(dtype)), expected, 1e-6)
  })

  test('takes logits with more axes', () => {
    const x = g.randn([2, 3, 4], { seed: 1 })
    const y = g.tensor(
      [
        [0, 1, 2],
        [3, 0, 1],
      ],
      { dtype: 'int32' },
    )
    const flat = g.losses.crossEntropy(x.reshape([6, 4]), y.reshape([6]), { reduction: 'none' })
    const rows = g.losses.crossEntropy(x, y, { reduction: 'none' })
    expect(rows.shape).toEqual([2, 3])
    expect(rows.dataSync()).toEqual(flat.dataSync())
  })

  test.each([
    [[2, 1], 'crossEntropy: expected labels of shape [2] (classes) or [2, 3] (rows of probabilities), got [2, 1]'],
    [[3], 'crossEntropy: expected labels of shape [2] (classes) or [2, 3] (rows of probabilities), got [3]'],
    [[], 'crossEntropy: expected labels of shape [2] (classes) or [2, 3] (rows of probabilities), got []'],
  ])('labels of shape %j do not fit', (shape, message) => {
    const labels = g.zeros(shape, { dtype: 'int32' })
    expect(() => g.losses.crossEntropy(logits, labels)).toThrow(new g.ShapeError(message))
  })

  test.each(['float32', 'bool'] as const)('classes of %s do not fit', (dtype) => {
    const labels = g.zeros([2], { dtype })
    const message = `crossEntropy: expected classes as int32 or uint8, or rows [2, 3], got Tensor ${dtype}[2]; cast('int32') makes classes of numbers`
    expect(() => g.losses.crossEntropy(logits, labels)).toThrow(new g.DTypeError(message))
  })

  test('logits need an axis of classes', () => {
    expect(() => g.losses.crossEntropy(g.tensor(1), g.tensor(1))).toThrow(
      'crossEntropy: expected logits of shape […, classes], got []',
    )
    expect(() => g.losses.crossEntropy(g.zeros([2, 0]), g.zeros([2, 0]))).toThrow('got [2, 0]')
  })

  test.each([3, -1])('class %i of three is a RangeError that names the row', (label) => {
    const loss = g.losses.crossEntropy(logits, g.tensor([0, label], { dtype: 'int32' }))
    expect(() => loss.itemSync()).toThrow(RangeError)
    expect(() => loss.itemSync()).toThrow(`expected labels in [0, 3), got ${label} at row 1`)
  })
})

describe('meanSquaredError and binaryCrossEntropy', () => {
  test.each(['meanSquaredError', 'binaryCrossEntropy'] as const)('%s does not broadcast', (name) => {
    const message = `${name}: expected a target of shape [4], got [4, 1]`
    expect(() => losses[name](g.zeros([4]), g.zeros([4, 1]))).toThrow(new g.ShapeError(message))
    expect(() => losses[name](g.zeros([4]), 1)).toThrow(g.ShapeError)
  })

  test('targets may be integers or bools', () => {
    const x = g.tensor([1, -2, 0.5])
    const z = g.tensor([1, 0, 1])
    for (const dtype of ['int32', 'uint8', 'bool'] as const)
      for (const loss of [g.losses.meanSquaredError, g.losses.binaryCrossEntropy])
        expectClose(loss(x, z.cast(dtype)), loss(x, z).itemSync())
  })
})

test('a reduction that does not exist is a RangeError', () => {
  const options = { reduction: 'average' } as unknown as g.losses.LossOptions
  for (const [name, loss] of Object.entries(losses))
    expect(() => loss([[1, 2]], [[0, 1]], options)).toThrow(
      new RangeError(`${name}: expected reduction 'mean', 'sum' or 'none', got average`),
    )
})

describe('metrics', () => {
  const logits = g.tensor([
    [1, 3, 2],
    [5, 1, 0],
    [0, 1, 2],
    [7, 8, 9],
  ])

  test('accuracy counts rows whose greatest logit is the label’s', () => {
    expect(g.metrics.accuracy(logits, g.tensor([1, 0, 0, 2], { dtype: 'int32' })).itemSync()).toBe(0.75)
    expect(g.metrics.accuracy(logits, g.tensor([2, 2, 2, 2], { dtype: 'uint8' })).itemSync()).toBe(0.5)
    expect(
      g.metrics
        .accuracy(
          logits,
          g.tensor([
            [0, 1, 0],
            [0, 0, 1],
            [1, 0, 0],
            [0.2, 0.2, 0.6],
          ]),
        )
        .itemSync(),
    ).toBe(0.5)
  })

  test('correct says which rows', () => {
    const { dtype, shape } = g.metrics.correct(logits, g.tensor([1, 0, 0, 2], { dtype: 'int32' }))
    expect({ dtype, shape }).toEqual({ dtype: 'bool', shape: [4] })
    expect(g.metrics.correct(logits, g.tensor([1, 0, 0, 2], { dtype: 'int32' })).arraySync()).toEqual([
      true,
      true,
      false,
      true,
    ])
  })

  test('binaryAccuracy compares the sign of a logit with its target', () => {
    expect(g.metrics.binaryAccuracy(g.tensor([-1, 2, 3, -4]), g.tensor([0, 1, 0, 1])).itemSync()).toBe(0.5)
    expect(() => g.metrics.binaryAccuracy(g.zeros([4]), g.zeros([4, 1]))).toThrow(
      'binaryAccuracy: expected targets of shape [4], got [4, 1]',
    )
  })

  test('accuracy refuses labels that do not fit, and a single class', () => {
    expect(() => g.metrics.accuracy(logits, g.zeros([3], { dtype: 'int32' }))).toThrow(g.ShapeError)
    expect(() => g.metrics.accuracy(logits, g.zeros([4]))).toThrow(g.DTypeError)
    expect(() => g.metrics.accuracy(g.zeros([4, 1]), g.zeros([4, 1]))).toThrow(
      'accuracy: expected logits of at least two classes (see binaryAccuracy), got [4, 1]',
    )
  })
})

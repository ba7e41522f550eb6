/** Metrics beside accuracy, which losses.test.ts has; the numbers by hand. */
import { describe, expect, test } from 'vitest'
import * as g from '../../lib/index.ts'
import { expectClose } from '../support/close.ts'

const { metrics } = g
const int32 = (values: number[]): g.Tensor => g.tensor(values, { dtype: 'int32' })

const logits = g.tensor([
  [1, 3, 2],
  [5, 1, 0],
  [0, 1, 2],
  [7, 8, 9],
  [2, 1, 0],
])
/** Predictions are 1, 0, 2, 2, 0. */
const labels = int32([1, 0, 1, 2, 2])

describe('classes', () => {
  test('topKAccuracy counts rows whose label is among the k greatest', () => {
    expectClose(
      [1, 2, 3].map((k) => metrics.topKAccuracy(logits, labels, k).itemSync()),
      [0.6, 0.8, 1],
    )
    expectClose(metrics.topKAccuracy(logits, labels.oneHot(3), 2), 0.8)
    expect(metrics.topKAccuracy(g.zeros([2, 3]), int32([2, 1]), 1).itemSync()).toBe(1)
    expect(() => metrics.topKAccuracy(logits, labels, 0)).toThrow('topKAccuracy: expected a positive integer k, got 0')
    expect(() => metrics.topKAccuracy(logits, int32([0, 1, 2, 3, 0])).itemSync()).toThrow(RangeError)
  })

  test('confusionMatrix has the labels as rows and the predictions as columns', () => {
    const matrix = metrics.confusionMatrix(logits, labels)
    expect({ dtype: matrix.dtype, values: matrix.arraySync() }).toEqual({
      dtype: 'int32',
      values: [
        [1, 0, 0],
        [0, 1, 1],
        [1, 0, 1],
      ],
    })
    for (const wrong of [3, -1])
      expect(() => metrics.confusionMatrix(logits, int32([0, 1, 2, wrong, 0])).itemSync()).toThrow()
  })

  test('precision, recall and f1 of each class, and their means', () => {
    expectClose(metrics.precision(logits, labels, { average: 'none' }), [1 / 2, 1, 1 / 2])
    expectClose(metrics.recall(logits, labels, { average: 'none' }), [1, 1 / 2, 1 / 2])
    expectClose(metrics.f1(logits, labels, { average: 'none' }), [2 / 3, 2 / 3, 1 / 2])
    expectClose(metrics.precision(logits, labels), 2 / 3)
    expectClose(metrics.f1(logits, labels), 11 / 18)
    expect(() => metrics.recall(logits, labels, { average: 'micro' as 'macro' })).toThrow(
      new RangeError("recall: expected average 'macro' or 'none', got micro"),
    )
    expect(() => metrics.f1(logits, int32([1]))).toThrow(g.ShapeError)
  })
})

describe('yes or no', () => {
  const [x, z] = [g.tensor([2, -1, 3, 0.5, -2]), g.tensor([1, 1, 0, 1, 0])]

  test('precision, recall and f1 of elements', () => {
    expectClose(metrics.precision(x, z), 2 / 3)
    expectClose(metrics.recall(x, z), 2 / 3)
    expectClose(metrics.f1(x, z), 2 / 3)
    expectClose(metrics.recall(x, z.cast('bool')), 2 / 3)
  })

  test('0 where there is nothing', () => {
    for (const metric of [metrics.precision, metrics.recall, metrics.f1])
      expect(metric(g.full([3], -1), g.zeros([3])).itemSync()).toBe(0)
  })
})

test('meanAbsoluteError is that of the losses', () => {
  expect(metrics.meanAbsoluteError([1, 2], [2, 5]).itemSync()).toBe(2)
})

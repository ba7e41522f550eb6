/** What is left of overlapping boxes: by hand, and mistakes. */
import { beforeAll, describe, expect, test } from 'vitest'
import * as g from '../../lib/index.ts'
import { backendNames } from '../support/backends.ts'

const boxes = [
  [0, 0, 2, 2],
  [2, 2, 0, 0.1],
  [4, 4, 5, 5],
  [0, 0, 1, 2],
]
const scores = [0.8, 0.9, 0.3, 0.7]

describe.each(backendNames)('on %s', (backend) => {
  beforeAll(() => g.setBackend(backend))

  test.each<[string, g.NonMaxSuppressionOptions | undefined, number[]]>([
    ['those that overlap by more than a half', undefined, [1, 3, 2]],
    ['those that overlap at all', { iouThreshold: 0 }, [1, 2]],
    ['none, where all may overlap', { iouThreshold: 1 }, [1, 0, 3, 2]],
    ['those that are not likely', { scoreThreshold: 0.7 }, [1]],
    ['those beyond a number', { maxOutputSize: 2 }, [1, 3]],
    ['all of them', { maxOutputSize: 0 }, []],
  ])('it takes away %s', async (_, options, left) => {
    const result = await g.nonMaxSuppression(boxes, scores, options)
    expect([result.dtype, [...result.dataSync()]]).toEqual(['int32', left])
    expect(g.nonMaxSuppressionSync(boxes, scores, options).arraySync()).toEqual(left)
  })

  test('of equal scores the first is higher, and an empty box overlaps nothing', () => {
    const equal = [boxes[0]!, boxes[0]!, [1, 1, 1, 1]]
    expect(g.nonMaxSuppressionSync(equal, [1, 1, 1]).arraySync()).toEqual([0, 2])
  })

  test('a score that is NaN is above nothing', () => {
    expect(g.nonMaxSuppressionSync(boxes, [Number.NaN, 0.5, Number.NaN, 0.1]).arraySync()).toEqual([1, 3])
  })
})

test.each<[() => unknown, abstract new (...args: never[]) => Error, string]>([
  [
    () => g.nonMaxSuppressionSync(g.ones([2, 3]), [1, 2]),
    g.ShapeError,
    'nonMaxSuppressionSync: expected boxes [n, 4] and scores [n], got [2, 3] and [2]',
  ],
  [
    () => g.nonMaxSuppressionSync(g.ones([1, 4], { dtype: 'int32' }), [1]),
    g.DTypeError,
    'nonMaxSuppressionSync: expected float32 or float64, got int32 and float32',
  ],
  [
    () => g.nonMaxSuppressionSync(boxes, scores, { iouThreshold: 2 }),
    RangeError,
    'nonMaxSuppressionSync: expected an iouThreshold in [0, 1], got 2',
  ],
  [
    () => g.nonMaxSuppressionSync(boxes, scores, { maxOutputSize: 0.5 }),
    RangeError,
    'nonMaxSuppressionSync: expected an integer of at least 0 as maxOutputSize, got 0.5',
  ],
  [
    () => g.compile((b: g.Tensor, s: g.Tensor) => g.nonMaxSuppressionSync(b, s)).sync(g.ones([1, 4]), g.ones([1])),
    TypeError,
    'evaluate: expected a value that has data, got one recorded inside compile',
  ],
])('%s is refused', (f, kind, message) => {
  expect(f).toThrow(kind)
  expect(f).toThrow(message)
})

test('a promise is rejected with what is wrong', async () => {
  await expect(g.nonMaxSuppression(boxes, [1])).rejects.toThrow('nonMaxSuppression: expected boxes [n, 4]')
})

/** Reductions, scans, sorting and counts by value, and what they refuse. */
import { beforeAll, describe, expect, test } from 'vitest'
import * as g from '../../lib/index.ts'
import type { NestedArray } from '../../lib/tensor/nested.ts'
import { backendNames } from '../support/backends.ts'
import { countRuns } from '../support/runs.ts'

const { NaN: nan, POSITIVE_INFINITY: inf } = Number
const int = (values: g.TensorValues) => g.tensor(values, { dtype: 'int32' })
const matrix = g.tensor([
  [3, 1, 2],
  [0, 5, 4],
])

describe.each(backendNames)('on the %s backend', (backend) => {
  beforeAll(() => g.setBackend(backend))

  test.each<[string, () => g.Tensor, NestedArray]>([
    ['prod', () => g.prod(matrix, 1), [6, 0]],
    ['prod of nothing', () => g.prod(g.zeros([0])), 1],
    ['prod of all, as a method', () => matrix.add(1).prod(), 4 * 2 * 3 * 6 * 5],
    ['prod of bytes is int32', () => g.prod(g.tensor([200, 200], { dtype: 'uint8' })), 40000],
    ['prod of integers wraps', () => g.prod(int([65536, 65537])), 65536],
    ['argmin', () => g.argmin(matrix, 1), [1, 0]],
    ['argmin of all', () => g.argmin(matrix), 3],
    ['argmin: the first of ties', () => g.argmin([2, 1, 1]), 1],
    ['argmin: NaN is least', () => g.argmin([2, nan, -1]), 1],
    ['argmin of the least integer', () => g.argmin(int([2 ** 31 - 1, -(2 ** 31), 0])), 1],
    ['variance', () => g.variance([1, 2, 3, 4]), 5 / 3],
    ['variance without correction', () => g.variance([1, 2, 3, 4], null, { correction: 0 }), 1.25],
    ['variance of one', () => g.variance([[1, 2]], 0), [nan, nan]],
    ['variance corrected to nothing', () => g.variance([1, 3], null, { correction: 5 }), inf],
    ['variance of integers', () => g.variance(int([1, 3])), 2],
    ['std', () => g.std([1, 5], null, { correction: 0 }), 2],
    ['squaredNorm', () => g.squaredNorm([3, 4]), 25],
    ['norm of order 1', () => g.norm([3, -4], null, { order: 1 }), 7],
    ['norm of order Infinity', () => g.norm([3, -4], null, { order: inf }), 4],
    ['norm of order −Infinity', () => g.norm([3, -4], null, { order: -inf }), 3],
    ['norm of order 0', () => g.norm([3, 0, nan], null, { order: 0 }), 2],
    ['norm of order −1 with a zero', () => g.norm([3, 0], null, { order: -1 }), 0],
    ['logSumExp', () => g.logSumExp([1000, 1000]).sub(1000), Math.fround(Math.fround(1000 + Math.LN2) - 1000)],
    ['logSumExp of −∞', () => g.logSumExp([-inf, -inf]), -inf],
    ['logSumExp of nothing', () => g.logSumExp(g.zeros([0])), -inf],
    [
      'any',
      () =>
        g.any(
          [
            [0, 0],
            [0, nan],
          ],
          1,
        ),
      [false, true],
    ],
    ['any of nothing', () => g.any(g.zeros([0])), false],
    [
      'all',
      () =>
        g.all(
          [
            [1, 0],
            [1, nan],
          ],
          1,
        ),
      [false, true],
    ],
    ['all of nothing', () => g.all(g.zeros([0])), true],
    [
      'countNonzero',
      () =>
        g.countNonzero(
          [
            [1, 0],
            [-0, nan],
          ],
          1,
          { keepDims: true },
        ),
      [[1], [1]],
    ],
    [
      'cumsum',
      () => g.cumsum(matrix),
      [
        [3, 4, 6],
        [0, 5, 9],
      ],
    ],
    [
      'cumsum along the first axis',
      () => g.cumsum(matrix, 0),
      [
        [3, 1, 2],
        [3, 6, 6],
      ],
    ],
    ['cumsum, exclusive', () => g.cumsum([1, 2, 3], 0, { exclusive: true }), [0, 1, 3]],
    ['cumsum, reverse', () => g.cumsum([1, 2, 3], 0, { reverse: true }), [6, 5, 3]],
    ['cumsum, both', () => g.cumsum([1, 2, 3], 0, { exclusive: true, reverse: true }), [5, 3, 0]],
    ['cumsum of bools', () => g.cumsum([true, false, true]), [1, 1, 2]],
    ['cumsum carries float64', () => g.cumsum([2 ** 24, 1, 1, 1, 1]).slice(4), [2 ** 24 + 4]],
    ['cumprod', () => g.cumprod([2, 3, 4]), [2, 6, 24]],
    ['cumprod, exclusive', () => g.cumprod([2, 3, 4], 0, { exclusive: true, reverse: true }), [12, 4, 1]],
    ['cummax', () => g.cummax([1, 3, 2, nan, 4]).values, [1, 3, 3, nan, nan]],
    ['cummax: the last of ties', () => g.cummax([1, 3, 3, 2]).indices, [0, 1, 2, 2]],
    ['cummin', () => g.cummin(int([2, 1, 3])).values, [2, 1, 1]],
    [
      'sort',
      () => g.sort(matrix),
      [
        [1, 2, 3],
        [0, 4, 5],
      ],
    ],
    [
      'sort, descending',
      () => g.sort(matrix, { axis: 0, descending: true }),
      [
        [3, 5, 4],
        [0, 1, 2],
      ],
    ],
    ['sort: NaN last', () => g.sort([nan, inf, -inf, 0]), [-inf, 0, inf, nan]],
    ['sort: NaN first where descending', () => g.sort([1, nan, 2], { descending: true }), [nan, 2, 1]],
    ['sort keeps the dtype', () => g.sort(g.tensor([true, false])), [false, true]],
    ['argsort is stable', () => g.argsort([1, 0, 1, 0]), [1, 3, 0, 2]],
    ['argsort, descending, is stable', () => g.argsort([1, 0, 1, 0], { descending: true }), [0, 2, 1, 3]],
    ['argsort: −0 is 0', () => g.argsort([0, -0, -1]), [2, 0, 1]],
    [
      'topk',
      () => g.topk(matrix, 2).values,
      [
        [3, 2],
        [5, 4],
      ],
    ],
    [
      'topk: where they are',
      () => g.topk(matrix, 2).indices,
      [
        [0, 2],
        [1, 2],
      ],
    ],
    ['topk, the least', () => g.topk(matrix, 1, { axis: 0, largest: false }).values, [[0, 1, 2]]],
    ['median: the lower one', () => g.median([4, 1, 3, 2]), 2],
    ['median over an axis', () => g.median(matrix, 1, { keepDims: true }), [[2], [4]]],
    [
      'median: NaN where there is one',
      () =>
        g.median(
          [
            [1, nan, 2],
            [1, 3, 2],
          ],
          1,
        ),
      [nan, 2],
    ],
    ['quantile', () => g.quantile([4, 1, 3, 2], 0.5), 2.5],
    ['several quantiles', () => g.quantile([1, 2, 3, 4], [0.25, 0.5, 1]), [1.75, 2.5, 4]],
    ['quantile over an axis', () => g.quantile(matrix, [0.5], 1), [[2, 4]]],
    ['quantile: NaN where there is one', () => g.quantile([[1, nan]], 0, 1), [nan]],
    ['quantile of an infinity it does not touch', () => g.quantile([1, 2, inf], 0.5), 2],
    ['histogram', () => g.histogram([0, 1, 1, 2, 4], { bins: 4 }).counts, [1, 2, 1, 1]],
    ['histogram: its edges', () => g.histogram([0, 1, 1, 2, 4], { bins: 4 }).edges, [0, 1, 2, 3, 4]],
    ['histogram within a range', () => g.histogram([0, 1, nan, 2, 9], { bins: 2, range: [0, 2] }).counts, [1, 2]],
    ['histogram of one value', () => g.histogram([3, 3], { bins: 2 }).edges, [2.5, 3, 3.5]],
    ['bincount', () => g.bincount([1, 3, 1], 5), [0, 2, 0, 1, 0]],
    ['bincount with weights', () => g.bincount([1, 0, 1], 2, { weights: [0.5, 1, 2] }), [1, 2.5]],
  ])('%s', (_, y, expected) => {
    expect(y().arraySync()).toEqual(typeof expected === 'number' ? expect.closeTo(expected, 6) : expected)
  })

  test('a gradient of prod where there are zeros is the product of the others', () => {
    const x = g.variable([
      [2, 3, 4],
      [2, 0, 4],
      [0, 3, 0],
    ])
    expect(g.gradients(g.prod(x, 1).sum(), [x])[0]!.arraySync()).toEqual([
      [12, 8, 6],
      [0, 8, 0],
      [0, 0, 0],
    ])
  })

  test('unique', async () => {
    const { values, inverse, counts } = await g.unique([
      [3, 1, 3],
      [nan, -0, 0],
      [inf, -inf, nan],
    ])
    expect(values.arraySync()).toEqual([-inf, -0, 1, 3, inf, nan, nan])
    expect(inverse.arraySync()).toEqual([
      [3, 2, 3],
      [5, 1, 1],
      [4, 0, 6],
    ])
    expect(counts.arraySync()).toEqual([1, 2, 1, 2, 1, 1, 1])
  })

  test('unique sorts off the event loop', async () => {
    const [x] = await g.evaluate(g.tensor([3, Number.NaN, 1, 3, Number.NaN, -Infinity, 1, 0, -0]))
    const runs = await countRuns(async () => {
      const { values, inverse, counts } = await g.unique(x)
      expect(values.arraySync()).toEqual([-Infinity, 0, 1, 3, Number.NaN, Number.NaN])
      expect(inverse.arraySync()).toEqual([3, 4, 2, 3, 5, 0, 2, 1, 1])
      expect(counts.arraySync()).toEqual([1, 2, 2, 2, 1, 1])
    })
    expect(runs).toMatchObject({ sync: 0, async: 1 })
  })

  test('unique of what is computed, here and now, as a method', () => {
    const { values, counts } = g.tensor([1, -1, 2], { dtype: 'int32' }).square().uniqueSync()
    expect([values.dtype, values.arraySync(), counts.arraySync()]).toEqual(['int32', [1, 4], [2, 1]])
    expect(g.uniqueSync(g.zeros([0])).values.shape).toEqual([0])
  })

  test('a count beyond the length is found when it is evaluated', () => {
    expect(() => g.bincount([1, 5], 5).dataSync()).toThrow(RangeError)
  })
})

const x = g.ones([2, 3])
const wrong = (value: unknown): never => value as never

test.each<[() => unknown, abstract new (...args: never[]) => Error, string]>([
  [() => g.prod(x, 2), g.ShapeError, 'prod: expected an axis in [-2, 2), got 2'],
  [() => g.argmin(x, 2), g.ShapeError, 'argmin: expected an axis in [-2, 2), got 2'],
  [() => g.argmin(g.ones([0])), g.ShapeError, 'argmin: expected at least one element, got none'],
  [() => g.variance(x, [0, 0]), g.ShapeError, 'variance: expected distinct axes, got [0, 0]'],
  [() => g.std(x, 0, { correction: nan }), RangeError, 'std: expected a finite correction, got NaN'],
  [() => g.norm(x, 0, { order: wrong('fro') }), TypeError, 'norm: expected order to be a number, got "fro"'],
  [() => g.norm(g.ones([0]), 0, { order: inf }), g.ShapeError, 'norm: expected at least one element, got none'],
  [() => g.cumsum(x, 2), g.ShapeError, 'cumsum: expected an axis in [-2, 2), got 2'],
  [() => g.cummax(1), g.ShapeError, 'cummax: expected an axis in [0, 0), got -1'],
  [() => g.sort(x, { axis: 2 }), g.ShapeError, 'sort: expected an axis in [-2, 2), got 2'],
  [() => g.topk(x, 4), g.ShapeError, 'topk: expected k in [0, 3], the extent of axis 1, got 4'],
  [() => g.topk(x, 1.5), g.ShapeError, 'topk: expected k in [0, 3], the extent of axis 1, got 1.5'],
  [() => g.median(g.ones([2, 0]), 1), g.ShapeError, 'median: expected at least one element, got none'],
  [() => g.quantile(x, [0.5, 1.5]), RangeError, 'quantile: expected q in [0, 1], or a list of such, got 1.5'],
  [() => g.histogram(x, { bins: 0 }), RangeError, 'histogram: expected a positive number of bins, got 0'],
  [
    () => g.histogram(x, { range: [1, 0] }),
    RangeError,
    'histogram: expected a finite range [low, high] with low ≤ high, got [1, 0]',
  ],
  [() => g.bincount(x, 3), g.DTypeError, 'bincount: expected integers, got float32'],
  [() => g.bincount([1], -1), RangeError, 'bincount: expected a length that is a natural number, got -1'],
])('%o is refused', (run, error, message) => {
  expect(run).toThrow(error)
  expect(run).toThrow(message)
})

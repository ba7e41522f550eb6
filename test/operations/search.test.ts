/** Closeness, places in sorted sequences, integers and the rest of what has no fixture: values, dtypes and errors. */
import { beforeAll, describe, expect, test } from 'vitest'
import * as g from '../../lib/index.ts'
import { backendNames } from '../support/backends.ts'

const ints = (...values: number[]) => g.tensor(values, { dtype: 'int32' })
const least = -(2 ** 31)

describe.each(backendNames)('on the %s backend', (backend) => {
  beforeAll(() => g.setBackend(backend))

  test('gcd and lcm as numpy has them', () => {
    const [a, b] = [ints(least, least, least, least, 12, -12, 0, 7), ints(0, least, 6, 2 ** 31 - 1, 18, 18, 0, 0)]
    expect(g.gcd(a, b).arraySync()).toEqual([least, least, 2, 1, 6, 6, 0, 7])
    expect(g.lcm(a, b).arraySync()).toEqual([0, least, least, least, 36, 36, 0, 0])
    const bytes = g.tensor([200, 12], { dtype: 'uint8' })
    expect([g.gcd(bytes, bytes).dtype, g.lcm(bytes, g.tensor([199, 0], { dtype: 'uint8' })).arraySync()]).toEqual([
      'uint8',
      [39800, 0],
    ])
    expect(ints(8, 9).gcd(6).arraySync()).toEqual([2, 3])
    expect(bytes.gcd(8).dtype).toBe('uint8')
    expect([g.gcd(12, 18).itemSync(), g.gcd([12, -9], 6).arraySync(), g.lcm(4, [6, 10]).arraySync()]).toEqual([
      6,
      [6, 3],
      [12, 20],
    ])
  })

  test('lcm of the greatest numbers is exact before it wraps', () => {
    expect(g.lcm(ints(46341, 65536), ints(46340, 32768)).arraySync()).toEqual([2147441940, 65536])
  })

  test('allClose is a bool scalar', () => {
    const close = g.allClose([1, 2], [1, 2.00001])
    expect([close.dtype, close.shape, close.itemSync()]).toEqual(['bool', [], 1])
    expect(g.allClose([1, 2], [1, 2.1]).itemSync()).toBe(0)
    expect(g.allClose([], []).itemSync()).toBe(1)
    expect(g.allClose([NaN], [NaN], { equalNaN: true }).itemSync()).toBe(1)
  })

  test('isClose of integers is exact', () => {
    const [a, b] = [ints(16777217, 2 ** 31 - 1, 5), ints(16777216, least, 7)]
    expect(g.isClose(a, b, { rtol: 0, atol: 0 }).arraySync()).toEqual([false, false, false])
    expect(g.isClose(a, b, { rtol: 0, atol: 1 }).arraySync()).toEqual([true, false, false])
    expect(g.isClose(a, b, { rtol: 0, atol: 2 }).arraySync()).toEqual([true, false, true])
  })

  test('searchSorted as numpy', () => {
    const sequence = g.tensor([1, 2, 2, 3, Infinity, NaN, NaN])
    const values = [0, 2, NaN, Infinity, 3]
    expect(g.searchSorted(sequence, values).arraySync()).toEqual([0, 1, 5, 4, 3])
    expect(g.searchSorted(sequence, values, { right: true }).arraySync()).toEqual([0, 3, 7, 5, 4])
    expect(g.searchSorted([1, 3], 2).shape).toEqual([])
    expect(sequence.searchSorted([[2], [9]]).dtype).toBe('int32')
  })

  test('searchSorted of rows, by a sorter', () => {
    const [rows, values] = [
      g.tensor([
        [3, 1, 2],
        [30, 10, 20],
      ]),
      g.tensor([
        [2, 5],
        [2, 25],
      ]),
    ]
    expect(
      g
        .searchSorted(rows, values, {
          sorter: [
            [1, 2, 0],
            [1, 2, 0],
          ],
        })
        .arraySync(),
    ).toEqual([
      [1, 3],
      [0, 2],
    ])
  })

  test('searchSorted tells integers from the floats that they round to', () => {
    const floats = g.tensor([16777216, 16777218])
    expect(g.searchSorted(floats, ints(16777217)).arraySync()).toEqual([1])
    expect(g.searchSorted(floats, ints(16777217), { right: true }).arraySync()).toEqual([1])
    const whole = ints(least, 0, 2 ** 31 - 1)
    expect(g.searchSorted(whole, [2 ** 31, -(2 ** 31), -3e9, NaN]).arraySync()).toEqual([3, 0, 0, 3])
    expect(g.searchSorted(whole, [2 ** 31, -(2 ** 31), -3e9, NaN], { right: true }).arraySync()).toEqual([3, 1, 0, 3])
  })

  test('bucketize and isIn', () => {
    expect(
      g
        .bucketize(
          [
            [3, 6],
            [9, 1],
          ],
          [1, 3, 5, 7, 9],
        )
        .arraySync(),
    ).toEqual([
      [1, 3],
      [4, 0],
    ])
    expect(g.bucketize([3, 6, NaN], [1, 3, 5, 7, 9], { right: true }).arraySync()).toEqual([2, 3, 5])
    expect(
      g
        .isIn(
          [
            [1, 2],
            [3, NaN],
          ],
          [2, 3, NaN],
        )
        .arraySync(),
    ).toEqual([
      [false, true],
      [true, false],
    ])
    expect(g.isIn(ints(1, 2), ints(2), { invert: true }).arraySync()).toEqual([true, false])
  })

  test('kthValue and mode give values and indices', () => {
    const x = g.tensor([
      [1, 2, 2, 1, 3],
      [3, 3, NaN, NaN, NaN],
      [5, 4, 3, 2, 1],
    ])
    const mode = g.mode(x)
    expect([mode.values.arraySync(), mode.indices.arraySync()]).toEqual([
      [1, 3, 1],
      [3, 1, 4],
    ])
    const third = g.kthValue(x, 3, { keepDims: true })
    expect([third.values.arraySync(), third.indices.arraySync()]).toEqual([
      [[2], [NaN], [3]],
      [[1], [2], [2]],
    ])
    expect(g.mode(x, { axis: 0 }).values.shape).toEqual([5])
  })

  test('diff of other dtypes, and of what is put at the ends', () => {
    expect(g.diff([true, false, false]).arraySync()).toEqual([true, false])
    expect(g.diff(g.tensor([5, 3], { dtype: 'uint8' })).arraySync()).toEqual([-2])
    const padded = g.diff(ints(4, 9), 1, { prepend: 0, append: [10] })
    expect([padded.dtype, padded.arraySync()]).toEqual(['float32', [4, 5, 1]])
    expect(g.diff(ints(4, 9), 1, { prepend: 0 }).dtype).toBe('int32')
    expect(g.diff([1, 2], 5).arraySync()).toEqual([])
  })

  test('dtypes', () => {
    const x = ints(1, 2)
    const floats = [g.lgamma, g.digamma, g.erfinv, g.nanMean, g.logCumSumExp, g.cov, (t: g.Tensor) => g.copySign(t, -1)]
    expect(floats.map((f) => f(x).dtype)).toEqual(floats.map(() => 'float32'))
    const integers = [g.nanSum, g.frac, (t: g.Tensor) => g.fmax(t, 1), (t: g.Tensor) => g.heaviside(t, 0), g.diff]
    expect(integers.map((f: (t: g.Tensor) => g.Tensor) => f(x).dtype)).toEqual(integers.map(() => 'int32'))
  })
})

describe('errors', () => {
  test.each([
    [() => g.gcd(g.tensor([1.5]), 2), g.DTypeError, 'gcd: expected int32 or uint8, got float32'],
    [() => g.gcd([1.5], 2), g.DTypeError, 'gcd: expected int32 or uint8, got float32'],
    [() => g.lcm(g.tensor([true]), g.tensor([true])), g.DTypeError, 'lcm: expected int32 or uint8, got bool'],
    [() => g.lcm(g.ones([1]), 2), g.DTypeError, 'lcm: expected int32 or uint8, got float32'],
    [() => g.lcm(ints(1, 2), ints(1, 2, 3)), g.ShapeError, 'lcm: shapes [2] and [3] do not broadcast'],
    [() => g.polygamma([1], 171), RangeError, 'polygamma: expected an integer order in [0, 170], got 171'],
    [() => g.polygamma([1], 0.5), RangeError, 'polygamma: expected an integer order in [0, 170], got 0.5'],
    [() => g.logit([1], { epsilon: 0.6 }), RangeError, 'logit: expected an epsilon in [0, 0.5], got 0.6'],
    [() => g.logit([1], { eps: 0.1 } as object), TypeError, 'logit: unknown option eps; did you mean epsilon?'],
    [() => g.isClose([1], [1], { rtol: -1 }), RangeError, 'isClose: expected rtol of at least 0, got -1'],
    [() => g.allClose([1], [1], { atol: NaN }), RangeError, 'allClose: expected atol of at least 0, got NaN'],
    [() => g.isClose([1, 2], [1, 2, 3]), g.ShapeError, 'shapes [2] and [3] do not broadcast'],
    [() => g.searchSorted(1, [1]), g.ShapeError, 'searchSorted: expected a sequence of at least one axis, got []'],
    [() => g.searchSorted([[1], [2]], [1, 2]), g.ShapeError, 'searchSorted: expected values of shape [2, m], got [2]'],
    [() => g.searchSorted([1, 2], [1], { sorter: [0] }), g.ShapeError, 'searchSorted: expected a sorter [2], got [1]'],
    [() => g.searchSorted([1], [1], { side: 'right' } as object), TypeError, 'searchSorted: unknown option side'],
    [() => g.bucketize([1], [[1]]), g.ShapeError, 'bucketize: expected boundaries of one axis, got [1, 1]'],
    [() => g.kthValue([1, 2], 0), g.ShapeError, 'kthValue: expected k in [1, 2], the extent of axis 0, got 0'],
    [() => g.kthValue([1, 2], 3), g.ShapeError, 'kthValue: expected k in [1, 2], the extent of axis 0, got 3'],
    [() => g.mode(g.zeros([2, 0])), g.ShapeError, 'mode: expected at least one element, got none'],
    [() => g.diff([1, 2], -1), RangeError, 'diff: expected an integer n of at least 0, got -1'],
    [() => g.diff([1, 2], { axis: 0 } as never), TypeError, 'diff: expected an integer n of at least 0, got an object'],
    [() => g.cov(g.ones([1, 2, 3])), g.ShapeError, 'cov: expected at most two axes, got [1, 2, 3]'],
    [() => g.corrcoef(g.ones([1, 2, 3])), g.ShapeError, 'corrcoef: expected at most two axes, got [1, 2, 3]'],
    [() => g.cov([[1, 2]], { aweights: [1] }), g.ShapeError, 'cov: expected aweights [2], got [1]'],
    [() => g.cov([1, 2], { correction: NaN }), RangeError, 'cov: expected a finite correction, got NaN'],
    [() => g.nanSum([1], 0, true as never), TypeError, 'nanSum: expected options'],
    [() => g.aminmax(g.zeros([0])), g.ShapeError, 'expected at least one element, got none'],
  ] as const)('%#', (run, type, message) => {
    expect(run).toThrow(type)
    expect(run).toThrow(message)
  })

  test('derivatives of polygamma end at order 170', () => {
    const x = g.tensor([2])
    expect(() => g.gradients(g.polygamma(x, 170), [x])).toThrow(
      'polygamma: expected an integer order in [0, 170], got 171',
    )
  })
})

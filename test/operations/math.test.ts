/** Functions of real numbers and of bits beyond their fixtures: exact values, limits, dtypes, kinks and errors. */
import { describe, expect, test } from 'vitest'
import * as g from '../../lib/index.ts'
import { backendNames } from '../support/backends.ts'

const { PI } = Math

/** By function, arguments and what they give, to the last bit of float32 where it is not said. */
const values: readonly (readonly [name: string, f: (x: g.Tensor) => g.Tensor, x: number[], y: number[]])[] = [
  ['floor', g.floor, [-0, -0.5, 0.5, 1.5, 8388607.5, -Infinity, NaN], [-0, -1, 0, 1, 8388607, -Infinity, NaN]],
  ['ceil', g.ceil, [-0, -0.5, 0.5, 8388607.5, Infinity, NaN], [-0, -0, 1, 8388608, Infinity, NaN]],
  ['round', g.round, [-0, 0.5, 1.5, 2.5, -0.5, -2.5, 4194303.5, NaN], [-0, 0, 2, 2, -0, -2, 4194304, NaN]],
  ['trunc', g.trunc, [-0, -1.75, 1.75, -0.5, 2 ** 30, NaN], [-0, -1, 1, -0, 2 ** 30, NaN]],
  ['mod 3', (x) => g.mod(x, 3), [-7, 7, -6, 0.5, Infinity, NaN], [2, 1, -0, 0.5, NaN, NaN]],
  ['mod -3', (x) => g.mod(x, -3), [-7, 7, 6], [-1, -2, 0]],
  ['mod 0', (x) => g.mod(x, 0), [1, 0], [NaN, NaN]],
  ['mod ∞', (x) => g.mod(x, Infinity), [1, -1], [1, Infinity]],
  ['fmod 3', (x) => g.fmod(x, 3), [-7, 7, -6, 2 ** 100], [-1, 1, -0, 1]],
  ['floorDiv 3', (x) => g.floorDiv(x, 3), [-7, 7, -6, 0.5, -0.5, 2 ** 24], [-3, 2, -2, 0, -1, 5592405]],
  ['floorDiv 0', (x) => g.floorDiv(x, 0), [1, -1, 0], [Infinity, -Infinity, NaN]],
  ['exp2', g.exp2, [0, 10, -149, 128, -151, Infinity, -Infinity], [1, 1024, 2 ** -149, Infinity, 0, Infinity, 0]],
  ['log2', g.log2, [1, 8, 2 ** -149, 0, -1, Infinity], [0, 3, -149, -Infinity, NaN, Infinity]],
  ['log10', g.log10, [1, 1000, 1e10, 0, -1, Infinity], [0, 3, 10, -Infinity, NaN, Infinity]],
  ['cbrt', g.cbrt, [27, -8, -0, 2 ** -147, Infinity, -Infinity], [3, -2, -0, 2 ** -49, Infinity, -Infinity]],
  ['tan', g.tan, [-0, 0, Infinity, NaN], [-0, 0, NaN, NaN]],
  ['asin', g.asin, [-0, 1, -1, 1.5, NaN], [-0, PI / 2, -PI / 2, NaN, NaN]],
  ['acos', g.acos, [1, 0, -1, -1.5, NaN], [0, PI / 2, PI, NaN, NaN]],
  ['atan', g.atan, [-0, 1, -Infinity, Infinity, NaN], [-0, PI / 4, -PI / 2, PI / 2, NaN]],
  ['sinh', g.sinh, [-0, 1e-30, Infinity, -90], [-0, 1e-30, Infinity, -Infinity]],
  ['cosh', g.cosh, [0, -0, Infinity, -Infinity, NaN], [1, 1, Infinity, Infinity, NaN]],
  ['asinh', g.asinh, [-0, 1e-30, Infinity, -Infinity, NaN], [-0, 1e-30, Infinity, -Infinity, NaN]],
  ['acosh', g.acosh, [1, 0.5, -2, Infinity, NaN], [0, NaN, NaN, Infinity, NaN]],
  ['atanh', g.atanh, [-0, 1, -1, 2, NaN], [-0, Infinity, -Infinity, NaN, NaN]],
  ['erfc', g.erfc, [0, 11, -11, Infinity, -Infinity, NaN], [1, 0, 2, 0, 2, NaN]],
  ['erfinv', g.erfinv, [-0, 1, -1, 1.5, -2, Infinity, NaN], [-0, Infinity, -Infinity, NaN, NaN, NaN, NaN]],
  [
    'lgamma',
    g.lgamma,
    [1, 2, 3, 0, -0, -1, -8, Infinity, -Infinity, NaN],
    [0, 0, Math.LN2, ...Array(6).fill(Infinity), NaN],
  ],
  [
    'digamma',
    g.digamma,
    [0, -0, -1, -7, Infinity, -Infinity, NaN],
    [-Infinity, Infinity, NaN, NaN, Infinity, NaN, NaN],
  ],
  [
    'polygamma 1',
    (x) => g.polygamma(x, 1),
    [1, 0, -0, -1, Infinity, -Infinity],
    [PI ** 2 / 6, Infinity, Infinity, Infinity, 0, NaN],
  ],
  ['polygamma 2', (x) => g.polygamma(x, 2), [0, -3, Infinity, NaN], [-Infinity, -Infinity, -0, NaN]],
  ['hypot with 3', (x) => g.hypot(x, 3), [-4, 0, Infinity, NaN], [5, 3, Infinity, NaN]],
  ['hypot with ∞', (x) => g.hypot(x, -Infinity), [1, NaN], [Infinity, Infinity]],
  [
    'hypot with itself',
    (x) => g.hypot(x, g.mul(x, 0.75)),
    [4, 4 * 2 ** 100, 4 * 2 ** -140],
    [5, 5 * 2 ** 100, 5 * 2 ** -140],
  ],
  ['atan2 over 0', (x) => g.atan2(x, 0), [0, -0, 1, -1], [0, -0, PI / 2, -PI / 2]],
  ['atan2 over -0', (x) => g.atan2(x, -0), [0, -0, 1], [PI, -PI, PI / 2]],
  ['atan2 over ∞', (x) => g.atan2(x, Infinity), [Infinity, 1, -1], [PI / 4, 0, -0]],
  ['atan2 over -∞', (x) => g.atan2(x, -Infinity), [Infinity, -Infinity, 1], [(3 * PI) / 4, (-3 * PI) / 4, PI]],
  ['logAddExp ∞', (x) => g.logAddExp(x, Infinity), [Infinity, 0, -Infinity, NaN], [Infinity, Infinity, Infinity, NaN]],
  ['logAddExp -∞', (x) => g.logAddExp(x, -Infinity), [-Infinity, 2], [-Infinity, 2]],
  ['clamp', (x) => g.clamp(x, -1, 2), [-Infinity, -1, 0, 3, NaN], [-1, -1, 0, 2, NaN]],
  ['clamp by NaN', (x) => g.clamp(x, [NaN]), [1], [NaN]],
  ['lerp', (x) => g.lerp(x, 0.1, 1), [3, 1e30], [0.1, 0.1]],
  ['nanToNum', g.nanToNum, [NaN, Infinity, -Infinity, 1], [0, 3.4028234663852886e38, -3.4028234663852886e38, 1]],
]

describe.each(backendNames)('on the %s backend', (backend) => {
  test.each(values)('%s', (_, f, x, y) => {
    g.setBackend(backend)
    expect([...f(g.tensor(x)).dataSync()]).toEqual(y.map(Math.fround))
  })

  test('integers stay integers where they can', () => {
    g.setBackend(backend)
    const x = g.tensor([-7, 7, -(2 ** 31), 5], { dtype: 'int32' })
    const y = g.tensor([3, -3, -1, 0], { dtype: 'int32' })
    const results = [g.mod(x, y), g.fmod(x, y), g.floorDiv(x, y), g.round(x), g.clamp(x, -5, 6)]
    expect(results.map(({ dtype }) => dtype)).toEqual(results.map(() => 'int32'))
    expect(results.map((result) => [...result.dataSync()])).toEqual([
      [2, -2, 0, 0],
      [-1, 1, 0, 0],
      [-3, -3, -(2 ** 31), 0],
      [-7, 7, -(2 ** 31), 5],
      [-5, 6, -5, 5],
    ])
    expect(g.exp2(x).dtype).toBe('float32')
    expect(g.floor(g.tensor([1, 2], { dtype: 'uint8' })).dtype).toBe('uint8')
  })

  test('questions', () => {
    g.setBackend(backend)
    const x = g.tensor([1, NaN, Infinity, -Infinity, 3e38])
    expect(g.isNaN(x).arraySync()).toEqual([false, true, false, false, false])
    expect(g.isInf(x).arraySync()).toEqual([false, false, true, true, false])
    expect(g.isFinite(x).arraySync()).toEqual([true, false, false, false, true])
    expect(g.isFinite(g.tensor([-(2 ** 31), 1], { dtype: 'int32' })).arraySync()).toEqual([true, true])
  })

  test('logic, by x ≠ 0', () => {
    g.setBackend(backend)
    const [x, y] = [g.tensor([0, -0, NaN, 0.5]), g.tensor([0, 3, 0, -1], { dtype: 'int32' })]
    expect(g.logicalAnd(x, y).arraySync()).toEqual([false, false, false, true])
    expect(g.logicalOr(x, y).arraySync()).toEqual([false, true, true, true])
    expect(g.logicalXor(x, y).arraySync()).toEqual([false, true, true, false])
    expect(g.logicalNot(x).arraySync()).toEqual([true, true, false, false])
  })

  test('bits', () => {
    g.setBackend(backend)
    const x = g.tensor([0b1100, -1, 7], { dtype: 'int32' })
    const bytes = g.tensor([0b1100, 255, 129], { dtype: 'uint8' })
    expect(g.bitwiseAnd(x, 0b1010).arraySync()).toEqual([0b1000, 0b1010, 0b0010])
    expect(g.bitwiseOr(x, 0b1010).arraySync()).toEqual([0b1110, -1, 15])
    expect(g.bitwiseXor(x, bytes).arraySync()).toEqual([0, -256, 134])
    expect(g.bitwiseNot(x).arraySync()).toEqual([-13, 0, -8])
    expect(g.bitwiseNot(bytes).arraySync()).toEqual([243, 0, 126])
    expect(g.bitwiseNot([true, false]).arraySync()).toEqual([false, true])
    expect(g.bitwiseAnd([true, false], [true, true]).dtype).toBe('bool')
    expect(g.leftShift(bytes, 1).arraySync()).toEqual([24, 254, 2])
    expect(g.leftShift(x, g.tensor([31, 32, -1], { dtype: 'int32' })).arraySync()).toEqual([0, 0, 0])
    expect(g.rightShift(x, g.tensor([2, 31, 33], { dtype: 'int32' })).arraySync()).toEqual([3, -1, 0])
    expect(g.rightShift(bytes, g.tensor([2, 7, 40], { dtype: 'uint8' })).arraySync()).toEqual([3, 1, 0])
  })
})

describe('gradients at kinks and origins', () => {
  const gradientsOf = (y: g.Tensor, xs: g.Tensor[]) => g.gradients(y, xs).map((x) => [...x.dataSync()])
  const [x, y] = [g.tensor([0, 3]), g.tensor([0, 4])]

  test.each([
    ['hypot', g.hypot(x, y), [0, 0.6, 0, 0.8]],
    ['atan2', g.atan2(x, y), [0, 0.16, 0, -0.12]],
  ] as const)('%s at a vector of length 0 has the gradient 0', (_, f, wanted) => {
    const found = gradientsOf(f, [x, y]).flat()
    for (const [i, value] of found.entries()) expect(value).toBeCloseTo(wanted[i]!, 6)
  })

  test('clamp passes them at its bounds, and to a bound that it takes', () => {
    const z = g.tensor([-2, -1, 0, 1, 2])
    const [low, high] = [g.tensor(-1), g.tensor(1)]
    expect(gradientsOf(g.clamp(z, low, high), [z, low, high])).toEqual([[0, 1, 1, 1, 0], [1], [1]])
  })

  test('logAddExp shares them at a tie, and has a second derivative there', () => {
    const a = g.tensor([1])
    const first = g.gradients(g.logAddExp(a, 1), [a])[0]!
    const second = g.gradients(first, [a])[0]!
    expect([first.itemSync(), second.itemSync()]).toEqual([0.5, 0.25])
  })

  test('what rounds is flat', () => {
    const z = g.tensor([0.5, 2])
    for (const f of [g.floor, g.ceil, g.round, g.trunc, (v: g.Tensor) => g.floorDiv(v, 2)])
      expect(gradientsOf(f(z), [z])).toEqual([[0, 0]])
  })
})

describe('errors', () => {
  const x = g.ones([2, 3])

  test.each([
    [() => g.bitwiseAnd(x, 1), g.DTypeError, 'bitwiseAnd: expected int32 or uint8 or bool, got float32'],
    [() => g.bitwiseOr(x.cast('int32'), 0.5), g.DTypeError, 'bitwiseOr: expected int32 or uint8 or bool, got float32'],
    [() => g.bitwiseNot(x), g.DTypeError, 'bitwiseNot: expected int32 or uint8 or bool, got float32'],
    [() => g.leftShift([true], [true]), g.DTypeError, 'leftShift: expected int32 or uint8, got bool'],
    [() => g.rightShift(x, 1), g.DTypeError, 'rightShift: expected int32 or uint8, got float32'],
    [() => g.clamp(x), TypeError, 'clamp: expected a min or a max, got neither'],
    [() => g.clamp(x, [1, 2]), g.ShapeError, 'clamp: shapes [2, 3] and [2] do not broadcast'],
    [() => g.mod(x, [1, 2]), g.ShapeError, 'mod: shapes [2, 3] and [2] do not broadcast'],
    [
      () => g.gradients(g.isNaN(x), [x]),
      g.DTypeError,
      'gradients: expected a float32 or float64 value to differentiate, got bool',
    ],
  ] as const)('%#', (run, type, message) => {
    expect(run).toThrow(type)
    expect(run).toThrow(message)
  })
})

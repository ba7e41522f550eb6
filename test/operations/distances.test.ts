/** Distances, directions and angles: magnitudes that squares do not have, vectors of zeros, and errors; other new products. */
import { beforeAll, describe, expect, test } from 'vitest'
import * as g from '../../lib/index.ts'
import { backendNames } from '../support/backends.ts'

const numbersOf = (x: g.Tensor): number[] => Array.from(x.dataSync())

describe.each(backendNames)('vectors by their lengths on the %s backend', (backend) => {
  beforeAll(() => g.setBackend(backend))

  test.each([1e20, 1e-25, 3e-39])('of a magnitude of %f', (scale) => {
    const x = g.tensor([3 * scale, 4 * scale])
    const ratio = (y: g.Tensor) => y.itemSync() / scale
    const digits = scale < 1e-38 ? 4 : 6
    expect(ratio(g.cdist([[3 * scale, 4 * scale]], [[0, 0]]))).toBeCloseTo(5, digits)
    expect(ratio(g.cdist([[3 * scale, 4 * scale]], [[0, 0]], { order: 3 }))).toBeCloseTo(91 ** (1 / 3), digits - 1)
    expect(g.cosineSimilarity(x, [1, 0], { epsilon: 0 }).itemSync()).toBeCloseTo(0.6, digits)
    expect(numbersOf(g.normalize(x, { epsilon: 0 })).map((value) => value.toFixed(4))).toEqual(['0.6000', '0.8000'])
    const slope = g.grad((z: g.Tensor) => g.cosineSimilarity(z, [1, 0], { epsilon: 0 }))(x)
    expect(
      slope
        .mul(scale < 1e-38 ? 0 : scale)
        .dataSync()
        .every(Number.isFinite),
    ).toBe(true)
    if (scale > 1e-38) expect(slope.mul(scale).dataSync()[0]).toBeCloseTo(0.128, 5)
  })

  test('where lengths are 0, gradients are numbers', () => {
    const atZero = (f: (x: g.Tensor) => g.Tensor) => numbersOf(g.grad((x: g.Tensor) => f(x).sum())([[0, 0]]))
    expect(atZero((x) => g.normalize(x, { epsilon: 0 }))).toEqual([0, 0])
    expect(atZero((x) => g.cosineSimilarity(x, [3, 4], { epsilon: 0 }))).toEqual([0, 0])
    for (const order of [0.5, 1, 1.5, 2, 3, Infinity])
      expect(atZero((x) => g.cdist(x, [[0, 0], [0, 0]], { order }))).toEqual([0, 0]) // biome-ignore format: a matrix
    // As in PyTorch: of x/ε.
    expect(atZero((x) => g.normalize(x, { epsilon: 0.5 }))).toEqual([2, 2])
    const second = g.grad((x: g.Tensor) => g.grad((z: g.Tensor) => g.cdist(z, z).sum())(x).sum())([[1, 2], [4, 6]]) // biome-ignore format: a matrix
    expect(numbersOf(second).every(Number.isFinite)).toBe(true)
  })

  test('close rows keep their digits', () => {
    expect(g.cdist([[10000, 0.5]], [[10000, 0.25]]).itemSync()).toBe(0.25)
  })

  test('distances of no elements, of integers, and of batches', () => {
    expect(g.cdist(g.zeros([2, 0]), g.zeros([3, 0]), { order: Infinity }).arraySync()).toEqual([[0, 0, 0], [0, 0, 0]]) // biome-ignore format: a matrix
    expect(g.cdist(g.zeros([0, 2]), g.zeros([3, 2])).shape).toEqual([0, 3])
    const x = g.tensor([[0, 0], [3, 4]], { dtype: 'int32' }) // biome-ignore format: a matrix
    expect(g.cdist(x, x, { order: 1 }).arraySync()).toEqual([[0, 7], [7, 0]]) // biome-ignore format: a matrix
    expect(g.cdist(x, [[0, 1], [3, 5]], { order: 0 }).arraySync()).toEqual([[1, 2], [2, 1]]) // biome-ignore format: a matrix
    expect(g.cdist(g.ones([3, 1, 2, 4]), g.ones([5, 6, 4])).shape).toEqual([3, 5, 2, 6])
  })

  test('an input that does not count is not read', () => {
    const product = g.baddbmm(g.full([1, 1, 1], NaN), g.ones([1, 1, 2]), g.ones([1, 2, 1]), { beta: 0 })
    expect(product.itemSync()).toBe(2)
  })

  test('Kronecker products of many axes', () => {
    const [x, y] = [g.randn([2, 1, 2, 1, 2], { seed: 1 }), g.randn([2, 2, 1, 3, 1], { seed: 2 })]
    const product = g.kron(x, y)
    expect(product.shape).toEqual([4, 2, 2, 3, 2])
    expect(product.at(3, 1, 1, 2, 1).itemSync()).toBe(
      x
        .at(1, 0, 1, 0, 1)
        .mul(y.at(1, 1, 0, 2, 0))
        .itemSync(),
    )
    expect(g.kron(g.tensor([1, 2], { dtype: 'int32' }), 3).dtype).toBe('int32')
  })

  test('integrals', () => {
    expect(g.trapezoid([1, 2, 3]).itemSync()).toBe(4)
    expect(g.trapezoid([1, 2, 3], [0, 1, 3]).itemSync()).toBe(6.5)
    expect(g.trapezoid([[1, 2, 3]], undefined, { axis: 0 }).arraySync()).toEqual([0, 0, 0])
    expect(g.trapezoid(g.zeros([0])).itemSync()).toBe(0)
    expect(g.trapezoid(g.tensor([1, 2], { dtype: 'int32' })).itemSync()).toBe(1.5)
  })
})

describe('errors', () => {
  test.each<[() => unknown, ErrorConstructor, string]>([
    [() => g.cdist([1], [[1]]), RangeError, 'cdist: expected rows […, m, k] and […, n, k], got [1] and [1, 1]'],
    [() => g.cdist([[1, 2]], [[1]]), RangeError, 'cdist: expected rows'],
    [() => g.cdist([[1]], [[1]], { order: -1 }), RangeError, 'cdist: expected an order of at least 0, got -1'],
    [() => g.cdist(g.ones([2, 1, 1]), g.ones([3, 1, 1])), RangeError, 'cdist: shapes [2] and [3] do not broadcast'],
    [() => g.normalize([1], { axis: 1 }), RangeError, 'normalize: expected an axis in [-1, 1), got 1'],
    [() => g.normalize([1], { epsilon: -1 }), RangeError, 'normalize: expected a finite epsilon of at least 0, got -1'],
    [
      () => g.cosineSimilarity([1, 2], [1]),
      RangeError,
      'cosineSimilarity: expected one extent on axis -1, got [2] and [1]',
    ],
    [() => g.vdot([1, 2], [1]), RangeError, 'vdot: expected as many elements in both, got [2] and [1]'],
    [() => g.baddbmm(0, [[1]], [[1]]), RangeError, 'baddbmm: expected matrices [batch, m, k] and [batch, k, n]'],
    [() => g.trapezoid([1, 2], [1, 2, 3]), RangeError, 'trapezoid: expected places for axis 0 of [2], got [3]'],
    [
      () => (g.cdist as (...args: unknown[]) => unknown)([[1]], [[1]], { p: 1 }),
      TypeError,
      'cdist: unknown option p; did you mean order?',
    ],
  ])('%s', (f, type, message) => {
    expect(f).toThrow(type)
    expect(f).toThrow(message)
  })
})

/** Linear algebra: values, identities, what has no answer, and errors. */
import { beforeAll, describe, expect, test } from 'vitest'
import * as g from '../../lib/index.ts'
import { backends } from '../runtime/backends.ts'

const { linalg } = g

function expectNear(actual: g.Tensor, expected: g.TensorLike, tolerance = 1e-5): void {
  const difference = actual.sub(expected).abs()
  expect(actual.shape).toEqual(difference.shape)
  if (actual.size > 0) expect(difference.max().itemSync()).toBeLessThan(tolerance)
}

const swapped = (x: g.Tensor): g.Tensor => x.transpose([...x.shape.keys()].slice(0, -2).concat(x.ndim - 1, x.ndim - 2))

const numbersOf = (x: g.Tensor): number[] => Array.from(x.dataSync())

describe.each(backends)('linear algebra on %s', (backend) => {
  beforeAll(() => g.setBackend(backend))

  test('values of small matrices', () => {
    expect(linalg.cholesky([[4, 2], [2, 5]]).arraySync()).toEqual([[2, 0], [1, 2]]) // biome-ignore format: matrices
    expectNear(linalg.solve([[2, 1], [1, 3]], [3, 5]), [0.8, 1.4]) // biome-ignore format: matrices
    expect(linalg.det([[0, 2], [3, 7]]).itemSync()).toBe(-6) // biome-ignore format: matrices
    expect(linalg.inverse([[0, 2], [4, 0]]).arraySync()).toEqual([[0, 0.25], [0.5, 0]]) // biome-ignore format: matrices
    expect(linalg.eigh([[2, 9], [1, 2]]).values.arraySync()).toEqual([1, 3]) // biome-ignore format: matrices
    expectNear(linalg.svd([[3, 0], [4, 5]]).s, [Math.sqrt(45), Math.sqrt(5)]) // biome-ignore format: matrices
    expect(linalg.matrixPower([[1, 1], [0, 1]], 10).arraySync()).toEqual([[1, 10], [0, 1]]) // biome-ignore format: matrices
    expect(numbersOf(linalg.qr([[3], [4]]).r)).toEqual([-5])
  })

  test.each([[[5, 3]], [[3, 5]], [[2, 4, 4]], [[30, 20]], [[1, 1]], [[0, 3]], [[3, 0]], [[0, 2, 2]]])(
    'factors of %s multiply to the matrix',
    (shape) => {
      const x = g.randn(shape, { seed: 5 })
      const { q, r } = linalg.qr(x)
      expectNear(q.matmul(r), x)
      const { u, s, vh } = linalg.svd(x)
      const k = Math.min(shape.at(-1)!, shape.at(-2)!)
      expectNear(u.mul(s.reshape([...shape.slice(0, -2), 1, k])).matmul(vh), x)
      const one = g.eye(k)
      for (const columns of [q, u, swapped(vh)]) expectNear(swapped(columns).matmul(columns), one)
      const values = numbersOf(s)
      expect(values.every((value, i) => i % k === 0 || value <= values[i - 1]!)).toBe(true)
      expectNear(x.matmul(linalg.pinv(x)).matmul(x), x, 1e-4)
    },
  )

  test('eigenvectors and triangular factors', () => {
    const x = g.randn([3, 12, 12], { seed: 9 })
    const symmetric = x.add(swapped(x))
    const { values, vectors } = linalg.eigh(symmetric)
    expectNear(symmetric.matmul(vectors), vectors.mul(values.reshape([3, 1, 12])), 1e-4)
    expectNear(swapped(vectors).matmul(vectors), g.eye(12))
    const definite = x.matmul(swapped(x)).add(g.eye(12))
    const l = linalg.cholesky(definite)
    expectNear(l.matmul(swapped(l)), definite, 1e-4)
    const b = g.randn([12, 2], { seed: 4 })
    const y = linalg.triangularSolve(l, b)
    expectNear(linalg.triangularSolve(l, y, { transpose: true }), linalg.solve(definite, b), 1e-3)
  })

  test('only one triangle is read', () => {
    const upper = g.tensor([[2, 1e9], [1, 3]]) // biome-ignore format: a matrix
    expectNear(linalg.triangularSolve(upper, [2, 7]), [1, 2])
    expectNear(linalg.triangularSolve(upper, [2, 7], { unitDiagonal: true }), [2, 5])
    expect(linalg.eigh(upper).values.arraySync()).toEqual(linalg.eigh([[2, 1], [1, 3]]).values.arraySync()) // biome-ignore format: a matrix
  })

  test('what has no answer is NaN', () => {
    const singular = g.tensor([[1, 2], [2, 4]]) // biome-ignore format: a matrix
    expect(numbersOf(linalg.solve(singular, [1, 2]))).toEqual([NaN, NaN])
    expect(numbersOf(linalg.inverse(singular))).toEqual([NaN, NaN, NaN, NaN])
    expect(numbersOf(linalg.cholesky([[1, 2], [2, 1]]))).toEqual([NaN, NaN, NaN, NaN]) // biome-ignore format: a matrix
    for (const bad of [NaN, Infinity, -Infinity]) {
      const x = g.tensor([[1, 2], [bad, 4]]) // biome-ignore format: a matrix
      const found = [...Object.values(linalg.svd(x)), ...Object.values(linalg.eigh(x))].flatMap(numbersOf)
      expect(found.every(Number.isNaN)).toBe(true)
    }
    expect(numbersOf(linalg.solve(g.concat([singular, g.eye(2)]).reshape([2, 2, 2]), [3, 5])).slice(2)).toEqual([3, 5])
  })

  test('determinants of singular, empty and large matrices', () => {
    const { sign, logAbsDet } = linalg.slogdet(g.zeros([3, 3]))
    expect([linalg.det(g.zeros([3, 3])), sign, logAbsDet].map((x) => x.itemSync())).toEqual([0, 0, -Infinity])
    expect(linalg.det(g.zeros([2, 0, 0])).arraySync()).toEqual([1, 1])
    const large = g.eye(50).mul(-1000)
    expect(linalg.det(large.slice([0, 0], [49, 49])).itemSync()).toBe(-Infinity)
    expect(linalg.slogdet(large).logAbsDet.itemSync()).toBeCloseTo(50 * Math.log(1000), 3)
    expect(linalg.slogdet(large).sign.itemSync()).toBe(1)
  })

  test('ranks and pseudo-inverses of matrices of low rank', () => {
    const x = g.tensor([[1, 2, 3], [2, 4, 6], [0, 0, 1], [1, 2, 4]]) // biome-ignore format: a matrix
    expect(linalg.matrixRank(x).itemSync()).toBe(2)
    expect(linalg.matrixRank(g.zeros([2, 3, 3])).arraySync()).toEqual([0, 0])
    expect(linalg.matrixRank(g.zeros([0, 3])).itemSync()).toBe(0)
    expectNear(x.matmul(linalg.pinv(x)).matmul(x), x)
    expect(linalg.pinv(g.eye(2).mul([1, 0.01]), { relativeTolerance: 0.1 }).arraySync()).toEqual([[1, 0], [0, 0]]) // biome-ignore format: a matrix
    const { u, s } = linalg.svd(g.zeros([3, 2]))
    expect(s.arraySync()).toEqual([0, 0])
    expectNear(u.transpose().matmul(u), g.eye(2))
  })

  test('powers, and the inverse as one', () => {
    const x = g.tensor([[2, 1], [1, 1]]) // biome-ignore format: a matrix
    expect(linalg.matrixPower(x, 0).arraySync()).toEqual([[1, 0], [0, 1]]) // biome-ignore format: a matrix
    expect(linalg.matrixPower(x, 5).arraySync()).toEqual([[89, 55], [55, 34]]) // biome-ignore format: a matrix
    expectNear(linalg.matrixPower(x, -1), [[1, -1], [-1, 2]]) // biome-ignore format: a matrix
  })

  test('right-hand sides broadcast, and integers are floats', () => {
    expect(linalg.solve(g.eye(3).mul(2), g.ones([4, 3, 1])).shape).toEqual([4, 3, 1])
    expect(linalg.solve(g.ones([2, 1, 1]), [6]).arraySync()).toEqual([[6], [6]])
    expect(linalg.det(g.tensor([[1, 2], [3, 4]], { dtype: 'int32' })).dtype).toBe('float32') // biome-ignore format: a matrix
  })

  test('a solution can be learned through the decompositions', () => {
    const loss = (x: g.Tensor) => linalg.svd(x).s.sum().sub(linalg.slogdet(x).logAbsDet)
    const step = g.compile((x: g.Tensor) => x.sub(g.grad(loss)(x).mul(0.1)))
    let x = g.randn([4, 4], { seed: 2 })
    const before = loss(x).itemSync()
    for (let i = 0; i < 20; i++) x = step.sync(x)
    expect(loss(x).itemSync()).toBeLessThan(before)
  })
})

describe('errors of linear algebra', () => {
  test.each<[string, () => unknown, string]>([
    ['one axis', () => linalg.qr([1, 2]), 'qr: expected matrices […, m, n], got [2]'],
    ['no square', () => linalg.det(g.ones([2, 3])), 'det: expected square matrices […, n, n], got [2, 3]'],
    ['no square', () => linalg.cholesky(g.ones([3, 2])), 'cholesky: expected square matrices […, n, n], got [3, 2]'],
    [
      'other rows',
      () => linalg.solve(g.eye(2), [1, 2, 3]),
      'solve: expected right-hand sides […, 2, k] or [2], got [3]',
    ],
    [
      'other batches',
      () => linalg.triangularSolve(g.ones([2, 1, 1]), g.ones([3, 1, 1])),
      'triangularSolve: shapes [2] and [3] do not broadcast',
    ],
    ['half a power', () => linalg.matrixPower(g.eye(2), 0.5), 'matrixPower: expected an integer power, got 0.5'],
  ])('%s: %#', (_, f, message) => {
    expect(f).toThrow(message)
  })
})

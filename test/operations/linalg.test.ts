/** Linear algebra: values, identities, what has no answer, and errors. */
import { beforeAll, describe, expect, test } from 'vitest'
import * as g from '../../lib/index.ts'
import { backends } from '../runtime/backends.ts'
import { expectClose } from '../support/close.ts'

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

  test.each([[[5, 3]], [[3, 5]], [[2, 4, 4]], [[30, 20]], [[1, 1]], [[0, 3]], [[3, 0]], [[0, 2, 2]]])(
    'P·L·U of %s is the matrix',
    (shape) => {
      const x = g.randn(shape, { seed: 6 })
      const { p, l, u } = linalg.lu(x)
      expectNear(p.matmul(l).matmul(u), x)
      const k = Math.min(shape.at(-1)!, shape.at(-2)!)
      expectNear(swapped(p).matmul(p), g.eye(shape.at(-2)!))
      // No factor of an elimination by partial pivoting is above 1.
      if (k > 0 && x.size > 0) expect(l.abs().max().itemSync()).toBe(1)
      const isBelow = g.arange(shape.at(-2)!).reshape([-1, 1]).less(g.arange(k))
      expectNear(l.mul(isBelow.cast('float32')), l.mul(0))
    },
  )

  test('a singular matrix has factors, too', () => {
    const { p, l, u } = linalg.lu([[0, 1], [0, 2], [0, 3]]) // biome-ignore format: a matrix
    expect(p.matmul(l).matmul(u).arraySync()).toEqual([[0, 1], [0, 2], [0, 3]]) // biome-ignore format: a matrix
    expect(u.arraySync()).toEqual([[0, 1], [0, 3]]) // biome-ignore format: a matrix
    expect(linalg.lu(g.zeros([2, 0])).p.arraySync()).toEqual([[1, 0], [0, 1]]) // biome-ignore format: a matrix
  })

  test('least squares of tall, wide and dependent columns', () => {
    const line = linalg.lstsq([[1, 0], [1, 1], [1, 2], [1, 3]], [1, 3, 5, 8]) // biome-ignore format: a matrix
    expectNear(line.solution, [0.8, 2.3])
    expect(line.residuals.itemSync()).toBeCloseTo(0.3, 5)
    expect([line.rank.itemSync(), line.singularValues.shape]).toEqual([2, [2]])
    expectNear(linalg.lstsq([[3, 4]], [5]).solution, [0.6, 0.8]) // biome-ignore format: a matrix
    const dependent = linalg.lstsq([[1, 2], [2, 4], [3, 6]], [[1], [2], [4]]) // biome-ignore format: a matrix
    expectNear(dependent.solution, [[0.242857], [0.485714]])
    expect(dependent.rank.itemSync()).toBe(1)
    const batch = linalg.lstsq(g.randn([3, 1, 5, 2], { seed: 1 }), g.randn([4, 5, 3], { seed: 2 }))
    expect([batch.solution.shape, batch.residuals.shape, batch.rank.shape]).toEqual([
      [3, 4, 2, 3],
      [3, 4, 3],
      [3, 4],
    ])
    expect(linalg.lstsq(g.zeros([0, 2]), g.zeros([0, 1])).solution.arraySync()).toEqual([[0], [0]])
    const strict = linalg.lstsq([[1, 0], [0, 0.01]], [1, 1], { relativeTolerance: 0.1 }) // biome-ignore format: a matrix
    expect(strict.solution.arraySync()).toEqual([1, 0])
  })

  test('the gradient of least squares fits a line', () => {
    const places = g.tensor([[1, 0], [1, 1], [1, 2]]) // biome-ignore format: a matrix
    const slope = g.grad((b: g.Tensor) => linalg.lstsq(places, b).solution.select(0, 1))([1, 2, 4])
    expectNear(slope, [-0.5, 0, 0.5])
  })

  test('exponentials', () => {
    expectNear(linalg.matrixExp([[0, -Math.PI], [Math.PI, 0]]), [[-1, 0], [0, -1]]) // biome-ignore format: a matrix
    expect(linalg.matrixExp(g.zeros([2, 3, 3])).arraySync()).toEqual([g.eye(3).arraySync(), g.eye(3).arraySync()])
    expectNear(linalg.matrixExp([[1, 1e6], [0, 1]]).div(Math.E), [[1, 1e6], [0, 1]]) // biome-ignore format: a matrix
    const x = g.randn([4, 6, 6], { seed: 3 })
    expectNear(linalg.matrixExp(x).matmul(linalg.matrixExp(x.neg())), g.eye(6).add(x.mul(0)), 2e-3)
    expect(linalg.matrixExp(g.zeros([0, 0])).shape).toEqual([0, 0])
    // A cotangent of any size has the precision of every other.
    const direction = g.tensor([[1, 2], [3, -1]]) // biome-ignore format: a matrix
    const gradient = (scale: number) =>
      g.vjp((z: g.Tensor) => linalg.matrixExp(z), [[0.3, 1], [-1, 0.2]]).pullback(direction.mul(scale)) // biome-ignore format: a matrix
    for (const scale of [1e20, 1e-20]) expectNear(gradient(scale).div(scale), gradient(1))
  })

  test('norms, and what is no number of them', () => {
    const x = g.tensor([[1, -2], [3, 4]]) // biome-ignore format: a matrix
    const orders = ['fro', 1, -1, Infinity, -Infinity] as const
    const found = orders.map((order) => linalg.matrixNorm(x, { order }).itemSync())
    expect(found.map((value) => value ** 2).map(Math.round)).toEqual([30, 36, 16, 49, 9])
    expect(
      linalg
        .matrixNorm(x, { order: 2 })
        .mul(linalg.matrixNorm(x, { order: -2 }))
        .itemSync(),
    ).toBeCloseTo(10, 4)
    expect(linalg.matrixNorm(g.ones([2, 3, 4]), { axes: [0, 2], keepDims: true }).shape).toEqual([1, 3, 1])
    expect(linalg.matrixNorm(g.zeros([0, 3]), { order: 2 }).itemSync()).toBe(0)
    expect(linalg.matrixNorm(g.zeros([2, 3, 0]), { order: 1 }).arraySync()).toEqual([0, 0])
  })

  test('conditions of regular and of singular matrices', () => {
    const singular = g.tensor([[1, 2], [2, 4]]) // biome-ignore format: a matrix
    expect(linalg.cond(g.eye(3).mul([1, 10, 4])).itemSync()).toBe(10)
    expect(linalg.cond(g.eye(3).mul([1, 10, 4]), { order: -2 }).itemSync()).toBeCloseTo(0.1, 6)
    expect(linalg.cond([[1, 0, 0], [0, 5, 0]]).itemSync()).toBe(5) // biome-ignore format: a matrix
    for (const order of ['fro', 'nuc', 1, -1, Infinity] as const)
      expect(linalg.cond(singular, { order }).itemSync()).toBe(Infinity)
    expect(linalg.cond(singular).itemSync()).toBeGreaterThan(1e7)
    expect(linalg.cond(g.zeros([2, 2])).itemSync()).toBe(Infinity)
    expect(linalg.cond([[NaN, 1], [1, 2]], { order: 1 }).itemSync()).toBeNaN() // biome-ignore format: a matrix
    expect(linalg.cond(g.zeros([3, 0, 0])).arraySync()).toEqual([0, 0, 0])
  })

  test('the product of a chain takes the cheapest order', () => {
    const chain = [[10, 100], [100, 5], [5, 50], [50, 2]].map((shape, i) => g.randn(shape, { seed: i })) // biome-ignore format: shapes
    const wanted = chain.slice(1).reduce((x, y) => x.matmul(y), chain[0]!)
    expectNear(linalg.multiDot(chain).div(1000), wanted.div(1000))
    const products = g.inspect((...xs: g.Tensor[]) => linalg.multiDot(xs), ...chain).instructions
    const shapes = products.filter(({ opcode }) => opcode === 'matmul').map(({ outputs }) => outputs[0])
    expect(shapes).toEqual(['float32[5,2]', 'float32[100,2]', 'float32[10,2]'])
    expect(linalg.multiDot([[1, 2], g.eye(2), [3, 4]]).itemSync()).toBe(11)
    expect(linalg.multiDot([[1, 2], g.ones([2, 3])]).arraySync()).toEqual([3, 3, 3])
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
    ['no columns', () => linalg.lu([1, 2]), 'lu: expected matrices […, m, n], got [2]'],
    ['no square', () => linalg.matrixExp(g.ones([2, 3])), 'matrixExp: expected square matrices […, n, n], got [2, 3]'],
    [
      'other rows',
      () => linalg.lstsq(g.ones([3, 2]), [1, 2]),
      'lstsq: expected right-hand sides […, 3, k] or [3], got [2]',
    ],
    ['no square', () => linalg.cond(g.ones([2, 3]), { order: 1 }), 'cond: expected square matrices'],
    ['another order', () => linalg.matrixNorm(g.eye(2), { order: 3 }), "matrixNorm: expected order to be one of 'fro'"],
    [
      'another order',
      () => linalg.cond(g.eye(2), { order: 'foo' as 'fro' }),
      "cond: expected order to be one of 'fro'",
    ],
    ['one axis twice', () => linalg.matrixNorm(g.eye(2), { axes: [0, 0] }), 'matrixNorm'],
    ['the least of nothing', () => linalg.matrixNorm(g.zeros([0, 3]), { order: -2 }), 'matrixNorm: expected something'],
    ['one matrix', () => linalg.multiDot([g.eye(2)]), 'multiDot: expected two matrices or more, got [2, 2]'],
    [
      'a vector inside',
      () => linalg.multiDot([g.eye(2), [1, 2], g.eye(2)]),
      'multiDot: expected two matrices or more, got [2, 2] and [2] and [2, 2]',
    ],
    [
      'other inner extents',
      () => linalg.multiDot([g.eye(2), g.eye(3)]),
      'multiDot: expected equal inner extents, got [2, 2] and [3, 3]',
    ],
    ['half a power', () => linalg.matrixPower(g.eye(2), 0.5), 'matrixPower: expected an integer power, got 0.5'],
  ])('%s: %#', (_, f, message) => {
    expect(f).toThrow(message)
  })
})

describe.each(backends)('derivatives of what is nearly singular on %s', (backend) => {
  beforeAll(() => g.setBackend(backend))

  const hessianOfDet = (x: g.Tensor): number[] =>
    [0, 1, 2, 3].flatMap((i) => {
      const slope = (y: g.Tensor) =>
        g
          .grad((z: g.Tensor) => g.linalg.det(z))(y)
          .reshape([4])
          .slice(i, i + 1)
      return Array.from(
        g
          .grad((y: g.Tensor) => slope(y).sum())(x)
          .dataSync(),
      )
    })

  test.each([
    [
      'singular values 1 and 1e-6',
      [
        [0.8, 0.6],
        [0.6000005, 0.4500005],
      ],
    ],
    [
      'singular',
      [
        [1, 1],
        [1, 1],
      ],
    ],
    [
      'of zeros',
      [
        [0, 0],
        [0, 0],
      ],
    ],
  ])('the Hessian of a determinant: %s', (_, x) => {
    expect(hessianOfDet(g.tensor(x)).map((value) => value + 0)).toEqual([
      0, 0, 0, 1, 0, 0, -1, 0, 0, -1, 0, 0, 1, 0, 0, 0,
    ])
  })

  test('the cofactors of a singular matrix are the gradient of its determinant', () => {
    const gradient = g.grad((x: g.Tensor) => g.linalg.det(x))([
      [1, 2, 3],
      [2, 4, 6],
      [0, 0, 1],
    ])
    expectClose(gradient, [4, -2, 0, -2, 1, 0, 0, 0, 0])
  })

  test.each([2, 3, 4, 6])('qr of 3 rows and %i columns, the third nearly dependent', (columns) => {
    const wide = g.tensor([
      [1, 2, 3.00001, 4, 5, 6],
      [2, 1, 3, 1, 7, 2],
      [1, 1, 2, 9, 3, 1],
    ])
    const x = wide.slice([0, 0], [3, columns])
    const gradient = (of: (q: g.Tensor, r: g.Tensor) => g.Tensor, at: g.Tensor) =>
      g.grad((y: g.Tensor) => of(...(Object.values(g.linalg.qr(y)) as [g.Tensor, g.Tensor])).sum())(at)
    for (const of of [(q: g.Tensor) => q.pow(3), (_: g.Tensor, r: g.Tensor) => r.pow(3)]) {
      const [found, wanted] = [gradient(of, x), gradient(of, x.cast('float64'))]
      const greatest = wanted.abs().max().itemSync()
      expectClose(found.div(greatest), wanted.div(greatest).dataSync(), 1e-5)
    }
  })
})

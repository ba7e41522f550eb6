import { beforeAll, describe, expect, test } from 'vitest'
import * as g from '../../lib/index.ts'

beforeAll(() => g.setBackend('reference'))

const f64 = (values: g.TensorValues) => g.tensor(values, { dtype: 'float64' })
const matrix = f64([
  [1, 2],
  [3, 4],
  [5, 6],
])

describe('vjp', () => {
  test('gives the value and a pullback for any number of cotangents', () => {
    const { value, pullback } = g.vjp((x) => matrix.matmul(x), f64([1, -1]))
    expect(value.arraySync()).toEqual([-1, -1, -1])
    expect(pullback([1, 0, 0]).arraySync()).toEqual([1, 2])
    expect(pullback([0, 0, 2]).arraySync()).toEqual([10, 12])
    expect(pullback().arraySync()).toEqual([9, 12])
  })

  test('of several arguments gives a list, with zeros for what does not matter', () => {
    const { pullback } = g.vjp((x, y, _) => x.mul(y), [1, 2], [3, 4], [5])
    expect(pullback([1, 10]).map((x) => x.arraySync())).toEqual([[3, 40], [1, 20], [0]])
  })

  test('has gradients in the argument and in the cotangent', () => {
    const cotangent = g.variable([1, 10])
    const x = g.variable([2, 3])
    const pulled = g.vjp((x) => x.pow(3), x).pullback(cotangent)
    expect(g.gradients(pulled, [cotangent, x]).map((x) => x.arraySync())).toEqual([
      [12, 27],
      [12, 180],
    ])
  })

  test('refuses what is no function of floats', () => {
    expect(() => g.vjp((x) => x, g.tensor([1], { dtype: 'int32' }))).toThrow(
      'vjp: expected float32 or float64 arguments, got int32',
    )
    expect(() => g.vjp((() => 1) as unknown as (x: g.Tensor) => g.Tensor, [1])).toThrow(
      'vjp: expected a function that returns a tensor, got 1',
    )
    expect(() => g.vjp((x) => x, [1, 2]).pullback([1])).toThrow(g.ShapeError)
  })
})

describe('jvp', () => {
  test('is the derivative along the tangents', () => {
    const { value, tangent } = g.jvp((x) => matrix.matmul(x), [f64([1, -1])], [[1, 10]])
    expect(value.arraySync()).toEqual([-1, -1, -1])
    expect(tangent.arraySync()).toEqual([21, 43, 65])
  })

  test('adds up over arguments', () => {
    const { tangent } = g.jvp((x, y) => x.mul(y), [f64(3), f64(5)], [1, 10])
    expect(tangent.itemSync()).toBe(35)
  })

  test('agrees with the Jacobian', () => {
    const f = (x: g.Tensor) => x.softmax().mul(x.exp())
    const [x, v] = [g.randn([5], { dtype: 'float64', seed: 1 }), g.randn([5], { dtype: 'float64', seed: 2 })]
    const expected = g.jacobian(f)(x).matmul(v).dataSync()
    g.jvp(f, [x], [v])
      .tangent.dataSync()
      .forEach((y, i) => {
        expect(y).toBeCloseTo(expected[i]!, 12)
      })
  })

  test('needs no cotangent in its program', () => {
    const { instructions } = g.inspect((x, v) => g.jvp((x) => x.exp(), [x], [v]).tangent, g.zeros([3]), g.zeros([3]))
    expect(instructions.map(({ flops }) => flops)).toEqual([2 * 3])
  })

  test('is zero where nothing depends, and has derivatives', () => {
    expect(g.jvp((_) => g.ones([2]), [[1, 2, 3]], [[1, 1, 1]]).tangent.arraySync()).toEqual([0, 0])
    const slope = (x: g.Tensor) => g.jvp((x) => x.pow(3), [x], [g.onesLike(x)]).tangent
    expect(g.jvp(slope, [f64(2)], [1]).tangent.itemSync()).toBe(12)
  })

  test('refuses tangents that do not fit', () => {
    expect(() => g.jvp((x) => x, [[1, 2]], [[1]])).toThrow('jvp: expected tangent 0 of shape [2], got [1]')
    expect(() => g.jvp((x, y) => x.add(y), [1, 2], [1] as unknown as [1, 2])).toThrow(
      'jvp: expected a list of 2 tangents, got 1',
    )
  })
})

describe('jacobian', () => {
  test('has the axes of the value, then those of the argument', () => {
    const found = g.jacobian((x) => x.transpose().mul(2))([[1, 2, 3]])
    expect(found.shape).toEqual([3, 1, 1, 3])
    expect(found.reshape([3, 3]).arraySync()).toEqual([
      [2, 0, 0],
      [0, 2, 0],
      [0, 0, 2],
    ])
  })

  test('of a scalar is its gradient, of nothing is empty, of a constant is zeros', () => {
    expect(
      g
        .jacobian((x) => x.square().sum())([1, 2])
        .arraySync(),
    ).toEqual([2, 4])
    expect(g.jacobian((x) => x.slice(0, 0))([1, 2]).shape).toEqual([0, 2])
    expect(
      g
        .jacobian((_) => g.ones([2]))(1)
        .arraySync(),
    ).toEqual([0, 0])
  })

  test('of several arguments gives one for each', () => {
    const [dx, dy] = g.jacobian((x, y) => x.mul(y))([1, 2], 3)
    expect(dx.arraySync()).toEqual([
      [3, 0],
      [0, 3],
    ])
    expect(dy.arraySync()).toEqual([1, 2])
  })

  test('with more axes than a tensor has is refused', () => {
    expect(() => g.jacobian((x) => x)(g.zeros([1, 1, 1, 1, 1]))).toThrow('jacobian: expected at most 8 axes, got 10')
  })
})

describe('hessian', () => {
  const rosenbrock = (x: g.Tensor) => {
    const [a, b] = [x.slice(0, 1), x.slice(1, 2)]
    return a.sub(1).square().add(b.sub(a.square()).square().mul(100)).sum()
  }

  test('of Rosenbrock at its minimum', () => {
    expect(
      g
        .hessian(rosenbrock)(f64([1, 1]))
        .arraySync(),
    ).toEqual([
      [802, -400],
      [-400, 200],
    ])
  })

  test('of a linear function is zeros', () => {
    expect(
      g
        .hessian((x) => x.sum())([1, 2])
        .arraySync(),
    ).toEqual([
      [0, 0],
      [0, 0],
    ])
  })

  test('times a vector is hvp', () => {
    const x = f64([-1.2, 1])
    const [product] = g.hvp(rosenbrock, [x], [[1, 2]])
    const expected = g
      .hessian(rosenbrock)(x)
      .matmul(f64([1, 2]))
      .dataSync()
    product.dataSync().forEach((y, i) => {
      expect(y).toBeCloseTo(expected[i]!, 10)
    })
  })

  test('hvp takes the mixed derivatives of several arguments', () => {
    const [x, y] = g.hvp((x, y) => x.square().mul(y).sum(), [f64([3]), f64([5])], [[1], [10]])
    expect([x.itemSync(), y.itemSync()]).toEqual([2 * 5 * 1 + 2 * 3 * 10, 2 * 3 * 1])
  })

  test('is of one number alone', () => {
    expect(() => g.hessian((x) => x)([1, 2])).toThrow('hessian: expected a function whose value is one number, got [2]')
    expect(() => g.hvp((x) => x, [[1, 2]], [[1, 2]])).toThrow(g.ShapeError)
  })
})

describe.each(['native', 'reference'] as const)('on the %s backend', (backend) => {
  beforeAll(() => g.setBackend(backend))

  test('all of them compile', () => {
    const f = (x: g.Tensor) => x.pow(3).sum()
    const all = g.compile((x: g.Tensor, v: g.Tensor) => ({
      gradient: g.vjp(f, x).pullback(),
      slope: g.jvp(f, [x], [v]).tangent,
      jacobian: g.jacobian((x) => x.square())(x),
      hessian: g.hessian(f)(x),
      product: g.hvp(f, [x], [v])[0],
    }))
    const found = all.sync(g.tensor([1, 2]), g.tensor([1, -1]))
    expect(found.gradient.arraySync()).toEqual([3, 12])
    expect(found.slope.itemSync()).toBe(-9)
    expect(found.jacobian.arraySync()).toEqual([
      [2, 0],
      [0, 4],
    ])
    expect(found.hessian.arraySync()).toEqual([
      [6, 0],
      [0, 12],
    ])
    expect(found.product.arraySync()).toEqual([6, -12])
  })

  test('third and fourth derivatives', () => {
    const sine = (x: g.Tensor) => x.sin()
    const third = g.grad(g.grad(g.grad(sine)))
    expect(third(0.5).itemSync()).toBeCloseTo(-Math.cos(0.5), 6)
    expect(g.compile(third).sync(g.tensor(0.5)).itemSync()).toBeCloseTo(-Math.cos(0.5), 6)
    expect(g.grad(third)(0.5).itemSync()).toBeCloseTo(Math.sin(0.5), 6)
    expect(
      g
        .grad(g.hessian((x) => x.pow(4).sum()))(2)
        .itemSync(),
    ).toBeCloseTo(48, 3)
  })
})

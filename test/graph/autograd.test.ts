import { beforeAll, describe, expect, test } from 'vitest'
import { setBackend } from '../../lib/backend/active.ts'
import { GradientError } from '../../lib/base/errors.ts'
import { concat } from '../../lib/operations/index.ts'
import { tensor } from '../../lib/tensor/creation.ts'
import { randn } from '../../lib/tensor/random.ts'
import type { Tensor } from '../../lib/tensor/tensor.ts'
import { variable } from '../../lib/tensor/variable.ts'
import { checkGradients } from '../../lib/transforms/check-gradients.ts'
import { grad, gradients, valueAndGrad, variablesOf } from '../../lib/transforms/gradients.ts'

beforeAll(() => setBackend('reference'))

const f64 = (values: number | number[] | number[][]) => tensor(values, { dtype: 'float64' })

describe('gradients', () => {
  test('of a value that is used several times add up', () => {
    const x = variable([1, 2, 3])
    const y = x.mul(x).add(x).sub(x.mul(3)).sum()
    expect(gradients(y, [x])[0].arraySync()).toEqual([0, 2, 4])
  })

  test('through a node that many others share', () => {
    const x = variable(2)
    const shared = x.square()
    const [dx, dshared] = gradients(shared.mul(shared).add(shared.exp().log()), [x, shared])
    expect(dx.itemSync()).toBeCloseTo(36, 4)
    expect(dshared.itemSync()).toBeCloseTo(9, 5)
  })

  test('of a ladder of shared nodes are computed once for each node', () => {
    const x = variable(1)
    let y: Tensor = x
    for (let i = 0; i < 60; i++) y = y.add(y).mul(0.5)
    expect(gradients(y, [x])[0].itemSync()).toBe(1)
  })

  test('of the sum, where the value is no scalar', () => {
    const x = variable([
      [1, 2],
      [3, 4],
    ])
    expect(gradients(x.square(), [x])[0].arraySync()).toEqual([
      [2, 4],
      [6, 8],
    ])
  })

  test('weighed by a cotangent', () => {
    const x = variable([1, 2])
    const weights = variable([10, 100])
    const [dx] = gradients(x.square(), [x], weights)
    expect(dx.arraySync()).toEqual([20, 400])
    expect(gradients(x.square(), [x], [1, 0])[0].arraySync()).toEqual([2, 0])
    expect(gradients(dx, [weights])[0].arraySync()).toEqual([2, 4])
    expect(() => gradients(x.square(), [x], [1, 2, 3])).toThrow('gradients: expected a cotangent of shape [2], got [3]')
  })

  test('of a value with respect to itself are ones', () => {
    const x = variable([1, 2])
    const y = x.mul(3)
    expect(gradients(x, [x])[0].arraySync()).toEqual([1, 1])
    expect(gradients(y, [y, x]).map((g) => g.arraySync())).toEqual([
      [1, 1],
      [3, 3],
    ])
  })

  test('of one variable asked for twice', () => {
    const x = variable([1, 2])
    expect(gradients(x.square(), [x, x]).map((g) => g.arraySync())).toEqual([
      [2, 4],
      [2, 4],
    ])
  })

  test('through broadcasting are sums', () => {
    const [x, b] = [
      variable([
        [1, 2],
        [3, 4],
      ]),
      variable([1, 2]),
    ]
    const s = variable(3)
    const y = x.mul(b).add(s)
    expect(gradients(y, [x, b, s]).map((g) => g.arraySync())).toEqual([
      [
        [1, 2],
        [1, 2],
      ],
      [4, 6],
      4,
    ])
  })

  test('through views', () => {
    const x = variable([
      [1, 2, 3],
      [4, 5, 6],
    ])
    const y = concat([x.transpose().slice(1), x.reshape([3, 2])], 0).mul(tensor([1, 10]))
    expect(gradients(y, [x])[0].arraySync()).toEqual([
      [1, 11, 2],
      [10, 11, 20],
    ])
  })

  test('of the second and third order', () => {
    const x = variable(2)
    const [first] = gradients(x.pow(4), [x])
    const [second] = gradients(first, [x])
    const [third] = gradients(second, [x])
    expect([first, second, third].map((g) => g.itemSync())).toEqual([32, 48, 48])
  })

  test('of a Hessian times a vector', () => {
    const [x, v] = [variable([1, 2]), tensor([1, -1])]
    const y = x.square().mul(x.sum()).sum()
    const [dx] = gradients(y, [x])
    const [product] = gradients(dx, [x], v)
    // H = [[6x₁ + 2x₂, 2x₁ + 2x₂], [2x₁ + 2x₂, 2x₁ + 6x₂]]
    expect(product.arraySync()).toEqual([4, -8])
  })

  test('of a small network agree with numeric derivatives, to the second order', () => {
    const shapes = [[3, 4], [4], [4, 2], [2]]
    const points = shapes.map((shape, i) => randn(shape, { dtype: 'float64', seed: i + 1 }))
    const [x, labels] = [randn([5, 3], { dtype: 'float64', seed: 9 }), tensor([0, 1, 1, 0, 1], { dtype: 'int32' })]
    const loss = (w1: Tensor, b1: Tensor, w2: Tensor, b2: Tensor) =>
      x.matmul(w1).add(b1).tanh().matmul(w2).add(b2).softmaxCrossEntropy(labels).mean()
    checkGradients(loss as (...xs: Tensor[]) => Tensor, points, { order: 2 })
  })

  test('of integers do not exist', () => {
    const x = variable([1, 2])
    expect(() => gradients(x.cast('int32'), [x])).toThrow(
      'gradients: expected a float32 or float64 value to differentiate, got int32',
    )
  })

  test('want tensors', () => {
    const x = variable(1)
    expect(() => gradients(3 as never, [x])).toThrow('gradients: expected a tensor to differentiate, got 3')
    expect(() => gradients(x, x as never)).toThrow(
      'gradients: expected a list of tensors or variables, got Variable float32[]',
    )
    expect(() => gradients(x, new Array(2) as never)).toThrow('gradients: expected a list of tensors or variables')
    expect(() => gradients(x, [2] as never)).toThrow('gradients: expected a list of tensors or variables')
  })
})

describe('where there is no gradient', () => {
  test('y does not depend on x', () => {
    const [x, y] = [variable(1), variable(2)]
    expect(() => gradients(y.square(), [y, x])).toThrow(GradientError)
    expect(() => gradients(y.square(), [y, x])).toThrow('gradients: the value does not depend on argument 1')
    const [ofY, ofX] = gradients(y.square(), [y, x], undefined, { allowUnused: true })
    expect(ofY!.itemSync()).toBe(2 * y.itemSync())
    expect(ofX).toBe(null)
  })

  test('only integers lead from x to y', () => {
    const x = variable([1, 2])
    expect(() => gradients(x.cast('int32').cast('float32'), [x])).toThrow(GradientError)
    expect(() => gradients(x.greater(1).cast('float32'), [x])).toThrow(GradientError)
  })

  test('a step is flat', () => {
    const x = variable([-1, 2])
    expect(gradients(x.step(), [x])[0].arraySync()).toEqual([0, 0])
  })

  test('a variable was assigned since', () => {
    const x = variable(1)
    const y = x.square()
    x.assign(2)
    expect(() => gradients(y, [x])).toThrow(GradientError)
    expect(gradients(x.square(), [x])[0].itemSync()).toBe(4)
  })

  test('stopGradient cuts the path', () => {
    const x = variable(3)
    expect(gradients(x.mul(x.stopGradient()), [x])[0].itemSync()).toBe(3)
    expect(() => gradients(x.square().stopGradient(), [x])).toThrow(GradientError)
  })

  test('the history of a plain tensor ended when it was evaluated', () => {
    const x = tensor([1, 2])
    const y = x.square()
    expect(gradients(y, [x])[0].arraySync()).toEqual([2, 4])
    y.dataSync()
    expect(() => gradients(y, [x])).toThrow('history ends when it is evaluated')
  })
})

describe('history', () => {
  test('of what descends from a variable outlives evaluation, also of parts', () => {
    const [x, w] = [tensor([[1, 2]]), variable([[3], [4]])]
    const hidden = x.matmul(w)
    const loss = hidden.square().sum()
    for (const t of [hidden, loss, hidden]) t.dataSync()
    const [dw, dhidden] = gradients(loss, [w, hidden])
    expect([dw.arraySync(), dhidden.arraySync()]).toEqual([[[22], [44]], [[22]]])
  })

  test('the variables a value was computed from, in order of first use', () => {
    const [a, b, c] = [variable(1), variable(2), variable(3, { trainable: false })]
    const y = b.mul(a).add(c).add(b)
    expect(variablesOf(y)).toEqual([b, a])
    y.itemSync()
    expect(variablesOf(y)).toEqual([b, a])
    expect(variablesOf(y.stopGradient())).toEqual([b, a])
    expect(variablesOf(tensor(1))).toEqual([])
  })
})

describe('grad and valueAndGrad', () => {
  test('of one argument and of several', () => {
    expect(grad((x) => x.square().sum())([1, 2]).arraySync()).toEqual([2, 4])
    const [dx, dy] = grad((x, y) => x.mul(y).sum())([1, 2], tensor([3, 4]))
    expect([dx.arraySync(), dy.arraySync()]).toEqual([
      [3, 4],
      [1, 2],
    ])
    const { value, gradient } = valueAndGrad((x) => x.mul(3))(2)
    expect([value.itemSync(), gradient.itemSync()]).toEqual([6, 3])
  })

  test('of variables, which are arguments like others', () => {
    const [v, w] = [variable(2), variable(3)]
    expect(grad((x) => x.mul(w).mul(v))(v).itemSync()).toBe(6)
  })

  test('of one tensor given twice', () => {
    const x = tensor(3)
    expect(grad((a, b) => a.square().mul(b))(x, x).map((g) => g.itemSync())).toEqual([18, 9])
  })

  test('nested', () => {
    const cube = (x: Tensor) => x.mul(x).mul(x)
    expect([grad(cube), grad(grad(cube)), grad(grad(grad(cube)))].map((f) => f(f64(2)).itemSync())).toEqual([12, 12, 6])
  })

  test('nested, where the inner function knows the outer argument', () => {
    const mixed = grad((x) => x.mul(grad((y) => x.mul(x).mul(y))(f64(5))))
    expect(mixed(f64(2)).itemSync()).toBe(12)
  })

  test('a value inside may be evaluated', () => {
    const f = (x: Tensor) => {
      const y = x.square()
      return y.itemSync() > 1 ? y.mul(10) : y
    }
    expect(grad(f)(3).itemSync()).toBe(60)
  })

  test('an argument that does not matter', () => {
    expect(() => grad((x, _y) => x)(1, 2)).toThrow('grad: the value does not depend on argument 1')
  })
})

describe('deep graphs', () => {
  const depth = 100_000

  test('a chain of 100,000 nodes is evaluated and differentiated', () => {
    const x = variable([1, 2])
    let y: Tensor = x
    for (let i = 0; i < depth; i++) y = i % 2 === 0 ? y.neg() : y.mul(-1)
    expect(y.arraySync()).toEqual([1, 2])
    const [dx] = gradients(y, [x])
    expect(dx.arraySync()).toEqual([1, 1])
    expect(variablesOf(y)).toEqual([x])
  })

  test('so is one whose values are needed backwards', () => {
    const x = variable(0.5)
    let y: Tensor = x
    for (let i = 0; i < depth / 10; i++) y = y.tanh().mul(1.25)
    const [dx] = gradients(y, [x])
    expect(Number.isFinite(dx.itemSync())).toBe(true)
  })
})

import { beforeAll, describe, expect, test } from 'vitest'
import * as g from '../../lib/index.ts'
import { backends } from '../runtime/backends.ts'

const doubled = g.customGradient(
  (x) => x.square(),
  (cotangent, _, x) => cotangent.mul(x).mul(20),
)

describe.each(backends)('customGradient on %s', (backend) => {
  beforeAll(() => g.setBackend(backend))

  test('keeps the value and replaces the gradient', () => {
    const { value, gradient } = g.valueAndGrad((x) => doubled(x).sum())([1, 2])
    expect(value.itemSync()).toBe(5)
    expect(gradient.arraySync()).toEqual([20, 40])
  })

  test('works inside compile, with several arguments', () => {
    const product = g.customGradient(
      (x, y) => x.mul(y),
      (cotangent, value, x, y) => [cotangent.mul(y).add(value), cotangent.mul(x).neg()],
    )
    const step = g.compile((x: g.Tensor, y: g.Tensor) => g.gradients(product(x, y), [x, y]))
    expect(step.sync(g.tensor([1, 2]), g.tensor([3, 4])).map((x) => x.arraySync())).toEqual([
      [6, 12],
      [-1, -2],
    ])
  })
})

describe('customGradient', () => {
  beforeAll(() => g.setBackend('reference'))

  test('has the gradients of its rule as second derivatives', () => {
    expect(g.grad(g.grad(doubled))(3).itemSync()).toBe(20)
    const exponential = g.customGradient(
      (x) => x.exp(),
      (cotangent, y) => cotangent.mul(y),
    )
    g.checkGradients(exponential, [[0.5, -1]], { order: 2 })
  })

  test('scales, reverses or stops a gradient', () => {
    const reversed = g.customGradient(
      (x) => x,
      (cotangent) => cotangent.neg(),
    )
    expect(g.grad(reversed)(1).itemSync()).toBe(-1)
    const stopped = g.customGradient(
      (x) => x,
      () => null,
    )
    expect(() => g.grad(stopped)(1)).toThrow(g.GradientError)
    expect(
      g
        .grad((x) => stopped(x).add(x))(1)
        .itemSync(),
    ).toBe(1)
  })

  test('takes what its function reads from outside as constant', () => {
    const w = g.variable(2)
    const scaled = g.customGradient(
      (x) => x.mul(w),
      (cotangent) => cotangent,
    )
    const y = scaled(w)
    expect(g.gradients(y, [w])[0].itemSync()).toBe(1)
  })

  test('may differentiate in its rule', () => {
    const inner = g.customGradient(
      (x) => x.pow(3),
      (cotangent, _, x) => cotangent.mul(g.grad((x) => x.pow(3))(x)),
    )
    expect(g.gradients(inner(g.variable(1)), []).length).toBe(0)
    const [x, y] = [g.variable(2), g.variable(5)]
    expect(g.gradients(inner(x.mul(y)).mul(x), [x, y]).map((d) => d.itemSync())).toEqual([4000, 1200])
  })

  test('follows a change of dtype', () => {
    expect(g.grad(doubled)(g.tensor(1, { dtype: 'float64' })).dtype).toBe('float64')
  })

  test.each([
    ['another shape', () => g.ones([3]), 'customGradient: expected gradient 0 of shape [2], got [3]'],
    ['too many', () => [g.ones([2]), null], 'customGradient: expected 1 gradients, got 2'],
    ['no tensor', () => 1 as never, 'customGradient: expected a tensor or null as gradient 0, got number'],
  ])('refuses a rule that gives %s', (_, backward, message) => {
    const f = g.customGradient((x) => x.exp(), backward as () => g.Tensor)
    expect(() => g.grad(f)([1, 2])).toThrow(message)
  })

  test('refuses what is no function', () => {
    expect(() => g.customGradient((x) => x, undefined as never)).toThrow(
      'customGradient: expected two functions, got function and undefined',
    )
    expect(() => g.customGradient((() => 1) as unknown as (x: g.Tensor) => g.Tensor, () => null)(1)).toThrow(
      'customGradient: expected a function that returns a tensor, got 1',
    )
  })
})

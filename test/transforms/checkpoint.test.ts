import { beforeAll, describe, expect, test } from 'vitest'
import * as g from '../../lib/index.ts'
import { backends } from '../runtime/backends.ts'

type Layer = (x: g.Tensor) => g.Tensor
type Transform = (layer: Layer) => (x: g.Tensor) => g.Tensor

const asIs: Transform = (layer) => layer
const checkpointed: Transform = (layer) => g.checkpoint(layer)

const [rows, columns] = [256, 16]
const activationBytes = 4 * rows * columns

/** The gradients of a deep chain in its weights and its input; each layer leaves several values for its gradient. */
function chain(depth: number, transform: Transform) {
  const weights = Array.from({ length: depth }, (_, i) => g.variable(g.randn([columns, columns], { seed: i })))
  const layers = weights.map((w) => transform((x) => x.matmul(w).tanh().exp().matmul(w).sigmoid().mul(x).tanh()))
  return (x: g.Tensor) => {
    const y = layers.reduce((y, layer) => layer(y), x)
    return g.gradients(y.square().sum(), [x, ...weights])
  }
}

const arenaOf = (depth: number, transform: Transform): number =>
  g.inspect(chain(depth, transform), g.zeros([rows, columns])).arenaBytes / activationBytes

describe.each(backends)('checkpoint on %s', (backend) => {
  beforeAll(() => g.setBackend(backend))

  test('leaves values and gradients as they are, to the bit', () => {
    const x = g.randn([rows, columns], { seed: 7 })
    const plain = g.compile(chain(3, asIs)).sync(x)
    const again = g.compile(chain(3, checkpointed)).sync(x)
    again.forEach((gradient, i) => {
      expect(gradient.dataSync()).toEqual(plain[i]!.dataSync())
    })
  })

  test('draws the same random numbers both times, and others at the next call', () => {
    const dropped = g.checkpoint((x) => x.mul(g.uniform([1000]).greater(0.5).cast('float32')).square())
    const step = g.compile((x: g.Tensor) => {
      const y = dropped(x)
      return [y, g.gradients(y, [x])[0]] as const
    })
    const x = g.ones([1000])
    const draws = [step.sync(x), step.sync(x)].map(([y, dx]) => {
      expect(dx.arraySync()).toEqual(y.mul(2).arraySync())
      return y.dataSync()
    })
    expect(draws[0]).not.toEqual(draws[1])
  })
})

describe('the memory of a deep chain', () => {
  test('grows by one value a layer instead of all that the layer leaves', () => {
    const growth = (transform: Transform) => (arenaOf(12, transform) - arenaOf(4, transform)) / 8
    expect(growth(asIs)).toBeGreaterThan(3.9)
    expect(growth(checkpointed)).toBeLessThan(1.1)
  })

  test('grows by less than that where checkpoints lie in checkpoints', () => {
    const nested: Transform = checkpointed
    const sections = (depth: number) => {
      const weights = Array.from({ length: depth }, (_, i) => g.variable(g.randn([columns, columns], { seed: i })))
      const layers = weights.map((w) => nested((x) => x.matmul(w).tanh().exp().matmul(w).sigmoid()))
      const halves = [layers.slice(0, depth / 2), layers.slice(depth / 2)].map((half) =>
        g.checkpoint((x) => half.reduce((y, layer) => layer(y), x)),
      )
      return (x: g.Tensor) => g.gradients(halves.reduce((y, half) => half(y), x).sum(), weights)
    }
    const arena = (depth: number) => g.inspect(sections(depth), g.zeros([rows, columns])).arenaBytes / activationBytes
    expect((arena(16) - arena(8)) / 8).toBeLessThan(0.6)
  })

  test('is paid for with one more forward computation', () => {
    const flops = (transform: Transform) => g.inspect(chain(6, transform), g.zeros([rows, columns])).flops
    expect(flops(checkpointed) / flops(asIs)).toBeGreaterThan(1.25)
    expect(flops(checkpointed) / flops(asIs)).toBeLessThan(1.5)
  })
})

describe('checkpoint', () => {
  beforeAll(() => g.setBackend('reference'))

  test('calls the function once', () => {
    let calls = 0
    const f = g.checkpoint((x) => {
      calls++
      return x.exp()
    })
    expect(
      g
        .grad((x) => f(x).sum())([0, 0])
        .arraySync(),
    ).toEqual([1, 1])
    expect(calls).toBe(1)
  })

  test('has gradients of any order, in several arguments and in variables that were evaluated meanwhile', () => {
    const w = g.variable(g.tensor([2], { dtype: 'float64' }))
    const f = g.checkpoint((x, y) => x.mul(y).mul(w).sin())
    g.checkGradients((x, y) => f(x, y), [[0.3], [0.7]], { order: 2 })
    const y = f(g.tensor([0.3], { dtype: 'float64' }), g.tensor([0.5], { dtype: 'float64' }))
    expect(y.dataSync()[0]).toBeCloseTo(Math.sin(0.3), 12)
    expect(g.gradients(y, [w])[0].dataSync()[0]).toBeCloseTo(0.15 * Math.cos(0.3), 12)
    const third = g.grad(g.grad(g.grad(g.checkpoint((x) => x.pow(4)))))
    expect(third(2).itemSync()).toBe(48)
  })

  test('gives back what it was given, a constant, and integers', () => {
    expect(
      g
        .grad(g.checkpoint((x) => x))(3)
        .itemSync(),
    ).toBe(1)
    expect(() => g.grad(g.checkpoint((_) => g.ones([])))(3)).toThrow(g.GradientError)
    expect(
      g
        .checkpoint((x) => x.cast('int32'))([1.5])
        .arraySync(),
    ).toEqual([1])
  })

  test('refuses what is no function of tensors', () => {
    expect(() => g.checkpoint(1 as unknown as Layer)).toThrow('checkpoint: expected a function, got 1')
    expect(() => g.checkpoint((() => 1) as unknown as Layer)(1)).toThrow(
      'checkpoint: expected a function that returns a tensor, got 1',
    )
  })
})

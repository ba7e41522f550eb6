import { beforeEach, describe, expect, test } from 'vitest'
import * as g from '../../lib/index.ts'
import { expectClose } from '../support/close.ts'

beforeEach(() => g.setSeed(1))

describe('initializers', () => {
  const { glorotUniform, glorotNormal, heUniform, heNormal, fanInUniform } = g.nn.init
  const shape = [200, 300]
  const cases = [
    ['glorotUniform', glorotUniform, 2 / 500],
    ['glorotNormal', glorotNormal, 2 / 500],
    ['heUniform', heUniform, 2 / 300],
    ['heNormal', heNormal, 2 / 300],
    ['fanInUniform', fanInUniform, 1 / 900],
  ] as const

  test.each(cases)('%s has mean 0 and its variance', (_, initializer, variance) => {
    const x = initializer(shape)
    const std = Math.sqrt(variance)
    // Five standard errors of 60,000 numbers; the variance of a squared normal is twice its square.
    expect(Math.abs(x.mean().itemSync())).toBeLessThan((5 * std) / Math.sqrt(60_000))
    expect(Math.abs(x.square().mean().itemSync() / variance - 1)).toBeLessThan(5 * Math.sqrt(2 / 60_000))
  })

  test.each([
    ['glorotUniform', glorotUniform, Math.sqrt(6 / 500)],
    ['heUniform', heUniform, Math.sqrt(6 / 300)],
    ['fanInUniform', fanInUniform, Math.sqrt(1 / 300)],
  ] as const)('%s fills its range', (_, initializer, limit) => {
    const x = initializer(shape)
    for (const extreme of [x.max(), x.min().neg()]) {
      expect(extreme.itemSync()).toBeLessThanOrEqual(limit * (1 + 1e-6))
      expect(extreme.itemSync()).toBeGreaterThan(limit * 0.99)
    }
  })

  test('a convolution counts its window', () => {
    const limit = heUniform([32, 16, 3, 5]).abs().max().itemSync()
    expectClose(limit, Math.sqrt(6 / (3 * 5 * 16)), 1e-3)
  })

  test('numbers follow from setSeed, or from a seed of their own', () => {
    const first = heNormal([4, 4]).dataSync()
    const second = heNormal([4, 4]).dataSync()
    const seeded = heNormal([4, 4], { seed: 7 }).dataSync()
    g.setSeed(1)
    expect(heNormal([4, 4], { seed: 7 }).dataSync()).toEqual(seeded)
    expect(heNormal([4, 4]).dataSync()).toEqual(first)
    expect(second).not.toEqual(first)
    expect(seeded).not.toEqual(first)
  })

  test('a shape has at least two axes', () => {
    expect(() => heNormal([4])).toThrow(new g.ShapeError('heNormal: expected a shape [out, in, …window], got [4]'))
  })
})

describe('linear', () => {
  test('is x·weightᵀ + bias on the last axis', () => {
    const layer = g.nn.linear(2, 3)
    layer.weight.assign([
      [1, 4],
      [2, 5],
      [3, 6],
    ])
    layer.bias!.assign([10, 20, 30])
    expect(
      layer
        .forward(
          g.tensor([
            [1, 1],
            [0, 2],
          ]),
        )
        .arraySync(),
    ).toEqual([
      [15, 27, 39],
      [18, 30, 42],
    ])
    expect(layer.forward(g.ones([5, 4, 2])).shape).toEqual([5, 4, 3])
  })

  test('starts with weights and a bias that are uniform on ±1/√in', () => {
    const { weight, bias } = g.nn.linear(300, 200)
    const limit = 1 / Math.sqrt(300)
    for (const values of [weight, bias!]) {
      expect(values.abs().max().itemSync()).toBeLessThanOrEqual(limit * (1 + 1e-6))
      expect(values.abs().max().itemSync()).toBeGreaterThan(0.97 * limit)
    }
    g.setSeed(1)
    expect(weight.dataSync()).toEqual(g.nn.init.fanInUniform([200, 300]).dataSync())
  })

  test('takes an initializer by name or as a function, a seed, a dtype, and no bias', () => {
    const he = g.nn.linear(3, 4, { initializer: 'heNormal', seed: 5, dtype: 'float64', bias: false })
    expect(he.weight.dataSync()).toEqual(g.nn.init.heNormal([4, 3], { seed: 5, dtype: 'float64' }).dataSync())
    expect(he.bias).toBeNull()
    expect(he.parameters()).toEqual([he.weight])
    expect(he.forward(g.ones([1, 3], { dtype: 'float64' })).dtype).toBe('float64')
    expect(g.nn.linear(2, 2, { initializer: (shape) => g.full(shape, 0.5) }).weight.arraySync()).toEqual([
      [0.5, 0.5],
      [0.5, 0.5],
    ])
  })

  test('a wrong width is a ShapeError that names both', () => {
    const layer = g.nn.linear(784, 10)
    expect(() => layer.forward(g.ones([32, 28, 28]))).toThrow(
      new g.ShapeError('linear: expected an input of shape […, 784], got [32, 28, 28]'),
    )
    expect(() => layer.forward(g.tensor(1))).toThrow(g.ShapeError)
  })

  test('wrong options are refused', () => {
    expect(() => g.nn.linear(0, 3)).toThrow(new RangeError('linear: expected a positive integer of features, got 0'))
    expect(() => g.nn.linear(3, 1.5)).toThrow(RangeError)
    expect(() => g.nn.linear(3, '4' as unknown as number)).toThrow(TypeError)
    const initializer = 'lecun' as 'heNormal'
    expect(() => g.nn.linear(3, 4, { initializer })).toThrow(
      'linear: expected an initializer, fanInUniform, glorotUniform, glorotNormal, heUniform, heNormal, xavierUniform, xavierNormal, kaimingUniform, kaimingNormal, uniform, normal, truncNormal, ones, zeros, eye, dirac, orthogonal or a function, got lecun',
    )
  })
})

describe('layers without parameters', () => {
  const x = g.tensor([
    [-2, 0, 1],
    [3, -1, 0.5],
  ])
  test.each([
    ['relu', g.nn.relu(), x.relu()],
    ['leakyRelu', g.nn.leakyRelu(), x.leakyRelu(0.01)],
    ['leakyRelu with a slope', g.nn.leakyRelu(0.3), x.leakyRelu(0.3)],
    ['elu', g.nn.elu(), x.elu(1)],
    ['elu with an alpha', g.nn.elu(0.3), x.elu(0.3)],
    ['gelu', g.nn.gelu(), x.gelu()],
    ['gelu with tanh', g.nn.gelu({ approximate: 'tanh' }), x.gelu({ approximate: 'tanh' })],
    ['silu', g.nn.silu(), x.silu()],
    ['sigmoid', g.nn.sigmoid(), x.sigmoid()],
    ['tanh', g.nn.tanh(), x.tanh()],
    ['softmax', g.nn.softmax(), x.softmax(1)],
    ['softmax over an axis', g.nn.softmax(0), x.softmax(0)],
  ])('%s', (_, layer, expected) => {
    expect(layer.forward(x).arraySync()).toEqual(expected.arraySync())
    expect(layer.parameters()).toEqual([])
  })

  test('flatten keeps the first axis', () => {
    expect(g.nn.flatten().forward(g.zeros([5, 2, 3, 4])).shape).toEqual([5, 24])
    expect(g.nn.flatten().forward(g.zeros([5, 2])).shape).toEqual([5, 2])
  })
})

describe('sequential', () => {
  const create = () => g.nn.sequential(g.nn.flatten(), g.nn.linear(4, 3), g.nn.tanh(), g.nn.linear(3, 2))

  test('applies its layers in order', () => {
    const model = create()
    const x = g.randn([5, 2, 2])
    const [first, second] = [model[1] as g.nn.Linear, model[3] as g.nn.Linear]
    expect(model.forward(x).arraySync()).toEqual(second.forward(first.forward(x.reshape([5, 4])).tanh()).arraySync())
  })

  test('names its parameters by the position of the layer', () => {
    const model = create()
    expect(Object.keys(model.namedParameters())).toEqual(['1.weight', '1.bias', '3.weight', '3.bias'])
    expect(model.parameters().map(({ shape }) => shape)).toEqual([[3, 4], [3], [2, 3], [2]])
    expect(Object.keys(g.nn.sequential(model, g.nn.linear(2, 1)).stateDict())).toContain('0.3.weight')
  })

  test('takes functions too, which are layers by lambda', () => {
    const model = g.nn.sequential(
      g.nn.linear(2, 3),
      (x) => x.square(),
      g.nn.lambda((x) => x.sum(1)),
    )
    const x = g.randn([4, 2])
    const linear = model[0] as g.nn.Linear
    expect(model.forward(x).dataSync()).toEqual(linear.forward(x).square().sum(1).dataSync())
    expect(model[1]).toBeInstanceOf(g.nn.Module)
    expect(Object.keys(model.namedParameters())).toEqual(['0.weight', '0.bias'])
    expect(() => g.nn.lambda(3 as unknown as () => g.Tensor)).toThrow(
      new TypeError('lambda: expected a function of a tensor, got 3'),
    )
  })

  test('and nothing else', () => {
    const layer = 'relu' as unknown as g.nn.Module
    expect(() => g.nn.sequential(g.nn.relu(), layer)).toThrow(
      new TypeError('sequential: expected modules and functions, got "relu" at 1'),
    )
  })
})

class Block extends g.nn.Module {
  readonly inner: g.nn.Linear
  readonly scales = [g.variable([1, 2]), g.variable([3])]
  readonly calls = g.variable(0, { trainable: false })
  parent: g.nn.Module | null = null

  constructor(readonly shared: g.Variable) {
    super()
    this.inner = g.nn.linear(2, 2)
  }

  forward(x: g.Tensor): g.Tensor {
    return this.inner.forward(x).mul(this.shared)
  }
}

describe('a module of one’s own', () => {
  test('has the variables among its properties, each once, whatever refers to what', () => {
    const shared = g.variable(2)
    const [a, b] = [new Block(shared), new Block(shared)]
    const model = g.nn.sequential(a, b)
    a.parent = model
    expect(Object.keys(model.stateDict()).sort()).toEqual(
      ['0.calls', '0.inner.bias', '0.inner.weight', '0.scales.0', '0.scales.1', '0.shared']
        .concat(['1.calls', '1.inner.bias', '1.inner.weight', '1.scales.0', '1.scales.1'])
        .sort(),
    )
    expect(model.parameters().filter((parameter) => parameter === shared)).toHaveLength(1)
    expect(model.parameters()).not.toContain(a.calls)
    expect(model.parameters()).toHaveLength(9)
  })
})

describe('stateDict and loadStateDict', () => {
  const create = () => g.nn.sequential(g.nn.linear(3, 4), g.nn.relu(), g.nn.linear(4, 2))
  const values = (model: g.nn.Module) => Object.entries(model.stateDict()).map(([name, x]) => [name, x.arraySync()])

  test('carry a model over', async () => {
    const [a, b] = [create(), create()]
    expect(values(a)).not.toEqual(values(b))
    b.loadStateDict(a.stateDict())
    expect(values(b)).toEqual(values(a))
    await g.optim.sgd({ learningRate: 1 }).minimizeAsync(() => b.forward(g.ones([1, 3])).sum())
    expect(values(b)).not.toEqual(values(a))
  })

  test('what was handed out does not change when training goes on', async () => {
    const model = create()
    const optimizer = g.optim.adam({ learningRate: 0.1 })
    const step = g.compile((x: g.Tensor) => optimizer.minimize(() => model.forward(x).square().mean()))
    await step(g.ones([2, 3]))
    const state = model.stateDict()
    const copies = Object.fromEntries(Object.entries(state).map(([name, x]) => [name, x.dataSync()]))
    for (let i = 0; i < 3; i++) await step(g.ones([2, 3]))
    step.sync(g.ones([2, 3]))
    for (const [name, x] of Object.entries(state)) expect(x.dataSync()).toEqual(copies[name])
    expect(model.stateDict()['2.bias']!.dataSync()).not.toEqual(copies['2.bias'])
  })

  test('nested arrays will do', () => {
    const layer = g.nn.linear(2, 1, { dtype: 'float64' })
    layer.loadStateDict({ weight: [[0.1, 0.2]], bias: [0.3] })
    expect(layer.weight.arraySync()).toEqual([[0.1, 0.2]])
  })

  test('of part of a model, by strict: false', () => {
    const [a, b] = [create(), create()]
    const { '2.weight': weight, ...others } = a.stateDict()
    const before = b.stateDict()['2.weight']!.arraySync()
    const report = b.loadStateDict({ ...others, extra: weight! }, { strict: false })
    expect(report).toEqual({ missing: ['2.weight'], unexpected: ['extra'] })
    expect(b.stateDict()['2.weight']!.arraySync()).toEqual(before)
    expect(b.stateDict()['0.weight']!.arraySync()).toEqual(a.stateDict()['0.weight']!.arraySync())
    expect(() => b.loadStateDict(a.stateDict(), { strict: 1 as never })).toThrow('loadStateDict: expected strict')
    expect(() => b.loadStateDict(a.stateDict(), {}, 1)).toThrow('loadStateDict: expected nothing after the options')
  })

  test.each([
    ['a missing name', { '2.bias': undefined }, TypeError, /expected exactly the names 0\.weight, .*, got no 2\.bias$/],
    ['an unknown name', { extra: g.zeros([1]) }, TypeError, /, got an unknown extra$/],
    ['both', { '2.bias': undefined, '2.b': g.zeros([2]) }, TypeError, /, got no 2\.bias and an unknown 2\.b$/],
    ['a wrong shape', { '2.bias': g.zeros([3]) }, g.ShapeError, 'loadStateDict: expected 2.bias of shape [2], got [3]'],
    [
      'a wrong dtype',
      { '2.bias': g.zeros([2], { dtype: 'int32' }) },
      g.DTypeError,
      'loadStateDict: expected 2.bias of float32, got int32',
    ],
    ['a value that cannot be computed', { '2.bias': g.zeros([2]).gather([0, 9]) }, RangeError, '9'],
  ])('%s is refused, and nothing is changed', (_, change, type, message) => {
    const model = create()
    const before = values(model)
    const state: Record<string, g.Tensor | undefined> = { ...create().stateDict(), ...change }
    for (const name of Object.keys(state)) if (state[name] === undefined) delete state[name]
    const load = () => model.loadStateDict(state as Record<string, g.Tensor>)
    expect(load).toThrow(type)
    expect(load).toThrow(message)
    expect(values(model)).toEqual(before)
  })
})

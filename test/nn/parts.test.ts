/** Which variables a model has, wherever they are kept, and what they are called. */
import { beforeEach, describe, expect, test } from 'vitest'
import * as g from '../../lib/index.ts'

beforeEach(() => g.setSeed(1))

const { nn } = g

/** A module with whatever parts. */
class Holder extends nn.Module {
  readonly parts: unknown
  constructor(parts: unknown) {
    super()
    this.parts = parts
  }

  forward(x: g.Tensor): g.Tensor {
    return x
  }
}

const namesIn = (parts: unknown) => Object.keys(new Holder(parts).namedParameters())

/** Neither a module nor a plain object, but a layer by what it can do. */
class Duck {
  readonly inner = nn.linear(2, 2, { bias: false })
  forward(x: g.Tensor): g.Tensor {
    return this.inner.forward(x)
  }
}

describe('parameters are found in', () => {
  const create = () => nn.linear(2, 2, { bias: false })

  test.each<readonly [string, () => unknown, string[]]>([
    [
      'a plain object',
      () => ({ head: create(), deep: { tail: create() } }),
      ['parts.head.weight', 'parts.deep.tail.weight'],
    ],
    ['an object without a prototype', () => Object.assign(Object.create(null), { a: create() }), ['parts.a.weight']],
    [
      'a map, by its keys',
      () =>
        new Map<unknown, unknown>([
          ['a', create()],
          [7, g.variable(1)],
        ]),
      ['parts.a.weight', 'parts.7'],
    ],
    ['a set, by the order of its elements', () => new Set([g.variable(1), create()]), ['parts.0', 'parts.1.weight']],
    ['arrays in arrays', () => [[create()], [create()]], ['parts.0.0.weight', 'parts.1.0.weight']],
    ['all of them in each other', () => [new Map([['x', new Set([{ y: [create()] }])]])], ['parts.0.x.0.y.0.weight']],
    ['the keys of a map', () => new Map([[create(), 'first']]), ['parts.0.key.weight']],
    ['what has a method forward', () => new Duck(), ['parts.inner.weight']],
  ])('%s', (_, parts, names) => {
    expect(namesIn(parts())).toEqual(names)
    const model = new Holder(parts())
    expect(Object.keys(model.stateDict())).toEqual(names)
    expect(model.parameters()).toHaveLength(names.length)
  })

  test('private fields of TypeScript, not of JavaScript', () => {
    class Model extends nn.Module {
      private readonly inner = create()
      readonly #hidden = create()
      forward(x: g.Tensor): g.Tensor {
        return this.#hidden.forward(this.inner.forward(x))
      }
    }
    expect(Object.keys(new Model().namedParameters())).toEqual(['inner.weight'])
  })

  test('cycles, each once', () => {
    const shared = create()
    const map = new Map<string, unknown>([['shared', shared]])
    const set = new Set<unknown>([map, shared])
    map.set('set', set)
    map.set('map', map)
    const holder = new Holder({ map, set })
    map.set('holder', holder)
    expect(Object.keys(holder.namedParameters())).toEqual(['parts.map.shared.weight'])
    expect(holder.eval().training).toBe(false)
    expect(shared.training).toBe(false)
  })

  test('no two under one name', () => {
    const model = new Holder({ 'a.b': g.variable(1), a: { b: g.variable(2) } })
    expect(() => model.parameters()).toThrow(
      new TypeError('Module: expected another name for each variable, got two parts.a.b'),
    )
  })
})

describe('what was found in objects, maps and sets', () => {
  class Model extends nn.Module {
    readonly parts = { heads: new Map([['a', nn.linear(2, 3)]]), norms: new Set([nn.batchNorm1d(3)]) }
    forward(x: g.Tensor): g.Tensor {
      return [...this.parts.norms][0]!.forward(this.parts.heads.get('a')!.forward(x))
    }
  }

  test('is saved and loaded', () => {
    const [a, b] = [new Model(), new Model()]
    expect(Object.keys(a.stateDict())).toEqual([
      'parts.heads.a.weight',
      'parts.heads.a.bias',
      'parts.norms.0.weight',
      'parts.norms.0.bias',
      'parts.norms.0.running_mean',
      'parts.norms.0.running_var',
    ])
    b.loadStateDict(a.stateDict())
    expect(b.forward(g.ones([2, 2])).dataSync()).toEqual(a.forward(g.ones([2, 2])).dataSync())
  })

  test('is trained, and has the mode of the model', async () => {
    const model = new Model()
    const before = model.parameters().map((x) => x.dataSync())
    const x = g.randn([16, 2])
    const dataset = g.data.fromTensors(
      x,
      x.matmul([
        [1, 2, 3],
        [3, 2, 1],
      ]),
    )
    await g.fit(model, dataset, { loss: 'mse', batchSize: 16, optimizer: g.optim.sgd({ learningRate: 0.1 }) })
    const after = model.parameters().map((x) => x.dataSync())
    // The normalization takes away what the first bias adds.
    const changed = after.map((values, i) => values.some((x, j) => Math.abs(x - before[i]![j]!) > 1e-6))
    expect(changed).toEqual([true, false, true, true])
    expect([...model.parts.norms][0]!.runningMean.dataSync()).not.toEqual(new Float32Array(3))
    model.eval()
    expect(model.forward(x.slice(0, 1)).shape).toEqual([1, 3])
  })
})

describe('a trainable variable that the model does not give', () => {
  class Hidden extends nn.Module {
    readonly #scale = g.variable([1, 1], { name: 'scale' })
    readonly inner = nn.linear(2, 2)
    forward(x: g.Tensor): g.Tensor {
      return this.inner.forward(x).mul(this.#scale)
    }
  }
  const dataset = () => g.data.fromTensors(g.ones([4, 2]), g.zeros([4, 2]))
  const optimizer = () => g.optim.sgd({ learningRate: 0.1 })

  test('is named by fit, and nothing is trained', async () => {
    const model = new Hidden()
    const before = model.inner.weight.dataSync()
    const failure = g.fit(model, dataset(), { loss: 'mse', optimizer: optimizer() })
    await expect(failure).rejects.toThrow(
      /^fit: the loss depends on Variable scale float32\[2\], which is not among the parameters\(\) of the model/,
    )
    await expect(failure).rejects.toBeInstanceOf(g.GradientError)
    expect(model.inner.weight.dataSync()).toEqual(before)
  })

  test('is named where it is in the loss, or where parameters() of a structural model is not all', async () => {
    const temperature = g.variable(1, { name: 'temperature' })
    const loss = (x: g.Tensor, y: g.Tensor) => g.losses.meanSquaredError(x.mul(temperature), y)
    await expect(g.fit(nn.linear(2, 2), dataset(), { loss, optimizer: optimizer() })).rejects.toThrow(/temperature/)
    const [a, b] = [nn.linear(2, 2), nn.linear(2, 2)]
    const model = { forward: (x: g.Tensor) => b.forward(a.forward(x)), parameters: () => a.parameters() }
    await expect(g.fit(model, dataset(), { loss: 'mse', optimizer: optimizer() })).rejects.toThrow(
      /Variable (weight|bias) float32/,
    )
    b.freeze()
    await g.fit(model, dataset(), { loss: 'mse', optimizer: optimizer() })
  })

  test('is named by minimize with the parameters of the model', () => {
    const model = new Hidden()
    const loss = () =>
      model
        .forward(g.ones([1, 2]))
        .square()
        .mean()
    expect(() => optimizer().minimize(loss, model.parameters())).toThrow(/Variable scale float32\[2\]/)
  })
})

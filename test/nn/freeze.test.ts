/** Parts of a model that stay as they are while the rest is trained. */
import { beforeEach, describe, expect, test } from 'vitest'
import * as g from '../../lib/index.ts'

const { nn } = g

class Model extends nn.Module {
  readonly encoder = nn.sequential(nn.linear(2, 3), nn.batchNorm1d(3), nn.dropout(0.5), nn.linear(3, 3))
  readonly encoder2 = nn.linear(3, 3)
  readonly head = nn.linear(3, 1)

  forward(x: g.Tensor): g.Tensor {
    return this.head.forward(this.encoder2.forward(this.encoder.forward(x)))
  }
}

const x = g.tensor([
  [1, 2],
  [3, 5],
  [-1, 0],
  [2, -4],
])
const dataset = g.data.fromTensors(x, x.sum(1, { keepDims: true }))

const stateOf = (model: g.nn.Module) =>
  Object.fromEntries(Object.entries(model.stateDict()).map(([name, value]) => [name, value.dataSync()]))

/** The names of what differs. */
function changes(before: Record<string, g.TypedArray>, model: g.nn.Module): string[] {
  const after = stateOf(model)
  return Object.keys(after).filter((name) => !after[name]!.every((value, i) => value === before[name]![i]))
}

const options = (): g.FitOptions => ({
  loss: 'mse',
  batchSize: 4,
  epochs: 3,
  optimizer: g.optim.adam({ learningRate: 0.1 }),
})

beforeEach(() => g.setSeed(1))

describe('freeze', () => {
  const isTrained = (model: g.nn.Module) => Object.keys(model.namedParameters())

  test.each<readonly [string, string | RegExp, string[]]>([
    ['a module by its path', 'encoder', ['encoder2.weight', 'encoder2.bias', 'head.weight', 'head.bias']],
    [
      'a part of it',
      'encoder.0',
      ['encoder.1', 'encoder.3', 'encoder2', 'head'].flatMap((p) => [`${p}.weight`, `${p}.bias`]),
    ],
    [
      'a parameter',
      'head.bias',
      ['encoder.0', 'encoder.1', 'encoder.3', 'encoder2', 'head']
        .flatMap((p) => [`${p}.weight`, `${p}.bias`])
        .slice(0, -1),
    ],
    [
      'parameters by a pattern',
      /bias$/,
      ['encoder.0', 'encoder.1', 'encoder.3', 'encoder2', 'head'].map((p) => `${p}.weight`),
    ],
    ['modules by a pattern, that remembers nothing', /^encoder/g, ['head.weight', 'head.bias']],
  ])('%s', (_, pattern, left) => {
    const model = new Model()
    expect(model.freeze(pattern)).toBe(model)
    expect(isTrained(model)).toEqual(left)
    model.unfreeze(pattern)
    expect(isTrained(model)).toHaveLength(10)
  })

  test('of all, and some of it back', () => {
    const model = new Model().freeze()
    expect(model.parameters()).toEqual([])
    model.unfreeze('head')
    expect(isTrained(model)).toEqual(['head.weight', 'head.bias'])
    expect(Object.keys(model.stateDict())).toHaveLength(12)
    // What never was a parameter is none afterwards.
    model.unfreeze()
    expect(isTrained(model)).toHaveLength(10)
  })

  test('of what is not there is an error', () => {
    const model = new Model()
    expect(() => model.freeze('enc')).toThrow(RangeError)
    expect(() => model.freeze('enc')).toThrow(
      /^freeze: expected what a path has in it or begins with: encoder, .*, got enc$/,
    )
    expect(() => model.unfreeze(/x/)).toThrow(/^unfreeze: .*, got \/x\/$/)
    expect(() => model.freeze(3 as unknown as string)).toThrow(
      new TypeError('freeze: expected a path or a regular expression, got 3'),
    )
    expect(isTrained(model)).toHaveLength(10)
  })

  test('keeps optimizers away, also those that were given the variables, and compiled steps from before', async () => {
    const model = new Model().eval()
    const optimizer = g.optim.sgd({ learningRate: 0.1 })
    const loss = () => model.forward(x).square().mean()
    const parameters = model.parameters()
    const steps = [
      () => optimizer.minimize(loss),
      () => optimizer.minimize(loss, parameters),
      g.compile(() => optimizer.minimize(loss)).sync,
    ]
    for (const step of steps) {
      step()
      model.freeze('encoder')
      const before = stateOf(model)
      step()
      expect(changes(before, model)).toEqual(['encoder2.weight', 'encoder2.bias', 'head.weight', 'head.bias'])
      model.unfreeze()
      const again = stateOf(model)
      step()
      expect(changes(again, model)).toContain('encoder.0.weight')
    }
  })

  test('lets gradients through to what comes before', () => {
    const layer = nn.linear(2, 2).freeze()
    const w = g.variable([[1, 2]])
    expect(g.gradients(layer.forward(w).sum(), [w])[0]!.dataSync()).toEqual(layer.weight.sum(0).dataSync())
  })
})

describe('fit', () => {
  test('keeps running statistics of what is frozen, and moves those of what is only in evaluation mode', async () => {
    const model = new Model().eval()
    await g.fit(model, dataset, options())
    const before = stateOf(model)
    model.freeze('encoder')
    await g.fit(model, dataset, options())
    expect(changes(before, model)).toEqual(['encoder2.weight', 'encoder2.bias', 'head.weight', 'head.bias'])
    expect(before['encoder.1.running_mean']).not.toEqual(new Float32Array(3))
    model.unfreeze()
    await g.fit(model, dataset, options())
    expect(changes(before, model)).toContain('encoder.1.running_mean')
    expect(model.training).toBe(false)
  })

  test.each<readonly [string, string | RegExp, boolean]>([
    ['its path', 'encoder.1', true],
    ['all of its variables', /^encoder\.1\./, true],
    ['one of its variables', 'encoder.1.weight', false],
  ])('a normalization is in evaluation mode if frozen by %s', async (_, pattern, isStill) => {
    const model = new Model().freeze(pattern)
    const before = stateOf(model)
    await g.fit(model, dataset, options())
    expect(changes(before, model).includes('encoder.1.running_var')).toBe(!isStill)
    expect(changes(before, model)).not.toContain('encoder.1.weight')
    expect(changes(before, model)).toContain('head.weight')
  })

  test('dropout in a frozen part drops nothing', async () => {
    const run = async (model: g.nn.Module) =>
      (await g.fit(model, dataset, { ...options(), epochs: 1, optimizer: g.optim.sgd({ learningRate: 0 }) })).epochs[0]!
        .loss
    const create = () => nn.sequential(nn.sequential(nn.dropout(0.5)), nn.linear(2, 1, { seed: 1 }))
    const still = await run(create().freeze('0'))
    expect(still).toBe(await run(nn.sequential(nn.flatten(), nn.linear(2, 1, { seed: 1 }))))
    expect(await run(create())).not.toBe(still)
  })

  test('follows what a callback freezes and unfreezes', async () => {
    const model = new Model().freeze('encoder')
    const seen: boolean[] = []
    let before = stateOf(model)
    const onEpochEnd = ({ epoch }: g.EpochInfo) => {
      seen.push(changes(before, model).includes('encoder.0.weight'))
      before = stateOf(model)
      if (epoch === 0) model.unfreeze('encoder')
      else model.freeze('encoder')
    }
    await g.fit(model, dataset, { ...options(), callbacks: { onEpochEnd } })
    expect(seen).toEqual([false, true, false])
  })

  test('a model that is frozen as a whole has nothing to learn', async () => {
    await expect(g.fit(new Model().freeze(), dataset, options())).rejects.toThrow(
      'minimize: the loss depends on no trainable variable',
    )
  })
})

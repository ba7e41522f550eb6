/** Layers that train otherwise than they predict: modes, running statistics, and what compiled functions make of them. */
import { beforeEach, describe, expect, test } from 'vitest'
import * as g from '../../lib/index.ts'
import { expectClose } from '../support/close.ts'

beforeEach(() => g.setSeed(1))

class Recorder extends g.nn.Module {
  readonly modes: boolean[] = []
  readonly weight = g.variable(1)
  readonly parts = [g.nn.dropout(0.5)]
  parent: g.nn.Module | null = null

  forward(x: g.Tensor): g.Tensor {
    this.modes.push(this.training)
    return x.mul(this.weight)
  }
}

describe('train and eval', () => {
  test('reach the modules in a module, in arrays and in a cycle', () => {
    const inner = new Recorder()
    const model = g.nn.sequential(g.nn.flatten(), g.nn.sequential(inner))
    inner.parent = model
    const all = [model, model[1]!, inner, inner.parts[0]!]
    expect(all.map(({ training }) => training)).toEqual([true, true, true, true])
    expect(model.eval()).toBe(model)
    expect(all.map(({ training }) => training)).toEqual([false, false, false, false])
    inner.train()
    expect(all.map(({ training }) => training)).toEqual([true, true, true, true])
    model.train(false)
    expect(inner.training).toBe(false)
  })

  test('a compiled function never replays a step of the other mode', async () => {
    const drop = g.nn.sequential(g.nn.dropout(0.5))
    const forward = g.compile((x: g.Tensor) => drop.forward(x))
    const x = g.ones([100])
    const isDropped = (y: g.Tensor) => y.dataSync().includes(0)
    expect(isDropped(forward.sync(x))).toBe(true)
    drop.eval()
    expect(isDropped(forward.sync(x))).toBe(false)
    expect(isDropped(await forward(x))).toBe(false)
    drop.train()
    expect(isDropped(await forward(x))).toBe(true)
    drop.eval()
    expect(isDropped(forward.sync(x))).toBe(false)
    expect(forward.traces).toBe(2)
  })

  test('fit trains in training mode, validates in evaluation mode, and changes neither', async () => {
    const [model, other] = [new Recorder(), new Recorder().eval().freeze()]
    model.eval()
    const dataset = g.data.fromTensors(g.ones([4, 1]), g.ones([4, 1]))
    const during: boolean[] = []
    const options: g.FitOptions = {
      epochs: 2,
      batchSize: 4,
      loss: (x, y) => g.losses.meanSquaredError(other.forward(x), y),
      optimizer: g.optim.sgd({ learningRate: 0.1 }),
      validation: dataset,
      callbacks: { onEpochEnd: () => during.push(model.training) },
    }
    await g.fit(model, dataset, options)
    expect(model.modes).toEqual([true, false])
    expect(other.modes).toEqual([false, false])
    expect([model.training, ...during]).toEqual([false, false, false])
  })

  test('fit calls a model that is no module, and sets the modes of the modules in it', async () => {
    const inner = new Recorder()
    const model = { inner, forward: (x: g.Tensor) => inner.forward(x), parameters: () => inner.parameters() }
    const dataset = g.data.fromTensors(g.ones([4, 1]), g.ones([4, 1]))
    const optimizer = g.optim.sgd({ learningRate: 0.1 })
    await g.fit(model, dataset, { loss: g.losses.meanSquaredError, optimizer, validation: dataset })
    expect(inner.modes).toEqual([true, false])
  })

  test.each<readonly [string, (inner: Recorder) => g.Trainable]>([
    ['a closure', (inner) => ({ forward: (x) => inner.forward(x), parameters: () => inner.parameters() })],
    ['a class with a private field', (inner) => new Private(inner)],
    ['a map', (inner) => ({ ...asIt(inner), parts: new Map([['inner', inner]]) })],
    ['an object in an array', (inner) => ({ ...asIt(inner), parts: [{ inner }] })],
  ])('the modules of a model that is none are in the mode of fit: %s', async (_, create) => {
    const inner = new Recorder().eval()
    const dataset = g.data.fromTensors(g.ones([4, 1]), g.ones([4, 1]))
    await g.fit(create(inner), dataset, {
      loss: 'mse',
      optimizer: g.optim.sgd({ learningRate: 0.1 }),
      validation: dataset,
    })
    expect(inner.modes).toEqual([true, false])
    expect(inner.training).toBe(false)
  })

  test('what the model only asks, and does not own, keeps its mode while it trains', async () => {
    const [inner, teacher] = [new Recorder(), new Recorder().eval().freeze()]
    const model = {
      inner,
      forward: (x: g.Tensor) => inner.forward(x).add(teacher.forward(x)),
      parameters: () => inner.parameters(),
    }
    const dataset = g.data.fromTensors(g.ones([4, 1]), g.ones([4, 1]))
    await g.fit(model, dataset, { loss: 'mse', optimizer: g.optim.sgd({ learningRate: 0.1 }), validation: dataset })
    expect([inner.modes, teacher.modes]).toEqual([
      [true, false],
      [false, false],
    ])
  })
})

class Private {
  readonly #inner: Recorder

  constructor(inner: Recorder) {
    this.#inner = inner
  }

  forward(x: g.Tensor): g.Tensor {
    return this.#inner.forward(x)
  }

  parameters(): g.Variable[] {
    return this.#inner.parameters()
  }
}

const asIt = (inner: Recorder): g.Trainable => ({
  forward: (x) => inner.forward(x),
  parameters: () => inner.parameters(),
})

/** Computed with PyTorch: BatchNorm1d(2) after one and after two training steps on these. */
const batches = [
  [
    [1, 10],
    [2, 30],
    [6, 20],
  ],
  [
    [0, 1],
    [4, 2],
    [2, 9],
  ],
]
const runningMeans = [
  [0.3, 2],
  [0.47, 2.2],
]
const runningVariances = [
  [1.6, 10.9],
  [1.84, 11.71],
]

describe('batchNorm', () => {
  const state = (norm: g.nn.BatchNorm) => [norm.runningMean.dataSync(), norm.runningVariance.dataSync()]

  function expectState(norm: g.nn.BatchNorm, steps: number): void {
    const [mean, variance] = state(norm)
    expectClose(mean!, runningMeans[steps - 1]!, 1e-6)
    expectClose(variance!, runningVariances[steps - 1]!, 1e-6)
  }

  test('keeps running statistics, in forward', () => {
    const norm = g.nn.batchNorm1d(2)
    batches.forEach((batch, i) => {
      const y = norm.forward(g.tensor(batch))
      expectClose(y.mean(0).dataSync(), [0, 0], 1e-6)
      expectState(norm, i + 1)
    })
  })

  test('as part of a compiled step, of a scan and of an optimizer’s', async () => {
    const norm = g.nn.batchNorm1d(2)
    const optimizer = g.optim.sgd({ learningRate: 0.1 })
    const step = g.compile((x: g.Tensor) => optimizer.minimize(() => norm.forward(x).square().mean()))
    step.sync(g.tensor(batches[0]!))
    expectState(norm, 1)
    await step(g.tensor(batches[1]!))
    expectState(norm, 2)
    expect(step.traces).toBe(1)

    const scanned = g.nn.batchNorm1d(2)
    const forward = g.compile((x: g.Tensor) => scanned.forward(x))
    await forward.scan(g.tensor(batches))
    expectState(scanned, 2)
  })

  test('predicts by them in evaluation, and leaves them', () => {
    const norm = g.nn.batchNorm1d(2, { epsilon: 0 })
    norm.runningMean.assign([1, 2])
    norm.runningVariance.assign([4, 9])
    norm.weight!.assign([2, 3])
    norm.bias!.assign([0, 1])
    norm.eval()
    expectClose(norm.forward(g.tensor([[5, 8]])).dataSync(), [4, 7], 1e-6)
    expect(state(norm)).toEqual([Float32Array.of(1, 2), Float32Array.of(4, 9)])
  })

  test('they are state, but no parameters', () => {
    const norm = g.nn.batchNorm1d(2)
    expect(Object.keys(norm.namedParameters())).toEqual(['weight', 'bias'])
    expect(Object.keys(norm.stateDict())).toEqual(['weight', 'bias', 'running_mean', 'running_var'])
    expect(Object.keys(g.nn.batchNorm1d(2, { affine: false }).stateDict())).toEqual(['running_mean', 'running_var'])
  })

  test('images, with the channels first or last', () => {
    const x = g.randn([2, 3, 4, 5])
    const first = g.nn.batchNorm2d(3).forward(x)
    const last = g.nn.batchNorm2d(3, { axis: -1 }).forward(x.transpose([0, 2, 3, 1]))
    expectClose(last.transpose([0, 3, 1, 2]).dataSync(), first.dataSync(), 1e-5)
  })

  test('fit learns statistics that validation uses', async () => {
    const model = g.nn.sequential(g.nn.batchNorm1d(2), g.nn.linear(2, 1))
    const x = g.randn([64, 2], { mean: 5, std: 3 })
    const dataset = g.data.fromTensors(x, x.sum(1, { keepDims: true }))
    const history = await g.fit(model, dataset, {
      epochs: 40,
      batchSize: 16,
      loss: g.losses.meanSquaredError,
      optimizer: g.optim.adam({ learningRate: 0.1 }),
      validation: dataset,
    })
    expectClose((model[0] as g.nn.BatchNorm).runningMean.dataSync(), x.mean(0).dataSync(), 0.5)
    expect(history.epochs.at(-1)!.validation!.loss).toBeLessThan(3)
  })

  test.each<readonly [string, () => unknown]>([
    [
      'batchNorm: expected an input of 2 or 3 axes with 2 channels at axis 1, got [4, 3]',
      () => g.nn.batchNorm1d(2).forward(g.ones([4, 3])),
    ],
    [
      'batchNorm: expected an input of 4 axes with 2 channels at axis 1, got [4, 2]',
      () => g.nn.batchNorm2d(2).forward(g.ones([4, 2])),
    ],
    [
      'batchNorm: expected more than one value per channel in training, got [1, 2]',
      () => g.nn.batchNorm1d(2).forward(g.ones([1, 2])),
    ],
    ['batchNorm1d: expected a positive integer of features, got 0', () => g.nn.batchNorm1d(0)],
    ['batchNorm1d: expected a momentum in [0, 1], got 2', () => g.nn.batchNorm1d(2, { momentum: 2 })],
    ['groupNorm: expected a positive integer of groups that divides 4, got 3', () => g.nn.groupNorm(3, 4)],
  ])('%s', (message, run) => {
    expect(run).toThrow(RangeError)
    expect(run).toThrow(message)
  })
})

describe('layers of the functions', () => {
  const x = g.randn([2, 4, 3])
  test.each<readonly [string, g.nn.Normalization, g.Tensor, string[]]>([
    ['layerNorm', g.nn.layerNorm(3), x.layerNorm(), ['weight', 'bias']],
    ['layerNorm of two axes', g.nn.layerNorm([4, 3]), x.layerNorm({ normalizedShape: [4, 3] }), ['weight', 'bias']],
    ['rmsNorm', g.nn.rmsNorm(3), x.rmsNorm(), ['weight']],
    ['groupNorm', g.nn.groupNorm(2, 4), x.groupNorm(2), ['weight', 'bias']],
    ['instanceNorm', g.nn.instanceNorm(4), x.instanceNorm(), []],
    ['instanceNorm, affine', g.nn.instanceNorm(4, { affine: true }), x.instanceNorm(), ['weight', 'bias']],
  ])('%s', (_, layer, expected, names) => {
    expectClose(layer.forward(x).dataSync(), expected.dataSync(), 1e-6)
    expect(Object.keys(layer.namedParameters())).toEqual(names)
    layer.weight?.assign(layer.weight.mul(2))
    layer.bias?.assign(layer.bias.add(1))
    const scaled = expected.mul(layer.weight === null ? 1 : 2).add(layer.bias === null ? 0 : 1)
    expectClose(layer.forward(x).dataSync(), scaled.dataSync(), 1e-5)
  })

  test('embedding: the padding row starts at 0 and stays there', () => {
    const layer = g.nn.embedding(5, 3, { paddingIndex: -5 })
    expect(layer.weight.slice(0, 1).arraySync()).toEqual([[0, 0, 0]])
    const before = layer.weight.arraySync() as number[][]
    const indices = g.tensor([0, 2], { dtype: 'int32' })
    g.optim.sgd({ learningRate: 1 }).minimize(() => layer.forward(indices).sum())
    const after = layer.weight.arraySync() as number[][]
    expect(after[0]).toEqual([0, 0, 0])
    expectClose(
      Float32Array.from(after[2]!),
      before[2]!.map((x) => x - 1),
      1e-6,
    )
    expect(after[1]).toEqual(before[1])
    expect(() => g.nn.embedding(5, 3, { paddingIndex: 5 })).toThrow(RangeError)
  })

  test('sinusoidalEncoding', () => {
    const encoding = g.nn.sinusoidalEncoding(3, 4).arraySync() as number[][]
    expect(encoding[0]).toEqual([0, 1, 0, 1])
    expectClose(Float32Array.from(encoding[2]!), [Math.sin(2), Math.cos(2), Math.sin(0.02), Math.cos(0.02)], 1e-6)
  })
})

describe('multiHeadAttention and transformerEncoderLayer', () => {
  test('a mask keeps padding out, causal what comes later', () => {
    const attention = g.nn.multiHeadAttention(8, 2)
    const x = g.randn([2, 5, 8])
    const longer = g.concat([x, g.randn([2, 2, 8])], 1)
    const mask = g.tensor([1, 1, 1, 1, 1, 0, 0], { dtype: 'bool' })
    const wanted = attention.forward(x).dataSync()
    expectClose(attention.forward(longer, { mask }).slice([0, 0], [2, 5]).dataSync(), wanted, 1e-5)
    const causal = attention.forward(x, { causal: true }).dataSync()
    const more = attention.forward(longer, { causal: true }).slice([0, 0], [2, 5])
    expectClose(more.dataSync(), causal, 1e-5)
    expect(causal).not.toEqual(wanted)
  })

  test('attends to another sequence, of other widths', () => {
    const attention = g.nn.multiHeadAttention(8, 4, { keyFeatures: 3, valueFeatures: 5, bias: false })
    const y = attention.forward(g.randn([2, 6, 8]), { key: g.randn([2, 4, 3]), value: g.randn([2, 4, 5]) })
    expect(y.shape).toEqual([2, 6, 8])
    expect(Object.keys(attention.namedParameters())).toEqual([
      'query.weight',
      'key.weight',
      'value.weight',
      'output.weight',
    ])
    expect(() => g.nn.multiHeadAttention(8, 3)).toThrow(
      'multiHeadAttention: expected heads that divide the features, got 3',
    )
  })

  test('an encoder learns, with dropout in training alone', async () => {
    const layer = g.nn.transformerEncoderLayer(8, 2, { feedForward: 16, dropout: 0.1, activation: 'gelu' })
    const x = g.randn([4, 6, 8])
    const optimizer = g.optim.adam({ learningRate: 0.01 })
    const target = x.transpose([0, 2, 1]).reshape([4, 6, 8]).layerNorm()
    const step = g.compile(() => optimizer.minimize(() => g.losses.meanSquaredError(layer.forward(x), target)))
    const losses = Array.from({ length: 150 }, () => step.sync().itemSync())
    expect(losses.at(-1)).toBeLessThan(0.5 * losses[0]!)
    expect(layer.forward(x).dataSync()).not.toEqual(layer.forward(x).dataSync())
    layer.eval()
    expect(layer.forward(x).dataSync()).toEqual(layer.forward(x).dataSync())
    const activation = 'swish' as 'relu'
    expect(() => g.nn.transformerEncoderLayer(8, 2, { activation })).toThrow(
      'transformerEncoderLayer: expected an activation, relu, gelu, silu or a function, got swish',
    )
  })
})

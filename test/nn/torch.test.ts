/** Layers hold what PyTorch's do: its state dicts load, and give its outputs; what they start with is distributed as its. */
import { readFileSync } from 'node:fs'
import { beforeEach, describe, expect, test } from 'vitest'
import * as g from '../../lib/index.ts'
import { backendNames } from '../support/backends.ts'
import { expectClose } from '../support/close.ts'

interface Numbers {
  readonly shape: number[]
  readonly data: number[]
}

interface Fixture {
  readonly name: string
  readonly state: Readonly<Record<string, Numbers>>
  readonly inputs: readonly Numbers[]
  readonly output: Numbers
}

const fixtures: readonly Fixture[] = JSON.parse(
  readFileSync(new URL('../fixtures/layers.json', import.meta.url), 'utf8'),
)

const { nn } = g

class Words extends nn.Module {
  readonly embedding = nn.embedding(7, 4)
  readonly encoder = nn.transformerEncoderLayer(4, 2, { feedForward: 6 })
  readonly head = { weight: this.embedding.weight }

  forward(x: g.Tensor): g.Tensor {
    return this.encoder.forward(this.embedding.forward(x)).matmul(this.head.weight.transpose())
  }
}

/** With how their inputs are given, where that is not the first one alone. */
const models: Readonly<Record<string, () => g.nn.Module>> = {
  image: () =>
    nn.sequential(
      nn.conv2d(2, 4, [3, 2], { stride: 2, padding: 1, groups: 2 }),
      nn.batchNorm2d(4),
      nn.prelu({ features: 4 }),
      nn.convTranspose2d(4, 3, 2, { stride: 2 }),
      nn.groupNorm(3, 3),
      nn.relu(),
      nn.flatten(),
      nn.linear(144, 3),
      nn.layerNorm(3),
    ),
  line: () =>
    nn.sequential(
      nn.conv1d(3, 4, 3, { dilation: 2 }),
      nn.batchNorm1d(4),
      nn.prelu(),
      nn.convTranspose1d(4, 2, 3, { stride: 2, groups: 2 }),
      nn.instanceNorm(2, { affine: true }),
      nn.flatten(),
      nn.linear(18, 2, { bias: false }),
      nn.batchNorm1d(2, { affine: false }),
    ),
  words: () => new Words(),
  encoder: () => nn.transformerEncoderLayer(4, 2, { feedForward: 8, activation: 'gelu', normFirst: true }),
  attention: () => nn.multiHeadAttention(6, 2),
  'attention to keys of another width': () => nn.multiHeadAttention(6, 3, { keyFeatures: 4 }),
  'attention without a bias': () => nn.multiHeadAttention(4, 2, { keyFeatures: 3, valueFeatures: 5, bias: false }),
}

const toTensor = ({ shape, data }: Numbers, dtype: g.DType = 'float32') => g.tensor(data, { shape, dtype })

const stateOf = ({ state }: Fixture): g.nn.StateDict =>
  Object.fromEntries(Object.entries(state).map(([name, value]) => [name, toTensor(value)]))

function outputOf(model: g.nn.Module, { name, inputs }: Fixture): g.Tensor {
  const [x, key, value] = inputs.map((input) => toTensor(input, name === 'words' ? 'int32' : 'float32'))
  return model instanceof Words || key === undefined
    ? model.forward(x!)
    : (model as g.nn.MultiHeadAttention).forward(x!, { key, value: value! })
}

beforeEach(() => g.setSeed(1))

describe.each(backendNames)('state dicts of PyTorch on the %s backend', (backend) => {
  beforeEach(() => g.setBackend(backend))

  test.each(fixtures.map((fixture) => [fixture.name, fixture] as const))('%s', (name, fixture) => {
    const model = models[name]!().eval()
    model.loadStateDict(stateOf(fixture))
    const output = outputOf(model, fixture)
    expect(output.shape).toEqual(fixture.output.shape)
    expectClose(output.dataSync(), fixture.output.data, 2e-5)
  })
})

describe('a state dict', () => {
  test.each(fixtures.map((fixture) => [fixture.name, fixture] as const))('is PyTorch’s again: %s', (name, fixture) => {
    const model = models[name]!()
    model.loadStateDict(stateOf(fixture))
    const state = model.stateDict()
    // Counts of batches are not kept, and what is tied is there once.
    const names = Object.keys(fixture.state).filter((key) => !/num_batches|head/.test(key))
    expect(Object.keys(state)).toEqual(names)
    for (const key of names) {
      expect(state[key]!.shape).toEqual(fixture.state[key]!.shape)
      expectClose(state[key]!.dataSync(), fixture.state[key]!.data, 1e-6)
    }
    const other = models[name]!().eval()
    other.loadStateDict(state)
    expectClose(outputOf(other, fixture).dataSync(), fixture.output.data, 2e-5)
  })

  test('comes by the paths of properties too, and as nested arrays', () => {
    const attention = nn.multiHeadAttention(2, 1)
    const values = Object.fromEntries(
      Object.entries(attention.namedParameters()).map(([name, x], i) => [name, x.value.mul(0).add(i)]),
    )
    attention.loadStateDict(values)
    expect(attention.key.weight.arraySync()).toEqual([
      [2, 2],
      [2, 2],
    ])
    const { in_proj_weight, ...others } = attention.stateDict()
    expect(in_proj_weight!.arraySync()).toEqual([0, 0, 2, 2, 4, 4].map((x) => [x, x]))
    const packed = [1, 2, 3, 4, 5, 6].map((x) => [x, -x])
    attention.loadStateDict({ ...others, in_proj_weight: g.tensor(packed) })
    expect(attention.value.weight.arraySync()).toEqual(packed.slice(4))
    const norm = nn.batchNorm1d(2)
    norm.loadStateDict({ weight: [1, 1], bias: [0, 0], runningMean: [1, 2], runningVariance: [3, 4] })
    expect(norm.stateDict().running_var!.arraySync()).toEqual([3, 4])
    norm.loadStateDict({
      weight: [1, 1],
      bias: [0, 0],
      running_mean: [5, 6],
      running_var: [7, 8],
      num_batches_tracked: 3,
    })
    expect(norm.runningMean.arraySync()).toEqual([5, 6])
  })

  test('of another shape or without a bias is refused, and nothing is changed', () => {
    const attention = nn.multiHeadAttention(6, 2)
    const before = attention.query.weight.dataSync()
    const state = attention.stateDict()
    expect(() => attention.loadStateDict({ ...state, in_proj_weight: g.zeros([6, 18]) })).toThrow(
      new g.ShapeError('loadStateDict: expected in_proj_weight of shape [18, 6], got [6, 18]'),
    )
    expect(() => nn.multiHeadAttention(6, 2, { bias: false }).loadStateDict(state)).toThrow(/an unknown in_proj_bias/)
    const { in_proj_bias: _, ...without } = state
    expect(() => attention.loadStateDict(without)).toThrow(/got no query\.bias, key\.bias, value\.bias$/)
    expect(attention.query.weight.dataSync()).toEqual(before)
    const linear = nn.linear(3, 2)
    expect(() => linear.loadStateDict({ weight: g.zeros([3, 2]), bias: [0, 0] })).toThrow(
      new g.ShapeError('loadStateDict: expected weight of shape [2, 3], got [3, 2]'),
    )
  })
})

/** What a uniform distribution on ±limit is within, and close to; its variance is limit²/3. */
function expectUniform(x: g.Tensor, limit: number): void {
  expect(x.abs().max().itemSync()).toBeLessThanOrEqual(limit * (1 + 1e-6))
  expect(x.abs().max().itemSync()).toBeGreaterThan(limit * (1 - 20 / x.size))
  // Five standard errors: the variance of the square of a uniform number is 4/45 limit⁴.
  const error = 5 * Math.sqrt(4 / 45 / x.size)
  expect(Math.abs(x.square().mean().itemSync() / limit ** 2 - 1 / 3)).toBeLessThan(error)
  expect(Math.abs(x.mean().itemSync() / limit)).toBeLessThan(5 / Math.sqrt(3 * x.size))
}

/** By the sources of torch 2.13: `reset_parameters` of Linear, _ConvNd, Embedding and MultiheadAttention. */
describe('initial values', () => {
  test.each<readonly [string, { weight: g.Tensor; bias: g.Tensor | null }, number[], number]>([
    ['linear', nn.linear(100, 200), [200, 100], 1 / 10],
    ['conv1d', nn.conv1d(16, 64, 4), [64, 16, 4], 1 / 8],
    ['conv2d', nn.conv2d(16, 64, [2, 5], { groups: 4 }), [64, 4, 2, 5], 1 / Math.sqrt(40)],
    ['convTranspose1d', nn.convTranspose1d(64, 16, 4), [64, 16, 4], 1 / 8],
    ['convTranspose2d', nn.convTranspose2d(64, 16, 3, { groups: 4 }), [64, 4, 3, 3], 1 / 6],
  ])('%s: weight and bias uniform on ±1/√in', (_, { weight, bias }, shape, limit) => {
    expect(weight.shape).toEqual(shape)
    expectUniform(weight, limit)
    expectUniform(bias!, limit)
  })

  test('embedding: normal', () => {
    const { weight } = nn.embedding(100, 50)
    expect(Math.abs(weight.mean().itemSync())).toBeLessThan(5 / Math.sqrt(5000))
    expect(Math.abs(weight.square().mean().itemSync() - 1)).toBeLessThan(5 * Math.sqrt(2 / 5000))
    expect(weight.abs().max().itemSync()).toBeGreaterThan(3)
  })

  test('attention: Glorot’s, of the three weights as one where they have one width, and biases of 0', () => {
    const same = nn.multiHeadAttention(64, 4)
    expectUniform(same.stateDict().in_proj_weight!, Math.sqrt(6 / (4 * 64)))
    expectUniform(same.output.weight, 1 / 8)
    const others = nn.multiHeadAttention(64, 4, { keyFeatures: 32 })
    expectUniform(others.key.weight, Math.sqrt(6 / 96))
    expectUniform(others.value.weight, Math.sqrt(6 / 128))
    for (const layer of [same, others]) {
      for (const { bias } of [layer.query, layer.key, layer.value, layer.output])
        expect(bias!.dataSync()).toEqual(new Float32Array(64))
    }
  })

  test('normalizations: 1 and 0; prelu: 0.25', () => {
    for (const layer of [nn.batchNorm1d(3), nn.layerNorm(3), nn.groupNorm(3, 3), nn.instanceNorm(3, { affine: true })])
      expect([layer.weight!.arraySync(), layer.bias!.arraySync()]).toEqual([
        [1, 1, 1],
        [0, 0, 0],
      ])
    expect(nn.prelu({ features: 2 }).weight.arraySync()).toEqual([0.25, 0.25])
  })
})

describe('widths', () => {
  test('values are as wide as queries unless given, whatever the keys are', () => {
    const attention = nn.multiHeadAttention(6, 2, { keyFeatures: 4 })
    expect([attention.key.weight.shape, attention.value.weight.shape]).toEqual([
      [6, 4],
      [6, 6],
    ])
    const y = attention.forward(g.randn([2, 3, 6]), { key: g.randn([2, 5, 4]), value: g.randn([2, 5, 6]) })
    expect(y.shape).toEqual([2, 3, 6])
    expect(nn.multiHeadAttention(6, 2, { valueFeatures: 4 }).value.weight.shape).toEqual([6, 4])
  })

  test('prelu has slopes for the channels at axis 1', () => {
    const layer = nn.prelu({ features: 3 })
    layer.weight.assign([0.5, 2, 3])
    expect(layer.forward(g.full([1, 3, 2], -1)).arraySync()).toEqual([
      [
        [-0.5, -0.5],
        [-2, -2],
        [-3, -3],
      ],
    ])
    expect(() => layer.forward(g.zeros([2, 4]))).toThrow(
      new g.ShapeError('prelu: expected an input with 3 channels at axis 1, got [2, 4]'),
    )
  })
})

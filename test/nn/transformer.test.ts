/** Transformers, rotary positions and parametrizations of weights: PyTorch's values, gradients and names. */
import { readFileSync } from 'node:fs'
import { beforeEach, describe, expect, test } from 'vitest'
import * as g from '../../lib/index.ts'
import { backendNames } from '../support/backends.ts'
import { expectClose } from '../support/close.ts'

interface Numbers {
  readonly shape: number[]
  readonly data: (number | boolean)[]
}

type Named<T> = Readonly<Record<string, T>>

interface Fixture {
  readonly name: string
  readonly state: Named<Numbers>
  readonly inputs: Named<Numbers>
  readonly output: Numbers
  readonly factors: Numbers
  readonly gradients: Named<Numbers>
  readonly after: Named<Numbers>
}

interface Rotary {
  readonly x: Numbers
  readonly positions: number[]
  readonly base: number
  readonly output: Numbers
}

const fixtures: { modules: Fixture[]; rotary: Rotary[] } = JSON.parse(
  readFileSync(new URL('../fixtures/transformer.json', import.meta.url), 'utf8'),
)

const { nn } = g

const toTensor = ({ shape, data }: Numbers): g.Tensor =>
  typeof data[0] === 'boolean'
    ? g.tensor(data.map(Number), { shape }).cast('bool')
    : g.tensor(data as number[], { shape })

type Inputs = Named<g.Tensor>

interface Model {
  readonly model: g.nn.Module
  readonly forward: (x: Inputs) => g.Tensor
}

const options = { feedForward: 6 }

const decoding = (model: g.nn.TransformerDecoderLayer | g.nn.TransformerDecoder): Model => ({
  model: model as unknown as g.nn.Module,
  forward: ({ x, memory, ...masks }) => model.forward(x!, memory!, { causal: true, ...masks }),
})

const simple = (model: g.nn.Module): Model => ({ model, forward: ({ x }) => model.forward(x!) })

const models: Readonly<Record<string, () => Model>> = {
  'decoder layer': () => decoding(nn.transformerDecoderLayer(4, 2, options)),
  'decoder layer, normFirst': () =>
    decoding(nn.transformerDecoderLayer(4, 2, { ...options, normFirst: true, activation: 'gelu' })),
  encoder: () => {
    const model = nn.transformerEncoder(4, 2, 2, { ...options, normFirst: true, norm: true })
    return { model, forward: ({ x, ...masks }) => model.forward(x!, { causal: true, ...masks }) }
  },
  decoder: () => decoding(nn.transformerDecoder(4, 2, 2, { ...options, norm: true })),
  transformer: () => {
    const model = nn.transformer(4, 2, { ...options, encoderLayers: 1, decoderLayers: 2 })
    return {
      model: model as unknown as g.nn.Module,
      forward: ({ source, target, ...masks }) => model.forward(source!, target!, { causal: true, ...masks }),
    }
  },
  'weightNorm of linear': () => simple(nn.weightNorm(nn.linear(3, 4))),
  'weightNorm of conv2d': () => simple(nn.weightNorm(nn.conv2d(2, 3, 2), { axis: 1 })),
  'weightNorm of all': () => simple(nn.weightNorm(nn.linear(3, 4), { axis: null })),
  'spectralNorm of linear': () => simple(nn.spectralNorm(nn.linear(3, 4))),
  'spectralNorm of conv2d, evaluated': () => simple(nn.spectralNorm(nn.conv2d(2, 3, 2))),
}

const loaded = ({ name, state, after }: Fixture): Model => {
  const made = models[name]!()
  made.model.train(Object.keys(after).length > 0)
  made.model.loadStateDict(Object.fromEntries(Object.entries(state).map(([key, x]) => [key, toTensor(x)])))
  return made
}

const inputsOf = ({ inputs }: Fixture): Inputs =>
  Object.fromEntries(Object.entries(inputs).map(([key, x]) => [key, toTensor(x)]))

const cases = fixtures.modules.map((fixture) => [fixture.name, fixture] as const)

describe.each(backendNames)('PyTorch’s modules on the %s backend', (backend) => {
  beforeEach(() => g.setBackend(backend))

  test.each(cases)('%s: output, and state after it', (_, fixture) => {
    const { model, forward } = loaded(fixture)
    // Dropout would drop in training mode; of those with parametrizations there is none.
    const output = forward(inputsOf(fixture))
    expect(output.shape).toEqual(fixture.output.shape)
    expectClose(output, fixture.output.data as number[], 1e-5)
    const state = model.stateDict()
    for (const [key, { data }] of Object.entries(fixture.after)) expectClose(state[key]!, data as number[], 1e-5)
  })

  test.each(cases)('%s: gradients of inputs and parameters', (_, fixture) => {
    const { model, forward } = loaded(fixture)
    const inputs = inputsOf(fixture)
    const names = Object.keys(inputs).filter((key) => inputs[key]!.dtype === 'float32')
    const variables = Object.fromEntries(names.map((key) => [key, g.variable(inputs[key]!)]))
    const loss = forward({ ...inputs, ...variables })
      .mul(toTensor(fixture.factors))
      .sum()
    const parameters = model.parameters()
    const gradients = g.gradients(loss, [...Object.values(variables), ...parameters])
    g.evaluateSync(...gradients)
    names.forEach((key, i) => {
      expectClose(gradients[i]!, fixture.gradients[`input ${key}`]!.data as number[], 2e-5)
    })
    // A model whose values are the gradients has them under PyTorch's names.
    parameters.forEach((parameter, i) => {
      parameter.assign(gradients[names.length + i]!)
    })
    const named = model.stateDict()
    const expected = Object.entries(fixture.gradients).filter(([key]) => !key.startsWith('input '))
    expect(expected.length).toBeGreaterThan(1)
    for (const [key, { data }] of expected) expectClose(named[key]!, data as number[], 2e-5)
  })

  test.each(cases)('%s: the names of its state', (_, fixture) => {
    expect(Object.keys(models[fixture.name]!().model.stateDict()).sort()).toEqual(Object.keys(fixture.state).sort())
  })

  test.each(fixtures.rotary)('rotary positions $positions are those of Llama', ({ x, positions, base, output }) => {
    const rotary = nn.rotaryEmbedding(6, { base })
    expectClose(rotary.forward(toTensor(x), g.tensor(Int32Array.from(positions))), output.data as number[], 1e-5)
    if (positions[0] === 0) expectClose(rotary.forward(toTensor(x)), output.data as number[], 1e-5)
  })
})

test('with rotary positions attention depends on distances alone', () => {
  g.setSeed(1)
  const rotary = nn.rotaryEmbedding(8)
  const [q, k] = [g.randn([1, 8]), g.randn([1, 8])]
  const product = (i: number, j: number) =>
    rotary
      .forward(q, g.tensor([i]))
      .mul(rotary.forward(k, g.tensor([j])))
      .sum()
      .itemSync()
  expect(product(9, 4)).toBeCloseTo(product(105, 100), 4)
  expect(Math.abs(product(9, 4) - product(9, 5))).toBeGreaterThan(1e-3)
  const attention = nn.multiHeadAttention(8, 2, { rotary: true, rotaryBase: 100 })
  expect(Object.keys(attention.stateDict())).toEqual(Object.keys(nn.multiHeadAttention(8, 2).stateDict()))
  const x = g.randn([1, 4, 8])
  const reversed = g.concat([x.slice([0, 0], [1, 4])], 1).flip(1)
  // Without positions the order of keys does not matter to a query.
  expect(attention.forward(x).at(0, 0, 0).itemSync()).not.toBeCloseTo(
    attention.forward(reversed).at(0, 3, 0).itemSync(),
    5,
  )
  expect(() => nn.multiHeadAttention(6, 2, { rotary: true })).toThrow(
    'rotaryEmbedding: expected an even positive number of features, got 3',
  )
})

test('sinusoidal positions are a layer, by place or by given positions', () => {
  const layer = nn.sinusoidalPositions(10, 4)
  const table = nn.sinusoidalEncoding(10, 4)
  expectClose(layer.forward(g.zeros([2, 3, 4])), g.stack([table.slice(0, 3), table.slice(0, 3)]).dataSync(), 0)
  const given = layer.forward(g.zeros([1, 2, 4]), g.tensor(Int32Array.of(7, 2)))
  expectClose(given, g.gather(table, g.tensor(Int32Array.of(7, 2))).dataSync(), 0)
  expect(() => layer.forward(g.zeros([1, 11, 4]))).toThrow(
    'sinusoidalPositions: expected an input […, at most 10, 4], got [1, 11, 4]',
  )
  expect(layer.parameters()).toEqual([])
})

test('a residual block adds its input, or what the shortcut makes of it', () => {
  const x = g.randn([2, 3])
  const inner = nn.linear(3, 3)
  expectClose(nn.residual(inner).forward(x), inner.forward(x).add(x).dataSync(), 0)
  const block = nn.residual(nn.sequential(nn.linear(3, 4), nn.relu()), { shortcut: nn.linear(3, 4) })
  expect(Object.keys(block.namedParameters())).toEqual([
    'inner.0.weight',
    'inner.0.bias',
    'shortcut.weight',
    'shortcut.bias',
  ])
  const [a, b] = [block.inner.forward(x), block.shortcut!.forward(x)]
  expectClose(block.forward(x), a.add(b).dataSync(), 0)
})

describe('parametrizations', () => {
  test('weightNorm leaves the weight as it was, and trains lengths and directions', () => {
    const layer = nn.linear(3, 2, { seed: 1 })
    const before = layer.weight.dataSync()
    expect(nn.weightNorm(layer)).toBe(layer)
    expectClose(layer.weight, before, 1e-6)
    expect(Object.keys(layer.namedParameters())).toEqual([
      'bias',
      'parametrizations.weight.original0',
      'parametrizations.weight.original1',
    ])
    const step = g.compile((x: g.Tensor) =>
      g.optim.sgd({ learningRate: 0.1 }).minimize(() => layer.forward(x).square().sum(), layer.parameters()),
    )
    const x = g.randn([4, 3], { seed: 2 })
    const losses = Array.from({ length: 5 }, () => step.sync(x).itemSync())
    expect(losses[4]).toBeLessThan(losses[0]! / 2)
    expect(String(layer)).toContain('(parametrizations.weight): WeightNorm(axis=0)')
  })

  test('spectralNorm comes to 1 as the greatest singular value, and stays in evaluation mode', () => {
    const layer = nn.spectralNorm(nn.conv2d(2, 4, 3, { seed: 1 }))
    for (let i = 0; i < 30; i++) layer.forward(g.zeros([1, 2, 3, 3])).dataSync()
    const greatest = () => g.linalg.svd(layer.weight.reshape([4, 18])).s.dataSync()[0]!
    layer.eval()
    expect(greatest()).toBeCloseTo(1, 3)
    const state = layer.stateDict()
    layer.forward(g.zeros([1, 2, 3, 3])).dataSync()
    expect(layer.stateDict()['parametrizations.weight.0._u']!.dataSync()).toEqual(
      state['parametrizations.weight.0._u']!.dataSync(),
    )
    expect(Object.keys(layer.namedBuffers())).toHaveLength(2)
  })

  test('what has no such variable is refused', () => {
    expect(() => nn.weightNorm(nn.relu())).toThrow('weightNorm: expected a layer with a variable weight, got undefined')
    expect(() => nn.weightNorm(nn.weightNorm(nn.linear(1, 1)))).toThrow(TypeError)
    expect(() => nn.spectralNorm(nn.linear(1, 1), { name: 'bias' })).toThrow(g.ShapeError)
    expect(() => nn.weightNorm(nn.linear(2, 2), { axis: 2 })).toThrow(g.ShapeError)
    expect(() => nn.weightNorm(3 as never)).toThrow('weightNorm: expected a layer, got 3')
  })
})

test('matrices of a transformer start by Xavier, as PyTorch’s do', () => {
  g.setSeed(1)
  const model = nn.transformer(32, 4, { feedForward: 64, encoderLayers: 1, decoderLayers: 1 })
  for (const [name, x] of Object.entries(model.stateDict())) {
    if (x.ndim < 2) continue
    const limit = Math.sqrt(6 / (x.shape[0]! + x.shape[1]!))
    const greatest = x.abs().max().itemSync()
    expect(greatest, name).toBeLessThanOrEqual(limit * (1 + 1e-6))
    expect(greatest, name).toBeGreaterThan(limit * 0.97)
  }
})

test('keys that are not there change nothing, with masks of bool, of floats, or both', () => {
  g.setSeed(2)
  const attention = nn.multiHeadAttention(4, 2)
  const x = g.randn([2, 3, 4])
  const keyMask = g.tensor([
    [true, true, false],
    [true, true, true],
  ])
  const part = attention.forward(x.slice([0, 0], [1, 2])).dataSync()
  const masked = attention.forward(x, { keyMask })
  expectClose(masked.slice([0, 0], [1, 2]), part, 1e-6)
  const floats = g.zeros([3, 3])
  for (const mask of [floats, g.ones([3, 3]).cast('bool')])
    expectClose(attention.forward(x, { keyMask, mask }), masked.dataSync(), 1e-6)
  const causal = g.tril(g.ones([3, 3])).cast('bool')
  const both = attention.forward(x, { keyMask, causal: true }).dataSync()
  expectClose(attention.forward(x, { keyMask, mask: causal }), both, 1e-6)
  expectClose(attention.forward(x, { mask: g.where(causal, 0, -Infinity), keyMask }), both, 1e-6)
  expect(() => attention.forward(x, { keyMask: g.ones([2, 3]) })).toThrow(
    /^multiHeadAttention: expected a keyMask bool/,
  )
})

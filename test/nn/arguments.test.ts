/** Layers refuse what they cannot be made of, or called with, where that happens. */
import { describe, expect, test } from 'vitest'
import * as g from '../../lib/index.ts'

const { nn } = g
// biome-ignore lint/suspicious/noExplicitAny: junk has any type
type Any = any

describe('where a layer is made', () => {
  const refused: Record<string, [make: () => unknown, message: string]> = {
    elu: [() => nn.elu('x' as Any), 'elu: expected a number as alpha, got "x"'],
    leakyRelu: [() => nn.leakyRelu(Number.NaN), 'leakyRelu: expected a number as slope, got NaN'],
    threshold: [() => nn.threshold(1, null as Any), 'threshold: expected a number as value, got null'],
    softmax: [() => nn.softmax('1' as Any), 'softmax: expected an integer as axis, got "1"'],
    unflatten: [() => nn.unflatten(1, 'x' as Any), 'unflatten: expected extents'],
    maxPool2d: [() => nn.maxPool2d('2' as Any), 'maxPool2d: expected kernelSize'],
    'relu, surplus': [() => nn.relu(...([5] as unknown as [])), 'relu: expected no arguments, got 1'],
    'maxPool2d, stride': [() => nn.maxPool2d(2, { stride: null as Any }), 'maxPool2d: expected a value for stride'],
    'conv2d, NHWC': [() => nn.conv2d(3, 4, 2, { layout: 'NHWC', padding: {} as Any }), 'conv2d: expected padding'],
    'conv3d, groups': [() => nn.conv3d(4, 4, 2, { groups: 2, dilation: 'x' as Any }), 'conv3d: expected dilation'],
    convTranspose2d: [() => nn.convTranspose2d(2, 3, 2, { stride: [] as Any }), 'convTranspose2d: expected stride'],
    adaptiveAvgPool2d: [() => nn.adaptiveAvgPool2d(Infinity), 'adaptiveAvgPool2d: expected outputSize'],
    upsample: [() => nn.upsample({ scale: 'x' as Any }), 'upsample: expected scale'],
    pixelShuffle: [() => nn.pixelShuffle(1.5), 'pixelShuffle: expected a positive integer factor, got 1.5'],
    localResponseNorm: [() => nn.localResponseNorm('x' as Any), 'localResponseNorm: expected a positive integer'],
    dropout: [() => nn.dropout(Object.create(null)), 'dropout: expected a rate in [0, 1], got an object'],
    layerNorm: [() => nn.layerNorm({} as Any), 'layerNorm: expected positive integers of features, got an object'],
    multiHeadAttention: [() => nn.multiHeadAttention('4' as Any, 2), 'multiHeadAttention: expected a positive integer'],
    transformer: [
      () => nn.transformerEncoderLayer(4, 2, { activation: Symbol('x') as Any }),
      'transformerEncoderLayer: expected an activation',
    ],
    Sequential: [
      () => new nn.Sequential(null as Any),
      'sequential: expected a list of modules and functions, got null',
    ],
    heNormal: [() => nn.init.heNormal('ab' as Any), 'heNormal: expected a shape'],
    'an initializer of a number': [
      () => nn.linear(3, 2, { initializer: (() => 1) as Any }),
      'linear: expected an initializer that gives a tensor, got 1',
    ],
    'an initializer of another shape': [
      () => nn.linear(3, 2, { initializer: () => g.ones([3, 2]) }),
      'linear: expected an initializer that gives a tensor of shape [2, 3], got Tensor float32[3, 2]',
    ],
    'a class as initializer': [
      () => nn.linear(3, 2, { initializer: class {} as Any }),
      'linear: expected an initializer, got a class',
    ],
  }

  test.each(Object.entries(refused))('%s', (_, [make, message]) => {
    expect(make).toThrow(message)
    expect(make).toThrow(/^(?!ProgramError)/)
  })

  test('options that depend on the input are taken', () => {
    expect(nn.maxPool2d(100).forward(g.ones([1, 1, 100, 100])).shape).toEqual([1, 1, 1, 1])
    expect(nn.conv2d(4, 6, 5, { groups: 2, layout: 'NHWC' }).forward(g.ones([1, 5, 5, 4])).shape).toEqual([1, 1, 1, 6])
    expect(nn.convTranspose2d(4, 6, 2, { groups: 2 }).forward(g.ones([1, 4, 1, 1])).shape).toEqual([1, 6, 2, 2])
  })

  test('lists and options are copied', () => {
    const [kernel, stride] = [
      [2, 2],
      [2, 2],
    ] as [[number, number], [number, number]]
    const layer = nn.maxPool2d(kernel, { stride })
    kernel[0] = 9
    stride[1] = 0
    expect(layer.forward(g.ones([1, 1, 4, 4])).shape).toEqual([1, 1, 2, 2])
  })
})

describe('where a layer is called', () => {
  const layers: Record<string, [layer: { forward(x: Any): g.Tensor }, input: Any]> = {
    linear: [nn.linear(2, 3), [[1, 2]]],
    relu: [nn.relu(), [-1, 2]],
    dropout: [nn.dropout(), [1, 2]],
    batchNorm1d: [nn.batchNorm1d(2).eval(), [[1, 2]]],
    layerNorm: [nn.layerNorm(2), [[1, 2]]],
    embedding: [nn.embedding(4, 2), [0, 3]],
    prelu: [nn.prelu(), [1, -2]],
    maxPool1d: [nn.maxPool1d(2), [[[1, 2]]]],
    conv1d: [nn.conv1d(1, 1, 2), [[[1, 2]]]],
    multiHeadAttention: [nn.multiHeadAttention(2, 1), [[1, 2]]],
    transformerEncoderLayer: [nn.transformerEncoderLayer(2, 1).eval(), [[1, 2]]],
  }

  test.each(Object.entries(layers))('%s takes nested arrays, and refuses junk by its name', (name, [layer, input]) => {
    const dtype = name === 'embedding' ? 'int32' : 'float32'
    if (name !== 'dropout')
      expect(layer.forward(input).dataSync()).toEqual(layer.forward(g.tensor(input, { dtype })).dataSync())
    else expect(layer.forward(input).shape).toEqual([2])
    for (const junk of ['x', null, undefined, {}, Symbol('s'), 1n, () => 1, Object.create(null)])
      expect(() => layer.forward(junk)).toThrow(
        new RegExp(`^${name === 'batchNorm1d' ? 'batchNorm1d' : name}: expected`),
      )
  })

  test('a function has to give tensors', () => {
    const message = /^lambda: expected a function that gives a tensor, or several in a list or by name, got/
    for (const value of [1, null, undefined, 'x', [], [1], {}, Promise.reject(new Error('x'))])
      expect(() => nn.lambda((() => value) as Any).forward(g.ones([1]))).toThrow(message)
    const pair = nn.sequential<g.Tensor, readonly [g.Tensor, g.Tensor]>(nn.relu(), (x) => [x, x])
    expect(pair.forward(g.ones([1]))).toHaveLength(2)
  })

  test('an activation has to give a tensor', () => {
    const layer = nn.transformerEncoderLayer(2, 1, { activation: (() => 1) as Any })
    expect(() => layer.forward(g.ones([1, 2]))).toThrow(
      'transformerEncoderLayer: expected an activation that gives a tensor, got 1',
    )
  })
})

describe('of every module', () => {
  test('a mode is true or false', () => {
    for (const mode of ['eval', null, 0, {}])
      expect(() => nn.relu().train(mode as Any)).toThrow(/^train: expected the mode to be true or false, got/)
  })

  test('a state is values by name', () => {
    for (const state of [undefined, null, 1, 'x', [], g.ones([1]), new Map(), () => 1])
      for (const layer of [nn.linear(1, 1), nn.batchNorm1d(1), nn.multiHeadAttention(2, 1), nn.sequential()])
        expect(() => layer.loadStateDict(state as Any)).toThrow(/^loadStateDict: expected values by name, got/)
  })

  test('parts may contain themselves, and be deeper than the call stack', () => {
    class Holder extends nn.Module {
      inner = nn.linear(1, 1)
      parts: unknown[] = [this]
      forward(x: g.Tensor) {
        return this.inner.forward(x)
      }
    }
    const model = new Holder()
    let list: unknown = [nn.linear(1, 2)]
    for (let i = 0; i < 20_000; i++) list = [list]
    model.parts.push(model.parts, list)
    expect(model.parameters()).toHaveLength(4)
  })
})

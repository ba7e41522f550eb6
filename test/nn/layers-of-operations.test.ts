/** Layers of volumes, of windows and pixels, of bags, and those that drop: each does what its operation does. */
import { beforeAll, describe, expect, test } from 'vitest'
import * as g from '../../lib/index.ts'
import { backendNames } from '../support/backends.ts'

const { nn } = g

describe.each(backendNames)('on %s', (backend) => {
  beforeAll(() => g.setBackend(backend))

  const volume = g.randn([2, 4, 4, 6, 6], { seed: 1 })
  const image = g.randn([2, 4, 6, 6], { seed: 2 })
  const columns = g.randn([2, 16, 9], { seed: 3 })

  test.each<[string, g.nn.Module, g.Tensor, g.Tensor]>([
    ['maxPool3d', nn.maxPool3d(2, { stride: 1 }), volume, g.maxPool3d(volume, 2, { stride: 1 })],
    ['avgPool3d', nn.avgPool3d([1, 2, 2]), volume, g.avgPool3d(volume, [1, 2, 2])],
    ['adaptiveAvgPool3d', nn.adaptiveAvgPool3d(1), volume, g.adaptiveAvgPool3d(volume, 1)],
    ['adaptiveMaxPool3d', nn.adaptiveMaxPool3d([2, 3, 1]), volume, g.adaptiveMaxPool3d(volume, [2, 3, 1])],
    ['identity', nn.identity(), image, image],
    ['unflatten', nn.unflatten(1, [2, -1]), image, image.reshape([2, 2, 2, 6, 6])],
    ['pixelShuffle', nn.pixelShuffle(2), image, g.pixelShuffle(image, 2)],
    ['pixelUnshuffle', nn.pixelUnshuffle(3), image, g.pixelUnshuffle(image, 3)],
    ['unfold', nn.unfold(2, { stride: 2 }), image, g.unfold(image, 2, { stride: 2 })],
    ['fold', nn.fold(6, 2, { stride: 2 }), columns, g.fold(columns, 6, 2, { stride: 2 })],
    ['localResponseNorm', nn.localResponseNorm(3, { alpha: 2 }), image, g.localResponseNorm(image, 3, { alpha: 2 })],
  ])('%s', (_, layer, x, y) => {
    const found = layer.forward(x)
    expect([found.shape, layer.parameters()]).toEqual([y.shape, []])
    expect(found.arraySync()).toEqual(y.arraySync())
  })

  test('conv3d has the weight and the bias of PyTorch, and trains', () => {
    const layer = nn.conv3d(4, 6, [2, 3, 3], { groups: 2, padding: 'same', seed: 5 })
    expect(Object.entries(layer.namedParameters()).map(([name, { shape }]) => [name, shape])).toEqual([
      ['weight', [6, 2, 2, 3, 3]],
      ['bias', [6]],
    ])
    expect(layer.weight.abs().max().itemSync()).toBeLessThanOrEqual(1 / 6)
    const options = { groups: 2, padding: 'same', bias: layer.bias! } as const
    expect(layer.forward(volume).arraySync()).toEqual(g.conv3d(volume, layer.weight, options).arraySync())
    const loss = () => layer.forward(volume).square().mean()
    const before = loss().itemSync()
    g.optim.sgd({ learningRate: 0.5 }).minimize(loss)
    expect(loss().itemSync()).toBeLessThan(before)
  })

  test('embeddingBag reads rows and parts, and its padding stays 0', () => {
    const layer = nn.embeddingBag(5, 3, { mode: 'sum', paddingIndex: -1, seed: 1 })
    const [indices, offsets] = [g.tensor([0, 4, 2, 2], { dtype: 'int32' }), [0, 2]]
    const wanted = g.embeddingBag(indices, layer.weight, { mode: 'sum', paddingIndex: 4, offsets })
    expect(layer.forward(indices, offsets).arraySync()).toEqual(wanted.arraySync())
    expect(layer.forward(indices.reshape([2, 2])).arraySync()).toEqual(wanted.arraySync())
    expect(layer.weight.slice(4).arraySync()).toEqual([[0, 0, 0]])
    g.optim.sgd({ learningRate: 1 }).minimize(() => layer.forward(indices, offsets).sum())
    expect(layer.weight.slice(4).arraySync()).toEqual([[0, 0, 0]])
    expect(nn.embeddingBag(5, 3)).toBeInstanceOf(nn.EmbeddingBag)
  })

  test.each<[string, g.nn.Module, g.Tensor]>([
    ['dropout1d', nn.dropout1d(0.5), g.ones([4, 8, 5])],
    ['dropout2d', nn.dropout2d(0.5), g.ones([4, 8, 5, 2])],
    ['dropout3d', nn.dropout3d(0.5), g.ones([4, 8, 2, 5, 2])],
  ])('%s drops whole channels while it trains', (_, layer, x) => {
    const sums = new Set(layer.forward(x).reshape([32, -1]).sum(1).dataSync())
    expect(sums).toEqual(new Set([0, (2 * x.size) / 32]))
    expect(layer.eval().forward(x).arraySync()).toEqual(x.arraySync())
  })

  test('alphaDropout is selu at −∞ where it drops', () => {
    const layer = nn.alphaDropout(0.5)
    expect(new Set(layer.forward(g.ones([200])).dataSync()).size).toBe(2)
    expect(
      layer
        .eval()
        .forward(g.ones([3]))
        .arraySync(),
    ).toEqual([1, 1, 1])
  })
})

test.each<[() => unknown, abstract new (...args: never[]) => Error, string]>([
  [() => nn.conv3d(3, 4, 2, { groups: 2 }), RangeError, 'conv3d: expected groups that divide 3 and 4 channels, got 2'],
  [
    () => nn.conv3d(3, 4, [2, 2] as never),
    RangeError,
    'conv3d: expected kernelSize to be a positive integer, or three',
  ],
  [
    () => nn.conv3d(3, 4, 2, { strides: 2 } as never),
    TypeError,
    'conv3d: unknown option strides; did you mean stride?',
  ],
  [() => nn.maxPool3d(2, 2 as never), TypeError, 'maxPool3d: expected options'],
  [
    () => nn.unfold(2, { pad: 1 } as never),
    TypeError,
    'unfold: unknown option pad; the options are stride, padding, dilation',
  ],
  [() => nn.dropout2d(2), RangeError, 'dropout2d: expected a rate in [0, 1], got 2'],
  [() => nn.embeddingBag(5, 3, { mode: 'min' as never }), RangeError, 'embeddingBag: expected mode '],
  [() => nn.embeddingBag(0, 3), RangeError, 'embeddingBag: expected positive integers of rows and features, got 0'],
  [() => nn.embedding(5, 3, { paddingIndex: 5 }), RangeError, 'embedding: expected an integer paddingIndex in [-5, 5)'],
])('%s throws', (run, error, message) => {
  expect(run).toThrow(error)
  expect(run).toThrow(message)
})

test('layers print as what they are', () => {
  expect(String(nn.sequential(nn.conv3d(1, 2, 3), nn.identity(), nn.dropout2d()))).toMatch(
    /Conv3d.*\n.*Identity.*\n.*Dropout2d/,
  )
})

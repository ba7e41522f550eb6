/** Axes of no elements: sums over them are 0, results along them empty, and nothing throws that has a value. */
import { beforeAll, describe, expect, test } from 'vitest'
import * as g from '../../lib/index.ts'
import { backendNames } from '../support/backends.ts'

describe.each(backendNames)('%s', (name) => {
  beforeAll(() => g.setBackend(name))

  const convolutions: Readonly<
    Record<string, readonly [(x: g.Tensor, w: g.Tensor) => g.Tensor, x: g.Shape, w: g.Shape, y: g.Shape]>
  > = {
    conv2d: [(x, w) => g.conv2d(x, w, { bias: [1, 2, 3] }), [2, 0, 4, 4], [3, 0, 2, 2], [2, 3, 3, 3]],
    'conv2d, channels last': [(x, w) => g.conv2d(x, w, { layout: 'NHWC' }), [2, 4, 4, 0], [3, 0, 2, 2], [2, 3, 3, 3]],
    'conv2d, no filters': [(x, w) => g.conv2d(x, w, { padding: 'same' }), [2, 2, 4, 4], [0, 2, 2, 2], [2, 0, 4, 4]],
    'conv2d, no images': [(x, w) => g.conv2d(x, w), [0, 2, 4, 4], [3, 2, 2, 2], [0, 3, 3, 3]],
    conv1d: [(x, w) => g.conv1d(x, w), [2, 0, 4], [3, 0, 2], [2, 3, 3]],
    convTranspose2d: [(x, w) => g.convTranspose2d(x, w, { bias: [1, 2, 3] }), [2, 0, 4, 4], [0, 3, 2, 2], [2, 3, 5, 5]],
    'convTranspose2d, no filters': [(x, w) => g.convTranspose2d(x, w), [2, 2, 4, 4], [2, 0, 2, 2], [2, 0, 5, 5]],
    convTranspose1d: [(x, w) => g.convTranspose1d(x, w), [2, 0, 4], [0, 3, 2], [2, 3, 5]],
  }
  test.each(Object.entries(convolutions))('%s', (title, [f, xShape, wShape, shape]) => {
    const [x, w] = [g.ones(xShape), g.ones(wShape)]
    const y = f(x, w)
    expect(y.shape).toEqual(shape)
    const hasBias = title === 'conv2d' || title === 'convTranspose2d'
    const channel = y.size / (shape[0]! * shape[1]!)
    expect(Array.from(y.dataSync())).toEqual(
      Array.from({ length: y.size }, (_, i) => (hasBias ? 1 + (Math.floor(i / channel) % 3) : 0)),
    )
    const [dx, dw] = [g.grad((t) => f(t, w).sum())(x), g.grad((t) => f(x, t).sum())(w)]
    expect([dx.shape, dw.shape]).toEqual([xShape, wShape])
    for (const each of [...dx.dataSync(), ...dw.dataSync()]) expect(each).toBe(0)
  })

  test('batch normalization of no rows leaves the running statistics alone', () => {
    for (const [layer, shape] of [
      [g.nn.batchNorm1d(3), [0, 3]],
      [g.nn.batchNorm1d(3), [0, 3, 5]],
      [g.nn.batchNorm2d(3), [0, 3, 4, 4]],
    ] as const) {
      expect(layer.forward(g.zeros(shape)).shape).toEqual(shape)
      expect(layer.runningMean.arraySync()).toEqual([0, 0, 0])
      expect(layer.runningVariance.arraySync()).toEqual([1, 1, 1])
      layer.eval()
      expect(layer.forward(g.zeros(shape)).shape).toEqual(shape)
      layer.train()
      expect(() => layer.forward(g.zeros([1, 3, 1, 1].slice(0, shape.length)))).toThrow(g.ShapeError)
    }
  })

  test('pooling, resizing and normalizing of no images or channels', () => {
    const shapes = [
      [0, 2, 4, 4],
      [2, 0, 4, 4],
    ] as const
    for (const [n, c, h, w] of shapes) {
      const x = g.zeros([n, c, h, w])
      for (const y of [g.maxPool2d(x, 2), g.avgPool2d(x, 2), g.adaptiveAvgPool2d(x, 2), g.adaptiveMaxPool2d(x, 2)]) {
        expect(y.shape).toEqual([n, c, 2, 2])
        expect(y.dataSync().length).toBe(0)
      }
      expect(g.upsample(x, { scale: 2 }).dataSync().length).toBe(0)
      expect(g.upsample(x, { scale: 2, mode: 'bilinear' }).dataSync().length).toBe(0)
      for (const y of [g.batchNorm(x), g.layerNorm(x), g.instanceNorm(x), g.groupNorm(x, 1)]) {
        expect(y.shape).toEqual([n, c, h, w])
        expect(y.dataSync().length).toBe(0)
      }
    }
  })
})

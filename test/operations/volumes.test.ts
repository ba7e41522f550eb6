/** Convolutions and pooling of volumes: values by hand, and mistakes. */
import { beforeAll, describe, expect, test } from 'vitest'
import * as g from '../../lib/index.ts'
import { backendNames } from '../support/backends.ts'

const x = g.ones([2, 4, 3, 5, 6])
const w = g.ones([6, 4, 2, 3, 3])

describe.each(backendNames)('on %s', (backend) => {
  beforeAll(() => g.setBackend(backend))

  test('a convolution counts the elements that its windows hold', () => {
    const y = g.conv3d(g.ones([1, 1, 2, 2, 2], { dtype: 'uint8' }), g.ones([1, 1, 3, 3, 3]), {
      padding: 1,
      bias: [0.5],
    })
    expect([y.dtype, y.shape]).toEqual(['float32', [1, 1, 2, 2, 2]])
    expect(new Set(y.dataSync())).toEqual(new Set([8.5]))
  })

  test('one plane of a kernel of depth 1 is a convolution of images', () => {
    const images = g.randn([2, 3, 5, 4])
    const filters = g.randn([2, 3, 2, 2])
    const y = g.conv3d(images.unsqueeze(2), filters.unsqueeze(2), { padding: [0, 1, 1], stride: [1, 2, 1] })
    expect(y.squeeze(2).arraySync()).toEqual(g.conv2d(images, filters, { padding: 1, stride: [2, 1] }).arraySync())
  })

  test.each<[string, g.Shape, g.ConvTranspose3dOptions]>([
    ['that overlap', [3, 2, 2, 2, 3], { stride: [1, 2, 2], padding: [1, 0, 1] }],
    ['with elements apart, in groups', [4, 1, 2, 3, 1], { groups: 2, dilation: [2, 1, 3], padding: [[0, 1], 1, 0] }],
    ['beside each other, and zeros at the end', [3, 2, 2, 2, 2], { stride: 3, outputPadding: [2, 0, 1] }],
  ])('the transpose of windows %s is the gradient of the convolution', (_, shape, options) => {
    const [filters, y] = [g.randn(shape), g.randn([2, shape[0]!, 3, 4, 3])]
    const x = g.convTranspose3d(y, filters, options)
    const { outputPadding, ...rest } = options
    const f = (volume: g.Tensor) => g.conv3d(volume, filters, rest).mul(y).sum()
    const gradient = g.grad(f)(g.zeros(x.shape)) as g.Tensor
    expect(g.allClose(x, gradient, { rtol: 1e-4, atol: 1e-5 }).itemSync()).toBe(1)
  })

  test('the first of equal elements gets the gradient', () => {
    const f = (volume: g.Tensor) => g.maxPool3d(volume, 2).sum()
    expect((g.grad(f)(g.ones([1, 1, 2, 2, 2])) as g.Tensor).dataSync()).toEqual(Float32Array.of(1, 0, 0, 0, 0, 0, 0, 0))
  })

  test('means of windows that reach outside', () => {
    const ones = g.ones([1, 1, 2, 2, 2], { dtype: 'int32' })
    expect(g.avgPool3d(ones, 2, { stride: 2, padding: 1 }).dataSync()).toEqual(new Float32Array(8).fill(1 / 8))
    const counted = g.avgPool3d(ones, 2, { stride: 2, padding: 1, countIncludePad: false })
    expect(counted.dataSync()).toEqual(new Float32Array(8).fill(1))
  })
})

test.each<[() => unknown, abstract new (...args: never[]) => Error, string]>([
  [
    () => g.conv3d(g.ones([2, 4, 5, 6]), w),
    g.ShapeError,
    'conv3d: expected an input of 5 axes, NCDHW, got [2, 4, 5, 6]',
  ],
  [
    () => g.conv3d(x, g.ones([6, 4, 3, 3])),
    g.ShapeError,
    'conv3d: expected a weight [out, 4 / groups, …] of 5 axes, got [6, 4, 3, 3]',
  ],
  [
    () => g.conv3d(x, g.ones([6, 3, 2, 3, 3])),
    g.ShapeError,
    'conv3d: expected a weight [out, 4, …], got [6, 3, 2, 3, 3]',
  ],
  [
    () => g.convTranspose3d(x, g.ones([3, 4, 2, 3, 3])),
    g.ShapeError,
    'convTranspose3d: expected a weight [4, out / groups, …] of 5 axes, got [3, 4, 2, 3, 3]',
  ],
  [
    () => g.convTranspose3d(x, g.ones([4, 2, 2, 3, 3]), { padding: [3, 0, 0] }),
    g.ShapeError,
    'convTranspose3d: expected a result of at least one plane, got -2',
  ],
  [
    () => g.convTranspose3d(x, g.ones([4, 2, 2, 3, 3]), { outputPadding: [1, 0, 0] }),
    RangeError,
    'convTranspose3d: expected outputPadding to be less than the stride or the dilation, got 1',
  ],
  [
    () => g.convTranspose3d(x, g.ones([4, 2, 2, 3, 3]), { bias: [1] }),
    g.ShapeError,
    'convTranspose3d: expected a bias [2], got [1]',
  ],
  [
    () => g.conv3d(x, w, { groups: 3 }),
    RangeError,
    'conv3d: expected groups, a positive divisor of 4 and 6 channels, got 3',
  ],
  [() => g.conv3d(x, w, { bias: [1, 2] }), g.ShapeError, 'conv3d: expected a bias [6], got [2]'],
  [
    () => g.conv3d(x, w, { stride: [1, 2] as never }),
    RangeError,
    'conv3d: expected stride to be a positive integer, or three, got [1, 2]',
  ],
  [
    () => g.conv3d(x, w, { padding: [1, 2] as never }),
    RangeError,
    "conv3d: expected padding to be 'same', 'valid', an integer of at least 0, or three, got [1, 2]",
  ],
  [
    () => g.conv3d(x, w, { dilation: [3, 1, 1] }),
    g.ShapeError,
    'conv3d: expected a window of at most the padded extent 3, got one of 4',
  ],
  [
    () => g.conv3d(x, w, { dilation: [1, 3, 1] }),
    g.ShapeError,
    'conv3d: expected a window of at most the padded extent 5, got one of 7',
  ],
  [() => g.conv3d(x, w, { strides: 2 } as never), TypeError, 'conv3d: unknown option strides; did you mean stride?'],
  [
    () => g.maxPool3d(x, 2, { padding: [2, 0, 0] }),
    RangeError,
    'maxPool3d: expected padding of at most half of the kernel [2,2,2], got [2, 0, 0]',
  ],
  [
    () => g.avgPool3d(x, 2, { padding: [0, 0, 2] }),
    RangeError,
    'avgPool3d: expected padding of at most half of the kernel [2,2,2], got [0, 0, 2]',
  ],
  [() => g.maxPool3d(x.cast('int32'), 2), g.DTypeError, 'maxPool3d: expected float32 or float64, got int32'],
  [
    () => g.avgPool3d(x, [4, 1, 1]),
    g.ShapeError,
    'avgPool3d: expected a window of at most the padded extent 3, got one of 4',
  ],
  [
    () => g.adaptiveAvgPool3d(x, 0),
    RangeError,
    'adaptiveAvgPool3d: expected outputSize to be a positive integer, or three, got 0',
  ],
  [
    () => g.adaptiveMaxPool3d(g.ones([1, 1, 0, 2, 2]), 1),
    g.ShapeError,
    'adaptiveMaxPool3d: expected volumes of at least one element, got [1, 1, 0, 2, 2]',
  ],
])('%s throws', (run, error, message) => {
  expect(run).toThrow(error)
  expect(run).toThrow(message)
})

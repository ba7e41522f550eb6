/** Convolutions and pooling: shapes by hand, mistakes, layers, and a small network that learns. */
import { beforeEach, describe, expect, test } from 'vitest'
import * as g from '../../lib/index.ts'

beforeEach(() => g.setSeed(1))

const image = g.tensor([1, 2, 3, 4, 5, 6, 7, 8, 9], { shape: [1, 1, 3, 3], dtype: 'float32' })

/** By tiles of 4×4 outputs in the native backend, where this meets a 6×6 tile of the input. */
describe('what is not finite', () => {
  const [count, channels, filters, size] = [3, 16, 16, 12]
  const plane = size * size
  const given = () => ({
    x: g.randn([count, channels, size, size], { seed: 1 }).dataSync() as Float32Array,
    w: g.randn([filters, channels, 3, 3], { seed: 2 }).dataSync() as Float32Array,
  })
  const convolve = ({ x, w }: { x: Float32Array; w: Float32Array }, pools = false): Float32Array => {
    const y = g.conv2d(
      g.tensor(x, { shape: [count, channels, size, size] }),
      g.tensor(w, { shape: [filters, channels, 3, 3] }),
      { padding: 1 },
    )
    return (pools ? g.maxPool2d(y.relu(), 2) : y).dataSync() as Float32Array
  }
  /** 0 for what is finite. */
  const kinds = (y: Float32Array) => Array.from(y, (value) => (Number.isFinite(value) ? 0 : value))

  test.each([
    ['an infinity', Infinity],
    ['a NaN', Number.NaN],
    ['a number whose sums overflow', 3e38],
  ])('%s in an image is where it was in the outputs that meet it, and in no others', (_, value) => {
    for (const pools of [false, true]) {
      const data = given()
      const ordinary = convolve(data, pools)
      data.x[(channels + 5) * plane + 4 * size + 7] = value
      const y = convolve(data, pools)
      g.setBackend('reference')
      const expected = convolve(data, pools)
      g.setBackend('native')
      if (Number.isFinite(value)) y.forEach((element, i) => void (Number.isNaN(element) && expect.fail(`NaN at ${i}`)))
      else expect(kinds(y)).toEqual(kinds(expected))
      const image = y.length / count
      for (const other of [0, 2]) {
        const [begin, end] = [other * image, (other + 1) * image]
        expect(y.subarray(begin, end)).toEqual(ordinary.subarray(begin, end))
      }
    }
  })

  test('a filter with an infinity leaves the others as they are', () => {
    const data = given()
    data.w[(3 * channels + 2) * 9 + 4] = -Infinity
    const y = convolve(data)
    g.setBackend('reference')
    const expected = convolve(data)
    g.setBackend('native')
    expect(kinds(y)).toEqual(kinds(expected))
  })
})

/** By tiles of 4×4 cotangents in the native backend, of which all elements of a kernel are made. */
describe('what is not finite in the gradient of a weight', () => {
  const [count, channels, filters, size] = [4, 16, 18, 18]
  const gradient = (pixel: number, value: number): Float32Array => {
    const images = g.randn([count, channels, size, size], { seed: 1 }).dataSync() as Float32Array
    images[(channels + 5) * size * size + pixel] = value
    const w = g.variable(g.randn([filters, channels, 3, 3], { seed: 2 }))
    const y = g.conv2d(g.tensor(images, { shape: [count, channels, size, size] }), w, { padding: 1 })
    const [dw] = g.gradients(y.mul(g.randn(y.shape, { seed: 3 })).sum(), [w])
    return dw!.dataSync() as Float32Array
  }

  test.each([
    ['an infinity', Infinity],
    ['a NaN', Number.NaN],
    ['a number whose sums overflow', 3e38],
  ])('%s is where it was, and nowhere else', (_, value) => {
    for (const pixel of [0, 4 * size + 7]) {
      const dw = gradient(pixel, value)
      g.setBackend('reference')
      const expected = gradient(pixel, value)
      g.setBackend('native')
      const kinds = (x: Float32Array) => Array.from(x, (element) => (Number.isFinite(element) ? 0 : element))
      if (Number.isFinite(value)) expect(dw.some(Number.isNaN)).toBe(false)
      else expect(kinds(dw)).toEqual(kinds(expected))
    }
  })
})

describe('values', () => {
  test('a convolution does not turn its filter', async () => {
    const y = g.conv2d(image, [
      [
        [
          [1, 10],
          [100, 1000],
        ],
      ],
    ])
    expect(y.arraySync()).toEqual([
      [
        [
          [5421, 6532],
          [8754, 9865],
        ],
      ],
    ])
  })

  test("'same' puts the odd zero behind", () => {
    const y = g.conv2d(image, [[[[1, 10]]]], { padding: 'same' })
    expect(y.arraySync()).toEqual([
      [
        [
          [21, 32, 3],
          [54, 65, 6],
          [87, 98, 9],
        ],
      ],
    ])
  })

  test("'same' with a stride is ⌈extent / stride⌉", () => {
    expect(g.conv2d(g.ones([1, 1, 7, 8]), g.ones([1, 1, 3, 3]), { padding: 'same', stride: 2 }).shape).toEqual([
      1, 1, 4, 4,
    ])
  })

  test('a transposed convolution spreads its input', () => {
    const y = g.convTranspose2d([[[[1, 2]]]], [[[[1, 10, 100]]]], { stride: 2 })
    expect(y.arraySync()).toEqual([[[[1, 10, 102, 20, 200]]]])
  })

  test('the first of equal elements gets the gradient of max pooling', () => {
    const x = g.tensor([
      [
        [
          [1, 1, 0, 2],
          [1, 1, 2, 2],
        ],
      ],
    ])
    const [dx] = g.gradients(g.maxPool2d(x, 2).sum(), [x])
    expect(dx!.arraySync()).toEqual([
      [
        [
          [1, 0, 0, 1],
          [0, 0, 0, 0],
        ],
      ],
    ])
  })

  test('bytes are convolved as float32', () => {
    const y = g.conv2d(g.tensor([200, 100], { shape: [1, 1, 1, 2], dtype: 'uint8' }), [[[[2, 2]]]])
    expect([y.dtype, y.itemSync()]).toEqual(['float32', 600])
  })

  test('nearest and bilinear upsampling', () => {
    const x = [[[[0, 4]]]]
    expect(g.upsample(x, { scale: [1, 2] }).arraySync()).toEqual([[[[0, 0, 4, 4]]]])
    expect(g.upsample(x, { scale: [1, 2], mode: 'bilinear' }).arraySync()).toEqual([[[[0, 1, 3, 4]]]])
    expect(g.upsample(x, { size: [1, 5], mode: 'bilinear', alignCorners: true }).arraySync()).toEqual([
      [[[0, 1, 2, 3, 4]]],
    ])
  })
})

describe('mistakes', () => {
  const [x, w] = [g.ones([2, 4, 5, 6]), g.ones([6, 4, 3, 3])]
  const { ShapeError, DTypeError } = g
  type Row = readonly [() => unknown, new (...args: never[]) => Error, string]
  const rows: readonly Row[] = [
    [() => g.conv2d(g.ones([4, 5, 6]), w), ShapeError, 'conv2d: expected an input of 4 axes, NCHW, got [4, 5, 6]'],
    [() => g.conv2d(x, g.ones([6, 3, 3, 3])), ShapeError, 'conv2d: expected a weight [out, 4, …], got [6, 3, 3, 3]'],
    [
      () => g.conv2d(x, w, { groups: 3 }),
      RangeError,
      'conv2d: expected groups, a positive divisor of 4 and 6 channels, got 3',
    ],
    [() => g.conv2d(x, w, { bias: [1, 2] }), ShapeError, 'conv2d: expected a bias [6], got [2]'],
    [
      () => g.conv2d(x, w, { stride: 0 }),
      RangeError,
      'conv2d: expected stride to be a positive integer, or two, got 0',
    ],
    [
      () => g.conv2d(x, w, { dilation: 3 }),
      ShapeError,
      'conv2d: expected a window of at most the padded extent 5, got one of 7',
    ],
    [
      () => g.conv2d(x, w, { padding: -1 }),
      RangeError,
      "conv2d: expected padding to be 'same', 'valid', an integer of at least 0, or two, got -1",
    ],
    [
      () => g.conv2d(x, w, { layout: 'CHWN' as never }),
      RangeError,
      "conv2d: expected layout 'NCHW' or 'NHWC', got CHWN",
    ],
    [() => g.conv1d(x, w), ShapeError, 'conv1d: expected an input of 3 axes, NCL, got [2, 4, 5, 6]'],
    [
      () => g.convTranspose2d(x, g.ones([4, 2, 3, 3]), { outputPadding: 1 }),
      RangeError,
      'convTranspose2d: expected outputPadding to be less than the stride or the dilation, got 1',
    ],
    [
      () => g.convTranspose2d(x, g.ones([3, 2, 3, 3])),
      ShapeError,
      'convTranspose2d: expected a weight [4, out / groups, …], got [3, 2, 3, 3]',
    ],
    [
      () => g.maxPool2d(x, 2, { padding: 2 }),
      RangeError,
      'maxPool2d: expected padding of at most half of the kernel [2,2], got [2, 2]',
    ],
    [() => g.maxPool2d(x.cast('int32'), 2), DTypeError, 'maxPool2d: expected float32 or float64, got int32'],
    [() => g.avgPool2d(x, 7), ShapeError, 'avgPool2d: expected a window of at most the padded extent 5, got one of 7'],
    [
      () => g.adaptiveAvgPool2d(x, 0),
      RangeError,
      'adaptiveAvgPool2d: expected outputSize to be a positive integer, or two, got 0',
    ],
    [
      () => g.conv2d(g.ones([1, 28, 28, 3]), g.ones([8, 3, 3, 3])),
      g.ShapeError,
      "conv2d: expected an input of 3 channels, as the weight has, in layout 'NCHW', got [1, 28, 28, 3], which is layout: 'NHWC'",
    ],
    [
      () => g.conv2d(g.ones([1, 3, 28, 28]), g.ones([8, 3, 3, 3]), { layout: 'NHWC' }),
      g.ShapeError,
      "conv2d: expected an input of 3 channels, as the weight has, in layout 'NHWC', got [1, 3, 28, 28], which is layout: 'NCHW'",
    ],
    [
      () => g.conv1d(g.ones([1, 28, 4]), g.ones([8, 2, 3]), { groups: 2 }),
      g.ShapeError,
      "conv1d: expected an input of 4 channels, as the weight has, in layout 'NCL', got [1, 28, 4], which is layout: 'NLC'",
    ],
    [
      () => g.convTranspose2d(g.ones([1, 28, 28, 3]), g.ones([3, 8, 3, 3])),
      g.ShapeError,
      "convTranspose2d: expected an input of 3 channels, as the weight has, in layout 'NCHW', got [1, 28, 28, 3], which is layout: 'NHWC'",
    ],
    [() => g.nn.conv2d(3, 8, 3).forward(g.ones([1, 28, 28, 3])), g.ShapeError, "layout: 'NHWC'"],
    ...Object.entries({ avgPool2d: g.avgPool2d, maxPool2d: g.maxPool2d }).flatMap(([name, pool]) =>
      [
        2,
        [0, 2] as const,
        [
          [0, 0],
          [0, 3],
        ] as const,
      ].map(
        (padding): Row => [
          () => pool(g.ones([1, 1, 4, 4]), 2, { padding }),
          RangeError,
          `${name}: expected padding of at most half of the kernel [2,2]`,
        ],
      ),
    ),
    ...Object.entries({ avgPool1d: g.avgPool1d, maxPool1d: g.maxPool1d }).map(
      ([name, pool]): Row => [
        () => pool(g.ones([1, 1, 4]), 3, { padding: 2 }),
        RangeError,
        `${name}: expected padding of at most half of the kernel [1,3]`,
      ],
    ),
    [
      () => g.adaptiveMaxPool2d(g.ones([1, 1, 4, 4], { dtype: 'int32' }), 2),
      g.DTypeError,
      'adaptiveMaxPool2d: expected float32 or float64, got int32',
    ],
    [() => g.upsample(x, {}), TypeError, 'upsample: expected either a size or a scale, got none'],
    [
      () => g.upsample(x, { scale: 2, mode: 'cubic' as never }),
      RangeError,
      "upsample: expected mode 'nearest' or 'bilinear', got cubic",
    ],
    [
      () => g.nn.conv2d(3, 4, 3, { groups: 2 }),
      RangeError,
      'conv2d: expected groups that divide 3 and 4 channels, got 2',
    ],
  ]

  test.each(rows.map((row) => [row[2], row] as const))('%s', (_, [run, error, message]) => {
    expect(run).toThrow(error)
    expect(run).toThrow(message)
  })
})

describe('layers', () => {
  test('weights and biases start uniform on ±1/√(in · window)', () => {
    const layer = g.nn.conv2d(16, 32, 3)
    const limit = 1 / Math.sqrt(16 * 9)
    for (const value of [layer.weight, layer.bias!]) {
      expect(value.abs().max().itemSync()).toBeLessThanOrEqual(limit * (1 + 1e-6))
      expect(value.abs().max().itemSync()).toBeGreaterThan(limit * 0.85)
    }
    expect([layer.weight.shape, layer.bias!.shape]).toEqual([[32, 16, 3, 3], [32]])
  })

  test('an initializer counts the window of a convolution', () => {
    const { weight } = g.nn.conv2d(16, 32, [3, 5], { initializer: g.nn.init.heUniform, bias: false })
    expect(weight.shape).toEqual([32, 16, 3, 5])
    const limit = Math.sqrt(6 / (16 * 15))
    expect(weight.abs().max().itemSync()).toBeLessThanOrEqual(limit * (1 + 1e-6))
    expect(weight.abs().max().itemSync()).toBeGreaterThan(limit * 0.99)
  })

  test('layers are their operations', () => {
    const x = g.randn([2, 4, 8, 6], { seed: 3 })
    const layer = g.nn.convTranspose2d(4, 6, 2, { stride: 2, groups: 2, seed: 5 })
    const wanted = g.convTranspose2d(x, layer.weight, { stride: 2, groups: 2, bias: layer.bias! })
    expect(layer.forward(x).dataSync()).toEqual(wanted.dataSync())
    expect(g.nn.maxPool2d(2).forward(x).dataSync()).toEqual(g.maxPool2d(x, 2).dataSync())
    expect(g.nn.avgPool2d(2).forward(x).dataSync()).toEqual(g.avgPool2d(x, 2).dataSync())
    expect(g.nn.adaptiveAvgPool2d(1).forward(x).dataSync()).toEqual(g.adaptiveAvgPool2d(x, 1).dataSync())
    expect(g.nn.upsample({ scale: 2 }).forward(x).shape).toEqual([2, 4, 16, 12])
  })

  test('a small network learns where a stripe is', async () => {
    const model = g.nn.sequential(
      g.nn.conv2d(1, 4, 3, { padding: 'same', seed: 1 }),
      g.nn.relu(),
      g.nn.maxPool2d(2),
      g.nn.flatten(),
      g.nn.linear(4 * 16, 2, { seed: 2 }),
    )
    const labels = Int32Array.from({ length: 32 }, (_, i) => i % 2)
    const pixels = Float32Array.from({ length: 32 * 64 }, (_, i) => {
      const [n, row, column] = [i >> 6, (i >> 3) & 7, i & 7]
      return (n % 2 === 0 ? row : column) === n >> 2 ? 1 : 0
    })
    const [x, y] = [g.tensor(pixels, { shape: [32, 1, 8, 8] }), g.tensor(labels)]
    const optimizer = g.optim.adam({ learningRate: 0.02 })
    const step = g.compile((x: g.Tensor, y: g.Tensor) =>
      optimizer.minimize(() => g.losses.crossEntropy(model.forward(x), y)),
    )
    for (let i = 0; i < 150; i++) await step(x, y)
    expect(model.forward(x).argmax(1).dataSync()).toEqual(labels)
  })
})

/** Windows, pixels, sampled images, bags and dropped channels: values by hand, and mistakes. */

import { beforeAll, describe, expect, test } from 'vitest'
import * as g from '../../lib/index.ts'
import { nodeOf } from '../../lib/tensor/tensor.ts'
import { backendNames } from '../support/backends.ts'

const values = (x: g.Tensor): g.NestedArray => x.arraySync()
const { NaN: nan } = Number
const table = g.tensor([
  [1, 20],
  [3, 4],
  [5, 60],
])

type Mistake = [run: () => unknown, error: abstract new (...args: never[]) => Error, message: string]

describe.each(backendNames)('on %s', (backend) => {
  beforeAll(() => g.setBackend(backend))

  test('windows of integers, and as a method', () => {
    expect(values(g.tensor([1, 2, 3, 4], { dtype: 'int32' }).slidingWindows(3))).toEqual([
      [1, 2, 3],
      [2, 3, 4],
    ])
  })

  test('a convolution is the product of a weight and the windows', () => {
    const [x, w] = [g.randn([2, 3, 6, 5]), g.randn([4, 3, 2, 3])]
    const options = { stride: [2, 1], padding: 1, dilation: [1, 2] } as const
    const direct = g.conv2d(x, w, options)
    const columns = g.unfold(x, [2, 3], options)
    const product = w.reshape([4, 18]).matmul(columns).reshape(direct.shape)
    expect(product.sub(direct).abs().max().itemSync()).toBeLessThan(1e-5)
  })

  test('fold counts the windows that hold an element', () => {
    const counts = g.fold(g.unfold(g.ones([1, 1, 3, 3]), 2), 3, 2)
    expect(values(counts)).toEqual([
      [
        [
          [1, 2, 1],
          [2, 4, 2],
          [1, 2, 1],
        ],
      ],
    ])
  })

  test('pixels of a square come from neighbouring channels, and go back', () => {
    const x = g.arange(8).reshape([1, 4, 1, 2])
    expect(values(x.pixelShuffle(2))).toEqual([
      [
        [
          [0, 2, 1, 3],
          [4, 6, 5, 7],
        ],
      ],
    ])
    expect(values(x.pixelShuffle(2).pixelUnshuffle(2))).toEqual(values(x))
  })

  test('the grid of the identity reads the image', () => {
    const x = g.arange(24).reshape([1, 2, 3, 4])
    for (const alignCorners of [false, true])
      for (const mode of ['nearest', 'bilinear'] as const) {
        const grid = g.affineGrid(
          [
            [
              [1, 0, 0],
              [0, 1, 0],
            ],
          ],
          [1, 2, 3, 4],
          { alignCorners },
        )
        const y = g.gridSample(x, grid, { alignCorners, mode })
        expect(y.sub(x).abs().max().itemSync()).toBeLessThan(1e-5)
      }
  })

  test('offsets of nothing, and of whole pixels', () => {
    const [x, w] = [g.randn([2, 4, 6, 5]), g.randn([6, 2, 3, 2])]
    const options = { stride: [2, 1], padding: [1, [1, 0]], dilation: [1, 2] } as const
    const plain = g.conv2d(x, w, { ...options, groups: 2 })
    const offset = g.zeros([2, 24, ...plain.shape.slice(2)])
    const close = (a: g.Tensor, b: g.Tensor) => expect(a.sub(b).abs().max().itemSync()).toBeLessThan(1e-4)
    close(g.deformConv2d(x, w, offset, options), plain)
    const moved = g.deformConv2d(x, w, offset.sub(1), options)
    const shifted = g.pad(x, [
      [0, 0],
      [0, 0],
      [1, 0],
      [1, 0],
    ])
    close(
      moved,
      g
        .conv2d(shifted, w, {
          ...options,
          groups: 2,
          padding: [
            [1, 0],
            [1, 0],
          ],
        })
        .slice(0, plain.shape as never),
    )
  })

  test('places that are far away, infinite or NaN', () => {
    const x = g.tensor([
      [
        [
          [nan, 1],
          [2, 3],
        ],
      ],
    ])
    const grid = [
      [
        [
          [1, 1],
          [Infinity, 0],
          [-1e30, 5],
          [nan, 1],
        ],
      ],
    ]
    const sample = (options: g.GridSampleOptions) =>
      g.gridSample(x, grid, { alignCorners: true, ...options }).dataSync()
    expect([...sample({})]).toEqual([3, 0, 0, nan])
    expect([...sample({ mode: 'nearest' })]).toEqual([3, 0, 0, 0])
    expect([...sample({ mode: 'nearest', paddingMode: 'border' })]).toEqual([3, 1, 2, 2])
    const inside = g.tensor(grid).slice([0, 0, 0, 0], [1, 1, 3, 2])
    const ones = g.ones([1, 1, 2, 2])
    const y = g.gridSample(ones, inside, { alignCorners: true })
    const [dx, dgrid] = g.gradients(y.sum(), [ones, inside])
    expect(values(dx!)).toEqual([
      [
        [
          [0, 0],
          [0, 1],
        ],
      ],
    ])
    expect(values(dgrid!.slice([0, 0, 1, 0], [1, 1, 3, 2]))).toEqual([
      [
        [
          [0, 0],
          [0, 0],
        ],
      ],
    ])
  })

  test('bags', () => {
    const parts = (options: g.EmbeddingBagOptions) =>
      values(g.embeddingBag([0, 2, 1, 1], table, { offsets: [0, 2, 2], ...options }))
    expect(parts({ mode: 'sum' })).toEqual([
      [6, 80],
      [0, 0],
      [6, 8],
    ])
    expect(parts({})).toEqual([
      [3, 40],
      [0, 0],
      [3, 4],
    ])
    expect(parts({ mode: 'max' })).toEqual([
      [5, 60],
      [0, 0],
      [3, 4],
    ])
    expect(parts({ mode: 'max', paddingIndex: 1 })).toEqual([
      [5, 60],
      [0, 0],
      [0, 0],
    ])
    expect(values(g.embeddingBag([], table, { offsets: [0, 0] }))).toEqual([
      [0, 0],
      [0, 0],
    ])
    expect(values(g.embeddingBag(g.zeros([2, 0], { dtype: 'int32' }), table, { mode: 'max' }))).toEqual([
      [0, 0],
      [0, 0],
    ])
  })

  test('whole channels are dropped, and the others scaled', () => {
    const counts = (x: g.Tensor, axes: number[]) => new Set(x.sum(axes).dataSync())
    expect(counts(g.dropout1d(g.ones([8, 16, 5]), 0.5), [2])).toEqual(new Set([0, 10]))
    expect(counts(g.dropout2d(g.ones([8, 3, 2, 16]), 0.5, { layout: 'NHWC' }), [1, 2])).toEqual(new Set([0, 12]))
    expect(counts(g.dropout3d(g.ones([8, 16, 2, 2, 2]), 0.75), [2, 3, 4])).toEqual(new Set([0, 32]))
    const x = g.ones([2, 3, 4])
    expect(nodeOf(g.dropout1d(x, 0.5, { training: false }))).toBe(nodeOf(x))
  })

  test('alpha dropout keeps mean and variance', () => {
    const y = g.alphaDropout(g.randn([400, 400], { seed: 1 }), 0.3, { seed: 2 })
    expect(Math.abs(y.mean().itemSync())).toBeLessThan(0.02)
    expect(Math.abs(y.variance().itemSync() - 1)).toBeLessThan(0.02)
    expect(values(g.alphaDropout([1, -2], 1))).toEqual([0, 0])
    expect(values(g.alphaDropout([1, -2], 0.5, { training: false }))).toEqual([1, -2])
  })

  const late: Mistake[] = [
    [
      () => g.embeddingBag([0, 1], table, { offsets: [1] }).dataSync(),
      RangeError,
      'embeddingBag: expected offsets that start at 0 and do not descend, got 1',
    ],
    [
      () => g.embeddingBag([0, 1, 2], table, { offsets: [0, 2, 1] }).dataSync(),
      RangeError,
      'embeddingBag: expected offsets that start at 0 and do not descend, got -1',
    ],
    [
      () => g.embeddingBag([0, 1], table, { offsets: [0, 3] }).dataSync(),
      RangeError,
      'expected indices in [0, 3), got 3',
    ],
    [
      () => g.embeddingBag([[3]], table).dataSync(),
      RangeError,
      'gather: expected indices in [0, 3), got 3 at position 0',
    ],
  ]
  test.each(late)('%s throws when it runs', (run, error, message) => {
    expect(run).toThrow(error)
    expect(run).toThrow(message)
  })
})

const image = g.ones([2, 4, 5, 6])

test.each<Mistake>([
  [
    () => g.slidingWindows([1, 2], 3),
    g.ShapeError,
    'slidingWindows: expected a size of at most the 2 elements of axis 0, got 3',
  ],
  [
    () => g.slidingWindows([1, 2], 1, { step: 0 }),
    RangeError,
    'slidingWindows: expected a positive integer as step, got 0',
  ],
  [() => image.slidingWindows(2, 2 as never), TypeError, 'slidingWindows: expected options'],
  [() => g.unfold([1, 2], 1), g.ShapeError, 'unfold: expected images [n, channels, height, width], got [2]'],
  [() => g.unfold(image, 6), g.ShapeError, 'unfold: expected a window of at most the padded extent 5, got one of 6'],
  [
    () => g.unfold(image, 2, { strides: 2 } as never),
    TypeError,
    'unfold: unknown option strides; did you mean stride?',
  ],
  [
    () => g.fold(g.ones([1, 12, 15]), [5, 4], 2),
    g.ShapeError,
    'fold: expected columns [n, channels · 4, 12], got [1, 12, 15]',
  ],
  [
    () => g.fold(g.ones([1, 10, 12]), [5, 4], 2),
    g.ShapeError,
    'fold: expected columns [n, channels · 4, 12], got [1, 10, 12]',
  ],
  [() => g.pixelShuffle(image, 3), g.ShapeError, 'pixelShuffle: expected channels that 9 divides, got 4'],
  [() => g.pixelShuffle(image, 0.5), RangeError, 'pixelShuffle: expected a positive integer factor, got 0.5'],
  [
    () => g.pixelUnshuffle(image, 2),
    g.ShapeError,
    'pixelUnshuffle: expected a height and width that 2 divides, got 5 and 6',
  ],
  [
    () => g.pixelShuffle([[1]], 1),
    g.ShapeError,
    'pixelShuffle: expected images […, channels, height, width], got [1, 1]',
  ],
  [() => g.localResponseNorm(image, 0), RangeError, 'localResponseNorm: expected a positive integer as size, got 0'],
  [
    () => g.localResponseNorm(image, 2, { beta: nan }),
    RangeError,
    'localResponseNorm: expected a finite beta, got NaN',
  ],
  [() => g.gridSample(image, g.ones([2, 3, 3])), g.ShapeError, 'gridSample: expected a grid [2, height, width, 2]'],
  [() => g.gridSample(image, g.ones([1, 3, 3, 2])), g.ShapeError, 'gridSample: expected a grid [2, height, width, 2]'],
  [
    () => g.gridSample(image.cast('int32'), g.ones([2, 3, 3, 2])),
    g.DTypeError,
    'gridSample: expected float32 or float64',
  ],
  [
    () => g.gridSample(image, g.ones([2, 3, 3, 2]), { mode: 'trilinear' as never }),
    RangeError,
    "gridSample: expected mode 'bilinear', 'nearest' or 'bicubic', got trilinear",
  ],
  [
    () => g.gridSample(g.ones([2, 1, 3, 3, 3]), g.ones([2, 3, 3, 3, 2])),
    g.ShapeError,
    'gridSample: expected a grid [2, depth, height, width, 3], got [2, 3, 3, 3, 2]',
  ],
  [
    () => g.affineGrid(g.ones([2, 3]), [2, 1, 3, 3]),
    g.ShapeError,
    'affineGrid: expected maps [n, 2, 3], or [n, 3, 4] of volumes, got [2, 3]',
  ],
  [
    () => g.deformConv2d(image, g.ones([3, 2, 2, 2]), g.ones([2, 8, 4, 5])),
    g.ShapeError,
    'deformConv2d: expected a multiple of 2 filters, got 3',
  ],
  [
    () => g.deformConv2d(image, g.ones([2, 4, 2, 2]), g.ones([2, 8, 4, 4])),
    g.ShapeError,
    'deformConv2d: expected offsets [2, offset groups · 8, 4, 5], got [2, 8, 4, 4]',
  ],
  [
    () => g.deformConv2d(image, g.ones([2, 4, 2, 2]), g.ones([2, 8, 4, 5]), { mask: g.ones([2, 8, 4, 5]) }),
    g.ShapeError,
    'deformConv2d: expected a mask [2, 4, 4, 5], got [2, 8, 4, 5]',
  ],
  [
    () => g.affineGrid(g.ones([2, 2, 3]), [3, 3]),
    g.ShapeError,
    'affineGrid: expected a size [2, channels, height, width], got [3, 3]',
  ],
  [() => g.embeddingBag([0, 1], table), TypeError, 'embeddingBag: expected offsets of bags along one axis, got none'],
  [
    () => g.embeddingBag([[0]], table, { offsets: [0] }),
    TypeError,
    'embeddingBag: expected no offsets, as rows are the bags, got some',
  ],
  [
    () => g.embeddingBag([[0]], table, { perSampleWeights: [[1]] }),
    TypeError,
    "embeddingBag: expected perSampleWeights with mode 'sum' alone, got 'mean'",
  ],
  [
    () => g.embeddingBag([[0]], table, { mode: 'sum', perSampleWeights: [1] }),
    g.ShapeError,
    'embeddingBag: expected perSampleWeights [1, 1], got [1]',
  ],
  [
    () => g.embeddingBag([[0]], table, { paddingIndex: 3 }),
    RangeError,
    'embeddingBag: expected an integer paddingIndex in [-3, 3), got 3',
  ],
  [() => g.embeddingBag(g.ones([1, 1]), table), g.DTypeError, 'embeddingBag: expected int32 indices, got float32'],
  [() => g.dropout1d(image), g.ShapeError, 'dropout1d: expected an input of 3 axes, NCL, got [2, 4, 5, 6]'],
  [() => g.dropout2d(image, 1.5), RangeError, 'dropout2d: expected a rate in [0, 1], got 1.5'],
  [() => g.alphaDropout(g.tensor([1], { dtype: 'int32' })), g.DTypeError, 'alphaDropout: expected float32 or float64'],
  [
    () => g.losses.gaussianNegativeLogLikelihood([[1, 2]], [[1, 2]], [1, 2]),
    g.ShapeError,
    'gaussianNegativeLogLikelihood: expected a variance [1, 2], or one for each of its rows, got [2]',
  ],
  [
    () => g.losses.gaussianNegativeLogLikelihood([1], [1], -1),
    RangeError,
    'gaussianNegativeLogLikelihood: expected a variance of at least 0, got -1',
  ],
])('%s throws', (run, error, message) => {
  expect(run).toThrow(error)
  expect(run).toThrow(message)
})

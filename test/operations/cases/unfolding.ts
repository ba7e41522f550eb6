/** Rows of windows laid out and added up, of pixels made channels, and of images read at the places of a grid. */
import type { Shape } from '../../../lib/base/shape.ts'
import * as g from '../../../lib/operations/index.ts'
import type { Tensor } from '../../../lib/tensor/tensor.ts'
import { exactly, type OpCase, operand, type Values } from '../../support/cases.ts'

const row = (shape: Shape, f: (x: Tensor) => Tensor, note: string, part: Partial<OpCase> = {}): OpCase => ({
  ...{ note, inputs: [operand(shape)], f, contract: exactly, differentiable: true },
  ...part,
})

const large = { differentiable: false }

const great: g.UnfoldOptions = {
  padding: [
    [1, 1],
    [13, 14],
  ],
  stride: [1, 1],
  dilation: [1, 1],
}
const overlapping: g.UnfoldOptions = { stride: [2, 1], padding: [[1, 0], 1], dilation: [1, 2] }

/** Places around and far from the image, away from the centres of pixels, where weights have kinks. */
const places: Values = { low: -1.7, high: 1.7 }

function sampling(x: Shape, grid: Shape, options: g.GridSampleOptions, part: Partial<OpCase> = {}): OpCase {
  return {
    note: Object.values(options).join(' '),
    inputs: [operand(x), operand(grid, places)],
    f: (x, grid) => g.gridSample(x, grid, options),
    contract: {
      depth: 16,
      magnitude: (x) =>
        x
          .abs()
          .max()
          .mul(4)
          .broadcastTo([x.shape[0]!, x.shape[1]!, ...grid.slice(1, -1)]),
    },
    differentiable: true,
    ...part,
  }
}

/** What no convolution of these is greater than, wherever it reads. */
const greatestSum = (x: Tensor, weight: Tensor, shape: Shape): Tensor =>
  x.abs().max().mul(weight.abs().sum()).mul(4).broadcastTo(shape)

const deformed = (note: string, x: Shape, w: Shape, offset: Shape, options: g.DeformConv2dOptions = {}): OpCase => ({
  ...{ note, inputs: [operand(x), operand(w), operand(offset, places)], differentiable: true },
  f: (x, weight, offset) => g.deformConv2d(x, weight, offset, options),
  contract: { depth: 32, magnitude: (x, w) => greatestSum(x, w, [x.shape[0]!, w.shape[0]!, offset[2]!, offset[3]!]) },
})

const paddingModes = ['zeros', 'border', 'reflection'] as const

export const unfoldingCases = {
  slidingWindows: [
    row([9], (x) => g.slidingWindows(x, 3), 'neighbours'),
    row([2, 9, 3], (x) => g.slidingWindows(x, 4, { axis: 1, step: 2 }), 'a step'),
    row([2, 11], (x) => g.slidingWindows(x, 3, { step: 3 }), 'side by side'),
    row([2, 11], (x) => g.slidingWindows(x, 2, { step: 4 }), 'apart'),
    row([2, 50, 2], (x) => g.slidingWindows(x, 40, { axis: 1, step: 3 }), 'great windows'),
    row([40, 900], (x) => g.slidingWindows(x, 25, { step: 10 }), 'large', large),
  ],
  unfold: [
    row([2, 3, 6, 5], (x) => g.unfold(x, [3, 2], overlapping), 'overlapping'),
    row([2, 3, 7, 6], (x) => g.unfold(x, [3, 2], { stride: [3, 2] }), 'side by side'),
    row([1, 2, 4, 4], (x) => g.unfold(x, 3, { padding: 'same' }), 'same'),
    row([1, 2, 3, 40], (x) => g.unfold(x, [2, 37], great), 'great windows'),
    row([1, 2, 3, 4], (x) => g.unfold(x, 2, { padding: 50, stride: 9 }), 'far padding'),
    row([0, 2, 4, 4], (x) => g.unfold(x, 2), 'no images'),
    row([2, 8, 40, 40], (x) => g.unfold(x, 3, { padding: 1 }), 'large', large),
  ],
  fold: [
    row([2, 12, 6], (x) => g.fold(x, [5, 3], [3, 2], overlapping), 'overlapping', { contract: { depth: 6 } }),
    row([1, 148, 124], (x) => g.fold(x, [3, 40], [2, 37], great), 'great windows', { contract: { depth: 74 } }),
    row([2, 18, 6], (x) => g.fold(x, [7, 6], [3, 2], { stride: [3, 2] }), 'side by side'),
    row([2, 16 * 9, 40 * 40], (x) => g.fold(x, 40, 3, { padding: 1 }), 'large', { ...large, contract: { depth: 9 } }),
  ],
  pixelShuffle: [
    row([2, 8, 3, 4], (x) => g.pixelShuffle(x, 2), 'images'),
    row([9, 2, 3], (x) => g.pixelShuffle(x, 3), 'one image'),
    row([2, 0, 8, 3, 4], (x) => g.pixelShuffle(x, 2), 'no images'),
  ],
  pixelUnshuffle: [
    row([2, 2, 6, 4], (x) => g.pixelUnshuffle(x, 2), 'images'),
    row([1, 3, 6], (x) => g.pixelUnshuffle(x, 3), 'one image'),
  ],
  localResponseNorm: [
    row([2, 5, 3, 4], (x) => g.localResponseNorm(x, 3, { alpha: 0.5, k: 2 }), 'images', { contract: { depth: 8 } }),
    row([2, 3, 4], (x) => g.localResponseNorm(x, 4, { alpha: 1, beta: 0.5 }), 'lines, an even size', {
      contract: { depth: 8 },
    }),
  ],
  gridSample: [
    ...paddingModes.flatMap((paddingMode) =>
      [false, true].flatMap((alignCorners) => [
        sampling([2, 3, 4, 5], [2, 3, 4, 2], { mode: 'bilinear', paddingMode, alignCorners }),
        sampling([2, 3, 4, 5], [2, 3, 4, 2], { mode: 'nearest', paddingMode, alignCorners }, { differentiable: false }),
        sampling([2, 3, 4, 5], [2, 2, 3, 2], { mode: 'bicubic', paddingMode, alignCorners }),
      ]),
    ),
    sampling([1, 1, 1, 1], [1, 2, 3, 2], { paddingMode: 'reflection', alignCorners: true }),
    {
      note: 'nearest, in x',
      inputs: [operand([2, 3, 4, 5])],
      f: (x) =>
        g.gridSample(
          x,
          g.affineGrid(
            [
              [
                [1.3, 0.2, 0],
                [0, 1, 0.1],
              ],
              [
                [0, 1, 0],
                [1, 0, 0],
              ],
            ],
            [2, 3, 3, 4],
          ),
          { mode: 'nearest' },
        ),
      contract: exactly,
      differentiable: true,
    },
    ...paddingModes.map((paddingMode) => sampling([2, 2, 3, 4, 2], [2, 2, 1, 3, 3], { paddingMode })),
    sampling([1, 1, 2, 3, 2], [1, 1, 2, 2, 3], { mode: 'bicubic' }),
    sampling([4, 8, 40, 40], [4, 50, 30, 2], {}, large),
  ],
  affineGrid: [false, true].flatMap((alignCorners) => [
    row([2, 2, 3], (x) => g.affineGrid(x, [2, 1, 3, 4], { alignCorners }), `alignCorners ${alignCorners}`, {
      contract: { depth: 3, magnitude: (x) => x.abs().sum().broadcastTo([2, 3, 4, 2]) },
    }),
    row([1, 3, 4], (x) => g.affineGrid(x, [1, 1, 2, 3, 2], { alignCorners }), `volumes, alignCorners ${alignCorners}`, {
      contract: { depth: 4, magnitude: (x) => x.abs().sum().broadcastTo([1, 2, 3, 2, 3]) },
    }),
  ]),
  deformConv2d: [
    deformed('one pixel', [1, 1, 1, 1], [1, 1, 1, 1], [1, 2, 1, 1]),
    deformed('overlapping', [2, 2, 5, 4], [3, 2, 3, 2], [2, 12, 3, 4], { stride: [2, 1], padding: [1, [1, 0]] }),
    deformed('groups, of offsets too', [1, 4, 4, 5], [2, 2, 2, 2], [1, 16, 2, 4], { dilation: [2, 1] }),
    {
      note: 'with a mask and a bias',
      inputs: [
        operand([1, 2, 4, 4]),
        operand([2, 2, 2, 2]),
        operand([1, 8, 3, 3]),
        operand([1, 4, 3, 3]),
        operand([2]),
      ],
      f: (x, weight, offset, mask, bias) => g.deformConv2d(x, weight, offset, { mask, bias }),
      contract: {
        depth: 32,
        magnitude: (x, w, _, mask, bias) => greatestSum(x, w, [1, 2, 3, 3]).mul(mask.abs().max()).add(bias.abs().max()),
      },
      differentiable: true,
    },
  ],
} satisfies Record<string, readonly OpCase[]>

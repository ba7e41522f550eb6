/** Rows of convolutions: strides, paddings, dilations, groups and layouts, and shapes around the blocks of the kernels. */

import type { Shape } from '../../../lib/base/shape.ts'
import * as nodes from '../../../lib/graph/ops/convolution.ts'
import { conv1d, conv2d, convTranspose1d, convTranspose2d, maxPool2d } from '../../../lib/operations/index.ts'
import { zeros } from '../../../lib/tensor/creation.ts'
import { nodeOf, type Tensor, wrap } from '../../../lib/tensor/tensor.ts'
import { type Magnitude, type OpCase, operand } from '../../support/cases.ts'

type Options = Parameters<typeof conv2d>[2]

function row(note: string, x: Shape, w: Shape, options: Options = {}, part: Partial<OpCase> = {}): OpCase {
  const depth = w.slice(1).reduce((size, extent) => size * extent, 1)
  return {
    note,
    inputs: [operand(x), operand(w)],
    f: (x, w) => conv2d(x, w, options),
    contract: { depth },
    differentiable: true,
    ...part,
  }
}

const large = { differentiable: false }

const biased = (note: string, f: OpCase['f']): OpCase => ({
  note,
  inputs: [operand([3, 2, 6, 5]), operand([9, 2, 3, 3]), operand([9])],
  f,
  contract: { depth: 19, magnitude: (x, w, b) => conv2d(x.abs(), w.abs(), { bias: b.abs(), padding: 1 }) },
  differentiable: true,
})

const activations: Readonly<Record<string, (y: Tensor) => Tensor>> = {
  relu: (y) => y.relu(),
  leakyRelu: (y) => y.leakyRelu(),
  sigmoid: (y) => y.sigmoid(),
  tanh: (y) => y.tanh(),
  '': (y) => y,
}

/** By tiles, with all that may follow. */
const activated = Object.entries(activations).flatMap(([name, f]): OpCase[] => {
  const inputs = [operand([3, 16, 14, 18]), operand([18, 16, 3, 3]), operand([18])]
  const magnitude: Magnitude = (x, w, b) => conv2d(x.abs(), w.abs(), { bias: b.abs(), padding: 1 })
  const convolved: OpCase['f'] = (x, w, b) => f(conv2d(x, w, { bias: b, padding: 1 }))
  return [
    { note: `tiles, ${name}(y + bias)`, inputs, f: convolved, contract: { depth: 146, magnitude } },
    {
      note: `tiles, maxPool2d(${name}(y + bias))`,
      inputs,
      f: (...given) => maxPool2d(convolved(...given) as Tensor, 2),
      contract: { depth: 146, magnitude: (...given) => maxPool2d(magnitude(...given) as Tensor, 2) },
    },
  ]
})

const pooled = (note: string, x: Shape, w: Shape, options: Options = {}): OpCase =>
  row(note, x, w, options, { f: (x, w) => maxPool2d(conv2d(x, w, options), 2) })

const geometry = {
  ...{ batch: 2, groups: 2, channels: 2, filters: 3, height: 6, width: 7, kernelHeight: 3, kernelWidth: 2 },
  ...{ outHeight: 3, outWidth: 7, strideHeight: 2, strideWidth: 1, padTop: 1, padLeft: 0 },
  ...{ dilationHeight: 1, dilationWidth: 1 },
} as const
const [input, weight, output] = [operand([2, 4, 6, 7]), operand([6, 2, 3, 2]), operand([2, 6, 3, 7])]

/** Gradients of work for more than one thread, and of more channels and pixels than fit into one block. */
const large3x3 = {
  ...{ batch: 3, groups: 1, channels: 30, filters: 10, height: 18, width: 17, kernelHeight: 3, kernelWidth: 3 },
  ...{ outHeight: 18, outWidth: 17, strideHeight: 1, strideWidth: 1, padTop: 1, padLeft: 1 },
  ...{ dilationHeight: 1, dilationWidth: 1 },
} as const
const [largeInput, largeWeight, largeOutput] = [
  operand([3, 30, 18, 17]),
  operand([10, 30, 3, 3]),
  operand([3, 10, 18, 17]),
]

/** A gradient by tiles, of windows of 3×3 over images whose padding is 1 above and to the left, and as much or more below. */
function tiled(
  note: string,
  sizes: Pick<typeof large3x3, 'batch' | 'groups' | 'channels' | 'filters' | 'height' | 'width'>,
): OpCase {
  const { batch, groups, channels, filters, height, width } = sizes
  const p = { ...large3x3, ...sizes, outHeight: height, outWidth: width + 1 }
  return {
    note: `tiles, ${note}`,
    inputs: [operand([batch, groups * channels, height, width]), operand([batch, groups * filters, height, width + 1])],
    f: (x, dy) => wrap(nodes.conv2dWeightGradient(nodeOf(x), nodeOf(dy), p)),
    contract: { depth: batch * height * (width + 1), magnitude: (x, dy) => greatestOfKernels(x.abs(), dy.abs(), p) },
  }
}

const greatestOfKernels = (x: Tensor, dy: Tensor, p: Parameters<typeof nodes.conv2dWeightGradient>[2]): Tensor =>
  wrap(nodes.conv2dWeightGradient(nodeOf(x), nodeOf(dy), p))
    .max([2, 3], { keepDims: true })
    .add(zeros([1, 1, 3, 3]))

/** More filters than a product sums up at a time. */
const deep = {
  ...{ batch: 1, groups: 1, channels: 120, filters: 330, height: 4, width: 3, kernelHeight: 3, kernelWidth: 3 },
  ...{ outHeight: 2, outWidth: 1, strideHeight: 1, strideWidth: 1, padTop: 0, padLeft: 0 },
  ...{ dilationHeight: 1, dilationWidth: 1 },
} as const

export const convolutionCases = {
  conv2d: [
    row('1×1', [2, 3, 4, 5], [4, 3, 1, 1]),
    row('3×3, same', [2, 3, 7, 9], [10, 3, 3, 3], { padding: 'same' }),
    row('a stride and uneven padding', [2, 2, 7, 6], [3, 2, 3, 2], { stride: [2, 3], padding: [[1, 0], 2] }),
    row('dilated', [1, 2, 9, 8], [3, 2, 3, 2], { dilation: [2, 3], padding: [0, 1] }),
    row('groups', [2, 6, 5, 5], [4, 3, 2, 2], { groups: 2, stride: 2 }),
    row('depthwise', [2, 5, 6, 7], [5, 1, 3, 3], { groups: 5, padding: 1 }),
    row('channels last', [2, 6, 5, 3], [4, 3, 3, 3], { layout: 'NHWC', padding: 1 }),
    row('no images', [0, 3, 5, 5], [2, 3, 3, 3]),
    row(
      'a piece of an image',
      [2, 4, 8, 9],
      [3, 2, 3, 3],
      {},
      {
        f: (x, w) => conv2d(x.slice([0, 1, 1, 2], [2, 3, 8, 9]), w),
      },
    ),
    biased('relu(y + bias)', (x, w, b) => conv2d(x, w, { bias: b, padding: 1 }).relu()),
    biased('tanh(y + bias)', (x, w, b) => conv2d(x, w, { bias: b, padding: 1 }).tanh()),
    row('few channels', [3, 1, 9, 28], [6, 1, 3, 3], { padding: 1 }),
    row('few channels of wide rows', [2, 3, 9, 70], [9, 3, 3, 3], { padding: [[2, 0], 1] }, large),
    row('few channels, dilated', [2, 2, 9, 33], [5, 2, 2, 5], { dilation: [3, 2], padding: 2 }, large),
    row('tiles', [4, 16, 15, 20], [16, 16, 3, 3], { padding: 1 }, large),
    row('tiles of odd planes, without padding', [2, 20, 9, 35], [19, 20, 3, 3], {}, large),
    row(
      'tiles with uneven padding, in groups',
      [3, 32, 15, 11],
      [36, 16, 3, 3],
      {
        groups: 2,
        padding: [
          [2, 0],
          [0, 2],
        ],
      },
      large,
    ),
    row('tiles of wide rows', [1, 16, 8, 150], [16, 16, 3, 3], { padding: 'same' }, large),
    row('tiles of several strips and parts', [2, 16, 34, 30], [40, 16, 3, 3], { padding: 1 }, large),
    row('tiles of small images', [40, 20, 7, 7], [40, 20, 3, 3], { padding: 1 }, large),
    ...activated,
    row('many channels', [2, 40, 9, 9], [10, 40, 3, 3], { padding: 1 }, large),
    pooled('pooled', [2, 3, 7, 9], [4, 3, 2, 3], { padding: 1 }),
    pooled('pooled 1×1', [2, 3, 4, 6], [5, 3, 1, 1]),
    pooled('pooled groups with a stride', [2, 4, 13, 12], [6, 2, 3, 3], { groups: 2, stride: 2, padding: 1 }),
    pooled('pooled in blocks', [1, 2, 40, 30], [5, 2, 5, 5], { padding: 2 }),
    pooled('pooled parts of rows', [1, 1, 3, 1300], [3, 1, 2, 3]),
    row('large', [1, 3, 36, 100], [20, 3, 5, 5], { padding: 2, stride: 2 }, large),
    row('wide', [2, 2, 1, 3000], [7, 2, 1, 9], {}, large),
  ],
  conv2dInputGradient: [
    {
      inputs: [output, weight],
      f: (dy, w) => wrap(nodes.conv2dInputGradient(nodeOf(dy), nodeOf(w), geometry)),
      contract: { depth: 18 },
      differentiable: true,
    },
    {
      note: 'large',
      inputs: [largeOutput, largeWeight],
      f: (dy, w) => wrap(nodes.conv2dInputGradient(nodeOf(dy), nodeOf(w), large3x3)),
      contract: { depth: 90 },
    },
    {
      note: 'deep',
      inputs: [operand([1, 330, 2, 1]), operand([330, 120, 3, 3])],
      f: (dy, w) => wrap(nodes.conv2dInputGradient(nodeOf(dy), nodeOf(w), deep)),
      contract: { depth: 2970 },
    },
  ],
  conv2dWeightGradient: [
    {
      inputs: [input, output],
      f: (x, dy) => wrap(nodes.conv2dWeightGradient(nodeOf(x), nodeOf(dy), geometry)),
      contract: { depth: 42 },
      differentiable: true,
    },
    {
      note: 'large',
      inputs: [largeInput, largeOutput],
      f: (x, dy) => wrap(nodes.conv2dWeightGradient(nodeOf(x), nodeOf(dy), large3x3)),
      contract: { depth: 918, magnitude: (x, dy) => greatestOfKernels(x.abs(), dy.abs(), large3x3) },
    },
    tiled('several parts', { batch: 9, groups: 1, channels: 16, filters: 18, height: 13, width: 14 }),
    tiled('groups', { batch: 5, groups: 2, channels: 17, filters: 16, height: 15, width: 18 }),
    tiled('several images in a strip', { batch: 40, groups: 1, channels: 20, filters: 33, height: 6, width: 7 }),
    tiled('more channels and filters than a task has', {
      batch: 7,
      groups: 1,
      channels: 70,
      filters: 65,
      height: 9,
      width: 16,
    }),
    tiled('wide rows', { batch: 1, groups: 1, channels: 16, filters: 16, height: 5, width: 150 }),
  ],
  conv1d: [
    {
      inputs: [operand([2, 4, 11]), operand([6, 2, 3])],
      f: (x, w) => conv1d(x, w, { stride: 2, padding: [1, 0], dilation: 2, groups: 2 }),
      contract: { depth: 6 },
      differentiable: true,
    },
    {
      note: 'channels last',
      inputs: [operand([2, 9, 3]), operand([4, 3, 3]), operand([4])],
      f: (x, w, b) => conv1d(x, w, { padding: 'same', layout: 'NLC', bias: b }),
      contract: { depth: 10 },
      differentiable: true,
    },
  ],
  convTranspose2d: [
    {
      inputs: [operand([2, 4, 3, 4]), operand([4, 3, 3, 2]), operand([6])],
      f: (x, w, b) =>
        convTranspose2d(x, w, { stride: [2, 1], padding: [1, 0], outputPadding: [1, 0], groups: 2, bias: b }),
      contract: { depth: 13 },
      differentiable: true,
    },
    {
      note: 'channels last, dilated',
      inputs: [operand([1, 3, 4, 2]), operand([2, 3, 2, 3])],
      f: (x, w) => convTranspose2d(x, w, { layout: 'NHWC', dilation: 2, stride: 3, padding: [[0, 1], 2] }),
      contract: { depth: 12 },
      differentiable: true,
    },
  ],
  convTranspose1d: [
    {
      inputs: [operand([2, 3, 5]), operand([3, 4, 3])],
      f: (x, w) => convTranspose1d(x, w, { stride: 2, padding: 1, outputPadding: 1 }),
      contract: { depth: 9 },
      differentiable: true,
    },
  ],
} satisfies Record<string, readonly OpCase[]>

/** Rows of pooling and upsampling: windows that overlap, reach outside or leave elements out, ties, NaN. */

import type { Shape } from '../../../lib/base/shape.ts'
import { record } from '../../../lib/graph/node.ts'
import { poolingOps } from '../../../lib/graph/ops/pooling.ts'
import {
  adaptiveAvgPool1d,
  adaptiveAvgPool2d,
  adaptiveMaxPool1d,
  adaptiveMaxPool2d,
  avgPool1d,
  avgPool2d,
  greater,
  maxPool1d,
  maxPool2d,
  relu,
  upsample,
  where,
} from '../../../lib/operations/index.ts'
import { nodeOf, type Tensor, wrap } from '../../../lib/tensor/tensor.ts'
import { exactly, type OpCase, operand, type Values } from '../../support/cases.ts'

const { NaN: nan, POSITIVE_INFINITY: inf } = Number

const maxRow = (shape: Shape, f: (x: Tensor) => Tensor, note?: string, values?: Values): OpCase => ({
  ...(note !== undefined && { note }),
  inputs: [operand(shape, values)],
  f,
  contract: exactly,
  differentiable: values === undefined,
})

const linearRow = (shape: Shape, f: (x: Tensor) => Tensor, depth: number, note?: string): OpCase => ({
  ...(note !== undefined && { note }),
  inputs: [operand(shape)],
  f,
  contract: { depth },
  differentiable: true,
})

const windows = {
  ...{ height: 6, width: 7, kernelHeight: 3, kernelWidth: 2, outHeight: 3, outWidth: 6 },
  ...{ strideHeight: 2, strideWidth: 1, padTop: 1, padLeft: 0, dilationHeight: 1, dilationWidth: 2 },
} as const

const pairs = {
  ...{ height: 18, width: 40, kernelHeight: 2, kernelWidth: 2, outHeight: 9, outWidth: 20 },
  ...{ strideHeight: 2, strideWidth: 2, padTop: 0, padLeft: 0, dilationHeight: 1, dilationWidth: 1 },
} as const

/** Rows shorter than a vector of some instruction sets, with and without what no window covers. */
const shortPairs = { ...pairs, height: 14, width: 14, outHeight: 7, outWidth: 7 }
const oddPairs = { ...pairs, height: 7, width: 7, outHeight: 3, outWidth: 3 }
const leastPairs = { ...pairs, height: 3, width: 2, outHeight: 1, outWidth: 1 }

type WindowParams = Readonly<Record<keyof typeof windows, number>>

const gradientRow = (x: Shape, dy: Shape, p: WindowParams, note: string, values?: Values): OpCase => ({
  note,
  inputs: [operand(x, values), operand(dy)],
  f: (x, dy) => wrap(record(poolingOps.maxPool2dGradient, [nodeOf(x), nodeOf(dy)], p)),
  contract: exactly,
  differentiable: values === undefined,
})

const rectifiedRow = (...row: Parameters<typeof gradientRow>): OpCase => ({
  ...gradientRow(...row),
  f: (x, dy) => {
    const y = relu(x)
    return where(greater(y, 0), wrap(record(poolingOps.maxPool2dGradient, [nodeOf(y), nodeOf(dy)], row[2])), 0)
  },
  differentiable: false,
})

/** Ties everywhere, and what is no number. */
const special = [1, 0, 1, 1, -0, 0, nan, 1, -inf, inf, 2, nan, -inf, -inf, 0]

export const poolingCases = {
  maxPool2d: [
    maxRow([2, 3, 8, 18], (x) => maxPool2d(x, 2), 'pairs'),
    maxRow([2, 3, 7, 35], (x) => maxPool2d(x, 2), 'pairs, odd'),
    maxRow([1, 2, 8, 34], (x) => maxPool2d(x, 2), 'pairs, ties and NaN', special),
    maxRow([3, 5, 14, 14], (x) => maxPool2d(x, 2), 'short pairs, ties and NaN', special),
    maxRow([2, 3, 7, 7], (x) => maxPool2d(x, 2), 'odd pairs, ties and NaN', special),
    maxRow([2, 2, 9, 8], (x) => maxPool2d(x, 3, { stride: 2, padding: 1 }), 'overlapping'),
    maxRow([2, 2, 9, 8], (x) => maxPool2d(x, [2, 3], { stride: [3, 1], dilation: 2 }), 'dilated'),
    maxRow([1, 2, 6, 7], (x) => maxPool2d(x, 3, { stride: 2, padding: 1, ceilMode: true }), 'ties and NaN', special),
    maxRow([2, 5, 6, 3], (x) => maxPool2d(x, 2, { layout: 'NHWC', ceilMode: true }), 'channels last'),
    maxRow([0, 2, 4, 4], (x) => maxPool2d(x, 2), 'no images'),
    { ...maxRow([8, 16, 28, 28], (x) => maxPool2d(x, 2), 'large'), differentiable: false },
  ],
  maxPool2dGradient: [
    gradientRow([2, 3, 6, 7], [2, 3, 3, 6], windows, 'overlapping'),
    gradientRow([2, 3, 6, 7], [2, 3, 3, 6], windows, 'overlapping, ties and NaN', special),
    gradientRow([1, 2, 18, 40], [1, 2, 9, 20], pairs, 'pairs'),
    gradientRow([30, 2, 18, 40], [30, 2, 9, 20], pairs, 'pairs, ties and NaN', special),
    gradientRow([3, 5, 14, 14], [3, 5, 7, 7], shortPairs, 'short pairs, ties and NaN', special),
    gradientRow([2, 3, 7, 7], [2, 3, 3, 3], oddPairs, 'odd pairs, ties and NaN', special),
    gradientRow([7, 2, 3, 2], [7, 2, 1, 1], leastPairs, 'one pair, ties and NaN', special),
    rectifiedRow([3, 5, 14, 14], [3, 5, 7, 7], shortPairs, 'rectified short pairs', special),
    rectifiedRow([30, 2, 18, 40], [30, 2, 9, 20], pairs, 'rectified pairs'),
    rectifiedRow([2, 3, 6, 7], [2, 3, 3, 6], windows, 'rectified, overlapping', special),
  ],
  maxPool1d: [
    maxRow([2, 3, 9], (x) => maxPool1d(x, 2)),
    maxRow([2, 9, 3], (x) => maxPool1d(x, 3, { stride: 1, padding: 1, dilation: 2, layout: 'NLC' }), 'channels last'),
  ],
  avgPool2d: [
    linearRow([2, 3, 6, 8], (x) => avgPool2d(x, 2), 4),
    linearRow([2, 3, 7, 6], (x) => avgPool2d(x, 3, { stride: 2, padding: 1 }), 9, 'overlapping'),
    linearRow(
      [1, 2, 7, 6],
      (x) => avgPool2d(x, [3, 2], { stride: 2, padding: [1, 0], countIncludePad: false, ceilMode: true }),
      6,
      'without padding',
    ),
    linearRow(
      [1, 2, 40, 37],
      (x) => avgPool2d(x, [36, 33], { stride: [3, 2], padding: [17, 12], ceilMode: true }),
      36 * 33,
      'a great kernel',
    ),
    linearRow(
      [2, 1, 6, 5],
      (x) => avgPool2d(x, [41, 30], { stride: 1, padding: [20, 15], countIncludePad: false }),
      30,
      'a kernel greater than the image',
    ),
    { inputs: [operand([1, 2, 4, 4], undefined, 'uint8')], f: (x) => avgPool2d(x, 2), contract: { depth: 4 } },
  ],
  avgPool1d: [linearRow([2, 3, 9], (x) => avgPool1d(x, 3, { stride: 2, padding: 1 }), 3)],
  adaptiveAvgPool2d: [
    linearRow([2, 3, 5, 7], (x) => adaptiveAvgPool2d(x, 1), 35),
    linearRow([2, 3, 6, 8], (x) => adaptiveAvgPool2d(x, [3, 2]), 8),
    linearRow([2, 5, 7, 3], (x) => adaptiveAvgPool2d(x, [3, 4], { layout: 'NHWC' }), 6, 'uneven, channels last'),
  ],
  adaptiveAvgPool1d: [linearRow([2, 3, 7], (x) => adaptiveAvgPool1d(x, 3), 3)],
  adaptiveMaxPool2d: [
    maxRow([2, 3, 6, 8], (x) => adaptiveMaxPool2d(x, [3, 2])),
    maxRow([2, 3, 5, 7], (x) => adaptiveMaxPool2d(x, [3, 4]), 'uneven'),
  ],
  adaptiveMaxPool1d: [maxRow([2, 3, 7], (x) => adaptiveMaxPool1d(x, 3))],
  upsample: [
    linearRow([2, 3, 3, 4], (x) => upsample(x, { scale: 2 }), 1),
    linearRow([2, 3, 4, 3], (x) => upsample(x, { size: [3, 7], layout: 'NHWC' }), 1, 'another size, channels last'),
    linearRow([2, 3, 3, 4], (x) => upsample(x, { scale: [2, 1.5], mode: 'bilinear' }), 4, 'bilinear'),
    linearRow(
      [1, 2, 5, 4],
      (x) => upsample(x, { size: [3, 8], mode: 'bilinear', alignCorners: true }),
      4,
      'by corners',
    ),
  ],
} satisfies Record<string, readonly OpCase[]>

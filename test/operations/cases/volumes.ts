/** Rows of convolutions and pooling of volumes. */
import type { Shape } from '../../../lib/base/shape.ts'
import * as g from '../../../lib/operations/index.ts'
import type { Tensor } from '../../../lib/tensor/tensor.ts'
import { exactly, type OpCase, operand, type Values } from '../../support/cases.ts'

function convolution(
  note: string,
  x: Shape,
  w: Shape,
  options: g.Conv3dOptions = {},
  part: Partial<OpCase> = {},
): OpCase {
  const depth = w.slice(1).reduce((size, extent) => size * extent, 1)
  return {
    ...{ note, inputs: [operand(x), operand(w)], f: (x, w) => g.conv3d(x, w, options), contract: { depth } },
    differentiable: true,
    ...part,
  }
}

const transposedConvolution = (note: string, x: Shape, w: Shape, options: g.ConvTranspose3dOptions = {}): OpCase => ({
  ...{ note, inputs: [operand(x), operand(w)], f: (x, w) => g.convTranspose3d(x, w, options) },
  contract: { depth: w.reduce((size, extent) => size * extent, 1) },
  differentiable: true,
})

const maxRow = (shape: Shape, f: (x: Tensor) => Tensor, note: string, values?: Values): OpCase => ({
  ...{ note, inputs: [operand(shape, values)], f, contract: exactly, differentiable: values === undefined },
})

const meanRow = (shape: Shape, f: (x: Tensor) => Tensor, depth: number, note: string): OpCase => ({
  ...{ note, inputs: [operand(shape)], f, contract: { depth }, differentiable: true },
})

const special = [1, 0, 1, 1, -0, 0, Number.NaN, 1, -Infinity, Infinity, 2, -Infinity, 0]

export const volumeCases = {
  conv3d: [
    convolution('1×1×1', [2, 3, 2, 3, 2], [4, 3, 1, 1, 1]),
    convolution('same', [2, 2, 4, 3, 5], [3, 2, 3, 3, 2], { padding: 'same' }),
    convolution('strides, uneven padding, dilation', [1, 2, 5, 6, 4], [3, 2, 2, 3, 1], {
      ...{ stride: [2, 1, 3], padding: [[1, 0], 1, 0], dilation: [3, 2, 1] },
    }),
    convolution('groups', [1, 4, 3, 3, 4], [6, 2, 2, 2, 2], { groups: 2, stride: 2 }),
    convolution('depthwise, channels last', [1, 3, 4, 3, 3], [3, 1, 2, 2, 2], { groups: 3, layout: 'NDHWC' }),
    convolution('no volumes', [0, 2, 3, 3, 3], [2, 2, 2, 2, 2]),
    {
      note: 'relu(y + bias)',
      inputs: [operand([2, 2, 3, 4, 3]), operand([3, 2, 2, 3, 3]), operand([3])],
      f: (x, w, bias) => g.conv3d(x, w, { bias, padding: 1 }).relu(),
      contract: { depth: 37, magnitude: (x, w, b) => g.conv3d(x.abs(), w.abs(), { bias: b.abs(), padding: 1 }) },
      differentiable: true,
    },
    convolution('large', [2, 8, 9, 20, 21], [20, 8, 3, 3, 3], { padding: 1 }, { differentiable: false }),
  ],
  convTranspose3d: [
    transposedConvolution('1×1×1', [2, 3, 2, 3, 2], [3, 4, 1, 1, 1]),
    transposedConvolution('strides, uneven padding, dilation', [1, 2, 3, 2, 4], [2, 3, 2, 3, 1], {
      ...{ stride: [2, 1, 3], padding: [[1, 0], 1, 0], dilation: [3, 2, 1], outputPadding: [1, 0, 2] },
    }),
    transposedConvolution('groups', [2, 4, 2, 3, 2], [4, 3, 2, 2, 2], { groups: 2, stride: 2 }),
    transposedConvolution('channels last', [1, 2, 3, 3, 2], [2, 3, 3, 2, 2], { padding: 1, layout: 'NDHWC' }),
    {
      note: 'y + bias',
      inputs: [operand([2, 2, 3, 2, 3]), operand([2, 3, 2, 3, 3]), operand([3])],
      f: (x, w, bias) => g.convTranspose3d(x, w, { bias, padding: 1 }),
      contract: {
        depth: 37,
        magnitude: (x, w, b) => g.convTranspose3d(x.abs(), w.abs(), { bias: b.abs(), padding: 1 }),
      },
      differentiable: true,
    },
  ],
  maxPool3d: [
    maxRow([2, 2, 4, 4, 6], (x) => g.maxPool3d(x, 2), 'side by side'),
    maxRow(
      [1, 2, 5, 5, 4],
      (x) => g.maxPool3d(x, [2, 3, 1], { stride: [1, 2, 1], padding: [1, 1, 0], dilation: [1, 1, 2], ceilMode: true }),
      'overlapping',
    ),
    maxRow([1, 4, 3, 4, 2], (x) => g.maxPool3d(x, [2, 2, 1], { layout: 'NDHWC' }), 'channels last'),
    maxRow([1, 2, 4, 5, 4], (x) => g.maxPool3d(x, 2, { stride: 1 }), 'ties and NaN', special),
  ],
  avgPool3d: [
    meanRow([2, 2, 4, 4, 6], (x) => g.avgPool3d(x, 2), 8, 'side by side'),
    meanRow(
      [1, 2, 5, 5, 4],
      (x) => g.avgPool3d(x, 3, { stride: 2, padding: 1, countIncludePad: false, ceilMode: true }),
      27,
      'overlapping, without padding',
    ),
    meanRow([1, 4, 3, 4, 2], (x) => g.avgPool3d(x, [2, 2, 1], { layout: 'NDHWC' }), 4, 'channels last'),
  ],
  adaptiveAvgPool3d: [
    meanRow([2, 2, 4, 4, 6], (x) => g.adaptiveAvgPool3d(x, 1), 96, 'one'),
    meanRow([1, 4, 5, 6, 2], (x) => g.adaptiveAvgPool3d(x, [3, 2, 4], { layout: 'NDHWC' }), 8, 'uneven, channels last'),
  ],
  adaptiveMaxPool3d: [maxRow([1, 2, 4, 5, 6], (x) => g.adaptiveMaxPool3d(x, [2, 3, 4]), 'uneven')],
} satisfies Record<string, readonly OpCase[]>

/** Convolutions whose windows' elements lie where data says, between pixels too. */

import { arrayOf } from '../base/arrays.ts'
import { isFloat } from '../base/dtype.ts'
import { DTypeError, expected, ShapeError } from '../base/errors.ts'
import { checkOptions, type OptionTypes } from '../base/options.ts'
import { type Pair, pairOf } from '../base/pair.ts'
import { checkShape, formatShape } from '../base/shape.ts'
import { data } from '../graph/ops/leaf.ts'
import { type Tensor, type TensorLike, toTensor, wrap } from '../tensor/tensor.ts'
import { add, mul } from './arithmetic.ts'
import { select } from './indexing.ts'
import { sampleAt } from './pixel-sampling.ts'
import { matmul } from './products.ts'
import { reshape } from './shape.ts'
import { type Padding2d, paddingOf, windowsOver } from './windows.ts'

export interface DeformConv2dOptions {
  /** [n, offset groups · kernelHeight · kernelWidth, outHeight, outWidth], times which each element of a window counts. */
  mask?: TensorLike
  /** [out channels], added to every output. */
  bias?: TensorLike
  /** The distance of neighbouring windows; 1 unless given. */
  stride?: Pair
  /** Zeros around the image; none unless given. */
  padding?: Padding2d
  /** The distance of neighbouring elements of a window, before offsets; 1 unless given. */
  dilation?: Pair
}

const deformConv2dOptions: OptionTypes<DeformConv2dOptions> = {
  ...{ mask: 'other', bias: 'other', stride: 'other', padding: 'other', dilation: 'other' },
}

const op = 'deformConv2d'

function operand(x: TensorLike, what: string, isFitting: (shape: readonly number[]) => boolean): Tensor {
  const t = toTensor('deformConv2d', x)
  if (!isFloat(t.dtype)) throw new DTypeError(expected(op, 'float32 or float64', t.dtype))
  if (!isFitting(t.shape)) throw new ShapeError(expected(op, what, formatShape(t.shape)))
  return t
}

/**
 * `conv2d` where each element of each window is moved by an offset, and pixels between others are weighted means of the four
 * around. Outside the image they are 0. J. Dai et al., "Deformable convolutional networks" (2017); with a mask X. Zhu et al.,
 * "Deformable ConvNets v2" (2019). How many groups of channels there are, and of offsets, follows from the shapes. As torchvision's
 * deform_conv2d.
 *
 * @param x images [n, channels, height, width]
 * @param weight [out, channels / groups, kernelHeight, kernelWidth]
 * @param offset [n, offset groups · kernelHeight · kernelWidth · 2, outHeight, outWidth]: of each element of a window how far it is moved
 * down, then how far to the right
 * @throws ShapeError for operands that do not fit, DTypeError for integers, RangeError for options that are no such numbers
 * @example deformConv2d(ones([1, 2, 5, 5]), ones([3, 2, 3, 3]), zeros([1, 18, 3, 3])).shape // [1, 3, 3, 3]
 * @pytorch torchvision.ops.deform_conv2d
 * @tensorflow none
 */
export function deformConv2d(
  x: TensorLike,
  weight: TensorLike,
  offset: TensorLike,
  options?: DeformConv2dOptions,
): Tensor {
  const { mask, bias, stride = 1, padding = 0, dilation = 1 } = checkOptions(op, options, deformConv2dOptions)
  const images = operand(
    x,
    'images [n, channels, height, width] of at least one pixel',
    (shape) => shape.length === 4 && !shape.slice(1).includes(0),
  )
  const [n, channels, height, width] = images.shape as [number, number, number, number]
  const isWeight = (shape: readonly number[]) => shape.length === 4 && !shape.includes(0) && channels % shape[1]! === 0
  const filters = operand(weight, `a weight [out, ${channels} / groups, …]`, isWeight)
  const [out, perGroup, kernelHeight, kernelWidth] = filters.shape as [number, number, number, number]
  const groups = channels / perGroup
  if (out % groups !== 0) throw new ShapeError(expected(op, `a multiple of ${groups} filters`, out))
  const { windows } = windowsOver(op, height, width, {
    kernel: [kernelHeight, kernelWidth],
    stride: pairOf(op, 'stride', stride),
    padding: paddingOf(op, padding),
    dilation: pairOf(op, 'dilation', dilation),
  })
  const [taps, rows, columns] = [kernelHeight * kernelWidth, windows.outHeight, windows.outWidth]
  const isOffset = ([batch, count, ...extents]: readonly number[]) =>
    batch === n &&
    count! % (2 * taps) === 0 &&
    channels % (count! / (2 * taps)) === 0 &&
    String(extents) === String([rows, columns])
  const offsets = operand(offset, `offsets [${n}, offset groups · ${2 * taps}, ${rows}, ${columns}]`, isOffset)
  const parts = offsets.shape[1]! / (2 * taps)
  checkShape(op, [n, channels, taps, rows * columns])
  const moved = reshape(offsets, [n * parts, taps, 2, rows * columns])
  const places = [
    add(
      select(moved, 2, 0),
      placesOf(
        images,
        [taps, rows * columns],
        (tap, at) =>
          Math.floor(at / columns) * windows.strideHeight +
          Math.floor(tap / kernelWidth) * windows.dilationHeight -
          windows.padTop,
      ),
    ),
    add(
      select(moved, 2, 1),
      placesOf(
        images,
        [taps, rows * columns],
        (tap, at) =>
          (at % columns) * windows.strideWidth + (tap % kernelWidth) * windows.dilationWidth - windows.padLeft,
      ),
    ),
  ]
  const apart = reshape(images, [n * parts, channels / parts, height, width])
  const read = sampleAt(apart, places, { mode: 'bilinear', paddingMode: 'zeros', alignCorners: true })
  const elements = reshape(read, [n, parts, channels / parts, taps, rows * columns])
  const isMask = (shape: readonly number[]) => String(shape) === String([n, parts * taps, rows, columns])
  const counted =
    mask === undefined
      ? elements
      : mul(
          elements,
          reshape(operand(mask, `a mask [${n}, ${parts * taps}, ${rows}, ${columns}]`, isMask), [
            n,
            parts,
            1,
            taps,
            rows * columns,
          ]),
        )
  const unfolded = reshape(counted, [n, groups, perGroup * taps, rows * columns])
  const y = reshape(matmul(reshape(filters, [1, groups, out / groups, perGroup * taps]), unfolded), [
    n,
    out,
    rows,
    columns,
  ])
  if (bias === undefined) return y
  return add(
    y,
    reshape(
      operand(bias, `a bias [${out}]`, (shape) => String(shape) === String([out])),
      [1, out, 1, 1],
    ),
  )
}

/** Where the elements of windows are along one axis before they are moved, [1, elements, windows]. */
const placesOf = (
  { dtype }: Tensor,
  [taps, count]: readonly [number, number],
  place: (tap: number, at: number) => number,
): Tensor =>
  wrap(
    data(
      arrayOf(op, dtype, [1, taps, count], (i) => place(Math.floor(i / count), i % count)),
      dtype,
      [1, taps, count],
    ),
  )

/** Convolutions of volumes: their planes are convolved as images, with those that the window's depth reaches as channels. */

import { checkNumber } from '../base/arguments.ts'
import { expected, ShapeError } from '../base/errors.ts'
import { checkOptions, type OptionTypes } from '../base/options.ts'
import { type Triple, tripleOf } from '../base/pair.ts'
import { checkShape, extentAt, formatShape, sameShape } from '../base/shape.ts'
import { nodeOf, type Tensor, type TensorLike, toTensor, wrap } from '../tensor/tensor.ts'
import { add } from './arithmetic.ts'
import { type Conv2dOptions, conv2d, convTranspose2d } from './convolution.ts'
import { slice } from './indexing.ts'
import { pad } from './padding.ts'
import { placesOf, take, withZero } from './places.ts'
import { permute } from './rearrange.ts'
import { reshape } from './shape.ts'
import { fold } from './unfolding.ts'
import {
  channelsFirst,
  type Layout3d,
  type Padding3d,
  padding3dOf,
  reachOf,
  type Sides,
  separateWindows,
  type Window3dOptions,
  type WindowOptions,
  windowsOver,
} from './windows.ts'

export interface Conv3dOptions {
  /** [out channels], added to every output. */
  bias?: TensorLike
  /** The distance of neighbouring windows; 1 unless given. */
  stride?: Triple
  /** Zeros around the volume; none unless given. */
  padding?: Padding3d
  /** The distance of neighbouring elements of a window; 1 unless given. */
  dilation?: Triple
  /** How many parts the channels are cut into, each with filters of its own; 1 unless given. */
  groups?: number
  layout?: Layout3d
}

export interface ConvTranspose3dOptions extends Omit<Conv3dOptions, 'padding'> {
  /** What is cut off the result's sides: the padding of the convolution whose transpose this is. */
  padding?: Exclude<Padding3d, 'same' | 'valid'>
  /** Planes, rows and columns at the end of the result that no window of that convolution met; less than the stride. */
  outputPadding?: Triple
}

const conv3dOptions: OptionTypes<Conv3dOptions> = {
  ...{ bias: 'other', stride: 'other', padding: 'other', dilation: 'other', groups: 'number' },
  layout: ['NCDHW', 'NDHWC'],
}
const convTranspose3dOptions: OptionTypes<ConvTranspose3dOptions> = { ...conv3dOptions, outputPadding: 'other' }

/** [out channels, channels / groups, depth, height, width] of volumes with so many channels. */
function checkWeight(op: string, { shape }: Tensor, channels: number, groups: number): void {
  const isGroup = (n: number) => Number.isInteger(n) && n >= 1 && channels % n === 0 && (shape[0] ?? 0) % n === 0
  if (shape.length !== 5 || shape.includes(0))
    throw new ShapeError(expected(op, `a weight [out, ${channels} / groups, …] of 5 axes`, formatShape(shape)))
  checkNumber(op, `groups, a positive divisor of ${channels} and ${shape[0]} channels`, groups, isGroup)
  if (shape[1] !== channels / groups)
    throw new ShapeError(expected(op, `a weight [out, ${channels / groups}, …]`, formatShape(shape)))
}

/**
 * The planes of x[n, c, d, h, w] that each of `out` windows in depth reaches, of which the first begins `before` planes before x, as
 * channels: [n·out, c·kernel, h, w]. Outside x they are a plane of zeros.
 */
function planesOf(op: string, x: Tensor, out: number, before: number, options: WindowOptions): Tensor {
  const [n, c, depth, height, width] = x.shape as [number, number, number, number, number]
  const [taps, stride, dilation] = [options.kernel[0], options.stride[0], options.dilation[0]]
  const none = n * c * depth
  checkShape(op, [n * out, c * taps, height, width])
  const places = placesOf(op, [n * out * c * taps], (i) => {
    const [tap, channel] = [i % taps, Math.floor(i / taps) % c]
    const [start, image] = [Math.floor(i / taps / c) % out, Math.floor(i / taps / c / out)]
    const place = start * stride + tap * dilation - before
    return place < 0 || place >= depth ? none : (image * c + channel) * depth + place
  })
  const planes = reshape(x, [none, height * width])
  const isPadded = before > 0 || (out - 1) * stride + (taps - 1) * dilation - before >= depth
  const taken = take(isPadded ? withZero(nodeOf(planes), 0) : nodeOf(planes), 0, places)
  return reshape(wrap(taken), [n * out, c * taps, height, width])
}

/** The convolution of x[n, c, d, h, w]: in depth by choosing planes, in height and width by conv2d. */
function convolve(op: string, x: Tensor, weight: Tensor, options: Window3dOptions, channels: Conv2dOptions): Tensor {
  const { planes, depth } = separateWindows(options)
  const [n, , extent] = x.shape as [number, number, number]
  const [out, perGroup, taps, ...kernel] = weight.shape as [number, number, number, number, number]
  const { windows } = windowsOver(op, extent, 1, depth)
  windowsOver(op, extentAt(x.shape, 3), extentAt(x.shape, 4), planes)
  const { stride, padding, dilation } = planes
  const filters = reshape(weight, [out, perGroup * taps, ...kernel])
  const y = conv2d(planesOf(op, x, windows.outHeight, windows.padTop, depth), filters, {
    ...channels,
    ...{ stride, padding, dilation },
  })
  return permute(reshape(y, [n, windows.outHeight, ...y.shape.slice(1)]), [0, 2, 1, 3, 4])
}

/**
 * Filters slid over volumes: `conv2d` with a third axis. As PyTorch's conv3d.
 *
 * @param x volumes [n, channels, depth, height, width], or [n, depth, height, width, channels] with `layout: 'NDHWC'`
 * @param weight [out, channels / groups, kernelDepth, kernelHeight, kernelWidth], whatever the layout
 * @returns volumes in the layout of x, of ⌊(extent + padding − (kernel − 1)·dilation − 1) / stride⌋ + 1 planes, rows and columns
 * @throws ShapeError for operands that do not fit, or a kernel that is greater than the padded volume; RangeError for
 * options that are no such numbers
 * @example conv3d(ones([1, 3, 8, 28, 28]), ones([16, 3, 3, 3, 3]), { padding: 'same' }).shape // [1, 16, 8, 28, 28]
 * @pytorch F.conv3d
 * @tensorflow tf.nn.conv3d
 */
export function conv3d(x: TensorLike, weight: TensorLike, options?: Conv3dOptions): Tensor {
  const op = 'conv3d'
  const given = checkOptions(op, options, conv3dOptions)
  const { stride = 1, padding = 0, dilation = 1, groups = 1, layout = 'NCDHW', bias } = given
  const [volumes, restore] = channelsFirst(op, nodeOf(toTensor('conv3d', x)), 5, layout)
  const filters = toTensor('conv3d', weight)
  checkWeight(op, filters, extentAt(volumes.shape, 1), groups)
  if (bias !== undefined && !sameShape(toTensor('conv3d', bias).shape, filters.shape.slice(0, 1)))
    throw new ShapeError(expected(op, `a bias [${filters.shape[0]}]`, formatShape(toTensor('conv3d', bias).shape)))
  const windows: Window3dOptions = {
    ...{ kernel: filters.shape.slice(2) as unknown as readonly [number, number, number] },
    ...{ stride: tripleOf(op, 'stride', stride), dilation: tripleOf(op, 'dilation', dilation) },
    padding: padding3dOf(op, padding),
  }
  const y = convolve(op, wrap(volumes), filters, windows, { groups, ...(bias !== undefined && { bias }) })
  return wrap(restore(nodeOf(y)))
}

/** Sums of planes[n·depth, out·taps, h, w] where they meet in depth, of which the padding is cut off: [n, out, planes, h, w]. */
function sumInDepth(op: string, planes: Tensor, n: number, line: DepthLine): Tensor {
  const { depth, taps, stride, dilation, extra, sides } = line
  const [, channels, height, width] = planes.shape as [number, number, number, number]
  const out = channels / taps
  const full = (depth - 1) * stride + reachOf(taps, dilation)
  const extent = full + extra - sides[0] - sides[1]
  if (extent < 1) throw new ShapeError(expected(op, 'a result of at least one plane', extent))
  checkShape(op, [n, out, full + extra, height, width])
  const columns = permute(reshape(planes, [n, depth, out, taps, height * width]), [0, 2, 4, 3, 1])
  const summed = fold(reshape(columns, [n, out * height * width * taps, depth]), [full, 1], [taps, 1], {
    ...{ stride: [stride, 1], dilation: [dilation, 1] },
  })
  const lines = reshape(summed, [n, out, height * width, full])
  const longer = pad(lines, [
    [0, 0],
    [0, 0],
    [0, 0],
    [0, extra],
  ])
  const end = sides[0] + extent
  const kept = slice(longer, [0, 0, 0, sides[0]], [n, out, height * width, end])
  return reshape(permute(kept, [0, 1, 3, 2]), [n, out, extent, height, width])
}

/** One axis of a transposed convolution: how many elements there were, the kernel over it, and what is added and cut off. */
interface DepthLine {
  readonly depth: number
  readonly taps: number
  readonly stride: number
  readonly dilation: number
  readonly extra: number
  readonly sides: Sides
}

/**
 * The transpose of a convolution of volumes: `convTranspose2d` with a third axis. It is the gradient of `conv3d` in its input.
 *
 * @param x volumes [n, channels, depth, height, width], or [n, depth, height, width, channels] with `layout: 'NDHWC'`
 * @param weight [channels, out / groups, kernelDepth, kernelHeight, kernelWidth], whatever the layout
 * @returns volumes of (extent − 1)·stride + (kernel − 1)·dilation + 1 + outputPadding − padding planes, rows and columns
 * @throws ShapeError for operands that do not fit, or an empty result; RangeError for options that are no such numbers
 * @example convTranspose3d(ones([1, 8, 4, 7, 7]), ones([8, 4, 2, 2, 2]), { stride: 2 }).shape // [1, 4, 8, 14, 14]
 * @pytorch F.conv_transpose3d
 * @tensorflow tf.nn.conv3d_transpose
 */
export function convTranspose3d(x: TensorLike, weight: TensorLike, options?: ConvTranspose3dOptions): Tensor {
  const op = 'convTranspose3d'
  const given = checkOptions(op, options, convTranspose3dOptions)
  const { padding = 0, groups = 1, layout = 'NCDHW', bias } = given
  const [node, restore] = channelsFirst(op, nodeOf(toTensor('convTranspose3d', x)), 5, layout)
  const [volumes, filters] = [wrap(node), toTensor('convTranspose3d', weight)]
  const [n, channels, depth, ...plane] = volumes.shape as [number, number, number, number, number]
  const shape = filters.shape
  if (shape.length !== 5 || shape.includes(0) || shape[0] !== channels)
    throw new ShapeError(expected(op, `a weight [${channels}, out / groups, …] of 5 axes`, formatShape(shape)))
  if (depth === 0)
    throw new ShapeError(expected(op, 'volumes of at least one plane, row and column', formatShape(volumes.shape)))
  const [, perGroup, taps, ...kernel] = shape as [number, number, number, number, number]
  const sides = padding3dOf(op, padding)
  if (sides === 'same' || padding === ('valid' as never))
    throw new RangeError(expected(op, 'padding to be an integer of at least 0, or three', String(padding)))
  const [stride, dilation] = [tripleOf(op, 'stride', given.stride ?? 1), tripleOf(op, 'dilation', given.dilation ?? 1)]
  const extra = tripleOf(op, 'outputPadding', given.outputPadding ?? 0, 0)
  if (extra[0] >= Math.max(stride[0], dilation[0]))
    throw new RangeError(expected(op, 'outputPadding to be less than the stride or the dilation', extra[0]))
  const planes = reshape(permute(volumes, [0, 2, 1, 3, 4]), [n * depth, channels, ...plane])
  const spread = convTranspose2d(planes, reshape(filters, [channels, perGroup * taps, ...kernel]), {
    ...{ groups, stride: [stride[1], stride[2]], dilation: [dilation[1], dilation[2]] },
    ...{ padding: [sides[1], sides[2]], outputPadding: [extra[1], extra[2]] },
  })
  const line = { depth, taps, stride: stride[0], dilation: dilation[0], extra: extra[0], sides: sides[0] }
  const y = sumInDepth(op, spread, n, line)
  if (bias === undefined) return wrap(restore(nodeOf(y)))
  const added = toTensor('convTranspose3d', bias)
  if (!sameShape(added.shape, [perGroup * groups]))
    throw new ShapeError(expected(op, `a bias [${perGroup * groups}]`, formatShape(added.shape)))
  return wrap(restore(nodeOf(add(y, reshape(added, [1, perGroup * groups, 1, 1, 1])))))
}

/** Convolutions, as the networks of the field call cross-correlations. */

import { checkNumber } from '../base/arguments.ts'
import { type DType, isFloat, promote } from '../base/dtype.ts'
import { expected, ShapeError } from '../base/errors.ts'
import { checkOptions, type OptionTypes } from '../base/options.ts'
import { type Pair, pairOf } from '../base/pair.ts'
import { extentAt, formatShape, type Shape } from '../base/shape.ts'
import type { Node } from '../graph/node.ts'
import { broadcastTo, reshape } from '../graph/ops/broadcast.ts'
import { conv2dInputGradient, conv2d as conv2dNode } from '../graph/ops/convolution.ts'
import { add } from '../graph/ops/elementwise.ts'
import { cast } from '../graph/ops/promotion.ts'
import { sum } from '../graph/ops/reduce.ts'
import { type Tensor, type TensorLike, toNode, wrap } from '../tensor/tensor.ts'
import {
  type AxisPadding,
  asImages,
  asLines,
  beside,
  channelsFirst,
  type Layout1d,
  type Layout2d,
  linePadding,
  type Padding1d,
  type Padding2d,
  paddingOf,
  reachOf,
  windowsOver,
} from './windows.ts'

interface ChannelOptions {
  /** [out channels], added to every output. */
  bias?: TensorLike
  /** How many parts the channels are cut into, each with filters of its own; 1 unless given. As many as channels: depthwise. */
  groups?: number
}

export interface Conv2dOptions extends ChannelOptions {
  /** The distance of neighbouring windows; 1 unless given. */
  stride?: Pair
  /** Zeros around the image; none unless given. */
  padding?: Padding2d
  /** The distance of neighbouring elements of a window; 1 unless given. */
  dilation?: Pair
  layout?: Layout2d
}

export interface Conv1dOptions extends ChannelOptions {
  stride?: number
  padding?: Padding1d
  dilation?: number
  layout?: Layout1d
}

export interface ConvTranspose2dOptions extends ChannelOptions {
  stride?: Pair
  /** What is cut off the result's sides: the padding of the convolution whose transpose this is. */
  padding?: Exclude<Padding2d, 'same' | 'valid'>
  /** Rows and columns at the end of the result that no window of that convolution met; less than the stride. */
  outputPadding?: Pair
  dilation?: Pair
  layout?: Layout2d
}

export interface ConvTranspose1dOptions extends ChannelOptions {
  stride?: number
  padding?: AxisPadding
  outputPadding?: number
  dilation?: number
  layout?: Layout1d
}

const conv2dOptions: OptionTypes<Conv2dOptions> = {
  ...{ bias: 'other', groups: 'number' },
  ...{ stride: 'other', padding: 'other', dilation: 'other', layout: ['NCHW', 'NHWC'] },
}
const conv1dOptions: OptionTypes<Conv1dOptions> = {
  ...{ bias: 'other', groups: 'number' },
  ...{ stride: 'number', padding: 'other', dilation: 'number', layout: ['NCL', 'NLC'] },
}
const convTranspose2dOptions: OptionTypes<ConvTranspose2dOptions> = { ...conv2dOptions, outputPadding: 'other' }
const convTranspose1dOptions: OptionTypes<ConvTranspose1dOptions> = { ...conv1dOptions, outputPadding: 'number' }

/** What the operands have in common. */
const commonDType = (nodes: readonly Node[]): DType =>
  nodes.map(({ dtype }): DType => (isFloat(dtype) ? dtype : 'float32')).reduce(promote)

function groupsOf(op: string, groups: number, ...channels: number[]): number {
  const what = `groups, a positive divisor of ${channels.join(' and ')} channels`
  return checkNumber(op, what, groups, (x) => Number.isInteger(x) && x >= 1 && channels.every((c) => c % x === 0))
}

function checkWeight(op: string, weight: Node, what: string, isValid: (shape: Shape) => boolean): void {
  if (weight.shape.length !== 4 || weight.shape.slice(2).includes(0) || !isValid(weight.shape))
    throw new ShapeError(expected(op, `a weight ${what}`, formatShape(weight.shape)))
}

const otherLayouts = { NCHW: 'NHWC', NHWC: 'NCHW', NCL: 'NLC', NLC: 'NCL' } as const

/** Where x has the channels of the weight in the other layout only, that is what is wrong. */
function checkLayout(op: string, { shape }: Node, channels: number, layout: Layout1d | Layout2d = 'NCHW'): void {
  const [here, there] = layout === 'NCHW' || layout === 'NCL' ? [1, -1] : [-1, 1]
  if (shape.at(here) === channels || shape.at(there) !== channels) return
  const what = `an input of ${channels} channels, as the weight has, in layout '${layout}'`
  throw new ShapeError(expected(op, what, `${formatShape(shape)}, which is layout: '${otherLayouts[layout]}'`))
}

/** Zeros of a shape, the sums over no channels; of no channels out, nothing. They depend on x and weight as other sums do. */
const emptySums = (x: Node, weight: Node, shape: Shape): Node => broadcastTo(add(sum(x), sum(weight)), shape)

function addBias(op: string, y: Node, bias: Node | null): Node {
  if (bias === null) return y
  if (bias.shape.length !== 1 || bias.shape[0] !== y.shape[1])
    throw new ShapeError(expected(op, `a bias [${y.shape[1]}]`, formatShape(bias.shape)))
  return add(y, reshape(bias, [1, extentAt(y.shape, 1), 1, 1]))
}

/** Operands of one float dtype. */
function operandsOf(
  op: string,
  x: TensorLike,
  weight: TensorLike,
  bias?: TensorLike,
): [x: Node, weight: Node, bias: Node | null] {
  const nodes = [x, weight, ...(bias === undefined ? [] : [bias])].map((operand) => toNode(op, operand))
  const dtype = commonDType(nodes)
  const [a, b, c] = nodes.map((node) => cast(node, dtype))
  return [a!, b!, c ?? null]
}

/** How many channels the weight of a convolution is for. */
const channelsIn = ({ shape }: Node, { groups = 1 }: ChannelOptions): number => (shape[1] ?? 0) * groups

/** The convolution of x and weight, which are channels first. */
function convolve(op: string, x: Node, weight: Node, options: Conv2dOptions): Node {
  const { stride = 1, padding = 0, dilation = 1, groups = 1 } = options
  const [batch, inChannels, height, width] = x.shape as [number, number, number, number]
  checkWeight(op, weight, `[out, ${inChannels} / groups, …]`, () => true)
  const [outChannels, channels, kernelHeight, kernelWidth] = weight.shape as [number, number, number, number]
  groupsOf(op, groups, inChannels, outChannels)
  checkWeight(op, weight, `[out, ${inChannels / groups}, …]`, (shape) => shape[1] === inChannels / groups)
  const { windows } = windowsOver(op, height, width, {
    kernel: [kernelHeight, kernelWidth],
    stride: pairOf(op, 'stride', stride),
    padding: paddingOf(op, padding),
    dilation: pairOf(op, 'dilation', dilation),
  })
  if (inChannels === 0 || outChannels === 0)
    return emptySums(x, weight, [batch, outChannels, windows.outHeight, windows.outWidth])
  return conv2dNode(x, weight, { batch, groups, channels, filters: outChannels / groups, ...windows })
}

/**
 * Filters slid over images: y[n, o, i, j] = bias[o] + Σ weight[o, c, p, q] · x[n, c, i·stride + p·dilation − padding, …],
 * the sum over the channels c of o's group and the elements p, q of the kernel. As PyTorch's conv2d.
 *
 * @param x images [n, channels, height, width], or [n, height, width, channels] with `layout: 'NHWC'`
 * @param weight [out, channels / groups, kernelHeight, kernelWidth], whatever the layout
 * @returns images in the layout of x, of ⌊(extent + padding − (kernel − 1)·dilation − 1) / stride⌋ + 1 rows or columns
 * @throws ShapeError for operands that do not fit, or a kernel that is greater than the padded image; RangeError for
 * options that are no such numbers
 * @example conv2d(ones([1, 3, 28, 28]), ones([16, 3, 3, 3]), { padding: 'same' }).shape // [1, 16, 28, 28]
 * @pytorch F.conv2d
 * @tensorflow tf.nn.conv2d
 */
export function conv2d(x: TensorLike, weight: TensorLike, options?: Conv2dOptions): Tensor {
  const checked = checkOptions('conv2d', options, conv2dOptions)
  const [given, filters, bias] = operandsOf('conv2d', x, weight, checked.bias)
  const [images, restore] = channelsFirst('conv2d', given, 4, checked.layout ?? 'NCHW')
  checkLayout('conv2d', given, channelsIn(filters, checked), checked.layout)
  return wrap(restore(addBias('conv2d', convolve('conv2d', images, filters, checked), bias)))
}

/** The options of a line's convolution as those of an image of height 1. */
function onImages<T extends { stride?: number; dilation?: number; outputPadding?: number }>(options: T) {
  const { stride = 1, dilation = 1 } = options
  return { ...options, stride: beside(1, stride), dilation: beside(1, dilation) }
}

function lineWeight(op: string, weight: Node): Node {
  if (weight.shape.length !== 3) throw new ShapeError(expected(op, 'a weight of 3 axes', formatShape(weight.shape)))
  const [out, channels, length] = weight.shape as [number, number, number]
  return reshape(weight, [out, channels, 1, length])
}

/**
 * `conv2d` over lines: x[n, channels, length], or [n, length, channels] with `layout: 'NLC'`, with weight
 * [out, channels / groups, kernel]. As PyTorch's conv1d.
 *
 * @throws ShapeError, RangeError as conv2d
 * @pytorch F.conv1d
 * @tensorflow tf.nn.conv1d
 */
export function conv1d(x: TensorLike, weight: TensorLike, options?: Conv1dOptions): Tensor {
  const { bias: givenBias, layout = 'NCL', padding = 0, ...rest } = checkOptions('conv1d', options, conv1dOptions)
  const [given, filters, bias] = operandsOf('conv1d', x, weight, givenBias)
  const [lines, restore] = channelsFirst('conv1d', given, 3, layout)
  checkLayout('conv1d', given, channelsIn(filters, rest), layout)
  const imageOptions: Conv2dOptions = { ...onImages(rest), padding: linePadding(padding) } as Conv2dOptions
  const y = convolve('conv1d', asImages(lines), lineWeight('conv1d', filters), imageOptions)
  return wrap(restore(asLines(addBias('conv1d', y, bias))))
}

/** The transposed convolution of x and weight, which are channels first. */
function transposed(op: string, x: Node, weight: Node, options: ConvTranspose2dOptions): Node {
  const { padding = 0, groups = 1 } = options
  const [batch, inChannels, rows, columns] = x.shape as [number, number, number, number]
  checkWeight(op, weight, `[${inChannels}, out / groups, …]`, (shape) => shape[0] === inChannels)
  const [, channels, kernelHeight, kernelWidth] = weight.shape as [number, number, number, number]
  groupsOf(op, groups, inChannels)
  const stride = pairOf(op, 'stride', options.stride ?? 1)
  const dilation = pairOf(op, 'dilation', options.dilation ?? 1)
  const extra = pairOf(op, 'outputPadding', options.outputPadding ?? 0, 0)
  const sides = paddingOf(op, padding)
  if (sides === 'same' || padding === ('valid' as never))
    throw new RangeError(expected(op, 'padding to be an integer of at least 0, or two', padding))
  const extentOf = (axis: 0 | 1, count: number, kernel: number) => {
    if (extra[axis] >= Math.max(stride[axis], dilation[axis]))
      throw new RangeError(expected(op, 'outputPadding to be less than the stride or the dilation', extra[axis]))
    const extent =
      (count - 1) * stride[axis] + reachOf(kernel, dilation[axis]) + extra[axis] - sides[axis][0] - sides[axis][1]
    if (count < 1 || extent < 1)
      throw new ShapeError(expected(op, 'a result of at least one row and column', formatShape(x.shape)))
    return extent
  }
  const [height, width] = [extentOf(0, rows, kernelHeight), extentOf(1, columns, kernelWidth)]
  if (inChannels === 0 || channels === 0) return emptySums(x, weight, [batch, channels * groups, height, width])
  const { windows } = windowsOver(op, height, width, {
    ...{ kernel: [kernelHeight, kernelWidth], stride, padding: sides, dilation },
  })
  // With outputPadding one more window may fit than there are.
  const geometry = { ...windows, outHeight: rows, outWidth: columns }
  return conv2dInputGradient(x, weight, { batch, groups, channels, filters: inChannels / groups, ...geometry })
}

/**
 * The transpose of a convolution, which enlarges images: each element of x adds its multiple of a filter to a window of
 * the result. It is the gradient of `conv2d` in its input. As PyTorch's conv_transpose2d.
 *
 * @param x images [n, channels, height, width], or [n, height, width, channels] with `layout: 'NHWC'`
 * @param weight [channels, out / groups, kernelHeight, kernelWidth], whatever the layout
 * @returns images of (extent − 1)·stride + (kernel − 1)·dilation + 1 + outputPadding − padding rows or columns
 * @throws ShapeError for operands that do not fit, or an empty result; RangeError for options that are no such numbers
 * @example convTranspose2d(ones([1, 8, 7, 7]), ones([8, 4, 2, 2]), { stride: 2 }).shape // [1, 4, 14, 14]
 * @pytorch F.conv_transpose2d
 * @tensorflow tf.nn.conv2d_transpose
 */
export function convTranspose2d(x: TensorLike, weight: TensorLike, options?: ConvTranspose2dOptions): Tensor {
  const checked = checkOptions('convTranspose2d', options, convTranspose2dOptions)
  const [given, filters, bias] = operandsOf('convTranspose2d', x, weight, checked.bias)
  const [images, restore] = channelsFirst('convTranspose2d', given, 4, checked.layout ?? 'NCHW')
  checkLayout('convTranspose2d', given, filters.shape[0] ?? 0, checked.layout)
  return wrap(restore(addBias('convTranspose2d', transposed('convTranspose2d', images, filters, checked), bias)))
}

/**
 * `convTranspose2d` over lines: x[n, channels, length], or [n, length, channels] with `layout: 'NLC'`, with weight
 * [channels, out / groups, kernel]. As PyTorch's conv_transpose1d.
 *
 * @throws ShapeError, RangeError as convTranspose2d
 * @pytorch F.conv_transpose1d
 * @tensorflow tf.nn.conv1d_transpose
 */
export function convTranspose1d(x: TensorLike, weight: TensorLike, options?: ConvTranspose1dOptions): Tensor {
  const {
    bias: givenBias,
    layout = 'NCL',
    padding = 0,
    outputPadding = 0,
    ...rest
  } = checkOptions('convTranspose1d', options, convTranspose1dOptions)
  const [given, filters, bias] = operandsOf('convTranspose1d', x, weight, givenBias)
  const [lines, restore] = channelsFirst('convTranspose1d', given, 3, layout)
  checkLayout('convTranspose1d', given, filters.shape[0] ?? 0, layout)
  const y = transposed('convTranspose1d', asImages(lines), lineWeight('convTranspose1d', filters), {
    ...onImages(rest),
    padding: beside(0, padding),
    outputPadding: beside(0, outputPadding),
  } as ConvTranspose2dOptions)
  return wrap(restore(asLines(addBias('convTranspose1d', y, bias))))
}

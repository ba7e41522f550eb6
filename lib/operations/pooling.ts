/** Pooling: one number for each window of each channel. */
import { arrayOf } from '../base/arrays.ts'
import { type DType, isFloat } from '../base/dtype.ts'
import { DTypeError, expected, ShapeError } from '../base/errors.ts'
import { checkOptions, type OptionTypes } from '../base/options.ts'
import { type Pair, pairOf } from '../base/pair.ts'
import { checkShape, extentAt } from '../base/shape.ts'
import type { Node } from '../graph/node.ts'
import { broadcastTo, reshape } from '../graph/ops/broadcast.ts'
import { conv2d } from '../graph/ops/convolution.ts'
import { add, div } from '../graph/ops/elementwise.ts'
import { data, literal } from '../graph/ops/leaf.ts'
import { concat, pad } from '../graph/ops/movement.ts'
import { maxPool2d as maxPool2dNode } from '../graph/ops/pooling.ts'
import { cast } from '../graph/ops/promotion.ts'
import { scan } from '../graph/ops/scan.ts'
import { nodeOf, type Tensor, type TensorLike, toNode, wrap } from '../tensor/tensor.ts'
import { where } from './comparison.ts'
import { placesOf, take, withZero } from './places.ts'
import { mean, sum } from './reduce.ts'
import {
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
  windowsOver,
} from './windows.ts'

interface PoolOptions {
  /** Also windows that begin on the image and end past it; false unless given. */
  ceilMode?: boolean
}

export interface MaxPool2dOptions extends PoolOptions {
  /** The distance of neighbouring windows; that of the window's extent unless given, so that they lie side by side. */
  stride?: Pair
  /** None unless given; elements outside the image are never the greatest. */
  padding?: Padding2d
  dilation?: Pair
  layout?: Layout2d
}

export interface MaxPool1dOptions extends PoolOptions {
  stride?: number
  padding?: Padding1d
  dilation?: number
  layout?: Layout1d
}

export interface AvgPool2dOptions extends PoolOptions {
  /** The window's extent unless given. */
  stride?: Pair
  padding?: Padding2d
  /** Whether padding counts among the elements of a window, as zeros; true unless given, as in PyTorch. */
  countIncludePad?: boolean
  layout?: Layout2d
}

export interface AvgPool1dOptions extends PoolOptions {
  stride?: number
  padding?: Padding1d
  countIncludePad?: boolean
  layout?: Layout1d
}

const maxPool2dOptions: OptionTypes<MaxPool2dOptions> = {
  ...{ stride: 'other', padding: 'other', dilation: 'other', ceilMode: 'boolean' },
  layout: ['NCHW', 'NHWC'],
}
const maxPool1dOptions: OptionTypes<MaxPool1dOptions> = {
  ...{ stride: 'number', padding: 'other', dilation: 'number', ceilMode: 'boolean' },
  layout: ['NCL', 'NLC'],
}
const avgPool2dOptions: OptionTypes<AvgPool2dOptions> = {
  ...{ stride: 'other', padding: 'other', ceilMode: 'boolean', countIncludePad: 'boolean' },
  layout: ['NCHW', 'NHWC'],
}
const avgPool1dOptions: OptionTypes<AvgPool1dOptions> = {
  ...{ stride: 'number', padding: 'other', ceilMode: 'boolean', countIncludePad: 'boolean' },
  layout: ['NCL', 'NLC'],
}
const layout2dOption: OptionTypes<{ layout?: Layout2d }> = { layout: ['NCHW', 'NHWC'] }
const layout1dOption: OptionTypes<{ layout?: Layout1d }> = { layout: ['NCL', 'NLC'] }

/** A window beyond the half of which padding reaches may hold nothing else. */
function checkPadding(op: string, kernel: readonly [number, number], over: ReturnType<typeof windowsOver>): void {
  const { windows, padBottom, padRight } = over
  const [rows, columns] = [Math.max(windows.padTop, padBottom), Math.max(windows.padLeft, padRight)]
  if (2 * rows > kernel[0] || 2 * columns > kernel[1])
    throw new RangeError(expected(op, `padding of at most half of the kernel [${kernel}]`, `[${rows}, ${columns}]`))
}

function maxOver(op: string, x: Node, kernelSize: Pair, options: MaxPool2dOptions): Node {
  if (!isFloat(x.dtype)) throw new DTypeError(expected(op, 'float32 or float64', x.dtype))
  const kernel = pairOf(op, 'kernelSize', kernelSize)
  const { stride = kernel, padding = 0, dilation = 1, ceilMode = false } = options
  const sides = paddingOf(op, padding)
  const over = windowsOver(op, x.shape[2]!, x.shape[3]!, {
    kernel,
    stride: pairOf(op, 'stride', stride),
    padding: sides,
    dilation: pairOf(op, 'dilation', dilation),
    ceil: ceilMode,
  })
  checkPadding(op, kernel, over)
  return maxPool2dNode(x, over.windows)
}

/**
 * The greatest element of each window of each channel; NaN where it holds one. The gradient goes to the first greatest in
 * row-major order. As PyTorch's max_pool2d.
 *
 * @param x images [n, channels, height, width], or [n, height, width, channels] with `layout: 'NHWC'`
 * @param kernelSize the extent of a window, or its height and width
 * @throws ShapeError for a window greater than the padded image, DTypeError for integers, RangeError for options that
 * are no such numbers, or a padding of more than half of the window
 * @example maxPool2d(ones([1, 16, 28, 28]), 2).shape // [1, 16, 14, 14]
 * @pytorch F.max_pool2d
 * @tensorflow tf.nn.max_pool2d
 */
export function maxPool2d(x: TensorLike, kernelSize: Pair, options?: MaxPool2dOptions, ...surplus: []): Tensor {
  const given = checkOptions('maxPool2d', options, maxPool2dOptions, surplus)
  const [images, restore] = channelsFirst('maxPool2d', toNode('maxPool2d', x), 4, given.layout ?? 'NCHW')
  return wrap(restore(maxOver('maxPool2d', images, kernelSize, given)))
}

/** The options of a line's windows as those of an image of height 1. */
function onImages<T extends { stride?: number; padding?: Padding1d }>(kernelSize: number, options: T) {
  const { stride = kernelSize, padding = 0, layout: _, ...rest } = options as T & { layout?: unknown }
  return { ...rest, stride: beside(1, stride), padding: linePadding(padding) }
}

/**
 * `maxPool2d` over lines: x[n, channels, length], or [n, length, channels] with `layout: 'NLC'`.
 *
 * @throws ShapeError, DTypeError, RangeError as maxPool2d
 * @pytorch F.max_pool1d
 * @tensorflow tf.nn.max_pool1d
 */
export function maxPool1d(x: TensorLike, kernelSize: number, options?: MaxPool1dOptions, ...surplus: []): Tensor {
  const given = checkOptions('maxPool1d', options, maxPool1dOptions, surplus)
  const [lines, restore] = channelsFirst('maxPool1d', toNode('maxPool1d', x), 3, given.layout ?? 'NCL')
  const imageOptions = { ...onImages(kernelSize, given), dilation: beside(1, given.dilation ?? 1) }
  return wrap(restore(asLines(maxOver('maxPool1d', asImages(lines), beside(1, kernelSize), imageOptions))))
}

/** How many elements each window of an axis counts. */
function counts(
  out: number,
  stride: number,
  kernel: number,
  before: number,
  extent: number,
  after: number,
  pads: boolean,
) {
  return Array.from({ length: out }, (_, i) => {
    const start = i * stride - before
    const end = Math.min(start + kernel, extent + after)
    return pads ? end - start : Math.min(end, extent) - Math.max(start, 0)
  })
}

/** Kernels of more elements are not convolved with: their sums are put together of sums that windows share. */
const mostConvolved = 1024

/** The windows of one axis. */
interface LineWindows {
  readonly kernel: number
  readonly stride: number
  readonly before: number
  readonly out: number
}

/**
 * The sums of windows along an axis, at the cost of the axis and of the result, whatever the kernel: the axis is cut into blocks as
 * long as a window, so that each window is the end of a block and the beginning of the next one, or one of them.
 */
function sumsAlong(op: string, x: Node, axis: number, { kernel, stride, before, out }: LineWindows): Node {
  const n = extentAt(x.shape, axis)
  const block = Math.max(Math.min(kernel, n), 1)
  const blocks = Math.ceil(n / block)
  const whole = pad(
    x,
    x.shape.with(axis, blocks * block),
    x.shape.map(() => 0),
    x.shape.map(() => 1),
  )
  const cut = reshape(whole, [...x.shape.slice(0, axis), blocks, block, ...x.shape.slice(axis + 1)])
  const [begun, left] = [false, true].map((reverse) =>
    reshape(scan('sum', cut, { axis: axis + 1, reverse }), whole.shape),
  )
  // The sums of a block up to an element, those from an element on, and none.
  const parts = withZero(concat([begun!, left!], axis), axis)
  const none = 2 * blocks * block
  const placesIn = (which: 0 | 1) =>
    placesOf(op, [out], (i) => {
      const start = i * stride - before
      const [first, last] = [Math.max(start, 0), Math.min(start + kernel, n) - 1]
      if (first > last) return none
      if (Math.floor(first / block) !== Math.floor(last / block)) return which === 0 ? none / 2 + first : last
      if (which === 1) return none
      return first % block === 0 ? last : none / 2 + first
    })
  return add(take(parts, axis, placesIn(0)), take(parts, axis, placesIn(1)))
}

/** The sums over windows of x[planes, 1, height, width]: of few elements a convolution with ones. */
function sumsOver(op: string, x: Node, windows: ReturnType<typeof windowsOver>['windows']): Node {
  const { kernelHeight, kernelWidth, strideHeight, strideWidth, padTop, padLeft, outHeight, outWidth } = windows
  if (kernelHeight * kernelWidth <= mostConvolved) {
    const ones = broadcastTo(literal(1, x.dtype), [1, 1, kernelHeight, kernelWidth])
    return conv2d(x, ones, { batch: extentAt(x.shape, 0), groups: 1, channels: 1, filters: 1, ...windows })
  }
  const rows = { kernel: kernelHeight, stride: strideHeight, before: padTop, out: outHeight }
  const columns = { kernel: kernelWidth, stride: strideWidth, before: padLeft, out: outWidth }
  const [height, width] = [extentAt(x.shape, 2), extentAt(x.shape, 3)]
  // First the axis that leaves less.
  if (outHeight * width < height * outWidth) return sumsAlong(op, sumsAlong(op, x, 2, rows), 3, columns)
  return sumsAlong(op, sumsAlong(op, x, 3, columns), 2, rows)
}

function meanOver(op: string, given: Node, kernelSize: Pair, options: AvgPool2dOptions): Node {
  const x = cast(given, isFloat(given.dtype) ? given.dtype : 'float32')
  const [n, c, height, width] = x.shape as [number, number, number, number]
  const kernel = pairOf(op, 'kernelSize', kernelSize)
  const { stride = kernel, padding = 0, ceilMode: ceil = false, countIncludePad: pads = true } = options
  const steps = pairOf(op, 'stride', stride)
  const over = windowsOver(op, height, width, {
    ...{ kernel, stride: steps, padding: paddingOf(op, padding), dilation: [1, 1], ceil },
  })
  checkPadding(op, kernel, over)
  const { windows, padBottom, padRight } = over
  const { padTop, padLeft, outHeight, outWidth } = windows
  checkShape(op, [n, c, outHeight, outWidth])
  const sums = sumsOver(op, reshape(x, [n * c, 1, height, width]), windows)
  const rows = counts(outHeight, steps[0], kernel[0], padTop, height, padBottom, pads)
  const columns = counts(outWidth, steps[1], kernel[1], padLeft, width, padRight, pads)
  const isEven = [rows, columns].every((list) => list.every((count) => count === list[0]))
  const area = (i: number) => (rows[Math.floor(i / outWidth)] ?? 1) * (columns[i % outWidth] ?? 1)
  const plane = () => data(arrayOf(op, x.dtype, [outHeight, outWidth], area), x.dtype, [outHeight, outWidth])
  return reshape(div(sums, isEven ? area(0) : plane()), [n, c, outHeight, outWidth])
}

/**
 * The mean of each window of each channel; float32 for integers. As PyTorch's avg_pool2d.
 *
 * @param x images [n, channels, height, width], or [n, height, width, channels] with `layout: 'NHWC'`
 * @param kernelSize the extent of a window, or its height and width
 * @throws ShapeError for a window greater than the padded image, RangeError for options that are no such numbers, or a
 * padding of more than half of the window
 * @example avgPool2d(ones([1, 16, 28, 28]), 2).shape // [1, 16, 14, 14]
 * @pytorch F.avg_pool2d
 * @tensorflow tf.nn.avg_pool2d
 */
export function avgPool2d(x: TensorLike, kernelSize: Pair, options?: AvgPool2dOptions, ...surplus: []): Tensor {
  const given = checkOptions('avgPool2d', options, avgPool2dOptions, surplus)
  const [images, restore] = channelsFirst('avgPool2d', toNode('avgPool2d', x), 4, given.layout ?? 'NCHW')
  return wrap(restore(meanOver('avgPool2d', images, kernelSize, given)))
}

/**
 * `avgPool2d` over lines: x[n, channels, length], or [n, length, channels] with `layout: 'NLC'`.
 *
 * @throws ShapeError, RangeError as avgPool2d
 * @pytorch F.avg_pool1d
 * @tensorflow tf.nn.avg_pool1d
 */
export function avgPool1d(x: TensorLike, kernelSize: number, options?: AvgPool1dOptions, ...surplus: []): Tensor {
  const given = checkOptions('avgPool1d', options, avgPool1dOptions, surplus)
  const [lines, restore] = channelsFirst('avgPool1d', toNode('avgPool1d', x), 3, given.layout ?? 'NCL')
  const imageOptions = onImages(kernelSize, given)
  return wrap(restore(asLines(meanOver('avgPool1d', asImages(lines), beside(1, kernelSize), imageOptions))))
}

/** Reduces an axis of images to `out` elements, where those divide it. */
const meanOfAxis = (x: Node, axis: 2 | 3, out: number): Node =>
  nodeOf(
    mean(
      wrap(reshape(x, [...x.shape.slice(0, axis), out, x.shape[axis]! / out, ...x.shape.slice(axis + 1)])),
      axis + 1,
    ),
  )

const maxOfAxis = (op: string, x: Node, axis: 2 | 3, out: number): Node => {
  const window = x.shape[axis]! / out
  return maxOver(op, x, axis === 2 ? [window, 1] : [1, window], {})
}

/** The windows of an axis that `out` does not divide, laid side by side: each as long as the longest, by repeating its last element. */
function evenWindows(op: string, x: Node, axis: 2 | 3, out: number) {
  const n = extentAt(x.shape, axis)
  const start = (i: number) => Math.floor((i * n) / out)
  const size = (i: number) => Math.ceil(((i + 1) * n) / out) - start(i)
  let most = 0
  for (let i = 0; i < out; i++) most = Math.max(most, size(i))
  const places = placesOf(op, [out, most], (at) => {
    const i = Math.floor(at / most)
    return start(i) + Math.min(at % most, size(i) - 1)
  })
  return { size, most, elements: take(x, axis, places) }
}

/** [… , out, most, …] without the elements that are there to make windows even. */
function meanOfWindows(op: string, x: Node, axis: 2 | 3, out: number): Node {
  const { size, most, elements } = evenWindows(op, x, axis, out)
  const alone = (extents: readonly number[]) => (axis === 2 ? [...extents, 1] : extents)
  const of = (dtype: DType, extents: readonly number[], element: (i: number) => number) =>
    data(arrayOf(op, dtype, extents, element), dtype, alone(extents))
  const isOwn = of('bool', [out, most], (at) => Number(at % most < size(Math.floor(at / most))))
  const sums = sum(where(wrap(isOwn), wrap(elements), 0), axis + 1)
  return div(nodeOf(sums), of(x.dtype, [out], size))
}

function maxOfWindows(op: string, x: Node, axis: 2 | 3, out: number): Node {
  const { most, elements } = evenWindows(op, x, axis, out)
  return maxOfAxis(op, reshape(elements, x.shape.with(axis, out * most)), axis, out)
}

/** Window i of an axis of n elements, of `out`, is [⌊i·n / out⌋, ⌈(i + 1)·n / out⌉). */
function reduceWindows(op: string, x: Node, axis: 2 | 3, out: number, isMax: boolean): Node {
  const isEven = extentAt(x.shape, axis) % out === 0
  if (isMax) return isEven ? maxOfAxis(op, x, axis, out) : maxOfWindows(op, x, axis, out)
  return isEven ? meanOfAxis(x, axis, out) : meanOfWindows(op, x, axis, out)
}

/** Columns, then rows: the windows are rectangles of all pairs of the two. */
function adaptive(op: string, given: Node, outputSize: Pair, isMax: boolean): Node {
  const [outHeight, outWidth] = pairOf(op, 'outputSize', outputSize)
  if (isMax && !isFloat(given.dtype)) throw new DTypeError(expected(op, 'float32 or float64', given.dtype))
  const x = cast(given, isFloat(given.dtype) ? given.dtype : 'float32')
  if (x.shape[2] === 0 || x.shape[3] === 0)
    throw new ShapeError(expected(op, 'images of at least one element', `[${x.shape.join(', ')}]`))
  checkShape(op, [...x.shape.slice(0, 2), outHeight, outWidth])
  return reduceWindows(op, reduceWindows(op, x, 3, outWidth, isMax), 2, outHeight, isMax)
}

/**
 * The mean of each of `outputSize` windows that cover the image as evenly as can be: window i of n elements begins at
 * ⌊i·n / out⌋ and ends before ⌈(i + 1)·n / out⌉. `outputSize` 1 is the mean of each channel. As PyTorch's
 * adaptive_avg_pool2d.
 *
 * @param x images [n, channels, height, width], or [n, height, width, channels] with `layout: 'NHWC'`
 * @throws ShapeError for other operands or empty images, RangeError for an output size that is none
 * @example adaptiveAvgPool2d(ones([1, 512, 9, 7]), 1).shape // [1, 512, 1, 1]
 * @pytorch F.adaptive_avg_pool2d
 */
export function adaptiveAvgPool2d(
  x: TensorLike,
  outputSize: Pair,
  options?: { layout?: Layout2d },
  ...surplus: []
): Tensor {
  const given = checkOptions('adaptiveAvgPool2d', options, layout2dOption, surplus)
  const [images, restore] = channelsFirst(
    'adaptiveAvgPool2d',
    toNode('adaptiveAvgPool2d', x),
    4,
    given.layout ?? 'NCHW',
  )
  return wrap(restore(adaptive('adaptiveAvgPool2d', images, outputSize, false)))
}

/**
 * `adaptiveAvgPool2d` over lines: x[n, channels, length], or [n, length, channels] with `layout: 'NLC'`.
 * @throws ShapeError, RangeError as adaptiveAvgPool2d
 * @pytorch F.adaptive_avg_pool1d
 */
export function adaptiveAvgPool1d(
  x: TensorLike,
  outputSize: number,
  options?: { layout?: Layout1d },
  ...surplus: []
): Tensor {
  const given = checkOptions('adaptiveAvgPool1d', options, layout1dOption, surplus)
  const [lines, restore] = channelsFirst('adaptiveAvgPool1d', toNode('adaptiveAvgPool1d', x), 3, given.layout ?? 'NCL')
  return wrap(restore(asLines(adaptive('adaptiveAvgPool1d', asImages(lines), beside(1, outputSize), false))))
}

/**
 * The greatest element of each of the windows of `adaptiveAvgPool2d`. The gradient goes to the first greatest. As PyTorch's
 * adaptive_max_pool2d.
 *
 * @throws ShapeError, RangeError as adaptiveAvgPool2d, DTypeError for integers
 * @pytorch F.adaptive_max_pool2d
 */
export function adaptiveMaxPool2d(
  x: TensorLike,
  outputSize: Pair,
  options?: { layout?: Layout2d },
  ...surplus: []
): Tensor {
  const given = checkOptions('adaptiveMaxPool2d', options, layout2dOption, surplus)
  const [images, restore] = channelsFirst(
    'adaptiveMaxPool2d',
    toNode('adaptiveMaxPool2d', x),
    4,
    given.layout ?? 'NCHW',
  )
  return wrap(restore(adaptive('adaptiveMaxPool2d', images, outputSize, true)))
}

/**
 * `adaptiveMaxPool2d` over lines: x[n, channels, length], or [n, length, channels] with `layout: 'NLC'`.
 * @throws ShapeError, RangeError as adaptiveAvgPool2d, DTypeError for integers
 * @pytorch F.adaptive_max_pool1d
 */
export function adaptiveMaxPool1d(
  x: TensorLike,
  outputSize: number,
  options?: { layout?: Layout1d },
  ...surplus: []
): Tensor {
  const given = checkOptions('adaptiveMaxPool1d', options, layout1dOption, surplus)
  const [lines, restore] = channelsFirst('adaptiveMaxPool1d', toNode('adaptiveMaxPool1d', x), 3, given.layout ?? 'NCL')
  return wrap(restore(asLines(adaptive('adaptiveMaxPool1d', asImages(lines), beside(1, outputSize), true))))
}

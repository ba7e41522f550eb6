/** Pooling of volumes: the height and width of every plane, then the depth, as images both. */
import { isFloat } from '../base/dtype.ts'
import { DTypeError, expected, ShapeError } from '../base/errors.ts'
import { checkOptions, type OptionTypes } from '../base/options.ts'
import { formatOption, type Triple, tripleOf } from '../base/pair.ts'
import { extentAt, formatShape } from '../base/shape.ts'
import { nodeOf, type Tensor, type TensorLike, toNode, toTensor, wrap } from '../tensor/tensor.ts'
import { adaptiveAvgPool2d, adaptiveMaxPool2d, avgPool2d, maxPool2d } from './pooling.ts'
import { reshape } from './shape.ts'
import {
  channelsFirst,
  type Layout3d,
  type Padding3d,
  padding3dOf,
  separateWindows,
  type WindowOptions,
  windowsOver,
} from './windows.ts'

interface Pool3dOptions {
  /** The distance of neighbouring windows; that of the window's extent unless given, so that they lie side by side. */
  stride?: Triple
  /** None unless given. */
  padding?: Padding3d
  /** Also windows that begin on the volume and end past it; false unless given. */
  ceilMode?: boolean
  layout?: Layout3d
}

export interface MaxPool3dOptions extends Pool3dOptions {
  dilation?: Triple
}

export interface AvgPool3dOptions extends Pool3dOptions {
  /** Whether padding counts among the elements of a window, as zeros; true unless given, as in PyTorch. */
  countIncludePad?: boolean
}

interface LayoutOption {
  layout?: Layout3d
}

const layoutOptions: OptionTypes<LayoutOption> = { layout: ['NCDHW', 'NDHWC'] }
const poolOptions: OptionTypes<Pool3dOptions> = {
  ...{ stride: 'other', padding: 'other', ceilMode: 'boolean' },
  ...layoutOptions,
}
const maxPool3dOptions: OptionTypes<MaxPool3dOptions> = { ...poolOptions, dilation: 'other' }
const avgPool3dOptions: OptionTypes<AvgPool3dOptions> = { ...poolOptions, countIncludePad: 'boolean' }

type Pool = (images: Tensor) => Tensor

/** Pools the planes of x[n, c, d, h, w], and then in depth, where a plane is a line. */
function separately(x: Tensor, planes: Pool, depth: Pool): Tensor {
  const [n, c, d, height, width] = x.shape as [number, number, number, number, number]
  const pooled = planes(reshape(x, [n * c, d, height, width]))
  const [, , rows, columns] = pooled.shape as [number, number, number, number]
  const deep = depth(reshape(pooled, [n * c, 1, d, rows * columns]))
  return reshape(deep, [n, c, deep.shape[2] ?? 0, rows, columns])
}

/** What both functions take, checked before a volume is taken apart: the windows of its planes, and of its depth. */
function windowsOf(op: string, x: Tensor, kernelSize: Triple, options: MaxPool3dOptions) {
  const kernel = tripleOf(op, 'kernelSize', kernelSize)
  const { stride = kernel, padding = 0, dilation = 1, ceilMode: ceil = false } = options
  const steps = { stride: tripleOf(op, 'stride', stride), dilation: tripleOf(op, 'dilation', dilation) }
  const parts = separateWindows({ kernel, ...steps, padding: padding3dOf(op, padding), ceil })
  const [, , depth, height, width] = x.shape as [number, number, number, number, number]
  for (const [rows, columns, part] of [
    [height, width, parts.planes],
    [depth, 1, parts.depth],
  ] as const) {
    const { padTop, padLeft, kernelHeight, kernelWidth } = windowsOver(op, rows, columns, part).windows
    if (2 * padTop > kernelHeight || 2 * padLeft > kernelWidth)
      throw new RangeError(expected(op, `padding of at most half of the kernel [${kernel}]`, formatOption(padding)))
  }
  return parts
}

/** Windows as the options of the pooling of images. */
const optionsOf = ({ stride, padding, ceil = false }: WindowOptions) => ({ stride, padding, ceilMode: ceil })

/**
 * The greatest element of each window of each channel; NaN where it holds one. The gradient goes to the first greatest in
 * row-major order. As PyTorch's max_pool3d.
 *
 * @param x volumes [n, channels, depth, height, width], or [n, depth, height, width, channels] with `layout: 'NDHWC'`
 * @param kernelSize the extent of a window, or its depth, height and width
 * @throws ShapeError for a window greater than the padded volume, DTypeError for integers, RangeError for options that
 * are no such numbers, or a padding of more than half of the window
 * @example maxPool3d(ones([1, 16, 8, 28, 28]), 2).shape // [1, 16, 4, 14, 14]
 * @pytorch F.max_pool3d
 * @tensorflow tf.nn.max_pool3d
 */
export function maxPool3d(x: TensorLike, kernelSize: Triple, options?: MaxPool3dOptions, ...surplus: []): Tensor {
  const given = checkOptions('maxPool3d', options, maxPool3dOptions, surplus)
  const [volumes, restore] = channelsFirst('maxPool3d', toNode('maxPool3d', x), 5, given.layout ?? 'NCDHW')
  if (!isFloat(volumes.dtype)) throw new DTypeError(expected('maxPool3d', 'float32 or float64', volumes.dtype))
  const { planes, depth } = windowsOf('maxPool3d', wrap(volumes), kernelSize, given)
  const pool = (part: WindowOptions) => (images: Tensor) =>
    maxPool2d(images, part.kernel, { ...optionsOf(part), dilation: part.dilation })
  return wrap(restore(nodeOf(separately(wrap(volumes), pool(planes), pool(depth)))))
}

/**
 * The mean of each window of each channel; float32 for integers. As PyTorch's avg_pool3d.
 *
 * @param x volumes [n, channels, depth, height, width], or [n, depth, height, width, channels] with `layout: 'NDHWC'`
 * @param kernelSize the extent of a window, or its depth, height and width
 * @throws ShapeError for a window greater than the padded volume, RangeError for options that are no such numbers, or a padding
 * of more than half of the window
 * @example avgPool3d(ones([1, 16, 8, 28, 28]), [1, 2, 2]).shape // [1, 16, 8, 14, 14]
 * @pytorch F.avg_pool3d
 * @tensorflow tf.nn.avg_pool3d
 */
export function avgPool3d(x: TensorLike, kernelSize: Triple, options?: AvgPool3dOptions, ...surplus: []): Tensor {
  const { countIncludePad = true, ...given } = checkOptions('avgPool3d', options, avgPool3dOptions, surplus)
  const [volumes, restore] = channelsFirst('avgPool3d', toNode('avgPool3d', x), 5, given.layout ?? 'NCDHW')
  const { planes, depth } = windowsOf('avgPool3d', wrap(volumes), kernelSize, given)
  const pool = (part: WindowOptions) => (images: Tensor) =>
    avgPool2d(images, part.kernel, { ...optionsOf(part), countIncludePad })
  return wrap(restore(nodeOf(separately(wrap(volumes), pool(planes), pool(depth)))))
}

function adaptive(
  op: string,
  x: TensorLike,
  outputSize: Triple,
  { layout = 'NCDHW' }: LayoutOption,
  pool: typeof adaptiveAvgPool2d,
) {
  const [volumes, restore] = channelsFirst(op, toNode(op, x), 5, layout)
  const [depth, height, width] = tripleOf(op, 'outputSize', outputSize)
  if (volumes.shape.slice(2).includes(0))
    throw new ShapeError(expected(op, 'volumes of at least one element', formatShape(volumes.shape)))
  const pooled = separately(
    wrap(volumes),
    (planes) => pool(planes, [height, width]),
    (images) => pool(images, [depth, extentAt(images.shape, 3)]),
  )
  return wrap(restore(nodeOf(pooled)))
}

/**
 * The mean of each of `outputSize` windows that cover the volume as evenly as can be: `adaptiveAvgPool2d` with a third axis.
 *
 * @param x volumes [n, channels, depth, height, width], or [n, depth, height, width, channels] with `layout: 'NDHWC'`
 * @throws ShapeError for other operands or empty volumes, RangeError for an output size that is none
 * @example adaptiveAvgPool3d(ones([1, 512, 4, 9, 7]), 1).shape // [1, 512, 1, 1, 1]
 * @pytorch F.adaptive_avg_pool3d
 */
export const adaptiveAvgPool3d = (x: TensorLike, outputSize: Triple, options?: LayoutOption, ...surplus: []): Tensor =>
  adaptive(
    'adaptiveAvgPool3d',
    x,
    outputSize,
    checkOptions('adaptiveAvgPool3d', options, layoutOptions, surplus),
    adaptiveAvgPool2d,
  )

/**
 * The greatest element of each of the windows of `adaptiveAvgPool3d`. The gradient goes to the first greatest.
 *
 * @throws ShapeError, RangeError as adaptiveAvgPool3d, DTypeError for integers
 * @pytorch F.adaptive_max_pool3d
 */
export function adaptiveMaxPool3d(x: TensorLike, outputSize: Triple, options?: LayoutOption, ...surplus: []): Tensor {
  const given = checkOptions('adaptiveMaxPool3d', options, layoutOptions, surplus)
  const node = nodeOf(toTensor('adaptiveMaxPool3d', x))
  if (!isFloat(node.dtype)) throw new DTypeError(expected('adaptiveMaxPool3d', 'float32 or float64', node.dtype))
  return adaptive('adaptiveMaxPool3d', wrap(node), outputSize, given, adaptiveMaxPool2d)
}

/** Options of what slides a window over images: kernels, strides, padding and layouts, checked and brought to one form. */
import { expected, ShapeError } from '../base/errors.ts'
import { formatOption, isCount } from '../base/pair.ts'
import { extentAt, formatShape, maxExtent } from '../base/shape.ts'
import type { Node } from '../graph/node.ts'
import { reshape } from '../graph/ops/broadcast.ts'
import { permute } from '../graph/ops/movement.ts'

/** Of one axis: zeros before and after it; a number is both. */
export type AxisPadding = number | readonly [before: number, after: number]

/**
 * Zeros around an image: a number on every side, `[height, width]`, each a number or `[before, after]`; 'valid' is 0;
 * 'same' is as many as give ⌈extent / stride⌉ outputs, one more after than before where they are odd.
 */
export type Padding2d = 'same' | 'valid' | number | readonly [height: AxisPadding, width: AxisPadding]

/** `Padding2d` of a line. */
export type Padding1d = 'same' | 'valid' | AxisPadding

/** `Padding2d` of a volume. */
export type Padding3d =
  | 'same'
  | 'valid'
  | number
  | readonly [depth: AxisPadding, height: AxisPadding, width: AxisPadding]

/** Where the channels are: 'NCHW' unless given, as in PyTorch, or 'NHWC', as in TensorFlow. */
export type Layout2d = 'NCHW' | 'NHWC'

/** 'NCL' unless given, as in PyTorch, or 'NLC'. */
export type Layout1d = 'NCL' | 'NLC'

/** 'NCDHW' unless given, as in PyTorch, or 'NDHWC'. */
export type Layout3d = 'NCDHW' | 'NDHWC'

/** Zeros before and after an axis. */
export type Sides = readonly [before: number, after: number]

/** Zeros before and after each axis, or 'same'. */
export const paddingOf = (op: string, padding: Padding2d): 'same' | readonly [Sides, Sides] =>
  sidesOf(op, padding, 2) as 'same' | readonly [Sides, Sides]

/** `paddingOf` of a volume. */
export const padding3dOf = (op: string, padding: Padding3d): 'same' | readonly [Sides, Sides, Sides] =>
  sidesOf(op, padding, 3) as 'same' | readonly [Sides, Sides, Sides]

function sidesOf(op: string, padding: Padding2d | Padding3d, axes: 2 | 3): 'same' | readonly Sides[] {
  if (padding === 'same') return padding
  const all = padding === 'valid' ? 0 : padding
  const sides: unknown = typeof all === 'number' ? new Array<number>(axes).fill(all) : all
  const pairs: unknown[] = Array.isArray(sides)
    ? Array.from(sides, (side) => (typeof side === 'number' ? [side, side] : side))
    : []
  const isValid = (pair: unknown) => Array.isArray(pair) && pair.length === 2 && pair.every((x) => isCount(x, 0))
  if (pairs.length !== axes || !pairs.every(isValid)) {
    const count = axes === 2 ? 'two' : 'three'
    const what = `padding to be 'same', 'valid', an integer of at least 0, or ${count}`
    throw new RangeError(expected(op, what, formatOption(padding)))
  }
  return pairs as unknown as readonly Sides[]
}

/** How far a kernel reaches. */
export const reachOf = (kernel: number, dilation: number): number => (kernel - 1) * dilation + 1

export interface WindowOptions {
  readonly kernel: readonly [number, number]
  readonly stride: readonly [number, number]
  readonly padding: ReturnType<typeof paddingOf>
  readonly dilation: readonly [number, number]
  /** Also windows that begin inside and end outside, as PyTorch's ceil_mode. */
  readonly ceil?: boolean
}

/** The windows of one axis: how many, and the padding. */
interface AxisWindows {
  readonly out: number
  readonly before: number
  readonly after: number
}

function axisWindows(op: string, extent: number, options: WindowOptions, axis: 0 | 1): AxisWindows {
  const [kernel, stride, dilation] = [options.kernel[axis], options.stride[axis], options.dilation[axis]]
  const reach = reachOf(kernel, dilation)
  if (options.padding === 'same') {
    const out = Math.ceil(extent / stride)
    const total = Math.max(0, (out - 1) * stride + reach - extent)
    return { out, before: Math.floor(total / 2), after: Math.ceil(total / 2) }
  }
  const [before, after] = options.padding[axis]
  const room = extent + before + after - reach
  if (room < 0)
    throw new ShapeError(
      expected(op, `a window of at most the padded extent ${extent + before + after}`, `one of ${reach}`),
    )
  let out = (options.ceil ? Math.ceil(room / stride) : Math.floor(room / stride)) + 1
  if (options.ceil && (out - 1) * stride >= extent + before) out--
  return { out, before, after }
}

/** The windows over a plane of the given extents, and the zeros after it. */
export function windowsOver(op: string, height: number, width: number, options: WindowOptions) {
  const [rows, columns] = [axisWindows(op, height, options, 0), axisWindows(op, width, options, 1)]
  const { kernel, stride, dilation } = options
  const reach = (axis: 0 | 1, out: number) =>
    Math.max(out - 1, 0) * stride[axis] + reachOf(kernel[axis], dilation[axis])
  const area = reach(0, rows.out) * reach(1, columns.out)
  if (area > maxExtent) throw new RangeError(expected(op, `a padded plane of at most ${maxExtent} elements`, area))
  const windows = {
    ...{ height, width, kernelHeight: kernel[0], kernelWidth: kernel[1], outHeight: rows.out, outWidth: columns.out },
    ...{ strideHeight: stride[0], strideWidth: stride[1], padTop: rows.before, padLeft: columns.before },
    ...{ dilationHeight: dilation[0], dilationWidth: dilation[1] },
  }
  return { windows, padBottom: rows.after, padRight: columns.after }
}

/** The windows of a volume. */
export interface Window3dOptions {
  readonly kernel: readonly [number, number, number]
  readonly stride: readonly [number, number, number]
  readonly padding: ReturnType<typeof padding3dOf>
  readonly dilation: readonly [number, number, number]
  readonly ceil?: boolean
}

/** The windows of a volume as those of its planes, and those of its depth, an image of one column. */
export function separateWindows({ kernel, stride, padding, dilation, ceil = false }: Window3dOptions): {
  readonly planes: WindowOptions
  readonly depth: WindowOptions
} {
  const planeOf = <T>([, height, width]: readonly [T, T, T]): readonly [T, T] => [height, width]
  const isSame = padding === 'same'
  const planes = { kernel: planeOf(kernel), stride: planeOf(stride), dilation: planeOf(dilation), ceil }
  const depth = { kernel: beside(kernel[0], 1), stride: beside(stride[0], 1), dilation: beside(dilation[0], 1), ceil }
  return {
    planes: { ...planes, padding: isSame ? padding : planeOf(padding) },
    depth: { ...depth, padding: isSame ? padding : [padding[0], [0, 0]] },
  }
}

const layouts = { 3: ['NCL', 'NLC'], 4: ['NCHW', 'NHWC'], 5: ['NCDHW', 'NDHWC'] } as const

/** Lines, images or volumes with their channels before their other axes, and the way back. */
export function channelsFirst(op: string, x: Node, rank: 3 | 4 | 5, layout: string): [Node, (y: Node) => Node] {
  const [first, last] = layouts[rank]
  if (layout !== first && layout !== last) throw new RangeError(expected(op, `a layout, ${first} or ${last}`, layout))
  if (x.shape.length !== rank)
    throw new ShapeError(expected(op, `an input of ${rank} axes, ${layout}`, formatShape(x.shape)))
  if (layout === first) return [x, (y) => y]
  const places = Array.from({ length: rank - 2 }, (_, i) => i)
  const [to, from] = [
    [0, rank - 1, ...places.map((i) => i + 1)],
    [0, ...places.map((i) => i + 2), 1],
  ]
  return [permute(x, to), (y) => permute(y, from)]
}

/** x[n, c, length] as images of height 1. */
export const asImages = (x: Node): Node =>
  reshape(x, [extentAt(x.shape, 0), extentAt(x.shape, 1), 1, extentAt(x.shape, 2)])

/** Images of height 1 as lines. */
export const asLines = (y: Node): Node => reshape(y, [extentAt(y.shape, 0), extentAt(y.shape, 1), extentAt(y.shape, 3)])

/** The option of a line as that of an image of height 1. */
export const beside = <T>(first: number, value: T): readonly [number, T] => [first, value]

/** The padding of a line as that of an image of height 1. */
export const linePadding = (padding: Padding1d): Padding2d =>
  typeof padding === 'string' ? padding : beside(0, padding)

/** Windows of lines and images laid out side by side, and added up again. */

import { checkNumber } from '../base/arguments.ts'
import { isFloat } from '../base/dtype.ts'
import { expected, ShapeError } from '../base/errors.ts'
import { checkOptions, type OptionTypes } from '../base/options.ts'
import { isCount, type Pair, pairOf } from '../base/pair.ts'
import { checkShape, extentAt, formatShape, normalizeAxis, type Shape } from '../base/shape.ts'
import type { Node } from '../graph/node.ts'
import { broadcastTo, reshape } from '../graph/ops/broadcast.ts'
import { add } from '../graph/ops/elementwise.ts'
import { scatterAdd } from '../graph/ops/indexing.ts'
import { literal } from '../graph/ops/leaf.ts'
import { concat, pad, permute, sliceAlong } from '../graph/ops/movement.ts'
import { nodeOf, type Tensor, type TensorLike, toNode, toTensor, wrap } from '../tensor/tensor.ts'
import { placesOf, take, withZero } from './places.ts'
import { moveAxis } from './rearrange.ts'
import { type Padding2d, paddingOf, windowsOver } from './windows.ts'

export interface SlidingWindowsOptions {
  /** The last one unless given. */
  axis?: number
  /** The distance of neighbouring windows; 1 unless given. */
  step?: number
}

export interface UnfoldOptions {
  /** The distance of neighbouring windows; 1 unless given. */
  stride?: Pair
  /** Zeros around the image; none unless given. */
  padding?: Padding2d
  /** The distance of neighbouring elements of a window; 1 unless given. */
  dilation?: Pair
}

const slidingWindowsOptions: OptionTypes<SlidingWindowsOptions> = { axis: 'number', step: 'number' }
const unfoldOptions: OptionTypes<UnfoldOptions> = { stride: 'other', padding: 'other', dilation: 'other' }

/** The windows of one axis: `out` of so many elements. The first begins `before` elements before the axis. */
interface LineWindows {
  readonly size: number
  readonly out: number
  readonly stride: number
  readonly dilation: number
  readonly before: number
  readonly after: number
}

/** Slices of more elements than these, one for each element of a window, are not worth recording. */
const mostSlices = 32

/** Whether an axis has elements chosen by their places: of great windows, or of padding that is greater than itself. */
const isWide = ({ size, before, after, ...windows }: LineWindows, extent: number): boolean =>
  (size > mostSlices && !tiles({ size, ...windows })) || before + after > 2 * extent + 64

/** Where element i of window j is on an axis, [size, out]; outside it, at its end. */
const placesIn = (op: string, { size, out, stride, dilation, before }: LineWindows, extent: number): Node =>
  placesOf(op, [size, out], (at) => {
    const place = (at % out) * stride + Math.floor(at / out) * dilation - before
    return place < 0 || place >= extent ? extent : place
  })

/** Whether windows lie side by side, so that every element is in one at most. */
const tiles = ({ size, stride, dilation }: Pick<LineWindows, 'size' | 'stride' | 'dilation'>): boolean =>
  stride === size && dilation === 1

/** One axis of x as two, [… , size, out, …]: element i of window j is x[…, j·stride + i·dilation − before, …], or 0. */
function unfoldAxis(op: string, given: Node, axis: number, windows: LineWindows): Node {
  const { size, out, stride, dilation, before, after } = windows
  const extent = extentAt(given.shape, axis)
  checkShape(op, [...given.shape.slice(0, axis), size, out, ...given.shape.slice(axis + 1)])
  if (isWide(windows, extent)) {
    const isPadded = before + after > 0
    return take(isPadded ? withZero(given, axis) : given, axis, placesIn(op, windows, extent))
  }
  const x = placedAlong(given, axis, before + extent + after, before, 1)
  const [outer, inner] = [x.shape.slice(0, axis), x.shape.slice(axis + 1)]
  if (tiles(windows)) {
    const used = reshape(sliceAlong(x, axis, 0, out * size), [...outer, out, size, ...inner])
    return permute(used, exchanged(used.shape.length, axis))
  }
  const elements = Array.from({ length: size }, (_, i) => sliceAlong(x, axis, i * dilation, out, stride))
  return reshape(concat(elements, axis), [...outer, size, out, ...inner])
}

/** The axes of so many with the one at `axis` and the next exchanged. */
const exchanged = (rank: number, axis: number): number[] =>
  Array.from({ length: rank }, (_, i) => (i === axis ? axis + 1 : i === axis + 1 ? axis : i))

/** The elements of an axis from place `start` of one of `extent` on, every `step`-th, between zeros. */
function placedAlong(x: Node, axis: number, extent: number, start: number, step: number): Node {
  if (extent === x.shape[axis]) return x
  const only = (value: number, other: number) => x.shape.map((_, i) => (i === axis ? value : other))
  return pad(x, x.shape.with(axis, extent), only(start, 0), only(step, 1))
}

/** The sums of what [size, out, …] has for each place: rows of [extent, …]. */
function foldWide(op: string, x: Node, axis: number, extent: number, windows: LineWindows): Node {
  const front = [axis, axis + 1, ...x.shape.map((_, i) => i).filter((i) => i !== axis && i !== axis + 1)]
  const updates = permute(x, front)
  // One row more, for what is outside.
  const none = broadcastTo(literal(0, x.dtype), [extent + 1, ...updates.shape.slice(2)])
  const sums = sliceAlong(scatterAdd(none, placesIn(op, windows, extent), updates), 0, 0, extent)
  const others = sums.shape.map((_, i) => i).slice(1)
  return permute(sums, [...others.slice(0, axis), 0, ...others.slice(axis)])
}

/** Two axes of x, [… , size, out, …], as one of `extent`: the sums of what windows have of each element. */
function foldAxis(op: string, x: Node, axis: number, extent: number, windows: LineWindows): Node {
  const { before, after } = windows
  const isSummed = isFloat(x.dtype) || x.dtype === 'int32'
  if (isSummed && isWide(windows, extent)) return foldWide(op, x, axis, extent, windows)
  return sliceAlong(foldPadded(x, axis, before + extent + after, windows), axis, before, extent)
}

function foldPadded(x: Node, axis: number, extent: number, windows: LineWindows): Node {
  const { size, out, stride, dilation } = windows
  const [outer, inner] = [x.shape.slice(0, axis), x.shape.slice(axis + 2)]
  const placed = (part: Node, start: number, step: number) => placedAlong(part, axis, extent, start, step)
  if (out === 0) return broadcastTo(literal(0, x.dtype), [...outer, extent, ...inner])
  if (tiles(windows)) {
    const lines = permute(x, exchanged(x.shape.length, axis))
    return placed(reshape(lines, [...outer, out * size, ...inner]), 0, 1)
  }
  return Array.from({ length: size }, (_, i) =>
    placed(reshape(sliceAlong(x, axis, i, 1), [...outer, out, ...inner]), i * dilation, stride),
  ).reduce((sum, part) => add(sum, part))
}

/**
 * The windows of `size` neighbours along an axis, as a last axis: [… , n, …] gives […, (n − size) / step + 1, …, size], rounded
 * down. PyTorch's Tensor.unfold and numpy's sliding_window_view.
 *
 * @example
 * slidingWindows([1, 2, 3, 4], 3)   // [[1, 2, 3], [2, 3, 4]]
 *
 * @throws ShapeError for an axis that is none, or has fewer than `size` elements; RangeError for a size or step below 1
 * @pytorch Tensor.unfold
 * @tensorflow tf.signal.frame
 * @numpy np.lib.stride_tricks.sliding_window_view
 */
export function slidingWindows(x: TensorLike, size: number, options?: SlidingWindowsOptions, ...surplus: []): Tensor {
  const { axis = -1, step = 1 } = checkOptions('slidingWindows', options, slidingWindowsOptions, surplus)
  const node = toNode('slidingWindows', x)
  const along = normalizeAxis('slidingWindows', axis, node.shape.length)
  for (const [name, count] of [
    ['size', size],
    ['step', step],
  ] as const)
    checkNumber('slidingWindows', `a positive integer as ${name}`, count, (n) => isCount(n, 1))
  const extent = extentAt(node.shape, along)
  if (size > extent)
    throw new ShapeError(expected('slidingWindows', `a size of at most the ${extent} elements of axis ${along}`, size))
  const windows = { size, out: Math.floor((extent - size) / step) + 1, stride: step, dilation: 1 }
  const unfolded = unfoldAxis('slidingWindows', node, along, { ...windows, before: 0, after: 0 })
  return moveAxis(wrap(unfolded), along, -1)
}

/** The windows of the rows and of the columns of an image. */
function imageWindows(op: string, height: number, width: number, kernelSize: Pair, options: UnfoldOptions) {
  const kernel = pairOf(op, 'kernelSize', kernelSize)
  const stride = pairOf(op, 'stride', options.stride ?? 1)
  const dilation = pairOf(op, 'dilation', options.dilation ?? 1)
  const padding = paddingOf(op, options.padding ?? 0)
  const { windows, padBottom, padRight } = windowsOver(op, height, width, { kernel, stride, padding, dilation })
  const { padTop, padLeft, outHeight, outWidth } = windows
  const of = (i: 0 | 1, out: number) => ({ size: kernel[i], out, stride: stride[i], dilation: dilation[i] })
  return {
    rows: { ...of(0, outHeight), before: padTop, after: padBottom },
    columns: { ...of(1, outWidth), before: padLeft, after: padRight },
  }
}

/**
 * The windows that slide over images, as columns (im2col): x[n, c, height, width] gives [n, c·kernelHeight·kernelWidth, windows],
 * the elements of a window channel by channel and row by row, the windows row by row. Options are those of `conv2d`, which is the
 * matrix product of its weight and these columns. As PyTorch's unfold; `slidingWindows` is that of its tensors.
 *
 * @throws ShapeError for other operands, or a window greater than the padded image; RangeError for options that are no such
 * numbers
 * @example unfold(ones([1, 3, 8, 8]), 2, { stride: 2 }).shape // [1, 12, 16]
 * @pytorch F.unfold
 * @tensorflow tf.image.extract_patches
 */
export function unfold(x: TensorLike, kernelSize: Pair, options?: UnfoldOptions, ...surplus: []): Tensor {
  const given = checkOptions('unfold', options, unfoldOptions, surplus)
  const t = toTensor('unfold', x)
  if (t.ndim !== 4)
    throw new ShapeError(expected('unfold', 'images [n, channels, height, width]', formatShape(t.shape)))
  const [n, channels, height, width] = t.shape as [number, number, number, number]
  const { rows, columns } = imageWindows('unfold', height, width, kernelSize, given)
  checkShape('unfold', [n, channels * rows.size * columns.size, rows.out * columns.out])
  // [n, c, kernelHeight, outHeight, kernelWidth, outWidth]
  const windows = unfoldAxis('unfold', unfoldAxis('unfold', nodeOf(t), 2, rows), 4, columns)
  const ordered = permute(windows, [0, 1, 2, 4, 3, 5])
  return wrap(reshape(ordered, [n, channels * rows.size * columns.size, rows.out * columns.out]))
}

/**
 * The sums of windows where they overlap (col2im), the adjoint of `unfold` with the same options: columns
 * [n, c·kernelHeight·kernelWidth, windows] give images [n, c, height, width] of `outputSize`. As PyTorch's fold.
 *
 * @param outputSize the height and width of the images
 * @throws ShapeError for columns that are not those of such images; RangeError for options that are no such numbers
 * @example fold(ones([1, 12, 16]), 8, 2, { stride: 2 }).shape // [1, 3, 8, 8]
 * @pytorch F.fold
 */
export function fold(
  x: TensorLike,
  outputSize: Pair,
  kernelSize: Pair,
  options?: UnfoldOptions,
  ...surplus: []
): Tensor {
  const given = checkOptions('fold', options, unfoldOptions, surplus)
  const node = toNode('fold', x)
  const [height, width] = pairOf('fold', 'outputSize', outputSize)
  const { rows, columns } = imageWindows('fold', height, width, kernelSize, given)
  const [area, count] = [rows.size * columns.size, rows.out * columns.out]
  const [n, elements, windows] = node.shape
  if (node.shape.length !== 3 || elements! % area !== 0 || windows !== count)
    throw new ShapeError(expected('fold', `columns [n, channels · ${area}, ${count}]`, formatShape(node.shape)))
  const split: Shape = [n!, elements! / area, rows.size, columns.size, rows.out, columns.out]
  const ordered = permute(reshape(node, split), [0, 1, 2, 4, 3, 5])
  return wrap(foldAxis('fold', foldAxis('fold', ordered, 4, width, columns), 2, height, rows))
}

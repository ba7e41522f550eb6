/** Windows of lines and images laid out side by side, and added up again. */

import { expected, ShapeError } from '../base/errors.ts'
import { checkOptions, type OptionTypes } from '../base/options.ts'
import { isCount, type Pair, pairOf } from '../base/pair.ts'
import { extentAt, formatShape, normalizeAxis, type Shape } from '../base/shape.ts'
import type { Node } from '../graph/node.ts'
import { broadcastTo, reshape } from '../graph/ops/broadcast.ts'
import { add } from '../graph/ops/elementwise.ts'
import { literal } from '../graph/ops/leaf.ts'
import { concat, pad, permute, sliceAlong } from '../graph/ops/movement.ts'
import { nodeOf, type Tensor, type TensorLike, toNode, toTensor, wrap } from '../tensor/tensor.ts'
import { pad as padAround } from './padding.ts'
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

/** The windows of one axis: `out` of so many elements. */
interface LineWindows {
  readonly size: number
  readonly out: number
  readonly stride: number
  readonly dilation: number
}

/** Whether windows lie side by side, so that every element is in one at most. */
const tiles = ({ size, stride, dilation }: LineWindows): boolean => stride === size && dilation === 1

/** One axis of x as two, [… , size, out, …]: element i of window j is x[…, j·stride + i·dilation, …]. */
function unfoldAxis(x: Node, axis: number, windows: LineWindows): Node {
  const { size, out, stride, dilation } = windows
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

/** Two axes of x, [… , size, out, …], as one of `extent`: the sums of what windows have of each element. */
function foldAxis(x: Node, axis: number, extent: number, windows: LineWindows): Node {
  const { size, out, stride, dilation } = windows
  const [outer, inner] = [x.shape.slice(0, axis), x.shape.slice(axis + 2)]
  const placed = (part: Node, start: number, step: number): Node => {
    const at = [...outer, extent, ...inner].map((_, i) => (i === axis ? start : 0))
    const steps = at.map((_, i) => (i === axis ? step : 1))
    return pad(part, [...outer, extent, ...inner], at, steps)
  }
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
export function slidingWindows(x: TensorLike, size: number, options?: SlidingWindowsOptions): Tensor {
  const { axis = -1, step = 1 } = checkOptions('slidingWindows', options, slidingWindowsOptions)
  const node = toNode('slidingWindows', x)
  const along = normalizeAxis('slidingWindows', axis, node.shape.length)
  if (!isCount(size, 1) || !isCount(step, 1))
    throw new RangeError(expected('slidingWindows', 'a positive integer as size and step', `${size} and ${step}`))
  const extent = extentAt(node.shape, along)
  if (size > extent)
    throw new ShapeError(expected('slidingWindows', `a size of at most the ${extent} elements of axis ${along}`, size))
  const windows = { size, out: Math.floor((extent - size) / step) + 1, stride: step, dilation: 1 }
  return moveAxis(wrap(unfoldAxis(node, along, windows)), along, -1)
}

/** The windows of the rows and of the columns of an image. */
function imageWindows(op: string, height: number, width: number, kernelSize: Pair, options: UnfoldOptions) {
  const kernel = pairOf(op, 'kernelSize', kernelSize)
  const stride = pairOf(op, 'stride', options.stride ?? 1)
  const dilation = pairOf(op, 'dilation', options.dilation ?? 1)
  const padding = paddingOf(op, options.padding ?? 0)
  const { windows, padBottom, padRight } = windowsOver(op, height, width, { kernel, stride, padding, dilation })
  const { padTop, padLeft, outHeight, outWidth } = windows
  const of = (i: 0 | 1, out: number): LineWindows => ({
    size: kernel[i],
    out,
    stride: stride[i],
    dilation: dilation[i],
  })
  const sides = [
    [padTop, padBottom],
    [padLeft, padRight],
  ] as const
  return { rows: of(0, outHeight), columns: of(1, outWidth), sides }
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
export function unfold(x: TensorLike, kernelSize: Pair, options?: UnfoldOptions): Tensor {
  const given = checkOptions('unfold', options, unfoldOptions)
  const t = toTensor('unfold', x)
  if (t.ndim !== 4)
    throw new ShapeError(expected('unfold', 'images [n, channels, height, width]', formatShape(t.shape)))
  const [n, channels, height, width] = t.shape as [number, number, number, number]
  const { rows, columns, sides } = imageWindows('unfold', height, width, kernelSize, given)
  const padded = nodeOf(padAround(t, [[0, 0], [0, 0], ...sides]))
  // [n, c, kernelHeight, outHeight, kernelWidth, outWidth]
  const windows = unfoldAxis(unfoldAxis(padded, 2, rows), 4, columns)
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
export function fold(x: TensorLike, outputSize: Pair, kernelSize: Pair, options?: UnfoldOptions): Tensor {
  const given = checkOptions('fold', options, unfoldOptions)
  const node = toNode('fold', x)
  const [height, width] = pairOf('fold', 'outputSize', outputSize)
  const { rows, columns, sides } = imageWindows('fold', height, width, kernelSize, given)
  const [area, count] = [rows.size * columns.size, rows.out * columns.out]
  const [n, elements, windows] = node.shape
  if (node.shape.length !== 3 || elements! % area !== 0 || windows !== count)
    throw new ShapeError(expected('fold', `columns [n, channels · ${area}, ${count}]`, formatShape(node.shape)))
  const split: Shape = [n!, elements! / area, rows.size, columns.size, rows.out, columns.out]
  const ordered = permute(reshape(node, split), [0, 1, 2, 4, 3, 5])
  const [[top, bottom], [left, right]] = sides
  const lines = foldAxis(ordered, 4, left + width + right, columns)
  const images = foldAxis(lines, 2, top + height + bottom, rows)
  return wrap(sliceAlong(sliceAlong(images, 2, top, height), 3, left, width))
}

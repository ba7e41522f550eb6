/** Sorting along an axis, and what stands at places of the sorted order. */
import { isFloat } from '../base/dtype.ts'
import { expected, ShapeError } from '../base/errors.ts'
import { normalizeAxis } from '../base/shape.ts'
import type { Node } from '../graph/node.ts'
import { takeAlongAxis } from '../graph/ops/along-axis.ts'
import { add, cast, mul, notEqual, sub, where } from '../graph/ops/elementwise.ts'
import { concat, reshape, sliceAt } from '../graph/ops/movement.ts'
import type { Axes } from '../graph/ops/reduce.ts'
import { argsortRows, axisBack, axisLast, rowsOver } from '../graph/ops/sort.ts'
import { type ReduceOptions, type Tensor, type TensorLike, toNode, wrap } from '../tensor/tensor.ts'

export interface SortOptions {
  /** The last one unless given. */
  axis?: number
  /** From the greatest to the least; false unless given. */
  descending?: boolean
}

export interface TopkOptions {
  /** The last one unless given. */
  axis?: number
  /** The greatest elements, and not the least: true unless given. */
  largest?: boolean
}

/** What topk gives: elements, and where they are along the axis, as int32. */
export interface Topk {
  readonly values: Tensor
  readonly indices: Tensor
}

interface Sorted {
  readonly values: Node
  readonly indices: Node
}

function firstAlong(x: Node, axis: number, count: number, descending: boolean): Sorted {
  const rows = axisLast(x, axis)
  const indices = argsortRows(rows, count, descending)
  return { values: axisBack(takeAlongAxis(rows, indices, -1), axis), indices: axisBack(indices, axis) }
}

function sorted(name: string, x: TensorLike, { axis = -1, descending = false }: SortOptions): Sorted {
  const node = toNode(x)
  const along = normalizeAxis(name, axis, node.shape.length)
  return firstAlong(node, along, node.shape[along]!, descending)
}

/**
 * The elements in ascending order along an axis, or descending. Stable: equal elements keep their order. NaN counts as
 * greater than all others, as in PyTorch: last, or first where descending. Each value passes its gradient to the
 * element it is.
 *
 * @example sort([3, 1, 2], { descending: true }) // [3, 2, 1]
 */
export function sort(x: TensorLike, options: SortOptions = {}): Tensor {
  return wrap(sorted('sort', x, options).values)
}

/** The int32 indices along an axis that sort it, in the order of `sort`. */
export function argsort(x: TensorLike, options: SortOptions = {}): Tensor {
  return wrap(sorted('argsort', x, options).indices)
}

/**
 * The k greatest elements along an axis in descending order, or with `largest: false` the k least in ascending order,
 * and their indices: x[n] gives values[k] and indices[k]. Of equal elements the first ones; NaN counts as the greatest.
 * Each value passes its gradient to the element it is.
 *
 * @throws ShapeError where the axis has less than k elements.
 */
export function topk(x: TensorLike, k: number, { axis = -1, largest = true }: TopkOptions = {}): Topk {
  const node = toNode(x)
  const along = normalizeAxis('topk', axis, node.shape.length)
  const extent = node.shape[along]!
  if (!Number.isInteger(k) || k < 0 || k > extent)
    throw new ShapeError(expected('topk', `k in [0, ${extent}], the extent of axis ${along}`, k))
  const { values, indices } = firstAlong(node, along, k, largest)
  return { values: wrap(values), indices: wrap(indices) }
}

interface OrderedRows {
  readonly rows: Node
  readonly order: Node
  readonly count: number
}

function orderedRows(name: string, rows: Node): OrderedRows {
  const count = rows.shape.at(-1)!
  if (count === 0) throw new ShapeError(expected(name, 'at least one element', 'none'))
  return { rows, order: argsortRows(rows, count, false), count }
}

/** Element `place` of each sorted row, [..., 1]. */
function elementAt({ rows, order }: OrderedRows, place: number): Node {
  const starts = rows.shape.map((_, axis) => (axis === rows.shape.length - 1 ? place : 0))
  return takeAlongAxis(rows, sliceAt(order, starts, [...rows.shape.slice(0, -1), 1]), -1)
}

/** The value, or NaN where a row has one: then it is the last in order. */
function unlessNaN(ordered: OrderedRows, value: Node): Node {
  if (!isFloat(ordered.rows.dtype)) return value
  const last = elementAt(ordered, ordered.count - 1)
  return where(notEqual(last, last), last, value)
}

/**
 * The median over axes, all of them without any: of an even number of elements the lower of the two in the middle, as
 * in PyTorch (`quantile(x, 0.5)` is the mean of both). NaN where there is one. Its gradient goes to the element it is.
 */
export function median(x: TensorLike, axis?: Axes, { keepDims = false }: ReduceOptions = {}): Tensor {
  const { rows, kept } = rowsOver('median', toNode(x), axis, keepDims)
  const ordered = orderedRows('median', rows)
  return wrap(reshape(unlessNaN(ordered, elementAt(ordered, (ordered.count - 1) >> 1)), kept))
}

/** Between the neighbours of place q·(n − 1), in proportion. */
function quantileAt(ordered: OrderedRows, q: number): Node {
  const place = q * (ordered.count - 1)
  const below = Math.floor(place)
  const low = elementAt(ordered, below)
  if (below === place) return low
  return add(low, mul(sub(elementAt(ordered, below + 1), low), place - below))
}

/**
 * The q-quantiles over axes, all of them without any, by linear interpolation between the sorted elements around place
 * q·(n − 1); float32 for integers. Of several q the result has them along a new first axis. NaN where there is one.
 *
 * @param q a number in [0, 1], or several.
 * @example quantile([1, 2, 3, 4], [0.25, 0.5]) // [1.75, 2.5]
 */
export function quantile(
  x: TensorLike,
  q: number | readonly number[],
  axis?: Axes,
  { keepDims = false }: ReduceOptions = {},
): Tensor {
  const several = typeof q === 'number' ? [q] : q
  const wrong = several.find((each) => !(each >= 0 && each <= 1))
  if (wrong !== undefined) throw new RangeError(expected('quantile', 'q in [0, 1]', wrong))
  const node = toNode(x)
  const float = isFloat(node.dtype) ? node : cast(node, 'float32')
  const { rows, kept } = rowsOver('quantile', float, axis, keepDims)
  const ordered = orderedRows('quantile', rows)
  const found = several.map((each) => reshape(unlessNaN(ordered, quantileAt(ordered, each)), [1, ...kept]))
  return wrap(typeof q === 'number' ? reshape(found[0]!, kept) : concat(found, 0))
}

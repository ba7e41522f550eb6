/** Sorting along an axis, and what stands at places of the sorted order. */
import { checkNumbers } from '../base/arguments.ts'
import { arrayOf } from '../base/arrays.ts'
import { type DType, isFloat } from '../base/dtype.ts'
import { expected, ShapeError } from '../base/errors.ts'
import { pick } from '../base/lists.ts'
import { checkOptions, type OptionTypes } from '../base/options.ts'
import { extentAt, normalizeAxes, normalizeAxis, type Shape, sizeOf } from '../base/shape.ts'
import { data } from '../graph/ops/leaf.ts'
import { argsortRows } from '../graph/ops/sort.ts'
import { arange } from '../tensor/creation.ts'
import { nodeOf, type Tensor, type TensorLike, toTensor, wrap } from '../tensor/tensor.ts'
import { lerp, sub } from './arithmetic.ts'
import { notEqual, where } from './comparison.ts'
import { slice, takeAlongAxis } from './indexing.ts'
import { pad } from './padding.ts'
import { placesOf, take } from './places.ts'
import { moveAxis, permute } from './rearrange.ts'
import { type Axes, argmax, type ReduceOptions } from './reduce.ts'
import { cummax } from './scan.ts'
import { cast, reshape, squeeze } from './shape.ts'

export interface SortOptions {
  /** The last one unless given. */
  axis?: number
  /** From the greatest to the least; false unless given. */
  descending?: boolean
}

const sortOptions: OptionTypes<SortOptions> = { axis: 'number', descending: 'boolean' }

export interface TopkOptions {
  /** The last one unless given. */
  axis?: number
  /** The greatest elements, and not the least: true unless given. */
  largest?: boolean
}

const topkOptions: OptionTypes<TopkOptions> = { axis: 'number', largest: 'boolean' }

const reduceOptions: OptionTypes<ReduceOptions> = { keepDims: 'boolean' }

/** What topk gives: elements, and where they are along the axis, as int32. */
export interface Topk {
  readonly values: Tensor
  readonly indices: Tensor
}

function firstAlong(x: Tensor, axis: number, count: number, descending: boolean): Topk {
  const rows = moveAxis(x, axis, -1)
  const indices = wrap(argsortRows(nodeOf(rows), count, descending))
  return { values: moveAxis(takeAlongAxis(rows, indices, -1), -1, axis), indices: moveAxis(indices, -1, axis) }
}

function sorted(name: string, x: TensorLike, options: SortOptions | undefined, surplus: readonly unknown[]): Topk {
  const { axis = -1, descending = false } = checkOptions(name, options, sortOptions, surplus)
  const t = toTensor(name, x)
  const along = normalizeAxis(name, axis, t.ndim)
  return firstAlong(t, along, extentAt(t.shape, along), descending)
}

/**
 * The elements in ascending order along an axis, or descending. Stable: equal elements keep their order. NaN counts as
 * greater than all others, as in PyTorch: last, or first where descending. Each value passes its gradient to the
 * element it is.
 * @throws ShapeError for an axis that is none
 * @example sort([3, 1, 2], { descending: true }) // [3, 2, 1]
 * @pytorch torch.sort
 * @tensorflow tf.sort
 * @numpy np.sort
 */
export function sort(x: TensorLike, options?: SortOptions, ...surplus: []): Tensor {
  return sorted('sort', x, options, surplus).values
}

/**
 * The int32 indices along an axis that sort it, in the order of `sort`.
 * @throws ShapeError for an axis that is none
 * @pytorch torch.argsort
 * @tensorflow tf.argsort
 * @numpy np.argsort
 */
export function argsort(x: TensorLike, options?: SortOptions, ...surplus: []): Tensor {
  return sorted('argsort', x, options, surplus).indices
}

/**
 * The k greatest elements along an axis in descending order, or with `largest: false` the k least in ascending order,
 * and their indices: x[n] gives values[k] and indices[k]. Of equal elements the first ones; NaN counts as the greatest.
 * Each value passes its gradient to the element it is.
 * @throws ShapeError where the axis has less than k elements, or is none
 * @pytorch torch.topk
 * @tensorflow tf.math.top_k
 */
export function topk(x: TensorLike, k: number, options?: TopkOptions, ...surplus: []): Topk {
  const { axis = -1, largest = true } = checkOptions('topk', options, topkOptions, surplus)
  const t = toTensor('topk', x)
  const along = normalizeAxis('topk', axis, t.ndim)
  const extent = extentAt(t.shape, along)
  if (!Number.isInteger(k) || k < 0 || k > extent)
    throw new ShapeError(expected('topk', `k in [0, ${extent}], the extent of axis ${along}`, k))
  return firstAlong(t, along, k, largest)
}

export interface KthValueOptions extends ReduceOptions {
  /** The last one unless given. */
  axis?: number
}

const kthValueOptions: OptionTypes<KthValueOptions> = { ...reduceOptions, axis: 'number' }

/** Elements of the rows, at [..., 1] indices, without or with the axis that these were taken from. */
function elementsOf(rows: Tensor, indices: Tensor, axis: number, keepDims: boolean): Topk {
  const shaped = (x: Tensor) => (keepDims ? moveAxis(x, -1, axis) : squeeze(x, -1))
  return { values: shaped(takeAlongAxis(rows, indices, -1)), indices: shaped(indices) }
}

/**
 * The k-th least element along an axis, counted from 1, and its index as int32: of equal ones that which `sort` puts
 * there. NaN counts as the greatest. The value passes its gradient to the element it is.
 * @throws ShapeError where k is not in [1, n] of the axis's n elements, or for an axis that is none
 * @pytorch torch.kthvalue
 * @numpy np.partition
 */
export function kthValue(x: TensorLike, k: number, options?: KthValueOptions, ...surplus: []): Topk {
  const { axis = -1, keepDims = false } = checkOptions('kthValue', options, kthValueOptions, surplus)
  const t = toTensor('kthValue', x)
  const along = normalizeAxis('kthValue', axis, t.ndim)
  const extent = extentAt(t.shape, along)
  if (!Number.isInteger(k) || k < 1 || k > extent)
    throw new ShapeError(expected('kthValue', `k in [1, ${extent}], the extent of axis ${along}`, k))
  const rows = moveAxis(t, along, -1)
  const order = wrap(argsortRows(nodeOf(rows), k, false))
  return elementsOf(rows, slice(order, [...order.shape.slice(1).map(() => null), k - 1]), along, keepDims)
}

/**
 * The most frequent element along an axis, the least of several, and as int32 the index of the last that equals it. NaN
 * equals nothing, so that it is the mode only where there is nothing else. The value passes its gradient to the element
 * it is.
 * @throws ShapeError for an axis that is none or has no element
 * @pytorch torch.mode
 * @numpy scipy.stats.mode
 */
export function mode(x: TensorLike, options?: KthValueOptions, ...surplus: []): Topk {
  const { axis = -1, keepDims = false } = checkOptions('mode', options, kthValueOptions, surplus)
  const t = toTensor('mode', x)
  const along = normalizeAxis('mode', axis, t.ndim)
  const rows = moveAxis(t, along, -1)
  const { order, count } = orderedRows('mode', rows)
  const sorted = takeAlongAxis(rows, order, -1)
  const before = sorted.shape.slice(1).map(() => null)
  const [later, sooner] = [slice(sorted, [...before, 1]), slice(sorted, [...before, 0], [...before, count - 1])]
  const places = arange(1, count, { dtype: 'int32' })
  const starts = cummax(where(notEqual(later, sooner), places, 0)).values
  const lengths = pad(sub(places, starts), [...before.map(() => [0, 0] as const), [1, 0]])
  const last = argmax(lengths, -1, { keepDims: true })
  return elementsOf(rows, takeAlongAxis(order, last, -1), along, keepDims)
}

/** Rows of what a reduction over axes goes over, and the shape of its result. */
function rowsOver(name: string, x: Tensor, axes: Axes, keepDims: boolean): { rows: Tensor; kept: Shape } {
  const over = normalizeAxes(name, axes, x.ndim)
  const others = x.shape.map((_, axis) => axis).filter((axis) => !over.includes(axis))
  const outer = pick(x.shape, others)
  const reduced = sizeOf(pick(x.shape, over))
  return {
    rows: reshape(permute(x, [...others, ...over]), [...outer, reduced]),
    kept: keepDims ? x.shape.map((extent, axis) => (over.includes(axis) ? 1 : extent)) : outer,
  }
}

interface OrderedRows {
  readonly rows: Tensor
  readonly order: Tensor
  readonly count: number
}

function orderedRows(name: string, rows: Tensor): OrderedRows {
  const count = extentAt(rows.shape, -1)
  if (count === 0) throw new ShapeError(expected(name, 'at least one element', 'none'))
  return { rows, order: wrap(argsortRows(nodeOf(rows), count, false)), count }
}

/** Element `place` of each sorted row, [..., 1]. */
function elementAt({ rows, order }: OrderedRows, place: number): Tensor {
  const before = rows.shape.slice(0, -1).map(() => null)
  return takeAlongAxis(rows, slice(order, [...before, place], [...before, place + 1]), -1)
}

/** The value, or NaN where a row has one: then it is the last in order. */
function unlessNaN(ordered: OrderedRows, value: Tensor): Tensor {
  if (!isFloat(ordered.rows.dtype)) return value
  const last = elementAt(ordered, ordered.count - 1)
  return where(notEqual(last, last), last, value)
}

/**
 * The median over axes, all of them without any: of an even number of elements the lower of the two in the middle, as
 * in PyTorch (`quantile(x, 0.5)` is the mean of both). NaN where there is one. Its gradient goes to the element it is.
 * @throws ShapeError for axes that are none, or named twice, or where there is no element
 * @pytorch torch.median
 * @numpy np.median
 */
export function median(x: TensorLike, axis?: Axes, options?: ReduceOptions, ...surplus: []): Tensor {
  const { keepDims = false } = checkOptions('median', options, reduceOptions, surplus)
  const { rows, kept } = rowsOver('median', toTensor('median', x), axis, keepDims)
  const ordered = orderedRows('median', rows)
  return reshape(unlessNaN(ordered, elementAt(ordered, (ordered.count - 1) >> 1)), kept)
}

/** Between the neighbours of place q·(n − 1), in proportion. */
function quantileAt(ordered: OrderedRows, q: number): Tensor {
  const place = q * (ordered.count - 1)
  const below = Math.floor(place)
  const low = elementAt(ordered, below)
  if (below === place) return low
  return lerp(low, elementAt(ordered, below + 1), place - below)
}

/** The same of several q at once: [..., q]. */
function quantilesAt({ rows, order, count }: OrderedRows, several: readonly number[]): Tensor {
  const at = several.map((q) => q * (count - 1))
  const valueAt = (place: (x: number) => number): Tensor => {
    const places = placesOf('quantile', [several.length], (i) => place(at[i]!))
    return takeAlongAxis(rows, wrap(take(nodeOf(order), order.ndim - 1, places)), -1)
  }
  const list = (dtype: DType, element: (i: number) => number): Tensor =>
    wrap(data(arrayOf('quantile', dtype, [several.length], element), dtype, [several.length]))
  const low = valueAt(Math.floor)
  // What is at a place itself is not between two, of which the other may be infinite.
  const isBetween = list('bool', (i) => Number(!Number.isInteger(at[i])))
  const between = lerp(
    low,
    valueAt(Math.ceil),
    list(rows.dtype, (i) => at[i]! % 1),
  )
  return where(isBetween, between, low)
}

/**
 * The q-quantiles over axes, all of them without any, by linear interpolation between the sorted elements around place
 * q·(n − 1); float32 for integers. Of several q the result has them along a new first axis. NaN where there is one.
 *
 * @param q a number in [0, 1], or several
 * @throws RangeError for another q; ShapeError for axes that are none, or named twice, or where there is no element
 * @example quantile([1, 2, 3, 4], [0.25, 0.5]) // [1.75, 2.5]
 * @pytorch torch.quantile
 * @numpy np.quantile
 */
export function quantile(
  x: TensorLike,
  q: number | readonly number[],
  axis?: Axes,
  options?: ReduceOptions,
  ...surplus: []
): Tensor {
  const { keepDims = false } = checkOptions('quantile', options, reduceOptions, surplus)
  const inRange = (each: number) => each >= 0 && each <= 1
  const several = checkNumbers('quantile', 'q in [0, 1], or a list of such', typeof q === 'number' ? [q] : q, inRange)
  if (several.length === 0) throw new RangeError(expected('quantile', 'a number q, or several', 'none'))
  const t = toTensor('quantile', x)
  const float = isFloat(t.dtype) ? t : cast(t, 'float32')
  const { rows, kept } = rowsOver('quantile', float, axis, keepDims)
  const ordered = orderedRows('quantile', rows)
  if (typeof q === 'number') return reshape(unlessNaN(ordered, quantileAt(ordered, q)), kept)
  const found = moveAxis(unlessNaN(ordered, quantilesAt(ordered, several)), -1, 0)
  return reshape(found, [several.length, ...kept])
}

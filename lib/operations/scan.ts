/** Cumulative operations along an axis, and the differences that undo them. */

import { checkNumber, refuseSurplus } from '../base/arguments.ts'
import { isFloat, promote } from '../base/dtype.ts'
import { checkOptions, type OptionTypes } from '../base/options.ts'
import { extentAt, normalizeAxis } from '../base/shape.ts'
import type { Node } from '../graph/node.ts'
import { takeAlongAxis } from '../graph/ops/along-axis.ts'
import { broadcastTo, reshape } from '../graph/ops/broadcast.ts'
import { equal, notEqual, where } from '../graph/ops/elementwise.ts'
import { data } from '../graph/ops/leaf.ts'
import { arithmeticDType, cast, promotedDType, toDType } from '../graph/ops/promotion.ts'
import * as ops from '../graph/ops/scan.ts'
import { nodeOf, type Tensor, type TensorLike, toNode, toTensor, wrap } from '../tensor/tensor.ts'
import { sub } from './arithmetic.ts'
import { notEqual as tensorNotEqual } from './comparison.ts'
import { slice } from './indexing.ts'
import { concat } from './joining.ts'
import { logAddExp } from './math.ts'
import { cast as castTo, broadcastTo as tensorBroadcastTo } from './shape.ts'

export type CumulativeOptions = ops.ScanOptions

const cumulativeOptions: OptionTypes<CumulativeOptions> = { exclusive: 'boolean', reverse: 'boolean' }

/** What cummax and cummin give. */
export interface CumulativeExtreme {
  readonly values: Tensor
  /** Where they are along the axis, as int32; of equal ones the last. */
  readonly indices: Tensor
}

/**
 * Sums up to each element along an axis, the last one unless given; int32 for bool and uint8. `exclusive` leaves the
 * element itself out, `reverse` sums from the end. Carried in float64.
 * @throws ShapeError for an axis that is none
 * @example cumsum([1, 2, 3]) // [1, 3, 6]
 * @pytorch torch.cumsum
 * @tensorflow tf.cumsum
 * @numpy np.cumsum
 */
export function cumsum(x: TensorLike, axis = -1, options?: CumulativeOptions, ...surplus: []): Tensor {
  return wrap(ops.cumsum(toNode('cumsum', x), axis, checkOptions('cumsum', options, cumulativeOptions, surplus)))
}

/**
 * Products up to each element along an axis, the last one unless given; int32 for bool and uint8, wrapping. Options as
 * those of `cumsum`. The gradient is right also where elements are 0.
 * @throws ShapeError for an axis that is none
 * @pytorch torch.cumprod
 * @tensorflow tf.math.cumprod
 * @numpy np.cumprod
 */
export function cumprod(x: TensorLike, axis = -1, options?: CumulativeOptions, ...surplus: []): Tensor {
  return wrap(ops.cumprod(toNode('cumprod', x), axis, checkOptions('cumprod', options, cumulativeOptions, surplus)))
}

function cumulativeExtreme(name: string, kind: 'max' | 'min', x: TensorLike, axis: number): CumulativeExtreme {
  const node = toNode(name, x)
  const along = { axis: normalizeAxis(name, axis, node.shape.length), reverse: false }
  const wide = cast(node, arithmeticDType(node.dtype))
  const extremes = ops.scan(kind, wide, along)
  const counting = Int32Array.from({ length: extentAt(node.shape, along.axis) }, (_, i) => i)
  const places = reshape(
    data(counting, 'int32', [counting.length]),
    node.shape.map((extent, i) => (i === along.axis ? extent : 1)),
  )
  const attained = (condition: Node, otherwise: Node | number): Node =>
    where(condition, broadcastTo(places, node.shape), otherwise)
  const marks = attained(equal(wide, extremes), attained(notEqual(wide, wide), 0))
  const indices = ops.scan('max', marks, along)
  return { values: wrap(takeAlongAxis(node, indices, along.axis)), indices: wrap(indices) }
}

/**
 * The greatest element so far along an axis, the last one unless given, and its index; of ties the last. NaN wins. Each
 * value passes its gradient to the element it is.
 * @throws ShapeError for an axis that is none
 * @pytorch torch.cummax
 * @numpy np.maximum.accumulate
 */
export function cummax(x: TensorLike, axis = -1, ...surplus: []): CumulativeExtreme {
  refuseSurplus('cummax', 2, surplus)
  return cumulativeExtreme('cummax', 'max', x, axis)
}

/**
 * The least element so far along an axis, the last one unless given, and its index; of ties the last. NaN wins. Each
 * value passes its gradient to the element it is.
 * @throws ShapeError for an axis that is none
 * @pytorch torch.cummin
 * @numpy np.minimum.accumulate
 */
export function cummin(x: TensorLike, axis = -1, ...surplus: []): CumulativeExtreme {
  refuseSurplus('cummin', 2, surplus)
  return cumulativeExtreme('cummin', 'min', x, axis)
}

/**
 * log Σeˣ up to each element along an axis, the last one unless given; float32 for integers. By `logAddExp` of ever longer
 * stretches, whose terms are neither lost beside a later greater one nor overflow.
 * @throws ShapeError for an axis that is none
 * @pytorch torch.logcumsumexp
 * @tensorflow tf.math.cumulative_logsumexp
 */
export function logCumSumExp(x: TensorLike, axis = -1, ...surplus: []): Tensor {
  refuseSurplus('logCumSumExp', 2, surplus)
  const t = toTensor('logCumSumExp', x)
  const along = normalizeAxis('logCumSumExp', axis, t.ndim)
  const count = extentAt(t.shape, along)
  let sums = isFloat(t.dtype) ? t : castTo(t, 'float32')
  for (let reach = 1; reach < count; reach *= 2) {
    const longer = logAddExp(part(sums, along, reach, count), part(sums, along, 0, count - reach))
    sums = concat([part(sums, along, 0, reach), longer], along)
  }
  return sums
}

/** Elements start to end of an axis. */
function part(x: Tensor, axis: number, start: number, end: number): Tensor {
  const others = Array<null>(axis).fill(null)
  return slice(x, [...others, start], [...others, end])
}

export interface DiffOptions {
  /** The last one unless given. */
  axis?: number
  /** What is put before x along the axis, which broadcasts to it; nothing unless given. */
  prepend?: TensorLike
  /** What is put after it. */
  append?: TensorLike
}

const diffOptions: OptionTypes<DiffOptions> = { axis: 'number', prepend: 'other', append: 'other' }

/** x with tensors before and after it along an axis, in the dtype of all: a scalar is one element of each row. */
function extended(x: Tensor, along: number, ends: readonly (Tensor | null)[]): Tensor {
  const edge = x.shape.map((extent, i) => (i === along ? 1 : extent))
  const dtype = ends.reduce(
    (all, end) => (end === null ? all : promote(all, promotedDType(nodeOf(x), nodeOf(end)))),
    x.dtype,
  )
  const fitted = ends.map((end) => {
    if (end === null) return []
    const typed = wrap(toDType(nodeOf(end), dtype))
    return [end.ndim === 0 ? tensorBroadcastTo(typed, edge) : typed]
  })
  return concat([...fitted[0]!, castTo(x, dtype), ...fitted[1]!], along)
}

/**
 * The differences of neighbours along an axis, the last one unless given, n times: x[i + 1] − x[i], which has n elements
 * less. Of bool whether they differ; int32 for uint8.
 *
 * @param n how many times; 1 unless given, and x itself for 0
 * @throws RangeError for another n; ShapeError for an axis that is none, or a prepend or append that does not fit
 * @example diff([1, 4, 9, 16]) // [3, 5, 7]
 * @pytorch torch.diff
 * @tensorflow tf.experimental.numpy.diff
 * @numpy np.diff
 */
export function diff(x: TensorLike, n = 1, options?: DiffOptions, ...surplus: []): Tensor {
  const { axis = -1, prepend, append } = checkOptions('diff', options, diffOptions, surplus)
  checkNumber('diff', 'an integer n of at least 0', n, (number) => Number.isInteger(number) && number >= 0)
  const t = toTensor('diff', x)
  const along = normalizeAxis('diff', axis, t.ndim)
  const ends = [prepend, append].map((end) => (end === undefined ? null : toTensor('diff', end)))
  let result = n === 0 ? t : extended(t, along, ends)
  for (let times = 0; times < n; times++) {
    const count = extentAt(result.shape, along)
    // Of nothing there are no more differences.
    if (count === 0 && times > 0) break
    const [later, sooner] = [
      part(result, along, Math.min(1, count), count),
      part(result, along, 0, Math.max(0, count - 1)),
    ]
    result = result.dtype === 'bool' ? tensorNotEqual(later, sooner) : sub(later, sooner)
  }
  return result
}

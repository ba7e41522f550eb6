/** Counts of elements, by interval or by value. */
import { allocate, isFloat } from '../base/dtype.ts'
import { DTypeError, expected } from '../base/errors.ts'
import { data } from '../graph/ops/leaf.ts'
import { full, ones, zeros } from '../tensor/creation.ts'
import { type Tensor, type TensorLike, toNode, wrap } from '../tensor/tensor.ts'
import { add, div, minimum, mul, sub } from './arithmetic.ts'
import { equal, greaterEqual, lessEqual, where } from './comparison.ts'
import { stopGradient } from './gradient.ts'
import { scatterAdd } from './indexing.ts'
import { max, min } from './reduce.ts'
import { broadcastTo, cast, flatten } from './shape.ts'

export interface HistogramOptions {
  /** How many intervals of equal width: 10 unless given. */
  bins?: number
  /** From where to where; from the least to the greatest element unless given. */
  range?: readonly [number, number]
}

/** What histogram gives. */
export interface Histogram {
  /** int32[bins] */
  readonly counts: Tensor
  /** The bounds of the intervals, [bins + 1]. */
  readonly edges: Tensor
}

function rangeOf(x: Tensor, given: HistogramOptions['range']): [low: Tensor, high: Tensor] {
  const range = given ?? (x.size === 0 ? [0, 1] : null)
  const bound = (value: number): Tensor => full([], value, { dtype: x.dtype })
  const [low, high] = range === null ? [min(x), max(x)] : [bound(range[0]), bound(range[1])]
  const isPoint = equal(low, high)
  return [where(isPoint, sub(low, 0.5), low), where(isPoint, add(high, 0.5), high)]
}

/**
 * How many elements are in each of `bins` intervals of equal width, as numpy's histogram: each holds its lower bound,
 * the last one its upper one too. What is outside the range, and NaN, counts nowhere. A range of no width is widened by
 * ½ to both sides. An element is put in interval ⌊(x − low) / (high − low) · bins⌋, computed in its dtype; float32 for
 * integers.
 * @throws RangeError for bins that are no positive integer, or a range that is not finite and ascending
 * @pytorch torch.histogram
 * @tensorflow tf.histogram_fixed_width
 */
export function histogram(x: TensorLike, { bins = 10, range }: HistogramOptions = {}): Histogram {
  if (!Number.isInteger(bins) || bins < 1)
    throw new RangeError(expected('histogram', 'a positive number of bins', bins))
  if (range !== undefined && !(range[0] <= range[1] && Number.isFinite(range[1] - range[0])))
    throw new RangeError(expected('histogram', 'a finite range [low, high] with low ≤ high', `[${range}]`))
  const t = stopGradient(x)
  const flat = flatten(isFloat(t.dtype) ? t : cast(t, 'float32'))
  const [low, high] = rangeOf(flat, range)
  const width = sub(high, low)
  const inside = mul(cast(greaterEqual(flat, low), 'int32'), cast(lessEqual(flat, high), 'int32'))
  const places = where(equal(inside, 1), mul(div(sub(flat, low), width), bins), 0)
  const none = zeros([bins], { dtype: 'int32' })
  const counts = scatterAdd(none, minimum(cast(places, 'int32'), bins - 1), inside)
  const parts = allocate(flat.dtype, bins + 1).map((_, i) => i / bins)
  return { counts, edges: add(low, mul(width, wrap(data(parts, flat.dtype, [bins + 1])))) }
}

export interface BincountOptions {
  /** What each element adds to its count, of the shape of x: 1 unless given. The counts then have their dtype. */
  weights?: TensorLike
}

/**
 * How often each of 0, 1, …, length − 1 occurs among the integers of x, as int32[length]; with weights, the sums of the
 * weights. The length is said, as that of a result cannot depend on data.
 * @throws RangeError for a length that is no natural number, or, when evaluated, for an element outside [0, length);
 * DTypeError for an x that is not of integers, or weights of bool or uint8; ShapeError for weights of another shape
 * @example bincount([1, 3, 1], 4) // [0, 2, 0, 1]
 * @pytorch torch.bincount
 * @tensorflow tf.math.bincount
 */
export function bincount(x: TensorLike, length: number, { weights }: BincountOptions = {}): Tensor {
  if (!Number.isInteger(length) || length < 0)
    throw new RangeError(expected('bincount', 'a length that is a natural number', length))
  const t = wrap(toNode(x, 'int32'))
  if (isFloat(t.dtype) || t.dtype === 'bool') throw new DTypeError(expected('bincount', 'integers', t.dtype))
  const added = weights === undefined ? ones(t.shape, { dtype: 'int32' }) : broadcastTo(weights, t.shape)
  return scatterAdd(zeros([length], { dtype: added.dtype }), flatten(t), flatten(added))
}

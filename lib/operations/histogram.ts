/** Counts of elements, by interval or by value. */
import { checkInteger, checkNumbers } from '../base/arguments.ts'
import { arrayOf } from '../base/arrays.ts'
import { isFloat } from '../base/dtype.ts'
import { DTypeError, expectation, expected } from '../base/errors.ts'
import { checkOptions, type OptionTypes } from '../base/options.ts'
import { maxExtent } from '../base/shape.ts'
import { broadcastTo as broadcastNode } from '../graph/ops/broadcast.ts'
import { demand } from '../graph/ops/demand.ts'
import { scatterAdd as scatterAddNode } from '../graph/ops/indexing.ts'
import { data } from '../graph/ops/leaf.ts'
import { full, ones, zeros } from '../tensor/creation.ts'
import { nodeOf, type Tensor, type TensorLike, toIntegers, toNode, toTensor, wrap } from '../tensor/tensor.ts'
import { add, div, minimum, mul, sub } from './arithmetic.ts'
import { equal, greaterEqual, isFinite as isFiniteAt, lessEqual, where } from './comparison.ts'
import { stopGradient } from './gradient.ts'
import { gather, scatterAdd } from './indexing.ts'
import { logicalAnd } from './logic.ts'
import { max, min } from './reduce.ts'
import { cast, flatten } from './shape.ts'

export interface HistogramOptions {
  /** How many intervals of equal width: 10 unless given. */
  bins?: number
  /** From where to where; from the least to the greatest element unless given. */
  range?: readonly [number, number]
}

const histogramOptions: OptionTypes<HistogramOptions> = { bins: 'number', range: 'other' }

/** What histogram gives. */
export interface Histogram {
  /** int32[bins] */
  readonly counts: Tensor
  /** The bounds of the intervals, [bins + 1]. */
  readonly edges: Tensor
}

function finiteOnly(x: Tensor): Tensor {
  const what = expectation('histogram', 'finite elements where no range is given')
  return wrap(demand(nodeOf(x), { low: -Number.MAX_VALUE, high: Number.MAX_VALUE, what }))
}

function rangeOf(x: Tensor, given: HistogramOptions['range']): [low: Tensor, high: Tensor] {
  const range = given ?? (x.size === 0 ? [0, 1] : null)
  const bound = (value: number): Tensor => full([], value, { dtype: x.dtype })
  const [low, high] = range === null ? [min(x), max(x)] : [bound(range[0]), bound(range[1])]
  const isPoint = equal(low, high)
  return [where(isPoint, sub(low, 0.5), low), where(isPoint, add(high, 0.5), high)]
}

/**
 * low + i·(high − low)/bins for i = 0, 1, …, bins, the product before the quotient: so integers at even distances are exact.
 * Where that is too great for the dtype it is a weighted mean of the two.
 */
function edgesOf(low: Tensor, high: Tensor, bins: number): Tensor {
  const list = (value: (i: number) => number): Tensor =>
    wrap(data(arrayOf('histogram', low.dtype, [bins + 1], value), low.dtype, [bins + 1]))
  const [counts, parts] = [list((i) => i), list((i) => i / bins)]
  const steps = add(low, div(mul(sub(high, low), counts), bins))
  const means = add(mul(low, sub(1, parts)), mul(high, parts))
  return where(equal(counts, bins), high, where(isFiniteAt(steps), steps, means))
}

/** For each element between the first and the last edge the last interval that does not begin above it, by bisection. */
function intervalsOf(x: Tensor, edges: Tensor, bins: number): Tensor {
  let found = zeros(x.shape, { dtype: 'int32' })
  for (let step = 2 ** Math.floor(Math.log2(bins)); step >= 1; step /= 2) {
    const next = minimum(add(found, step), bins)
    found = where(greaterEqual(x, gather(edges, next)), next, found)
  }
  return minimum(found, bins - 1)
}

/**
 * How many elements are in each of `bins` intervals of equal width, as numpy's histogram: each holds its lower edge and
 * what is above it, up to the next edge; the last one its upper edge too. What is outside a given range, and NaN, counts
 * nowhere. A range of no width is widened by ½ to both sides. In the dtype of x; float32 for integers.
 * @throws RangeError for bins that are no positive integer, or a range that is not finite and ascending, and, when
 * evaluated without a range, for NaN and infinities in x
 * @pytorch torch.histogram
 * @tensorflow tf.histogram_fixed_width
 * @numpy np.histogram
 */
export function histogram(x: TensorLike, options?: HistogramOptions): Histogram {
  const { bins = 10, range } = checkOptions('histogram', options, histogramOptions)
  checkInteger('histogram', 'a positive number of bins', bins, 1, maxExtent - 1)
  const isRange = ([low, high]: readonly number[]) => low! <= high! && Number.isFinite(high! - low!)
  if (range !== undefined) {
    const what = 'a finite range [low, high] with low ≤ high'
    const bounds = checkNumbers('histogram', what, range, Number.isFinite)
    if (bounds.length !== 2 || !isRange(bounds)) throw new RangeError(expected('histogram', what, bounds))
  }
  const t = stopGradient(toTensor('histogram', x))
  const flat = flatten(isFloat(t.dtype) ? t : cast(t, 'float32'))
  const sound = range === undefined ? finiteOnly(flat) : flat
  const [low, high] = rangeOf(sound, range)
  const edges = edgesOf(low, high, bins)
  const inside = logicalAnd(greaterEqual(flat, low), lessEqual(flat, high))
  const none = zeros([bins], { dtype: 'int32' })
  const places = intervalsOf(where(inside, flat, low), edges, bins)
  return { counts: scatterAdd(none, places, cast(inside, 'int32')), edges }
}

export interface BincountOptions {
  /** What each element adds to its count, of the shape of x: 1 unless given. The counts then have their dtype. */
  weights?: TensorLike
}

const bincountOptions: OptionTypes<BincountOptions> = { weights: 'other' }

/**
 * How often each of 0, 1, …, length − 1 occurs among the integers of x, as int32[length]; with weights, the sums of the
 * weights. The length is said, as that of a result cannot depend on data.
 * @throws RangeError for a length that is no natural number, or, when evaluated, for an element outside [0, length);
 * DTypeError for an x that is not of integers, or weights of bool or uint8; ShapeError for weights of another shape
 * @example bincount([1, 3, 1], 4) // [0, 2, 0, 1]
 * @pytorch torch.bincount
 * @tensorflow tf.math.bincount
 * @numpy np.bincount
 */
export function bincount(x: TensorLike, length: number, options?: BincountOptions): Tensor {
  const { weights } = checkOptions('bincount', options, bincountOptions)
  checkInteger('bincount', 'a length that is a natural number', length, 0, maxExtent)
  const t = wrap(toIntegers('bincount', x))
  if (isFloat(t.dtype) || t.dtype === 'bool') throw new DTypeError(expected('bincount', 'integers', t.dtype))
  const added =
    weights === undefined
      ? ones(t.shape, { dtype: 'int32' })
      : wrap(broadcastNode(toNode('bincount', weights), t.shape, 'bincount'))
  const none = nodeOf(zeros([length], { dtype: added.dtype }))
  return wrap(scatterAddNode(none, nodeOf(flatten(t)), nodeOf(flatten(added)), 'bincount'))
}

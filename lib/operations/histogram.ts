/** Counts of elements, by interval or by value. */
import { allocate, isFloat } from '../base/dtype.ts'
import { DTypeError, expected } from '../base/errors.ts'
import { sizeOf } from '../base/shape.ts'
import type { Node } from '../graph/node.ts'
import { add, cast, div, equal, greaterEqual, lessEqual, minimum, mul, sub, where } from '../graph/ops/elementwise.ts'
import { scatterAdd } from '../graph/ops/indexing.ts'
import { data, literal, stopGradient } from '../graph/ops/leaf.ts'
import { broadcastTo, reshape } from '../graph/ops/movement.ts'
import { max, min } from '../graph/ops/reduce.ts'
import { type Tensor, type TensorLike, toNode, wrap } from '../tensor/tensor.ts'

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

const zeros = (x: Node, length: number): Node => broadcastTo(literal(0, x.dtype), [length])

function rangeOf(x: Node, range: HistogramOptions['range']): [low: Node, high: Node] {
  const [low, high] = range?.map((bound) => literal(bound, x.dtype)) ?? [
    ...(sizeOf(x.shape) === 0 ? [0, 1].map((bound) => literal(bound, x.dtype)) : [min(x), max(x)]),
  ]
  const isPoint = equal(low!, high!)
  return [where(isPoint, sub(low!, 0.5), low!), where(isPoint, add(high!, 0.5), high!)]
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
  const node = stopGradient(toNode(x))
  const flat = reshape(isFloat(node.dtype) ? node : cast(node, 'float32'), [sizeOf(node.shape)])
  const [low, high] = rangeOf(flat, range)
  const width = sub(high, low)
  const inside = mul(cast(greaterEqual(flat, low), 'int32'), cast(lessEqual(flat, high), 'int32'))
  const places = where(equal(inside, 1), mul(div(sub(flat, low), width), bins), 0)
  const counts = scatterAdd(zeros(inside, bins), minimum(cast(places, 'int32'), bins - 1), inside)
  const parts = allocate(flat.dtype, bins + 1).map((_, i) => i / bins)
  const edges = add(low, mul(width, data(parts, flat.dtype, [bins + 1])))
  return { counts: wrap(counts), edges: wrap(edges) }
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
  const node = toNode(x, 'int32')
  if (isFloat(node.dtype) || node.dtype === 'bool') throw new DTypeError(expected('bincount', 'integers', node.dtype))
  const size = sizeOf(node.shape)
  const added =
    weights === undefined ? broadcastTo(literal(1, 'int32'), node.shape) : broadcastTo(toNode(weights), node.shape)
  return wrap(scatterAdd(zeros(added, length), reshape(node, [size]), reshape(added, [size])))
}

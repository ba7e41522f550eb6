/** Reductions over axes: sums, means, products, spread, norms, extremes, truth and counts. */
import { checkNumber } from '../base/arguments.ts'
import { isFloat } from '../base/dtype.ts'
import { DTypeError, expected, ShapeError } from '../base/errors.ts'
import { pick } from '../base/lists.ts'
import { checkOptions, type OptionTypes } from '../base/options.ts'
import { normalizeAxes, type Shape, sizeOf } from '../base/shape.ts'
import type { Node } from '../graph/node.ts'
import { reshape } from '../graph/ops/broadcast.ts'
import { permute } from '../graph/ops/movement.ts'
import { meanOf, varianceOf } from '../graph/ops/normalization.ts'
import { logSumExpOver, normOver, stdOver, varianceOver } from '../graph/ops/norms.ts'
import * as ops from '../graph/ops/reduce.ts'
import { nodeOf, type Tensor, type TensorLike, toNode, toTensor, wrap } from '../tensor/tensor.ts'
import { abs, div, neg, sub } from './arithmetic.ts'
import { isNaN as areNaN, equal, greater, notEqual, where } from './comparison.ts'
import { square } from './math.ts'
import { cast } from './shape.ts'

/** One axis, several, or all of them where none is given; negative ones count from the end. */
export type Axes = ops.Axes

export interface ReduceOptions {
  /** Reduced axes stay, with extent 1. */
  keepDims?: boolean
}

export interface NormOptions extends ReduceOptions {
  /** 2 unless given; any number, Infinity and −Infinity among them. */
  order?: number
}

export interface VarianceOptions extends ReduceOptions {
  /** What is taken from the number of elements before the division by it: 1 unless given (Bessel's correction), as in PyTorch. */
  correction?: number
}

const reduceOptions: OptionTypes<ReduceOptions> = { keepDims: 'boolean' }
const normOptions: OptionTypes<NormOptions> = { ...reduceOptions, order: 'number' }
const varianceOptions: OptionTypes<VarianceOptions> = { ...reduceOptions, correction: 'number' }

const keepsDims = (op: string, options: ReduceOptions | undefined, surplus: readonly unknown[]): boolean =>
  checkOptions(op, options, reduceOptions, surplus).keepDims ?? false

const asFloat = (op: string, x: TensorLike): Tensor => {
  const t = toTensor(op, x)
  return isFloat(t.dtype) ? t : cast(t, 'float32')
}

const withoutAxes = (x: Tensor, over: readonly number[], keepDims: boolean): Tensor =>
  keepDims ? x : wrap(ops.dropAxes(nodeOf(x), over))

const countOf = (shape: Shape, over: readonly number[]): number => sizeOf(pick(shape, over))

/**
 * The sum over axes, all of them without any. int32 for bool and uint8.
 * @throws ShapeError for axes that are none, or named twice
 * @pytorch torch.sum
 * @tensorflow tf.reduce_sum
 * @numpy np.sum
 */
export function sum(x: TensorLike, axis?: Axes, options?: ReduceOptions, ...surplus: []): Tensor {
  const keepDims = keepsDims('sum', options, surplus)
  return wrap(ops.sum(toNode('sum', x), axis, keepDims))
}

/**
 * The arithmetic mean over axes; all of them without any; float32 for integers; NaN of nothing.
 * @throws ShapeError for axes that are none, or named twice
 * @pytorch torch.mean
 * @tensorflow tf.reduce_mean
 * @numpy np.mean
 */
export function mean(x: TensorLike, axis?: Axes, options?: ReduceOptions, ...surplus: []): Tensor {
  const keepDims = keepsDims('mean', options, surplus)
  const t = asFloat('mean', x)
  const over = normalizeAxes('mean', axis, t.ndim)
  return div(sum(t, over, { keepDims }), countOf(t.shape, over))
}

/** The sum by the name of the function that it is a part of. */
function sumOver(op: string, x: Tensor, axis: Axes, keepDims: boolean): Tensor {
  return wrap(ops.sum(nodeOf(x), axis, keepDims, op))
}

/** x with 0 for NaN, whose gradient is 0. */
const withoutNaN = (x: Tensor): Tensor => (isFloat(x.dtype) ? where(areNaN(x), 0, x) : x)

/**
 * The sum of what is no NaN over axes, all of them without any; 0 of nothing. int32 for bool and uint8.
 * @throws ShapeError for axes that are none, or named twice
 * @pytorch torch.nansum
 * @tensorflow tf.experimental.numpy.nansum
 * @numpy np.nansum
 */
export function nanSum(x: TensorLike, axis?: Axes, options?: ReduceOptions, ...surplus: []): Tensor {
  const keepDims = keepsDims('nanSum', options, surplus)
  return sumOver('nanSum', withoutNaN(toTensor('nanSum', x)), axis, keepDims)
}

/**
 * The mean of what is no NaN over axes, all of them without any; NaN of nothing; float32 for integers.
 * @throws ShapeError for axes that are none, or named twice
 * @pytorch torch.nanmean
 * @tensorflow tf.experimental.numpy.nanmean
 * @numpy np.nanmean
 */
export function nanMean(x: TensorLike, axis?: Axes, options?: ReduceOptions, ...surplus: []): Tensor {
  const keepDims = keepsDims('nanMean', options, surplus)
  const t = asFloat('nanMean', x)
  const counts = sumOver('nanMean', cast(equal(t, t), 'int32'), axis, keepDims)
  return div(sumOver('nanMean', withoutNaN(t), axis, keepDims), counts)
}

/**
 * The product over axes, all of them without any; 1 of nothing. int32 for bool and uint8, wrapping. The gradient is the
 * product of the other elements, right also where some are 0.
 * @throws ShapeError for axes that are none, or named twice
 * @pytorch torch.prod
 * @tensorflow tf.reduce_prod
 * @numpy np.prod
 */
export function prod(x: TensorLike, axis?: Axes, options?: ReduceOptions, ...surplus: []): Tensor {
  const keepDims = keepsDims('prod', options, surplus)
  return wrap(ops.prod(toNode('prod', x), axis, keepDims))
}

/**
 * The greatest element over axes; all of them without any. NaN wins. Elements that tie share the gradient evenly.
 * @throws ShapeError for axes that are none, or named twice, or where there is no element
 * @pytorch torch.amax
 * @tensorflow tf.reduce_max
 * @numpy np.max
 */
export function max(x: TensorLike, axis?: Axes, options?: ReduceOptions, ...surplus: []): Tensor {
  const keepDims = keepsDims('max', options, surplus)
  return wrap(ops.max(toNode('max', x), axis, keepDims))
}

/**
 * The least element over axes; all of them without any. NaN wins. Elements that tie share the gradient evenly.
 * @throws ShapeError for axes that are none, or named twice, or where there is no element
 * @pytorch torch.amin
 * @tensorflow tf.reduce_min
 * @numpy np.min
 */
export function min(x: TensorLike, axis?: Axes, options?: ReduceOptions, ...surplus: []): Tensor {
  const keepDims = keepsDims('min', options, surplus)
  return wrap(ops.min(toNode('min', x), axis, keepDims))
}

/** What aminmax gives. */
export interface Extremes {
  readonly min: Tensor
  readonly max: Tensor
}

/**
 * The least and the greatest element over axes, all of them without any. As `min` and `max`, of which it is both.
 * @throws ShapeError for axes that are none, or named twice, or where there is no element
 * @pytorch torch.aminmax
 */
export function aminmax(x: TensorLike, axis?: Axes, options?: ReduceOptions, ...surplus: []): Extremes {
  const keepDims = keepsDims('aminmax', options, surplus)
  const node = toNode('aminmax', x)
  return { min: wrap(ops.min(node, axis, keepDims, 'aminmax')), max: wrap(ops.max(node, axis, keepDims, 'aminmax')) }
}

/**
 * The int32 index of the first greatest element along an axis; of the flattened tensor without one. NaN is greatest.
 * @throws ShapeError for an axis that is none, or where there is no element
 * @pytorch torch.argmax
 * @tensorflow tf.argmax
 * @numpy np.argmax
 */
export function argmax(x: TensorLike, axis?: number | null, options?: ReduceOptions, ...surplus: []): Tensor {
  const keepDims = keepsDims('argmax', options, surplus)
  return wrap(ops.argmax(toNode('argmax', x), axis, keepDims))
}

/**
 * The int32 index of the first least element along an axis; of the flattened tensor without one. NaN is least.
 * @throws ShapeError for an axis that is none, or where there is no element
 * @pytorch torch.argmin
 * @tensorflow tf.argmin
 * @numpy np.argmin
 */
export function argmin(x: TensorLike, axis?: number | null, options?: ReduceOptions, ...surplus: []): Tensor {
  const keepDims = keepsDims('argmin', options, surplus)
  const t = toTensor('argmin', x)
  // −1 − x is the complement of an integer, which turns the order round without an overflow.
  const turned = isFloat(t.dtype) ? neg(t) : sub(-1, cast(t, 'int32'))
  return wrap(ops.argmax(nodeOf(turned), axis, keepDims, 'argmin'))
}

function spread(
  over: typeof varianceOver,
  name: string,
  x: TensorLike,
  axis: Axes,
  options: VarianceOptions | undefined,
  surplus: readonly unknown[],
): Tensor {
  const { keepDims = false, correction = 1 } = checkOptions(name, options, varianceOptions, surplus)
  checkNumber(name, 'a finite correction', correction, Number.isFinite)
  const t = asFloat(name, x)
  const axes = normalizeAxes(name, axis, t.ndim)
  const divisor = Math.max(0, countOf(t.shape, axes) - correction)
  return withoutAxes(wrap(over(nodeOf(t), axes, divisor)), axes, keepDims)
}

/**
 * Σ(x − mean)² / (n − correction) over axes, all of them without any; float32 for integers. NaN where n − correction is
 * not positive and so are the squares, as in PyTorch's `var`, of which it has the default correction 1.
 * @throws ShapeError for axes that are none, or named twice; RangeError for a correction that is not finite
 * @pytorch torch.var
 * @tensorflow tf.math.reduce_variance
 * @numpy np.var
 */
export function variance(x: TensorLike, axis?: Axes, options?: VarianceOptions, ...surplus: []): Tensor {
  return spread(varianceOver, 'variance', x, axis, options, surplus)
}

/** What `moments` gives. */
export interface Moments {
  readonly mean: Tensor
  readonly variance: Tensor
}

/**
 * The mean and the variance without a correction, Σ(x − mean)²/n, over axes, all of them without any: both in one go, as for a
 * normalization; float32 for integers. NaN of no elements.
 *
 * @throws ShapeError for axes that are none, or named twice
 * @example
 * moments([[1, 10], [3, 30]], 0) // { mean: [2, 20], variance: [1, 100] }
 * @pytorch torch.var_mean
 * @tensorflow tf.nn.moments
 */
export function moments(x: TensorLike, axis?: Axes, options?: ReduceOptions, ...surplus: []): Moments {
  const keepDims = keepsDims('moments', options, surplus)
  const t = asFloat('moments', x)
  const axes = normalizeAxes('moments', axis, t.ndim)
  const kept = t.shape.map((_, i) => i).filter((i) => !axes.includes(i))
  const first = kept[0] ?? 0
  const areAdjacent = kept.every((axis, i) => axis === first + i)
  const node = areAdjacent ? nodeOf(t) : permute(nodeOf(t), [...kept, ...axes])
  const channels = areAdjacent ? { first, end: first + kept.length } : { first: 0, end: kept.length }
  const shape = t.shape.flatMap((extent, i) => (kept.includes(i) ? extent : keepDims ? 1 : []))
  const shaped = (x: Node): Tensor => wrap(reshape(x, shape))
  return { mean: shaped(meanOf(node, channels)), variance: shaped(varianceOf(node, channels)) }
}

/**
 * √variance, with the correction 1 unless given; its gradient at 0 is 0; float32 for integers.
 * @throws ShapeError, RangeError as variance
 * @pytorch torch.std
 * @tensorflow tf.math.reduce_std
 * @numpy np.std
 */
export function std(x: TensorLike, axis?: Axes, options?: VarianceOptions, ...surplus: []): Tensor {
  return spread(stdOver, 'std', x, axis, options, surplus)
}

/**
 * The norm (Σ|x|ᵖ)^(1/p) of order p over axes, 2 unless given: the Euclidean one. Order Infinity is the greatest |x|,
 * −Infinity the least, 0 counts what is not 0. Its gradient at 0 is 0.
 * @throws DTypeError for integers; RangeError for an order that is no number; ShapeError for axes that are none, or named
 * twice, or of nothing for an infinite order
 * @pytorch torch.linalg.vector_norm
 * @tensorflow tf.norm
 * @numpy np.linalg.norm
 */
export function norm(x: TensorLike, axis?: Axes, options?: NormOptions, ...surplus: []): Tensor {
  const { keepDims = false, order = 2 } = checkOptions('norm', options, normOptions, surplus)
  const t = toTensor('norm', x)
  if (!isFloat(t.dtype)) throw new DTypeError(expected('norm', 'float32 or float64', t.dtype))
  checkNumber('norm', 'an order', order, (p) => !Number.isNaN(p))
  const over = normalizeAxes('norm', axis, t.ndim)
  if (order === 1) return sum(abs(t), over, { keepDims })
  if (order === 0) return cast(countNonzero(t, over, { keepDims }), t.dtype)
  if (Number.isFinite(order)) return withoutAxes(wrap(normOver(nodeOf(t), order, over)), over, keepDims)
  if (over.some((along) => t.shape[along] === 0)) throw new ShapeError(expected('norm', 'at least one element', 'none'))
  return (order > 0 ? max : min)(abs(t), over, { keepDims })
}

/**
 * Σx² over axes: the square of the Euclidean norm, without its kink at 0; all of them without any.
 * @throws ShapeError for axes that are none, or named twice
 * @pytorch none
 */
export function squaredNorm(x: TensorLike, axis?: Axes, options?: ReduceOptions, ...surplus: []): Tensor {
  const keepDims = keepsDims('squaredNorm', options, surplus)
  return sumOver('squaredNorm', square(toTensor('squaredNorm', x)), axis, keepDims)
}

/**
 * log Σeˣ over axes, all of them without any; float32 for integers. Computed as m + log Σe^(x − m) with the greatest
 * element m, which cannot overflow; −∞ of nothing.
 * @throws ShapeError for axes that are none, or named twice
 * @pytorch torch.logsumexp
 * @tensorflow tf.reduce_logsumexp
 * @numpy scipy.special.logsumexp
 */
export function logSumExp(x: TensorLike, axis?: Axes, options?: ReduceOptions, ...surplus: []): Tensor {
  const keepDims = keepsDims('logSumExp', options, surplus)
  const t = asFloat('logSumExp', x)
  const over = normalizeAxes('logSumExp', axis, t.ndim)
  return withoutAxes(wrap(logSumExpOver(nodeOf(t), over)), over, keepDims)
}

function truth(name: string, x: TensorLike, axis: Axes, keepDims: boolean, fold: typeof ops.maxOver): Tensor {
  const t = toTensor(name, x)
  const over = normalizeAxes(name, axis, t.ndim)
  const folded = wrap(fold(nodeOf(cast(notEqual(t, 0), 'int32')), over))
  return withoutAxes(greater(folded, 0), over, keepDims)
}

/**
 * Whether any element over axes is not 0, as bool; false of nothing. NaN is not 0.
 * @throws ShapeError for axes that are none, or named twice
 * @pytorch torch.any
 * @tensorflow tf.reduce_any
 * @numpy np.any
 */
export function any(x: TensorLike, axis?: Axes, options?: ReduceOptions, ...surplus: []): Tensor {
  const keepDims = keepsDims('any', options, surplus)
  return truth('any', x, axis, keepDims, ops.maxOver)
}

/**
 * Whether all elements over axes are not 0, as bool; true of nothing. NaN is not 0.
 * @throws ShapeError for axes that are none, or named twice
 * @pytorch torch.all
 * @tensorflow tf.reduce_all
 * @numpy np.all
 */
export function all(x: TensorLike, axis?: Axes, options?: ReduceOptions, ...surplus: []): Tensor {
  const keepDims = keepsDims('all', options, surplus)
  return truth('all', x, axis, keepDims, ops.minOver)
}

/**
 * How many elements over axes are not 0, as int32. NaN is not 0.
 * @throws ShapeError for axes that are none, or named twice
 * @pytorch torch.count_nonzero
 * @tensorflow tf.math.count_nonzero
 * @numpy np.count_nonzero
 */
export function countNonzero(x: TensorLike, axis?: Axes, options?: ReduceOptions, ...surplus: []): Tensor {
  const keepDims = keepsDims('countNonzero', options, surplus)
  return sumOver('countNonzero', cast(notEqual(toTensor('countNonzero', x), 0), 'int32'), axis, keepDims)
}

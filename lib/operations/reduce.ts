/** Reductions beside those of basic.ts: products, spread, truth and counts. */
import { isFloat } from '../base/dtype.ts'
import { expected } from '../base/errors.ts'
import { normalizeAxes, type Shape } from '../base/shape.ts'
import type { Node } from '../graph/node.ts'
import {
  add,
  cast,
  div,
  exp,
  greater,
  less,
  log,
  mul,
  neg,
  notEqual,
  square,
  sub,
  where,
} from '../graph/ops/elementwise.ts'
import { stopGradient } from '../graph/ops/leaf.ts'
import { broadcastTo } from '../graph/ops/movement.ts'
import { flatSqrt } from '../graph/ops/norm.ts'
import * as ops from '../graph/ops/reduce.ts'
import { type ReduceOptions, type Tensor, type TensorLike, toNode, wrap } from '../tensor/tensor.ts'

export interface VarianceOptions extends ReduceOptions {
  /** What is taken from the number of elements before the division by it: 1 unless given (Bessel's correction), as in PyTorch. */
  correction?: number
}

const asFloat = (x: Node): Node => (isFloat(x.dtype) ? x : cast(x, 'float32'))

const withoutAxes = (x: Node, over: readonly number[], keepDims: boolean): Node =>
  keepDims ? x : ops.dropAxes(x, over)

const countOf = (shape: Shape, over: readonly number[]): number => over.reduce((size, axis) => size * shape[axis]!, 1)

/**
 * The product over axes, all of them without any; 1 of nothing. int32 for bool and uint8, wrapping. The gradient is the
 * product of the other elements, right also where some are 0.
 */
export function prod(x: TensorLike, axis?: ops.Axes, { keepDims = false }: ReduceOptions = {}): Tensor {
  return wrap(ops.prod(toNode(x), axis, keepDims))
}

/** The int32 index of the first least element along an axis; of the flattened tensor without one. NaN is least. */
export function argmin(x: TensorLike, axis?: number, { keepDims = false }: ReduceOptions = {}): Tensor {
  const node = toNode(x)
  // −1 − x is the complement of an integer, which turns the order round without an overflow.
  const turned = isFloat(node.dtype) ? neg(node) : sub(-1, cast(node, 'int32'))
  return wrap(ops.argmax(turned, axis, keepDims, 'argmin'))
}

function varianceOf(
  name: string,
  x: TensorLike,
  axis: ops.Axes,
  { keepDims = false, correction = 1 }: VarianceOptions,
): Node {
  if (!Number.isFinite(correction)) throw new RangeError(expected(name, 'a finite correction', correction))
  const node = asFloat(toNode(x))
  const over = normalizeAxes(name, axis, node.shape.length)
  const squares = ops.sum(square(sub(node, ops.mean(node, over, true))), over, keepDims)
  return div(squares, Math.max(0, countOf(node.shape, over) - correction))
}

/**
 * Σ(x − mean)² / (n − correction) over axes, all of them without any; float32 for integers. NaN where n − correction is
 * not positive and so are the squares, as in PyTorch's `var`, of which it has the default correction 1.
 */
export function variance(x: TensorLike, axis?: ops.Axes, options: VarianceOptions = {}): Tensor {
  return wrap(varianceOf('variance', x, axis, options))
}

/** √variance, with the correction 1 unless given; its gradient at 0 is 0. */
export function std(x: TensorLike, axis?: ops.Axes, options: VarianceOptions = {}): Tensor {
  return wrap(flatSqrt(varianceOf('std', x, axis, options)))
}

/** Σx² over axes: the square of the Euclidean norm, without its kink at 0. */
export function squaredNorm(x: TensorLike, axis?: ops.Axes, { keepDims = false }: ReduceOptions = {}): Tensor {
  return wrap(ops.sum(square(toNode(x)), axis, keepDims))
}

/**
 * log Σeˣ over axes, all of them without any; float32 for integers. Computed as m + log Σe^(x − m) with the greatest
 * element m, which cannot overflow; −∞ of nothing.
 */
export function logSumExp(x: TensorLike, axis?: ops.Axes, { keepDims = false }: ReduceOptions = {}): Tensor {
  const node = asFloat(toNode(x))
  const over = normalizeAxes('logSumExp', axis, node.shape.length)
  const greatest = stopGradient(ops.maxOver(node, over))
  const finite = less(mul(greatest, 0), 1)
  const shift = where(finite, greatest, 0)
  const sums = ops.sum(exp(sub(node, broadcastTo(shift, node.shape))), over, true)
  return wrap(withoutAxes(add(log(sums), shift), over, keepDims))
}

function truth(name: string, x: TensorLike, axis: ops.Axes, keepDims: boolean, fold: typeof ops.maxOver): Tensor {
  const node = toNode(x)
  const over = normalizeAxes(name, axis, node.shape.length)
  return wrap(withoutAxes(greater(fold(cast(notEqual(node, 0), 'int32'), over), 0), over, keepDims))
}

/** Whether any element over axes is not 0, as bool; false of nothing. NaN is not 0. */
export function any(x: TensorLike, axis?: ops.Axes, { keepDims = false }: ReduceOptions = {}): Tensor {
  return truth('any', x, axis, keepDims, ops.maxOver)
}

/** Whether all elements over axes are not 0, as bool; true of nothing. NaN is not 0. */
export function all(x: TensorLike, axis?: ops.Axes, { keepDims = false }: ReduceOptions = {}): Tensor {
  return truth('all', x, axis, keepDims, ops.minOver)
}

/** How many elements over axes are not 0, as int32. NaN is not 0. */
export function countNonzero(x: TensorLike, axis?: ops.Axes, { keepDims = false }: ReduceOptions = {}): Tensor {
  return wrap(ops.sum(cast(notEqual(toNode(x), 0), 'int32'), axis, keepDims))
}

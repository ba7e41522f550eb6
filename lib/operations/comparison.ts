/** Questions about numbers, answered in bool, and the choice by an answer. */
import { refuseSurplus } from '../base/arguments.ts'
import { elementwise as ops } from '../graph/ops/elementwise.ts'
import { type Tensor, type TensorLike, toNode, toTensor, wrap } from '../tensor/tensor.ts'
import { binary } from './elementwise.ts'

/**
 * x = y, as bool.
 * @throws ShapeError where the shapes do not broadcast
 * @pytorch torch.eq
 * @tensorflow tf.equal
 * @numpy np.equal
 */
export const equal = binary('equal')

/**
 * x ≠ y, as bool.
 * @throws ShapeError where the shapes do not broadcast
 * @pytorch torch.ne
 * @tensorflow tf.not_equal
 * @numpy np.not_equal
 */
export const notEqual = binary('notEqual')

/**
 * x < y, as bool.
 * @throws ShapeError where the shapes do not broadcast
 * @pytorch torch.lt
 * @tensorflow tf.less
 * @numpy np.less
 */
export const less = binary('less')

/**
 * x ≤ y, as bool.
 * @throws ShapeError where the shapes do not broadcast
 * @pytorch torch.le
 * @tensorflow tf.less_equal
 * @numpy np.less_equal
 */
export const lessEqual = binary('lessEqual')

/**
 * x > y, as bool.
 * @throws ShapeError where the shapes do not broadcast
 * @pytorch torch.gt
 * @tensorflow tf.greater
 * @numpy np.greater
 */
export const greater = binary('greater')

/**
 * x ≥ y, as bool.
 * @throws ShapeError where the shapes do not broadcast
 * @pytorch torch.ge
 * @tensorflow tf.greater_equal
 * @numpy np.greater_equal
 */
export const greaterEqual = binary('greaterEqual')

/**
 * Whether x is NaN, as bool.
 * @pytorch torch.isnan
 * @tensorflow tf.math.is_nan
 * @numpy np.isnan
 */
// biome-ignore lint/suspicious/noShadowRestrictedNames: the name that users look for.
export function isNaN(x: TensorLike, ...surplus: []): Tensor {
  refuseSurplus('isNaN', 1, surplus)
  const t = toTensor('isNaN', x)
  return notEqual(t, t)
}

/**
 * Whether x is neither NaN nor infinite, as bool.
 * @pytorch torch.isfinite
 * @tensorflow tf.math.is_finite
 * @numpy np.isfinite
 */
// biome-ignore lint/suspicious/noShadowRestrictedNames: the name that users look for.
export function isFinite(x: TensorLike, ...surplus: []): Tensor {
  refuseSurplus('isFinite', 1, surplus)
  return wrap(ops.less(ops.abs(toNode('isFinite', x)), Infinity))
}

/**
 * Whether x is ∞ or −∞, as bool.
 * @pytorch torch.isinf
 * @tensorflow tf.math.is_inf
 * @numpy np.isinf
 */
export function isInf(x: TensorLike, ...surplus: []): Tensor {
  refuseSurplus('isInf', 1, surplus)
  return wrap(ops.equal(ops.abs(toNode('isInf', x)), Infinity))
}

/**
 * x where the bool condition is true, else y; of the dtype that both promote to. The three shapes broadcast.
 * @throws DTypeError for a condition that is not bool; ShapeError where the shapes do not broadcast
 * @example where([true, false], [1, 2], 0) // [1, 0]
 * @pytorch torch.where
 * @tensorflow tf.where
 * @numpy np.where
 */
export function where(condition: TensorLike, x: TensorLike, y: TensorLike, ...surplus: []): Tensor {
  refuseSurplus('where', 3, surplus)
  return wrap(ops.where(toNode('where', condition), toNode('where', x), toNode('where', y)))
}

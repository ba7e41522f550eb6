/** Logic, and operations on bits. None has a gradient. */
import { refuseSurplus } from '../base/arguments.ts'
import type { DType } from '../base/dtype.ts'
import { DTypeError, expected } from '../base/errors.ts'
import { literal } from '../graph/ops/leaf.ts'
import { type Tensor, type TensorLike, toTensor, wrap } from '../tensor/tensor.ts'
import { binary, operandsOf } from './elementwise.ts'
import { cast } from './shape.ts'

/** x ≠ 0, which holds for NaN. */
const truth = (x: Tensor): Tensor => cast(x, 'bool')

/**
 * Whether both are true, as bool. Numbers are true where they are not 0.
 * @throws ShapeError where the shapes do not broadcast
 * @pytorch torch.logical_and
 * @tensorflow tf.logical_and
 * @numpy np.logical_and
 */
export function logicalAnd(x: TensorLike, y: TensorLike, ...surplus: []): Tensor {
  refuseSurplus('logicalAnd', 2, surplus)
  const [a, b] = operandsOf('logicalAnd', x, y)
  return bitwiseAnd(truth(a), truth(b))
}

/**
 * Whether one or both are true, as bool. Numbers are true where they are not 0.
 * @throws ShapeError where the shapes do not broadcast
 * @pytorch torch.logical_or
 * @tensorflow tf.logical_or
 * @numpy np.logical_or
 */
export function logicalOr(x: TensorLike, y: TensorLike, ...surplus: []): Tensor {
  refuseSurplus('logicalOr', 2, surplus)
  const [a, b] = operandsOf('logicalOr', x, y)
  return bitwiseOr(truth(a), truth(b))
}

/**
 * Whether one of them is true, as bool. Numbers are true where they are not 0.
 * @throws ShapeError where the shapes do not broadcast
 * @pytorch torch.logical_xor
 * @tensorflow tf.math.logical_xor
 * @numpy np.logical_xor
 */
export function logicalXor(x: TensorLike, y: TensorLike, ...surplus: []): Tensor {
  refuseSurplus('logicalXor', 2, surplus)
  const [a, b] = operandsOf('logicalXor', x, y)
  return bitwiseXor(truth(a), truth(b))
}

/**
 * Whether x is false, as bool. Numbers are true where they are not 0.
 * @pytorch torch.logical_not
 * @tensorflow tf.logical_not
 * @numpy np.logical_not
 */
export function logicalNot(x: TensorLike, ...surplus: []): Tensor {
  refuseSurplus('logicalNot', 1, surplus)
  return bitwiseNot(truth(toTensor('logicalNot', x)))
}

/**
 * The bits that both have, of int32, uint8 or bool.
 * @throws DTypeError for floats; ShapeError where the shapes do not broadcast
 * @pytorch torch.bitwise_and
 * @tensorflow tf.bitwise.bitwise_and
 * @numpy np.bitwise_and
 */
export const bitwiseAnd = binary('bitwiseAnd')

/**
 * The bits that one or both have, of int32, uint8 or bool.
 * @throws DTypeError for floats; ShapeError where the shapes do not broadcast
 * @pytorch torch.bitwise_or
 * @tensorflow tf.bitwise.bitwise_or
 * @numpy np.bitwise_or
 */
export const bitwiseOr = binary('bitwiseOr')

/**
 * The bits that one of them has, of int32, uint8 or bool.
 * @throws DTypeError for floats; ShapeError where the shapes do not broadcast
 * @pytorch torch.bitwise_xor
 * @tensorflow tf.bitwise.bitwise_xor
 * @numpy np.bitwise_xor
 */
export const bitwiseXor = binary('bitwiseXor')

/** By dtype, the number all of whose bits are set. */
const allBits: { readonly [K in DType]?: number } = { int32: -1, uint8: 255, bool: 1 }

/**
 * The other bits, of int32, uint8 or bool: −1 − x of int32, 255 − x of uint8, the opposite of bool.
 * @throws DTypeError for floats
 * @pytorch torch.bitwise_not
 * @tensorflow tf.bitwise.invert
 * @numpy np.bitwise_not
 */
export function bitwiseNot(x: TensorLike, ...surplus: []): Tensor {
  refuseSurplus('bitwiseNot', 1, surplus)
  const t = toTensor('bitwiseNot', x)
  const all = allBits[t.dtype]
  if (all === undefined) throw new DTypeError(expected('bitwiseNot', Object.keys(allBits).join(' or '), t.dtype))
  return bitwiseXor(t, wrap(literal(all, t.dtype)))
}

/**
 * x · 2ⁿ of int32 or uint8, without the bits that leave it; 0 where n is negative or more than 31.
 * @throws DTypeError for bool and floats; ShapeError where the shapes do not broadcast
 * @pytorch torch.bitwise_left_shift
 * @tensorflow tf.bitwise.left_shift
 * @numpy np.left_shift
 */
export const leftShift: (x: TensorLike, n: TensorLike) => Tensor = binary('leftShift')

/**
 * ⌊x / 2ⁿ⌋ of int32 or uint8; 0, or −1 for a negative x, where n is negative or more than 31.
 * @throws DTypeError for bool and floats; ShapeError where the shapes do not broadcast
 * @pytorch torch.bitwise_right_shift
 * @tensorflow tf.bitwise.right_shift
 * @numpy np.right_shift
 */
export const rightShift: (x: TensorLike, n: TensorLike) => Tensor = binary('rightShift')

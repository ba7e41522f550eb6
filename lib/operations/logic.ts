/** Questions about numbers, logic, and operations on bits. None has a gradient. */
import type { Node } from '../graph/node.ts'
import * as bits from '../graph/ops/bits.ts'
import * as ops from '../graph/ops/elementwise.ts'
import { type Tensor, type TensorLike, toNode, wrap } from '../tensor/tensor.ts'

/** Whether x is NaN, as bool. */
// biome-ignore lint/suspicious/noShadowRestrictedNames: the name that users look for.
export function isNaN(x: TensorLike): Tensor {
  const node = toNode(x)
  return wrap(ops.notEqual(node, node))
}

/** Whether x is neither NaN nor infinite, as bool. */
// biome-ignore lint/suspicious/noShadowRestrictedNames: the name that users look for.
export function isFinite(x: TensorLike): Tensor {
  return wrap(ops.less(ops.abs(toNode(x)), Infinity))
}

/** Whether x is ∞ or −∞, as bool. */
export function isInf(x: TensorLike): Tensor {
  return wrap(ops.equal(ops.abs(toNode(x)), Infinity))
}

/** x ≠ 0, which holds for NaN. */
const truth = (x: TensorLike): Node => ops.cast(toNode(x), 'bool')

/** Whether both are true, as bool. Numbers are true where they are not 0. */
export function logicalAnd(x: TensorLike, y: TensorLike): Tensor {
  return wrap(bits.bitwiseAnd(truth(x), truth(y)))
}

/** Whether one or both are true, as bool. Numbers are true where they are not 0. */
export function logicalOr(x: TensorLike, y: TensorLike): Tensor {
  return wrap(bits.bitwiseOr(truth(x), truth(y)))
}

/** Whether one of them is true, as bool. Numbers are true where they are not 0. */
export function logicalXor(x: TensorLike, y: TensorLike): Tensor {
  return wrap(bits.bitwiseXor(truth(x), truth(y)))
}

/** Whether x is false, as bool. Numbers are true where they are not 0. */
export function logicalNot(x: TensorLike): Tensor {
  return wrap(bits.bitwiseNot(truth(x)))
}

/**
 * The bits that both have, of int32, uint8 or bool.
 * @throws DTypeError for floats.
 */
export function bitwiseAnd(x: TensorLike, y: TensorLike): Tensor {
  return wrap(bits.bitwiseAnd(toNode(x), toNode(y)))
}

/**
 * The bits that one or both have, of int32, uint8 or bool.
 * @throws DTypeError for floats.
 */
export function bitwiseOr(x: TensorLike, y: TensorLike): Tensor {
  return wrap(bits.bitwiseOr(toNode(x), toNode(y)))
}

/**
 * The bits that one of them has, of int32, uint8 or bool.
 * @throws DTypeError for floats.
 */
export function bitwiseXor(x: TensorLike, y: TensorLike): Tensor {
  return wrap(bits.bitwiseXor(toNode(x), toNode(y)))
}

/**
 * The other bits, of int32, uint8 or bool: −1 − x of int32, 255 − x of uint8, the opposite of bool.
 * @throws DTypeError for floats.
 */
export function bitwiseNot(x: TensorLike): Tensor {
  return wrap(bits.bitwiseNot(toNode(x)))
}

/**
 * x · 2ⁿ of int32 or uint8, without the bits that leave it; 0 where n is negative or more than 31.
 * @throws DTypeError for bool and floats.
 */
export function leftShift(x: TensorLike, n: TensorLike): Tensor {
  return wrap(bits.leftShift(toNode(x), toNode(n)))
}

/**
 * ⌊x / 2ⁿ⌋ of int32 or uint8; 0, or −1 for a negative x, where n is negative or more than 31.
 * @throws DTypeError for bool and floats.
 */
export function rightShift(x: TensorLike, n: TensorLike): Tensor {
  return wrap(bits.rightShift(toNode(x), toNode(n)))
}

/** Functions of one and of two real numbers, beside those of basic.ts: rounding, remainders, powers, angles, bounds. */
import type { DType } from '../base/dtype.ts'
import { expected } from '../base/errors.ts'
import { broadcastShapes } from '../base/shape.ts'
import type { Node } from '../graph/node.ts'
import { bitwiseAnd } from '../graph/ops/bits.ts'
import * as ops from '../graph/ops/elementwise.ts'
import * as math from '../graph/ops/math.ts'
import { type Tensor, type TensorLike, toNode, wrap } from '../tensor/tensor.ts'

const unary = (f: (x: Node) => Node, x: TensorLike): Tensor => wrap(f(toNode(x)))
const binary = (f: (x: Node, y: Node) => Node, x: TensorLike, y: TensorLike): Tensor => wrap(f(toNode(x), toNode(y)))

/** The greatest integer of at most x; integers stay. Its gradient is 0. */
export function floor(x: TensorLike): Tensor {
  return unary(math.floor, x)
}

/** The least integer of at least x; integers stay. Its gradient is 0. */
export function ceil(x: TensorLike): Tensor {
  return unary(math.ceil, x)
}

/** The nearest integer, the even one of two: 2.5 gives 2. Integers stay. Its gradient is 0. */
export function round(x: TensorLike): Tensor {
  return unary(math.round, x)
}

/** x without its fraction; integers stay. Its gradient is 0. */
export function trunc(x: TensorLike): Tensor {
  return unary(math.trunc, x)
}

/**
 * x − y·⌊x/y⌋, the remainder with the sign of y, exactly; as PyTorch's `remainder` and numpy's `mod`. By 0 it is NaN, and 0 for
 * integers.
 * @example mod([-7, 7], 3) // [2, 1]
 */
export function mod(x: TensorLike, y: TensorLike): Tensor {
  return binary(math.mod, x, y)
}

/** x − y·trunc(x/y), the remainder with the sign of x, exactly. By 0 it is NaN, and 0 for integers. */
export function fmod(x: TensorLike, y: TensorLike): Tensor {
  return binary(math.fmod, x, y)
}

/** ⌊x/y⌋; int32 for integers, where division by 0 gives 0. Its gradient is 0. */
export function floorDiv(x: TensorLike, y: TensorLike): Tensor {
  return binary(math.floorDiv, x, y)
}

/** 2ˣ */
export function exp2(x: TensorLike): Tensor {
  return unary(math.exp2, x)
}

/** The logarithm to base 2, exact for powers of 2; −∞ at 0, NaN below. */
export function log2(x: TensorLike): Tensor {
  return unary(math.log2, x)
}

/** The logarithm to base 10, exact for powers of 10; −∞ at 0, NaN below. */
export function log10(x: TensorLike): Tensor {
  return unary(math.log10, x)
}

/** ∛x, which is negative below 0; its gradient at 0 is ∞. */
export function cbrt(x: TensorLike): Tensor {
  return unary(math.cbrt, x)
}

/** The tangent of radians of any size. */
export function tan(x: TensorLike): Tensor {
  return unary(math.tan, x)
}

/** The angle in [−π/2, π/2] whose sine is x; NaN beyond ±1. */
export function asin(x: TensorLike): Tensor {
  return unary(math.asin, x)
}

/** The angle in [0, π] whose cosine is x; NaN beyond ±1. */
export function acos(x: TensorLike): Tensor {
  return unary(math.acos, x)
}

/** The angle in [−π/2, π/2] whose tangent is x. */
export function atan(x: TensorLike): Tensor {
  return unary(math.atan, x)
}

/** The angle in [−π, π] of the point (x, y), by the signs of both, as IEEE 754 has it for zeros and infinities. Its gradient at (0, 0) is 0. */
export function atan2(y: TensorLike, x: TensorLike): Tensor {
  return binary(math.atan2, y, x)
}

/** The hyperbolic sine (eˣ − e⁻ˣ) / 2. */
export function sinh(x: TensorLike): Tensor {
  return unary(math.sinh, x)
}

/** The hyperbolic cosine (eˣ + e⁻ˣ) / 2. */
export function cosh(x: TensorLike): Tensor {
  return unary(math.cosh, x)
}

/** The inverse of sinh: log(x + √(x² + 1)). */
export function asinh(x: TensorLike): Tensor {
  return unary(math.asinh, x)
}

/** The inverse of cosh: log(x + √(x² − 1)); NaN below 1. */
export function acosh(x: TensorLike): Tensor {
  return unary(math.acosh, x)
}

/** The inverse of tanh: log((1 + x) / (1 − x)) / 2; ±∞ at ±1, NaN beyond. */
export function atanh(x: TensorLike): Tensor {
  return unary(math.atanh, x)
}

/** 1 − erf(x), which keeps its relative accuracy far above 0. */
export function erfc(x: TensorLike): Tensor {
  return unary(math.erfc, x)
}

/** √(x² + y²) without overflow; its gradient at (0, 0) is 0. */
export function hypot(x: TensorLike, y: TensorLike): Tensor {
  return binary(math.hypot, x, y)
}

/** log(eˣ + eʸ), without overflow: y + log(1 + e^(x − y)) with the greater one for y. */
export function logAddExp(x: TensorLike, y: TensorLike): Tensor {
  const [a, b] = [toNode(x), toNode(y)]
  const sameInfinity = bitwiseAnd(ops.equal(a, b), ops.equal(ops.abs(a), Infinity))
  const difference = ops.where(sameInfinity, 0, ops.sub(a, b))
  const first = ops.greater(difference, 0)
  return wrap(ops.add(ops.where(first, a, b), ops.softplus(ops.where(first, ops.neg(difference), difference))))
}

/**
 * x within [min, max], bounds that may be numbers, tensors or left out: min(max(x, min), max), so that max wins where it is
 * below min. NaN stays. At a bound the whole gradient is that of x, as in PyTorch.
 * @throws TypeError without any bound.
 * @example clamp([-2, 0.5, 9], 0, 1) // [0, 0.5, 1]
 */
export function clamp(x: TensorLike, min?: TensorLike | null, max?: TensorLike | null): Tensor {
  const node = toNode(x)
  const bound = (b: TensorLike | null | undefined) => (b === undefined || b === null ? null : toNode(b))
  const [low, high] = [bound(min), bound(max)]
  if (low === null && high === null) throw new TypeError(expected('clamp', 'a min or a max', 'neither'))
  for (const b of [low, high]) if (b !== null) broadcastShapes('clamp', node.shape, b.shape)
  const raised = low === null ? node : math.atLeast(node, low)
  return wrap(high === null ? raised : math.atMost(raised, high))
}

/** x + weight · (y − x); y exactly for a weight of 1. */
export function lerp(x: TensorLike, y: TensorLike, weight: TensorLike): Tensor {
  const [start, end, w] = [toNode(x), toNode(y), toNode(weight)]
  const difference = ops.sub(end, start)
  const fromStart = ops.add(start, ops.mul(difference, w))
  const fromEnd = ops.sub(end, ops.mul(difference, ops.sub(1, w)))
  if (typeof weight === 'number') return wrap(weight < 0.5 ? fromStart : fromEnd)
  return wrap(ops.where(ops.less(w, 0.5), fromStart, fromEnd))
}

export interface NanToNumOptions {
  /** For NaN; 0 unless given. */
  nan?: number
  /** For ∞; the greatest finite number unless given. */
  posInf?: number
  /** For −∞; the least finite number unless given. */
  negInf?: number
}

const greatest: { readonly [K in DType]?: number } = { float32: (2 - 2 ** -23) * 2 ** 127, float64: Number.MAX_VALUE }

/** x with finite numbers in place of NaN and infinities, whose gradient is 0. */
export function nanToNum(x: TensorLike, { nan = 0, posInf, negInf }: NanToNumOptions = {}): Tensor {
  const node = toNode(x)
  const most = greatest[node.dtype]
  if (most === undefined) return wrap(node)
  const finite = ops.where(
    ops.equal(node, Infinity),
    posInf ?? most,
    ops.where(ops.equal(node, -Infinity), negInf ?? -most, node),
  )
  return wrap(ops.where(ops.notEqual(node, node), nan, finite))
}

/** Norms of vectors, of any order. */
import { isFloat } from '../../base/dtype.ts'
import { DTypeError, expected, ShapeError } from '../../base/errors.ts'
import { normalizeAxes } from '../../base/shape.ts'
import type { Node } from '../node.ts'
import { abs, cast, greater, notEqual, pow, reciprocal, sqrt, square, where } from './elementwise.ts'
import { type Axes, max, min, sum } from './reduce.ts'

/** √x of x ≥ 0, whose gradient at 0 is 0 as PyTorch has it: the root is taken of 1 there, and masked. */
export function flatSqrt(x: Node): Node {
  const positive = greater(x, 0)
  return where(positive, sqrt(where(positive, x, 1)), x)
}

/** (Σ|x|ᵖ)^(1/p), where 0 has no gradient, neither as an element nor as the norm. */
function powerNorm(x: Node, order: number, axes: Axes, keepDims: boolean): Node {
  const nonzero = notEqual(x, 0)
  const powers = where(nonzero, pow(where(nonzero, abs(x), 1), order), order > 0 ? 0 : Infinity)
  const total = sum(powers, axes, keepDims)
  // 0 and ∞, whose roots have no gradient, stand for themselves, or for each other.
  const ends = order > 0 ? total : reciprocal(total)
  const between = greater(ends, 0)
  return where(between, pow(where(between, total, 1), 1 / order), ends)
}

export function norm(x: Node, axes?: Axes, keepDims = false, order = 2): Node {
  if (!isFloat(x.dtype)) throw new DTypeError(expected('norm', 'float32 or float64', x.dtype))
  if (typeof order !== 'number' || Number.isNaN(order)) throw new RangeError(expected('norm', 'an order', order))
  if (order === 2) return flatSqrt(sum(square(x), axes, keepDims))
  if (order === 1) return sum(abs(x), axes, keepDims)
  if (order === 0) return cast(sum(cast(notEqual(x, 0), 'int32'), axes, keepDims), x.dtype)
  if (Number.isFinite(order)) return powerNorm(x, order, axes, keepDims)
  if (normalizeAxes('norm', axes, x.shape.length).some((axis) => x.shape[axis] === 0))
    throw new ShapeError(expected('norm', 'at least one element', 'none'))
  return (order > 0 ? max : min)(abs(x), axes, keepDims)
}

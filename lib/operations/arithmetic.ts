/** Sums, products, quotients and remainders, the greater and the lesser of numbers, and what lies between them. */
import { refuseSurplus } from '../base/arguments.ts'
import { DTypeError, expected } from '../base/errors.ts'
import { broadcastShapes, maxRank } from '../base/shape.ts'
import { atLeast, atMost, elementwise as ops } from '../graph/ops/elementwise.ts'
import { promotedDType } from '../graph/ops/promotion.ts'
import { nodeOf, Tensor, type TensorLike, toNode, toTensor, wrap } from '../tensor/tensor.ts'
import { isNaN as areNaN, equal, greaterEqual, less, lessEqual, where } from './comparison.ts'
import { binary, operandsOf, unary } from './elementwise.ts'
import { logicalOr } from './logic.ts'

/**
 * x + y; int32 for bool and uint8.
 * @throws ShapeError where the shapes do not broadcast
 * @pytorch torch.add
 * @tensorflow tf.add
 * @numpy np.add
 */
export const add = binary('add')

/**
 * x − y; int32 for bool and uint8.
 * @throws ShapeError where the shapes do not broadcast
 * @pytorch torch.sub
 * @tensorflow tf.subtract
 * @numpy np.subtract
 */
export const sub = binary('sub')

/**
 * x · y, element by element; int32 for bool and uint8.
 * @throws ShapeError where the shapes do not broadcast
 * @pytorch torch.mul
 * @tensorflow tf.multiply
 * @numpy np.multiply
 */
export const mul = binary('mul')

/**
 * x / y; float32 for integers.
 * @throws ShapeError where the shapes do not broadcast
 * @pytorch torch.div
 * @tensorflow tf.divide
 * @numpy np.divide
 */
export const div = binary('div')

/**
 * ⌊x/y⌋; int32 for integers, where division by 0 gives 0. Its gradient is 0.
 * @throws ShapeError where the shapes do not broadcast
 * @pytorch torch.floor_divide
 * @tensorflow tf.math.floordiv
 * @numpy np.floor_divide
 */
export const floorDiv = binary('floorDiv')

/**
 * x − y·⌊x/y⌋, the remainder with the sign of y, exactly; as PyTorch's `remainder` and numpy's `mod`. By 0 it is NaN, and
 * 0 for integers; int32 for bool and uint8.
 * @throws ShapeError where the shapes do not broadcast
 * @example mod([-7, 7], 3) // [2, 1]
 * @pytorch torch.remainder
 * @tensorflow tf.math.floormod
 * @numpy np.mod
 */
export const mod = binary('mod')

/**
 * x − y·trunc(x/y), the remainder with the sign of x, exactly. By 0 it is NaN, and 0 for integers; int32 for bool and
 * uint8.
 * @throws ShapeError where the shapes do not broadcast
 * @pytorch torch.fmod
 * @tensorflow tf.truncatemod
 * @numpy np.fmod
 */
export const fmod = binary('fmod')

/**
 * −x; int32 for bool and uint8.
 * @pytorch torch.neg
 * @tensorflow tf.negative
 * @numpy np.negative
 */
export const neg = unary('neg')

/**
 * |x|; its gradient at 0 is 0; int32 for bool and uint8.
 * @pytorch torch.abs
 * @tensorflow tf.abs
 * @numpy np.abs
 */
export const abs = unary('abs')

/**
 * −1, 0 or 1; NaN stays NaN; int32 for bool and uint8.
 * @pytorch torch.sgn
 * @tensorflow tf.sign
 * @numpy np.sign
 */
export const sign = unary('sign')

/**
 * The greater of x and y; NaN where either is; int32 for bool and uint8. At a tie each gets half of the gradient.
 * @throws ShapeError where the shapes do not broadcast
 * @pytorch torch.maximum
 * @tensorflow tf.maximum
 * @numpy np.maximum
 */
export const maximum = binary('maximum')

/**
 * The lesser of x and y; NaN where either is; int32 for bool and uint8. At a tie each gets half of the gradient.
 * @throws ShapeError where the shapes do not broadcast
 * @pytorch torch.minimum
 * @tensorflow tf.minimum
 * @numpy np.minimum
 */
export const minimum = binary('minimum')

/**
 * The greater of x and y, and the other one where one is NaN. At a tie the gradient is that of x, as PyTorch has it.
 * @throws ShapeError where the shapes do not broadcast
 * @pytorch torch.fmax
 * @tensorflow tf.experimental.numpy.fmax
 * @numpy np.fmax
 */
export function fmax(x: TensorLike, y: TensorLike, ...surplus: []): Tensor {
  refuseSurplus('fmax', 2, surplus)
  const [a, b] = operandsOf('fmax', x, y)
  return where(logicalOr(greaterEqual(a, b), areNaN(b)), a, b)
}

/**
 * The lesser of x and y, and the other one where one is NaN. At a tie the gradient is that of x, as PyTorch has it.
 * @throws ShapeError where the shapes do not broadcast
 * @pytorch torch.fmin
 * @tensorflow tf.experimental.numpy.fmin
 * @numpy np.fmin
 */
export function fmin(x: TensorLike, y: TensorLike, ...surplus: []): Tensor {
  refuseSurplus('fmin', 2, surplus)
  const [a, b] = operandsOf('fmin', x, y)
  return where(logicalOr(lessEqual(a, b), areNaN(b)), a, b)
}

/**
 * x within [min, max], bounds that may be numbers, tensors or left out: min(max(x, min), max), so that max wins where it is
 * below min. NaN stays. At a bound the whole gradient is that of x, as in PyTorch. int32 for bool and uint8.
 * @throws TypeError without any bound; ShapeError where the shapes do not broadcast
 * @example clamp([-2, 0.5, 9], 0, 1) // [0, 0.5, 1]
 * @pytorch torch.clamp
 * @tensorflow tf.clip_by_value
 * @numpy np.clip
 */
export function clamp(x: TensorLike, min?: TensorLike | null, max?: TensorLike | null, ...surplus: []): Tensor {
  refuseSurplus('clamp', 3, surplus)
  const node = toNode('clamp', x)
  const bound = (b: TensorLike | null | undefined) => (b === undefined || b === null ? null : toNode('clamp', b))
  const [low, high] = [bound(min), bound(max)]
  if (low === null && high === null) throw new TypeError(expected('clamp', 'a min or a max', 'neither'))
  for (const b of [low, high]) if (b !== null) broadcastShapes('clamp', node.shape, b.shape)
  const raised = low === null ? node : atLeast(node, low)
  return wrap(high === null ? raised : atMost(raised, high))
}

/**
 * x + weight · (y − x); y exactly for a weight of 1; shapes broadcast.
 * @throws ShapeError where the shapes do not broadcast
 * @pytorch torch.lerp
 */
export function lerp(x: TensorLike, y: TensorLike, weight: TensorLike, ...surplus: []): Tensor {
  refuseSurplus('lerp', 3, surplus)
  const [start, end] = operandsOf('lerp', x, y)
  // A number stays one, for the dtype of what it meets.
  const [w, rest] = typeof weight === 'number' ? [weight, 1 - weight] : [toTensor('lerp', weight), sub(1, weight)]
  if (typeof w !== 'number') broadcastShapes('lerp', broadcastShapes('lerp', start.shape, end.shape), w.shape)
  const isNear = less(abs(sub(end, start)), Infinity)
  const near = between(where(isNear, start, 0), where(isNear, end, 0), w, rest)
  const far = add(part(where(isNear, 0, start), rest), part(where(isNear, 0, end), w))
  return where(isNear, near, far)
}

/** Between numbers whose difference is finite: from the nearer one. */
function between(start: Tensor, end: Tensor, w: Tensor | number, rest: Tensor | number): Tensor {
  const difference = sub(end, start)
  const fromStart = add(start, mul(difference, w))
  const fromEnd = sub(end, mul(difference, rest))
  if (typeof w === 'number') return w < 0.5 ? fromStart : fromEnd
  return where(less(w, 0.5), fromStart, fromEnd)
}

/** x·w, and nothing of an infinite x where w is 0. */
const part = (x: Tensor, w: Tensor | number): Tensor =>
  mul(where(equal(w, 0), where(equal(abs(x), Infinity), 0, x), x), w)

/** Operands that are integers: arrays of them become int32, and so do numbers, but beside a tensor, whose dtype they take. */
function integerOperands(op: string, x: TensorLike, y: TensorLike): readonly [Tensor, Tensor] {
  const typed = (value: TensorLike, other: TensorLike) => {
    if (value instanceof Tensor) return value
    const given = toNode(op, value)
    const isWhole = ([value] as readonly unknown[]).flat(maxRank as 1).every(Number.isInteger)
    const isWeak = typeof value === 'number' && other instanceof Tensor
    return wrap(isWhole && !isWeak ? toNode(op, value, 'int32') : given)
  }
  const [a, b] = [typed(x, y), typed(y, x)]
  const dtype = promotedDType(nodeOf(a), nodeOf(b))
  if (dtype !== 'int32' && dtype !== 'uint8') throw new DTypeError(expected(op, 'int32 or uint8', dtype))
  broadcastShapes(op, a.shape, b.shape)
  return [a, b]
}

/**
 * The greatest common divisor of integers, which is not negative; of two zeros 0. uint8 of two uint8, else int32, in
 * which 2³¹ wraps.
 * @throws DTypeError for floats and bool; ShapeError where the shapes do not broadcast
 * @example gcd(12, [18, 7]) // [6, 1]
 * @pytorch torch.gcd
 * @tensorflow tf.experimental.numpy.gcd
 * @numpy np.gcd
 */
export function gcd(x: TensorLike, y: TensorLike, ...surplus: []): Tensor {
  refuseSurplus('gcd', 2, surplus)
  const [a, b] = integerOperands('gcd', x, y)
  return wrap(ops.gcd(nodeOf(a), nodeOf(b)))
}

/**
 * The least common multiple of integers as int32, which is not negative unless it wraps; 0 where one is 0.
 * @throws DTypeError, ShapeError as gcd
 * @pytorch torch.lcm
 * @tensorflow tf.experimental.numpy.lcm
 * @numpy np.lcm
 */
export function lcm(x: TensorLike, y: TensorLike, ...surplus: []): Tensor {
  refuseSurplus('lcm', 2, surplus)
  const [a, b] = integerOperands('lcm', x, y)
  return abs(mul(floorDiv(a, gcd(a, b)), b))
}

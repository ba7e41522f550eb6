/** Functions of real numbers: powers, roots, exponentials, logarithms, angles, the error function, rounding. */
import { refuseSurplus } from '../base/arguments.ts'
import { type DType, isFloat } from '../base/dtype.ts'
import { checkOptions, type OptionTypes } from '../base/options.ts'
import { elementwise as ops } from '../graph/ops/elementwise.ts'
import { nodeOf, type Tensor, type TensorLike, toNode, toTensor, wrap } from '../tensor/tensor.ts'
import { abs, add, mul, neg, sign, sub } from './arithmetic.ts'
import { equal, greater, less, notEqual, where } from './comparison.ts'
import { binary, operandsOf, unary } from './elementwise.ts'
import { logicalAnd } from './logic.ts'
import { cast } from './shape.ts'

/**
 * x²; int32 for bool and uint8.
 * @pytorch torch.square
 * @tensorflow tf.square
 * @numpy np.square
 */
export const square = unary('square')

const power = binary('pow')

/**
 * xʸ; float32 for integers, but for the number 2, by which they are squared as integers.
 * @throws ShapeError where the shapes do not broadcast
 * @pytorch torch.pow
 * @tensorflow tf.pow
 * @numpy np.power
 */
export function pow(x: TensorLike, y: TensorLike, ...surplus: []): Tensor {
  return y === 2 && surplus.length === 0 ? wrap(ops.square(toNode('pow', x))) : power(x, y, ...surplus)
}

/**
 * √x; NaN below 0; float32 for integers.
 * @pytorch torch.sqrt
 * @tensorflow tf.sqrt
 * @numpy np.sqrt
 */
export const sqrt = unary('sqrt')

/**
 * 1 / √x; ±∞ at ±0, NaN below; float32 for integers.
 * @pytorch torch.rsqrt
 * @tensorflow tf.math.rsqrt
 */
export const rsqrt = unary('rsqrt')

/**
 * ∛x, which is negative below 0; its gradient at 0 is ∞; float32 for integers.
 * @tensorflow tf.experimental.numpy.cbrt
 * @numpy np.cbrt
 */
export const cbrt = unary('cbrt')

/**
 * 1 / x; float32 for integers.
 * @pytorch torch.reciprocal
 * @tensorflow tf.math.reciprocal
 * @numpy np.reciprocal
 */
export const reciprocal = unary('reciprocal')

/**
 * √(x² + y²) without overflow; its gradient at (0, 0) is 0; float32 for integers.
 * @throws ShapeError where the shapes do not broadcast
 * @pytorch torch.hypot
 * @tensorflow tf.experimental.numpy.hypot
 * @numpy np.hypot
 */
export const hypot = binary('hypot')

/**
 * eˣ; float32 for integers.
 * @pytorch torch.exp
 * @tensorflow tf.exp
 * @numpy np.exp
 */
export const exp = unary('exp')

/**
 * 2ˣ; float32 for integers.
 * @pytorch torch.exp2
 * @tensorflow tf.experimental.numpy.exp2
 * @numpy np.exp2
 */
export const exp2 = unary('exp2')

/**
 * eˣ − 1, without the cancellation near 0; float32 for integers.
 * @pytorch torch.expm1
 * @tensorflow tf.math.expm1
 * @numpy np.expm1
 */
export const expm1 = unary('expm1')

/**
 * The natural logarithm; −∞ at 0, NaN below; float32 for integers.
 * @pytorch torch.log
 * @tensorflow tf.math.log
 * @numpy np.log
 */
export const log = unary('log')

/**
 * The logarithm to base 2, exact for powers of 2; −∞ at 0, NaN below; float32 for integers.
 * @pytorch torch.log2
 * @tensorflow tf.experimental.numpy.log2
 * @numpy np.log2
 */
export const log2 = unary('log2')

/**
 * The logarithm to base 10, exact for powers of 10; −∞ at 0, NaN below; float32 for integers.
 * @pytorch torch.log10
 * @tensorflow tf.experimental.numpy.log10
 * @numpy np.log10
 */
export const log10 = unary('log10')

/**
 * log(1 + x), without the cancellation near 0; −∞ at −1, NaN below; float32 for integers.
 * @pytorch torch.log1p
 * @tensorflow tf.math.log1p
 * @numpy np.log1p
 */
export const log1p = unary('log1p')

/**
 * log(1 + eˣ), without overflow; float32 for integers.
 * @pytorch F.softplus
 * @tensorflow tf.math.softplus
 */
export const softplus = unary('softplus')

/**
 * log(eˣ + eʸ), without overflow: y + log(1 + e^(x − y)) with the greater one for y; float32 for integers.
 * @throws ShapeError where the shapes do not broadcast
 * @pytorch torch.logaddexp
 * @tensorflow tf.experimental.numpy.logaddexp
 * @numpy np.logaddexp
 */
export function logAddExp(x: TensorLike, y: TensorLike, ...surplus: []): Tensor {
  refuseSurplus('logAddExp', 2, surplus)
  const [a, b] = operandsOf('logAddExp', x, y)
  const sameInfinity = logicalAnd(equal(a, b), equal(abs(a), Infinity))
  const difference = where(sameInfinity, 0, sub(a, b))
  const first = greater(difference, 0)
  // Nothing is added to nothing: neither has a gradient.
  const none = logicalAnd(sameInfinity, less(a, 0))
  const greatest = where(none, -Infinity, where(first, a, b))
  return add(greatest, softplus(where(first, neg(difference), difference)))
}

/**
 * The sine of radians of any size; float32 for integers.
 * @pytorch torch.sin
 * @tensorflow tf.sin
 * @numpy np.sin
 */
export const sin = unary('sin')

/**
 * The cosine of radians of any size; float32 for integers.
 * @pytorch torch.cos
 * @tensorflow tf.cos
 * @numpy np.cos
 */
export const cos = unary('cos')

/**
 * The tangent of radians of any size; float32 for integers.
 * @pytorch torch.tan
 * @tensorflow tf.tan
 * @numpy np.tan
 */
export const tan = unary('tan')

/**
 * The angle in [−π/2, π/2] whose sine is x; NaN beyond ±1; float32 for integers.
 * @pytorch torch.asin
 * @tensorflow tf.asin
 * @numpy np.arcsin
 */
export const asin = unary('asin')

/**
 * The angle in [0, π] whose cosine is x; NaN beyond ±1; float32 for integers.
 * @pytorch torch.acos
 * @tensorflow tf.acos
 * @numpy np.arccos
 */
export const acos = unary('acos')

/**
 * The angle in [−π/2, π/2] whose tangent is x; float32 for integers.
 * @pytorch torch.atan
 * @tensorflow tf.atan
 * @numpy np.arctan
 */
export const atan = unary('atan')

/**
 * The angle in [−π, π] of the point (x, y), by the signs of both, as IEEE 754 has it for zeros and infinities. Its
 * gradient at (0, 0) is 0. float32 for integers.
 * @throws ShapeError where the shapes do not broadcast
 * @pytorch torch.atan2
 * @tensorflow tf.atan2
 * @numpy np.arctan2
 */
export const atan2: (y: TensorLike, x: TensorLike) => Tensor = binary('atan2')

/**
 * sin(πx) / (πx), and 1 at 0: the transform of a box; NaN at ±∞; float32 for integers. It is exactly 0 at all other integers.
 * @pytorch torch.sinc
 * @tensorflow tf.experimental.numpy.sinc
 * @numpy np.sinc
 */
export const sinc = unary('sinc')

/**
 * The hyperbolic sine (eˣ − e⁻ˣ) / 2; float32 for integers.
 * @pytorch torch.sinh
 * @tensorflow tf.sinh
 * @numpy np.sinh
 */
export const sinh = unary('sinh')

/**
 * The hyperbolic cosine (eˣ + e⁻ˣ) / 2; float32 for integers.
 * @pytorch torch.cosh
 * @tensorflow tf.cosh
 * @numpy np.cosh
 */
export const cosh = unary('cosh')

/**
 * The hyperbolic tangent; float32 for integers.
 * @pytorch torch.tanh
 * @tensorflow tf.tanh
 * @numpy np.tanh
 */
export const tanh = unary('tanh')

/**
 * The inverse of sinh: log(x + √(x² + 1)); float32 for integers.
 * @pytorch torch.asinh
 * @tensorflow tf.asinh
 * @numpy np.arcsinh
 */
export const asinh = unary('asinh')

/**
 * The inverse of cosh: log(x + √(x² − 1)); NaN below 1; float32 for integers.
 * @pytorch torch.acosh
 * @tensorflow tf.acosh
 * @numpy np.arccosh
 */
export const acosh = unary('acosh')

/**
 * The inverse of tanh: log((1 + x) / (1 − x)) / 2; ±∞ at ±1, NaN beyond; float32 for integers.
 * @pytorch torch.atanh
 * @tensorflow tf.atanh
 * @numpy np.arctanh
 */
export const atanh = unary('atanh')

/**
 * The error function 2/√π · ∫₀ˣ e^(−t²) dt; float32 for integers.
 * @pytorch torch.erf
 * @tensorflow tf.math.erf
 * @numpy scipy.special.erf
 */
export const erf = unary('erf')

/**
 * 1 − erf(x), which keeps its relative accuracy far above 0; float32 for integers.
 * @pytorch torch.erfc
 * @tensorflow tf.math.erfc
 * @numpy scipy.special.erfc
 */
export const erfc = unary('erfc')

const rounding = (op: 'floor' | 'ceil' | 'round' | 'trunc') => unary(op, (x) => (isFloat(x.dtype) ? ops[op](x) : x))

/**
 * The greatest integer of at most x; integers stay. Its gradient is 0.
 * @pytorch torch.floor
 * @tensorflow tf.floor
 * @numpy np.floor
 */
export const floor = rounding('floor')

/**
 * The least integer of at least x; integers stay. Its gradient is 0.
 * @pytorch torch.ceil
 * @tensorflow tf.math.ceil
 * @numpy np.ceil
 */
export const ceil = rounding('ceil')

/**
 * The nearest integer, the even one of two: 2.5 gives 2. Integers stay. Its gradient is 0.
 * @pytorch torch.round
 * @tensorflow tf.round
 * @numpy np.round
 */
export const round = rounding('round')

/**
 * x without its fraction; integers stay. Its gradient is 0.
 * @pytorch torch.trunc
 * @tensorflow tf.experimental.numpy.trunc
 * @numpy np.trunc
 */
export const trunc = rounding('trunc')

/**
 * x − trunc(x), the fraction with the sign of x; NaN at ±∞; 0 for integers. Its gradient is 1.
 * @pytorch torch.frac
 * @tensorflow none
 */
export function frac(x: TensorLike, ...surplus: []): Tensor {
  refuseSurplus('frac', 1, surplus)
  const t = toTensor('frac', x)
  return sub(t, trunc(t))
}

/**
 * |x| with the sign of y, that of −0 too; float32 for integers. Its gradient in x is 0 at 0, and in y
 * everywhere.
 * @throws ShapeError where the shapes do not broadcast
 * @pytorch torch.copysign
 * @tensorflow tf.experimental.numpy.copysign
 * @numpy np.copysign
 */
export function copySign(x: TensorLike, y: TensorLike, ...surplus: []): Tensor {
  refuseSurplus('copySign', 2, surplus)
  const [a, b] = operandsOf('copySign', x, y)
  const magnitude = abs(isFloat(a.dtype) ? a : cast(a, 'float32'))
  const ofZero = where(less(reciprocal(b), 0), -1, 1)
  return mul(magnitude, where(greater(abs(b), 0), sign(b), ofZero))
}

/**
 * 0 below 0, 1 above, and `values` where x is 0; 0 for NaN, as PyTorch has it (numpy: NaN). Only the values have a
 * gradient, where they are taken.
 * @throws ShapeError where the shapes do not broadcast
 * @pytorch torch.heaviside
 * @tensorflow tf.experimental.numpy.heaviside
 * @numpy np.heaviside
 */
export function heaviside(x: TensorLike, values: TensorLike, ...surplus: []): Tensor {
  refuseSurplus('heaviside', 2, surplus)
  const [t, at0] = operandsOf('heaviside', x, values)
  return where(equal(t, 0), at0, cast(greater(t, 0), t.dtype))
}

export interface NanToNumOptions {
  /** For NaN; 0 unless given. */
  nan?: number
  /** For ∞; the greatest finite number unless given. */
  posInf?: number
  /** For −∞; the least finite number unless given. */
  negInf?: number
}

const nanToNumOptions: OptionTypes<NanToNumOptions> = { nan: 'number', posInf: 'number', negInf: 'number' }

const greatest: { readonly [K in DType]?: number } = { float32: (2 - 2 ** -23) * 2 ** 127, float64: Number.MAX_VALUE }

/**
 * x with finite numbers in place of NaN and infinities, whose gradient is 0; integers stay.
 * @pytorch torch.nan_to_num
 * @numpy np.nan_to_num
 */
export function nanToNum(x: TensorLike, options?: NanToNumOptions): Tensor {
  const { nan = 0, posInf, negInf } = checkOptions('nanToNum', options, nanToNumOptions)
  const t = toTensor('nanToNum', x)
  const most = greatest[t.dtype]
  if (most === undefined) return wrap(nodeOf(t))
  const finite = where(equal(t, Infinity), posInf ?? most, where(equal(t, -Infinity), negInf ?? -most, t))
  return where(notEqual(t, t), nan, finite)
}

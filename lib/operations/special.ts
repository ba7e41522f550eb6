/** Special functions: the inverses of erf and sigmoid, the gamma function's logarithm and its derivatives. */
import { checkNumber, refuseSurplus } from '../base/arguments.ts'
import { checkOptions, type OptionTypes } from '../base/options.ts'
import { broadcastShapes } from '../base/shape.ts'
import { polygamma as polygammaOf } from '../graph/ops/elementwise.ts'
import { type Tensor, type TensorLike, toNode, toTensor, wrap } from '../tensor/tensor.ts'
import { clamp, mul, sub } from './arithmetic.ts'
import { equal, less, lessEqual, where } from './comparison.ts'
import { unary } from './elementwise.ts'
import { logicalAnd, logicalOr } from './logic.ts'
import { atanh, log, log1p } from './math.ts'

/**
 * The inverse of the error function: the y with erf(y) = x; ±∞ at ±1, NaN beyond; float32 for integers.
 * @pytorch torch.erfinv
 * @tensorflow tf.math.erfinv
 * @numpy scipy.special.erfinv
 */
export const erfinv = unary('erfinv')

/**
 * log |Γ(x)|, the logarithm of the gamma function, which is (x − 1)! of integers; ∞ at 0 and the negative integers;
 * float32 for integers.
 * @pytorch torch.lgamma
 * @tensorflow tf.math.lgamma
 * @numpy scipy.special.gammaln
 */
export const lgamma = unary('lgamma')

/**
 * ψ(x) = Γ'(x) / Γ(x), the derivative of lgamma; ∓∞ at ±0, NaN at the negative integers; float32 for integers.
 * @pytorch torch.digamma
 * @tensorflow tf.math.digamma
 * @numpy scipy.special.psi
 */
export const digamma = unary('digamma')

/**
 * The n-th derivative of digamma: (−1)ⁿ⁺¹·n!·Σ 1/(x + k)ⁿ⁺¹ over k ≥ 0, with digamma itself for n = 0. (−1)ⁿ⁺¹·∞ at 0 and
 * the negative integers for n ≥ 1; float32 for integers. Its derivatives end where n + 1 is above 170.
 *
 * @param n an integer in [0, 170]
 * @throws RangeError for another n
 * @pytorch torch.polygamma
 * @tensorflow tf.math.polygamma
 * @numpy scipy.special.polygamma
 */
export function polygamma(x: TensorLike, n: number, ...surplus: []): Tensor {
  refuseSurplus('polygamma', 2, surplus)
  return wrap(polygammaOf(toNode('polygamma', x), n))
}

export interface LogitOptions {
  /** Brings x into [epsilon, 1 − epsilon] first, where the gradient is 0 outside; not at all unless given. */
  epsilon?: number
}

const logitOptions: OptionTypes<LogitOptions> = { epsilon: 'number' }

/**
 * log(x / (1 − x)), the inverse of sigmoid; ∓∞ at 0 and 1, NaN beyond; float32 for integers. From ¼ on it is
 * 2·atanh(2x − 1), which loses nothing around ½ and 1.
 * @throws RangeError for an epsilon outside [0, ½]
 * @pytorch torch.logit
 * @tensorflow none
 * @numpy scipy.special.logit
 */
export function logit(x: TensorLike, options?: LogitOptions, ...surplus: []): Tensor {
  const { epsilon } = checkOptions('logit', options, logitOptions, surplus)
  if (epsilon !== undefined)
    checkNumber('logit', 'an epsilon in [0, 0.5]', epsilon, (number) => number >= 0 && number <= 0.5)
  const p = epsilon === undefined ? toTensor('logit', x) : clamp(x, epsilon, 1 - epsilon)
  const low = less(p, 0.25)
  const small = where(low, p, 0.25)
  return where(low, sub(log(small), log1p(mul(small, -1))), mul(atanh(sub(mul(where(low, 0.25, p), 2), 1)), 2))
}

/**
 * x · log y, and 0 where x is 0 and y is no NaN: no 0 · ∞. Its gradients are 0 there too, but for log y in x where y is
 * positive; float32 for integers.
 * @throws ShapeError where the shapes do not broadcast
 * @pytorch torch.xlogy
 * @tensorflow tf.math.xlogy
 * @numpy scipy.special.xlogy
 */
export function xlogy(x: TensorLike, y: TensorLike, ...surplus: []): Tensor {
  refuseSurplus('xlogy', 2, surplus)
  const [a, b] = [toTensor('xlogy', x), toTensor('xlogy', y)]
  broadcastShapes('xlogy', a.shape, b.shape)
  const nothing = logicalAnd(equal(a, 0), logicalOr(lessEqual(b, 0), equal(b, Infinity)))
  return where(nothing, 0, mul(a, log(where(nothing, 1, b))))
}

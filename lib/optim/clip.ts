/** Gradients that are not larger than a bound: links for `chain`, and functions of a list of gradients for loops of your own. */
import { checkList, checkNumber, describe, refuseSurplus } from '../base/arguments.ts'
import { expected } from '../base/errors.ts'
import { minimum } from '../operations/index.ts'
import { Tensor } from '../tensor/tensor.ts'
import type { GradientTransform } from './chain.ts'

const checkBound = (op: string, name: string, bound: unknown): number =>
  checkNumber(op, `a finite ${name} above 0`, bound, (x) => Number.isFinite(x) && x > 0)

function checkGradients(op: string, gradients: readonly Tensor[]): readonly Tensor[] {
  const list = checkList(op, 'a list of gradients', gradients)
  for (const x of list)
    if (!(x instanceof Tensor)) throw new TypeError(expected(op, 'a list of gradients', `${describe(x)} in it`))
  return list
}

/**
 * Every number of the gradients between −limit and limit. PyTorch's `clip_grad_value_`, Keras's `clipvalue`.
 *
 * @example
 * chain(clipByValue(0.5), adam())
 */
export function clipByValue(limit: number, ...surplus: []): GradientTransform {
  refuseSurplus('clipByValue', 1, surplus)
  checkBound('clipByValue', 'limit', limit)
  return (gradients) => checkGradients('clipByValue', gradients).map((x) => x.clamp(-limit, limit))
}

/** As PyTorch has it, so that a norm of 0 divides nothing. */
const least = 1e-6

/** What a gradient is scaled by so that the norm is at most `maxNorm`. */
const scaleFor = (norm: Tensor, maxNorm: number): Tensor => minimum(norm.add(least).reciprocal().mul(maxNorm), 1)

const sumOfSquares = (x: Tensor): Tensor => x.square().sum()

/**
 * Each gradient by itself scaled so that its norm √Σg² is at most `maxNorm`. Keras's `clipnorm`.
 *
 * @example
 * chain(clipByNorm(1), adam())
 */
export function clipByNorm(maxNorm: number, ...surplus: []): GradientTransform {
  refuseSurplus('clipByNorm', 1, surplus)
  checkBound('clipByNorm', 'maxNorm', maxNorm)
  return (gradients) =>
    checkGradients('clipByNorm', gradients).map((x) => x.mul(scaleFor(sumOfSquares(x).sqrt(), maxNorm)))
}

/**
 * The norm of all gradients together, √ΣΣg², as a scalar; of none it is an error.
 * @throws RangeError for an empty list
 *
 * @example
 * globalNorm(gradients(loss, model.parameters())) // what torch's clip_grad_norm_ returns
 */
export function globalNorm(gradients: readonly Tensor[], ...surplus: []): Tensor {
  refuseSurplus('globalNorm', 1, surplus)
  const list = checkGradients('globalNorm', gradients)
  if (list.length === 0) throw new RangeError(expected('globalNorm', 'at least one gradient', 'none'))
  return list
    .map(sumOfSquares)
    .reduce((a, b) => a.add(b))
    .sqrt()
}

/**
 * All gradients scaled by one number so that the norm of all together is at most `maxNorm`: their direction stays. PyTorch's
 * `clip_grad_norm_`, Keras's `global_clipnorm`. With a NaN or an infinity in one of them all become NaN, or 0.
 *
 * @example
 * chain(clipByGlobalNorm(1), adam())
 * const clipped = clipByGlobalNorm(1)(gradients(loss, model.parameters()))
 */
export function clipByGlobalNorm(maxNorm: number, ...surplus: []): GradientTransform {
  refuseSurplus('clipByGlobalNorm', 1, surplus)
  checkBound('clipByGlobalNorm', 'maxNorm', maxNorm)
  return (gradients) => {
    const list = checkGradients('clipByGlobalNorm', gradients)
    if (list.length === 0) return []
    const scale = scaleFor(globalNorm(list), maxNorm)
    return list.map((x) => x.mul(scale.cast(x.dtype)))
  }
}

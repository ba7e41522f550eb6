/** How variables vary together: covariances and correlations. */

import { checkNumber, refuseSurplus } from '../base/arguments.ts'
import { isFloat } from '../base/dtype.ts'
import { DTypeError, expected, ShapeError } from '../base/errors.ts'
import { checkOptions, type OptionTypes } from '../base/options.ts'
import { formatShape } from '../base/shape.ts'
import { ones } from '../tensor/creation.ts'
import { type Tensor, type TensorLike, toNode, toTensor, wrap } from '../tensor/tensor.ts'
import { abs, clamp, div, maximum, mul, sub } from './arithmetic.ts'
import { greater, less, where } from './comparison.ts'
import { diagonal } from './diagonals.ts'
import { stopGradient } from './gradient.ts'
import { logicalAnd } from './logic.ts'
import { sqrt } from './math.ts'
import { matmul } from './products.ts'
import { transpose } from './rearrange.ts'
import { max, sum } from './reduce.ts'
import { cast, expandDims, reshape } from './shape.ts'

export interface CovarianceOptions {
  /** What is taken from the number of observations before the division by it: 1 unless given. */
  correction?: number
  /** How often each observation occurs: integers [n]. */
  fweights?: TensorLike
  /** How much each observation counts: floats [n] of at least 0. */
  aweights?: TensorLike
}

const covarianceOptions: OptionTypes<CovarianceOptions> = { correction: 'number', fweights: 'other', aweights: 'other' }

/** Variables × observations, in float. */
function observationsOf(op: string, x: TensorLike): Tensor {
  const t = toTensor(op, x)
  if (t.ndim > 2) throw new ShapeError(expected(op, 'at most two axes', formatShape(t.shape)))
  const float = isFloat(t.dtype) ? t : cast(t, 'float32')
  return t.ndim === 2 ? float : reshape(float, [1, t.size])
}

function weightsOf(name: string, x: TensorLike, count: number, integers: boolean): Tensor {
  const weights = integers ? wrap(toNode('cov', x, 'int32')) : toTensor('cov', x)
  if (weights.ndim !== 1 || weights.size !== count)
    throw new ShapeError(expected('cov', `${name} [${count}]`, formatShape(weights.shape)))
  if (integers && isFloat(weights.dtype)) throw new DTypeError(expected('cov', `${name} of integers`, weights.dtype))
  return weights
}

/**
 * The covariances of variables, the rows of x [v, n] with n observations each: Σ w·(xᵢ − meanᵢ)(xⱼ − meanⱼ) / norm, [v, v];
 * of x [n] or [] the variance. float32 for integers. Without weights the norm is n − correction. With `fweights` and
 * `aweights` w is their product, and the norm Σw − correction·Σ(w·aweights)/Σw. NaN where it is not positive and so are the
 * sums.
 * @throws ShapeError for more than two axes, or weights that are not [n]; DTypeError for fweights that are no integers;
 * RangeError for a correction that is not finite
 * @pytorch torch.cov
 * @tensorflow none
 * @numpy np.cov
 */
export function cov(x: TensorLike, options?: CovarianceOptions, ...surplus: []): Tensor {
  const { correction = 1, fweights, aweights } = checkOptions('cov', options, covarianceOptions, surplus)
  checkNumber('cov', 'a finite correction', correction, Number.isFinite)
  const rows = observationsOf('cov', x)
  const { dtype, shape } = rows
  const count = shape[1]!
  const weighing = (weights: Tensor | null) => (weights === null ? ones([count], { dtype }) : cast(weights, dtype))
  const frequencies = weighing(fweights === undefined ? null : weightsOf('fweights', fweights, count, true))
  const importance = weighing(aweights === undefined ? null : weightsOf('aweights', aweights, count, false))
  const weights = mul(frequencies, importance)
  const total = sum(weights)
  const bias =
    aweights === undefined ? toTensor('cov', correction) : div(mul(sum(mul(weights, importance)), correction), total)
  const centred = sub(rows, div(sum(mul(rows, weights), 1, { keepDims: true }), total))
  const products = matmul(mul(centred, weights), transpose(centred))
  const covariances = div(products, maximum(sub(total, bias), 0))
  return toTensor('cov', x).ndim === 2 ? covariances : reshape(covariances, [])
}

/** Each row over its greatest magnitude, a constant to gradients, as correlations are the same at every scale. */
function atUnitScale(rows: Tensor): Tensor {
  if (rows.size === 0) return rows
  const greatest = stopGradient(max(abs(rows), 1, { keepDims: true }))
  return div(rows, where(logicalAnd(greater(greatest, 0), less(greatest, Infinity)), greatest, 1))
}

/**
 * The correlations of variables, the rows of x [v, n]: cov(x) over the product of both standard deviations, within [−1, 1],
 * [v, v]; of x [n] or [] a scalar. NaN of what does not vary; float32 for integers.
 * @throws ShapeError for more than two axes
 * @pytorch torch.corrcoef
 * @tensorflow tf.experimental.numpy.corrcoef
 * @numpy np.corrcoef
 */
export function corrcoef(x: TensorLike, ...surplus: []): Tensor {
  refuseSurplus('corrcoef', 1, surplus)
  const rows = observationsOf('corrcoef', x)
  const covariances = cov(reshape(atUnitScale(rows), toTensor('corrcoef', x).shape))
  if (covariances.ndim === 0) return div(covariances, covariances)
  const deviations = sqrt(diagonal(covariances))
  return clamp(div(div(covariances, expandDims(deviations, 1)), deviations), -1, 1)
}

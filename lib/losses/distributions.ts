/** Losses of predicted distributions. */

import { expected, ShapeError } from '../base/errors.ts'
import { checkOptions, type OptionTypes } from '../base/options.ts'
import { extentAt, formatShape, sameShape } from '../base/shape.ts'
import { type Tensor, type TensorLike, toTensor } from '../tensor/tensor.ts'
import {
  checkPositive,
  counted,
  type LossOptions,
  lossOptions,
  type Reduction,
  reduce,
  sameShaped,
  weighted,
} from './common.ts'

export interface KlDivergenceOptions {
  /**
   * What becomes of the terms: `'mean'` unless given, over all elements, as in PyTorch; `'batchMean'` divides their sum by the
   * extent of the first axis, which gives the divergence of the rows.
   */
  reduction?: Reduction | 'batchMean'
  /** Whether targets are log-probabilities too; false unless given. */
  logTarget?: boolean
}

const klDivergenceOptions: OptionTypes<KlDivergenceOptions> = {
  reduction: ['mean', 'sum', 'none', 'batchMean'],
  logTarget: 'boolean',
}

/**
 * The terms t·(log t − x) of the Kullback-Leibler divergence of targets t from log-probabilities x, over all
 * elements. A target of 0 gives 0.
 *
 * @param logProbabilities log-probabilities, such as logSoftmax gives
 * @param targets probabilities, or log-probabilities with `logTarget`
 * @returns a scalar, or a term for each element for reduction `'none'`
 * @throws ShapeError where the shapes differ
 * @pytorch F.kl_div
 * @tensorflow tf.keras.losses.KLDivergence
 */
export function klDivergence(
  logProbabilities: TensorLike,
  targets: TensorLike,
  options?: KlDivergenceOptions,
  ...surplus: []
): Tensor {
  const op = 'klDivergence'
  const { reduction = 'mean', logTarget = false } = checkOptions(op, options, klDivergenceOptions, surplus)
  const [x, t] = sameShaped(op, logProbabilities, targets)
  const terms = logTarget ? divergenceOfLogs(x, t) : divergenceTerms(x, t)
  if (reduction !== 'batchMean') return reduce(op, terms, { reduction })
  if (x.ndim === 0) throw new RangeError(expected(op, 'an axis of rows for reduction batchMean', 'a scalar'))
  return terms.sum().div(extentAt(x.shape, 0))
}

function divergenceTerms(x: Tensor, t: Tensor): Tensor {
  const none = t.equal(0)
  return none.where(0, t.mul(none.where(1, t).log().sub(counted(x, t))))
}

/** eᵗ·(t − x), and 0 of a target that is impossible. */
function divergenceOfLogs(x: Tensor, t: Tensor): Tensor {
  const none = t.equal(-Infinity)
  const log = none.where(0, t)
  return none.where(0, log.exp().mul(log.sub(none.where(0, x))))
}

export interface PoissonOptions extends LossOptions {
  /** Whether predictions are logarithms of rates; true unless given. */
  logInput?: boolean
  /** Whether Stirling's approximation of log(target!) is added; false unless given. */
  full?: boolean
  /** Added to rates before their logarithm is taken; 1e-8 unless given. */
  epsilon?: number
}

const poissonOptions: OptionTypes<PoissonOptions> = {
  ...lossOptions,
  logInput: 'boolean',
  full: 'boolean',
  epsilon: 'number',
}

/**
 * eˣ − target·x, the negative log-likelihood of counts under Poisson distributions, less log(target!); rates
 * x give x − target·log(x + epsilon). `full` adds t·log t − t + ½·log(2πt) for targets t above 1.
 *
 * @returns a scalar, or a loss for each element for reduction `'none'`
 * @throws ShapeError where the shapes differ
 * @pytorch F.poisson_nll_loss
 * @tensorflow tf.keras.losses.Poisson
 */
export function poissonNegativeLogLikelihood(
  predictions: TensorLike,
  targets: TensorLike,
  options?: PoissonOptions,
  ...surplus: []
): Tensor {
  const op = 'poissonNegativeLogLikelihood'
  const { logInput = true, full = false, epsilon = 1e-8, ...rest } = checkOptions(op, options, poissonOptions, surplus)
  const [x, t] = sameShaped(op, predictions, targets)
  checkPositive(op, 'epsilon', epsilon)
  const losses = logInput ? x.exp().sub(weighted(x, t)) : x.sub(t.mul(x.add(epsilon).log()))
  return reduce(op, full ? losses.add(logFactorial(t)) : losses, rest)
}

/** Stirling's t·log t − t + ½·log(2πt) above 1, else 0. */
function logFactorial(t: Tensor): Tensor {
  const above = t.greater(1)
  const safe = above.where(t, 1)
  const approximation = safe
    .mul(safe.log())
    .sub(safe)
    .add(
      safe
        .mul(2 * Math.PI)
        .log()
        .mul(0.5),
    )
  return above.where(approximation, 0)
}

export interface GaussianOptions extends LossOptions {
  /** Whether the constant ½·log 2π is added; false unless given. */
  full?: boolean
  /** The least variance: smaller ones count as this, and keep the gradient of it; 1e-6 unless given. */
  epsilon?: number
}

const gaussianOptions: OptionTypes<GaussianOptions> = { ...lossOptions, full: 'boolean', epsilon: 'number' }

/** The variance of each element of x: of its shape, with 1 at its last axis, without it, or one number for all. */
function varianceOf(op: string, x: Tensor, variance: TensorLike): Tensor {
  if (typeof variance === 'number' && !(variance >= 0))
    throw new RangeError(expected(op, 'a variance of at least 0', variance))
  const given = toTensor(op, variance)
  const v = x.ndim > 0 && sameShape(given.shape, x.shape.slice(0, -1)) ? given.unsqueeze(-1) : given
  const isOfRows =
    v.ndim === x.ndim && v.shape.every((extent, i) => extent === x.shape[i] || (i === x.ndim - 1 && extent === 1))
  if (v.ndim > 0 && !isOfRows)
    throw new ShapeError(
      expected(op, `a variance ${formatShape(x.shape)}, or one for each of its rows`, formatShape(given.shape)),
    )
  return v.cast(x.dtype)
}

/**
 * ½·(log v + (x − target)² / v), the negative log-likelihood of targets under normal distributions with the predicted means x
 * and variances v, less ½·log 2π (Nix & Weigend 1994, "Estimating the mean and variance of the target probability distribution").
 *
 * @param variances of the shape of the predictions, of one without the last axis or with extent 1 there, or a number
 * @returns a scalar, or a loss for each element for reduction `'none'`
 * @throws ShapeError where the shapes do not fit; RangeError for a negative number as variance, or an epsilon that is not
 * positive
 * @pytorch F.gaussian_nll_loss
 */
export function gaussianNegativeLogLikelihood(
  predictions: TensorLike,
  targets: TensorLike,
  variances: TensorLike,
  options?: GaussianOptions,
  ...surplus: []
): Tensor {
  const op = 'gaussianNegativeLogLikelihood'
  const { full = false, epsilon = 1e-6, ...rest } = checkOptions(op, options, gaussianOptions, surplus)
  const [x, t] = sameShaped(op, predictions, targets)
  checkPositive(op, 'epsilon', epsilon)
  const given = varianceOf(op, x, variances)
  // As in PyTorch, what is raised to epsilon has the gradient of what stands there then.
  const v = given.less(epsilon).where(given.sub(given.stopGradient()).add(epsilon), given)
  const losses = v.log().add(x.sub(t).square().div(v)).mul(0.5)
  return reduce(op, full ? losses.add(0.5 * Math.log(2 * Math.PI)) : losses, rest)
}

/** Losses of rows of scores for classes of which one is right. Options and reductions are PyTorch's. */

import { checkFinite } from '../base/arguments.ts'
import { DTypeError, expected } from '../base/errors.ts'
import { checkOptions, type OptionTypes } from '../base/options.ts'
import { extentAt } from '../base/shape.ts'
import { expandDims } from '../operations/shape.ts'
import { tensor } from '../tensor/creation.ts'
import { type Tensor, type TensorLike, toTensor } from '../tensor/tensor.ts'
import {
  asFloat,
  type ClassOptions,
  checkClasses,
  checkClassWeights,
  checkFraction,
  checkLeast0,
  classesOf,
  classOptions,
  counted,
  focalFactor,
  type LossOptions,
  lossOptions,
  pick,
  powerOf,
  reduce,
  reduceRows,
  rowWeights,
  weighted,
} from './common.ts'
import { labelKind } from './labels.ts'

export interface CrossEntropyOptions extends ClassOptions {
  /** The share of the label that goes to all classes evenly, from 0 to 1. */
  labelSmoothing?: number
}

const crossEntropyOptions: OptionTypes<CrossEntropyOptions> = { ...classOptions, labelSmoothing: 'number' }

/**
 * −log softmax(logits)[label] of each row of logits[…, classes]; for labels that are rows p of probabilities,
 * −Σ p·log softmax(logits).
 *
 * With weights w a row of class y counts w_y, and the mean divides by Σ w_y; a row of probabilities is −Σ w·p·log softmax,
 * and the mean divides by the number of rows. Label smoothing ε makes the labels (1 − ε)·p + ε / classes
 * (Szegedy et al. 2016, https://arxiv.org/abs/1512.00567).
 *
 * @param labels classes as integers[…] (int32 or uint8), or one-hot or probability rows[…, classes]
 * @returns a scalar, or the losses[…] of the rows for reduction `'none'`
 * @throws ShapeError, DTypeError where labels do not fit; RangeError when evaluated, for a class outside [0, classes)
 *
 * @example
 * crossEntropy(model.forward(images), tensor([7, 2, 1], { dtype: 'int32' }))
 * crossEntropy(logits, labels, { labelSmoothing: 0.1, ignoreIndex: -100 })
 * @pytorch F.cross_entropy
 * @tensorflow tf.keras.losses.SparseCategoricalCrossentropy
 */
export function crossEntropy(
  logits: TensorLike,
  labels: TensorLike,
  options: CrossEntropyOptions = {},
  ...surplus: []
): Tensor {
  const op = 'crossEntropy'
  checkOptions(op, options, crossEntropyOptions, surplus)
  const [x, y] = [toTensor(op, logits), toTensor(op, labels)]
  const kind = labelKind(op, x, y)
  const smoothing = checkFraction(op, 'labelSmoothing', options.labelSmoothing ?? 0)
  return kind === 'rows' ? entropyOfRows(op, x, y, smoothing, options) : entropyOfClasses(op, x, y, smoothing, options)
}

function refuseIgnoreIndex(op: string, labels: Tensor, { ignoreIndex }: ClassOptions): void {
  if (ignoreIndex !== undefined)
    throw new DTypeError(expected(op, 'labels that are classes with an ignoreIndex', labels.toString()))
}

function entropyOfRows(op: string, x: Tensor, y: Tensor, smoothing: number, options: ClassOptions): Tensor {
  refuseIgnoreIndex(op, y, options)
  let p = asFloat(y)
  if (smoothing > 0) p = p.mul(1 - smoothing).add(smoothing / extentAt(x.shape, -1))
  if (options.classWeights !== undefined) p = p.mul(checkClassWeights(op, asFloat(x), options.classWeights))
  return reduce(op, x.softmaxCrossEntropy(p), options)
}

function entropyOfClasses(op: string, logits: Tensor, y: Tensor, smoothing: number, options: ClassOptions): Tensor {
  const x = asFloat(logits)
  const classes = classesOf(op, y, options)
  const hasWeights = options.classWeights !== undefined
  if (!hasWeights && smoothing === 0) return reduceRows(op, x.softmaxCrossEntropy(classes.indices), classes, options)
  const weights = rowWeights(op, x, classes, options)
  const losses =
    smoothing === 0
      ? weighted(x.softmaxCrossEntropy(classes.indices), weights)
      : x.softmaxCrossEntropy(smoothed(op, x, classes.indices, weights, smoothing, options))
  return reduceRows(op, losses, classes, options, hasWeights ? weights : undefined)
}

/** Rows of (1 − ε)·w_y at the class y, and ε·w / classes everywhere. */
function smoothed(
  op: string,
  x: Tensor,
  indices: Tensor,
  weights: Tensor,
  smoothing: number,
  { classWeights }: ClassOptions,
): Tensor {
  const count = extentAt(x.shape, -1)
  const everywhere =
    classWeights === undefined
      ? tensor(smoothing / count, { dtype: x.dtype })
      : checkClassWeights(op, x, classWeights).mul(smoothing / count)
  const atClass = expandDims(weights.mul(1 - smoothing), -1)
  return indices.oneHot(count, { dtype: 'bool' }).where(atClass, 0).add(everywhere)
}

/**
 * −x[label] of each row of log-probabilities x[…, classes], such as logSoftmax gives.
 *
 * @param labels classes as integers[…] (int32 or uint8)
 * @returns a scalar, or the losses[…] of the rows for reduction `'none'`
 * @throws ShapeError, DTypeError where labels do not fit; RangeError when evaluated, for a class outside [0, classes)
 * @pytorch F.nll_loss
 */
export function negativeLogLikelihood(
  logProbabilities: TensorLike,
  labels: TensorLike,
  options: ClassOptions = {},
  ...surplus: []
): Tensor {
  const op = 'negativeLogLikelihood'
  checkOptions(op, options, classOptions, surplus)
  const [x, y] = [asFloat(toTensor(op, logProbabilities)), toTensor(op, labels)]
  checkClasses(op, x, y)
  const classes = classesOf(op, y, options)
  const losses = pick(x, classes.indices).neg()
  if (options.classWeights === undefined) return reduceRows(op, losses, classes, options)
  const weights = rowWeights(op, x, classes, options)
  return reduceRows(op, weighted(losses, weights), classes, options, weights)
}

export interface FocalOptions extends ClassOptions {
  /** How strongly what is already right fades; 2 unless given. At 0 it is crossEntropy. */
  gamma?: number
}

const focalOptions: OptionTypes<FocalOptions> = { ...classOptions, gamma: 'number' }

/**
 * −(1 − p)^γ·log p of each row of logits[…, classes], where p = softmax(logits)[label]; for labels that are rows t of
 * probabilities, −Σ t·(1 − p)^γ·log p. Rows or terms are multiplied by the weight of their class. The mean divides by the
 * number of rows that count, whatever their weights: Keras's CategoricalFocalCrossentropy
 * (Lin et al. 2017, https://arxiv.org/abs/1708.02002).
 *
 * @param labels classes as integers[…] (int32 or uint8), or one-hot or probability rows[…, classes]
 * @returns a scalar, or the losses[…] of the rows for reduction `'none'`
 * @throws ShapeError, DTypeError where labels do not fit; RangeError when evaluated, for a class outside [0, classes)
 * @tensorflow tf.keras.losses.CategoricalFocalCrossentropy
 */
export function focal(logits: TensorLike, labels: TensorLike, options: FocalOptions = {}, ...surplus: []): Tensor {
  const op = 'focal'
  checkOptions(op, options, focalOptions, surplus)
  const [x, y] = [asFloat(toTensor(op, logits)), toTensor(op, labels)]
  const gamma = checkLeast0(op, 'gamma', options.gamma ?? 2)
  if (labelKind(op, x, y) === 'rows') {
    refuseIgnoreIndex(op, y, options)
    const { classWeights } = options
    const weights = classWeights === undefined ? y : y.mul(checkClassWeights(op, x, classWeights))
    const logs = counted(x.logSoftmax(), weights)
    const terms = focalFactor(logs.expm1().neg(), gamma).mul(logs).mul(weights)
    return reduce(op, terms.sum(-1).neg(), options)
  }
  const classes = classesOf(op, y, options)
  const weights = options.classWeights === undefined ? null : rowWeights(op, x, classes, options)
  const all = x.softmaxCrossEntropy(classes.indices)
  const entropy = weights === null ? all : counted(all, weights)
  const losses = focalFactor(entropy.neg().expm1().neg(), gamma).mul(entropy)
  return reduceRows(op, weights === null ? losses : losses.mul(weights), classes, options)
}

export interface MultiMarginOptions extends LossOptions {
  /** How far the score of the label's class is to be above all others; 1 unless given. */
  margin?: number
  /** Of the distances, 1 or 2; 1 unless given. */
  power?: 1 | 2
  /** A weight for each class, [classes]. The mean divides by the number of rows. */
  classWeights?: TensorLike
}

const multiMarginOptions: OptionTypes<MultiMarginOptions> = {
  ...lossOptions,
  margin: 'number',
  power: 'number',
  classWeights: 'other',
}

/**
 * w_y·Σ max(margin − x[y] + x[i], 0)^power / classes over the classes i ≠ y of each row of scores x[…, classes] with
 * label y: the hinge loss of several classes, PyTorch's MultiMarginLoss. Its slope at the margin is 0.
 *
 * @param labels classes as integers[…] (int32 or uint8)
 * @returns a scalar, or the losses[…] of the rows for reduction `'none'`
 * @throws ShapeError, DTypeError where labels do not fit; RangeError when evaluated, for a class outside [0, classes)
 * @pytorch F.multi_margin_loss
 */
export function multiMargin(
  scores: TensorLike,
  labels: TensorLike,
  options: MultiMarginOptions = {},
  ...surplus: []
): Tensor {
  const op = 'multiMargin'
  checkOptions(op, options, multiMarginOptions, surplus)
  const [x, y] = [asFloat(toTensor(op, scores)), toTensor(op, labels)]
  checkClasses(op, x, y)
  const margin = checkFinite(op, 'margin', options.margin ?? 1)
  const distances = x
    .sub(expandDims(pick(x, y), -1))
    .add(margin)
    .relu()
  const others = y.oneHot(extentAt(x.shape, -1), { dtype: 'bool' }).where(0, powerOf(op, distances, options.power ?? 1))
  const classes = classesOf(op, y, {})
  const losses = others.mean(-1)
  if (options.classWeights === undefined) return reduce(op, losses, options)
  return reduce(op, weighted(losses, rowWeights(op, x, classes, options)), options)
}

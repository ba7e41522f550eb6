/** Losses of scores that each answer a yes-or-no question of their own: one, or several to a row. */
import { checkFinite } from '../base/arguments.ts'
import { expected, ShapeError } from '../base/errors.ts'
import { checkOptions, type OptionTypes } from '../base/options.ts'
import { extentAt, formatShape } from '../base/shape.ts'
import { expandDims } from '../operations/shape.ts'
import type { Tensor, TensorLike } from '../tensor/tensor.ts'
import { customGradient } from '../transforms/custom-gradient.ts'
import {
  checkFraction,
  checkLeast0,
  clampAt0,
  focalFactor,
  type LossOptions,
  lossOptions,
  powerOf,
  reduce,
  sameShaped,
  weighted,
  weightsFor,
} from './common.ts'

export interface BinaryOptions extends LossOptions {
  /** Factors of the losses, which broadcast to their shape. The mean divides by the number of losses. */
  weights?: TensorLike
}

export interface BinaryCrossEntropyOptions extends BinaryOptions {
  /** Factors of the terms of targets that are true, which broadcast to their shape. */
  positiveWeights?: TensorLike
  /** The share of a target that becomes ½, from 0 to 1. */
  labelSmoothing?: number
  /** Whether predictions are logits; true unless given. If not, they are probabilities. */
  fromLogits?: boolean
}

const binaryOptions: OptionTypes<BinaryOptions> = { ...lossOptions, weights: 'other' }

const binaryCrossEntropyOptions: OptionTypes<BinaryCrossEntropyOptions> = {
  ...binaryOptions,
  positiveWeights: 'other',
  labelSmoothing: 'number',
  fromLogits: 'boolean',
}

/**
 * −w·z·log σ(x) − (1 − z)·log(1 − σ(x)) for logits x, targets z from 0 to 1 and positive weights w, over all elements;
 * without these softplus(x) − x·z. With `fromLogits: false` the same for probabilities p in place of σ(x), where logarithms
 * are at least −100 and their slopes at most 10¹², as in PyTorch's binary_cross_entropy: prefer logits.
 * Label smoothing ε makes the targets (1 − ε)·z + ε/2, as Keras does.
 *
 * @returns a scalar, or a loss for each element for reduction `'none'`
 * @throws ShapeError where the shapes differ: nothing is broadcast but the weights
 *
 * @example binaryCrossEntropy(logits, targets, { positiveWeights: [1, 3, 0.5] })
 * @pytorch F.binary_cross_entropy_with_logits
 * @tensorflow tf.keras.losses.BinaryCrossentropy
 */
export function binaryCrossEntropy(
  predictions: TensorLike,
  targets: TensorLike,
  options: BinaryCrossEntropyOptions = {},
  ...surplus: []
): Tensor {
  const op = 'binaryCrossEntropy'
  checkOptions(op, options, binaryCrossEntropyOptions, surplus)
  const [x, z] = sameShaped(op, predictions, targets)
  const { positiveWeights, labelSmoothing = 0, fromLogits = true } = options
  const smoothing = checkFraction(op, 'labelSmoothing', labelSmoothing)
  const y = smoothing === 0 ? z : z.mul(1 - smoothing).add(smoothing / 2)
  const w = positiveWeights === undefined ? null : weightsFor(op, 'positiveWeights', x, positiveWeights)
  const losses = fromLogits ? entropyOfLogits(x, y, w) : entropyOfProbabilities(x, y, w)
  return reduceWeighted(op, losses, options)
}

/**
 * w·z·softplus(−x) + (1 − z)·softplus(x), where both of them are softplus(−|x|), and one |x| more: the small loss of what
 * is right keeps its digits, and so does its slope.
 */
function entropyOfLogits(x: Tensor, z: Tensor, w: Tensor | null): Tensor {
  const isAbove = x.greater(0)
  const below = isAbove.where(x.neg(), x)
  const yes = w === null ? z : z.mul(w)
  const no = z.neg().add(1)
  const small = below.softplus()
  return (w === null ? small : small.mul(yes.add(no))).sub(weighted(below, isAbove.where(no, yes)))
}

const leastLog = -100
const leastProbability = 1e-12

/** max(log p, −100) with the slope 1 / max(p, 1e-12), as PyTorch's binary_cross_entropy has it. */
const clampedLog = customGradient(
  (p) => p.log().maximum(leastLog),
  (cotangent, _value, p) => cotangent.div(p.maximum(leastProbability)),
)

/** The same of 1 − p, without the rounding of that. */
const clampedLogOfRest = customGradient(
  (p) => p.neg().log1p().maximum(leastLog),
  (cotangent, _value, p) => cotangent.div(p.neg().add(1).maximum(leastProbability)).neg(),
)

function entropyOfProbabilities(p: Tensor, z: Tensor, w: Tensor | null): Tensor {
  const [logTrue, logFalse] = [clampedLog(p), clampedLogOfRest(p)]
  const positives = (w === null ? logTrue : logTrue.mul(w)).mul(z)
  return z.neg().add(1).mul(logFalse).add(positives).neg()
}

function reduceWeighted(op: string, losses: Tensor, options: BinaryOptions): Tensor {
  const { weights } = options
  const counts = weights === undefined ? losses : weighted(losses, weightsFor(op, 'weights', losses, weights))
  return reduce(op, counts, options)
}

export interface BinaryFocalOptions extends LossOptions {
  /** How strongly what is already right fades; 2 unless given. */
  gamma?: number
  /** The weight of true targets, 1 − alpha being that of false ones; 0.25 unless given, null for none. */
  alpha?: number | null
}

const binaryFocalOptions: OptionTypes<BinaryFocalOptions> = {
  ...lossOptions,
  gamma: 'number',
  alpha: 'number or null',
}

/**
 * −α_t·(1 − p_t)^γ·log p_t for logits x and targets z from 0 to 1, over all elements: p_t is σ(x) for a true target and
 * 1 − σ(x) for a false one, and α_t is α or 1 − α (Lin et al. 2017, https://arxiv.org/abs/1708.02002;
 * torchvision's sigmoid_focal_loss, which does not reduce unless asked to).
 *
 * @returns a scalar, or a loss for each element for reduction `'none'`
 * @throws ShapeError where the shapes differ
 * @pytorch torchvision.ops.sigmoid_focal_loss
 * @tensorflow tf.keras.losses.BinaryFocalCrossentropy
 */
export function binaryFocal(
  logits: TensorLike,
  targets: TensorLike,
  options: BinaryFocalOptions = {},
  ...surplus: []
): Tensor {
  const op = 'binaryFocal'
  checkOptions(op, options, binaryFocalOptions, surplus)
  const [x, z] = sameShaped(op, logits, targets)
  const { gamma = 2, alpha = 0.25 } = options
  const no = z.neg().add(1)
  const rest = x.sigmoid().mul(no).add(x.neg().sigmoid().mul(z))
  const losses = focalFactor(rest, checkLeast0(op, 'gamma', gamma)).mul(entropyOfLogits(x, z, null))
  if (alpha === null) return reduce(op, losses, options)
  checkFraction(op, 'alpha', alpha)
  return reduce(op, losses.mul(z.mul(alpha).add(no.mul(1 - alpha))), options)
}

export interface HingeOptions extends LossOptions {
  /** How far a score is to be on the right side; 1 unless given. */
  margin?: number
  /** Of the distances, 1 or 2; 1 unless given. */
  power?: 1 | 2
}

const hingeOptions: OptionTypes<HingeOptions> = { ...lossOptions, margin: 'number', power: 'number' }

/**
 * max(margin − target·score, 0)^power for targets of −1 and 1, over all elements. For classes see `multiMargin`.
 *
 * @returns a scalar, or a loss for each element for reduction `'none'`
 * @throws ShapeError where the shapes differ
 * @tensorflow tf.keras.losses.Hinge
 */
export function hinge(scores: TensorLike, targets: TensorLike, options: HingeOptions = {}, ...surplus: []): Tensor {
  checkOptions('hinge', options, hingeOptions, surplus)
  const [x, y] = sameShaped('hinge', scores, targets)
  const { power = 1 } = options
  const margin = checkFinite('hinge', 'margin', options.margin ?? 1)
  return reduce('hinge', powerOf('hinge', clampAt0(x.mul(y).neg().add(margin)), power), options)
}

/**
 * log(1 + e^(−target·score)) for targets of −1 and 1, over all elements.
 *
 * @returns a scalar, or a loss for each element for reduction `'none'`
 * @throws ShapeError where the shapes differ
 * @pytorch F.soft_margin_loss
 */
export function softMargin(scores: TensorLike, targets: TensorLike, options: LossOptions = {}, ...surplus: []): Tensor {
  checkOptions('softMargin', options, lossOptions, surplus)
  const [x, y] = sameShaped('softMargin', scores, targets)
  return reduce('softMargin', x.mul(y).neg().softplus(), options)
}

/** Scores and targets of the shape […, labels]. */
function rowsOfLabels(op: string, scores: TensorLike, targets: TensorLike): [Tensor, Tensor] {
  const [x, z] = sameShaped(op, scores, targets)
  if (x.ndim === 0 || x.shape.at(-1) === 0)
    throw new ShapeError(expected(op, 'scores of shape […, labels]', formatShape(x.shape)))
  return [x, z]
}

/**
 * Σ max(1 − x[y] + x[i], 0) / labels of each row of scores x[…, labels], over all its labels y that are true and all
 * i that are not: PyTorch's MultiLabelMarginLoss, which takes the true ones as a list of indices.
 *
 * @param targets[…, labels] 1 or true for each label that is true, else 0
 * @returns a scalar, or the losses[…] of the rows for reduction `'none'`
 * @throws ShapeError where the shapes differ
 * @pytorch F.multilabel_margin_loss
 */
export function multiLabelMargin(
  scores: TensorLike,
  targets: TensorLike,
  options: LossOptions = {},
  ...surplus: []
): Tensor {
  const op = 'multiLabelMargin'
  checkOptions(op, options, lossOptions, surplus)
  const [x, z] = rowsOfLabels(op, scores, targets)
  const isTrue = z.notEqual(0)
  const distances = expandDims(x, -2).sub(expandDims(x, -1)).add(1).relu()
  const pairs = expandDims(isTrue, -1).where(expandDims(isTrue, -2).where(0, distances), 0)
  return reduce(op, pairs.sum([-2, -1]).div(extentAt(x.shape, -1)), options)
}

/**
 * The mean of −z·log σ(x) − (1 − z)·log(1 − σ(x)) of each row of logits x[…, labels] with targets z.
 *
 * @param options.weights factors of the terms, which broadcast to the shape of the logits
 * @returns a scalar, or the losses[…] of the rows for reduction `'none'`
 * @throws ShapeError where the shapes differ
 * @pytorch F.multilabel_soft_margin_loss
 */
export function multiLabelSoftMargin(
  logits: TensorLike,
  targets: TensorLike,
  options: BinaryOptions = {},
  ...surplus: []
): Tensor {
  const op = 'multiLabelSoftMargin'
  checkOptions(op, options, binaryOptions, surplus)
  const [x, z] = rowsOfLabels(op, logits, targets)
  const terms = entropyOfLogits(x, z, null)
  const { weights } = options
  return reduce(
    op,
    (weights === undefined ? terms : weighted(terms, weightsFor(op, 'weights', x, weights))).mean(-1),
    options,
  )
}

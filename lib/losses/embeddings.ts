/** Losses of how near vectors are to each other, along the last axis, and of how scores rank. */

import { checkFinite } from '../base/arguments.ts'
import { expected, ShapeError } from '../base/errors.ts'
import { elementAt } from '../base/lists.ts'
import { checkOptions, type OptionTypes } from '../base/options.ts'
import { formatShape, sameShape } from '../base/shape.ts'
import { type Tensor, type TensorLike, toTensor } from '../tensor/tensor.ts'
import {
  asFloat,
  checkLeast0,
  checkPositive,
  clampAt0,
  type LossOptions,
  lossOptions,
  reduce,
  sameShaped,
} from './common.ts'

export interface MarginOptions extends LossOptions {
  margin?: number
}

const marginOptions: OptionTypes<MarginOptions> = { ...lossOptions, margin: 'number' }

/** Vectors of the same shape [… , features]. */
function vectors(op: string, tensors: readonly TensorLike[]): Tensor[] {
  const xs = tensors.map((x) => asFloat(toTensor(op, x)))
  const { shape } = elementAt(xs, 0)
  if (shape.length === 0) throw new ShapeError(expected(op, 'vectors of shape […, features]', formatShape(shape)))
  for (const x of xs)
    if (!sameShape(x.shape, shape))
      throw new ShapeError(expected(op, `vectors of shape ${formatShape(shape)}`, formatShape(x.shape)))
  return xs
}

/** Two vectors, and a target for each pair of them. */
function pairs(op: string, x: TensorLike, y: TensorLike, targets: TensorLike): [Tensor, Tensor, Tensor] {
  const [a, b] = vectors(op, [x, y]) as [Tensor, Tensor]
  const t = toTensor(op, targets)
  const shape = a.shape.slice(0, -1)
  if (!sameShape(t.shape, shape))
    throw new ShapeError(expected(op, `targets of shape ${formatShape(shape)}`, formatShape(t.shape)))
  return [a, b, t]
}

/** The root of what is added to squared lengths, so that a vector of zeros has a direction: PyTorch adds 1e-12. */
const leastLength = 1e-6

/** x·y / √((x² + 1e-12)·(y² + 1e-12)), of vectors that are divided by their lengths first. */
function cosine(x: Tensor, y: Tensor): Tensor {
  const direction = (z: Tensor) => z.div(z.norm(-1, { keepDims: true }).hypot(leastLength))
  return direction(x).mul(direction(y)).sum(-1)
}

/**
 * 1 − cos(x, y) where the target is 1, and max(cos(x, y) − margin, 0) where it is −1, of each pair of vectors.
 *
 * @param targets[…] 1 for pairs that are to be alike, −1 for those that are not
 * @param options.margin from −1 to 1; 0 unless given
 * @returns a scalar, or the losses[…] of the pairs for reduction `'none'`
 * @throws ShapeError where the shapes differ
 * @pytorch F.cosine_embedding_loss
 * @tensorflow tf.keras.losses.CosineSimilarity
 */
export function cosineEmbedding(
  x: TensorLike,
  y: TensorLike,
  targets: TensorLike,
  options?: MarginOptions,
  ...surplus: []
): Tensor {
  const op = 'cosineEmbedding'
  const { margin = 0, ...rest } = checkOptions(op, options, marginOptions, surplus)
  const [a, b, t] = pairs(op, x, y, targets)
  const similarity = cosine(a, b)
  const apart = clampAt0(similarity.sub(checkFinite(op, 'margin', margin)))
  const losses = t.equal(1).where(similarity.neg().add(1), t.equal(-1).where(apart, 0))
  return reduce(op, losses, rest)
}

export interface TripletMarginOptions extends LossOptions {
  /** By how much the positive is to be nearer than the negative; 1 unless given. */
  margin?: number
  /** Of the norm (Σ|d|ᵖ)^(1/p), above 0; 2 unless given. */
  power?: number
  /** Added to the differences; 1e-6 unless given. */
  epsilon?: number
  /** Whether the distance of positive and negative counts where it is the lesser one; false unless given. */
  swap?: boolean
}

const tripletMarginOptions: OptionTypes<TripletMarginOptions> = {
  ...marginOptions,
  power: 'number',
  epsilon: 'number',
  swap: 'boolean',
}

/**
 * max(‖a − p‖ − ‖a − n‖ + margin, 0) of anchors a, positives p and negatives n, all [… , features]
 * (Schroff et al. 2015, https://arxiv.org/abs/1503.03832; with `swap` Balntas et al. 2016).
 *
 * @returns a scalar, or the losses[…] of the triplets for reduction `'none'`
 * @throws ShapeError where the shapes differ
 * @pytorch F.triplet_margin_loss
 */
export function tripletMargin(
  anchor: TensorLike,
  positive: TensorLike,
  negative: TensorLike,
  options?: TripletMarginOptions,
  ...surplus: []
): Tensor {
  const op = 'tripletMargin'
  const given = checkOptions(op, options, tripletMarginOptions, surplus)
  const { margin = 1, power = 2, epsilon = 1e-6, swap = false, ...rest } = given
  const [a, p, n] = vectors(op, [anchor, positive, negative]) as [Tensor, Tensor, Tensor]
  checkPositive(op, 'power', power)
  checkLeast0(op, 'epsilon', epsilon)
  const distance = (x: Tensor, y: Tensor) => x.sub(y).add(epsilon).norm(-1, { order: power })
  const far = swap ? distance(a, n).minimum(distance(p, n)) : distance(a, n)
  return reduce(
    op,
    clampAt0(
      distance(a, p)
        .sub(far)
        .add(checkFinite(op, 'margin', margin)),
    ),
    rest,
  )
}

/**
 * d² where the target is 1, and max(margin − d, 0)² where it is 0, for the distance d = ‖x − y‖ of each pair of vectors
 * (Hadsell et al. 2006, without its factor ½).
 *
 * @param targets[…] 1 for pairs that are to be near, 0 for those that are not
 * @param options.margin how far apart they are to be, above 0; 1 unless given
 * @returns a scalar, or the losses[…] of the pairs for reduction `'none'`
 * @throws ShapeError where the shapes differ
 * @pytorch none
 */
export function contrastive(
  x: TensorLike,
  y: TensorLike,
  targets: TensorLike,
  options?: MarginOptions,
  ...surplus: []
): Tensor {
  const op = 'contrastive'
  const { margin = 1, ...rest } = checkOptions(op, options, marginOptions, surplus)
  const [a, b, t] = pairs(op, x, y, targets)
  checkPositive(op, 'margin', margin)
  const difference = a.sub(b)
  const near = difference.square().sum(-1)
  const apart = clampAt0(difference.norm(-1).neg().add(margin)).square()
  return reduce(op, near.mul(t).add(apart.mul(t.neg().add(1))), rest)
}

/**
 * x where the target is 1, and max(margin − x, 0) where it is −1, for distances x, over all elements.
 *
 * @param options.margin 1 unless given
 * @returns a scalar, or a loss for each element for reduction `'none'`
 * @throws ShapeError where the shapes differ
 * @pytorch F.hinge_embedding_loss
 */
export function hingeEmbedding(
  distances: TensorLike,
  targets: TensorLike,
  options?: MarginOptions,
  ...surplus: []
): Tensor {
  const op = 'hingeEmbedding'
  const { margin = 1, ...rest } = checkOptions(op, options, marginOptions, surplus)
  const [x, t] = sameShaped(op, distances, targets)
  const apart = clampAt0(x.neg().add(checkFinite(op, 'margin', margin)))
  return reduce(op, t.equal(1).where(x, t.equal(-1).where(apart, 0)), rest)
}

/**
 * max(margin − target·(x − y), 0) over all elements: x is to be above y where the target is 1, below where it is −1.
 *
 * @param options.margin 0 unless given
 * @returns a scalar, or a loss for each element for reduction `'none'`
 * @throws ShapeError where the shapes differ
 * @pytorch F.margin_ranking_loss
 */
export function marginRanking(
  x: TensorLike,
  y: TensorLike,
  targets: TensorLike,
  options?: MarginOptions,
  ...surplus: []
): Tensor {
  const op = 'marginRanking'
  const { margin = 0, ...rest } = checkOptions(op, options, marginOptions, surplus)
  const [a, b] = sameShaped(op, x, y)
  const [, t] = sameShaped(op, x, targets)
  return reduce(
    op,
    clampAt0(
      a
        .sub(b)
        .mul(t)
        .neg()
        .add(checkFinite(op, 'margin', margin)),
    ),
    rest,
  )
}

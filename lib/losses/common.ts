/** What the losses have in common: their reductions, their weights and the checks of their operands. */

import { checkNumber } from '../base/arguments.ts'
import { isFloat } from '../base/dtype.ts'
import { DTypeError, expected, ShapeError } from '../base/errors.ts'
import type { OptionTypes } from '../base/options.ts'
import { broadcastShapes, formatShape, type Shape, sameShape } from '../base/shape.ts'
import { takeAlongAxis } from '../operations/indexing.ts'
import { expandDims, squeeze } from '../operations/shape.ts'
import { ones } from '../tensor/creation.ts'
import { type Tensor, type TensorLike, toTensor } from '../tensor/tensor.ts'

export type Reduction = 'mean' | 'sum' | 'none'

export interface LossOptions {
  /** What becomes of the single losses: `'mean'` unless given; `'none'` returns them as they are. */
  reduction?: Reduction
}

export interface ClassOptions extends LossOptions {
  /** A weight for each class, [classes]. The mean divides by the sum of the weights of the rows' classes. */
  classWeights?: TensorLike
  /** The label of rows that do not count: their loss and gradient are 0, and the mean of no other rows is NaN. */
  ignoreIndex?: number
}

export const lossOptions: OptionTypes<LossOptions> = { reduction: ['mean', 'sum', 'none'] }

export const classOptions: OptionTypes<ClassOptions> = { ...lossOptions, classWeights: 'other', ignoreIndex: 'number' }

/** The losses reduced; their mean is that of all of them, or divides by the sum of `weights`, where there are any. */
export function reduce(op: string, losses: Tensor, { reduction = 'mean' }: LossOptions, weights?: Tensor): Tensor {
  switch (reduction) {
    case 'mean':
      return weights === undefined ? losses.mean() : losses.sum().div(weights.sum())
    case 'sum':
      return losses.sum()
    case 'none':
      return losses
    default:
      throw new RangeError(expected(op, "reduction 'mean', 'sum' or 'none'", reduction))
  }
}

export const asFloat = (x: Tensor): Tensor => (isFloat(x.dtype) ? x : x.cast('float32'))

/** A prediction and a target of its shape, as floats. */
export function sameShaped(op: string, x: TensorLike, target: TensorLike): [Tensor, Tensor] {
  const [a, b] = [toTensor(op, x), toTensor(op, target)]
  if (!sameShape(a.shape, b.shape))
    throw new ShapeError(expected(op, `a target of shape ${formatShape(a.shape)}`, formatShape(b.shape)))
  const prediction = asFloat(a)
  return [prediction, isFloat(b.dtype) ? b : b.cast(prediction.dtype)]
}

/** Weights of the dtype of x, which broadcast to its shape. */
export function weightsFor(op: string, name: string, x: Tensor, weights: TensorLike): Tensor {
  const w = toTensor(op, weights)
  if (!sameShape(broadcastShapes(`${op}: ${name}`, w.shape, x.shape), x.shape))
    throw new ShapeError(expected(op, `${name} that broadcast to ${formatShape(x.shape)}`, formatShape(w.shape)))
  return w.cast(x.dtype)
}

/** A finite number that is not negative. */
export const checkLeast0 = (op: string, name: string, value: number): number =>
  checkNumber(op, `a finite ${name} of at least 0`, value, (x) => Number.isFinite(x) && x >= 0)

export const checkPositive = (op: string, name: string, value: number): number =>
  checkNumber(op, `a finite ${name} above 0`, value, (x) => Number.isFinite(x) && x > 0)

export const checkFraction = (op: string, name: string, value: number): number =>
  checkNumber(op, `a ${name} from 0 to 1`, value, (x) => x >= 0 && x <= 1)

/** max(x, 0), whose slope at 0 is 1: PyTorch's clamp_min, which its margin losses are made of. */
export const clampAt0 = (x: Tensor): Tensor => x.less(0).where(0, x)

/**
 * x with 0 where it is infinite and does not count, as its weight is 0: the product of both, its logarithm and all their
 * slopes are then those of a term that is not there, and not 0·∞.
 */
export const counted = (x: Tensor, weight: Tensor): Tensor =>
  weight.equal(0).logicalAnd(x.abs().equal(Infinity)).where(0, x)

/** weight·x, and 0 of an infinite x that does not count. */
export const weighted = (x: Tensor, weight: Tensor): Tensor => counted(x, weight).mul(weight)

/** Labels as the losses of classes work with them. */
export interface Classes {
  /** int32, each in [0, classes) unless it is wrong; 0 where the label is ignored. */
  readonly indices: Tensor
  /** Which rows count; undefined where all do. */
  readonly kept: Tensor | undefined
}

export function classesOf(op: string, labels: Tensor, { ignoreIndex }: ClassOptions): Classes {
  const indices = labels.cast('int32')
  if (ignoreIndex === undefined) return { indices, kept: undefined }
  checkNumber(op, 'an integer as ignoreIndex', ignoreIndex, Number.isInteger)
  const kept = indices.notEqual(ignoreIndex)
  return { indices: kept.where(indices, 0), kept }
}

/** The weight of each class, [classes]. */
export function checkClassWeights(op: string, x: Tensor, weights: TensorLike): Tensor {
  const w = toTensor(op, weights)
  const shape: Shape = x.shape.slice(-1)
  if (!sameShape(w.shape, shape))
    throw new ShapeError(expected(op, `classWeights of shape ${formatShape(shape)}`, formatShape(w.shape)))
  return w.cast(x.dtype)
}

/** The weight of each row's class, 1 without weights. Reading it is what finds a label that is no class. */
export function rowWeights(op: string, x: Tensor, { indices }: Classes, { classWeights }: ClassOptions): Tensor {
  const table =
    classWeights === undefined ? ones(x.shape.slice(-1), { dtype: x.dtype }) : checkClassWeights(op, x, classWeights)
  return table.gather(indices)
}

/** The losses of rows, those of ignored rows 0; `weights` are those that they were multiplied by, if any. */
export function reduceRows(
  op: string,
  losses: Tensor,
  { kept }: Classes,
  options: LossOptions,
  weights?: Tensor,
): Tensor {
  if (kept === undefined) return reduce(op, losses, options, weights)
  const counted = weights === undefined ? kept.cast(losses.dtype) : kept.where(weights, 0)
  return reduce(op, kept.where(losses, 0), options, counted)
}

/** Integer classes, one for each row of x[…, classes]. */
export function checkClasses(op: string, x: Tensor, labels: Tensor): void {
  if (x.ndim === 0 || x.shape.at(-1) === 0)
    throw new ShapeError(expected(op, 'an input of shape […, classes]', formatShape(x.shape)))
  const shape = x.shape.slice(0, -1)
  if (!sameShape(labels.shape, shape))
    throw new ShapeError(expected(op, `classes of shape ${formatShape(shape)}`, formatShape(labels.shape)))
  if (labels.dtype !== 'int32' && labels.dtype !== 'uint8')
    throw new DTypeError(expected(op, 'classes as int32 or uint8', labels.toString()))
}

/** x[…, class of the row]. */
export const pick = (x: Tensor, indices: Tensor): Tensor => squeeze(takeAlongAxis(x, expandDims(indices, -1), -1), -1)

/** The smallest base of a focal factor: a power below 1 has no finite slope at 0. */
const leastBase = 1e-30

/** (1 − p)^γ for what is left of a probability. */
export const focalFactor = (rest: Tensor, gamma: number): Tensor =>
  rest.less(leastBase).where(leastBase, rest).pow(gamma)

/** Distances as they are, or squared. */
export function powerOf(op: string, distances: Tensor, power: 1 | 2): Tensor {
  if (power !== 1 && power !== 2) throw new RangeError(expected(op, 'power 1 or 2', power))
  return power === 1 ? distances : distances.square()
}

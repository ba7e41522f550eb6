/** What training makes small. A loss of logits is computed from the logits, so that large ones neither overflow nor vanish. */
import { tensor } from './creation.ts'
import { isFloat } from './dtype.ts'
import { expected, ShapeError } from './errors.ts'
import { labelKind } from './labels.ts'
import { formatShape, sameShape } from './shape.ts'
import type { Tensor, TensorLike } from './tensor.ts'

export type Reduction = 'mean' | 'sum' | 'none'

export interface LossOptions {
  /** What becomes of the single losses: `'mean'` unless given; `'none'` returns them as they are. */
  reduction?: Reduction
}

const reductions: Readonly<Record<Reduction, (losses: Tensor) => Tensor>> = {
  mean: (losses) => losses.mean(),
  sum: (losses) => losses.sum(),
  none: (losses) => losses,
}

function reduce(op: string, losses: Tensor, { reduction = 'mean' }: LossOptions): Tensor {
  if (!Object.hasOwn(reductions, reduction))
    throw new RangeError(expected(op, "reduction 'mean', 'sum' or 'none'", reduction))
  return reductions[reduction](losses)
}

function sameShaped(op: string, x: TensorLike, target: TensorLike): [Tensor, Tensor] {
  const [a, b] = [tensor(x), tensor(target)]
  if (!sameShape(a.shape, b.shape))
    throw new ShapeError(expected(op, `a target of shape ${formatShape(a.shape)}`, formatShape(b.shape)))
  return [a, b]
}

/**
 * −log softmax(logits)[label] of each row of logits[…, classes]; for labels that are rows p of probabilities,
 * −Σ p·log softmax(logits).
 *
 * @param labels classes as integers[…] (int32 or uint8), or one-hot or probability rows[…, classes]
 * @returns a scalar, or the losses[…] of the rows for reduction `'none'`
 * @throws ShapeError, DTypeError where labels do not fit; RangeError when evaluated, for a class outside [0, classes)
 *
 * @example
 * crossEntropy(model.forward(images), tensor([7, 2, 1], { dtype: 'int32' }))
 */
export function crossEntropy(logits: TensorLike, labels: TensorLike, options: LossOptions = {}): Tensor {
  const [x, y] = [tensor(logits), tensor(labels)]
  const asRows = labelKind('crossEntropy', x, y) === 'rows' && !isFloat(y.dtype)
  return reduce('crossEntropy', x.softmaxCrossEntropy(asRows ? y.cast('float32') : y), options)
}

/**
 * (prediction − target)², over all elements.
 *
 * @returns a scalar, or a loss for each element for reduction `'none'`
 * @throws ShapeError where the shapes differ: nothing is broadcast
 */
export function meanSquaredError(prediction: TensorLike, target: TensorLike, options: LossOptions = {}): Tensor {
  const [x, y] = sameShaped('meanSquaredError', prediction, target)
  return reduce('meanSquaredError', x.sub(y).square(), options)
}

/**
 * −z·log σ(x) − (1 − z)·log(1 − σ(x)) = softplus(x) − x·z for logits x and targets z from 0 to 1, over all elements.
 *
 * @returns a scalar, or a loss for each element for reduction `'none'`
 * @throws ShapeError where the shapes differ: nothing is broadcast
 */
export function binaryCrossEntropy(logits: TensorLike, targets: TensorLike, options: LossOptions = {}): Tensor {
  const [x, z] = sameShaped('binaryCrossEntropy', logits, targets)
  return reduce('binaryCrossEntropy', x.softplus().sub(x.mul(z)), options)
}

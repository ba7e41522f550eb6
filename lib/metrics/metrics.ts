/** What training reports beside its loss. */

import { checkNumber, refuseSurplus } from '../base/arguments.ts'
import { expected, ShapeError } from '../base/errors.ts'
import { checkOptions, type OptionTypes } from '../base/options.ts'
import { extentAt, formatShape, sameShape } from '../base/shape.ts'
import { labelKind } from '../losses/labels.ts'
import { takeAlongAxis } from '../operations/indexing.ts'
import { expandDims } from '../operations/shape.ts'
import { eye, ones, zeros } from '../tensor/creation.ts'
import { type Tensor, type TensorLike, toTensor } from '../tensor/tensor.ts'

export { meanAbsoluteError } from '../losses/regression.ts'

/**
 * Whether the greatest of each row of logits[…, classes] is that of its label: bool[…].
 *
 * @param labels classes as integers[…], or one-hot or probability rows[…, classes]
 * @throws ShapeError for labels of another shape and for fewer than two classes; DTypeError for classes that are no integers
 */
export function correct(logits: TensorLike, labels: TensorLike, ...surplus: []): Tensor {
  refuseSurplus('correct', 2, surplus)
  return correctRows('correct', logits, labels)
}

function correctRows(op: string, logits: TensorLike, labels: TensorLike): Tensor {
  const [x, y] = [toTensor(op, logits), toTensor(op, labels)]
  const kind = labelKind(op, x, y)
  if (extentAt(x.shape, -1) < 2)
    throw new ShapeError(expected(op, 'logits of at least two classes (see binaryAccuracy)', formatShape(x.shape)))
  return x.argmax(-1).equal(kind === 'rows' ? y.argmax(-1) : y)
}

/** The fraction of rows whose greatest logit is that of the label: the mean of {@link correct}, a scalar. */
export const accuracy = (logits: TensorLike, labels: TensorLike, ...surplus: []): Tensor => {
  refuseSurplus('accuracy', 2, surplus)
  return correctRows('accuracy', logits, labels).mean()
}

/**
 * The fraction of elements where a logit is above 0 exactly if its target is above ½: a scalar.
 *
 * @throws ShapeError where the shapes differ
 */
export function binaryAccuracy(logits: TensorLike, targets: TensorLike, ...surplus: []): Tensor {
  refuseSurplus('binaryAccuracy', 2, surplus)
  const [x, z] = [toTensor('binaryAccuracy', logits), toTensor('binaryAccuracy', targets)]
  if (!sameShape(x.shape, z.shape))
    throw new ShapeError(expected('binaryAccuracy', `targets of shape ${formatShape(x.shape)}`, formatShape(z.shape)))
  return x.greater(0).equal(z.greater(0.5)).mean()
}

/**
 * The fraction of rows where fewer than k logits are above that of the label: a scalar. For k = 1 it is the accuracy, but that
 * a tie counts as right.
 *
 * @param labels classes as integers[…], or one-hot or probability rows[…, classes]
 * @throws as {@link correct}; RangeError for a k that is no positive integer and, when evaluated, for a label that is no class
 */
export function topKAccuracy(logits: TensorLike, labels: TensorLike, k = 5, ...surplus: []): Tensor {
  refuseSurplus('topKAccuracy', 3, surplus)
  const op = 'topKAccuracy'
  checkNumber(op, 'a positive integer k', k, (n) => Number.isInteger(n) && n > 0)
  const { x, classes } = classified(op, logits, labels)
  const ofLabel = takeAlongAxis(x, expandDims(classes, -1), -1)
  return x.greater(ofLabel).sum(-1).less(k).mean()
}

/** Logits and the class of each row. */
function classified(op: string, logits: TensorLike, labels: TensorLike): { x: Tensor; classes: Tensor } {
  const [x, y] = [toTensor(op, logits), toTensor(op, labels)]
  return { x, classes: labelKind(op, x, y) === 'rows' ? y.argmax(-1) : y.cast('int32') }
}

/**
 * How many rows of each class have their greatest logit at each class: int32[classes, classes], of the label's class and then the
 * predicted one.
 *
 * @param labels classes as integers[…], or one-hot or probability rows[…, classes]
 * @throws as {@link correct}; RangeError when evaluated, for a label that is no class
 */
export function confusionMatrix(logits: TensorLike, labels: TensorLike, ...surplus: []): Tensor {
  refuseSurplus('confusionMatrix', 2, surplus)
  const { x, classes } = classified('confusionMatrix', logits, labels)
  const count = extentAt(x.shape, -1)
  const cells = classes.mul(count).add(x.argmax(-1)).flatten()
  const none = zeros([count * count], { dtype: 'int32' })
  return none.scatterAdd(cells, ones(cells.shape, { dtype: 'int32' })).reshape([count, count])
}

export interface ClassMetricOptions {
  /** Of several classes: their mean unless given, or the value of each for `'none'`. */
  average?: 'macro' | 'none'
}

const classOptions: OptionTypes<ClassMetricOptions> = { average: ['macro', 'none'] }

/** What was found, what there was of it, and what was right, for the positive class or for each of several. */
interface Counts {
  readonly predicted: Tensor
  readonly actual: Tensor
  readonly right: Tensor
}

/** Targets of the shape of the logits are yes or no each; labels of a row are classes. */
function countsOf(op: string, logits: TensorLike, labels: TensorLike): Counts {
  const [x, y] = [toTensor(op, logits), toTensor(op, labels)]
  if (sameShape(x.shape, y.shape)) {
    const [found, there] = [x.greater(0), y.greater(0.5)]
    return { predicted: found.sum(), actual: there.sum(), right: found.where(there, false).sum() }
  }
  labelKind(op, x, y)
  const matrix = confusionMatrix(x, y)
  const right = matrix.mul(eye(extentAt(x.shape, -1), undefined, { dtype: 'int32' })).sum(0)
  return { predicted: matrix.sum(0), actual: matrix.sum(1), right }
}

/** right / of, 0 where there is none. */
const ratio = (right: Tensor, of: Tensor): Tensor => right.div(of.maximum(1))

/** The value of each class, or their mean. */
const averaged = (values: Tensor, { average = 'macro' }: ClassMetricOptions): Tensor =>
  average === 'macro' ? values.mean() : values

/**
 * The fraction of what was found that is right: true positives / predicted positives, 0 where nothing was found.
 * For targets of the shape of the logits an element is found where its logit is above 0, and there where its target is above ½; for
 * integer labels a row is of the class of its greatest logit, and the mean over the classes is taken.
 *
 * @param labels yes-or-no targets of the shape of the logits, or classes[…] of logits[…, classes]
 * @returns a scalar, or [classes] for average `'none'` of classes
 * @throws ShapeError, DTypeError where labels do not fit; RangeError when evaluated, for a label that is no class
 */
export function precision(
  logits: TensorLike,
  labels: TensorLike,
  options?: ClassMetricOptions,
  ...surplus: []
): Tensor {
  const given = checkOptions('precision', options, classOptions, surplus)
  const { right, predicted } = countsOf('precision', logits, labels)
  return averaged(ratio(right, predicted), given)
}

/** The fraction of what there is that was found: true positives / actual positives, 0 where there is none; see {@link precision}. */
export function recall(logits: TensorLike, labels: TensorLike, options?: ClassMetricOptions, ...surplus: []): Tensor {
  const given = checkOptions('recall', options, classOptions, surplus)
  const { right, actual } = countsOf('recall', logits, labels)
  return averaged(ratio(right, actual), given)
}

/** The harmonic mean of precision and recall, 2·right / (predicted + actual), 0 where there is neither; see {@link precision}. */
export function f1(logits: TensorLike, labels: TensorLike, options?: ClassMetricOptions, ...surplus: []): Tensor {
  const given = checkOptions('f1', options, classOptions, surplus)
  const { right, predicted, actual } = countsOf('f1', logits, labels)
  return averaged(ratio(right.mul(2), predicted.add(actual)), given)
}

/** What training reports beside its loss. */
import { tensor } from './creation.ts'
import { expected, ShapeError } from './errors.ts'
import { labelKind } from './labels.ts'
import { formatShape, sameShape } from './shape.ts'
import type { Tensor, TensorLike } from './tensor.ts'

/**
 * Whether the greatest of each row of logits[…, classes] is that of its label: bool[…].
 *
 * @param labels classes as integers[…], or one-hot or probability rows[…, classes]
 * @throws ShapeError for labels of another shape and for fewer than two classes; DTypeError for classes that are no integers
 */
export function correct(logits: TensorLike, labels: TensorLike): Tensor {
  const [x, y] = [tensor(logits), tensor(labels)]
  const kind = labelKind('accuracy', x, y)
  if (x.shape.at(-1)! < 2)
    throw new ShapeError(
      expected('accuracy', 'logits of at least two classes (see binaryAccuracy)', formatShape(x.shape)),
    )
  return x.argmax(-1).equal(kind === 'rows' ? y.argmax(-1) : y)
}

/** The fraction of rows whose greatest logit is that of the label: the mean of {@link correct}, a scalar. */
export const accuracy = (logits: TensorLike, labels: TensorLike): Tensor => correct(logits, labels).mean()

/**
 * The fraction of elements where a logit is above 0 exactly if its target is above ½: a scalar.
 *
 * @throws ShapeError where the shapes differ
 */
export function binaryAccuracy(logits: TensorLike, targets: TensorLike): Tensor {
  const [x, z] = [tensor(logits), tensor(targets)]
  if (!sameShape(x.shape, z.shape))
    throw new ShapeError(expected('binaryAccuracy', `targets of shape ${formatShape(x.shape)}`, formatShape(z.shape)))
  return x.greater(0).equal(z.greater(0.5)).mean()
}

/** How labels name classes. */
import { isFloat } from '../base/dtype.ts'
import { DTypeError, expected, ShapeError } from '../base/errors.ts'
import { formatShape, sameShape } from '../base/shape.ts'
import type { Tensor } from '../tensor/tensor.ts'

/**
 * How labels name the classes of logits[…, classes]: as integers[…], or as rows[…, classes] of probabilities.
 *
 * @throws ShapeError for any other shape; DTypeError for classes that are not integers.
 */
export function labelKind(op: string, logits: Tensor, labels: Tensor): 'classes' | 'rows' {
  if (logits.ndim === 0 || logits.shape.at(-1) === 0)
    throw new ShapeError(expected(op, 'logits of shape […, classes]', formatShape(logits.shape)))
  if (sameShape(labels.shape, logits.shape)) return 'rows'
  const batch = logits.shape.slice(0, -1)
  if (!sameShape(labels.shape, batch)) {
    const shapes = `${formatShape(batch)} (classes) or ${formatShape(logits.shape)} (rows of probabilities)`
    throw new ShapeError(expected(op, `labels of shape ${shapes}`, formatShape(labels.shape)))
  }
  if (isFloat(labels.dtype) || labels.dtype === 'bool')
    throw new DTypeError(
      `${expected(op, `classes as int32 or uint8, or rows ${formatShape(logits.shape)}`, labels.toString())}; cast('int32') makes classes of numbers`,
    )
  return 'classes'
}

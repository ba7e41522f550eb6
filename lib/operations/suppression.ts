/** Which of the boxes that a detector finds are left: each takes with it what overlaps it, and is not as likely. */
import { checkNumber } from '../base/arguments.ts'
import { boxBetween, suppressOverlaps } from '../base/boxes.ts'
import { isFloat } from '../base/dtype.ts'
import { DTypeError, expected, ShapeError } from '../base/errors.ts'
import { checkOptions, type OptionTypes } from '../base/options.ts'
import { formatShape } from '../base/shape.ts'
import { data } from '../graph/ops/leaf.ts'
import { type Tensor, type TensorLike, toNode, wrap } from '../tensor/tensor.ts'

export interface NonMaxSuppressionOptions {
  /** How much of two boxes may overlap, from 0 to 1: their common area, of what they cover. 0.5 unless given. */
  iouThreshold?: number
  /** What scores have to be above; none unless given. */
  scoreThreshold?: number
  /** How many boxes are left at most; all unless given. */
  maxOutputSize?: number
}

const suppressionOptions: OptionTypes<NonMaxSuppressionOptions> = {
  ...{ iouThreshold: 'number', scoreThreshold: 'number', maxOutputSize: 'number' },
}

/** Both operands as they are now, and what is left of them once they are numbers. */
function prepared(op: string, boxes: TensorLike, scores: TensorLike, options: NonMaxSuppressionOptions | undefined) {
  const given = checkOptions(op, options, suppressionOptions)
  const {
    iouThreshold = 0.5,
    scoreThreshold = Number.NEGATIVE_INFINITY,
    maxOutputSize = Number.POSITIVE_INFINITY,
  } = given
  checkNumber(op, 'an iouThreshold in [0, 1]', iouThreshold, (x) => x >= 0 && x <= 1)
  checkNumber(op, 'a scoreThreshold that is a number', scoreThreshold, (x) => !Number.isNaN(x))
  checkNumber(
    op,
    'an integer of at least 0 as maxOutputSize',
    maxOutputSize,
    (n) => n === Number.POSITIVE_INFINITY || (Number.isInteger(n) && n >= 0),
  )
  const [corners, values] = [wrap(toNode(op, boxes)), wrap(toNode(op, scores))]
  if (!isFloat(corners.dtype) || !isFloat(values.dtype))
    throw new DTypeError(expected(op, 'float32 or float64', `${corners.dtype} and ${values.dtype}`))
  if (corners.ndim !== 2 || corners.shape[1] !== 4 || values.ndim !== 1 || values.shape[0] !== corners.shape[0])
    throw new ShapeError(
      expected(op, 'boxes [n, 4] and scores [n]', `${formatShape(corners.shape)} and ${formatShape(values.shape)}`),
    )
  const limits = { score: scoreThreshold, count: maxOutputSize, overlap: iouThreshold }
  const finish = (places: ArrayLike<number>, numbers: ArrayLike<number>): Tensor => {
    const all = Array.from(numbers, (_, i) => {
      const [a, b, c, d] = [0, 1, 2, 3].map((at) => places[4 * i + at]!)
      return boxBetween(a!, b!, c!, d!)
    })
    const kept = suppressOverlaps(all, numbers, limits)
    return wrap(data(Int32Array.from(kept), 'int32', [kept.length]))
  }
  return { corners, values, finish }
}

/**
 * The indices of boxes that no box with a higher score overlaps too much, by descending scores: int32 [count]. Of equal scores the
 * first is higher. How many there are is in the data, so both operands are evaluated at once.
 *
 * @param boxes [n, 4], by two opposite corners: y, x, y, x or x, y, x, y
 * @param scores [n]
 * @throws ShapeError for other operands, DTypeError for integers, RangeError for an option out of its range; TypeError inside
 * compile
 * @example await nonMaxSuppression([[0, 0, 2, 2], [0, 0, 2, 1.9], [4, 4, 5, 5]], [0.8, 0.9, 0.3]) // [1, 2]
 * @pytorch torchvision.ops.nms
 * @tensorflow tf.image.non_max_suppression
 */
export async function nonMaxSuppression(
  boxes: TensorLike,
  scores: TensorLike,
  options?: NonMaxSuppressionOptions,
): Promise<Tensor> {
  const { corners, values, finish } = prepared('nonMaxSuppression', boxes, scores, options)
  const [places, numbers] = await Promise.all([corners.data(), values.data()])
  return finish(places, numbers)
}

/**
 * `nonMaxSuppression`, here and now.
 * @throws ShapeError, DTypeError, RangeError, TypeError as nonMaxSuppression
 * @pytorch torchvision.ops.nms
 * @tensorflow tf.image.non_max_suppression
 */
export function nonMaxSuppressionSync(
  boxes: TensorLike,
  scores: TensorLike,
  options?: NonMaxSuppressionOptions,
): Tensor {
  const { corners, values, finish } = prepared('nonMaxSuppressionSync', boxes, scores, options)
  return finish(corners.dataSync(), values.dataSync())
}

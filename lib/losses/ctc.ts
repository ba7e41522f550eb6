/** Connectionist temporal classification: labels in order, at times that nobody has said. */

import { checkNumber } from '../base/arguments.ts'
import { DTypeError, expected, ShapeError } from '../base/errors.ts'
import { checkOptions, type OptionTypes } from '../base/options.ts'
import { extentAt, formatShape, type Shape } from '../base/shape.ts'
import { takeAlongAxis } from '../operations/indexing.ts'
import { concat } from '../operations/joining.ts'
import { expandDims } from '../operations/shape.ts'
import { arange, full } from '../tensor/creation.ts'
import { Tensor, type TensorLike, toTensor } from '../tensor/tensor.ts'
import { asFloat, type LossOptions, lossOptions, reduce } from './common.ts'
import { impossible, pathLosses } from './ctc-paths.ts'

export interface CtcOptions extends LossOptions {
  /** The class that stands for no label; 0 unless given. */
  blank?: number
  /** Whether the loss of a target that its input is too short for is 0 instead of infinite; false unless given. */
  zeroInfinity?: boolean
}

const op = 'ctcLoss'

const ctcOptions: OptionTypes<CtcOptions> = { ...lossOptions, blank: 'number', zeroInfinity: 'boolean' }

/** Whole numbers as int32, of a shape whose last extent may be any. */
function integers(what: string, values: TensorLike, shape: readonly [number, null?]): Tensor {
  const x = values instanceof Tensor ? values : toTensor(op, values).cast('int32')
  if (x.ndim !== shape.length || x.shape[0] !== shape[0])
    throw new ShapeError(
      expected(op, `${what} of shape [${shape.map((extent) => extent ?? 'longest').join(', ')}]`, formatShape(x.shape)),
    )
  if (x.dtype !== 'int32' && x.dtype !== 'uint8')
    throw new DTypeError(expected(op, `${what} as int32 or uint8`, x.dtype))
  return x.cast('int32')
}

function checkInput(logProbabilities: TensorLike): Tensor {
  const x = asFloat(toTensor(op, logProbabilities))
  if (x.ndim !== 3 || x.shape[0] === 0 || x.shape[2] === 0)
    throw new ShapeError(expected(op, 'logProbabilities of shape [steps, rows, classes]', formatShape(x.shape)))
  return x
}

/**
 * −log of the probability that a sequence of targets is what remains of a sequence of classes, one for each step, once
 * repeated classes are made one and blanks are taken out (Graves et al. 2006, https://doi.org/10.1145/1143844.1143891).
 *
 * As in PyTorch, the mean divides each loss by the length of its target, or by 1 for an empty one, and is then taken over the rows. A
 * target that its input is too short for has an infinite loss, whose gradient is 0. The gradient is that of this
 * function; PyTorch's is that of a logSoftmax before it, behind which both are the same.
 *
 * @param logProbabilities[steps, rows, classes], such as logSoftmax gives
 * @param targets[rows, longest] classes other than the blank, as integers; what stands behind the length of a target does not count
 * @param inputLengths[rows] how many steps of each row count, as integers
 * @param targetLengths[rows] as integers
 * @returns a scalar, or the losses[rows] for reduction `'none'`
 * @throws ShapeError, DTypeError where operands do not fit; RangeError for a blank that is no class and, when evaluated, for
 * a target that is no class and a length beyond what there is
 *
 * @example
 * ctcLoss(logits.logSoftmax(), [[3, 1, 2], [4, 4, 0]], [50, 40], [3, 2])
 * @pytorch F.ctc_loss
 * @tensorflow tf.nn.ctc_loss
 */
export function ctcLoss(
  logProbabilities: TensorLike,
  targets: TensorLike,
  inputLengths: TensorLike,
  targetLengths: TensorLike,
  options?: CtcOptions,
  ...surplus: []
): Tensor {
  const given = checkOptions(op, options, ctcOptions, surplus)
  const { blank = 0, zeroInfinity = false, reduction = 'mean' } = given
  const x = checkInput(logProbabilities)
  const [steps, rows, classes] = x.shape as [number, number, number]
  checkNumber(
    op,
    `a blank that is a class below ${classes}`,
    blank,
    (b) => Number.isInteger(b) && b >= 0 && b < classes,
  )
  const labels = integers('targets', targets, [rows, null])
  const longest = extentAt(labels.shape, 1)
  const times = withinLimit(integers('inputLengths', inputLengths, [rows]), steps)
  const lengths = withinLimit(integers('targetLengths', targetLengths, [rows]), longest)
  const path = pathOf(labels, lengths, blank)
  const taken = takeAlongAxis(x, expandDims(path, 0), -1)
  const paths = { maySkip: skipsOf(path, blank), inputLengths: column(times), targetLengths: column(lengths) }
  const losses = pathLosses(taken.less(impossible).where(impossible, taken), paths)
  const finite = zeroInfinity ? losses.equal(Infinity).where(0, losses) : losses
  return reduce(op, reduction === 'mean' ? finite.div(lengths.maximum(1).cast(x.dtype)) : finite, given)
}

const column = (lengths: Tensor): Tensor => expandDims(lengths, -1)

/** The lengths themselves; reading them from a list of all that are possible is what finds one that is not. */
const withinLimit = (lengths: Tensor, limit: number): Tensor =>
  arange(limit + 1, undefined, { dtype: 'int32' }).gather(lengths)

/** blank, label, blank, label, …, blank of each row: [rows, 2·longest + 1]. */
function pathOf(labels: Tensor, lengths: Tensor, blank: number): Tensor {
  const [rows, longest] = labels.shape as [number, number]
  const isLabel = arange(longest, undefined, { dtype: 'int32' }).less(expandDims(lengths, -1))
  const known = expandDims(isLabel.where(labels, blank), -1)
  const blanks = (shape: Shape) => full(shape, blank, { dtype: 'int32' })
  return concat([concat([blanks([rows, longest, 1]), known], -1).reshape([rows, 2 * longest]), blanks([rows, 1])], 1)
}

/** Which states may follow the one two before: labels other than the one before. */
function skipsOf(path: Tensor, blank: number): Tensor {
  const [rows, states] = path.shape as [number, number]
  const before = concat([full([rows, 2], blank, { dtype: 'int32' }), path], 1).slice([0, 0], [rows, states])
  return path.notEqual(before)
}

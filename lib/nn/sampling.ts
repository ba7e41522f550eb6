/** Which class comes next: drawn by logits, of the likeliest ones alone if that is wanted. */
import { checkInteger, checkNumber } from '../base/arguments.ts'
import { isFloat } from '../base/dtype.ts'
import { DTypeError, expected, ShapeError } from '../base/errors.ts'
import { checkOptions, type OptionTypes } from '../base/options.ts'
import { extentAt, formatShape, sameShape } from '../base/shape.ts'
import { greater, less, where } from '../operations/comparison.ts'
import { gather } from '../operations/indexing.ts'
import { logicalNot } from '../operations/logic.ts'
import { argmax, min, sum } from '../operations/reduce.ts'
import { cumsum } from '../operations/scan.ts'
import { softmax } from '../operations/softmax.ts'
import { sort, topk } from '../operations/sort.ts'
import { arange } from '../tensor/creation.ts'
import { uniform } from '../tensor/random.ts'
import type { Tensor, TensorLike } from '../tensor/tensor.ts'
import { inputOf } from './inputs.ts'

export interface SampleOptions {
  /** What logits are divided by: the less, the likelier is the likeliest; 0 always takes that one. 1 unless given. */
  temperature?: number
  /** How many classes take part, the likeliest; those that are as likely as the last of them do, too. All unless given. */
  topK?: number | null
  /**
   * Of those, which are left after `topK`, the likeliest alone that together have at least this probability, and those as
   * likely as the last of them; all unless given.
   */
  topP?: number | null
  /** Fixes the numbers; otherwise they follow from `setSeed`. */
  seed?: number
  /** Numbers in [0, 1) that decide in place of random ones, one for each row: those of a program that are arguments of it. */
  noise?: TensorLike
}

const sampleOptions: OptionTypes<SampleOptions> = {
  temperature: 'number',
  topK: 'number or null',
  topP: 'number or null',
  seed: 'number',
  noise: 'other',
}

/** Without the last bits of a product, so that it is below what was multiplied. */
const below = 1 - 2 ** -22

/**
 * Classes drawn from logits[…, classes] as int32[…], as language models choose the next token: with probability softmax(logits /
 * temperature) of those that `topK` and then `topP` leave, by the first class up to which these add up to more than a random number. topP: A. Holtzman et al., "The curious case of
 * neural text degeneration" (2020), eq. 2 and 3. It is part of the program, as any operation, and has no gradient.
 *
 * @throws ShapeError without classes; RangeError for a temperature that is negative, a topK below 1, a topP outside (0, 1] and,
 * when evaluated, for logits with a NaN or ∞ in them
 *
 * @example
 * const next = sample(model.forward(tokens).select(0, -1), { temperature: 0.8, topK: 40, topP: 0.95, seed: 1 })
 */
export function sample(logits: TensorLike, options?: SampleOptions): Tensor {
  const given = checkOptions('sample', options, sampleOptions)
  const { temperature = 1, topK = null, topP = null, seed, noise } = given
  const x = inputOf('sample', logits)
  if (!isFloat(x.dtype)) throw new DTypeError(expected('sample', 'logits of float32 or float64', x.dtype))
  if (x.ndim === 0 || x.shape.at(-1) === 0)
    throw new ShapeError(expected('sample', 'logits […, classes]', formatShape(x.shape)))
  checkNumber('sample', 'a finite temperature of at least 0', temperature, (t) => t >= 0 && t < Infinity)
  if (topK !== null) checkInteger('sample', 'a positive topK', topK, 1)
  if (topP !== null) checkNumber('sample', 'a topP in (0, 1]', topP, (p) => p > 0 && p <= 1)
  if (temperature === 0) return argmax(x, -1)
  const rows = x.shape.slice(0, -1)
  const numbers = noise === undefined ? uniform(rows, seed === undefined ? {} : { seed }) : inputOf('sample', noise)
  if (!sameShape(numbers.shape, rows))
    throw new ShapeError(expected('sample', `noise of shape ${formatShape(rows)}`, formatShape(numbers.shape)))
  const kept = softmax(likeliest(x.div(temperature).stopGradient(), topK))
  return classAt(topP === null || topP === 1 ? kept : nucleus(kept, topP), numbers.cast(x.dtype))
}

/** −∞ in the place of what is less than the k-th greatest. */
function likeliest(logits: Tensor, k: number | null): Tensor {
  const classes = extentAt(logits.shape, -1)
  if (k === null || k >= classes) return logits
  return where(less(logits, min(topk(logits, k).values, -1, { keepDims: true })), -Infinity, logits)
}

/** 0 in the place of what is less than the last of the greatest probabilities that reach p. */
function nucleus(probabilities: Tensor, p: number): Tensor {
  const sorted = sort(probabilities, { descending: true })
  const before = cumsum(sorted, -1).sub(sorted)
  const least = min(where(less(before, p), sorted, Infinity), -1, { keepDims: true })
  return where(less(probabilities, least), 0, probabilities)
}

/** The first class up to which the probabilities are more than a part of their sum. */
function classAt(probabilities: Tensor, part: Tensor): Tensor {
  const classes = extentAt(probabilities.shape, -1)
  const reached = cumsum(probabilities, -1)
  const bound = reached
    .slice([...probabilities.shape.slice(0, -1).map(() => 0), classes - 1])
    .mul(part.mul(below).reshape([...part.shape, 1]))
  // Where it is NaN none is reached, and the count is none of a class.
  const count = sum(logicalNot(greater(reached, bound)).cast('int32'), -1)
  return gather(arange(0, classes, 1, { dtype: 'int32' }), count)
}

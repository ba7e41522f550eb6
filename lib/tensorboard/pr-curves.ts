/** What a classifier of two classes does by threshold: counted in the program. */
import { checkInteger } from '../base/arguments.ts'
import { expected, ShapeError } from '../base/errors.ts'
import { sameShape } from '../base/shape.ts'
import type { PrCurveValue } from '../events/record.ts'
import { clamp, mul } from '../operations/arithmetic.ts'
import { isNaN as areNaN, equal, notEqual, where } from '../operations/comparison.ts'
import { scatterAdd } from '../operations/indexing.ts'
import { floor } from '../operations/math.ts'
import { cast, flatten } from '../operations/shape.ts'
import { zeros } from '../tensor/creation.ts'
import { type Tensor, type TensorLike, toTensor } from '../tensor/tensor.ts'

/** How many predictions there are from each threshold up to the next: int32[thresholds] of rows of the class and of others. */
export interface PrCurveTensors {
  readonly positives: Tensor
  readonly negatives: Tensor
}

/**
 * @param labels whether a row is of the class: what is not 0 is
 * @param predictions from 0 to 1, of the shape of the labels
 * @throws ShapeError for different shapes, RangeError for fewer than two thresholds
 */
export function prCurveTensors(
  op: string,
  labels: TensorLike,
  predictions: TensorLike,
  thresholds: number,
): PrCurveTensors {
  checkInteger(op, 'an integer number of thresholds of at least 2', thresholds, 2, 1e6)
  const [truth, given] = [toTensor(op, labels), toTensor(op, predictions)]
  if (!sameShape(truth.shape, given.shape))
    throw new ShapeError(expected(op, `predictions of the shape of the labels, ${truth}`, given))
  const p = flatten(cast(given, 'float32'))
  // What is no number is predicted for no class.
  const places = cast(floor(mul(clamp(where(areNaN(p), 0, p), 0, 1), thresholds - 1)), 'int32')
  const isPositive = flatten(notEqual(truth, 0))
  const count = (which: Tensor) => scatterAdd(zeros([thresholds], { dtype: 'int32' }), places, cast(which, 'int32'))
  return { positives: count(isPositive), negatives: count(equal(isPositive, false)) }
}

/** For each number the sum of it and all that come after it. */
function sumsFromEnd(counts: ArrayLike<number>): number[] {
  let sum = 0
  return Array.from(counts)
    .reverse()
    .map((count) => (sum += count))
    .reverse()
}

/** A row counts as predicted where its prediction is at least the threshold. */
export function prCurveOf(positives: ArrayLike<number>, negatives: ArrayLike<number>): PrCurveValue {
  const [truePositives, falsePositives] = [sumsFromEnd(positives), sumsFromEnd(negatives)]
  const share = (part: number, other: number | undefined) => part / Math.max(1e-7, part + other!)
  const falseNegatives = truePositives.map((count) => truePositives[0]! - count)
  return {
    thresholds: truePositives.map((_, i) => i / (truePositives.length - 1)),
    truePositives,
    falsePositives,
    trueNegatives: falsePositives.map((count) => falsePositives[0]! - count),
    falseNegatives,
    precision: truePositives.map((count, i) => share(count, falsePositives[i])),
    recall: truePositives.map((count, i) => share(count, falseNegatives[i])),
  }
}

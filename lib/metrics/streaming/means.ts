/** Means of scores over the rows of all data. */
import { checkFunction, describe, refuseSurplus } from '../../base/arguments.ts'
import { expected, ShapeError } from '../../base/errors.ts'
import { checkOptions } from '../../base/options.ts'
import { formatShape } from '../../base/shape.ts'
import { leavesOf } from '../../base/tree.ts'
import { asFloat } from '../../losses/common.ts'
import { Tensor, type TensorLike, toTensor } from '../../tensor/tensor.ts'
import { StreamingMetric } from '../streaming.ts'
import type { Moments } from '../totals.ts'
import { flatWeights, momentsOf, type NameOption, nameOption, scalarOf, totalWeight, weighed } from './common.ts'

/** Gives a scalar that is a mean over the rows of a batch, or a value per row. */
export type ScoreFunction<Prediction = Tensor, Target = Tensor> = (prediction: Prediction, target: Target) => Tensor

/**
 * The mean of a score of your own over all rows. Of a function that gives a value per row weights weigh these; a scalar counts as
 * often as its batch has rows, or by the sum of their weights. What Keras calls MeanMetricWrapper, and TorchMetrics MeanMetric.
 *
 * @example metrics.streaming.mean((prediction, target) => prediction.sub(target).abs().max(-1), { name: 'worst' })
 */
export function mean<Prediction = Tensor, Target = Tensor>(
  score: ScoreFunction<Prediction, Target>,
  options?: NameOption,
  ...surplus: []
): StreamingMetric<Prediction, Target> {
  const { name = 'mean' } = checkOptions('mean', options, nameOption, surplus)
  checkFunction('mean', 'a function of prediction and target', score)
  return new StreamingMetric<Prediction, Target>({
    name,
    batch(prediction, target, weights) {
      const rows = rowsOf(name, target, prediction)
      const value: unknown = score(prediction, target)
      if (!(value instanceof Tensor)) throw new TypeError(expected(name, 'a tensor from its function', describe(value)))
      const w = flatWeights(name, weights, [rows])
      const weight = totalWeight(w, rows)
      if (value.ndim === 0) return { sums: { value: value.mul(weight), weight } }
      if (value.ndim === 1 && value.size === rows) return { sums: { value: weighed(value, w).sum(), weight } }
      throw new ShapeError(expected(name, `a scalar or ${rows} values from its function`, formatShape(value.shape)))
    },
    compute: (totals) => scalarOf(totals, 'value') / scalarOf(totals, 'weight'),
  })
}

/** The rows of the first tensor among the targets, or else the predictions; a single value is a row. */
function rowsOf(name: string, ...batches: unknown[]): number {
  const tensors = batches.flatMap((batch) => leavesOf(name, '', batch).map(([, leaf]) => leaf))
  const first = tensors.find((x) => x instanceof Tensor)
  if (first === undefined) throw new TypeError(expected(name, 'a tensor as prediction and as target', 'none'))
  return first.shape[0] ?? 1
}

/**
 * What a metric of your own needs of x[rows, …] for means and variances over all data, element by element of a row: see `Moments`.
 * @param weights [rows]
 * @throws ShapeError for a scalar, or for other weights
 */
export function moments(x: TensorLike, weights?: TensorLike, ...surplus: []): Moments {
  refuseSurplus('moments', 2, surplus)
  const values = asFloat(toTensor('moments', x))
  if (values.ndim === 0) throw new ShapeError(expected('moments', 'x of shape [rows, …]', formatShape(values.shape)))
  const w = weights === undefined ? undefined : toTensor('moments', weights)
  return momentsOf(values, flatWeights('moments', w, values.shape.slice(0, 1)))
}

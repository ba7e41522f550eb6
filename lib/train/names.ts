/** Losses and metrics that `fit` knows by name: the one table, which docs/training.md shows. */
import { checkText } from '../base/arguments.ts'
import { expected } from '../base/errors.ts'
import { nearestName } from '../base/options.ts'
import * as losses from '../losses/index.ts'
import { binaryAccuracy, correct, topKAccuracy } from '../metrics/metrics.ts'
import * as streaming from '../metrics/streaming/index.ts'
import type { AnyMetric } from '../metrics/streaming.ts'
import { Tensor } from '../tensor/tensor.ts'

type Score = (prediction: Tensor, target: Tensor) => Tensor

const { meanSquaredError, meanAbsoluteError, crossEntropy, binaryCrossEntropy, negativeLogLikelihood } = losses
const { huber, smoothL1, logCosh, hinge, klDivergence } = losses

/** Errors of predictions, which are losses as well as metrics. */
const errors = {
  meanSquaredError,
  mse: meanSquaredError,
  meanAbsoluteError,
  mae: meanAbsoluteError,
  l1: meanAbsoluteError,
  huber,
  smoothL1,
  logCosh,
  crossEntropy,
  binaryCrossEntropy,
  bce: binaryCrossEntropy,
  negativeLogLikelihood,
  nll: negativeLogLikelihood,
  hinge,
  klDivergence,
} satisfies Record<string, Score>

export const lossesByName = errors
export const metricsByName = { accuracy: correct, binaryAccuracy, topKAccuracy, ...errors } satisfies Record<
  string,
  Score
>

/** Metrics that are no mean over rows, or that count samples by their weights: each made for one run over data. */
export const streamingByName = {
  topKAccuracy: streaming.topKAccuracy,
  balancedAccuracy: streaming.balancedAccuracy,
  precision: streaming.precision,
  recall: streaming.recall,
  f1: streaming.f1,
  iou: streaming.iou,
  dice: streaming.dice,
  confusionMatrix: streaming.confusionMatrix,
  rocAuc: streaming.rocAuc,
  prAuc: streaming.prAuc,
  logLoss: streaming.logLoss,
  perplexity: streaming.perplexity,
  meanSquaredError: streaming.meanSquaredError,
  mse: streaming.meanSquaredError,
  meanAbsoluteError: streaming.meanAbsoluteError,
  mae: streaming.meanAbsoluteError,
  l1: streaming.meanAbsoluteError,
  rootMeanSquaredError: streaming.rootMeanSquaredError,
  rmse: streaming.rootMeanSquaredError,
  meanAbsolutePercentageError: streaming.meanAbsolutePercentageError,
  mape: streaming.meanAbsolutePercentageError,
  r2: streaming.r2,
  explainedVariance: streaming.explainedVariance,
  cosineSimilarity: streaming.cosineSimilarity,
} satisfies Record<string, () => AnyMetric>

export type StreamingName = keyof typeof streamingByName

/**
 * The metric of a name, which has seen nothing: a streaming one, or the mean over rows of one of `metricsByName`.
 * @throws RangeError for a name that is in neither table
 */
export function streamingMetric(name: StreamingName | MetricName, op = 'fit'): AnyMetric {
  const means = Object.entries(metricsByName).map(([name, score]) => [
    name,
    () => streaming.mean(ofTensors(op, `metric ${name}`, score), { name }),
  ])
  const makers: Record<string, (options: { name: string }) => AnyMetric> = {
    ...Object.fromEntries(means),
    ...streamingByName,
  }
  return byName(op, 'a metric, a name or { name: function }', name, makers)({ name })
}

export type LossName = keyof typeof lossesByName
export type MetricName = keyof typeof metricsByName

/** A score of single tensors as one of whatever a model gives, which has to be a tensor then. */
export const ofTensors =
  (op: string, what: string, score: Score) =>
  (prediction: unknown, target: unknown, ...rest: unknown[]): Tensor => {
    for (const value of [prediction, target])
      if (!(value instanceof Tensor))
        throw new TypeError(
          expected(
            op,
            `a tensor as prediction and as target for ${what}`,
            value === undefined ? 'no targets' : `several: give those of each output by its name, or a function`,
          ),
        )
    return (score as (...args: unknown[]) => Tensor)(prediction, target, ...rest)
  }

/** @throws RangeError for a name that is not in the table */
export function byName<T>(op: string, what: string, name: string, table: Readonly<Record<string, T>>): T {
  checkText(op, what, name)
  const found = Object.hasOwn(table, name) ? table[name] : undefined
  if (found !== undefined) return found
  const names = Object.keys(table)
  const nearest = nearestName(name, names)
  const hint = nearest === undefined ? '' : `; did you mean ${nearest}?`
  throw new RangeError(`${expected(op, `${what} (${names.join(', ')})`, name)}${hint}`)
}

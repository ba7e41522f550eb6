/** How likely the labels are by the predicted probabilities. */
import { checkOptions } from '../../base/options.ts'
import { binaryCrossEntropy } from '../../losses/binary.ts'
import { asFloat, pick } from '../../losses/common.ts'
import { clamp } from '../../operations/arithmetic.ts'
import { softmaxCrossEntropy } from '../../operations/softmax.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { StreamingMetric } from '../streaming.ts'
import type { MetricTotals } from '../totals.ts'
import {
  checkTask,
  givenOf,
  labelledCases,
  refuseIgnoreIndex,
  rowsOf,
  type ScoreOptions,
  scoreOptions,
} from './cases.ts'
import { flatWeights, scalarOf, totalWeight, weighed } from './common.ts'

/** The distance of float32 from 1 to the next number: probabilities are at least so far from 0 and from 1. */
const leastProbability = 2 ** -23

const within = (p: Tensor): Tensor => clamp(asFloat(p), leastProbability, 1 - leastProbability)

/** −log of the probability of each yes, and of one minus that of each no. */
const lossesOfYes = (x: Tensor, target: Tensor, from: string): Tensor =>
  from === 'logits'
    ? binaryCrossEntropy(x, target, { reduction: 'none' })
    : binaryCrossEntropy(within(x), target, { fromLogits: false, reduction: 'none' })

const lossesOfClasses = (x: Tensor, labels: Tensor, from: string): Tensor =>
  from === 'logits' ? softmaxCrossEntropy(x, labels) : pick(within(x), labels).log().neg()

const lossesOfRows = (x: Tensor, rows: Tensor, from: string): Tensor =>
  from === 'logits' ? softmaxCrossEntropy(x, rows) : within(x).log().mul(rows).sum(-1).neg()

function likelihood(
  op: string,
  options: ScoreOptions | undefined,
  surplus: readonly unknown[],
  result: (mean: number) => number,
): StreamingMetric {
  const given = checkOptions(op, options, scoreOptions, surplus)
  const { name = op, from = 'logits' } = given
  checkTask(op, given)
  const lossesOf = (x: Tensor, y: Tensor, w: Tensor | undefined): { losses: Tensor; weights: Tensor | undefined } => {
    const { task, prediction, target, shape } = givenOf(name, x, y, given)
    if (task === 'multiclass' && target.ndim < prediction.ndim) {
      const { labels, weights } = labelledCases(name, target, w, given)
      return { losses: lossesOfClasses(asFloat(rowsOf(prediction)), labels, from), weights }
    }
    refuseIgnoreIndex(name, given)
    const weights = flatWeights(name, w, shape)
    const p = asFloat(target)
    if (task === 'multiclass') return { losses: lossesOfRows(asFloat(prediction), p, from).flatten(), weights }
    const losses = lossesOfYes(prediction, p, from)
    return { losses: task === 'binary' ? losses.flatten() : losses.sum(-1).flatten(), weights }
  }
  return new StreamingMetric({
    name,
    batch(x, y, w) {
      const { losses, weights } = lossesOf(x, y, w)
      return { sums: { loss: weighed(losses, weights).sum(), weight: totalWeight(weights, losses.size) } }
    },
    compute: (totals: MetricTotals) => result(scalarOf(totals, 'loss') / scalarOf(totals, 'weight')),
  })
}

/**
 * The mean of −log of the probability of what is right; scikit-learn's log_loss, Keras's SparseCategoricalCrossentropy and
 * BinaryCrossentropy. Probabilities count as at least 2⁻²³, and at most 1 − 2⁻²³, as scikit-learn takes those of float32; of logits
 * there is no bound. Of multilabel the losses of the labels of a case are added up.
 *
 * @throws ShapeError, DTypeError (from update or batch) for labels that do not fit; RangeError when evaluated, for a label that is no class
 */
export const logLoss = (options?: ScoreOptions, ...surplus: []): StreamingMetric =>
  likelihood('logLoss', options, surplus, (mean) => mean)

/**
 * e to the mean of −log of the probability of what is right: of tokens[n, length] by logits[n, length, vocabulary], with `ignoreIndex`
 * without their padding. TorchMetrics's Perplexity.
 * @throws as `logLoss`
 */
export const perplexity = (options?: ScoreOptions, ...surplus: []): StreamingMetric =>
  likelihood('perplexity', options, surplus, Math.exp)

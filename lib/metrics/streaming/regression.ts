/** Errors of predicted numbers, as scikit-learn defines them: of each output, and then their mean. */
import { expected, ShapeError } from '../../base/errors.ts'
import { zipWith } from '../../base/lists.ts'
import { checkOptions, type OptionTypes } from '../../base/options.ts'
import { formatShape, sameShape } from '../../base/shape.ts'
import { asFloat } from '../../losses/common.ts'
import { cosineSimilarity as cosine } from '../../operations/distances.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { StreamingMetric } from '../streaming.ts'
import type { MetricParts, MetricTotals } from '../totals.ts'
import {
  checkTensors,
  flatWeights,
  momentsOf,
  type NameOption,
  nameOption,
  scalarOf,
  totalWeight,
  valuesOf,
  weighed,
} from './common.ts'

/** The mean over the outputs, or the value of each. */
export type Outputs = number | number[]

export interface RegressionOptions extends NameOption {
  /**
   * What becomes of the values of several outputs [rows, …], each of which is taken by itself: their mean unless given, or
   * `'rawValues'`, a list. scikit-learn and TorchMetrics: multioutput.
   */
  multioutput?: 'uniformAverage' | 'rawValues'
}

export interface VarianceOptions extends NameOption {
  /** As in `RegressionOptions`, or `'varianceWeighted'`: the mean weighted by the variances of the targets. */
  multioutput?: 'uniformAverage' | 'rawValues' | 'varianceWeighted'
}

const regressionOptions: OptionTypes<RegressionOptions> = {
  ...nameOption,
  multioutput: ['uniformAverage', 'rawValues'],
}

const varianceOptions: OptionTypes<VarianceOptions> = {
  ...nameOption,
  multioutput: ['uniformAverage', 'rawValues', 'varianceWeighted'],
}

interface Pairs {
  /** [rows, outputs] each */
  readonly prediction: Tensor
  readonly target: Tensor
  /** [rows] */
  readonly weights: Tensor | undefined
  readonly weight: Tensor
}

function pairsOf(op: string, prediction: Tensor, target: Tensor, weights: Tensor | undefined): Pairs {
  const [x, y] = checkTensors(op, prediction, target)
  if (!sameShape(x.shape, y.shape))
    throw new ShapeError(expected(op, `targets of shape ${formatShape(x.shape)}`, formatShape(y.shape)))
  const rows = x.shape[0] ?? 1
  const columns = x.shape.slice(1).reduce((product, extent) => product * extent, 1)
  const [a, b] = [x, y].map((t) => asFloat(t).reshape([rows, columns])) as [Tensor, Tensor]
  const w = flatWeights(op, weights, [rows])
  return { prediction: a, target: b, weights: w, weight: totalWeight(w, rows) }
}

const meanOf = (values: readonly number[]): number => values.reduce((sum, x) => sum + x, 0) / values.length

const averaged = (values: number[], multioutput: string | undefined): Outputs =>
  multioutput === 'rawValues' ? values : meanOf(values)

/** A metric that is a function of the mean of the errors of single elements. */
function meanError(
  op: string,
  options: RegressionOptions | undefined,
  surplus: readonly unknown[],
  error: (prediction: Tensor, target: Tensor) => Tensor,
  ofMean = (x: number) => x,
): StreamingMetric<Tensor, Tensor, Outputs> {
  const { name = op, multioutput } = checkOptions(op, options, regressionOptions, surplus)
  return new StreamingMetric<Tensor, Tensor, Outputs>({
    name,
    batch(x, y, w) {
      const { prediction, target, weights, weight } = pairsOf(name, x, y, w)
      return { sums: { error: weighed(error(prediction, target), weights).sum(0), weight } }
    },
    compute(totals) {
      const weight = scalarOf(totals, 'weight')
      return averaged(
        Array.from(valuesOf(totals.sums, 'error'), (x) => ofMean(x / weight)),
        multioutput,
      )
    },
  })
}

const squaredError = (x: Tensor, y: Tensor): Tensor => x.sub(y).square()

/** The mean of |prediction − target|; scikit-learn's mean_absolute_error, Keras's MeanAbsoluteError. */
export const meanAbsoluteError = (
  options?: RegressionOptions,
  ...surplus: []
): StreamingMetric<Tensor, Tensor, Outputs> =>
  meanError('meanAbsoluteError', options, surplus, (x, y) => x.sub(y).abs())

/** The mean of (prediction − target)²; scikit-learn's mean_squared_error, Keras's MeanSquaredError. */
export const meanSquaredError = (
  options?: RegressionOptions,
  ...surplus: []
): StreamingMetric<Tensor, Tensor, Outputs> => meanError('meanSquaredError', options, surplus, squaredError)

/**
 * The root of the mean of (prediction − target)², of each output by itself; scikit-learn's root_mean_squared_error, Keras's
 * RootMeanSquaredError, which takes the root of the mean over the outputs.
 */
export const rootMeanSquaredError = (
  options?: RegressionOptions,
  ...surplus: []
): StreamingMetric<Tensor, Tensor, Outputs> =>
  meanError('rootMeanSquaredError', options, surplus, squaredError, Math.sqrt)

/** float64's distance from 1 to the next number: what scikit-learn divides by in place of a smaller target. */
const leastTarget = 2 ** -52

/**
 * The mean of |prediction − target| / |target|, as a fraction and not in percent, huge where a target is 0; scikit-learn's
 * mean_absolute_percentage_error.
 */
export const meanAbsolutePercentageError = (
  options?: RegressionOptions,
  ...surplus: []
): StreamingMetric<Tensor, Tensor, Outputs> =>
  meanError('meanAbsolutePercentageError', options, surplus, (x, y) => x.sub(y).abs().div(y.abs().maximum(leastTarget)))

/** 1 − error / variance of each output; where the targets do not vary 1 without an error, and 0 with one, as scikit-learn has it. */
function explained(errors: readonly number[], variances: readonly number[], multioutput: string | undefined): Outputs {
  const values = zipWith(errors, variances, (error, variance) => {
    if (variance === 0) return error === 0 ? 1 : Number.isNaN(error) ? Number.NaN : 0
    return 1 - error / variance
  })
  const total = variances.reduce((sum, x) => sum + x, 0)
  if (multioutput !== 'varianceWeighted' || total === 0) return averaged(values, multioutput)
  return zipWith(values, variances, (value, variance) => value * variance).reduce((sum, x) => sum + x, 0) / total
}

function varianceMetric(
  op: string,
  options: VarianceOptions | undefined,
  surplus: readonly unknown[],
  batch: (pairs: Pairs) => MetricParts,
  errorsIn: (totals: MetricTotals) => Float64Array,
): StreamingMetric<Tensor, Tensor, Outputs> {
  const { name = op, multioutput } = checkOptions(op, options, varianceOptions, surplus)
  return new StreamingMetric<Tensor, Tensor, Outputs>({
    name,
    batch(x, y, w) {
      const pairs = pairsOf(name, x, y, w)
      const { moments, sums = {} } = batch(pairs)
      const rows = totalWeight(undefined, pairs.target.shape[0] ?? 0)
      return { sums: { ...sums, rows }, moments: { ...moments, target: momentsOf(pairs.target, pairs.weights) } }
    },
    compute(totals) {
      const { squares } = valuesOf(totals.moments, 'target')
      const errors = errorsIn(totals)
      return explained(Array.from(errors), Array.from(squares), multioutput)
    },
  })
}

/**
 * The coefficient of determination, 1 − Σ(target − prediction)² / Σ(target − mean target)², of all data and not of batches;
 * scikit-learn's r2_score, Keras's R2Score. Where the targets do not vary it is 1 without an error, and else 0; of a single row NaN.
 */
export function r2(options?: VarianceOptions, ...surplus: []): StreamingMetric<Tensor, Tensor, Outputs> {
  return varianceMetric(
    'r2',
    options,
    surplus,
    ({ prediction, target, weights }) => ({
      sums: { error: weighed(squaredError(prediction, target), weights).sum(0) },
    }),
    (totals) => {
      const errors = valuesOf(totals.sums, 'error')
      return scalarOf(totals, 'rows') < 2 ? errors.map(() => Number.NaN) : errors
    },
  )
}

/**
 * 1 − Var(target − prediction) / Var(target): as `r2`, but for a constant error, which does not count; scikit-learn's
 * explained_variance_score.
 */
export function explainedVariance(options?: VarianceOptions, ...surplus: []): StreamingMetric<Tensor, Tensor, Outputs> {
  return varianceMetric(
    'explainedVariance',
    options,
    surplus,
    ({ prediction, target, weights }) => ({ moments: { error: momentsOf(target.sub(prediction), weights) } }),
    ({ moments }) => valuesOf(moments, 'error').squares,
  )
}

/** The mean of the cosines of the angles between prediction[…, n] and target[…, n], 0 where one of them is 0; Keras's CosineSimilarity. */
export function cosineSimilarity(options?: NameOption, ...surplus: []): StreamingMetric {
  const { name = 'cosineSimilarity' } = checkOptions('cosineSimilarity', options, nameOption, surplus)
  return new StreamingMetric({
    name,
    batch(prediction, target, weights) {
      const [x, y] = checkTensors(name, prediction, target)
      if (x.ndim === 0 || !sameShape(x.shape, y.shape))
        throw new ShapeError(
          expected(
            name,
            'predictions and targets of one shape […, n]',
            `${formatShape(x.shape)} and ${formatShape(y.shape)}`,
          ),
        )
      const cosines = cosine(x, y).flatten()
      const w = flatWeights(name, weights, x.shape.slice(0, -1))
      return { sums: { value: weighed(cosines, w).sum(), weight: totalWeight(w, cosines.size) } }
    },
    compute: (totals) => scalarOf(totals, 'value') / scalarOf(totals, 'weight'),
  })
}

/** What a model is worth on data, and the evaluation of tensors, which have one name. */
import { type Abortable, type CallOptions, liveSignal, unlessAborted } from '../base/abort.ts'
import { checkInteger } from '../base/arguments.ts'
import { checkOptions, type OptionTypes } from '../base/options.ts'
import type { Batch } from '../data/dataset.ts'
import { randomStream } from '../tensor/random.ts'
import { evaluate as evaluateTensors, Tensor } from '../tensor/tensor.ts'
import { addAll } from './loop.ts'
import { type LossSettings, trainingLoss } from './loss.ts'
import {
  type AnyData,
  type AnyTrainable,
  checkData,
  checkModel,
  type FitOptions,
  sourceOf,
  type Trainable,
  type TrainingData,
} from './options.ts'
import { usualMilliseconds } from './pace.ts'
import { type Metric, type MetricsByOutput, metricTable, type Scores, Totals } from './scores.ts'
import { scoringStep } from './steps.ts'

/** Those of `fit` that say what is scored, and how. */
export interface EvaluateOptions<Prediction = Tensor, Target extends Batch = Tensor>
  extends Pick<FitOptions<Prediction, Target>, 'loss' | 'lossWeights' | 'classWeights' | 'batchSize' | 'metrics'> {
  /** Ends it soon after it is aborted. */
  signal?: Abortable | undefined
}

const evaluateOptions: OptionTypes<EvaluateOptions> = {
  loss: 'other',
  lossWeights: 'other',
  classWeights: 'other',
  batchSize: 'number',
  metrics: 'other',
  signal: 'other',
}

/**
 * Computes several tensors in one program, off the event loop. An AbortSignal may follow them: `evaluate(x, y, { signal })`.
 * @returns the same tensors, evaluated.
 * @throws (rejects with) the signal's reason once it is aborted: what is not computed yet is not computed then
 */
export function evaluate<T extends readonly Tensor[]>(...args: readonly [...T, CallOptions]): Promise<T>
export function evaluate<T extends readonly Tensor[]>(...tensors: T): Promise<T>
/**
 * Scores a model on a data set or a stream, in evaluation mode and off the event loop: the means of the loss and the metrics over all
 * rows, as `fit` gives them for its validation set (Keras's `model.evaluate`).
 *
 * @throws (rejects with) TypeError, RangeError, ShapeError for options, a model or data that do not fit; the signal's reason
 *
 * @example
 * const { loss, accuracy } = await evaluate(model, test, { loss: 'crossEntropy', metrics: ['accuracy'], batchSize: 256 })
 */
export function evaluate<X extends Batch = Tensor, Y extends Batch = Tensor, Prediction = Tensor>(
  model: Trainable<NoInfer<X>, Prediction>,
  data: TrainingData<X, Y>,
  options: EvaluateOptions<Prediction, Y>,
): Promise<Scores>
export function evaluate(...args: readonly unknown[]): Promise<unknown> {
  const [model, data, options, ...surplus] = args
  if (!isModel(model)) return evaluateTensors(...(args as readonly Tensor[]))
  return evaluateModel(model, data as AnyData, options as EvaluateOptions, surplus)
}

const isModel = (x: unknown): x is AnyTrainable =>
  typeof x === 'object' &&
  x !== null &&
  !(x instanceof Tensor) &&
  typeof (x as Partial<AnyTrainable>).forward === 'function'

async function evaluateModel(
  model: AnyTrainable,
  given: AnyData,
  options: EvaluateOptions,
  surplus: readonly unknown[],
): Promise<Scores> {
  const op = 'evaluate'
  checkModel(op, model)
  const data = checkData(op, 'a data set', given)
  const checked = checkOptions(op, options, evaluateOptions, surplus)
  const { batchSize = 32, metrics = [] } = checked
  checkInteger(op, 'a batchSize that is an integer of at least 1', batchSize, 1)
  const loss = trainingLoss(op, checked as unknown as LossSettings)
  const table = metricTable(op, metrics as readonly Metric<never, never>[] | MetricsByOutput)
  const signal = liveSignal(op, checked)
  const source = sourceOf(op, data, checked)
  await unlessAborted(signal, source.load())
  const score = scoringStep(source, { op, model, loss, metrics: table, seed: randomStream().seed, watching: [] })
  const totals = new Totals(table, loss.names)
  await addAll(totals, score, source, { batchSize, signal, sliceMilliseconds: usualMilliseconds, watching: [] })
  return totals.scores()
}

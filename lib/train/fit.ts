import { type Compiled, compile } from '../compile.ts'
import { tensor } from '../creation.ts'
import type { Dataset } from '../data/dataset.ts'
import type { Tensor } from '../tensor.ts'
import { type EpochInfo, type FitOptions, type Settings, settingsOf, type Trainable } from './options.ts'
import { pipeline } from './pipeline.ts'
import { metricSums, RunningScores, type Scores } from './scores.ts'
import { permutation } from './shuffle.ts'

export type { BatchInfo, Callbacks, EpochInfo, FitOptions, Trainable } from './options.ts'
export type { Metric, MetricFunction, Scores } from './scores.ts'

export interface History {
  epochs: EpochInfo[]
}

/** From the indices of a batch's rows to its loss and the sums of its metrics. */
type Step = Compiled<[rows: Tensor], Tensor[]>

const millisecondsBetweenCallbacks = 50

/**
 * Trains a model on a data set: a compiled step per batch, which gathers the rows, maps them, and updates the
 * parameters. It runs off the event loop; the promise settles when nothing is under way any more.
 *
 * @returns for each epoch the mean loss and metrics, the seconds it took, and the same means of the validation set
 * @throws (rejects with) a TypeError, RangeError or ShapeError for options, a model, data or labels that do not fit; an
 * Error where the loss is no longer finite; the signal's reason; and what a callback throws
 *
 * @example
 * const history = await fit(model, data.fromTensors(images, labels), {
 *   epochs: 5,
 *   batchSize: 128,
 *   loss: losses.crossEntropy,
 *   optimizer: optim.adam(),
 *   metrics: ['accuracy'],
 * })
 */
export async function fit(model: Trainable, dataset: Dataset, options: FitOptions): Promise<History> {
  const settings = settingsOf(model, dataset, options)
  const { epochs, validation, callbacks, signal } = settings
  signal?.throwIfAborted()
  await Promise.all([dataset.load(), validation?.load()])
  const train = trainingStep(model, dataset, settings)
  const score = validation && scoringStep(model, validation, settings)
  const history: History = { epochs: [] }
  for (let epoch = 0; epoch < epochs; epoch++) {
    const start = performance.now()
    const scores = await trainEpoch(train, dataset.size, epoch, settings)
    const info: EpochInfo = { epoch, ...scores, seconds: (performance.now() - start) / 1000 }
    if (score) info.validation = await scoreRows(score, validation.size, settings)
    history.epochs.push(info)
    await callbacks.onEpochEnd?.({ ...info })
    signal?.throwIfAborted()
  }
  return history
}

function trainingStep(model: Trainable, dataset: Dataset, { loss, optimizer, metrics }: Settings): Step {
  const parameters = model.parameters().filter(({ trainable }) => trainable)
  return compile((rows: Tensor) => {
    const [x, y] = dataset.batch(rows)
    const prediction = model.forward(x)
    const value = optimizer.minimize(() => loss(prediction, y), parameters)
    return [value, ...metricSums(metrics, prediction, y, rows.size)]
  })
}

function scoringStep(model: Trainable, dataset: Dataset, { loss, metrics }: Settings): Step {
  return compile((rows: Tensor) => {
    const [x, y] = dataset.batch(rows)
    const prediction = model.forward(x)
    return [loss(prediction, y), ...metricSums(metrics, prediction, y, rows.size)]
  })
}

function* batchesOf(rows: Int32Array, batchSize: number, signal: AbortSignal | undefined): Generator<Int32Array> {
  for (let start = 0; start < rows.length; start += batchSize) {
    signal?.throwIfAborted()
    yield rows.subarray(start, start + batchSize)
  }
}

const submit = (step: Step) => (rows: Int32Array) => step(tensor(rows))

async function trainEpoch(train: Step, size: number, epoch: number, settings: Settings): Promise<Scores> {
  const { batchSize, shuffle, seed, signal, metrics, callbacks } = settings
  const rows = shuffle ? permutation(size, seed, epoch) : range(size)
  const steps = Math.ceil(size / batchSize)
  const scores = new RunningScores(metrics)
  let step = 0
  let called = performance.now()
  await pipeline(batchesOf(rows, batchSize, signal), submit(train), async (results, batch) => {
    step++
    addResults(scores, results, batch.length)
    checkLoss(results[0]!.itemSync(), epoch, step)
    if (!callbacks.onBatchEnd || (step < steps && performance.now() - called < millisecondsBetweenCallbacks)) return
    await callbacks.onBatchEnd({ epoch, step, steps, samples: scores.samples, ...scores.means() })
    called = performance.now()
  })
  return scores.means()
}

async function scoreRows(score: Step, size: number, { batchSize, signal, metrics }: Settings): Promise<Scores> {
  const scores = new RunningScores(metrics)
  await pipeline(batchesOf(range(size), batchSize, signal), submit(score), async (results, batch) =>
    addResults(scores, results, batch.length),
  )
  return scores.means()
}

const range = (size: number): Int32Array => Int32Array.from({ length: size }, (_, i) => i)

function addResults(scores: RunningScores, results: readonly Tensor[], rows: number): void {
  const [loss, ...sums] = results.map((result) => result.itemSync())
  scores.add(rows, loss!, sums)
}

function checkLoss(loss: number, epoch: number, step: number): void {
  if (Number.isFinite(loss)) return
  const hint = 'try a lower learning rate, and look for NaN, infinite or very large numbers in the data'
  throw new Error(`fit: loss is ${loss} at epoch ${epoch + 1}, step ${step}; ${hint}`)
}

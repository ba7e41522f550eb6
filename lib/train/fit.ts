/** The training loop. */
import { unlessAborted } from '../base/abort.ts'
import { checkList, describe } from '../base/arguments.ts'
import { expected, GradientError, ShapeError } from '../base/errors.ts'
import { elementAt } from '../base/lists.ts'
import type { Batch, Dataset } from '../data/dataset.ts'
import { withMode } from '../nn/module.ts'
import { SingleValueError } from '../nn/normalization.ts'
import type { HasNamedParameters } from '../optim/parameters.ts'
import { otherVariables } from '../optim/reach.ts'
import { tensor } from '../tensor/creation.ts'
import { randomStream } from '../tensor/random.ts'
import { Tensor } from '../tensor/tensor.ts'
import { Variable } from '../tensor/variable.ts'
import { type Compiled, compile } from '../transforms/compile.ts'
import {
  type AnyDataset,
  type AnyTrainable,
  type EpochInfo,
  type FitOptions,
  type Settings,
  settingsOf,
  type Trainable,
} from './options.ts'
import { Pace } from './pace.ts'
import { pipeline } from './pipeline.ts'
import { metricSums, RunningScores, type Scores } from './scores.ts'
import { permutation, range } from './shuffle.ts'

export type { BatchInfo, Callbacks, EpochInfo, FitOptions, Trainable } from './options.ts'
export type { Metric, MetricFunction, Scores } from './scores.ts'

export interface History {
  epochs: EpochInfo[]
}

/** From the indices of a batch's rows to its loss and the sums of its metrics, all scalars. */
type Step = Compiled<[rows: Tensor], Tensor[]>

const millisecondsBetweenCallbacks = 50

/**
 * Trains a model on a data set: a compiled step per batch, which gathers the rows, maps them, and updates the
 * parameters. It runs off the event loop, some milliseconds of steps at a time; the promise settles when no step is
 * under way any more. Its random numbers follow from its seed alone. It trains in training mode and validates in
 * evaluation mode, whatever the mode of the model, and leaves that as it is; what was frozen (`model.freeze`) is in evaluation mode
 * throughout, and learns nothing.
 *
 * Inputs, targets and predictions are tensors, or several in a list or by name, as the data set has them and the model gives them;
 * the loss is a function of both then.
 *
 * @returns for each epoch the mean loss and metrics, the seconds it took, and the same means of the validation set
 * @throws (rejects with) a TypeError, RangeError or ShapeError for options, a model, data or labels that do not fit; a GradientError
 * where the loss depends on a trainable variable that `parameters()` of the model lacks; an Error where the loss is no longer finite; the signal's reason; and what a callback throws
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
export async function fit<X extends Batch = Tensor, Y extends Batch = Tensor, Prediction = Tensor>(
  model: Trainable<NoInfer<X>, Prediction>,
  dataset: Dataset<X, Y>,
  options: FitOptions<Prediction, Y, X>,
): Promise<History> {
  const settings = settingsOf(model, dataset, options)
  const { epochs, validation, callbacks, signal } = settings
  signal?.throwIfAborted()
  await unlessAborted(signal, Promise.all([dataset.load(), validation?.load()]))
  checkSingleRow(model, dataset, settings)
  const train = trainingStep(model, dataset, settings)
  const score = validation && scoringStep(model, validation, settings)
  const history: History = { epochs: [] }
  for (let epoch = 0; epoch < epochs; epoch++) {
    const start = performance.now()
    const scores = await trainEpoch(train, dataset.size, epoch, settings)
    const info: EpochInfo = { epoch, ...scores, seconds: (performance.now() - start) / 1000 }
    if (score) info.validation = await scoreRows(score, validation.size, settings)
    history.epochs.push(info)
    await unlessAborted(signal, callbacks.onEpochEnd?.({ ...info }))
  }
  return history
}

function trainingStep(model: AnyTrainable, dataset: AnyDataset, { loss, optimizer, metrics, seed }: Settings): Step {
  return compileWithSeed(seed, (rows) => {
    const [x, y] = dataset.batch(rows)
    // Asked for at each recording, as parts may have been frozen or unfrozen meanwhile.
    const parameters = parametersOf(model).filter(({ trainable }) => trainable)
    return withMode(model, parameters, true, () => {
      const prediction = model.forward(x as never)
      const named = namesOf(model, parameters)
      const value = optimizer.minimize(() => checkedLoss(loss(prediction, y), parameters), named)
      return [value, ...metricSums(metrics, prediction, y, rows.size)]
    })
  })
}

function parametersOf(model: AnyTrainable): readonly Variable[] {
  const parameters = checkList('fit', 'a list of variables from parameters() of the model', model.parameters())
  for (const x of parameters)
    if (!(x instanceof Variable))
      throw new TypeError(expected('fit', 'variables from parameters() of the model', describe(x)))
  return parameters
}

/** Parameters by the names that the model gives them, or by their numbers: the optimizer's state has them. */
function namesOf(model: AnyTrainable, parameters: readonly Variable[]): Record<string, Variable> {
  const { namedParameters } = model as Partial<HasNamedParameters>
  const found = typeof namedParameters === 'function' ? Object.entries(namedParameters.call(model)) : []
  const names = new Map(found.map(([name, variable]) => [variable, name]))
  return Object.fromEntries(parameters.map((variable, i) => [names.get(variable) ?? String(i), variable]))
}

/** A variable that the loss depends on and the model does not give would never learn. */
function checkedLoss(loss: Tensor, parameters: readonly Variable[]): Tensor {
  if (!(loss instanceof Tensor)) throw new TypeError(expected('fit', 'a loss that gives a tensor', describe(loss)))
  const [missing] = otherVariables(loss, parameters)
  if (missing === undefined) return loss
  throw new GradientError(
    `fit: the loss depends on ${missing}, which is not among the parameters() of the model: a module in a private field is not found; ` +
      'what is not to be trained is frozen, or made with trainable: false',
  )
}

/** Ends the recording of a step that is not to be prepared. */
const recorded = new Error('recorded')

/**
 * Records the model on a single row, where a step will be of one: batch normalization cannot take that, and says so here
 * before anything is trained. What else is wrong with the model its steps will say.
 */
function checkSingleRow(model: AnyTrainable, dataset: AnyDataset, { batchSize, dropLast, seed }: Settings): void {
  const left = batchSize === 1 || dataset.size === 1 ? 1 : dropLast ? 0 : dataset.size % batchSize
  if (left !== 1) return
  const step = compileWithSeed(seed, (rows) => {
    const [x] = dataset.batch(rows)
    withMode(model, parametersOf(model), true, () => model.forward(x as never))
    throw recorded
  })
  try {
    step.program(tensor([0], { dtype: 'int32' }))
  } catch (error) {
    if (!(error instanceof SingleValueError)) return
    const batches = `${dataset.size} rows in batches of ${batchSize}, of which one has a single row`
    throw new ShapeError(
      `${expected('fit', 'more than one row in each batch for batch normalization', batches)}; see dropLast`,
    )
  }
}

function scoringStep(model: AnyTrainable, dataset: AnyDataset, { loss, metrics, seed }: Settings): Step {
  return compileWithSeed(seed, (rows) => {
    const [x, y] = dataset.batch(rows)
    return withMode(model, parametersOf(model), false, () => {
      const prediction = model.forward(x as never)
      return [loss(prediction, y), ...metricSums(metrics, prediction, y, rows.size)]
    })
  })
}

function compileWithSeed(seed: number, step: (rows: Tensor) => Tensor[]): Step {
  const random = randomStream(seed)
  return compile((rows: Tensor) => random.run(() => step(rows)))
}

/** The rows of some steps, equally many for each. */
interface Batches {
  readonly rows: Int32Array
  readonly steps: number
}

function* batchesOf(rows: Int32Array, pace: Pace, { batchSize, signal }: Settings): Generator<Batches> {
  for (let start = 0; start < rows.length; ) {
    signal?.throwIfAborted()
    const left = rows.length - start
    const steps = Math.max(1, Math.min(pace.steps, Math.floor(left / batchSize)))
    const count = Math.min(left, steps * batchSize)
    yield { rows: rows.subarray(start, start + count), steps }
    start += count
  }
}

/** Goes through all rows; for each crossing `receive` gets, step by step, the loss and the sums of the metrics. */
async function runSteps(
  step: Step,
  rows: Int32Array,
  settings: Settings,
  receive: (steps: readonly StepResult[]) => unknown,
): Promise<void> {
  const pace = new Pace()
  const submit = ({ rows, steps }: Batches) => step.scan(tensor(rows, { shape: [steps, rows.length / steps] }))
  await pipeline(batchesOf(rows, pace, settings), submit, async (results, { rows, steps }) => {
    pace.ended(steps)
    const [losses, ...sums] = results.map((result) => result.dataSync())
    const rowsPerStep = rows.length / steps
    const each = Array.from({ length: steps }, (_, i) => ({
      rows: rowsPerStep,
      loss: losses![i]!,
      sums: sums.map((sum) => elementAt(sum, i)),
    }))
    await receive(each)
    pace.resume()
  })
}

interface StepResult {
  readonly rows: number
  readonly loss: number
  readonly sums: readonly number[]
}

async function trainEpoch(train: Step, size: number, epoch: number, settings: Settings): Promise<Scores> {
  const { batchSize, dropLast, shuffle, seed, metrics, callbacks, signal } = settings
  const all = shuffle ? await permutation(size, seed, epoch) : range(size)
  const rows = dropLast ? all.subarray(0, size - (size % batchSize)) : all
  const steps = Math.ceil(rows.length / batchSize)
  const scores = new RunningScores(metrics)
  let step = 0
  let called = performance.now()
  await runSteps(train, rows, settings, async (results) => {
    for (const { rows, loss, sums } of results) {
      step++
      scores.add(rows, loss, sums)
      checkLoss(loss, epoch, step)
    }
    if (!callbacks.onBatchEnd || (step < steps && performance.now() - called < millisecondsBetweenCallbacks)) return
    const info = { epoch, step, steps, samples: scores.samples, ...scores.means() }
    await unlessAborted(signal, callbacks.onBatchEnd(info))
    called = performance.now()
  })
  return scores.means()
}

async function scoreRows(score: Step, size: number, settings: Settings): Promise<Scores> {
  const scores = new RunningScores(settings.metrics)
  await runSteps(score, range(size), settings, (results) => {
    for (const { rows, loss, sums } of results) scores.add(rows, loss, sums)
  })
  return scores.means()
}

function checkLoss(loss: number, epoch: number, step: number): void {
  if (Number.isFinite(loss)) return
  const hint = 'try a lower learning rate, and look for NaN, infinite or very large numbers in the data'
  throw new Error(`fit: loss is ${loss} at epoch ${epoch + 1}, step ${step}; ${hint}`)
}

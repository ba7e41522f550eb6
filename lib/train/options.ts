/** What `fit` may be told, and what it makes of it. */

import type { Abortable } from '../base/abort.ts'
import { checkFunction, checkNumber, describe } from '../base/arguments.ts'
import { expected } from '../base/errors.ts'
import { foreignKind } from '../base/identity.ts'
import { checkOptions, isPlainObject, type OptionTypes } from '../base/options.ts'
import { type Batch, Dataset } from '../data/dataset.ts'
import { Stream } from '../data/stream.ts'
import { checkPath } from '../files/file-error.ts'
import { accumulate } from '../optim/accumulate.ts'
import { chain } from '../optim/chain.ts'
import { clipByGlobalNorm, clipByValue } from '../optim/clip.ts'
import type { Minimizer } from '../optim/minimizer.ts'
import { Optimizer } from '../optim/optimizer.ts'
import type { Precision } from '../program/vocabulary.ts'
import { randomStream } from '../tensor/random.ts'
import type { Tensor } from '../tensor/tensor.ts'
import type { Variable } from '../tensor/variable.ts'
import { type Callbacks, checkCallbacks } from './callbacks/callback.ts'
import { type CheckpointOptions, type CheckpointSettings, checkpointSettings } from './checkpoints.ts'
import {
  type ClassWeights,
  type LossesByOutput,
  type LossFunction,
  type LossSettings,
  type TrainingLoss,
  trainingLoss,
} from './loss.ts'
import type { LossName } from './names.ts'
import { usualMilliseconds } from './pace.ts'
import { type Metric, type MetricsByOutput, type MetricTable, metricTable } from './scores.ts'
import { RowSource, type Source, StreamSource } from './source.ts'
import { type Watching, watchingOf } from './watching.ts'

/** What `fit` trains: every module of `nn`, and whatever else has these two. */
export interface Trainable<Input = Tensor, Output = Tensor> {
  forward(x: Input): Output
  parameters(): readonly Variable[]
}

/** Rows in memory, or a stream of batches, or of rows, which are batched then; both may have weights of the rows beside targets. */
export type TrainingData<Input extends Batch = Tensor, Target extends Batch = Tensor> =
  | Dataset<Input, Target>
  | Dataset<Input, Target, Batch>
  | Stream<readonly [Input, Target]>
  | Stream<readonly [Input, Target, Batch]>

/** Of a model's prediction, and of the targets and inputs of its data. */
export interface FitOptions<Prediction = Tensor, Target extends Batch = Tensor, Input extends Batch = Tensor> {
  /**
   * The mean loss of a batch, a scalar: `losses.crossEntropy`, its name, or any function of prediction and target; or those of the outputs
   * of a model by name, of which the sum is trained: `{ label: 'crossEntropy', box: 'mse' }`. Each is reported as `loss.label`, too.
   */
  loss: LossName | LossFunction<Prediction, Target> | LossesByOutput
  /** What the losses by name are multiplied by before they are added; 1 unless given. */
  lossWeights?: Readonly<Record<string, number>>
  /**
   * What rows weigh in the loss by the class that is their target. The mean divides by the sum of the weights, as `crossEntropy` does with
   * its `classWeights`; metrics are without. Rows of which each has a weight of its own are `data.fromTensors(x, y, weights)`.
   */
  classWeights?: ClassWeights
  /** One of `optim`, or any object with its method `minimize`. */
  optimizer: Minimizer
  /** Gradients whose norm all together is larger are scaled to it: `optim.clipByGlobalNorm`. The optimizer is one of `optim` then. */
  clipNorm?: number
  /** Every number of the gradients is brought between −clipValue and clipValue: `optim.clipByValue`, after `clipNorm`. */
  clipValue?: number
  /** The optimizer takes a step only every so many batches, along the mean of their gradients: `optim.accumulate`. 1 unless given. */
  accumulate?: number
  /** Passes over the data; 1 unless given. */
  epochs?: number
  /** Rows per step; 32 unless given. The last step of an epoch takes what is left. */
  batchSize?: number
  /** Whether rows that are left at the end of an epoch and fill no batch are left out of it; false unless given. */
  dropLast?: boolean
  /**
   * By name, `['accuracy', 'mae']`, or functions of your own under theirs: `[{ error: (prediction, target) => … }]`. Those of the outputs of
   * a model are given by their names: `{ label: ['accuracy', 'rocAuc'], box: ['mae'] }`, and reported as `accuracy.label`.
   */
  metrics?: readonly Metric<Prediction, Target>[] | MetricsByOutput
  /** Scored after each epoch, or with `every` after every so many and the last one. */
  validation?: TrainingData<Input, Target> | Validation<Input, Target> | undefined
  /** The share of the rows, the last ones of the data set, that are kept out of training and are the validation set; above 0 and below 1. */
  validationSplit?: number
  /**
   * What the matrix products of the model's forward pass, and those of its gradients, round their operands to, as `withPrecision`
   * says; 'float32' unless given. Parameters, losses and updates are float32 in either, and so is the scoring of a validation set.
   */
  precision?: Precision
  /** How many steps an epoch has at most; unless given, as many as the data set has batches. */
  stepsPerEpoch?: number
  /** Whether rows come in another order each epoch; true unless given. */
  shuffle?: boolean
  /** Of the order; otherwise it follows from `setSeed`. */
  seed?: number
  /**
   * Ends training soon after it is aborted, also while a callback or the loading of data has not settled: `fit` rejects with
   * its reason, and the parameters stay as they are by then.
   */
  signal?: Abortable | undefined
  /** Hooks, or a list of objects of them: your own, and those of `callbacks`. */
  callbacks?: Callbacks | readonly Callbacks[]
  /**
   * How many milliseconds of steps are submitted to the backend at a time, two such crossings ahead; 8 unless given. Other work of the
   * process, such as inference, waits behind both: with less it waits less, at the cost of some tens of microseconds of wake-up
   * for each crossing. Callbacks and signals act between crossings.
   */
  sliceMilliseconds?: number
  /** Where, and how often, the state of the training is written, so that one that was killed goes on as if it had not been. */
  checkpoint?: CheckpointOptions
  /**
   * A directory of checkpoints: the training goes on from the newest one, and ends with the same bits as if it had never been
   * interrupted. Where it is the directory of `checkpoint` and has none yet, the training begins. Model, optimizer, data and options have to be
   * the same, but for `epochs`, callbacks, `signal`, `sliceMilliseconds` and `checkpoint`.
   */
  resume?: string
}

/** A validation set, and after which epochs it is scored. */
export interface Validation<Input extends Batch = Tensor, Target extends Batch = Tensor> {
  /** May be left out with `validationSplit`. */
  data?: TrainingData<Input, Target>
  /** After every so many epochs, and the last one; 1 unless given. */
  every?: number
}

const validationOptions: OptionTypes<Validation> = { data: 'other', every: 'number' }

export const fitOptions: OptionTypes<FitOptions> = {
  loss: 'other',
  lossWeights: 'other',
  classWeights: 'other',
  optimizer: 'other',
  clipNorm: 'number',
  clipValue: 'number',
  accumulate: 'number',
  epochs: 'number',
  batchSize: 'number',
  dropLast: 'boolean',
  metrics: 'other',
  validation: 'other',
  validationSplit: 'number',
  precision: ['float32', 'bf16'],
  stepsPerEpoch: 'number',
  shuffle: 'boolean',
  seed: 'number',
  signal: 'other',
  callbacks: 'other',
  sliceMilliseconds: 'number',
  checkpoint: 'other',
  resume: 'string',
}

/** Of any inputs and outputs: what fit does is the same for all. */
export type AnyTrainable = Trainable<never, unknown>
export type AnyDataset = Dataset<Batch, Batch | undefined, Batch | undefined>
export type AnyData = AnyDataset | Stream<unknown>
interface AnyValidation {
  data?: AnyData
  every?: number
}
export type AnyOptions = Omit<FitOptions<never, never>, 'validation'> & {
  validation?: AnyData | AnyValidation | undefined
  everyStep?: boolean
}

/** What a training is told, checked and complete. */
export interface Settings {
  /** Whose errors say so. */
  readonly op: string
  readonly model: AnyTrainable
  readonly optimizer: Minimizer
  readonly source: Source
  readonly validation: { readonly source: Source; readonly every: number } | undefined
  readonly loss: TrainingLoss
  readonly metrics: MetricTable
  readonly epochs: number
  readonly batchSize: number
  readonly dropLast: boolean
  readonly precision: Precision
  readonly stepsPerEpoch: number | undefined
  readonly shuffle: boolean
  readonly seed: number
  readonly signal: Abortable | undefined
  readonly callbacks: readonly Callbacks[]
  /** Of those that watch the steps. */
  readonly watching: readonly Watching[]
  readonly sliceMilliseconds: number
  /** Whether each step is an event. */
  readonly everyStep: boolean
  readonly checkpoint: CheckpointSettings | undefined
  readonly resume: string | undefined
  /** What becomes of gradients before the optimizer, which a checkpoint compares. */
  readonly gradients: string
  /** Whether the seed was given. */
  readonly isSeeded: boolean
}

const isInteger = (least: number) => (x: number) => Number.isSafeInteger(x) && x >= least

export function checkData<Data extends AnyData>(op: string, what: string, data: Data): Data {
  if (data instanceof Stream) return data
  if (!(data instanceof Dataset))
    throw new TypeError(expected(op, `${what} made by data.fromTensors, or a stream`, describe(data)))
  if (data.size === 0) throw new RangeError(expected(op, `${what} of at least one row`, 'an empty one'))
  return data
}

/** What is not told about batches is told to the stream itself. */
export function sourceOf(op: string, data: AnyData, { batchSize = 32, dropLast = false }: BatchSettings): Source {
  if (data instanceof Dataset) return new RowSource(data)
  return new StreamSource(op, data.batched ? data : data.batch(batchSize, { dropLast }))
}

interface BatchSettings {
  readonly batchSize?: number | undefined
  readonly dropLast?: boolean | undefined
}

/** @throws TypeError for options that only rows in memory have */
function checkStreamOptions(op: string, stream: Stream<unknown>, options: AnyOptions): void {
  const { shuffle = false, batchSize, dropLast, validationSplit } = options
  if (shuffle) throw new TypeError(expected(op, 'a stream that is shuffled by its shuffle', 'the option shuffle'))
  if (validationSplit !== undefined)
    throw new TypeError(expected(op, 'rows in memory for a validationSplit', 'a stream: see its split'))
  if (stream.batched && (batchSize !== undefined || dropLast !== undefined))
    throw new TypeError(expected(op, 'batches as the stream gives them', 'batchSize or dropLast'))
  if (stream.size === Infinity && options.stepsPerEpoch === undefined)
    throw new TypeError(expected(op, 'stepsPerEpoch for a stream without end', 'none'))
  if (options.stepsPerEpoch !== undefined)
    checkNumber(op, 'an integer stepsPerEpoch of at least 1', options.stepsPerEpoch, isInteger(1))
}

export function checkModel(op: string, model: AnyTrainable): void {
  if (foreignKind(model) !== undefined) throw new TypeError(expected(op, 'a model', describe(model)))
  checkFunction(op, 'a model with a method forward', model?.forward)
  checkFunction(op, 'a model with a method parameters', model?.parameters)
}

export function checkOptimizer(op: string, optimizer: Minimizer): void {
  if (foreignKind(optimizer) !== undefined) throw new TypeError(expected(op, 'an optimizer', describe(optimizer)))
  checkFunction(op, 'an optimizer, such as optim.adam()', optimizer?.minimize)
}

/** The optimizer with what stands around it. */
function optimizerOf(op: string, { optimizer, clipNorm, clipValue, accumulate: count = 1 }: AnyOptions): Minimizer {
  checkOptimizer(op, optimizer)
  const isPositive = (x: number) => x > 0 && Number.isFinite(x)
  if (clipNorm !== undefined) checkNumber(op, 'a finite clipNorm above 0', clipNorm, isPositive)
  if (clipValue !== undefined) checkNumber(op, 'a finite clipValue above 0', clipValue, isPositive)
  checkNumber(op, 'an integer of at least 1 to accumulate', count, isInteger(1))
  const links = [
    ...(clipNorm === undefined ? [] : [clipByGlobalNorm(clipNorm)]),
    ...(clipValue === undefined ? [] : [clipByValue(clipValue)]),
  ]
  if (links.length === 0 && count === 1) return optimizer
  if (!(optimizer instanceof Optimizer))
    throw new TypeError(expected(op, 'an optimizer of optim to clip or accumulate gradients for', describe(optimizer)))
  const clipped = links.length === 0 ? optimizer : chain(...links, optimizer)
  return count === 1 ? clipped : accumulate(clipped, count)
}

function checkSignal(op: string, signal: Abortable | undefined): void {
  if (signal !== undefined)
    checkFunction(op, 'a signal, that of an AbortController', (signal as Abortable | null)?.throwIfAborted)
}

/** What to train on, and what to validate on. */
function partsOfData(op: string, given: AnyData, { validation, validationSplit }: AnyOptions) {
  const isPlain = validation !== undefined && isPlainObject(validation)
  const { data, every = 1 } = isPlain
    ? (checkOptions(`${op}: validation`, validation as Validation, validationOptions) as AnyValidation)
    : { data: validation as AnyData | undefined }
  checkNumber(op, 'an integer of at least 1 as every', every, isInteger(1))
  if (validationSplit === undefined) {
    if (isPlain && data === undefined)
      throw new TypeError(expected(op, 'data in validation, or a validationSplit', 'neither'))
    const held = data === undefined ? undefined : checkFinite(op, checkData(op, 'a validation set', data))
    return { training: given, held, every }
  }
  checkNumber(op, 'a validationSplit above 0 and below 1', validationSplit, (x) => x > 0 && x < 1)
  if (data !== undefined) throw new TypeError(expected(op, 'a validation set or a validationSplit', 'both'))
  return { ...splitOf(op, given as AnyDataset, validationSplit), every }
}

function splitOf(op: string, dataset: AnyDataset, share: number) {
  const count = Math.round(dataset.size * share)
  if (count === 0 || count === dataset.size)
    throw new RangeError(
      expected(op, 'a validationSplit that leaves rows on both sides', `${count} of ${dataset.size} rows`),
    )
  const [training, held] = dataset.split(dataset.size - count)
  return { training, held }
}

function checkFinite(op: string, data: AnyData): AnyData {
  if (data.size === Infinity) throw new RangeError(expected(op, 'a stream with an end to validate on', 'one without'))
  return data
}

function checkSteps(op: string, size: number, { batchSize = 32, dropLast = false, stepsPerEpoch }: AnyOptions): void {
  if (dropLast && size < batchSize)
    throw new RangeError(expected(op, `a whole batch of ${batchSize} rows with dropLast`, `${size} rows`))
  if (stepsPerEpoch === undefined) return
  const most = dropLast ? Math.floor(size / batchSize) : Math.ceil(size / batchSize)
  const what = `an integer from 1 to the ${most} batches of the data as stepsPerEpoch`
  checkNumber(op, what, stepsPerEpoch, (x) => isInteger(1)(x) && x <= most)
}

/** Checks what the user gave, and fills in what they did not. */
export function settingsOf(
  op: string,
  model: AnyTrainable,
  dataset: AnyData,
  options: AnyOptions,
  types: OptionTypes<FitOptions> = fitOptions,
): Settings {
  checkModel(op, model)
  checkData(op, 'a data set', dataset)
  // What has no default is checked below, in the words of training.
  const given = checkOptions(op, options as FitOptions, types) as AnyOptions
  const { epochs = 1, batchSize = 32, dropLast = false, shuffle = true, metrics = [], signal } = given
  const { seed = randomStream().seed, callbacks = [], stepsPerEpoch, sliceMilliseconds = usualMilliseconds } = given
  const { everyStep = false, precision = 'float32' } = given
  checkNumber(op, 'an integer of epochs of at least 0', epochs, isInteger(0))
  const loss = trainingLoss(op, given as unknown as LossSettings)
  const optimizer = optimizerOf(op, given)
  checkNumber(op, 'a batchSize that is an integer of at least 1', batchSize, isInteger(1))
  if (dataset instanceof Stream) checkStreamOptions(op, dataset, given)
  const { training, held, every } = partsOfData(op, dataset, given)
  if (training instanceof Dataset) checkSteps(op, training.size, given)
  checkSignal(op, signal)
  checkNumber(op, 'an integer seed from 0 to 2³² − 1', seed, (x) => isInteger(0)(x) && x < 2 ** 32)
  checkNumber(op, 'sliceMilliseconds above 0 and at most 1,000', sliceMilliseconds, (x) => x > 0 && x <= 1000)
  const hooks = checkCallbacks(op, callbacks)
  const validation = held && { source: sourceOf(op, held, { batchSize }), every }
  return {
    ...{ op, model, optimizer, loss, validation, epochs, batchSize, dropLast, stepsPerEpoch, shuffle, seed, signal },
    ...{ precision, source: sourceOf(op, training, given), metrics: metricTable(op, metrics), sliceMilliseconds },
    callbacks: hooks,
    watching: watchingOf(hooks),
    checkpoint: given.checkpoint === undefined ? undefined : checkpointSettings(op, given.checkpoint),
    resume: given.resume === undefined ? undefined : checkPath(op, given.resume),
    gradients: `clipNorm ${given.clipNorm ?? 'none'}, clipValue ${given.clipValue ?? 'none'}, accumulate ${given.accumulate ?? 1}`,
    isSeeded: given.seed !== undefined,
    everyStep: everyStep || hooks.some(({ onStepEnd }) => onStepEnd !== undefined),
  }
}

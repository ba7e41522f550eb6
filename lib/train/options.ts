/** What `fit` may be told, and what it makes of it. */

import type { Abortable } from '../base/abort.ts'
import { checkFunction, checkNumber, describe } from '../base/arguments.ts'
import { expected } from '../base/errors.ts'
import { foreignKind } from '../base/identity.ts'
import { checkOptions, isPlainObject, type OptionTypes } from '../base/options.ts'
import { type Batch, Dataset } from '../data/dataset.ts'
import type { Minimizer } from '../optim/minimizer.ts'
import { randomStream } from '../tensor/random.ts'
import type { Tensor } from '../tensor/tensor.ts'
import type { Variable } from '../tensor/variable.ts'
import { byName, type LossName, lossesByName, ofTensors } from './names.ts'
import { type Metric, type MetricTable, metricTable, type Scores } from './scores.ts'

/** What `fit` trains: every module of `nn`, and whatever else has these two. */
export interface Trainable<Input = Tensor, Output = Tensor> {
  forward(x: Input): Output
  parameters(): readonly Variable[]
}

/** The means of an epoch so far. */
export type BatchInfo = Scores & {
  /** From 0. */
  epoch: number
  /** The steps done in this epoch, of how many, and the rows in them. */
  step: number
  steps: number
  samples: number
}

/** The means of an epoch's steps, each taken before its update. */
export type EpochInfo = Scores & {
  /** From 0. */
  epoch: number
  /** Of training, without the validation. */
  seconds: number
  /** The means of the validation set after the epoch. */
  validation?: Scores
}

/** Called while training; what they return is awaited, and what they throw ends it. */
export interface Callbacks {
  /** At most about every 50 ms, and at the last step of an epoch. */
  onBatchEnd?(info: BatchInfo): unknown
  onEpochEnd?(info: EpochInfo): unknown
}

/** Of a model's prediction, and of the targets and inputs of its data. */
export interface FitOptions<Prediction = Tensor, Target extends Batch = Tensor, Input extends Batch = Tensor> {
  /** The mean loss of a batch, a scalar: `losses.crossEntropy`, its name, or any function of prediction and target. */
  loss: LossName | LossFunction<Prediction, Target>
  /** One of `optim`, or whatever else has `minimize`. */
  optimizer: Minimizer
  /** Passes over the data; 1 unless given. */
  epochs?: number
  /** Rows per step; 32 unless given. The last step of an epoch takes what is left. */
  batchSize?: number
  /** Whether rows that are left at the end of an epoch and fill no batch are left out of it; false unless given. */
  dropLast?: boolean
  /** By name, `['accuracy', 'mae']`, or functions of your own under theirs: `[{ error: (prediction, target) => … }]`. */
  metrics?: readonly Metric<Prediction, Target>[]
  /** Scored after each epoch. */
  validation?: Dataset<Input, Target> | undefined
  /** Whether rows come in another order each epoch; true unless given. */
  shuffle?: boolean
  /** Of the order; otherwise it follows from `setSeed`. */
  seed?: number
  /**
   * Ends training soon after it is aborted, also while a callback or the loading of data has not settled: `fit` rejects with
   * its reason, and the parameters stay as they are by then.
   */
  signal?: Abortable | undefined
  callbacks?: Callbacks
}

const fitOptions: OptionTypes<FitOptions> = {
  loss: 'other',
  optimizer: 'other',
  epochs: 'number',
  batchSize: 'number',
  dropLast: 'boolean',
  metrics: 'other',
  validation: 'other',
  shuffle: 'boolean',
  seed: 'number',
  signal: 'other',
  callbacks: 'other',
}

const callbackTypes: OptionTypes<Callbacks> = { onBatchEnd: 'function', onEpochEnd: 'function' }

/** The mean loss of a batch, a scalar. */
export type LossFunction<Prediction = Tensor, Target = Tensor> = (prediction: Prediction, target: Target) => Tensor

/** Of any inputs and outputs: what fit does is the same for all. */
export type AnyTrainable = Trainable<never, unknown>
export type AnyDataset = Dataset<Batch, Batch>
export type AnyOptions = Omit<FitOptions<never, never>, 'validation'> & { validation?: AnyDataset | undefined }

export interface Settings extends Required<Omit<FitOptions, 'loss' | 'metrics' | 'validation' | 'signal'>> {
  loss: LossFunction<unknown, unknown>
  metrics: MetricTable
  validation: AnyDataset | undefined
  signal: Abortable | undefined
}

const isInteger = (least: number) => (x: number) => Number.isSafeInteger(x) && x >= least

function checkDataset(what: string, dataset: AnyDataset): void {
  if (!(dataset instanceof Dataset))
    throw new TypeError(expected('fit', `${what} made by data.fromTensors`, describe(dataset)))
  if (dataset.size === 0) throw new RangeError(expected('fit', `${what} of at least one row`, 'an empty one'))
}

function checkModel(model: AnyTrainable): void {
  if (foreignKind(model) !== undefined) throw new TypeError(expected('fit', 'a model', describe(model)))
  checkFunction('fit', 'a model with a method forward', model?.forward)
  checkFunction('fit', 'a model with a method parameters', model?.parameters)
}

function checkOptimizer(optimizer: Minimizer): void {
  if (foreignKind(optimizer) !== undefined) throw new TypeError(expected('fit', 'an optimizer', describe(optimizer)))
  checkFunction('fit', 'an optimizer, such as optim.adam()', optimizer?.minimize)
}

function lossOf(loss: LossName | LossFunction<never, never>): LossFunction<unknown, unknown> {
  if (typeof loss === 'string')
    return ofTensors(`loss ${loss}`, byName('a loss, a name or a function', loss, lossesByName))
  checkFunction('fit', 'a loss, such as losses.crossEntropy', loss)
  return loss as LossFunction<unknown, unknown>
}

/** An object of a class of the user's may have more in it. */
function checkCallbacks(callbacks: Callbacks): void {
  const functions = { onBatchEnd: callbacks?.onBatchEnd, onEpochEnd: callbacks?.onEpochEnd }
  // An object of a class is what has at least one of them.
  const isOfClass =
    typeof callbacks === 'object' &&
    !isPlainObject(callbacks) &&
    Object.values(functions).some((fn) => fn !== undefined)
  checkOptions('fit: callbacks', isOfClass ? functions : callbacks, callbackTypes)
}

/** Checks what the user gave, and fills in what they did not. */
export function settingsOf(model: AnyTrainable, dataset: AnyDataset, options: AnyOptions): Settings {
  checkModel(model)
  checkDataset('a data set', dataset)
  // What has no default is checked below, in the words of training.
  const given = checkOptions('fit', options as FitOptions, fitOptions) as AnyOptions
  const { loss, optimizer, epochs = 1, batchSize = 32, metrics = [], validation, signal, shuffle = true } = given
  const { seed = randomStream().seed, callbacks = {}, dropLast = false } = given
  checkNumber('fit', 'an integer of epochs of at least 0', epochs, isInteger(0))
  checkNumber('fit', 'a batchSize that is an integer of at least 1', batchSize, isInteger(1))
  const lossFunction = lossOf(loss)
  checkOptimizer(optimizer)
  if (validation !== undefined) checkDataset('a validation set', validation)
  checkCallbacks(callbacks)
  if (signal !== undefined)
    checkFunction('fit', 'a signal, that of an AbortController', (signal as Abortable | null)?.throwIfAborted)
  checkNumber('fit', 'an integer seed from 0 to 2³² − 1', seed, (x) => isInteger(0)(x) && x < 2 ** 32)
  if (dropLast && dataset.size < batchSize)
    throw new RangeError(expected('fit', `a whole batch of ${batchSize} rows with dropLast`, `${dataset.size} rows`))
  const settings = { optimizer, epochs, batchSize, dropLast, validation, signal, shuffle, seed, callbacks }
  return { ...settings, loss: lossFunction, metrics: metricTable(metrics) }
}

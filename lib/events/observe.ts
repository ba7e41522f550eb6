/** Callbacks that record a training: what happens in it, as records that go to sinks. */
import { reasonOf } from '../base/abort.ts'
import { checkList, checkNumber, checkNumbers, checkText, describe } from '../base/arguments.ts'
import { expected, ShapeError } from '../base/errors.ts'
import { checkOptions, checkRecord, type OptionTypes } from '../base/options.ts'
import { formatShape, type Shape } from '../base/shape.ts'
import { turnIfDue } from '../base/turns.ts'
import type { Callbacks, TrainCloseInfo, TrainingContext } from '../train/callbacks/callback.ts'
import { runOf } from '../train/context.ts'
import type { EpochInfo } from '../train/events.ts'
import type { Run } from '../train/loop.ts'
import { parametersOf } from '../train/steps.ts'
import { type Watching, watching } from '../train/watching.ts'
import { Graph, Program, Summary, Texts } from './parts/about.ts'
import { Histograms } from './parts/histograms.ts'
import { type ImageFunction, ImagesOfFunction, InputImages } from './parts/images.ts'
import { Scalars } from './parts/scalars.ts'
import { System } from './parts/system.ts'
import { ValidationRows } from './parts/validation.ts'
import type { RecordSink, RunRecords } from './record.ts'
import { type Part, Recording } from './recording.ts'
import { batchIn, firstRows } from './sample.ts'

/** What is recorded of a training. */
export interface ObserveOptions {
  /** What the run is called; 'run' unless given, or the name of the folder that its records go to. */
  name?: string
  /** What was chosen for the run, beside what is known: the optimizer, the learning rate, the batch size and the like. */
  hyperparameters?: Readonly<Record<string, number | string | boolean>>
  /**
   * How often the numbers of the training are recorded: after each step, after each epoch, or at most about every 50 ms, which is `batch` and
   * the default. They are means over the steps since the last record.
   */
  every?: 'epoch' | 'batch' | 'step'
  /** Whether the norm of all gradients is among the numbers, before they are clipped; true unless given. */
  gradientNorm?: boolean
  /**
   * How weights, gradients and activations are spread: after each epoch, or after every so many and the last one. Gradients and activations are those
   * of one batch, the first rows of data in memory or the first batch of a stream. false unless given.
   */
  histograms?: 'epoch' | number | false
  /**
   * Pictures: how many of the first inputs, once, or a function that gives tensors of some by their tags after each epoch: [n, height, width],
   * [n, channels, height, width] or [n, height, width, channels] of 1, 3 or 4 channels, from 0 to 1 or bytes. None unless given.
   */
  images?: number | ImageFunction
  /** Of one picture, where they come as rows of numbers: [28, 28], or [3, 32, 32]. */
  imageShape?: Shape
  /** Which classes are taken for which on the validation set, of labels and a number for each class; false unless given. */
  confusion?: boolean
  /** How many rows of the validation set that are predicted worst, with their pictures; 0 unless given. */
  examples?: number
  /** The names of the classes; their numbers unless given. */
  labels?: readonly string[]
  /** Whether the graph of the model's forward pass is recorded; false unless given. */
  graph?: boolean
  /**
   * Whether the program of a training step is, after the first epoch, with what `inspect` measures of it where a step takes less than 5 ms; false
   * unless given.
   */
  program?: boolean
  /** Texts by their tags, or 'summary': that of the model. */
  text?: 'summary' | Readonly<Record<string, string>>
  /** Whether the run may be controlled by who looks at it, which `board` sees to; false unless given. */
  controls?: boolean
  /** Whether memory, processors and the delay of the event loop are recorded, at most once a second; true unless given. */
  system?: boolean
}

export const observeOptions: OptionTypes<ObserveOptions> = {
  name: 'string',
  hyperparameters: 'other',
  every: ['epoch', 'batch', 'step'],
  gradientNorm: 'boolean',
  histograms: 'other',
  images: 'other',
  imageShape: 'other',
  confusion: 'boolean',
  examples: 'number',
  labels: 'other',
  graph: 'boolean',
  program: 'boolean',
  text: 'other',
  controls: 'boolean',
  system: 'boolean',
}

class Observation implements Callbacks {
  readonly name = 'observe'
  readonly [watching]: readonly Watching[]
  readonly #sinks: readonly RecordSink[]
  readonly #options: ObserveOptions
  readonly #parts: readonly Part[]
  #recording: Recording | undefined
  #hasLooked = false

  constructor(sinks: readonly RecordSink[], options: ObserveOptions) {
    this.#sinks = sinks
    this.#options = options
    this.#parts = partsOf(options)
    const samples: Watching = {
      onSteps: (_, { crossing }) => {
        const recording = this.#recording!
        recording.sample ??= batchIn(crossing)
      },
    }
    this[watching] = [samples, ...this.#parts]
  }

  async onTrainBegin(_: unknown, context: TrainingContext): Promise<void> {
    const recording = this.#begin(runOf(context))
    for (const part of this.#parts) await part.begin?.(recording)
    recording.sample = firstRows(recording.run.settings)
    await this.#look(recording)
  }

  /** As soon as there is a batch to look at the model with. */
  async #look(recording: Recording): Promise<void> {
    if (this.#hasLooked || recording.sample === undefined) return
    this.#hasLooked = true
    for (const part of this.#parts) {
      await part.sampled?.(recording, recording.sample)
      await turnIfDue()
    }
  }

  /** The first records. */
  #begin(run: Run): Recording {
    const { name = 'run', hyperparameters, controls = false } = this.#options
    const recording = new Recording(run, this.#sinks)
    this.#recording = recording
    this.#hasLooked = false
    recording.write({ type: 'run', name, ...aboutRun(run), ...(controls && { controls }) })
    recording.write({ type: 'hyperparameters', values: { ...knownOf(run), ...hyperparameters } })
    return recording
  }

  async onEpochBegin(): Promise<void> {
    for (const part of this.#parts) await part.beginEpoch?.(this.#recording!)
  }

  async onBatchEnd(): Promise<void> {
    await this.#look(this.#recording!)
    for (const part of this.#parts) await part.batch?.(this.#recording!)
  }

  async onEpochEnd(info: EpochInfo): Promise<void> {
    for (const part of this.#parts) await part.epoch?.(this.#recording!, info)
  }

  async onTrainClose(info: TrainCloseInfo, context: TrainingContext): Promise<void> {
    try {
      const recording = this.#recording ?? this.#begin(runOf(context))
      for (const part of this.#parts) await part.close?.(recording)
      recording.write({ type: 'end', time: Date.now(), ...endOf(recording.run, info) })
    } finally {
      this.#recording = undefined
      await closeAll(this.#sinks)
    }
  }
}

function partsOf(options: ObserveOptions): Part[] {
  const { every = 'batch', gradientNorm = true, system = true, histograms = false, images, imageShape, text } = options
  const { confusion = false, examples = 0, labels } = options
  const parts: (Part | false)[] = [
    new Scalars({ every, gradientNorm }),
    system && new System(),
    typeof text === 'object' && new Texts(text),
    text === 'summary' && new Summary(),
    options.graph === true && new Graph(),
    typeof images === 'number' && new InputImages(images, imageShape),
    typeof images === 'function' && new ImagesOfFunction(images, imageShape),
    (confusion || examples > 0) && new ValidationRows({ confusion, examples, labels, imageShape }),
    histograms !== false && new Histograms(histograms === 'epoch' ? 1 : histograms),
    options.program === true && new Program(),
  ]
  return parts.filter((part) => part !== false)
}

/** All of them, also where one fails. */
async function closeAll(sinks: readonly RecordSink[]): Promise<void> {
  const results = await Promise.allSettled(sinks.map(async (sink) => sink.close()))
  for (const result of results) if (result.status === 'rejected') throw result.reason
}

function endOf({ settings, stopped, paused, progress }: Run, info: TrainCloseInfo): Omit<RunRecords['end'], 'time'> {
  const isEarly = stopped || paused || progress.epoch < settings.epochs
  if (!('error' in info)) return { state: isEarly ? 'stopped' : 'ended' }
  const { error } = info
  const isAborted = settings.signal !== undefined && reasonOf(settings.signal)?.reason === error
  return { state: isAborted ? 'stopped' : 'failed', message: messageOf(error) }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

function aboutRun({ settings, progress }: Run): Omit<RunRecords['run'], 'name'> {
  const parameters = parametersOf(settings.op, settings.model).reduce((sum, { size }) => sum + size, 0)
  return { epochs: settings.epochs, parameters, ...(progress.totalSteps > 0 && { step: progress.totalSteps }) }
}

/** What the training itself says of how it is done. */
function knownOf({ settings }: Run): RunRecords['hyperparameters']['values'] {
  const { optimizer, loss, batchSize, epochs, seed, source } = settings
  const { name, learningRate } = optimizer as { name?: unknown; learningRate?: unknown }
  return {
    ...(typeof name === 'string' && { optimizer: name }),
    ...(typeof learningRate === 'number' && { learningRate }),
    ...{ loss: loss.title, batchSize, epochs, seed, data: source.title },
  }
}

function checkSink(sink: RecordSink): RecordSink {
  for (const name of ['write', 'flush', 'close'] as const)
    if (typeof (sink as Partial<RecordSink> | null)?.[name] !== 'function')
      throw new TypeError(expected('observe', 'sinks of records, with write, flush and close', describe(sink)))
  return sink
}

function checkHyperparameters(values: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(checkRecord('observe', 'hyperparameters by name', values)))
    if (!['number', 'string', 'boolean'].includes(typeof value))
      throw new TypeError(expected('observe', `a number, a text or a truth as hyperparameter ${name}`, describe(value)))
}

const atLeast = (least: number) => (x: number) => Number.isInteger(x) && x >= least

/** Checks what `checkOptions` does not. */
function checked(given: Partial<ObserveOptions>): ObserveOptions {
  const { hyperparameters, histograms, images, imageShape, examples, labels, text } = given
  if (hyperparameters !== undefined) checkHyperparameters(hyperparameters)
  if (histograms !== undefined && histograms !== false && histograms !== 'epoch')
    checkNumber('observe', "histograms to be 'epoch', a positive integer or false", histograms, atLeast(1))
  if (images !== undefined && typeof images !== 'function')
    checkNumber('observe', 'images to be a function or a positive integer', images, atLeast(1))
  if (examples !== undefined) checkNumber('observe', 'an integer of examples of at least 0', examples, atLeast(0))
  const shape = imageShape && checkNumbers('observe', 'an imageShape', imageShape, atLeast(1))
  if (shape !== undefined && shape.length !== 2 && shape.length !== 3)
    throw new ShapeError(expected('observe', 'an imageShape of two or three extents', formatShape(shape)))
  const names =
    labels &&
    checkList('observe', 'labels in a list', labels).map((x) => checkText('observe', 'labels that are texts', x))
  if (text !== undefined && text !== 'summary')
    for (const value of Object.values(checkRecord('observe', "text to be 'summary' or texts by name", text)))
      checkText('observe', 'texts by name', value)
  return { ...given, ...(shape && { imageShape: shape }), ...(names && { labels: names }) }
}

/**
 * Callbacks for `fit` and `train` that make records of what happens. They change nothing of the training: its parameters are of the same bits
 * with and without them.
 *
 * @param sinks where the records go, in the order in which things happen; they are closed when the training ends, whichever way
 * @throws TypeError, RangeError for sinks or options; the training rejects with what a sink throws
 *
 * @example
 * callbacks: [observe(jsonLines('runs/first'), { name: 'first', hyperparameters: { width: 128 } })]
 */
export function observe(
  sinks: RecordSink | readonly RecordSink[],
  options?: ObserveOptions,
  ...surplus: []
): Callbacks {
  const given = checked(checkOptions('observe', options, observeOptions, surplus))
  const list = (Array.isArray(sinks) ? [...sinks] : [sinks]) as RecordSink[]
  return new Observation(list.map(checkSink), given)
}

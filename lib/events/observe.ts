/** Callbacks that record a training: what happens in it, as records that go to sinks. */
import { reasonOf } from '../base/abort.ts'
import { checkChoice, checkText, describe } from '../base/arguments.ts'
import { expected } from '../base/errors.ts'
import { checkOptions, checkRecord, type OptionTypes } from '../base/options.ts'
import type { Callbacks, TrainCloseInfo, TrainingContext } from '../train/callbacks/callback.ts'
import { runOf } from '../train/context.ts'
import type { EpochInfo } from '../train/events.ts'
import type { Run } from '../train/loop.ts'
import { parametersOf } from '../train/steps.ts'
import { type Watching, watching } from '../train/watching.ts'
import { Scalars } from './parts/scalars.ts'
import { System } from './parts/system.ts'
import type { RecordSink, RunRecords } from './record.ts'
import { type Part, Recording } from './recording.ts'

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
  /** Whether memory, processors and the delay of the event loop are recorded, at most once a second; true unless given. */
  system?: boolean
}

export const observeOptions: OptionTypes<ObserveOptions> = {
  name: 'string',
  hyperparameters: 'other',
  every: ['epoch', 'batch', 'step'],
  gradientNorm: 'boolean',
  system: 'boolean',
}

class Observation implements Callbacks {
  readonly name = 'observe'
  readonly [watching]: readonly Watching[]
  readonly #sinks: readonly RecordSink[]
  readonly #options: ObserveOptions
  readonly #parts: readonly Part[]
  #recording: Recording | undefined

  constructor(sinks: readonly RecordSink[], options: ObserveOptions) {
    const { every = 'batch', gradientNorm = true, system = true } = options
    this.#sinks = sinks
    this.#options = options
    this.#parts = [new Scalars({ every, gradientNorm }), ...(system ? [new System()] : [])]
    this[watching] = this.#parts
  }

  async onTrainBegin(_: unknown, context: TrainingContext): Promise<void> {
    const recording = this.#begin(runOf(context))
    for (const part of this.#parts) await part.begin?.(recording)
  }

  /** The first records. */
  #begin(run: Run): Recording {
    const { name = 'run', hyperparameters } = this.#options
    const recording = new Recording(run, this.#sinks)
    this.#recording = recording
    recording.write({ type: 'run', name, ...aboutRun(run) })
    recording.write({ type: 'hyperparameters', values: { ...knownOf(run), ...hyperparameters } })
    return recording
  }

  async onEpochBegin(): Promise<void> {
    for (const part of this.#parts) await part.beginEpoch?.(this.#recording!)
  }

  async onBatchEnd(): Promise<void> {
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
  const checked = checkOptions('observe', options, observeOptions, surplus)
  const list = (Array.isArray(sinks) ? [...sinks] : [sinks]) as RecordSink[]
  if (checked.name !== undefined) checkText('observe', 'a name', checked.name)
  if (checked.every !== undefined) checkChoice('observe', 'every', checked.every, ['epoch', 'batch', 'step'])
  if (checked.hyperparameters !== undefined) checkHyperparameters(checked.hyperparameters)
  return new Observation(list.map(checkSink), { ...checked })
}

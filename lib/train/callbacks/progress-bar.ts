/** How far a training is, for people: a bar on a terminal, a line for each epoch elsewhere. */
import type { SingleBar } from 'cli-progress'
import { describe } from '../../base/arguments.ts'
import { expected } from '../../base/errors.ts'
import { checkOptions, type OptionTypes } from '../../base/options.ts'
import type { BatchInfo, EpochBeginInfo, EpochInfo, TrainInfo } from '../events.ts'
import { columnsOf } from '../history.ts'
import type { Callbacks } from './callback.ts'

/** A stream of Node, such as `process.stdout`. */
export interface TextStream {
  write(text: string): unknown
  readonly isTTY?: boolean
}

export interface ProgressBarOptions {
  /** Where it is written; `process.stderr` unless given. */
  stream?: TextStream
}

const progressBarOptions: OptionTypes<ProgressBarOptions> = { stream: 'other' }

const leftOut = ['epoch', 'step', 'steps', 'samples', 'seconds']

/** `loss 0.123, accuracy 0.98, validation.loss 0.2`. */
const scoresIn = (info: object): string =>
  Object.entries(columnsOf(info as Record<string, unknown>))
    .filter(([name, value]) => typeof value === 'number' && !leftOut.includes(name))
    .map(([name, value]) => `${name} ${Number((value as number).toPrecision(4))}`)
    .join(', ')

class ProgressBar implements Callbacks {
  readonly name = 'progressBar'
  #epochs = 0
  #title = ''
  #bar: SingleBar | undefined

  constructor(private readonly stream: TextStream) {}

  async onTrainBegin({ epochs }: TrainInfo): Promise<void> {
    this.#epochs = epochs
    if (this.stream.isTTY !== true) return
    const { Bar } = await import('cli-progress')
    const format = '{title} {bar} {value}/{total} {scores}'
    this.#bar = new Bar({ format, stream: this.stream as NodeJS.WritableStream, linewrap: false, barsize: 20 })
  }

  onEpochBegin({ epoch }: EpochBeginInfo): void {
    this.#title = `epoch ${epoch + 1}/${this.#epochs}`
    this.#bar?.start(1, 0, { title: this.#title, scores: '' })
  }

  onBatchEnd(info: BatchInfo): void {
    if (Number.isFinite(info.steps)) this.#bar?.setTotal(info.steps)
    this.#bar?.update(info.step, { title: this.#title, scores: scoresIn(info) })
  }

  onEpochEnd(info: EpochInfo): void {
    const scores = `${scoresIn(info)} in ${info.seconds.toFixed(1)} s`
    if (this.#bar === undefined) this.stream.write(`${this.#title}: ${scores}\n`)
    this.#bar?.update({ title: this.#title, scores })
    this.#bar?.stop()
  }
}

/**
 * Shows how far training is: a bar for each epoch on a terminal, a line for each elsewhere. A call of the library shows nothing
 * unless it is told to.
 *
 * @throws TypeError for a stream that cannot be written to
 *
 * @example
 * callbacks: [g.callbacks.progressBar()]
 */
export function progressBar(options?: ProgressBarOptions): Callbacks {
  const { stream = process.stderr } = checkOptions('progressBar', options, progressBarOptions)
  if (typeof (stream as Partial<TextStream>).write !== 'function')
    throw new TypeError(expected('progressBar', 'a stream to write to', describe(stream)))
  return new ProgressBar(stream)
}

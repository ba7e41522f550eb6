/** How far a training is, for people: a bar on a terminal, lines elsewhere. */
import type { SingleBar } from 'cli-progress'
import { describe } from '../../base/arguments.ts'
import { expected } from '../../base/errors.ts'
import { checkOptions, type OptionTypes } from '../../base/options.ts'
import { hasColours, paintIf, type TextStream } from '../../base/terminal.ts'
import type { BatchInfo, EpochBeginInfo, EpochInfo, TrainInfo } from '../events.ts'
import type { Callbacks } from './callback.ts'
import { durationText, lineOf, type Part, rateText, scoresIn } from './progress-line.ts'
import { SparkLine } from './spark-line.ts'
import { Speed } from './speed.ts'
import { terminalBar } from './terminal-bar.ts'

export type { TextStream }

export interface ProgressBarOptions {
  /** Where it is written; `process.stderr` unless given. */
  stream?: TextStream
}

const progressBarOptions: OptionTypes<ProgressBarOptions> = { stream: 'other' }

/** Between two lines of one epoch. */
const secondsBetweenLines = 30

/** What there is to say at a moment. */
interface Status {
  readonly title: string
  readonly step: number
  /** Infinity where nobody knows. */
  readonly steps: number
  readonly scores: readonly string[]
  readonly rate: string
  readonly time: string
  /** Whether this is what an epoch came to. */
  readonly isOver: boolean
}

const nothing: Status = { title: '', step: 0, steps: Infinity, scores: [], rate: '', time: '', isOver: false }

class ProgressBar implements Callbacks {
  readonly name = 'progressBar'
  #epochs = 0
  #status = nothing
  #samples = 0
  #speed = new Speed()
  #losses = new SparkLine()
  #bar: SingleBar | undefined
  #lastLine = 0

  constructor(private readonly stream: TextStream) {}

  async onTrainBegin({ epochs }: TrainInfo): Promise<void> {
    this.#epochs = epochs
    this.#losses = new SparkLine()
    this.#bar = this.stream.isTTY === true ? await terminalBar(this.stream, this.#format) : undefined
  }

  onEpochBegin({ epoch }: EpochBeginInfo): void {
    const title = `epoch ${epoch + 1}/${this.#epochs}`
    this.#status = { ...nothing, title, steps: this.#status.steps }
    this.#speed = new Speed()
    this.#lastLine = performance.now()
    this.#bar?.start(1, 0)
  }

  onBatchEnd(info: BatchInfo): void {
    const { step, steps, samples, loss } = info
    this.#speed.add(info)
    this.#losses.add(loss)
    this.#samples = samples
    const left = this.#speed.secondsTo(steps)
    const time = left === undefined ? '' : `${durationText(left)} left`
    const rate = rateText(this.#speed.samplesPerSecond)
    this.#status = { ...this.#status, step, steps, scores: scoresIn(info), rate, time }
    if (this.#bar) this.#bar.update(Number.isFinite(steps) ? step / steps : 0)
    else this.#writeLine()
  }

  onEpochEnd(info: EpochInfo): void {
    const { seconds } = info
    const rate = seconds > 0 ? rateText(this.#samples / seconds) : ''
    this.#status = { ...this.#status, scores: scoresIn(info), rate, time: `in ${seconds.toFixed(1)} s`, isOver: true }
    const { title, scores, time } = this.#status
    if (this.#bar) this.#bar.stop()
    else this.stream.write(`${title}: ${scores.join(', ')} ${time}${rate === '' ? '' : `, ${rate}`}\n`)
  }

  /** Also of a training that failed: what is printed next has a line of its own. */
  onTrainClose(): void {
    if (this.#bar?.isActive) this.#bar.stop()
  }

  /** Of an epoch that takes long. */
  #writeLine(): void {
    const { title, step, steps, scores, rate, time } = this.#status
    const now = performance.now()
    if (now - this.#lastLine < 1000 * secondsBetweenLines) return
    this.#lastLine = now
    const facts = [countText(step, steps), ...scores, rate, time].filter((text) => text !== '')
    this.stream.write(`${title}, ${facts.join(', ')}\n`)
  }

  #format = (bar: string, width: number): string => {
    const { title, step, steps, scores, rate, time, isOver } = this.#status
    const [first = '', ...others] = scores
    const parts: Part[] = [
      { text: title, rank: 0, style: 'bold' },
      { text: Number.isFinite(steps) ? bar : '', rank: isOver ? 98 : 3, style: 'cyan' },
      { text: countText(step, steps), rank: 2 },
      { text: first, rank: 1 },
      ...others.map((text, i) => ({ text, rank: 6 + i })),
      { text: String(this.#losses), rank: isOver ? 97 : 5, style: 'green' },
      { text: rate, rank: 99, style: 'dim' },
      { text: time, rank: 4 },
    ]
    return lineOf(parts, width, paintIf(hasColours(this.stream)))
  }
}

/** `340/600`, or how many so far where nobody knows of how many. */
const countText = (step: number, steps: number): string =>
  Number.isFinite(steps) ? `${step}/${steps}` : step > 0 ? `step ${step}` : ''

/**
 * Shows how far training is: on a terminal a bar for each epoch with the loss and the metrics so far, how the loss went, samples per
 * second and the time that is left of the epoch, as far as they fit into a line; elsewhere a line for each epoch, and one every 30 s within it. Colours
 * are for terminals where the environment's NO_COLOR is not set. A call of the library shows nothing unless it is told to.
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

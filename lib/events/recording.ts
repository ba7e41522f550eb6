/** A training that is recorded: where its records go, and the parts that make them. */
import type { EpochInfo } from '../train/events.ts'
import type { Run } from '../train/loop.ts'
import type { Argument } from '../train/source.ts'
import type { Watching } from '../train/watching.ts'
import type { RecordPlace, RecordSink, RunRecord } from './record.ts'

export class Recording {
  readonly run: Run
  readonly #sinks: readonly RecordSink[]
  /** What the model is looked at with: the first rows of data in memory, or the first batch that came of a stream. */
  sample: Argument | undefined

  constructor(run: Run, sinks: readonly RecordSink[]) {
    this.run = run
    this.#sinks = sinks
  }

  write(record: RunRecord): void {
    for (const sink of this.#sinks) sink.write(record)
  }

  /** Where it is, or where it will be so many steps later. */
  place(ahead = 0): RecordPlace {
    const { progress, stepsPerEpoch } = this.run
    const step = progress.totalSteps + ahead
    const part = (progress.step + ahead) / stepsPerEpoch
    const isKnown = progress.step + ahead === 0 || part > 0
    return { step, ...(isKnown && { epoch: progress.epoch + part }), time: Date.now() }
  }
}

/** What one kind of records is made by. */
export interface Part extends Watching {
  /** Before the first step. */
  begin?(recording: Recording): unknown
  /** Once, when there is a batch to look at the model with. */
  sampled?(recording: Recording, argument: Argument): unknown
  beginEpoch?(recording: Recording): unknown
  /** After some steps, at most about every 50 ms, and at the end of an epoch. */
  batch?(recording: Recording): unknown
  /** After an epoch and its validation; no step is under way. */
  epoch?(recording: Recording, info: EpochInfo): unknown
  /** At the end, whichever it is; what was begun may be missing. */
  close?(recording: Recording): unknown
}

/** What is known of the runs of a folder, and what pages are told of it. */
import type { RunRecord } from '../events/record.ts'
import type { Controlled } from './control.ts'
import type { RunSummary } from './protocol.ts'
import { Runs, type RunsListener } from './runs.ts'
import { Stream } from './stream.ts'

/** Summaries change with every record; so often they are told. */
const millisecondsBetweenSummaries = 1000

/** Records that are small enough to be sent to every page. */
const isNews = (record: RunRecord): boolean =>
  ['scalars', 'system', 'end'].includes(record.type) || (record.type === 'text' && record.text.length <= 10_000)

export class News implements RunsListener {
  readonly stream = new Stream()
  readonly runs: Runs
  readonly #controlled = new Map<string, Controlled>()
  readonly #changed = new Set<string>()
  #timer: NodeJS.Timeout | undefined
  /** The state that was told last: it may change by time alone. */
  readonly #told = new Map<string, RunSummary['state']>()

  constructor(folder: string, memory: number) {
    this.runs = new Runs(folder, memory, this)
  }

  async start(): Promise<void> {
    await this.runs.start()
    this.#timer = setInterval(() => this.#tell(), millisecondsBetweenSummaries).unref()
  }

  records(run: string, records: readonly RunRecord[]): void {
    const news = records.filter(isNews)
    const more = [...new Set(records.filter((record) => !isNews(record)).map(({ type }) => type))]
    this.stream.publish('records', { run, records: news, more })
  }

  stale(run: string): void {
    this.stream.publish('stale', { runs: [run] })
  }

  changed(id: string): void {
    this.#changed.add(id)
  }

  gone(id: string): void {
    this.#changed.delete(id)
    this.#told.delete(id)
    this.stream.publish('gone', [id])
  }

  /** Has the training of a run be controlled; undefined ends that. */
  control(run: string, training: Controlled | undefined): void {
    if (training === undefined) this.#controlled.delete(run)
    else this.#controlled.set(run, training)
    this.changed(run)
  }

  /** The training of a run that may be controlled. */
  controlled(run: string): Controlled | undefined {
    return this.#controlled.get(run)
  }

  /** Settles when pages were told of all that is in the files by now, or after two seconds where that is very much. */
  async catchUp(): Promise<void> {
    await this.runs.catchUp(2000)
    this.#tell()
  }

  #tell(): void {
    const now = Date.now()
    for (const [id, state] of this.#told) if (state !== this.runs.get(id)?.stateAt(now)) this.#changed.add(id)
    const summaries = [...this.#changed].flatMap((id) => this.summary(id) ?? [])
    this.#changed.clear()
    for (const { id, state } of summaries) this.#told.set(id, state)
    if (summaries.length > 0) this.stream.publish('runs', summaries)
  }

  summary(id: string): RunSummary | undefined {
    const followed = this.runs.get(id)
    if (followed === undefined) return undefined
    const training = this.#controlled.get(id)
    return {
      ...followed.summary(Date.now()),
      controls: training !== undefined,
      ...(training?.hasLearningRate && { learningRate: training.learningRate }),
    }
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    this.stream.close()
    await this.runs.close()
  }
}

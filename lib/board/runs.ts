/** All runs under a folder as they are by now: who follows them is told what changes. */
import { setTimeout } from 'node:timers/promises'
import { turnIfDue } from '../base/turns.ts'
import { warnOf } from '../base/warning.ts'
import type { RunRecord } from '../events/record.ts'
import { Rewritten, RunFile } from './files.ts'
import { findRuns } from './find-runs.ts'
import type { RunSummary } from './protocol.ts'
import { type Limits, Run } from './run.ts'
import { Watch } from './watch.ts'

/** What is told of runs, by their ids, at the moment in which it is so. */
export interface RunsListener {
  /** Records that are part of the run now. */
  records(id: string, records: readonly RunRecord[]): void
  /** So much happened to the run that it has to be asked for again. */
  stale(id: string): void
  /** What is said of it in a line may be another. */
  changed(id: string): void
  gone(id: string): void
}

/** Limits are not lowered below these. */
const least: Limits = { points: 2 ** 10, records: 8 }

/** Milliseconds: between two looks at the files where nobody says that they have changed, at the folders, and at the least. */
const [betweenLooks, betweenScans, betweenRounds] = [1000, 2000, 100]
/** Looking takes no more than this share of the time, however many files there are. */
const share = 0.1

/** Of each run at a time, so that all of them come forward. */
const piecesPerRound = 8

/** A run and its files. */
class Followed {
  readonly id: string
  paths: readonly string[]
  run: Run
  files: RunFile[] = []
  /** Whether all was read once, from when on records are told one by one. */
  isWhole = false
  hasMore = true
  failure: string | undefined

  constructor(id: string, paths: readonly string[], limits: Readonly<Limits>) {
    this.id = id
    this.paths = paths
    this.run = new Run(id, limits)
    this.files = paths.map((path) => new RunFile(path))
  }

  /** How much of its files was read: 1 once all was. */
  get read(): number {
    const sum = (of: (file: RunFile) => number) => this.files.reduce((sum, file) => sum + of(file), 0)
    const part = sum((file) => file.offset) / sum((file) => file.size)
    return this.isWhole ? 1 : Math.min(0.99, part || 0)
  }

  get modified(): number {
    return Math.max(0, ...this.files.map((file) => file.modified))
  }

  stateAt(now: number): RunSummary['state'] {
    return this.run.stateAt(now, this.modified)
  }

  summary(now: number): Omit<RunSummary, 'controls' | 'learningRate'> {
    const fault = this.failure ?? this.files.find((file) => file.fault !== undefined)?.fault
    const summary = { ...this.run.summary(), state: this.stateAt(now), read: this.read }
    return fault === undefined ? summary : { ...summary, message: fault }
  }
}

export class Runs {
  readonly #folder: string
  readonly #memory: number
  readonly #listener: RunsListener
  readonly #limits: Limits = { points: 2 ** 17, records: 200 }
  readonly #followed = new Map<string, Followed>()
  readonly #watch = new Watch()
  /** Who wants to know when all was read. */
  readonly #waiting: (() => void)[] = []
  #isFull = false
  #isClosed = false
  #loop: Promise<void> = Promise.resolve()

  /** @param memory the bytes that runs may take, about */
  constructor(folder: string, memory: number, listener: RunsListener) {
    this.#folder = folder
    this.#memory = memory
    this.#listener = listener
  }

  /** Begins to follow them; settles when it is known which there are. */
  async start(): Promise<void> {
    await this.#scan()
    // Neither a page nor a training ends by a fault of ours: what was read is shown.
    this.#loop = this.#follow().catch(warnOf)
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#watch.close()
    await this.#loop
  }

  get ids(): string[] {
    return [...this.#followed.keys()]
  }

  get(id: string): Followed | undefined {
    return this.#followed.get(id)
  }

  /** Settles when all that is there now was read, or after so many milliseconds. */
  async catchUp(most: number): Promise<void> {
    const whole = new Promise<void>((resolve) => this.#waiting.push(resolve))
    this.#watch.hurry()
    await Promise.race([whole, setTimeout(most, undefined, { ref: false })])
  }

  async #follow(): Promise<void> {
    let nextScan = performance.now() + betweenScans
    while (!this.#isClosed) {
      const waiting = this.#waiting.splice(0)
      const start = performance.now()
      if (waiting.length > 0 || start > nextScan) {
        await this.#scan()
        const now = performance.now()
        nextScan = now + Math.max(betweenScans, (now - start) / share)
      }
      const hasMore = await this.#round()
      if (hasMore) this.#waiting.unshift(...waiting)
      else for (const resolve of waiting) resolve()
      const spent = performance.now() - start
      if (hasMore) await turnIfDue()
      else await this.#watch.pause(Math.max(betweenRounds, spent), Math.max(betweenLooks, spent / share))
    }
  }

  /** Finds runs that are new, and forgets those that are gone. */
  async #scan(): Promise<void> {
    const found = await findRuns(this.#folder)
    for (const id of this.#followed.keys())
      if (!found.has(id)) {
        this.#followed.delete(id)
        this.#listener.gone(id)
      }
    for (const [id, paths] of found) {
      const known = this.#followed.get(id)
      if (known === undefined) {
        this.#followed.set(id, new Followed(id, paths, this.#limits))
        this.#listener.changed(id)
      } else if (paths.join('\0') !== known.paths.join('\0')) this.#takeFiles(known, paths)
    }
    this.#watch.folders([...found.values()].map(([path]) => path!))
  }

  /** Files that are new are read too, and where one is gone the run is begun again. */
  #takeFiles(followed: Followed, paths: readonly string[]): void {
    const isGone = followed.paths.some((path) => !paths.includes(path))
    if (isGone) {
      this.#restart(followed, paths)
      return
    }
    const known = new Map(followed.files.map((file) => [file.path, file]))
    followed.files = paths.map((path) => known.get(path) ?? new RunFile(path))
    followed.paths = paths
    followed.hasMore = true
  }

  #restart(followed: Followed, paths = followed.paths): void {
    const fresh = new Followed(followed.id, paths, this.#limits)
    Object.assign(followed, { ...fresh })
    this.#listener.stale(followed.id)
    this.#listener.changed(followed.id)
  }

  /** Reads something of each run that has more, and says whether there is more still. */
  async #round(): Promise<boolean> {
    let hasMore = false
    let hasRead = false
    for (const followed of [...this.#followed.values()]) {
      if (this.#isClosed) return false
      if (!this.#isFull && (await this.#look(followed))) {
        hasRead = true
        await this.#read(followed)
        hasMore ||= followed.hasMore
      }
    }
    if (hasRead) await this.#fit()
    return hasMore
  }

  async #look(followed: Followed): Promise<boolean> {
    try {
      for (const file of followed.files) if (await file.hasChanged()) followed.hasMore = true
    } catch {
      // It is gone, as the next scan finds.
    }
    return followed.hasMore
  }

  async #read(followed: Followed): Promise<void> {
    try {
      followed.hasMore = await this.#readPieces(followed)
      followed.failure = undefined
    } catch (error) {
      if (error instanceof Rewritten) {
        this.#restart(followed)
        return
      }
      followed.hasMore = false
      followed.failure = (error as Error).message
    }
    if (!followed.hasMore && !followed.isWhole) {
      followed.isWhole = true
      this.#listener.stale(followed.id)
    }
    this.#listener.changed(followed.id)
  }

  /** @returns whether there are more */
  async #readPieces(followed: Followed): Promise<boolean> {
    let pieces = 0
    for (const file of followed.files)
      for await (const records of file.read()) {
        this.#take(followed, records)
        // What comes in such a mass is no news.
        if (++pieces === piecesPerRound) {
          followed.isWhole = false
          return true
        }
        await turnIfDue()
      }
    return false
  }

  #take(followed: Followed, records: readonly RunRecord[]): void {
    let isStale = false
    for (const record of records) {
      if (record.type === 'run' && followed.run.hasBegun) {
        isStale = true
        if (record.step === undefined) followed.run = new Run(followed.id, this.#limits)
      }
      followed.run.add(record)
    }
    if (!followed.isWhole) return
    if (isStale) this.#listener.stale(followed.id)
    else if (records.length > 0) this.#listener.records(followed.id, records)
  }

  /** Keeps less of each run where all of them take too much. */
  async #fit(): Promise<void> {
    const bytes = () => [...this.#followed.values()].reduce((sum, { run }) => sum + run.bytes, 0)
    while (bytes() > this.#memory) {
      if (this.#limits.points === least.points && this.#limits.records === least.records) {
        this.#stop()
        return
      }
      this.#limits.points = Math.max(least.points, this.#limits.points / 2)
      this.#limits.records = Math.max(least.records, this.#limits.records / 2)
      for (const { run } of this.#followed.values()) {
        run.thin()
        await turnIfDue()
      }
    }
  }

  #stop(): void {
    this.#isFull = true
    for (const followed of this.#followed.values()) {
      if (followed.isWhole && !followed.hasMore) continue
      followed.failure = `the runs take more than the ${Math.round(this.#memory / 2 ** 20)} MiB that they may: the rest is left out`
      this.#listener.changed(followed.id)
    }
  }
}

/** Runs that wait for their turn, each in macrotasks of its own, in the order in which they were submitted. */
import { atOnce, type Pieces } from '../../base/turns.ts'

interface Waiting {
  readonly work: Pieces<void>
  end(): void
  fail(error: unknown): void
}

export class SubmissionQueue {
  readonly #waiting: Waiting[] = []

  get isEmpty(): boolean {
    return this.#waiting.length === 0
  }

  /** Settles as `work` ends. Between its pieces the event loop turns. */
  submit(work: Pieces<void>): Promise<void> {
    return new Promise((end, fail) => {
      this.#waiting.push({ work, end, fail })
      setImmediate(() => this.#turn())
    })
  }

  /** Runs all that waits, here and now. */
  drain(): void {
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) this.#step(next, atOnce)
  }

  #turn(): void {
    const next = this.#waiting[0]
    if (next === undefined) return
    this.#step(next, (work) => work.next().done)
    // Each that waits has asked for a turn of its own.
    if (this.#waiting[0] === next) setImmediate(() => this.#turn())
  }

  /** `run` says false where there is more to do. */
  #step(next: Waiting, run: (work: Pieces<void>) => unknown): void {
    try {
      if (run(next.work) === false) return
      this.#waiting.shift()
      next.end()
    } catch (error) {
      this.#waiting.shift()
      next.fail(error)
    }
  }
}

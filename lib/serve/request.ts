/** One call of `predict`: its rows are answered one by one, and it is settled once, whatever ends it. */
import { type Abortable, onAbort, reasonOf } from '../base/abort.ts'
import { startTimer } from '../base/timers.ts'
import { TimeoutError } from './errors.ts'
import type { Row } from './inputs.ts'

/** How a request has ended. */
export type Outcome = { readonly answers: readonly unknown[] } | { readonly error: unknown }

export class Request {
  readonly #answers: unknown[]
  #left: number
  #isSettled = false
  readonly #forget: (() => void)[] = []
  /** Rows of the last batch that it had some in, where somebody asks. */
  batchRows = 0

  /** @param settled is called once */
  constructor(
    readonly rows: number,
    private readonly settled: (outcome: Outcome) => void,
  ) {
    this.#answers = new Array<unknown>(rows)
    this.#left = rows
  }

  /** Whether nobody waits for it any more. */
  get isSettled(): boolean {
    return this.#isSettled
  }

  /** Ends it when the signal is aborted. */
  endBy(signal: Abortable): void {
    this.#forget.push(onAbort(signal, () => this.fail(reasonOf(signal)?.reason)))
  }

  /** Ends it after so many milliseconds. */
  endAfter(timeout: number): void {
    const timer = startTimer(() => this.fail(new TimeoutError(`predict: no answer within ${timeout} ms`)), timeout)
    this.#forget.push(() => clearTimeout(timer))
  }

  answer(place: number, answer: unknown): void {
    this.#answers[place] = answer
    this.#left--
    if (this.#left === 0) this.#settle({ answers: this.#answers })
  }

  fail(error: unknown): void {
    this.#settle({ error })
  }

  #settle(outcome: Outcome): void {
    if (this.#isSettled) return
    this.#isSettled = true
    for (const forget of this.#forget) forget()
    this.settled(outcome)
  }
}

/** A row of a request, which waits for its batch. */
export interface RequestRow {
  readonly request: Request
  readonly place: number
  readonly row: Row
  /** When the request came, by `performance.now()`. */
  readonly since: number
}

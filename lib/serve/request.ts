/** One call of `predict`: its rows are answered one by one, and it is settled once, whatever ends it. */
import { type Abortable, onAbort, reasonOf } from '../base/abort.ts'
import { startTimer } from '../base/timers.ts'
import { TimeoutError } from './errors.ts'
import type { Row } from './inputs.ts'
import type { Waiting } from './queue.ts'

/** How a request has ended. */
export type Outcome = { readonly answers: readonly unknown[] } | { readonly error: unknown }

export class Request {
  #answers: unknown[] = []
  #left = 0
  #isSettled = false
  #forgetSignal: (() => void) | undefined
  #timer: NodeJS.Timeout | undefined
  /** Its rows in the queue. */
  readonly waiting: Waiting<RequestRow>[] = []
  /** Whether it is one row by itself, whose answer is by itself as well. */
  isSingle = false
  /** Rows of the last batch that it had some in, where somebody asks. */
  batchRows = 0

  /**
   * @param since when it came, by `performance.now()`
   * @param settled is called once
   */
  constructor(
    readonly since: number,
    private readonly settled: (outcome: Outcome) => void,
  ) {}

  get rows(): number {
    return this.#answers.length
  }

  /** Tells how many answers it waits for. */
  expect(rows: number, isSingle: boolean): void {
    this.#answers = new Array<unknown>(rows)
    this.#left = rows
    this.isSingle = isSingle
  }

  /** Ends it when the signal is aborted. */
  endBy(signal: Abortable): void {
    this.#forgetSignal = onAbort(signal, () => this.fail(reasonOf(signal)?.reason))
  }

  /** Ends it after so many milliseconds. */
  endAfter(timeout: number): void {
    this.#timer = startTimer(() => this.fail(new TimeoutError(`predict: no answer within ${timeout} ms`)), timeout)
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
    this.#forgetSignal?.()
    clearTimeout(this.#timer)
    this.settled(outcome)
  }
}

/** A row of a request, which waits for its batch. */
export interface RequestRow {
  readonly request: Request
  readonly place: number
  readonly row: Row
}

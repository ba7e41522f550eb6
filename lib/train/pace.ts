/** Steps that are worth one crossing into the backend, and few enough that callbacks and signals act within 50 ms. */
export const usualMilliseconds = 8
const mostSteps = 1024

/** How many steps to submit at a time, by the time that those before have taken. */
export class Pace {
  #steps = 1
  #last = performance.now()

  constructor(readonly milliseconds: number) {}

  /** For the next crossing. */
  get steps(): number {
    return this.#steps
  }

  /** So many steps have ended. */
  ended(steps: number): void {
    const now = performance.now()
    const wanted = Math.round((this.milliseconds * steps) / Math.max(now - this.#last, 1e-3))
    // No more than double: the first steps are not typical.
    this.#steps = Math.max(1, Math.min(wanted, 2 * this.#steps, mostSteps))
    this.#last = now
  }

  /** Something else has taken time since the last steps ended. */
  resume(): void {
    this.#last = performance.now()
  }
}

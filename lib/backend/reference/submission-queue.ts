/** Runs that wait for their turn, each in a macrotask of its own, in the order in which they were submitted. */
export class SubmissionQueue {
  readonly #waiting: (() => void)[] = []

  /** Settles as `work` ends. */
  submit(work: () => void): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push(() => {
        try {
          work()
          resolve()
        } catch (error) {
          reject(error)
        }
      })
      setImmediate(() => this.#waiting.shift()?.())
    })
  }

  /** Runs all that waits, here and now. */
  drain(): void {
    for (let work = this.#waiting.shift(); work !== undefined; work = this.#waiting.shift()) work()
  }
}

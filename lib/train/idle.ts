/** How long no step was under way for want of data. */
export class Idle {
  #underWay = 0
  #since = performance.now()
  #milliseconds = 0

  /** A step is under way until this settles. */
  during<T>(step: Promise<T>): Promise<T> {
    this.#underWay++
    const ended = () => {
      if (--this.#underWay === 0) this.#since = performance.now()
    }
    step.then(ended, ended)
    return step
  }

  /** Data are waited for until this settles; what counts is the time without a step. */
  async whileWaiting<T>(data: Promise<T>): Promise<T> {
    const start = performance.now()
    const found = await data
    if (this.#underWay === 0) this.#milliseconds += performance.now() - Math.max(start, this.#since)
    return found
  }

  /** How long it was since this was asked last. */
  takeSeconds(): number {
    const seconds = this.#milliseconds / 1000
    this.#milliseconds = 0
    return seconds
  }
}

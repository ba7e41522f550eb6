/** Deadlines of many at a time, each as long as any other. */
import { startTimer } from './timers.ts'

/** Ticks in which a deadline passes. */
const ticks = 8

/** What has to be over in time, in a ring with the others that do. */
export class Deadline {
  before: Deadline = this
  after: Deadline = this
  /** The tick after which it has passed. */
  last = 0

  /** @param expire is called once it has passed */
  constructor(readonly expire: () => void) {}
}

/**
 * One time in which each of many has to be over, and which passes a tick of an eighth of it late at most: a timer for each would cost more than most of
 * what they look after, and so would a map, which is made anew whenever it grows and shrinks. It keeps no process alive.
 */
export class Deadlines {
  /** In the order of their coming: after this one the first, before it the last. */
  readonly #ring = new Deadline(() => {})
  #tick = 0
  #timer: NodeJS.Timeout | undefined

  constructor(readonly milliseconds: number) {}

  /** @returns what `remove` takes */
  add(expire: () => void): Deadline {
    const added = new Deadline(expire)
    added.last = this.#tick + ticks
    added.before = this.#ring.before
    added.after = this.#ring
    added.before.after = added
    this.#ring.before = added
    this.#timer ??= this.#nextTick()
    return added
  }

  /** Takes out one that may have passed. */
  remove(deadline: Deadline): void {
    deadline.before.after = deadline.after
    deadline.after.before = deadline.before
    deadline.before = deadline.after = deadline
  }

  #check(): void {
    this.#tick++
    this.#timer = undefined
    for (let next = this.#ring.after; next !== this.#ring && next.last < this.#tick; next = this.#ring.after) {
      this.remove(next)
      next.expire()
    }
    if (this.#ring.after !== this.#ring) this.#timer ??= this.#nextTick()
  }

  #nextTick(): NodeJS.Timeout {
    return startTimer(() => this.#check(), this.milliseconds / ticks).unref()
  }
}

/** Elements that are pulled, and worked on, before anybody asks for them. */
import type { Cursor, Json } from '../stage.ts'
import { done } from '../stage.ts'

interface Entry<U> {
  readonly result: Promise<IteratorResult<U, undefined>>
  /** Where the parent stands after it. */
  readonly after: Json
}

/**
 * Pulls up to `depth` elements ahead and begins `start` for each at once; what it gives comes in the order of the elements. Its position
 * is that of what was given, not of what was pulled.
 */
export function ahead<T, U>(parent: Cursor<T>, depth: number, start: (value: T) => Promise<U>): Cursor<U> {
  return new Ahead(parent, depth, start)
}

class Ahead<T, U> implements Cursor<U> {
  readonly #parent: Cursor<T>
  readonly #depth: number
  readonly #start: (value: T) => Promise<U>
  readonly #queue: Entry<U>[] = []
  #given: Json
  #isPulling = false
  #hasEnded = false
  #wake = () => {}

  constructor(parent: Cursor<T>, depth: number, start: (value: T) => Promise<U>) {
    this.#parent = parent
    this.#depth = depth
    this.#start = start
    this.#given = parent.position()
  }

  async next(): Promise<IteratorResult<U, undefined>> {
    void this.#pull()
    while (this.#queue.length === 0 && !this.#hasEnded) await new Promise<void>((wake) => (this.#wake = wake))
    const entry = this.#queue[0]
    if (entry === undefined) return done
    const result = await entry.result
    this.#queue.shift()
    this.#given = entry.after
    void this.#pull()
    return result
  }

  position(): Json {
    return this.#given
  }

  async close(): Promise<void> {
    this.#hasEnded = true
    this.#queue.length = 0
    this.#wake()
    await this.#parent.close()
  }

  /** Fills the queue. It never rejects: what fails is an entry. */
  async #pull(): Promise<void> {
    if (this.#isPulling) return
    this.#isPulling = true
    while (!this.#hasEnded && this.#queue.length < this.#depth) {
      try {
        const { done, value } = await this.#parent.next()
        if (done) this.#hasEnded = true
        else if (!this.#hasEnded) this.#enter(this.#started(value))
      } catch (error) {
        if (!this.#hasEnded) this.#enter(Promise.reject(error))
        this.#hasEnded = true
      }
      this.#wake()
    }
    this.#isPulling = false
  }

  async #started(value: T): Promise<IteratorResult<U, undefined>> {
    return { done: false, value: await this.#start(value) }
  }

  #enter(result: Promise<IteratorResult<U, undefined>>): void {
    // Its error is thrown where it is awaited, which may be later than it occurs, or never.
    result.catch(() => {})
    this.#queue.push({ result, after: this.#parent.position() })
  }
}

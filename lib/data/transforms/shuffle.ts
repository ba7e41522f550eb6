/** Another order in each epoch, as far as a window of elements reaches. */
import { hashOf } from '../hashing.ts'
import { permutation } from '../permutation.ts'
import { type Cursor, done, type Json, over, type Stage, savedAs } from '../stage.ts'

/** The parent's position where the window begins, which window it is, and how many of its elements were given: no elements. */
type Position = readonly [start: Json, window: number, given: number]

/**
 * Fills a window of elements, gives them in an order that follows from the seed, the epoch and the window's number, and goes on
 * with the next window. With a window of as many elements as there are, every order is as likely.
 */
export const shuffle = <T>(parent: Stage<T>, size: number, seed: number): Stage<T> =>
  over(parent, {
    name: `shuffle(${size}, seed ${seed})`,
    reordered: true,
    open(pass, position) {
      const [start, window, given] = savedAs<Position>(position) ?? [undefined, 0, 0]
      return new Shuffle(parent.open(pass, start), size, hashOf(seed, pass.epoch), window, given)
    },
  })

class Shuffle<T> implements Cursor<T> {
  readonly #parent: Cursor<T>
  readonly #size: number
  readonly #key: number
  #window: number
  #given: number
  #start: Json
  #elements: T[] = []
  #order: Int32Array = new Int32Array()
  #hasEnded = false

  constructor(parent: Cursor<T>, size: number, key: number, window: number, given: number) {
    this.#parent = parent
    this.#size = size
    this.#key = key
    this.#window = window
    this.#given = given
    this.#start = parent.position()
  }

  async next(): Promise<IteratorResult<T, undefined>> {
    // The first window is filled up to where a saved position stood in it.
    if (this.#elements.length === 0) await this.#fill()
    if (this.#given === this.#elements.length) {
      this.#window++
      this.#given = 0
      await this.#fill()
    }
    if (this.#elements.length === 0) return done
    const value = this.#elements[this.#order[this.#given++]!]!
    return { done: false, value }
  }

  position(): Position {
    return [this.#start, this.#window, this.#given]
  }

  close(): Promise<void> {
    this.#elements = []
    return this.#parent.close()
  }

  async #fill(): Promise<void> {
    this.#start = this.#parent.position()
    this.#elements = []
    while (this.#elements.length < this.#size && !this.#hasEnded) {
      const { done, value } = await this.#parent.next()
      if (done) this.#hasEnded = true
      else this.#elements.push(value)
    }
    this.#order = await permutation(this.#elements.length, hashOf(this.#key, this.#window), 0)
  }
}

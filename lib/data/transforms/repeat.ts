/** Several passes as one. */
import { type Cursor, done, type Json, over, type Pass, type Stage, savedAs } from '../stage.ts'

type Position = readonly [round: number, hasElements: boolean, parent: Json]

/** More than anybody repeats in one epoch of an endless stream, so that no two epochs have an order in common. */
const mostRounds = 2 ** 20

/** Each round is another epoch of the parent, so that what is shuffled comes in another order. A parent without elements stays one. */
export const repeat = <T>(parent: Stage<T>, count: number): Stage<T> =>
  over(parent, {
    name: `repeat(${count === Infinity ? '' : count})`,
    size: parent.size === undefined ? undefined : parent.size === 0 || count === 0 ? 0 : parent.size * count,
    // The numbers of elements are others in each round, so that nothing may be chosen by them.
    reordered: true,
    open: (pass, position) => new Repeat(parent, count, pass, savedAs<Position>(position)),
  })

class Repeat<T> implements Cursor<T> {
  readonly #parent: Stage<T>
  readonly #count: number
  readonly #pass: Pass
  #round: number
  #hasElements: boolean
  #cursor: Cursor<T>

  constructor(parent: Stage<T>, count: number, pass: Pass, saved: Position | undefined) {
    this.#parent = parent
    this.#count = count
    this.#pass = pass
    const [round, hasElements, position] = saved ?? [0, false, undefined]
    this.#round = round
    this.#hasElements = hasElements
    this.#cursor = this.#open(position)
  }

  async next(): Promise<IteratorResult<T, undefined>> {
    while (this.#round < this.#count) {
      const result = await this.#cursor.next()
      if (!result.done) {
        this.#hasElements = true
        return result
      }
      if (!this.#hasElements) break
      await this.#cursor.close()
      this.#round++
      this.#hasElements = false
      this.#cursor = this.#open()
    }
    return done
  }

  position(): Position {
    return [this.#round, this.#hasElements, this.#cursor.position()]
  }

  close(): Promise<void> {
    return this.#cursor.close()
  }

  #open(position?: Json): Cursor<T> {
    const rounds = this.#count === Infinity ? mostRounds : this.#count
    return this.#parent.open({ ...this.#pass, epoch: this.#pass.epoch * rounds + this.#round }, position)
  }
}

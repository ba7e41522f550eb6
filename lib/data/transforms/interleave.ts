/** The elements of several streams in turn, of which each is made of an element of another one. */
import { PipelineError } from '../../base/errors.ts'
import { elementAt } from '../../base/lists.ts'
import { failedAt } from '../failures.ts'
import { type Cursor, done, type Json, over, type Pass, type Stage, savedAs } from '../stage.ts'
import { type Numbered, numbered } from './numbered.ts'

/** Where the parent stands before the element that a stream was made of, and where that stands. */
type Place = readonly [before: Json, at: Json]

interface Position {
  readonly [name: string]: Json
  readonly parent: Json
  readonly open: readonly Place[]
  /** Whose turn it is, and how many elements it has given in it. */
  readonly turn: number
  readonly given: number
}

interface Open<T> {
  readonly before: Json
  readonly cursor: Cursor<T>
}

export interface Interleaved {
  /** How many streams are open at a time. */
  readonly cycle: number
  /** How many elements come from one before it is the next one's turn. */
  readonly block: number
}

export const interleave = <T, U>(
  parent: Stage<T>,
  make: (value: T) => Stage<U> | Promise<Stage<U>>,
  { cycle, block }: Interleaved,
): Stage<U> =>
  over(parent, {
    name: `interleave(cycle ${cycle}, block ${block})`,
    size: undefined,
    batched: false,
    open: (pass, position) => new Interleave(parent, make, { cycle, block }, pass, savedAs<Position>(position)),
  })

class Interleave<T, U> implements Cursor<U> {
  readonly #parent: Stage<T>
  readonly #make: (value: T) => Stage<U> | Promise<Stage<U>>
  readonly #options: Interleaved
  readonly #pass: Pass
  readonly #elements: Cursor<Numbered<T>>
  readonly #open: Open<U>[] = []
  /** What a saved position had open, until it is open again. */
  #saved: readonly Place[]
  #hasEnded = false
  #turn: number
  #given: number

  constructor(
    parent: Stage<T>,
    make: (value: T) => Stage<U> | Promise<Stage<U>>,
    options: Interleaved,
    pass: Pass,
    saved: Position | undefined,
  ) {
    this.#parent = parent
    this.#make = make
    this.#options = options
    this.#pass = pass
    this.#elements = numbered(parent, pass, saved?.parent)
    this.#saved = saved?.open ?? []
    this.#turn = saved?.turn ?? 0
    this.#given = saved?.given ?? 0
  }

  async next(): Promise<IteratorResult<U, undefined>> {
    await this.#restore()
    for (;;) {
      await this.#fill()
      if (this.#open.length === 0) return done
      if (this.#given === this.#options.block) this.#passOn(this.#turn + 1)
      const { cursor } = elementAt(this.#open, this.#turn)
      const result = await cursor.next()
      if (!result.done) {
        this.#given++
        return result
      }
      await cursor.close()
      this.#open.splice(this.#turn, 1)
      this.#passOn(this.#turn)
    }
  }

  position(): Position {
    const open =
      this.#saved.length > 0 ? this.#saved : this.#open.map(({ before, cursor }): Place => [before, cursor.position()])
    return { parent: this.#elements.position(), open, turn: this.#turn, given: this.#given }
  }

  async close(): Promise<void> {
    this.#hasEnded = true
    await Promise.all([this.#elements, ...this.#open.map(({ cursor }) => cursor)].map((cursor) => cursor.close()))
  }

  #passOn(turn: number): void {
    this.#turn = this.#open.length === 0 ? 0 : turn % this.#open.length
    this.#given = 0
  }

  async #fill(): Promise<void> {
    while (!this.#hasEnded && this.#open.length < this.#options.cycle) {
      const before = this.#elements.position()
      const { done, value } = await this.#elements.next()
      if (done) this.#hasEnded = true
      else this.#open.push({ before, cursor: (await this.#made(value)).open(this.#pass) })
    }
  }

  async #restore(): Promise<void> {
    for (const [before, at] of this.#saved) {
      const elements = numbered(this.#parent, this.#pass, before)
      const { done, value } = await elements.next()
      await elements.close()
      if (done) throw new PipelineError('interleave: expected as many elements as when the state was saved, got fewer')
      this.#open.push({ before, cursor: (await this.#made(value)).open(this.#pass, at) })
    }
    this.#saved = []
  }

  async #made({ value, number }: Numbered<T>): Promise<Stage<U>> {
    try {
      return await this.#make(value)
    } catch (error) {
      throw failedAt('interleave', number, error)
    }
  }
}

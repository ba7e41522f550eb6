/** The elements of a stage with their numbers, which errors and choices go by. */
import { type Cursor, type Json, type Pass, type Stage, savedAs } from '../stage.ts'

/** How many elements came before, and where the parent stands: errors have numbers of elements also after a pass was restored. */
type Counted = readonly [count: number, parent: Json]

/** Elements of a cursor with their numbers, from 0. */
export interface Numbered<T> {
  readonly value: T
  readonly number: number
}

/** The elements of a stage, numbered. */
export function numbered<T>(parent: Stage<T>, pass: Pass, position: Json | undefined): Cursor<Numbered<T>> {
  const [start, at] = savedAs<Counted>(position) ?? [0, undefined]
  const cursor = parent.open(pass, at)
  let count = start
  return {
    async next() {
      const { done, value } = await cursor.next()
      return done ? { done, value } : { done: false, value: { value, number: count++ } }
    },
    position: (): Counted => [count, cursor.position()],
    close: () => cursor.close(),
  }
}

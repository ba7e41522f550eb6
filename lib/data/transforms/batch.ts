/** Elements in batches, and batches in elements. */
import { turnIfDue } from '../../base/turns.ts'
import { type Rows, rowsOfBatch, type Stacking, stacked } from '../stacking.ts'
import { type Cursor, done, type Json, over, type Stage, savedAs, sizeBy } from '../stage.ts'
import { type Numbered, numbered } from './numbered.ts'

export interface Batching {
  readonly size: number
  readonly dropLast: boolean
  /** What becomes of the elements of a batch. */
  readonly stack: (elements: readonly unknown[], first: number) => Promise<unknown>
}

/** Batches of what `stack` makes of as many elements each, but for the last. */
export const batched = <T>(parent: Stage<unknown>, name: string, { size, dropLast, stack }: Batching): Stage<T> =>
  over(parent, {
    name: `${name}(${size}${dropLast ? ', dropLast' : ''})`,
    batched: true,
    size: sizeBy(parent.size, (count) => (dropLast ? Math.floor(count / size) : Math.ceil(count / size))),
    open(pass, position) {
      const elements = numbered(parent, pass, position)
      return {
        async next() {
          const taken = await taking(elements, size)
          const [first] = taken
          if (first === undefined || (dropLast && taken.length < size)) return done
          const values = taken.map(({ value }) => value)
          return { done: false, value: (await stack(values, first.number)) as T }
        },
        position: () => elements.position(),
        close: () => elements.close(),
      }
    },
  })

async function taking<T>(cursor: Cursor<Numbered<T>>, count: number): Promise<Numbered<T>[]> {
  const taken: Numbered<T>[] = []
  while (taken.length < count) {
    const { done, value } = await cursor.next()
    if (done) break
    taken.push(value)
  }
  return taken
}

export const batch = <T>(parent: Stage<unknown>, size: number, dropLast: boolean, dtype: Stacking['dtype']): Stage<T> =>
  batched(parent, 'batch', {
    size,
    dropLast,
    stack: (elements, first) => stacked(elements, { op: 'batch', first, dtype }),
  })

type Position = readonly [parent: Json, given: number]

/** The rows of each batch as elements. */
export const unbatch = <T>(parent: Stage<unknown>): Stage<T> =>
  over(parent, {
    name: 'unbatch',
    batched: false,
    size: undefined,
    open(pass, position) {
      let [start, given] = savedAs<Position>(position) ?? [undefined, 0]
      const cursor = parent.open(pass, start)
      start = cursor.position()
      let rows: Rows | undefined
      return {
        async next() {
          while (rows === undefined || given >= rows.count) {
            if (rows !== undefined) [start, given, rows] = [cursor.position(), 0, undefined]
            const { done, value } = await cursor.next()
            if (done) return { done, value }
            rows = await rowsOfBatch('unbatch', value)
          }
          const due = turnIfDue()
          if (due !== undefined) await due
          return { done: false, value: rows.row(given++) as T }
        },
        position: (): Position => [start as Json, given],
        close: () => cursor.close(),
      }
    },
  })

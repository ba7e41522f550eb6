/** Streams one after the other, and side by side. */
import { type Cursor, done, type Json, type Stage, savedAs } from '../stage.ts'

const allBatched = (parents: readonly Stage<unknown>[]): boolean => parents.every(({ batched }) => batched)
const anyReordered = (parents: readonly Stage<unknown>[]): boolean => parents.some(({ reordered }) => reordered)

export function concat<T>(parents: readonly Stage<T>[]): Stage<T> {
  const sizes = parents.map(({ size }) => size)
  return {
    name: 'concat',
    parents,
    batched: allBatched(parents),
    reordered: anyReordered(parents),
    size: sizes.reduce((a, b) => (a === undefined || b === undefined ? undefined : a + b), 0),
    open(pass, position) {
      let [place, at] = savedAs<readonly [place: number] | readonly [place: number, at: Json]>(position) ?? [0]
      let cursor: Cursor<T> | undefined = parents[place]?.open(pass, at)
      return {
        async next() {
          while (cursor !== undefined) {
            const result = await cursor.next()
            if (!result.done) return result
            await cursor.close()
            cursor = parents[++place]?.open(pass)
          }
          return done
        },
        position: () => (cursor === undefined ? [place] : [place, cursor.position()]),
        close: async () => cursor?.close(),
      }
    },
  }
}

/** Tuples of an element of each; it ends with the shortest. */
export function zip(parents: readonly Stage<unknown>[]): Stage<unknown[]> {
  const sizes = parents.map(({ size }) => size)
  return {
    name: 'zip',
    parents,
    batched: allBatched(parents),
    reordered: anyReordered(parents),
    size: sizes.reduce((a, b) => (a === undefined || b === undefined ? undefined : Math.min(a, b))),
    open(pass, position) {
      const saved = savedAs<readonly Json[]>(position)
      const cursors = parents.map((parent, i) => parent.open(pass, saved?.[i]))
      return {
        async next() {
          const results = await Promise.all(cursors.map((cursor) => cursor.next()))
          if (results.some(({ done }) => done)) return done
          return { done: false, value: results.map(({ value }) => value) }
        },
        position: () => cursors.map((cursor) => cursor.position()),
        close: async () => void (await Promise.all(cursors.map((cursor) => cursor.close()))),
      }
    },
  }
}

/** The beginning of the elements, and what comes after it. */
import { done, type Json, over, type Stage, savedAs, sizeBy } from '../stage.ts'

type Position = readonly [count: number, parent: Json]

export const take = <T>(parent: Stage<T>, count: number): Stage<T> =>
  over(parent, {
    name: `take(${count})`,
    size: sizeBy(parent.size, (size) => Math.min(size, count)),
    open(pass, position) {
      let [taken, at] = savedAs<Position>(position) ?? [0, undefined]
      const cursor = parent.open(pass, at)
      return {
        async next() {
          if (taken >= count) return done
          const result = await cursor.next()
          if (!result.done) taken++
          return result
        },
        position: (): Position => [taken, cursor.position()],
        close: () => cursor.close(),
      }
    },
  })

export const skip = <T>(parent: Stage<T>, count: number): Stage<T> =>
  over(parent, {
    name: `skip(${count})`,
    size: sizeBy(parent.size, (size) => Math.max(0, size - count)),
    open(pass, position) {
      let [skipped, at] = savedAs<Position>(position) ?? [0, undefined]
      const cursor = parent.open(pass, at)
      return {
        async next() {
          for (; skipped < count; skipped++) if ((await cursor.next()).done) return done
          return cursor.next()
        },
        position: (): Position => [skipped, cursor.position()],
        close: () => cursor.close(),
      }
    },
  })

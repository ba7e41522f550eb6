/** Elements that are kept in memory after the first whole pass. */

import { turnIfDue } from '../../base/turns.ts'
import { type Cursor, over, type Pass, type Stage, savedAs } from '../stage.ts'

/** The parent's elements of epoch 0 in every epoch, whichever pass comes first, also after a restart. */
export function cache<T>(parent: Stage<T>): Stage<T> {
  let kept: readonly T[] | undefined
  const keep = (elements: readonly T[]) => (kept = elements)
  return over(parent, {
    name: 'cache',
    reordered: false,
    open(pass, position) {
      const start = savedAs<number>(position) ?? 0
      return kept === undefined ? filling(parent, { ...pass, epoch: 0 }, start, keep) : replaying(kept, start)
    },
  })
}

/** What comes before the start is read once more, as it is to be kept. */
function filling<T>(parent: Stage<T>, pass: Pass, start: number, keep: (elements: readonly T[]) => void): Cursor<T> {
  const cursor = parent.open(pass)
  let elements: T[] = []
  let given = start
  return {
    async next() {
      for (;;) {
        const result = await cursor.next()
        if (result.done) {
          keep(elements)
          return result
        }
        if (elements.push(result.value) <= given) continue
        given++
        return result
      }
    },
    position: () => given,
    async close() {
      elements = []
      await cursor.close()
    },
  }
}

function replaying<T>(kept: readonly T[], start: number): Cursor<T> {
  let given = start
  return {
    async next() {
      const due = turnIfDue()
      if (due !== undefined) await due
      return given < kept.length ? { done: false, value: kept[given++]! } : { done: true, value: undefined }
    },
    position: () => given,
    async close() {},
  }
}

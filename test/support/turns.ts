/** Counts turns of the event loop. */
import { setImmediate } from 'node:timers/promises'

/** How often the event loop turns until a promise settles. */
export async function turnsUntil(promise: Promise<unknown>): Promise<number> {
  let isDone = false
  promise.finally(() => {
    isDone = true
  })
  let turns = 0
  for (; !isDone; turns++) await setImmediate()
  return turns
}

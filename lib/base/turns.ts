/**
 * Long work that JavaScript has to do itself: as a generator that comes to a halt between pieces of a millisecond or two: all
 * of it at once, or so that the event loop turns between the pieces.
 */
import { setImmediate } from 'node:timers/promises'

export type Pieces<T> = Generator<undefined, T>

/** About as many steps of a few instructions each are a piece. */
export const stepsPerPiece = 2 ** 16

export function atOnce<T>(pieces: Pieces<T>): T {
  let next = pieces.next()
  while (!next.done) next = pieces.next()
  return next.value
}

export async function inTurns<T>(pieces: Pieces<T>): Promise<T> {
  for (let next = pieces.next(); ; next = pieces.next()) {
    if (next.done) return next.value
    await setImmediate()
  }
}

/** How long the event loop may be kept by work that consists of many short pieces. */
const mostMilliseconds = 4

let turned = 0

/** A turn of the event loop, if there has been none for some milliseconds; undefined otherwise, which costs next to nothing. */
export function turnIfDue(): Promise<void> | undefined {
  return performance.now() - turned < mostMilliseconds ? undefined : turn()
}

async function turn(): Promise<void> {
  await setImmediate()
  turned = performance.now()
}

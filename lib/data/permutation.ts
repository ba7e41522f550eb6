/** The order of rows in an epoch. */
import { atOnce, inTurns, type Pieces, stepsPerPiece } from '../base/turns.ts'
import { fractionOf, mix } from './hashing.ts'

/** The integers from 0 to size − 1. */
export function range(size: number): Int32Array<ArrayBuffer> {
  const all = new Int32Array(size)
  for (let i = 0; i < size; i++) all[i] = i
  return all
}

/** Exchanges each of the elements from `from` down to `to` with one before it, or with itself. */
function exchange(order: Int32Array, from: number, to: number, key: number): void {
  for (let i = from; i >= to; i--) {
    const j = Math.floor(fractionOf(key, i) * (i + 1))
    const chosen = order[j]!
    order[j] = order[i]!
    order[i] = chosen
  }
}

function* shuffled(size: number, seed: number, epoch: number): Pieces<Int32Array<ArrayBuffer>> {
  const key = mix(mix(seed ^ 0x9e3779b9) + epoch)
  const order = range(size)
  for (let from = size - 1; from > 0; from -= stepsPerPiece) {
    if (from < size - 1) yield
    exchange(order, from, Math.max(1, from - stepsPerPiece + 1), key)
  }
  return order
}

/**
 * The integers from 0 to size − 1 in an order that depends on the seed and the epoch alone: Fisher–Yates (Durstenfeld,
 * 1964), with a hash of a counter as its random numbers. The event loop turns meanwhile.
 */
export const permutation = (size: number, seed: number, epoch: number): Promise<Int32Array<ArrayBuffer>> =>
  inTurns(shuffled(size, seed, epoch))

/** The same here and now. */
export const permutationSync = (size: number, seed: number, epoch: number): Int32Array<ArrayBuffer> =>
  atOnce(shuffled(size, seed, epoch))

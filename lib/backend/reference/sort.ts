/** The order of the elements of rows. */
import type { InstructionParams } from '../../program/instructions.ts'
import type { Indices, Numbers } from './loop.ts'

/** Ascending, with NaN at the end. */
const compare = (a: number, b: number): number =>
  Number.isNaN(a) || Number.isNaN(b) ? Number(Number.isNaN(a)) - Number(Number.isNaN(b)) : a < b ? -1 : Number(a > b)

export function argsort(
  { rows, columns, count, descending }: InstructionParams['argsort'],
  [x]: readonly [Numbers],
  [out]: readonly [Indices],
): void {
  for (let row = 0; row < rows; row++) {
    const elements = x.subarray(row * columns, (row + 1) * columns)
    const order = Array.from(elements, (x, i) => ({ x, i }))
    // The sort of arrays is stable.
    order.sort((a, b) => (descending ? compare(b.x, a.x) : compare(a.x, b.x)))
    for (const [place, { i }] of order.slice(0, count).entries()) out[row * count + place] = i
  }
}

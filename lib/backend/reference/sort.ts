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
    const order = Int32Array.from(elements, (_, i) => i)
    // The sort of typed arrays is stable.
    order.sort((i, j) => (descending ? compare(elements[j]!, elements[i]!) : compare(elements[i]!, elements[j]!)))
    out.set(order.subarray(0, count), row * count)
  }
}

/** The index that fills sequences up. */
import { checkNumber } from '../base/arguments.ts'

/** The row of a table of `count` that a paddingIndex names. */
export function paddingRow(op: string, paddingIndex: number, count: number): number {
  checkNumber(op, `an integer paddingIndex in [${-count}, ${count})`, paddingIndex, (i) => {
    return Number.isInteger(i) && i >= -count && i < count
  })
  return paddingIndex < 0 ? paddingIndex + count : paddingIndex
}

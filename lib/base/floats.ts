/** The numbers of a float dtype next to others, and at the ends of its range. */
import type { DType } from './dtype.ts'

const double = new Float64Array(1)
const doubleBits = new BigInt64Array(double.buffer)
const single = new Float32Array(1)
const singleBits = new Int32Array(single.buffer)

/** A number as the dtype has it. */
export const roundTo = (x: number, dtype: DType): number => (dtype === 'float64' ? x : Math.fround(x))

/** The greatest number of the dtype that is less than a finite x. */
export function greatestBelow(x: number, dtype: DType): number {
  const rounded = roundTo(x, dtype)
  if (rounded < x) return rounded
  const isDouble = dtype === 'float64'
  if (rounded === 0) return isDouble ? -Number.MIN_VALUE : -(2 ** -149)
  // The patterns of numbers of one sign ascend with their magnitudes.
  if (isDouble) {
    double[0] = rounded
    doubleBits[0]! += rounded > 0 ? -1n : 1n
    return double[0]
  }
  single[0] = rounded
  singleBits[0]! += rounded > 0 ? -1 : 1
  return single[0]
}

/** The least positive number with all its digits. */
export const leastNormal = (dtype: DType): number => (dtype === 'float64' ? 2 ** -1022 : 2 ** -126)

/** The greatest number. */
export const greatest = (dtype: DType): number => (dtype === 'float64' ? Number.MAX_VALUE : (2 - 2 ** -23) * 2 ** 127)

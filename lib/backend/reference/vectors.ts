/** Vectors and matrices in float64, a matrix as the list of its rows. All sums are in ascending order. */
import type { Floats } from './loop.ts'

/** Rows of so many columns from element `start` on, as float64. */
export const rowsOf = (x: Floats, start: number, rows: number, columns: number): Float64Array[] =>
  Array.from({ length: rows }, (_, i) => Float64Array.from(x.subarray(start + i * columns, start + (i + 1) * columns)))

/** Writes rows one after the other, from element `start` on. */
export function setRows(out: Floats, start: number, rows: readonly Float64Array[]): void {
  for (const row of rows) {
    out.set(row, start)
    start += row.length
  }
}

export const identity = (n: number): Float64Array[] =>
  Array.from({ length: n }, (_, i) => new Float64Array(n).fill(1, i, i + 1))

export function transposed(rows: readonly Float64Array[], columns: number): Float64Array[] {
  return Array.from({ length: columns }, (_, j) => Float64Array.from(rows, (row) => row[j]!))
}

export const dot = (x: Float64Array, y: Float64Array): number => x.reduce((sum, value, i) => sum + value * y[i]!, 0)

/** x − factor·y in place of x, from element `first` on. */
export function subtract(x: Float64Array, factor: number, y: Float64Array, first = 0): void {
  for (let i = first; i < x.length; i++) x[i]! -= factor * y[i]!
}

export function divide(x: Float64Array, divisor: number): void {
  x.forEach((value, i) => {
    x[i] = value / divisor
  })
}

/**
 * Batched matrix multiplication: of operands rounded to the precision, dot products in float64, added in ascending order and rounded once, like the sum with the
 * bias and the activation after them; of integers modulo 2³².
 */
import type { InstructionParams } from '../../program/instructions.ts'
import type { MatrixLayout, Precision } from '../../program/vocabulary.ts'
import { activations, toBf16 } from './functions.ts'
import type { Numbers } from './loop.ts'

export function matmul(
  p: InstructionParams['matmul'],
  [a, b, bias]: readonly [Numbers, Numbers, ...Numbers[]],
  [c]: readonly [Numbers],
): void {
  const activate = activations[p.activation]
  const multiply = c instanceof Int32Array ? multiplyIntegers : multiplyRow
  const sums = new Float64Array(p.n)
  for (let batch = 0; batch < p.batch; batch++) {
    const left = denseMatrix(a, p.a, batch, p.m, p.k, p.precision)
    const right = denseMatrix(b, p.b, batch, p.k, p.n, p.precision)
    for (let i = 0; i < p.m; i++) {
      multiply(left.subarray(i * p.k, (i + 1) * p.k), right, sums)
      const start = (batch * p.m + i) * p.n
      const row = c.subarray(start, start + p.n)
      row.set(sums)
      if (bias) for (let j = 0; j < p.n; j++) row[j]! += bias[j]!
      if (p.activation !== 'none') for (let j = 0; j < p.n; j++) row[j] = activate(row[j]!, p.slope)
    }
  }
}

/** The matrix that the layout describes, row by row, in float64, rounded to the precision. */
function denseMatrix(
  x: Numbers,
  layout: MatrixLayout,
  batch: number,
  rows: number,
  columns: number,
  precision: Precision,
): Float64Array {
  const { leadingDimension, transpose } = layout
  const start = layout.offset + batch * layout.batchStride
  const [rowStride, columnStride] = transpose ? [1, leadingDimension] : [leadingDimension, 1]
  const matrix = new Float64Array(rows * columns)
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) matrix[i * columns + j] = x[start + i * rowStride + j * columnStride]!
  }
  return precision === 'bf16' ? matrix.map(toBf16) : matrix
}

/** sums[j] = Σ row[q] · matrix[q, j] */
function multiplyRow(row: Float64Array, matrix: Float64Array, sums: Float64Array): void {
  sums.fill(0)
  const columns = sums.length
  for (const [q, x] of row.entries()) {
    const start = q * columns
    for (let j = 0; j < columns; j++) sums[j]! += x * matrix[start + j]!
  }
}

/** The same of int32, which wraps. */
function multiplyIntegers(row: Float64Array, matrix: Float64Array, sums: Float64Array): void {
  sums.fill(0)
  for (const [q, x] of row.entries())
    for (let j = 0; j < sums.length; j++) sums[j] = (sums[j]! + Math.imul(x, matrix[q * sums.length + j]!)) | 0
}

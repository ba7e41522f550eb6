/** Batched matrix multiplication: dot products in float64, added in ascending order, rounded once. */
import type { InstructionParams, MatrixLayout } from '../../program/instructions.ts'
import { activations } from './functions.ts'
import type { Floats } from './loop.ts'

export function matmul(
  p: InstructionParams['matmul'],
  [a, b, bias]: readonly [Floats, Floats, ...Floats[]],
  [c]: readonly [Floats],
): void {
  const activate = activations[p.activation]
  const row = new Float64Array(p.k)
  const sums = new Float64Array(p.n)
  for (let batch = 0; batch < p.batch; batch++) {
    for (let i = 0; i < p.m; i++) {
      readRow(a, p.a, batch, i, row)
      multiplyRow(row, b, p.b, batch, sums)
      const start = (batch * p.m + i) * p.n
      for (let j = 0; j < p.n; j++) c[start + j] = activate(bias ? sums[j]! + bias[j]! : sums[j]!, p.slope)
    }
  }
}

/** row[q] = a[i, q] */
function readRow(a: Floats, layout: MatrixLayout, batch: number, i: number, row: Float64Array): void {
  const { offset, batchStride, leadingDimension, transpose } = layout
  const start = offset + batch * batchStride + i * (transpose ? 1 : leadingDimension)
  const stride = transpose ? leadingDimension : 1
  for (let q = 0; q < row.length; q++) row[q] = a[start + q * stride]!
}

/** sums[j] = Σ row[q] · b[q, j], walking through b in the order in which it is stored. */
function multiplyRow(row: Float64Array, b: Floats, layout: MatrixLayout, batch: number, sums: Float64Array): void {
  const { leadingDimension, transpose } = layout
  const start = layout.offset + batch * layout.batchStride
  if (transpose) {
    for (let j = 0; j < sums.length; j++) sums[j] = dot(row, b, start + j * leadingDimension)
    return
  }
  sums.fill(0)
  for (let q = 0; q < row.length; q++) addScaled(row[q]!, b, start + q * leadingDimension, sums)
}

function dot(row: Float64Array, b: Floats, start: number): number {
  let sum = 0
  for (let q = 0; q < row.length; q++) sum += row[q]! * b[start + q]!
  return sum
}

function addScaled(x: number, b: Floats, start: number, sums: Float64Array): void {
  for (let j = 0; j < sums.length; j++) sums[j] = sums[j]! + x * b[start + j]!
}

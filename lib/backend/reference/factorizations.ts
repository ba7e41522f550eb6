/** Factorizations and systems of equations, matrix by matrix, in float64: results are rounded once, where they are stored. */
import type { InstructionParams } from '../../program/instructions.ts'
import type { Floats } from './loop.ts'

type Square = Readonly<InstructionParams['cholesky']>

/** L·Lᵀ = A by columns (Cholesky–Banachiewicz), of the lower triangle of A. NaN throughout where A is not positive definite. */
export function cholesky({ batch, n }: Square, [x]: readonly [Floats], [out]: readonly [Floats]): void {
  for (let start = 0; start < batch * n * n; start += n * n) {
    const l = new Float64Array(n * n)
    if (!factorCholesky(x.subarray(start, start + n * n), l, n)) l.fill(NaN)
    out.set(l, start)
  }
}

function factorCholesky(a: Floats, l: Float64Array, n: number): boolean {
  for (let j = 0; j < n; j++) {
    for (let i = j; i < n; i++) {
      let sum = a[i * n + j]!
      for (let k = 0; k < j; k++) sum -= l[i * n + k]! * l[j * n + k]!
      if (i > j) l[i * n + j] = sum / l[j * n + j]!
      else if (sum > 0) l[j * n + j] = Math.sqrt(sum)
      else return false
    }
  }
  return true
}

export function triangularSolve(
  { batch, n, columns, lower, transpose, unitDiagonal }: Readonly<InstructionParams['triangularSolve']>,
  [a, b]: readonly [Floats, Floats],
  [out]: readonly [Floats],
): void {
  for (let i = 0; i < batch; i++) {
    const matrix = a.subarray(i * n * n, (i + 1) * n * n)
    const x = Float64Array.from(b.subarray(i * n * columns, (i + 1) * n * columns))
    const coefficient = (row: number, column: number) => matrix[transpose ? column * n + row : row * n + column]!
    substitute(coefficient, lower !== transpose, unitDiagonal, x, n, columns)
    out.set(x, i * n * columns)
  }
}

/** Solves a triangular system in place: row by row, from the top where it is lower triangular, else from the bottom. */
function substitute(
  coefficient: (row: number, column: number) => number,
  lower: boolean,
  unitDiagonal: boolean,
  x: Float64Array,
  n: number,
  columns: number,
): void {
  for (let step = 0; step < n; step++) {
    const i = lower ? step : n - 1 - step
    for (let done = 0; done < step; done++) {
      const k = lower ? done : n - 1 - done
      const c = coefficient(i, k)
      for (let j = 0; j < columns; j++) x[i * columns + j]! -= c * x[k * columns + j]!
    }
    if (unitDiagonal) continue
    const pivot = coefficient(i, i)
    for (let j = 0; j < columns; j++) x[i * columns + j]! /= pivot
  }
}

/**
 * P·A = L·U in place, with the greatest element of each column as its pivot (the first of several); the rows of `x`
 * are exchanged alike. Gives the sign of P, or 0 where a pivot is 0.
 */
function factorLu(a: Float64Array, n: number, x: Float64Array, columns: number): number {
  let sign = 1
  for (let k = 0; k < n; k++) {
    let pivot = k
    for (let i = k + 1; i < n; i++) if (Math.abs(a[i * n + k]!) > Math.abs(a[pivot * n + k]!)) pivot = i
    if (a[pivot * n + k] === 0) return 0
    if (pivot !== k) {
      sign = -sign
      exchangeRows(a, n, k, pivot)
      exchangeRows(x, columns, k, pivot)
    }
    for (let i = k + 1; i < n; i++) {
      const factor = a[i * n + k]! / a[k * n + k]!
      a[i * n + k] = factor
      for (let j = k + 1; j < n; j++) a[i * n + j]! -= factor * a[k * n + j]!
    }
  }
  return sign
}

function exchangeRows(x: Float64Array, columns: number, i: number, k: number): void {
  for (let j = 0; j < columns; j++) {
    const held = x[i * columns + j]!
    x[i * columns + j] = x[k * columns + j]!
    x[k * columns + j] = held
  }
}

export function solve(
  { batch, n, columns }: Readonly<InstructionParams['solve']>,
  [a, b]: readonly [Floats, Floats],
  [out]: readonly [Floats],
): void {
  for (let i = 0; i < batch; i++) {
    const lu = Float64Array.from(a.subarray(i * n * n, (i + 1) * n * n))
    const x = Float64Array.from(b.subarray(i * n * columns, (i + 1) * n * columns))
    const coefficient = (row: number, column: number) => lu[row * n + column]!
    if (factorLu(lu, n, x, columns) === 0) x.fill(NaN)
    else {
      substitute(coefficient, true, true, x, n, columns)
      substitute(coefficient, false, false, x, n, columns)
    }
    out.set(x, i * n * columns)
  }
}

export function determinant(
  { batch, n }: Square,
  [x]: readonly [Floats],
  [det, sign, logAbs]: readonly [Floats, Floats, Floats],
): void {
  for (let i = 0; i < batch; i++) {
    const lu = Float64Array.from(x.subarray(i * n * n, (i + 1) * n * n))
    const parity = factorLu(lu, n, new Float64Array(0), 0)
    let [product, signs, logarithm] = [parity, parity, parity === 0 ? -Infinity : 0]
    for (let k = 0; k < n && parity !== 0; k++) {
      const pivot = lu[k * n + k]!
      product *= pivot
      signs *= Math.sign(pivot)
      logarithm += Math.log(Math.abs(pivot))
    }
    det[i] = product
    sign[i] = signs
    logAbs[i] = logarithm
  }
}

/** Householder's reflections, with the signs of LAPACK's geqrf: what is reflected becomes −sign(x₀)·‖x‖. */
export function qr(
  { batch, rows, columns }: Readonly<InstructionParams['qr']>,
  [x]: readonly [Floats],
  [q, r]: readonly [Floats, Floats],
): void {
  const k = Math.min(rows, columns)
  for (let i = 0; i < batch; i++) {
    const a = Float64Array.from(x.subarray(i * rows * columns, (i + 1) * rows * columns))
    const factors = new Float64Array(k)
    for (let j = 0; j < k; j++) {
      factors[j] = makeReflection(a, rows, columns, j)
      for (let column = j + 1; column < columns; column++) reflect(a, rows, columns, j, factors[j]!, a, columns, column)
    }
    const orthogonal = new Float64Array(rows * k)
    for (let j = 0; j < k; j++) orthogonal[j * k + j] = 1
    for (let j = k - 1; j >= 0; j--)
      for (let column = j; column < k; column++) reflect(a, rows, columns, j, factors[j]!, orthogonal, k, column)
    q.set(orthogonal, i * rows * k)
    for (let row = 0; row < k; row++)
      for (let column = 0; column < columns; column++)
        r[(i * k + row) * columns + column] = column < row ? 0 : a[row * columns + column]!
  }
}

/** Column j from row j on becomes (β, 0, …); below β stands v of H = I − τ·v·vᵀ, v₀ = 1. Gives τ. */
function makeReflection(a: Float64Array, rows: number, columns: number, j: number): number {
  const alpha = a[j * columns + j]!
  let squares = 0
  for (let i = j + 1; i < rows; i++) squares += a[i * columns + j]! * a[i * columns + j]!
  if (squares === 0) return 0
  const norm = Math.sqrt(alpha * alpha + squares)
  const beta = alpha >= 0 ? -norm : norm
  for (let i = j + 1; i < rows; i++) a[i * columns + j]! /= alpha - beta
  a[j * columns + j] = beta
  return (beta - alpha) / beta
}

/** Applies the reflection in column j of `a` to one column of `x`. */
function reflect(
  a: Float64Array,
  rows: number,
  columns: number,
  j: number,
  factor: number,
  x: Float64Array,
  stride: number,
  column: number,
): void {
  let inner = x[j * stride + column]!
  for (let i = j + 1; i < rows; i++) inner += a[i * columns + j]! * x[i * stride + column]!
  inner *= factor
  x[j * stride + column]! -= inner
  for (let i = j + 1; i < rows; i++) x[i * stride + column]! -= inner * a[i * columns + j]!
}

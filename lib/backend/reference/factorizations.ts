/** Factorizations and systems of equations, matrix by matrix, in float64: results are rounded once, where they are stored. */
import { zipWith } from '../../base/lists.ts'
import type { InstructionParams } from '../../program/instructions.ts'
import type { Floats } from './loop.ts'
import { divide, identity, rowsOf, setRows, subtract, transposed } from './vectors.ts'

type Square = Readonly<InstructionParams['cholesky']>

/** L·Lᵀ = A by rows (Cholesky–Banachiewicz), of the lower triangle of A. NaN throughout where A is not positive definite. */
export function cholesky({ batch, n }: Square, [x]: readonly [Floats], [out]: readonly [Floats]): void {
  for (let start = 0; start < batch * n * n; start += n * n) {
    const rows = rowsOf(x, start, n, n)
    if (!factorCholesky(rows)) for (const row of rows) row.fill(NaN)
    setRows(out, start, rows)
  }
}

/** In place: Lᵢⱼ = (Aᵢⱼ − Σₖ Lᵢₖ·Lⱼₖ) / Lⱼⱼ over k < j, and for j = i the root of that difference. */
function factorCholesky(rows: readonly Float64Array[]): boolean {
  for (const [i, row] of rows.entries()) {
    for (const [j, other] of rows.slice(0, i + 1).entries()) {
      let rest = row[j]!
      for (let k = 0; k < j; k++) rest -= row[k]! * other[k]!
      if (j === i && !(rest > 0)) return false
      row[j] = j < i ? rest / other[j]! : Math.sqrt(rest)
    }
    row.fill(0, i + 1)
  }
  return true
}

export function triangularSolve(
  { batch, n, columns, lower, transpose, unitDiagonal }: Readonly<InstructionParams['triangularSolve']>,
  [a, b]: readonly [Floats, Floats],
  [out]: readonly [Floats],
): void {
  for (let i = 0; i < batch; i++) {
    const matrix = rowsOf(a, i * n * n, n, n)
    const x = rowsOf(b, i * n * columns, n, columns)
    substitute(transpose ? transposed(matrix, n) : matrix, x, lower !== transpose, unitDiagonal)
    setRows(out, i * n * columns, x)
  }
}

/** Solves a triangular system for x in place: row by row, from the top where it is lower triangular, else from the bottom. */
function substitute(
  a: readonly Float64Array[],
  x: readonly Float64Array[],
  lower: boolean,
  unitDiagonal: boolean,
): void {
  const equations = zipWith(a, x, (coefficients, unknowns, i) => ({ i, coefficients, unknowns }))
  if (!lower) equations.reverse()
  for (const [step, { i, coefficients, unknowns }] of equations.entries()) {
    for (const solved of equations.slice(0, step)) subtract(unknowns, coefficients[solved.i]!, solved.unknowns)
    if (!unitDiagonal) divide(unknowns, coefficients[i]!)
  }
}

/** A row of a matrix, and of the right-hand sides that undergo the same exchanges. */
interface Equation {
  readonly coefficients: Float64Array
  readonly sides: Float64Array
}

/**
 * P·A = L·U in place, with the greatest element of each column as its pivot (the first of several). Gives the sign of P,
 * or 0 where a pivot is 0: below it everything is.
 */
function factorLu(equations: Equation[]): number {
  let sign = 1
  const columns = equations[0]?.coefficients.length ?? 0
  for (let k = 0; k < Math.min(equations.length, columns); k++) {
    const place = pivotOf(equations, k)
    const pivot = equations[place]!
    if (pivot.coefficients[k] === 0) {
      sign = 0
      continue
    }
    if (place !== k) {
      sign = -sign
      equations[place] = equations[k]!
      equations[k] = pivot
    }
    for (const { coefficients } of equations.slice(k + 1)) {
      const factor = coefficients[k]! / pivot.coefficients[k]!
      coefficients[k] = factor
      subtract(coefficients, factor, pivot.coefficients, k + 1)
    }
  }
  return sign
}

/** The first equation from the k-th on whose k-th coefficient is the greatest in size. */
function pivotOf(equations: readonly Equation[], k: number): number {
  let pivot = k
  let greatest = -1
  for (const [i, { coefficients }] of equations.entries()) {
    const size = Math.abs(coefficients[k]!)
    if (i === k || (i > k && size > greatest)) {
      pivot = i
      greatest = size
    }
  }
  return pivot
}

/** The factors apart, and the matrix that exchanges the rows back. */
export function lu(
  { batch, rows, columns }: Readonly<InstructionParams['lu']>,
  [x]: readonly [Floats],
  [p, l, u]: readonly [Floats, Floats, Floats],
): void {
  const k = Math.min(rows, columns)
  for (let i = 0; i < batch; i++) {
    const matrix = rowsOf(x, i * rows * columns, rows, columns)
    const equations = zipWith(matrix, identity(rows), (coefficients, sides) => ({ coefficients, sides }))
    factorLu(equations)
    const exchanges = equations.map(({ sides }) => sides)
    const lower = equations.map(({ coefficients }, row) =>
      coefficients
        .slice(0, k)
        .fill(1, row, row + 1)
        .fill(0, row + 1),
    )
    const upper = equations.slice(0, k).map(({ coefficients }, row) => coefficients.slice().fill(0, 0, row))
    setRows(p, i * rows * rows, transposed(exchanges, rows))
    setRows(l, i * rows * k, lower)
    setRows(u, i * k * columns, upper)
  }
}

export function solve(
  { batch, n, columns }: Readonly<InstructionParams['solve']>,
  [a, b]: readonly [Floats, Floats],
  [out]: readonly [Floats],
): void {
  for (let i = 0; i < batch; i++) {
    const sides = rowsOf(b, i * n * columns, n, columns)
    setRows(out, i * n * columns, solved(rowsOf(a, i * n * n, n, n), sides))
  }
}

/** X of A·X = B, which both are overwritten; NaN where a pivot is 0. */
export function solved(a: readonly Float64Array[], b: readonly Float64Array[]): Float64Array[] {
  const equations = zipWith(a, b, (coefficients, sides) => ({ coefficients, sides }))
  const sign = factorLu(equations)
  const [lu, x] = [equations.map((row) => row.coefficients), equations.map((row) => row.sides)]
  if (sign === 0) for (const row of x) row.fill(NaN)
  else {
    substitute(lu, x, true, true)
    substitute(lu, x, false, false)
  }
  return x
}

export function determinant(
  { batch, n }: Square,
  [x]: readonly [Floats],
  [det, sign, logAbs]: readonly [Floats, Floats, Floats],
): void {
  for (let i = 0; i < batch; i++) {
    const equations = rowsOf(x, i * n * n, n, n).map((coefficients) => ({ coefficients, sides: new Float64Array(0) }))
    const parity = factorLu(equations)
    let [product, signs, logarithm] = [parity, parity, parity === 0 ? -Infinity : 0]
    for (const [k, { coefficients }] of equations.entries()) {
      if (parity === 0) break
      const pivot = coefficients[k]!
      product *= pivot
      signs *= Math.sign(pivot)
      logarithm += Math.log(Math.abs(pivot))
    }
    det[i] = product
    sign[i] = signs
    logAbs[i] = logarithm
  }
}

/** H = I − τ·v·vᵀ, where v is 0 above one element, which is 1. */
interface Reflection {
  /** v from the element after its 1 on, at the places they have in v. */
  readonly below: Float64Array
  /** The place of the 1. */
  readonly place: number
  readonly factor: number
}

/** Householder's reflections, with the signs of LAPACK's geqrf: what is reflected becomes −sign(x₀)·‖x‖. */
export function qr(
  { batch, rows, columns }: Readonly<InstructionParams['qr']>,
  [x]: readonly [Floats],
  [q, r]: readonly [Floats, Floats],
): void {
  const k = Math.min(rows, columns)
  for (let i = 0; i < batch; i++) {
    const remaining = transposed(rowsOf(x, i * rows * columns, rows, columns), columns)
    const reflections: Reflection[] = []
    for (const [place, column] of remaining.slice(0, k).entries()) {
      const reflection = reflectionOf(column, place)
      for (const other of remaining.slice(place + 1)) reflect(reflection, other)
      reflections.push(reflection)
    }
    const orthogonal = identity(rows).slice(0, k)
    for (const reflection of reflections.reverse())
      for (const column of orthogonal.slice(reflection.place)) reflect(reflection, column)
    setRows(q, i * rows * k, transposed(orthogonal, rows))
    setRows(r, i * k * columns, transposed(remaining, rows).slice(0, k))
  }
}

/** The reflection by which a column becomes 0 below a place, which it does. */
function reflectionOf(column: Float64Array, place: number): Reflection {
  const alpha = column[place]!
  const below = column.slice().fill(0, 0, place + 1)
  let squares = 0
  for (const x of below) squares += x * x
  column.fill(0, place + 1)
  if (squares === 0) return { below, place, factor: 0 }
  const norm = Math.sqrt(alpha * alpha + squares)
  const beta = alpha >= 0 ? -norm : norm
  divide(below, alpha - beta)
  column[place] = beta
  return { below, place, factor: (beta - alpha) / beta }
}

/** Applies a reflection to a column. */
function reflect({ below, place, factor }: Reflection, column: Float64Array): void {
  let inner = column[place]!
  for (let i = place + 1; i < column.length; i++) inner += below[i]! * column[i]!
  inner *= factor
  column[place]! -= inner
  subtract(column, inner, below, place + 1)
}

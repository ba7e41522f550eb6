/**
 * Eigenvalues and singular values by Jacobi's rotations, matrix by matrix in float64 (Golub & Van Loan, "Matrix
 * Computations", sections 8.5 and 8.6.3): slower than bidiagonalization, simpler, and accurate for small values too.
 */
import { zipWith } from '../../base/lists.ts'
import type { InstructionParams } from '../../program/instructions.ts'
import type { Floats } from './loop.ts'
import { divide, dot, identity, rowsOf, subtract, transposed } from './vectors.ts'

/** More sweeps than any matrix takes: convergence is quadratic. */
const mostSweeps = 60
const epsilon = 2 ** -52

/** A row of a matrix, and the row of the identity that undergoes the same rotations. */
interface Line {
  readonly row: Float64Array
  readonly rotated: Float64Array
}

interface Rotation {
  readonly cosine: number
  readonly sine: number
}

/** Of the angle that annihilates the off-diagonal element of [[p, pq], [pq, q]]: its tangent, at most 1 in size. */
function rotationOf(p: number, q: number, pq: number): Rotation {
  const cotangent = (q - p) / (2 * pq)
  const root = Math.abs(cotangent) + Math.sqrt(1 + cotangent * cotangent)
  const tangent = (cotangent < 0 ? -1 : 1) / root
  const cosine = 1 / Math.sqrt(1 + tangent * tangent)
  return { cosine, sine: cosine * tangent }
}

/** (x, y) becomes (c·x − s·y, s·x + c·y), element by element. */
function rotate(p: Float64Array, q: Float64Array, { cosine, sine }: Rotation): void {
  p.forEach((x, k) => {
    const y = q[k]!
    p[k] = cosine * x - sine * y
    q[k] = sine * x + cosine * y
  })
}

/** Each row with its row of the identity; all NaN where an element is not finite. */
function linesOf(rows: readonly Float64Array[]): { lines: Line[]; norm: number } {
  const unrotated = identity(rows.length)
  const lines = zipWith(rows, unrotated, (row, rotated) => ({ row, rotated }))
  const norm = finiteNorm(rows)
  if (Number.isNaN(norm))
    for (const { row, rotated } of lines) {
      row.fill(NaN)
      rotated.fill(NaN)
    }
  return { lines, norm }
}

/** √Σx²; NaN where an element is not finite. */
function finiteNorm(rows: readonly Float64Array[]): number {
  let squares = 0
  for (const row of rows) for (const x of row) squares += x * x
  return squares < Infinity ? Math.sqrt(squares) : NaN
}

/** Rotates pairs of lines, p before q, in sweeps over all of them until none needs it. */
function sweep(
  lines: readonly Line[],
  rotatePair: (p: Line, q: Line, places: readonly [number, number]) => boolean,
): void {
  let rotated = true
  for (let sweeps = 0; sweeps < mostSweeps && rotated; sweeps++) {
    rotated = false
    for (const [i, p] of lines.entries())
      for (const [j, q] of lines.entries()) if (j > i && rotatePair(p, q, [i, j])) rotated = true
  }
}

export function eigh(
  { batch, n }: Readonly<InstructionParams['eigh']>,
  [x]: readonly [Floats],
  [values, vectors]: readonly [Floats, Floats],
): void {
  for (let index = 0; index < batch; index++) {
    const { lines, norm } = linesOf(mirrored(rowsOf(x, index * n * n, n, n)))
    if (!Number.isNaN(norm)) diagonalize(lines, norm)
    const found = lines.map(({ row, rotated }, i) => ({ value: row[i]!, vector: rotated }))
    found.sort((a, b) => a.value - b.value)
    for (const [j, { value, vector }] of found.entries()) {
      values[index * n + j] = value
      for (const [i, element] of vector.entries()) vectors[(index * n + i) * n + j] = element
    }
  }
}

/** The symmetric matrix of a lower triangle. */
function mirrored(rows: Float64Array[]): Float64Array[] {
  const columns = transposed(rows, rows.length)
  return zipWith(rows, columns, (row, column, i) => row.map((x, j) => (j <= i ? x : column[j]!)))
}

/** Sweeps until nothing off the diagonal matters. What is rotated alike becomes the eigenvectors. */
function diagonalize(lines: readonly Line[], norm: number): void {
  sweep(lines, (p, q, [i, j]) => {
    const [pp, qq, pq] = [p.row[i]!, q.row[j]!, p.row[j]!]
    if (!(Math.abs(pq) > 0.5 * epsilon * norm)) return false
    const rotation = rotationOf(pp, qq, pq)
    rotate(p.row, q.row, rotation)
    for (const [k, { row }] of lines.entries()) {
      row[i] = p.row[k]!
      row[j] = q.row[k]!
    }
    const tangent = rotation.sine / rotation.cosine
    p.row[i] = pp - tangent * pq
    q.row[j] = qq + tangent * pq
    p.row[j] = q.row[i] = 0
    rotate(p.rotated, q.rotated, rotation)
    return true
  })
}

/** One-sided: columns of A (rows, where those are fewer) are rotated until they are orthogonal; their norms are the singular values. */
export function svd(
  { batch, rows, columns }: Readonly<InstructionParams['svd']>,
  [x]: readonly [Floats],
  [u, s, vh]: readonly [Floats, Floats, Floats],
): void {
  const isTall = rows >= columns
  const count = Math.min(rows, columns)
  for (let index = 0; index < batch; index++) {
    const matrix = rowsOf(x, index * rows * columns, rows, columns)
    const { lines, norm } = linesOf(isTall ? transposed(matrix, columns) : matrix)
    if (!Number.isNaN(norm)) orthogonalize(lines, Math.sqrt(Math.max(rows, columns)) * epsilon)
    const found = lines.map((line) => ({ ...line, norm: finiteNorm([line.row]) })).sort((a, b) => b.norm - a.norm)
    normalize(found)
    for (const [k, { row, rotated, norm }] of found.entries()) {
      const [left, right] = isTall ? [row, rotated] : [rotated, row]
      s[index * count + k] = norm
      for (const [i, element] of left.entries()) u[(index * rows + i) * count + k] = element
      vh.set(right, (index * count + k) * columns)
    }
  }
}

/** Rotates rows, until all are orthogonal to within rounding. */
function orthogonalize(lines: readonly Line[], tolerance: number): void {
  sweep(lines, (p, q) => {
    const [pp, qq, pq] = [dot(p.row, p.row), dot(q.row, q.row), dot(p.row, q.row)]
    if (!(Math.abs(pq) > tolerance * Math.sqrt(pp) * Math.sqrt(qq))) return false
    const rotation = rotationOf(pp, qq, pq)
    rotate(p.row, q.row, rotation)
    rotate(p.rotated, q.rotated, rotation)
    return true
  })
}

/** Rows of length 1. One of length 0 becomes any that is orthogonal to the others: the axis that these reach least, less what they reach of it. */
function normalize(lines: readonly (Line & { readonly norm: number })[]): void {
  for (const [k, { row, norm }] of lines.entries()) {
    if (norm !== 0) {
      divide(row, norm)
      continue
    }
    const others = lines.slice(0, k).map((line) => line.row)
    row[axisLeastReached(others, row.length)] = 1
    // Twice, as the first time leaves what rounding made of it.
    for (let pass = 0; pass < 2; pass++) for (const other of others) subtract(row, dot(row, other), other)
    divide(row, finiteNorm([row]))
  }
}

function axisLeastReached(rows: readonly Float64Array[], length: number): number {
  const squares = new Float64Array(length)
  for (const row of rows) for (const [i, x] of row.entries()) squares[i]! += x * x
  return squares.indexOf(squares.reduce((least, x) => Math.min(least, x), Infinity))
}

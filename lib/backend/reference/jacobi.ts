/**
 * Eigenvalues and singular values by Jacobi's rotations, matrix by matrix in float64 (Golub & Van Loan, "Matrix
 * Computations", sections 8.5 and 8.6.3): slower than bidiagonalization, simpler, and accurate for small values too.
 */
import type { InstructionParams } from '../../program/instructions.ts'
import type { Floats } from './loop.ts'

/** More sweeps than any matrix takes: convergence is quadratic. */
const mostSweeps = 60
const epsilon = 2 ** -52

/** Of the angle that annihilates the off-diagonal element of [[p, pq], [pq, q]]: its tangent, at most 1 in size. */
function rotationOf(p: number, q: number, pq: number): { cosine: number; sine: number } {
  const cotangent = (q - p) / (2 * pq)
  const root = Math.abs(cotangent) + Math.sqrt(1 + cotangent * cotangent)
  const tangent = (cotangent < 0 ? -1 : 1) / root
  const cosine = 1 / Math.sqrt(1 + tangent * tangent)
  return { cosine, sine: cosine * tangent }
}

/** (x, y) becomes (c·x − s·y, s·x + c·y), element by element of two rows. */
function rotateRows(m: Float64Array, length: number, i: number, j: number, cosine: number, sine: number): void {
  for (let k = 0; k < length; k++) {
    const [x, y] = [m[i * length + k]!, m[j * length + k]!]
    m[i * length + k] = cosine * x - sine * y
    m[j * length + k] = sine * x + cosine * y
  }
}

function identity(n: number): Float64Array {
  const m = new Float64Array(n * n)
  for (let i = 0; i < n; i++) m[i * n + i] = 1
  return m
}

/** The places of the numbers in order; equal ones stay in theirs. */
function sorted(x: Float64Array, isBefore: (a: number, b: number) => boolean): Int32Array {
  const order = Int32Array.from(x, (_, i) => i)
  for (let i = 1; i < order.length; i++)
    for (let k = i; k > 0 && isBefore(x[order[k]!]!, x[order[k - 1]!]!); k--) {
      const held = order[k]!
      order[k] = order[k - 1]!
      order[k - 1] = held
    }
  return order
}

/** √Σx²; NaN where an element is not finite. */
function finiteNorm(x: Float64Array): number {
  let squares = 0
  for (let i = 0; i < x.length; i++) squares += x[i]! * x[i]!
  return squares < Infinity ? Math.sqrt(squares) : NaN
}

export function eigh(
  { batch, n }: Readonly<InstructionParams['eigh']>,
  [x]: readonly [Floats],
  [values, vectors]: readonly [Floats, Floats],
): void {
  for (let index = 0; index < batch; index++) {
    const a = new Float64Array(n * n)
    for (let i = 0; i < n; i++) for (let j = 0; j <= i; j++) a[i * n + j] = a[j * n + i] = x[(index * n + i) * n + j]!
    const v = identity(n)
    const norm = finiteNorm(a)
    if (Number.isNaN(norm)) {
      a.fill(NaN)
      v.fill(NaN)
    } else diagonalize(a, v, n, norm)
    const diagonal = Float64Array.from({ length: n }, (_, i) => a[i * n + i]!)
    const order = sorted(diagonal, (a, b) => a < b)
    for (let j = 0; j < n; j++) {
      values[index * n + j] = diagonal[order[j]!]!
      for (let i = 0; i < n; i++) vectors[(index * n + i) * n + j] = v[order[j]! * n + i]!
    }
  }
}

/** Sweeps until nothing off the diagonal matters. The rows of v become the eigenvectors. */
function diagonalize(a: Float64Array, v: Float64Array, n: number, norm: number): void {
  let rotated = true
  for (let sweep = 0; sweep < mostSweeps && rotated; sweep++) {
    rotated = false
    for (let p = 0; p < n - 1; p++)
      for (let q = p + 1; q < n; q++) {
        const pq = a[p * n + q]!
        if (!(Math.abs(pq) > 0.5 * epsilon * norm)) continue
        rotated = true
        const [pp, qq] = [a[p * n + p]!, a[q * n + q]!]
        const { cosine, sine } = rotationOf(pp, qq, pq)
        rotateRows(a, n, p, q, cosine, sine)
        for (let k = 0; k < n; k++) {
          a[k * n + p] = a[p * n + k]!
          a[k * n + q] = a[q * n + k]!
        }
        a[p * n + p] = pp - (sine / cosine) * pq
        a[q * n + q] = qq + (sine / cosine) * pq
        a[p * n + q] = a[q * n + p] = 0
        rotateRows(v, n, p, q, cosine, sine)
      }
  }
}

/** One-sided: columns of A (rows, where those are fewer) are rotated until they are orthogonal; their norms are the singular values. */
export function svd(
  { batch, rows, columns }: Readonly<InstructionParams['svd']>,
  [x]: readonly [Floats],
  [u, s, vh]: readonly [Floats, Floats, Floats],
): void {
  const isTall = rows >= columns
  const [count, length] = isTall ? [columns, rows] : [rows, columns]
  for (let index = 0; index < batch; index++) {
    // The vectors to be made orthogonal, each a row of w.
    const w = new Float64Array(count * length)
    for (let i = 0; i < rows; i++)
      for (let j = 0; j < columns; j++)
        w[isTall ? j * length + i : i * length + j] = x[(index * rows + i) * columns + j]!
    const v = identity(count)
    if (Number.isNaN(finiteNorm(w))) {
      w.fill(NaN)
      v.fill(NaN)
    } else orthogonalize(w, v, count, length)
    const norms = Float64Array.from({ length: count }, (_, i) => finiteNorm(w.subarray(i * length, (i + 1) * length)))
    const order = sorted(norms, (a, b) => a > b)
    normalize(w, norms, order, count, length)
    const [left, right] = isTall ? [w, v] : [v, w]
    for (let k = 0; k < count; k++) {
      s[index * count + k] = norms[order[k]!]!
      for (let i = 0; i < rows; i++) u[(index * rows + i) * count + k] = left[order[k]! * rows + i]!
      for (let j = 0; j < columns; j++) vh[(index * count + k) * columns + j] = right[order[k]! * columns + j]!
    }
  }
}

/** Rotates pairs of rows of w, and of v alike, until all are orthogonal to within rounding. */
function orthogonalize(w: Float64Array, v: Float64Array, count: number, length: number): void {
  const tolerance = Math.sqrt(length) * epsilon
  let rotated = true
  for (let sweep = 0; sweep < mostSweeps && rotated; sweep++) {
    rotated = false
    for (let p = 0; p < count - 1; p++)
      for (let q = p + 1; q < count; q++) {
        let [pp, qq, pq] = [0, 0, 0]
        for (let k = 0; k < length; k++) {
          const [x, y] = [w[p * length + k]!, w[q * length + k]!]
          pp += x * x
          qq += y * y
          pq += x * y
        }
        if (!(Math.abs(pq) > tolerance * Math.sqrt(pp) * Math.sqrt(qq))) continue
        rotated = true
        const { cosine, sine } = rotationOf(pp, qq, pq)
        rotateRows(w, length, p, q, cosine, sine)
        rotateRows(v, count, p, q, cosine, sine)
      }
  }
}

/** Rows of length 1. One of length 0 becomes any that is orthogonal to the others: the axis that these reach least, less what they reach of it. */
function normalize(w: Float64Array, norms: Float64Array, order: Int32Array, count: number, length: number): void {
  for (let k = 0; k < count; k++) {
    const row = order[k]! * length
    if (norms[order[k]!] !== 0) {
      for (let i = 0; i < length; i++) w[row + i]! /= norms[order[k]!]!
      continue
    }
    w[row + axisLeastReached(w, order, k, length)] = 1
    // Twice, as the first time leaves what rounding made of it.
    for (let pass = 0; pass < 2; pass++)
      for (let other = 0; other < k; other++) {
        const at = order[other]! * length
        let inner = 0
        for (let i = 0; i < length; i++) inner += w[row + i]! * w[at + i]!
        for (let i = 0; i < length; i++) w[row + i]! -= inner * w[at + i]!
      }
    const norm = finiteNorm(w.subarray(row, row + length))
    for (let i = 0; i < length; i++) w[row + i]! /= norm
  }
}

function axisLeastReached(w: Float64Array, order: Int32Array, count: number, length: number): number {
  let best = 0
  let least = Infinity
  for (let i = 0; i < length; i++) {
    let squares = 0
    for (let other = 0; other < count; other++)
      squares += w[order[other]! * length + i]! * w[order[other]! * length + i]!
    if (squares < least) {
      best = i
      least = squares
    }
  }
  return best
}

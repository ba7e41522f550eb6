/** The exponential of matrices, in float64, rounded once: Padé's approximant of order 13 of what is scaled down, squared up. */
import type { InstructionParams } from '../../program/instructions.ts'
import { solved } from './factorizations.ts'
import type { Floats } from './loop.ts'
import { divide, identity, rowsOf, setRows, subtract, transposed } from './vectors.ts'

type Matrix = Float64Array[]

/** The coefficients b₀, …, b₁₃ (N. J. Higham 2005, "The scaling and squaring method for the matrix exponential revisited"). */
const pade = [
  ...[64764752532480000, 32382376266240000, 7771770303897600, 1187353796428800, 129060195264000, 10559470521600],
  ...[670442572800, 33522128640, 1323241920, 40840800, 960960, 16380, 182, 1],
] as const

/** Up to this 1-norm the approximant is exact to float64: θ₁₃ of the same paper. */
const greatestNorm = 5.371920351148152

export function matrixExp(
  { batch, n }: Readonly<InstructionParams['matrixExp']>,
  [x]: readonly [Floats],
  [out]: readonly [Floats],
): void {
  for (let start = 0; start < batch * n * n; start += n * n) setRows(out, start, exponential(rowsOf(x, start, n, n)))
}

function exponential(a: Matrix): Matrix {
  const sums = transposed(a, a.length).map((column) => column.reduce((sum, x) => sum + Math.abs(x), 0))
  if (!sums.every(Number.isFinite)) return a.map((row) => row.fill(NaN))
  let norm = sums.reduce((greatest, x) => Math.max(greatest, x), 0)
  let squarings = 0
  for (; norm > greatestNorm; norm /= 2) squarings++
  for (const row of a) divide(row, 2 ** squarings)
  let power = approximant(a)
  for (; squarings > 0; squarings--) power = product(power, power)
  return power
}

/** (V − U)⁻¹·(V + U) with the odd powers in U and the even ones in V. */
function approximant(a: Matrix): Matrix {
  const a2 = product(a, a)
  const a4 = product(a2, a2)
  const a6 = product(a2, a4)
  const one = identity(a.length)
  const series = (parity: 0 | 1): Matrix => {
    const high = combined([a6, a4, a2], [pade[12 + parity]!, pade[10 + parity]!, pade[8 + parity]!])
    const low = [pade[6 + parity]!, pade[4 + parity]!, pade[2 + parity]!, pade[parity]!]
    return combined([product(a6, high), a6, a4, a2, one], [1, ...low])
  }
  const [u, v] = [product(a, series(1)), series(0)]
  return solved(combined([v, u], [1, -1]), combined([v, u], [1, 1]))
}

/** Σ factors·matrices, in their order. */
const combined = (matrices: readonly Matrix[], factors: readonly number[]): Matrix =>
  matrices[0]!.map((row, i) =>
    row.map((_, j) => matrices.reduce((sum, matrix, place) => sum + factors[place]! * matrix[i]![j]!, 0)),
  )

function product(a: Matrix, b: Matrix): Matrix {
  return a.map((row) => {
    const sums = new Float64Array(row.length)
    for (const [k, other] of b.entries()) subtract(sums, -row[k]!, other)
    return sums
  })
}

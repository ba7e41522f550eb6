/**
 * Linear algebra over the last two axes. An instruction gives all outputs of a decomposition; each output is an
 * operation with its share of the gradient. Rules: Giles 2008, "An extended collection of matrix derivative results for
 * forward and reverse mode algorithmic differentiation", where no other source is named.
 */

import type { DType } from '../../base/dtype.ts'
import { mapTuple, zipWith } from '../../base/lists.ts'
import { extentAt, lastTwo, type Shape, sizeOf } from '../../base/shape.ts'
import type { InstructionParams, Opcode } from '../../program/instructions.ts'
import type { Emitter } from '../emitter.ts'
import { type Binary, type Node, type OpDef, record, type TensorType, type Unary } from '../node.ts'
import { broadcastTo, reshape } from './broadcast.ts'
import { abs, add, div, greater, greaterEqual, mul, neg, reciprocal, square, sub, where } from './elementwise.ts'
import { gather } from './indexing.ts'
import { data, literal, stopGradient } from './leaf.ts'
import { matmul } from './matmul.ts'
import { concat, permute, sliceAt, transposeMatrices as t } from './movement.ts'
import { cast } from './promotion.ts'
import { max } from './reduce.ts'
import { withRule } from './rule.ts'

const batchOf = (shape: Shape): number => sizeOf(shape.slice(0, -2))

// --- Parts of matrices ------------------------------------------------------------------------------------------------

function range(n: number): Node {
  return data(
    Int32Array.from({ length: n }, (_, i) => i),
    'int32',
    [n],
  )
}

const zerosLike = ({ dtype, shape }: TensorType): Node => broadcastTo(literal(0, dtype), shape)

/** The elements on and below the diagonal, or below it only; zeros elsewhere. */
function lowerTriangle(x: Node, strict = false): Node {
  const [rows, columns] = lastTwo(x.shape)
  const isBelow = strict ? greater : greaterEqual
  return where(isBelow(reshape(range(rows), [rows, 1]), range(columns)), x, 0)
}

const upperTriangle = (x: Node, strict = false): Node => t(lowerTriangle(t(x), strict))

/** The matrix [n, n] of f(row, column). */
function squareOf(n: number, dtype: DType, f: (i: number, j: number) => number): Node {
  const elements = Array.from({ length: n * n }, (_, place) => f(Math.floor(place / n), place % n))
  const array = dtype === 'float64' ? Float64Array.from(elements) : Float32Array.from(elements)
  return data(array, dtype, [n, n])
}

export function identity(n: number, like: TensorType): Node {
  const ones = squareOf(n, like.dtype, (i, j) => (i === j ? 1 : 0))
  return broadcastTo(ones, [...like.shape.slice(0, -2), n, n])
}

/** Columns of x, each times its element of d[…, n]. */
const scaleColumns = (x: Node, d: Node): Node => mul(x, reshape(d, [...d.shape.slice(0, -1), 1, ...d.shape.slice(-1)]))

const scaleRows = (x: Node, d: Node): Node => mul(x, reshape(d, [...d.shape, 1]))

const symmetric = (x: Node): Node => mul(add(x, t(x)), 0.5)

const antisymmetric = (x: Node): Node => sub(x, t(x))

/** x/(dⱼ − dᵢ) off the diagonal, 0 on it. */
function dividedByGaps(x: Node, d: Node): Node {
  const n = extentAt(d.shape, -1)
  const gaps = sub(reshape(d, [...d.shape.slice(0, -1), 1, n]), reshape(d, [...d.shape, 1]))
  const one = cast(identity(n, { dtype: d.dtype, shape: gaps.shape }), d.dtype)
  return mul(div(x, add(gaps, one)), sub(1, one))
}

// --- Operations -------------------------------------------------------------------------------------------------------

function matrixParams({ shape }: TensorType) {
  const [rows, columns] = lastTwo(shape)
  return { batch: batchOf(shape), rows, columns }
}

const squareParams = ({ shape }: TensorType) => ({ batch: batchOf(shape), n: extentAt(shape, -1) })

/** An instruction that gives several outputs, in the order of their names. */
interface Decomposition<K extends Opcode, N extends string> {
  readonly opcode: K
  readonly params: (x: TensorType) => InstructionParams[K]
  readonly shapes: (shape: Shape) => Readonly<Record<N, Shape>>
}

function emitDecomposition<K extends Opcode, N extends string>(
  emitter: Emitter,
  { opcode, params, shapes }: Decomposition<K, N>,
  x: Node,
): Readonly<Record<N, number>> {
  const outputs = Object.entries<Shape>(shapes(x.shape))
  const types = outputs.map(([, shape]) => ({ dtype: x.dtype, shape }))
  const ids = emitter.emitShared(opcode, [emitter.dense(x)], types, params(x))
  return Object.fromEntries(zipWith(outputs, ids, ([name], id) => [name, id])) as Record<N, number>
}

/** The operation that gives one output of a decomposition, with its share of the gradient. */
const outputOp = <K extends Opcode, N extends string>(
  name: string,
  of: Decomposition<K, N>,
  output: NoInfer<N>,
  vjp: NonNullable<OpDef<null, Unary>['vjp']>,
): OpDef<null, Unary> => ({
  name,
  infer: ([x]) => ({ dtype: x.dtype, shape: of.shapes(x.shape)[output] }),
  vjp,
  lower: (emitter, { inputs: [x] }) => emitter.denseView(emitDecomposition(emitter, of, x)[output]),
})

const choleskyOp: OpDef<null, Unary> = {
  name: 'cholesky',
  infer: ([x]) => x,
  // Ā = L⁻ᵀ·Φ(Lᵀ·L̄)·L⁻¹, symmetric, where Φ is the lower triangle with half the diagonal (Murray 2016,
  // "Differentiation of the Cholesky decomposition", equation 10).
  vjp(ct, l) {
    const product = matmul(t(l), lowerTriangle(ct))
    const phi = sub(lowerTriangle(product), mul(mul(product, identity(extentAt(l.shape, -1), l)), 0.5))
    const options = { lower: true, transpose: true, unitDiagonal: false }
    const half = triangularSolve(l, phi, options)
    return [symmetric(t(triangularSolve(l, t(half), options)))]
  },
  lower: (emitter, node) => emitter.emitNode('cholesky', node, squareParams(node)),
}

export type TriangularParams = Readonly<{ lower: boolean; transpose: boolean; unitDiagonal: boolean }>

function systemParams({ shape }: TensorType) {
  const [n, columns] = lastTwo(shape)
  return { batch: batchOf(shape), n, columns }
}

const triangularSolveOp: OpDef<TriangularParams, Binary> = {
  name: 'triangularSolve',
  infer: ([, b]) => b,
  // B̄ = A⁻ᵀ·X̄, Ā = −B̄·Xᵀ; transposed for Aᵀ·X = B. Of A, what is read.
  vjp(ct, x) {
    const { lower, transpose, unitDiagonal } = x.params
    const [a] = x.inputs
    const onB = triangularSolve(a, ct, { lower, transpose: !transpose, unitDiagonal })
    const onA = neg(transpose ? matmul(x, t(onB)) : matmul(onB, t(x)))
    return [(lower ? lowerTriangle : upperTriangle)(onA, unitDiagonal), onB]
  },
  lower(emitter, node) {
    return emitter.emitNode('triangularSolve', node, { ...systemParams(node), ...node.params })
  },
}

const solveOp: OpDef<null, Binary> = {
  name: 'solve',
  infer: ([, b]) => b,
  // B̄ = A⁻ᵀ·X̄, Ā = −B̄·Xᵀ
  vjp(ct, x) {
    const [a] = x.inputs
    const onB = solve(t(a), ct)
    return [neg(matmul(onB, t(x))), onB]
  },
  lower: (emitter, node) => emitter.emitNode('solve', node, systemParams(node)),
}

const inverseTransposed = (x: Node): Node => solve(t(x), identity(extentAt(x.shape, -1), x))

const scaled = (x: Node, by: Node): Node => mul(x, reshape(by, [...by.shape, 1, 1]))

const determinants: Decomposition<'determinant', 'determinant' | 'sign' | 'logarithm'> = {
  opcode: 'determinant',
  params: squareParams,
  shapes(shape) {
    const batch = shape.slice(0, -2)
    return { determinant: batch, sign: batch, logarithm: batch }
  },
}

/** Up to this extent cofactors are determinants of minors, whose derivatives are as exact where the matrix is singular. */
const mostByMinors = 5

// The cofactors, which are det(A)·A⁻ᵀ
const determinantOp = outputOp('determinant', determinants, 'determinant', (ct, det) => {
  const [x] = det.inputs
  if (extentAt(x.shape, -1) <= mostByMinors) return [scaled(cofactors(x), ct)]
  return [scaled(inverseTransposed(x), mul(ct, det))]
})

/** (−1)ⁱ⁺ʲ times the determinant of a matrix without row i and column j. */
function cofactors(x: Node): Node {
  const n = extentAt(x.shape, -1)
  if (n < 2) return broadcastTo(literal(1, x.dtype), x.shape)
  const elements = permute(reshape(x, [batchOf(x.shape), n * n]), [1, 0])
  const minors = reshape(gather(elements, minorsOf(n)), [n, n, n - 1, n - 1, batchOf(x.shape)])
  const signs = squareOf(n, x.dtype, (i, j) => ((i + j) % 2 === 0 ? 1 : -1))
  const signed = mul(det(permute(minors, [4, 0, 1, 2, 3])), signs)
  return reshape(signed, x.shape)
}

/** Which elements of a matrix of n rows its minors consist of. */
function minorsOf(n: number): Node {
  const others = (i: number) => Array.from({ length: n }, (_, k) => k).filter((k) => k !== i)
  const minor = (place: number) =>
    others(Math.floor(place / n)).flatMap((row) => others(place % n).map((column) => row * n + column))
  const indices = Int32Array.from(Array.from({ length: n * n }, (_, place) => minor(place)).flat())
  return data(indices, 'int32', [indices.length])
}

const determinantSignOp = outputOp('determinantSign', determinants, 'sign', (_ct, { inputs: [x] }) => [zerosLike(x)])

// A⁻ᵀ
const logDeterminantOp = outputOp('logDeterminant', determinants, 'logarithm', (ct, { inputs: [x] }) => [
  scaled(inverseTransposed(x), ct),
])

const luParts: Decomposition<'lu', 'p' | 'l' | 'u'> = {
  opcode: 'lu',
  params: matrixParams,
  shapes(shape) {
    const [batch, [rows, columns]] = [shape.slice(0, -2), lastTwo(shape)]
    const k = Math.min(rows, columns)
    return { p: [...batch, rows, rows], l: [...batch, rows, k], u: [...batch, k, columns] }
  },
}

/** The rows [first, end) of matrices. */
const rowsOf = (x: Node, first: number, end: number): Node => t(columnsOf(t(x), first, end))

/**
 * Of P·L·U with the square parts L₁ and U₁, and what is below or beside them: with Φ the lower triangle of L₁ᵀ·L̄₁ − Ū₂·U₂ᵀ
 * without its diagonal and the upper one of Ū₁·U₁ᵀ − L₂ᵀ·L̄₂, P⁻¹·Ā is L₁⁻ᵀ·Φ·U₁⁻ᵀ, above L̄₂·U₁⁻ᵀ, beside L₁⁻ᵀ·Ū₂. Of a
 * square matrix the rule of F. de Hoog, R. Anderssen & M. Lukas 2011, "Differentiation of matrix functionals using
 * triangular factorization"; the parts L₂ = B₂·U₁⁻¹ and U₂ = L₁⁻¹·B₂ add theirs.
 */
function luGradient(a: Node, onL: Node | null, onU: Node | null): Node {
  const [rows, columns] = lastTwo(a.shape)
  const k = Math.min(rows, columns)
  const [p, l, u] = [luPOp, luLOp, luUOp].map((def) => record(def, [a], null)) as [Node, Node, Node]
  const [onLower, onUpper] = [onL ?? zerosLike(l), onU ?? zerosLike(u)]
  const [l1, u1] = [rowsOf(l, 0, k), columnsOf(u, 0, k)]
  const [below, beside] = [rowsOf(onLower, k, rows), columnsOf(onUpper, k, columns)]
  const fromL = sub(matmul(t(l1), rowsOf(onLower, 0, k)), matmul(beside, t(columnsOf(u, k, columns))))
  const fromU = sub(matmul(columnsOf(onUpper, 0, k), t(u1)), matmul(t(rowsOf(l, k, rows)), below))
  const leftOf = (x: Node) => triangularSolve(l1, x, { lower: true, transpose: true, unitDiagonal: true })
  const phi = add(lowerTriangle(fromL, true), upperTriangle(fromU))
  const square = timesInverseTransposed(leftOf(phi), u1)
  const rank = a.shape.length
  const tall = rows > k ? concat([square, timesInverseTransposed(below, u1)], rank - 2) : square
  return matmul(p, columns > k ? concat([tall, leftOf(beside)], rank - 1) : tall)
}

const luPOp: OpDef<null, Unary> = outputOp('luP', luParts, 'p', (_ct, { inputs: [a] }) => [zerosLike(a)])
const luLOp: OpDef<null, Unary> = outputOp('luL', luParts, 'l', (ct, { inputs: [a] }) => [luGradient(a, ct, null)])
const luUOp: OpDef<null, Unary> = outputOp('luU', luParts, 'u', (ct, { inputs: [a] }) => [luGradient(a, null, ct)])

/** x with its greatest element brought to ±1, and the factor that does so, a constant. */
function toUnitScale(x: Node): [scaled: Node, by: Node] {
  const greatest = max(stopGradient(abs(x)))
  const by = where(greater(greatest, 0), reciprocal(greatest), 1)
  return [mul(x, by), by]
}

const matrixExpOp: OpDef<null, Unary> = {
  name: 'matrixExp',
  infer: ([x]) => x,
  // exp [[Aᵀ, Ȳ], [0, Aᵀ]] = [[exp Aᵀ, Ā], [0, exp Aᵀ]] (R. Mathias 1996, "A chain rule for matrix functions"). Linear in
  // the cotangent, which must not be greater than A, or its scaling is that of both.
  vjp(ct, { inputs: [a] }) {
    const n = extentAt(a.shape, -1)
    if (n === 0) return [ct]
    const [direction, by] = toUnitScale(ct)
    const rank = a.shape.length
    const above = concat([t(a), direction], rank - 1)
    const below = concat([zerosLike(a), t(a)], rank - 1)
    const whole = record(matrixExpOp, [concat([above, below], rank - 2)], null)
    return [div(rowsOf(columnsOf(whole, n, 2 * n), 0, n), by)]
  },
  lower: (emitter, node) => emitter.emitNode('matrixExp', node, squareParams(node)),
}

const qrParts: Decomposition<'qr', 'q' | 'r'> = {
  opcode: 'qr',
  params: matrixParams,
  shapes(shape) {
    const [batch, [rows, columns]] = [shape.slice(0, -2), lastTwo(shape)]
    const k = Math.min(rows, columns)
    return { q: [...batch, rows, k], r: [...batch, k, columns] }
  },
}

/** x·R⁻ᵀ of an upper triangular R. */
const timesInverseTransposed = (x: Node, r: Node): Node =>
  t(triangularSolve(r, t(x), { lower: false, transpose: false, unitDiagonal: false }))

/** The columns [first, end) of matrices. */
function columnsOf(x: Node, first: number, end: number): Node {
  const starts = x.shape.map((_, axis) => (axis === x.shape.length - 1 ? first : 0))
  return sliceAt(x, starts, [...x.shape.slice(0, -1), end - first])
}

/**
 * With M = R·R̄ᵀ − Q̄ᵀ·Q, and the lower triangle of M mirrored: Ā = (Q̄ + Q·M)·R⁻ᵀ (Walter & Lehmann 2018, "Algorithmic
 * differentiation of linear algebra functions"). As R⁻ᵀ makes every rounding great where A is nearly of lower rank,
 * what Q·Qᵀ·Q̄ and Q·M have in common is left out: with K = Qᵀ·Q̄ the inside of the brackets is (I − Q·Qᵀ)·Q̄ + Q·S, where
 * S is the lower triangle of R·R̄ᵀ mirrored, and K − Kᵀ below the diagonal.
 *
 * Of a wide A = [X, Y], R = [U, V] with Q·U = X and V = Qᵀ·Y: Ȳ = Q·V̄, and K gains V·V̄ᵀ.
 */
function qrGradient(a: Node, onQ: Node | null, onR: Node | null): Node {
  const [rows, columns] = lastTwo(a.shape)
  const [q, r] = [record(qrQOp, [a], null), record(qrROp, [a], null)]
  const k = onQ && matmul(t(q), onQ)
  if (rows >= columns) {
    const beyond = rows > columns && onQ && k ? sub(onQ, matmul(q, k)) : null
    return timesInverseTransposed(sumOf(beyond, matmul(q, innerQrGradient(r, k, onR))), r)
  }
  const [u, v] = [columnsOf(r, 0, rows), columnsOf(r, rows, columns)]
  if (onR === null) return padColumns(timesInverseTransposed(matmul(q, innerQrGradient(u, k, null)), u), columns)
  const [onU, onV] = [columnsOf(onR, 0, rows), columnsOf(onR, rows, columns)]
  const onX = timesInverseTransposed(matmul(q, innerQrGradient(u, sumOf(k, matmul(v, t(onV))), onU)), u)
  return concat([onX, matmul(q, onV)], a.shape.length - 1)
}

/** S of the above. */
function innerQrGradient(r: Node, k: Node | null, onR: Node | null): Node {
  const turned = k && lowerTriangle(antisymmetric(k), true)
  if (onR === null) return turned!
  const m = matmul(r, t(upperTriangle(onR)))
  return sumOf(turned, add(lowerTriangle(m), t(lowerTriangle(m, true))))
}

const sumOf = (x: Node | null, y: Node): Node => (x === null ? y : add(x, y))

const padColumns = (x: Node, columns: number): Node => {
  const shape = [...x.shape.slice(0, -1), columns - extentAt(x.shape, -1)]
  return concat([x, broadcastTo(literal(0, x.dtype), shape)], x.shape.length - 1)
}

const qrQOp = outputOp('qrQ', qrParts, 'q', (ct, { inputs: [a] }) => [qrGradient(a, ct, null)])
const qrROp = outputOp('qrR', qrParts, 'r', (ct, { inputs: [a] }) => [qrGradient(a, null, ct)])

const eigenparts: Decomposition<'eigh', 'values' | 'vectors'> = {
  opcode: 'eigh',
  params: squareParams,
  shapes: (shape) => ({ values: shape.slice(0, -1), vectors: shape }),
}

// V·diag(w̄)·Vᵀ
const eighValuesOp: OpDef<null, Unary> = outputOp('eighValues', eigenparts, 'values', (ct, { inputs: [a] }) => {
  const v = record(eighVectorsOp, [a], null)
  return [matmul(scaleColumns(v, ct), t(v))]
})

// V·(F∘(Vᵀ·V̄))·Vᵀ with Fᵢⱼ = 1/(wⱼ − wᵢ), its symmetric part
const eighVectorsOp: OpDef<null, Unary> = outputOp('eighVectors', eigenparts, 'vectors', (ct, v) => {
  const w = record(eighValuesOp, v.inputs, null)
  return [symmetric(matmul(matmul(v, dividedByGaps(matmul(t(v), ct), w)), t(v)))]
})

const singularParts: Decomposition<'svd', 'u' | 's' | 'vh'> = {
  opcode: 'svd',
  params: matrixParams,
  shapes(shape) {
    const { q, r } = qrParts.shapes(shape)
    return { u: q, s: r.slice(0, -1), vh: r }
  },
}

/** What the cotangent of U has orthogonal to U, divided by the singular values. */
const beside = (u: Node, onU: Node, s: Node): Node => scaleColumns(sub(onU, matmul(u, matmul(t(u), onU))), div(1, s))

// The three rules: Townsend 2016, "Differentiating the singular value decomposition", with Fᵢⱼ = 1/(sⱼ² − sᵢ²).

// U·(F∘(Uᵀ·Ū − Ūᵀ·U))·S·Vᵀ + (I − U·Uᵀ)·Ū·S⁻¹·Vᵀ
const svdUOp: OpDef<null, Unary> = outputOp('svdU', singularParts, 'u', (ct, u) => {
  const [s, vh] = [record(svdSOp, u.inputs, null), record(svdVhOp, u.inputs, null)]
  const inner = scaleColumns(dividedByGaps(antisymmetric(matmul(t(u), ct)), square(s)), s)
  const within = matmul(u, inner)
  const [rows, k] = lastTwo(u.shape)
  return [matmul(rows > k ? add(within, beside(u, ct, s)) : within, vh)]
})

// U·diag(s̄)·Vᵀ
const svdSOp: OpDef<null, Unary> = outputOp('svdS', singularParts, 's', (ct, { inputs: [a] }) => [
  matmul(scaleColumns(record(svdUOp, [a], null), ct), record(svdVhOp, [a], null)),
])

// U·S·(F∘(Vᵀ·V̄ − V̄ᵀ·V))·Vᵀ + U·S⁻¹·V̄ᵀ·(I − V·Vᵀ)
const svdVhOp: OpDef<null, Unary> = outputOp('svdVh', singularParts, 'vh', (ct, vh) => {
  const [u, s] = [record(svdUOp, vh.inputs, null), record(svdSOp, vh.inputs, null)]
  const [v, onV] = [t(vh), t(ct)]
  const inner = matmul(scaleRows(dividedByGaps(antisymmetric(matmul(vh, onV)), square(s)), s), vh)
  const [k, columns] = lastTwo(vh.shape)
  return [matmul(u, columns > k ? add(inner, t(beside(v, onV, s))) : inner)]
})

// Golub & Pereyra 1973, "The differentiation of pseudo-inverses": with P = A⁺,
// Ā = −Pᵀ·P̄·Pᵀ + (I − A·P)·P̄ᵀ·P·Pᵀ + Pᵀ·P·P̄ᵀ·(I − P·A)
const pinvOp = withRule<Unary>((ct, p, [a]) => {
  const onP = t(ct)
  const [left, right] = [matmul(onP, matmul(p, t(p))), matmul(matmul(t(p), p), onP)]
  const first = neg(matmul(matmul(t(p), ct), t(p)))
  const second = sub(left, matmul(a, matmul(p, left)))
  const third = sub(right, matmul(matmul(right, p), a))
  return [add(add(first, second), third)]
}, 'pinv')

/**
 * X = A⁺·B, computed by singular values: with G = A⁺ᵀ·X̄, which is B̄, Ā = −G·Xᵀ + (B − A·X)·(A⁺·G)ᵀ + (A⁺ᵀ·X)·(X̄ − Aᵀ·G)ᵀ,
 * which is the rule of the pseudo-inverse.
 */
const leastSquaresOp = withRule<readonly [a: Node, b: Node, inverse: Node]>((ct, x, [a, b, inverse]) => {
  const onB = matmul(t(inverse), ct)
  const residual = matmul(sub(b, matmul(a, x)), t(matmul(inverse, onB)))
  const free = matmul(matmul(t(inverse), x), t(sub(ct, matmul(t(a), onB))))
  return [add(sub(residual, matmul(onB, t(x))), free), onB, null]
}, 'leastSquares')

// --- What others call -------------------------------------------------------------------------------------------------
// Operands are float matrices of one dtype, whose shapes fit; batches are the same.

export const cholesky = (x: Node): Node => record(choleskyOp, [x], null)
export const triangularSolve = (a: Node, b: Node, params: TriangularParams): Node =>
  record(triangularSolveOp, [a, b], params)
export const solve = (a: Node, b: Node): Node => record(solveOp, [a, b], null)
export const det = (x: Node): Node => record(determinantOp, [x], null)

const recordAll =
  <const T extends readonly OpDef<null, Unary>[]>(...defs: T) =>
  (x: Node) =>
    mapTuple(defs, (def) => record(def, [x], null))

export const slogdet = recordAll(determinantSignOp, logDeterminantOp)
export const lu = recordAll(luPOp, luLOp, luUOp)
export const matrixExp = (x: Node): Node => record(matrixExpOp, [x], null)
export const qr = recordAll(qrQOp, qrROp)
export const eigh = recordAll(eighValuesOp, eighVectorsOp)
export const svd = recordAll(svdUOp, svdSOp, svdVhOp)

/** U, V·S⁻¹ and S, where singular values that are not above the cutoff[…] count as 0, and so do their inverses. */
function inverseParts(x: Node, cutoff: (s: Node) => Node) {
  const [u, s, vh] = svd(x)
  const kept = greater(s, cutoff(s))
  const inverses = where(kept, div(1, where(kept, s, 1)), 0)
  return { u, scaledV: scaleColumns(t(vh), inverses), s, kept }
}

/** V·S⁻¹·Uᵀ, without the singular values that are not above the cutoff[…]. */
export function pinv(x: Node, cutoff: (s: Node) => Node): Node {
  const { u, scaledV } = inverseParts(x, cutoff)
  return record(pinvOp, [matmul(scaledV, t(u)), x], null)
}

/** X = A⁺·B as pinv has A⁺, the singular values, and which of them count. */
export function leastSquares(a: Node, b: Node, cutoff: (s: Node) => Node): { x: Node; s: Node; kept: Node } {
  const { u, scaledV, s, kept } = inverseParts(a, cutoff)
  const x = matmul(scaledV, matmul(t(u), b))
  return { x: record(leastSquaresOp, [x, a, b, pinv(a, cutoff)], null), s, kept }
}

export const linalgOps = {
  cholesky: choleskyOp,
  triangularSolve: triangularSolveOp,
  solve: solveOp,
  determinant: determinantOp,
  determinantSign: determinantSignOp,
  logDeterminant: logDeterminantOp,
  luP: luPOp,
  luL: luLOp,
  luU: luUOp,
  matrixExp: matrixExpOp,
  qrQ: qrQOp,
  qrR: qrROp,
  eighValues: eighValuesOp,
  eighVectors: eighVectorsOp,
  svdU: svdUOp,
  svdS: svdSOp,
  svdVh: svdVhOp,
  pinv: pinvOp,
  leastSquares: leastSquaresOp,
}

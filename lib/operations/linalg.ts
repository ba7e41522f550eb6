/**
 * Linear algebra: decompositions, systems of equations and what follows from them, over the last two axes of tensors
 * whose other axes are batches. Integers are taken as float32. Everything is computed in float64 and rounded once.
 *
 * A run cannot fail, so that what has no answer is NaN: the Cholesky factor of a matrix that is not positive definite,
 * the solution of a singular system, the decomposition of what is not finite. Gradients are those of the textbooks;
 * see each function for where they do not exist.
 */
import { checkNumber, refuseSurplus } from '../base/arguments.ts'
import { isFloat, promote } from '../base/dtype.ts'
import { expected, ShapeError } from '../base/errors.ts'
import { checkOptions, type OptionTypes } from '../base/options.ts'
import { broadcastShapes, extentAt, formatShape } from '../base/shape.ts'
import type { Node } from '../graph/node.ts'
import { broadcastTo, reshape } from '../graph/ops/broadcast.ts'
import { greater, mul, square, sub } from '../graph/ops/elementwise.ts'
import * as ops from '../graph/ops/linalg.ts'
import { matmul } from '../graph/ops/matmul.ts'
import { transposeMatrices } from '../graph/ops/movement.ts'
import { cast } from '../graph/ops/promotion.ts'
import { max, sum } from '../graph/ops/reduce.ts'
import { nodeOf, type Tensor, type TensorLike, toNode, wrap } from '../tensor/tensor.ts'
import { isEmpty, matrices, squareMatrices } from './matrices.ts'

export * from './matrix-functions.ts'

/** Matrices […, n, m] and b[…, n, k] of one dtype and one batch shape; a b of one axis is a column, as `isVector` says. */
function system(op: string, matrix: Node, b: TensorLike): { a: Node; b: Node; isVector: boolean } {
  const given = toNode(op, b)
  const isVector = given.shape.length === 1
  const right = isVector ? reshape(given, [...given.shape, 1]) : given
  const n = extentAt(matrix.shape, -2)
  if (right.shape.length < 2 || right.shape.at(-2) !== n)
    throw new ShapeError(expected(op, `right-hand sides […, ${n}, k] or [${n}]`, formatShape(given.shape)))
  const dtype = promote(matrix.dtype, isFloat(right.dtype) ? right.dtype : 'float32')
  const batch = broadcastShapes(op, matrix.shape.slice(0, -2), right.shape.slice(0, -2))
  const spread = (x: Node): Node => broadcastTo(cast(x, dtype), [...batch, ...x.shape.slice(-2)])
  return { a: spread(matrix), b: spread(right), isVector }
}

const dropColumn = (x: Node, isVector: boolean): Tensor => wrap(isVector ? reshape(x, x.shape.slice(0, -1)) : x)

/**
 * The lower triangular L[…, n, n] with L·Lᵀ = x, of symmetric positive definite matrices; of x the lower triangle is
 * read. NaN throughout where x is not positive definite. The gradient is that of a symmetric x.
 *
 * @throws ShapeError for matrices that are not square
 * @example
 * linalg.cholesky([[4, 2], [2, 5]]) // [[2, 0], [1, 2]]
 * @pytorch torch.linalg.cholesky
 * @tensorflow tf.linalg.cholesky
 * @numpy np.linalg.cholesky
 */
export function cholesky(x: TensorLike, ...surplus: []): Tensor {
  refuseSurplus('cholesky', 1, surplus)
  return wrap(ops.cholesky(squareMatrices('cholesky', x)))
}

export interface TriangularSolveOptions {
  /** Whether the lower triangle of a is read (true unless given) or the upper one. */
  lower?: boolean
  /** Solves aᵀ·x = b. */
  transpose?: boolean
  /** Takes the diagonal of a for ones. */
  unitDiagonal?: boolean
}

const triangularSolveOptions: OptionTypes<TriangularSolveOptions> = {
  lower: 'boolean',
  transpose: 'boolean',
  unitDiagonal: 'boolean',
}

/**
 * x with a·x = b for triangular a[…, n, n] and b[…, n, k], or b[n]; batches broadcast. The other triangle of a is not
 * read. A 0 on the diagonal divides: infinities or NaN.
 *
 * @throws ShapeError where the shapes do not fit
 * @pytorch torch.linalg.solve_triangular
 * @tensorflow tf.linalg.triangular_solve
 */
export function triangularSolve(a: TensorLike, b: TensorLike, options?: TriangularSolveOptions): Tensor {
  const checked = checkOptions('triangularSolve', options, triangularSolveOptions)
  const { lower = true, transpose = false, unitDiagonal = false } = checked
  const { isVector, ...given } = system('triangularSolve', squareMatrices('triangularSolve', a), b)
  return dropColumn(ops.triangularSolve(given.a, given.b, { lower, transpose, unitDiagonal }), isVector)
}

/**
 * x with a·x = b for a[…, n, n] and b[…, n, k], or b[n]; batches broadcast. By LU with partial pivoting. NaN where a is
 * singular (PyTorch throws).
 *
 * @throws ShapeError where the shapes do not fit
 * @example
 * linalg.solve([[2, 1], [1, 3]], [3, 5]) // [0.8, 1.4]
 * @pytorch torch.linalg.solve
 * @tensorflow tf.linalg.solve
 * @numpy np.linalg.solve
 */
export function solve(a: TensorLike, b: TensorLike, ...surplus: []): Tensor {
  refuseSurplus('solve', 2, surplus)
  const { isVector, ...given } = system('solve', squareMatrices('solve', a), b)
  return dropColumn(ops.solve(given.a, given.b), isVector)
}

/**
 * The inverse of square matrices; NaN where there is none. To solve a system, `solve` is quicker and more accurate.
 * @throws ShapeError for matrices that are not square
 * @pytorch torch.linalg.inv
 * @tensorflow tf.linalg.inv
 * @numpy np.linalg.inv
 */
export function inverse(x: TensorLike, ...surplus: []): Tensor {
  refuseSurplus('inverse', 1, surplus)
  const node = squareMatrices('inverse', x)
  return wrap(ops.solve(node, ops.identity(extentAt(node.shape, -1), node)))
}

/**
 * The determinant of square matrices […, n, n]: […]. Its gradient are the cofactors, of matrices of more than 5 rows as
 * det(x)·x⁻ᵀ, which is NaN where x is singular.
 * @throws ShapeError for matrices that are not square
 * @pytorch torch.linalg.det
 * @tensorflow tf.linalg.det
 * @numpy np.linalg.det
 */
export function det(x: TensorLike, ...surplus: []): Tensor {
  refuseSurplus('det', 1, surplus)
  return wrap(ops.det(squareMatrices('det', x)))
}

/**
 * The sign of the determinant and the logarithm of its absolute value, which neither overflow nor underflow; 0 and −∞
 * where x is singular. The sign has gradient 0.
 * @throws ShapeError for matrices that are not square
 * @pytorch torch.linalg.slogdet
 * @tensorflow tf.linalg.slogdet
 * @numpy np.linalg.slogdet
 */
export function slogdet(x: TensorLike, ...surplus: []): { sign: Tensor; logAbsDet: Tensor } {
  refuseSurplus('slogdet', 1, surplus)
  const [sign, logAbsDet] = ops.slogdet(squareMatrices('slogdet', x)) as [Node, Node]
  return { sign: wrap(sign), logAbsDet: wrap(logAbsDet) }
}

/**
 * p[…, m, m] of zeros and ones, l[…, m, k] lower triangular with ones on the diagonal and upper triangular u[…, k, n],
 * k = min(m, n), with p·l·u = x. Rows are exchanged so that the pivot of a column is its greatest element; a column
 * without one is left as it is, so that a singular matrix has factors too. p has no gradient; those of l and u exist where
 * the first k columns of x are independent.
 * @throws ShapeError for less than two axes
 * @example
 * linalg.lu([[0, 2], [3, 1]]) // p: [[0, 1], [1, 0]], l: [[1, 0], [0, 1]], u: [[3, 1], [0, 2]]
 * @pytorch torch.linalg.lu
 * @tensorflow tf.linalg.lu
 */
export function lu(x: TensorLike, ...surplus: []): { p: Tensor; l: Tensor; u: Tensor } {
  refuseSurplus('lu', 1, surplus)
  const [p, l, u] = ops.lu(matrices('lu', x)) as [Node, Node, Node]
  return { p: wrap(p), l: wrap(l), u: wrap(u) }
}

/**
 * q[…, m, k] with orthonormal columns and upper triangular r[…, k, n], k = min(m, n), with q·r = x: the reduced form. By
 * Householder's reflections, with LAPACK's signs. The gradient exists where the first k columns of x are independent.
 * @throws ShapeError for less than two axes
 * @pytorch torch.linalg.qr
 * @tensorflow tf.linalg.qr
 * @numpy np.linalg.qr
 */
export function qr(x: TensorLike, ...surplus: []): { q: Tensor; r: Tensor } {
  refuseSurplus('qr', 1, surplus)
  const [q, r] = ops.qr(matrices('qr', x)) as [Node, Node]
  return { q: wrap(q), r: wrap(r) }
}

/**
 * u[…, m, k], s[…, k] in descending order and vh[…, k, n], k = min(m, n), with u·diag(s)·vh = x: the reduced form. By
 * Jacobi's rotations. Each pair of a column of u and a row of vh may have either sign. Gradients through u and vh exist
 * where the singular values differ (and are not 0, unless x is square), those through s everywhere they do not tie.
 * @throws ShapeError for less than two axes
 * @pytorch torch.linalg.svd
 * @tensorflow tf.linalg.svd
 * @numpy np.linalg.svd
 */
export function svd(x: TensorLike, ...surplus: []): { u: Tensor; s: Tensor; vh: Tensor } {
  refuseSurplus('svd', 1, surplus)
  const [u, s, vh] = ops.svd(matrices('svd', x)) as [Node, Node, Node]
  return { u: wrap(u), s: wrap(s), vh: wrap(vh) }
}

/**
 * The eigenvalues […, n] of symmetric matrices in ascending order, and their orthonormal eigenvectors as columns of
 * […, n, n]; of x the lower triangle is read. By Jacobi's rotations. Each vector may have either sign. The gradient is
 * that of a symmetric x, and exists through the vectors where the eigenvalues differ.
 * @throws ShapeError for matrices that are not square
 * @pytorch torch.linalg.eigh
 * @tensorflow tf.linalg.eigh
 * @numpy np.linalg.eigh
 */
export function eigh(x: TensorLike, ...surplus: []): { values: Tensor; vectors: Tensor } {
  refuseSurplus('eigh', 1, surplus)
  const [values, vectors] = ops.eigh(squareMatrices('eigh', x)) as [Node, Node]
  return { values: wrap(values), vectors: wrap(vectors) }
}

/**
 * The eigenvalues […, n] of symmetric matrices in ascending order, as `eigh` has them; of x the lower triangle is read. The
 * gradient is that of a symmetric x, and exists where an eigenvalue is repeated, too.
 * @throws ShapeError for matrices that are not square
 * @example
 * linalg.eigvalsh([[2, 1], [1, 2]]) // [1, 3]
 * @pytorch torch.linalg.eigvalsh
 * @tensorflow tf.linalg.eigvalsh
 * @numpy np.linalg.eigvalsh
 */
export function eigvalsh(x: TensorLike, ...surplus: []): Tensor {
  refuseSurplus('eigvalsh', 1, surplus)
  return wrap(ops.eigh(squareMatrices('eigvalsh', x))[0]!)
}

/** What a singular value may be of the greatest and count as 0, as PyTorch and numpy have it. */
const relativeTolerance = ({ dtype, shape }: Node): number =>
  Math.max(extentAt(shape, -1), extentAt(shape, -2)) * (dtype === 'float64' ? 2 ** -52 : 2 ** -23)

function cutoffOf(s: Node, relative: number): Node {
  const greatest = max(s, -1, true)
  return mul(greatest, relative)
}

export interface PinvOptions {
  /** Singular values up to this part of the greatest count as 0: max(m, n)·ε unless given. */
  relativeTolerance?: number
}

const pinvOptions: OptionTypes<PinvOptions> = { relativeTolerance: 'number' }

function toleranceOf(op: string, options: PinvOptions | undefined): number | undefined {
  const { relativeTolerance } = checkOptions(op, options, pinvOptions)
  if (relativeTolerance !== undefined)
    checkNumber(op, 'a finite relativeTolerance of at least 0', relativeTolerance, (x) => x >= 0 && x < Infinity)
  return relativeTolerance
}

/**
 * The pseudo-inverse […, n, m] of matrices […, m, n] (Moore and Penrose), by singular values. Its gradient exists where
 * the rank does not change nearby.
 * @throws ShapeError for less than two axes
 * @pytorch torch.linalg.pinv
 * @tensorflow tf.linalg.pinv
 * @numpy np.linalg.pinv
 */
export function pinv(x: TensorLike, options?: PinvOptions): Tensor {
  const relative = toleranceOf('pinv', options)
  const node = matrices('pinv', x)
  if (isEmpty(node.shape))
    return wrap(reshape(node, [...node.shape.slice(0, -2), extentAt(node.shape, -1), extentAt(node.shape, -2)]))
  return wrap(ops.pinv(node, (s) => cutoffOf(s, relative ?? relativeTolerance(node))))
}

/** The x of least squares, and what it says of the system. */
export interface LeastSquares {
  solution: Tensor
  /** The squares of ‖a·x − b‖ […, k], or […] of a vector. */
  residuals: Tensor
  /** How many singular values count, as int32. */
  rank: Tensor
  /** In descending order. */
  singularValues: Tensor
}

/**
 * x with the least ‖a·x − b‖ for a[…, m, n] and b[…, m, k], or b[m]; of several the one with the least ‖x‖, where a is
 * wide, or its columns are dependent. By singular values, of which those up to `relativeTolerance` of the greatest count as
 * 0: LAPACK's and PyTorch's driver gelsd. Batches broadcast. The gradient exists where the rank does not change nearby.
 *
 * @param options.relativeTolerance max(m, n)·ε unless given
 * @returns the solution […, n, k], or [n]; residuals, which PyTorch leaves out for wide a and for dependent columns; the
 * rank and the singular values of a
 * @throws ShapeError where the shapes do not fit
 * @example
 * linalg.lstsq([[1, 0], [1, 1], [1, 2]], [1, 3, 5]).solution // [1, 2]
 * @pytorch torch.linalg.lstsq
 * @tensorflow tf.linalg.lstsq
 * @numpy np.linalg.lstsq
 */
export function lstsq(a: TensorLike, b: TensorLike, options?: PinvOptions): LeastSquares {
  const relative = toleranceOf('lstsq', options)
  const given = system('lstsq', matrices('lstsq', a), b)
  const { x, s, kept } = solveLeastSquares(given.a, given.b, relative ?? relativeTolerance(given.a))
  const residuals = sum(square(sub(given.b, matmul(given.a, x))), -2)
  return {
    solution: dropColumn(x, given.isVector),
    residuals: dropColumn(residuals, given.isVector),
    rank: wrap(sum(cast(kept, 'int32'), -1)),
    singularValues: wrap(s),
  }
}

/** Without elements there are no singular values, and the least x is 0. */
function solveLeastSquares(a: Node, b: Node, relative: number): ReturnType<typeof ops.leastSquares> {
  if (!isEmpty(a.shape)) return ops.leastSquares(a, b, (s) => cutoffOf(s, relative))
  const none = ops.svd(a)[1]!
  return { x: matmul(transposeMatrices(a), b), s: none, kept: greater(none, 0) }
}

/**
 * How many singular values are above max(m, n)·ε of the greatest, as int32[…].
 * @throws ShapeError for less than two axes
 * @pytorch torch.linalg.matrix_rank
 * @tensorflow tf.linalg.matrix_rank
 * @numpy np.linalg.matrix_rank
 */
export function matrixRank(x: TensorLike, ...surplus: []): Tensor {
  refuseSurplus('matrixRank', 1, surplus)
  const node = matrices('matrixRank', x)
  const s = ops.svd(node)[1]!
  const counted = isEmpty(node.shape) ? s : greater(s, cutoffOf(s, relativeTolerance(node)))
  return wrap(sum(cast(counted, 'int32'), -1))
}

/**
 * x·x·…·x, n times, by repeated squaring; the identity for 0, powers of the inverse below.
 * @throws RangeError for an n that is no integer; ShapeError for matrices that are not square
 * @pytorch torch.linalg.matrix_power
 * @numpy np.linalg.matrix_power
 */
export function matrixPower(x: TensorLike, n: number, ...surplus: []): Tensor {
  refuseSurplus('matrixPower', 2, surplus)
  checkNumber('matrixPower', 'an integer power', n, Number.isSafeInteger)
  const node = squareMatrices('matrixPower', x)
  if (n === 0) return wrap(ops.identity(extentAt(node.shape, -1), node))
  let square = n < 0 ? nodeOf(inverse(wrap(node))) : node
  let power: Node | null = null
  for (let rest = Math.abs(n); ; square = matmul(square, square)) {
    if (rest % 2 === 1) power = power === null ? square : matmul(power, square)
    rest = Math.floor(rest / 2)
    if (rest === 0) return wrap(power!)
  }
}

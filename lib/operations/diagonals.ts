/** Diagonals and triangles of matrices. */
import { checkInteger, refuseSurplus } from '../base/arguments.ts'
import { expected, ShapeError } from '../base/errors.ts'
import { checkOptions, type OptionTypes } from '../base/options.ts'
import { checkShape, extentAt, formatShape, normalizeAxis } from '../base/shape.ts'
import { data, literal } from '../graph/ops/leaf.ts'
import { pad, sliceAt } from '../graph/ops/movement.ts'
import { nodeOf, type Tensor, type TensorLike, toTensor, wrap } from '../tensor/tensor.ts'
import { greaterEqual, lessEqual, where } from './comparison.ts'
import { moveAxis, permute } from './rearrange.ts'
import { sum } from './reduce.ts'
import { reshape } from './shape.ts'

export interface DiagonalOptions {
  /** 0 unless given: the main diagonal; above it are positive ones, below it negative ones. */
  offset?: number
  /** The axes of the matrices: the last two unless given. */
  axis1?: number
  axis2?: number
}

const diagonalOptions: OptionTypes<DiagonalOptions> = { offset: 'number', axis1: 'number', axis2: 'number' }

const checkOffset = (op: string, offset: number): number =>
  checkInteger(op, 'a diagonal numbered by an integer', offset)

const counting = (count: number, first: number, shape: readonly number[]): Tensor =>
  wrap(
    data(
      Int32Array.from({ length: count }, (_, i) => first + i),
      'int32',
      shape,
    ),
  )

/** Zeros where column − row is not on the kept side of diagonal k. */
function triangle(op: string, x: Tensor, k: number, keeps: typeof greaterEqual): Tensor {
  checkOffset(op, k)
  if (x.shape.length < 2) throw new ShapeError(expected(op, 'matrices', formatShape(x.shape)))
  const [rows, columns] = x.shape.slice(-2) as [number, number]
  // Beyond the corners one diagonal is as another, and int32 does not hold all of them.
  const first = Math.max(-rows, Math.min(k, columns))
  const kept = keeps(counting(columns, 0, [columns]), counting(rows, first, [rows, 1]))
  return where(kept, x, wrap(literal(0, x.dtype)))
}

/**
 * The upper triangles of matrices x[…, m, n]: zeros below diagonal k, which is the main one unless given; positive ones lie
 * above it.
 * @throws ShapeError for less than two axes; RangeError for a k that is no integer
 * @pytorch torch.triu
 * @tensorflow tf.linalg.band_part
 * @numpy np.triu
 */
export function triu(x: TensorLike, k = 0, ...surplus: []): Tensor {
  refuseSurplus('triu', 2, surplus)
  return triangle('triu', toTensor('triu', x), k, greaterEqual)
}

/**
 * The lower triangles of matrices x[…, m, n]: zeros above diagonal k, the main one unless given.
 * @throws ShapeError for less than two axes; RangeError for a k that is no integer
 * @pytorch torch.tril
 * @tensorflow tf.linalg.band_part
 * @numpy np.tril
 */
export function tril(x: TensorLike, k = 0, ...surplus: []): Tensor {
  refuseSurplus('tril', 2, surplus)
  return triangle('tril', toTensor('tril', x), k, lessEqual)
}

/**
 * The diagonals of matrices, as a last axis: of x[…, m, n] the elements x[…, i, i + offset], or x[…, i − offset, i] below the
 * main diagonal. A view where x is dense.
 * @throws ShapeError where the two axes are one, or none; RangeError for an offset that is no integer
 * @pytorch torch.diagonal
 * @tensorflow tf.linalg.diag_part
 * @numpy np.diagonal
 */
export function diagonal(x: TensorLike, options?: DiagonalOptions): Tensor {
  return diagonalOf('diagonal', x, options)
}

function diagonalOf(op: string, x: TensorLike, options?: DiagonalOptions): Tensor {
  const { offset = 0, axis1 = -2, axis2 = -1 } = checkOptions(op, options, diagonalOptions)
  checkOffset(op, offset)
  const t = toTensor(op, x)
  const rank = t.ndim
  const [a, b] = [normalizeAxis(op, axis1, rank), normalizeAxis(op, axis2, rank)]
  if (a === b) throw new ShapeError(expected(op, 'two different axes', `${axis1} and ${axis2}`))
  const others = t.shape.map((_, axis) => axis).filter((axis) => axis !== a && axis !== b)
  const matrices = permute(t, [...others, a, b])
  const [rows, columns] = matrices.shape.slice(-2) as [number, number]
  const size = Math.max(0, Math.min(rows + Math.min(offset, 0), columns - Math.max(offset, 0)))
  const batch = matrices.shape.slice(0, -2)
  const flat = reshape(matrices, [...batch, rows * columns])
  const start = size === 0 ? 0 : offset >= 0 ? offset : -offset * columns
  const steps = [...batch.map(() => 1), columns + 1]
  return wrap(sliceAt(nodeOf(flat), [...batch.map(() => 0), start], [...batch, size], steps))
}

/** Matrices with vectors x[…, n] on diagonal k and zeros elsewhere. */
function embedded(op: string, x: Tensor, k: number): Tensor {
  const size = extentAt(x.shape, -1)
  const extent = size + Math.abs(k)
  const batch = x.shape.slice(0, -1)
  checkShape(op, [...batch, extent, extent])
  const start = size === 0 ? 0 : k >= 0 ? k : -k * extent
  const flat = pad(
    nodeOf(x),
    [...batch, extent * extent],
    [...batch.map(() => 0), start],
    [...batch.map(() => 1), extent + 1],
  )
  return reshape(wrap(flat), [...batch, extent, extent])
}

/**
 * Of a vector, the square matrix with it on diagonal k and zeros elsewhere; of a matrix, the vector of its diagonal k.
 * `diagonal` takes those of many matrices.
 * @throws ShapeError for other than one or two axes; RangeError for a k that is no integer
 * @pytorch torch.diag
 * @tensorflow tf.linalg.diag
 * @numpy np.diag
 */
export function diag(x: TensorLike, k = 0, ...surplus: []): Tensor {
  refuseSurplus('diag', 2, surplus)
  checkOffset('diag', k)
  const t = toTensor('diag', x)
  if (t.ndim !== 1 && t.ndim !== 2) throw new ShapeError(expected('diag', 'a vector or a matrix', formatShape(t.shape)))
  return t.ndim === 2 ? diagonal(t, { offset: k }) : embedded('diag', t, k)
}

/**
 * Matrices with the vectors x[…, n] on a diagonal and zeros elsewhere: [2, 3] gives [2, 3, 3]. Their axes are the last two
 * unless given. The inverse of diagonal.
 * @throws ShapeError for a scalar, or where the two axes are one, or none; RangeError for an offset that is no integer
 * @example diagEmbed([1, 2], { offset: 1 }) // [[0, 1, 0], [0, 0, 2], [0, 0, 0]]
 * @pytorch torch.diag_embed
 * @tensorflow tf.linalg.diag
 */
export function diagEmbed(x: TensorLike, options?: DiagonalOptions): Tensor {
  const { offset = 0, axis1 = -2, axis2 = -1 } = checkOptions('diagEmbed', options, diagonalOptions)
  checkOffset('diagEmbed', offset)
  const t = toTensor('diagEmbed', x)
  if (t.ndim === 0) throw new ShapeError(expected('diagEmbed', 'vectors', formatShape(t.shape)))
  const [a, b] = [normalizeAxis('diagEmbed', axis1, t.ndim + 1), normalizeAxis('diagEmbed', axis2, t.ndim + 1)]
  if (a === b) throw new ShapeError(expected('diagEmbed', 'two different axes', `${axis1} and ${axis2}`))
  return moveAxis(embedded('diagEmbed', t, offset), [-2, -1], [a, b])
}

/**
 * The sum of a diagonal of matrices x[…, m, n], the main one unless given. int32 for bool and uint8.
 * @throws ShapeError, RangeError as diagonal
 * @pytorch torch.trace
 * @tensorflow tf.linalg.trace
 * @numpy np.trace
 */
export function trace(x: TensorLike, options?: DiagonalOptions): Tensor {
  return sum(diagonalOf('trace', x, options), -1)
}

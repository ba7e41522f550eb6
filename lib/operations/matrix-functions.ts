/** Numbers that say how large a matrix is and how near to a singular one; its exponential; products of chains of matrices. */

import { checkList, describe, refuseSurplus } from '../base/arguments.ts'
import { expected, ShapeError } from '../base/errors.ts'
import { elementAt } from '../base/lists.ts'
import { checkOptions, type OptionTypes } from '../base/options.ts'
import { extentAt, formatShape, normalizeAxes } from '../base/shape.ts'
import * as ops from '../graph/ops/linalg.ts'
import { nodeOf, type Tensor, type TensorLike, toTensor, wrap } from '../tensor/tensor.ts'
import { abs, div, mul } from './arithmetic.ts'
import { isNaN as isNaNAt, where } from './comparison.ts'
import { select } from './indexing.ts'
import { logicalAnd, logicalNot } from './logic.ts'
import { isEmpty, matrices, squareMatrices } from './matrices.ts'
import { matmul } from './products.ts'
import { moveAxis } from './rearrange.ts'
import { any, max, min, norm, sum } from './reduce.ts'
import { expandDims, reshape } from './shape.ts'

/**
 * 'fro', the root of the sum of squares; 'nuc', the sum of the singular values; 2 and −2, the greatest and the least of them; 1
 * and −1, the greatest and the least sum of absolute values of a column; Infinity and −Infinity, of a row.
 */
export type MatrixNormOrder = 'fro' | 'nuc' | 1 | -1 | 2 | -2 | number

const orders: readonly MatrixNormOrder[] = ['fro', 'nuc', 1, -1, 2, -2, Infinity, -Infinity]

function checkOrder(op: string, order: unknown): MatrixNormOrder {
  const known = orders.find((other) => other === order)
  if (known !== undefined) return known
  const list = orders.map((other) => (typeof other === 'string' ? `'${other}'` : String(other)))
  const message = expected(op, `order to be one of ${list.join(', ')}`, describe(order))
  throw typeof order === 'number' || typeof order === 'string' ? new RangeError(message) : new TypeError(message)
}

export interface MatrixNormOptions {
  /** 'fro' unless given. */
  order?: MatrixNormOrder
  /** Of the rows and of the columns; the last two unless given. */
  axes?: readonly [number, number]
  /** The axes stay, with extent 1. */
  keepDims?: boolean
}

const matrixNormOptions: OptionTypes<MatrixNormOptions> = { order: 'other', axes: 'other', keepDims: 'boolean' }

const singularValues = (x: Tensor): Tensor => wrap(ops.svd(nodeOf(x))[1]!)

/** Of matrices on the last two axes. What has no greatest is 0, as in PyTorch; what has no least has no norm. */
function normOf(op: string, x: Tensor, order: MatrixNormOrder): Tensor {
  if (order === 'fro') return norm(x, [-2, -1])
  if (order === 'nuc') return sum(singularValues(x), -1)
  const isOfValues = Math.abs(order) === 2
  const sizes = isOfValues ? singularValues(x) : sum(abs(x), Math.abs(order) === 1 ? -2 : -1)
  if (sizes.shape.at(-1) !== 0) return order > 0 ? max(sizes, -1) : min(sizes, -1)
  if (order < 0)
    throw new ShapeError(expected(op, `something of which order ${order} is the least`, formatShape(x.shape)))
  return sum(sizes, -1)
}

/**
 * Norms of matrices […, m, n]: […].
 *
 * @param options.order 'fro' unless given, or 'nuc', 1, −1, 2, −2, Infinity, −Infinity
 * @param options.axes of rows and columns; the last two unless given
 * @param options.keepDims whether these stay, with extent 1
 * @throws ShapeError for less than two axes, or axes that are none; RangeError for another order
 * @example
 * linalg.matrixNorm([[1, -2], [3, 4]], { order: Infinity }) // 7
 * @pytorch torch.linalg.matrix_norm
 * @tensorflow tf.norm
 * @numpy np.linalg.matrix_norm
 */
export function matrixNorm(x: TensorLike, options?: MatrixNormOptions): Tensor {
  const { order = 'fro', axes = [-2, -1], keepDims = false } = checkOptions('matrixNorm', options, matrixNormOptions)
  const known = checkOrder('matrixNorm', order)
  const t = wrap(matrices('matrixNorm', x))
  if (!Array.isArray(axes) || normalizeAxes('matrixNorm', axes, t.ndim).length !== 2)
    throw new ShapeError(expected('matrixNorm', 'two axes', axes))
  const found = normOf('matrixNorm', moveAxis(t, axes, [-2, -1]), known)
  return keepDims ? normalizeAxes('matrixNorm', axes, t.ndim).reduce(expandDims, found) : found
}

export interface CondOptions {
  /** 2 unless given. */
  order?: MatrixNormOrder
}

const condOptions: OptionTypes<CondOptions> = { order: 'other' }

/**
 * ‖x‖·‖x⁻¹‖ of square matrices […, n, n]; of order 2, the default, and −2 the ratio of the greatest and the least singular
 * value of any matrices […, m, n]. Where x is singular Infinity, or what rounding leaves of it; NaN only where x has one.
 *
 * @param options.order as of `matrixNorm`
 * @throws ShapeError for matrices that are not square, where they have to be; RangeError for another order
 * @example
 * linalg.cond([[1, 0], [0, 4]]) // 4
 * @pytorch torch.linalg.cond
 * @numpy np.linalg.cond
 */
export function cond(x: TensorLike, options?: CondOptions): Tensor {
  const { order: given = 2 } = checkOptions('cond', options, condOptions)
  const order = checkOrder('cond', given)
  const isRatio = order === 2 || order === -2
  const t = wrap((isRatio ? matrices : squareMatrices)('cond', x))
  if (isEmpty(t.shape)) return sum(t, [-2, -1])
  const found = isRatio
    ? ratioOf(singularValues(t), order)
    : mul(normOf('cond', t, order), normOf('cond', inverseOf(t), order))
  return where(logicalAnd(isNaNAt(found), logicalNot(any(isNaNAt(t), [-2, -1]))), Infinity, found)
}

function ratioOf(s: Tensor, order: 2 | -2): Tensor {
  const [greatest, least] = [select(s, -1, 0), select(s, -1, -1)]
  return order === 2 ? div(greatest, least) : div(least, greatest)
}

const inverseOf = (x: Tensor): Tensor => wrap(ops.solve(nodeOf(x), ops.identity(extentAt(x.shape, -1), nodeOf(x))))

/**
 * eˣ = Σ xⁿ/n! of square matrices […, n, n], by scaling and squaring (N. J. Higham 2005, "The scaling and squaring method
 * for the matrix exponential revisited"). NaN where an element is not finite.
 * @throws ShapeError for matrices that are not square
 * @example
 * linalg.matrixExp([[0, 1], [0, 0]]) // [[1, 1], [0, 1]]
 * @pytorch torch.linalg.matrix_exp
 * @tensorflow tf.linalg.expm
 */
export function matrixExp(x: TensorLike, ...surplus: []): Tensor {
  refuseSurplus('matrixExp', 1, surplus)
  return wrap(ops.matrixExp(squareMatrices('matrixExp', x)))
}

/**
 * The product of two matrices or more, in the order of the fewest multiplications. The first one may be a vector, which is
 * a row, and the last one, which is a column.
 * @throws ShapeError for less than two, for what has other axes, or where inner extents differ; DTypeError where all are
 * integers
 * @example
 * linalg.multiDot([[1, 2], [[1, 0], [0, 1]], [3, 4]]) // 11
 * @pytorch torch.linalg.multi_dot
 * @numpy np.linalg.multi_dot
 */
export function multiDot(tensors: readonly TensorLike[], ...surplus: []): Tensor {
  refuseSurplus('multiDot', 1, surplus)
  const given = checkList('multiDot', 'a list of tensors', tensors).map((x) => toTensor('multiDot', x))
  const last = given.length - 1
  const isVector = given.map(({ ndim }, i) => ndim === 1 && (i === 0 || i === last))
  if (last < 1 || given.some(({ ndim }, i) => ndim !== 2 && !isVector[i]))
    throw new ShapeError(
      expected(
        'multiDot',
        'two matrices or more',
        given.map(({ shape }) => formatShape(shape)).join(' and ') || 'none',
      ),
    )
  const chain = given.map((x, i) => (isVector[i] ? expandDims(x, i === 0 ? 0 : 1) : x))
  chain.slice(1).forEach(({ shape }, i) => {
    const before = elementAt(chain, i).shape
    if (before[1] !== shape[0])
      throw new ShapeError(
        expected('multiDot', 'equal inner extents', `${formatShape(before)} and ${formatShape(shape)}`),
      )
  })
  const product = productOf(chain, splitsOf([chain[0]!.shape[0]!, ...chain.map(({ shape }) => shape[1]!)]))
  return reshape(
    product,
    product.shape.filter((_, axis) => !isVector[axis === 0 ? 0 : last]),
  )
}

/**
 * After which matrix the product of matrices i to j is divided, as splits[i][j], where matrix i is [extents[i],
 * extents[i + 1]] (T. Cormen et al., "Introduction to algorithms", section 15.2).
 */
function splitsOf(extents: readonly number[]): readonly (readonly number[])[] {
  const count = extents.length - 1
  const [costs, splits] = [0, 1].map(() => Array.from({ length: count }, () => new Array<number>(count).fill(0))) as [
    number[][],
    number[][],
  ]
  for (let length = 1; length < count; length++)
    for (let i = 0; i + length < count; i++) {
      const j = i + length
      costs[i]![j] = Infinity
      for (let k = i; k < j; k++) {
        const cost = costs[i]![k]! + costs[k + 1]![j]! + extents[i]! * extents[k + 1]! * extents[j + 1]!
        if (cost >= costs[i]![j]!) continue
        costs[i]![j] = cost
        splits[i]![j] = k
      }
    }
  return splits
}

function productOf(
  chain: readonly Tensor[],
  splits: readonly (readonly number[])[],
  i = 0,
  j = chain.length - 1,
): Tensor {
  if (i === j) return elementAt(chain, i)
  const k = splits[i]![j]!
  return matmul(productOf(chain, splits, i, k), productOf(chain, splits, k + 1, j))
}

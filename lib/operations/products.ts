/** Products of vectors, of matrices and of tensors. */
import { checkList, refuseSurplus } from '../base/arguments.ts'
import { expected, ShapeError } from '../base/errors.ts'
import { zipWith } from '../base/lists.ts'
import { checkOptions, type OptionTypes } from '../base/options.ts'
import { broadcastShapes, extentAt, formatShape, normalizeAxis, sameShape } from '../base/shape.ts'
import { matmul as matmulNodes } from '../graph/ops/matmul.ts'
import { nodeOf, type Tensor, type TensorLike, toTensor, wrap } from '../tensor/tensor.ts'
import { add, mul, sub } from './arithmetic.ts'
import { where } from './comparison.ts'
import { contractAll } from './contraction.ts'
import { binary } from './elementwise.ts'
import { roll } from './rearrange.ts'
import { sum } from './reduce.ts'
import { broadcastTo, ravel, reshape } from './shape.ts'

/**
 * x[…, m, k] · y[…, k, n] → [… , m, n]; leading axes broadcast; a 1-D operand is a row or a column. Operands are of one
 * dtype, or are cast to the greater one of both; integers are int32, and wrap as numpy's do.
 * @throws ShapeError for a scalar, or where inner or leading extents differ
 * @example matmul([[1, 2]], [[3], [4]]) // [[11]]
 * @pytorch torch.matmul
 * @tensorflow tf.matmul
 * @numpy np.matmul
 */
export const matmul = binary('matmul', (x, y) => matmulNodes(x, y))

/**
 * Σ x·y over axes of x and as many of y, numbered in two lists; a count takes the last ones of x and the first ones of y. The
 * result has the other axes of x, then those of y: [2, 3, 4] and [3, 4, 5] give [2, 5] by 2, which is the default.
 * @throws ShapeError unless the axes are distinct and have the same extents
 * @pytorch torch.tensordot
 * @tensorflow tf.tensordot
 * @numpy np.tensordot
 */
export function tensordot(x: TensorLike, y: TensorLike, axes: ContractedAxes = 2, ...surplus: []): Tensor {
  refuseSurplus('tensordot', 3, surplus)
  return contracted('tensordot', toTensor('tensordot', x), toTensor('tensordot', y), axes)
}

type ContractedAxes = number | readonly [ofX: readonly number[], ofY: readonly number[]]

function contracted(op: string, a: Tensor, b: Tensor, axes: ContractedAxes): Tensor {
  const [ofX, ofY] = typeof axes === 'number' ? countedAxes(op, a, b, axes) : listedAxes(op, axes)
  const summedX = ofX.map((axis) => normalizeAxis(op, axis, a.ndim))
  const summedY = ofY.map((axis) => normalizeAxis(op, axis, b.ndim))
  const [extentsX, extentsY] = [
    summedX.map((axis) => extentAt(a.shape, axis)),
    summedY.map((axis) => extentAt(b.shape, axis)),
  ]
  const isDistinct = new Set(summedX).size === ofX.length && new Set(summedY).size === ofY.length
  if (!isDistinct || formatShape(extentsX) !== formatShape(extentsY))
    throw new ShapeError(
      expected(op, 'distinct axes of the same extents', `${formatShape(extentsX)} and ${formatShape(extentsY)}`),
    )
  const labelsX = a.shape.map((_, axis) => `x${axis}`)
  const labelsY = b.shape.map((_, axis) => (summedY.includes(axis) ? `x${summedX[summedY.indexOf(axis)]}` : `y${axis}`))
  const output = [...labelsX, ...labelsY].filter((label) => !(labelsX.includes(label) && labelsY.includes(label)))
  const terms = [
    { node: nodeOf(a), labels: labelsX },
    { node: nodeOf(b), labels: labelsY },
  ]
  return wrap(contractAll(terms, output))
}

function listedAxes(op: string, axes: unknown): readonly [readonly number[], readonly number[]] {
  const what = 'a count of axes, or two lists of axes'
  const lists = checkList(op, what, axes as readonly (readonly number[])[])
  if (lists.length !== 2) throw new ShapeError(expected(op, what, `${lists.length} lists`))
  const listOf = (list: unknown) => Array.from(checkList(op, what, list as readonly number[]))
  return [listOf(lists[0]), listOf(lists[1])]
}

function countedAxes(op: string, { shape }: Tensor, other: Tensor, count: number): [number[], number[]] {
  if (!Number.isInteger(count) || count < 0 || count > Math.min(shape.length, other.shape.length))
    throw new ShapeError(
      expected(op, `a count of axes of ${formatShape(shape)} and ${formatShape(other.shape)}`, count),
    )
  const numbers = Array.from({ length: count }, (_, i) => i)
  return [numbers.map((i) => shape.length - count + i), numbers]
}

function vectorsOf(op: string, x: TensorLike, y: TensorLike): [Tensor, Tensor] {
  const vectors: [Tensor, Tensor] = [toTensor(op, x), toTensor(op, y)]
  const wrong = vectors.find(({ ndim }) => ndim !== 1)
  if (wrong !== undefined) throw new ShapeError(expected(op, 'vectors', formatShape(wrong.shape)))
  return vectors
}

/**
 * Σ x·y of two vectors of one length. `matmul` and `inner` take more axes.
 * @throws ShapeError for other operands
 * @pytorch torch.dot
 * @tensorflow tf.experimental.numpy.dot
 * @numpy np.dot
 */
export function dot(x: TensorLike, y: TensorLike, ...surplus: []): Tensor {
  refuseSurplus('dot', 2, surplus)
  return sumAlong('dot', ...vectorsOf('dot', x, y), -1)
}

/**
 * Σ x·y over all elements of two tensors of as many. Numbers are real, so that nothing is conjugated.
 * @throws ShapeError where one has more elements
 * @pytorch torch.vdot
 * @tensorflow tf.experimental.numpy.vdot
 * @numpy np.vdot
 */
export function vdot(x: TensorLike, y: TensorLike, ...surplus: []): Tensor {
  refuseSurplus('vdot', 2, surplus)
  const [a, b] = [toTensor('vdot', x), toTensor('vdot', y)]
  if (a.size !== b.size)
    throw new ShapeError(
      expected('vdot', 'as many elements in both', `${formatShape(a.shape)} and ${formatShape(b.shape)}`),
    )
  return sumAlong('vdot', ravel(a), ravel(b), -1)
}

/**
 * x[i]·y[j] of two vectors: [m] and [n] give [m, n].
 * @throws ShapeError for other operands
 * @pytorch torch.outer
 * @tensorflow tf.experimental.numpy.outer
 * @numpy np.outer
 */
export function outer(x: TensorLike, y: TensorLike, ...surplus: []): Tensor {
  refuseSurplus('outer', 2, surplus)
  return contracted('outer', ...vectorsOf('outer', x, y), 0)
}

/**
 * Σ x·y over the last axes: [2, 4] and [3, 5, 4] give [2, 3, 5]. A scalar multiplies.
 * @throws ShapeError where the last axes have other extents
 * @pytorch torch.inner
 * @tensorflow tf.experimental.numpy.inner
 * @numpy np.inner
 */
export function inner(x: TensorLike, y: TensorLike, ...surplus: []): Tensor {
  refuseSurplus('inner', 2, surplus)
  const [a, b] = [toTensor('inner', x), toTensor('inner', y)]
  return a.ndim === 0 || b.ndim === 0 ? mul(a, b) : contracted('inner', a, b, [[-1], [-1]])
}

/**
 * Σ x·y over one axis, the last one unless given; shapes broadcast, but on that axis.
 * @throws ShapeError unless the shapes broadcast and the axis has one extent in both
 * @pytorch torch.linalg.vecdot
 * @numpy np.vecdot
 */
export function vecdot(x: TensorLike, y: TensorLike, axis = -1, ...surplus: []): Tensor {
  refuseSurplus('vecdot', 3, surplus)
  return sumAlong('vecdot', toTensor('vecdot', x), toTensor('vecdot', y), axis)
}

const sumAlong = (op: string, x: Tensor, y: Tensor, axis: number): Tensor => sum(productAlong(op, x, y, axis), axis)

/** x·y, where an axis of the product has one extent in both. */
function productAlong(op: string, x: Tensor, y: Tensor, axis: number): Tensor {
  const rank = broadcastShapes(op, x.shape, y.shape).length
  const along = normalizeAxis(op, axis, rank)
  const [a, b] = [x, y].map(({ shape }) => shape[along - rank + shape.length]) as [number?, number?]
  if (a === undefined || a !== b)
    throw new ShapeError(
      expected(op, `one extent on axis ${axis}`, `${formatShape(x.shape)} and ${formatShape(y.shape)}`),
    )
  return mul(x, y)
}

export interface BaddbmmOptions {
  /** What the products are multiplied with; 1 unless given. */
  alpha?: number
  /** What the input is multiplied with; 1 unless given. With 0 it does not count, NaN and infinities either. */
  beta?: number
}

const baddbmmOptions: OptionTypes<BaddbmmOptions> = { alpha: 'number', beta: 'number' }

/**
 * beta·input + alpha·x·y of batches of matrices x[batch, m, k] and y[batch, k, n]; the input broadcasts to [batch, m, n].
 * @throws ShapeError for operands that have not three axes, or that do not fit; DTypeError for products of integers
 * @pytorch torch.baddbmm
 */
export function baddbmm(
  input: TensorLike,
  x: TensorLike,
  y: TensorLike,
  options?: BaddbmmOptions,
  ...surplus: []
): Tensor {
  const { alpha = 1, beta = 1 } = checkOptions('baddbmm', options, baddbmmOptions, surplus)
  const [added, a, b] = [toTensor('baddbmm', input), toTensor('baddbmm', x), toTensor('baddbmm', y)]
  if (a.ndim !== 3 || b.ndim !== 3 || a.shape[0] !== b.shape[0] || a.shape[2] !== b.shape[1])
    throw new ShapeError(
      expected(
        'baddbmm',
        'matrices [batch, m, k] and [batch, k, n]',
        `${formatShape(a.shape)} and ${formatShape(b.shape)}`,
      ),
    )
  const shape = [a.shape[0]!, a.shape[1]!, b.shape[2]!]
  if (!sameShape(broadcastShapes('baddbmm', added.shape, shape), shape))
    throw new ShapeError(
      expected('baddbmm', `an input that broadcasts to ${formatShape(shape)}`, formatShape(added.shape)),
    )
  const spread = broadcastTo(added, shape)
  const counted = beta === 0 ? where(false, spread, 0) : scaled(spread, beta)
  return add(counted, scaled(matmul(a, b), alpha))
}

const scaled = (x: Tensor, by: number): Tensor => (by === 1 ? x : mul(x, by))

/**
 * The Kronecker product: every element of x times all of y, [m, n] and [p, q] give [m·p, n·q]. Of more axes likewise; the
 * tensor of fewer axes has axes of extent 1 before its own.
 * @example kron([1, 10], [1, 2]) // [1, 2, 10, 20]
 * @pytorch torch.kron
 * @tensorflow tf.experimental.numpy.kron
 * @numpy np.kron
 */
export function kron(x: TensorLike, y: TensorLike, ...surplus: []): Tensor {
  refuseSurplus('kron', 2, surplus)
  const [a, b] = [toTensor('kron', x), toTensor('kron', y)]
  if (a.ndim === 0 || b.ndim === 0) return mul(a, b)
  const rank = Math.max(a.ndim, b.ndim)
  const ranked = ({ shape }: Tensor): number[] => [...new Array<number>(rank - shape.length).fill(1), ...shape]
  const [outer, inner] = [ranked(a), ranked(b)]
  // An axis of each for every axis of the result, but for those that would have one element in both.
  const extents = zipWith(outer, inner, (m, n) => [
    { m, n: 1 },
    { m: 1, n },
  ])
    .flat()
    .filter(({ m, n }) => m !== 1 || n !== 1)
  const blocks = mul(
    reshape(
      a,
      extents.map(({ m }) => m),
    ),
    reshape(
      b,
      extents.map(({ n }) => n),
    ),
  )
  return reshape(
    blocks,
    zipWith(outer, inner, (m, n) => m * n),
  )
}

/**
 * The cross products of vectors of three elements along an axis, the last one unless given; the other axes broadcast.
 * @throws ShapeError where the axis has not three elements, or the shapes do not broadcast
 * @pytorch torch.linalg.cross
 * @tensorflow tf.linalg.cross
 * @numpy np.cross
 */
export function cross(x: TensorLike, y: TensorLike, axis = -1, ...surplus: []): Tensor {
  refuseSurplus('cross', 3, surplus)
  const [a, b] = [toTensor('cross', x), toTensor('cross', y)]
  const product = productAlong('cross', a, b, axis)
  const along = normalizeAxis('cross', axis, product.ndim) - product.ndim
  if (product.shape.at(along) !== 3)
    throw new ShapeError(expected('cross', `3 elements on axis ${axis}`, formatShape(product.shape)))
  const turned = (z: Tensor, by: number) => roll(z, -by, along)
  return sub(mul(turned(a, 1), turned(b, 2)), mul(turned(a, 2), turned(b, 1)))
}

/** Products of vectors, of matrices and of tensors. */
import { expected, ShapeError } from '../base/errors.ts'
import { formatShape, normalizeAxis } from '../base/shape.ts'
import type { Node } from '../graph/node.ts'
import { mul, sub } from '../graph/ops/elementwise.ts'
import { matmul as matmulNodes } from '../graph/ops/matmul.ts'
import { sum } from '../graph/ops/reduce.ts'
import { type Tensor, type TensorLike, toNode, wrap } from '../tensor/tensor.ts'
import { contractAll } from './contraction.ts'
import { binary } from './elementwise.ts'
import { roll } from './rearrange.ts'

/**
 * x[…, m, k] · y[…, k, n] → [… , m, n]; leading axes broadcast; a 1-D operand is a row or a column. Operands are of one
 * float dtype, or are cast to the greater one of both.
 * @throws ShapeError for a scalar, or where inner or leading extents differ; DTypeError where both are integers
 * @example matmul([[1, 2]], [[3], [4]]) // [[11]]
 * @pytorch torch.matmul
 * @tensorflow tf.matmul
 */
export const matmul = binary(matmulNodes)

/**
 * Σ x·y over axes of x and as many of y, numbered in two lists; a count takes the last ones of x and the first ones of y. The
 * result has the other axes of x, then those of y: [2, 3, 4] and [3, 4, 5] give [2, 5] by 2, which is the default.
 * @throws ShapeError unless the axes are distinct and have the same extents
 * @pytorch torch.tensordot
 * @tensorflow tf.tensordot
 */
export function tensordot(
  x: TensorLike,
  y: TensorLike,
  axes: number | readonly [ofX: readonly number[], ofY: readonly number[]] = 2,
): Tensor {
  const [a, b] = [toNode(x), toNode(y)]
  const [ofX, ofY] = typeof axes === 'number' ? countedAxes(a, b, axes) : axes
  const summedX = ofX.map((axis) => normalizeAxis('tensordot', axis, a.shape.length))
  const summedY = ofY.map((axis) => normalizeAxis('tensordot', axis, b.shape.length))
  const [extentsX, extentsY] = [summedX.map((axis) => a.shape[axis]!), summedY.map((axis) => b.shape[axis]!)]
  const isDistinct = new Set(summedX).size === ofX.length && new Set(summedY).size === ofY.length
  if (!isDistinct || formatShape(extentsX) !== formatShape(extentsY))
    throw new ShapeError(
      expected(
        'tensordot',
        'distinct axes of the same extents',
        `${formatShape(extentsX)} and ${formatShape(extentsY)}`,
      ),
    )
  const labelsX = a.shape.map((_, axis) => `x${axis}`)
  const labelsY = b.shape.map((_, axis) => (summedY.includes(axis) ? `x${summedX[summedY.indexOf(axis)]}` : `y${axis}`))
  const output = [...labelsX, ...labelsY].filter((label) => !(labelsX.includes(label) && labelsY.includes(label)))
  const terms = [
    { node: a, labels: labelsX },
    { node: b, labels: labelsY },
  ]
  return wrap(contractAll(terms, output))
}

function countedAxes({ shape }: Node, other: Node, count: number): [number[], number[]] {
  if (!Number.isInteger(count) || count < 0 || count > Math.min(shape.length, other.shape.length))
    throw new ShapeError(
      expected('tensordot', `a count of axes of ${formatShape(shape)} and ${formatShape(other.shape)}`, count),
    )
  const numbers = Array.from({ length: count }, (_, i) => i)
  return [numbers.map((i) => shape.length - count + i), numbers]
}

function checkVectors(op: string, ...vectors: readonly Node[]): void {
  const wrong = vectors.find(({ shape }) => shape.length !== 1)
  if (wrong !== undefined) throw new ShapeError(expected(op, 'vectors', formatShape(wrong.shape)))
}

/**
 * Σ x·y of two vectors of one length. `matmul` and `inner` take more axes.
 * @throws ShapeError for other operands
 * @pytorch torch.dot
 * @tensorflow tf.experimental.numpy.dot
 */
export function dot(x: TensorLike, y: TensorLike): Tensor {
  checkVectors('dot', toNode(x), toNode(y))
  return vecdot(x, y)
}

/**
 * x[i]·y[j] of two vectors: [m] and [n] give [m, n].
 * @throws ShapeError for other operands
 * @pytorch torch.outer
 * @tensorflow tf.experimental.numpy.outer
 */
export function outer(x: TensorLike, y: TensorLike): Tensor {
  checkVectors('outer', toNode(x), toNode(y))
  return tensordot(x, y, 0)
}

/**
 * Σ x·y over the last axes: [2, 4] and [3, 5, 4] give [2, 3, 5]. A scalar multiplies.
 * @throws ShapeError where the last axes have other extents
 * @pytorch torch.inner
 * @tensorflow tf.experimental.numpy.inner
 */
export function inner(x: TensorLike, y: TensorLike): Tensor {
  const isScalar = toNode(x).shape.length === 0 || toNode(y).shape.length === 0
  return isScalar ? wrap(mul(toNode(x), toNode(y))) : tensordot(x, y, [[-1], [-1]])
}

/**
 * Σ x·y over one axis, the last one unless given; shapes broadcast, but on that axis.
 * @throws ShapeError unless the shapes broadcast and the axis has one extent in both
 * @pytorch torch.linalg.vecdot
 */
export function vecdot(x: TensorLike, y: TensorLike, axis = -1): Tensor {
  const product = productAlong('vecdot', toNode(x), toNode(y), axis)
  return wrap(sum(product, axis))
}

/** x·y, where an axis of the product has one extent in both. */
function productAlong(op: string, x: Node, y: Node, axis: number): Node {
  const product = mul(x, y)
  const rank = product.shape.length
  const along = normalizeAxis(op, axis, rank)
  const [a, b] = [x, y].map(({ shape }) => shape[along - rank + shape.length]) as [number?, number?]
  if (a === undefined || a !== b)
    throw new ShapeError(
      expected(op, `one extent on axis ${axis}`, `${formatShape(x.shape)} and ${formatShape(y.shape)}`),
    )
  return product
}

/**
 * The cross products of vectors of three elements along an axis, the last one unless given; the other axes broadcast.
 * @throws ShapeError where the axis has not three elements, or the shapes do not broadcast
 * @pytorch torch.linalg.cross
 * @tensorflow tf.linalg.cross
 */
export function cross(x: TensorLike, y: TensorLike, axis = -1): Tensor {
  const product = productAlong('cross', toNode(x), toNode(y), axis)
  const along = normalizeAxis('cross', axis, product.shape.length) - product.shape.length
  if (product.shape.at(along) !== 3)
    throw new ShapeError(expected('cross', `3 elements on axis ${axis}`, formatShape(product.shape)))
  const turned = (z: TensorLike, by: number) => roll(z, -by, along).node
  return wrap(sub(mul(turned(x, 1), turned(y, 2)), mul(turned(x, 2), turned(y, 1))))
}

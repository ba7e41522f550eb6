/** The same elements in the same order, under another shape or as another dtype. */
import { checkNumbers, describe, refuseSurplus, spreadNumbers } from '../base/arguments.ts'
import { checkDType, type DType } from '../base/dtype.ts'
import { expected, ShapeError } from '../base/errors.ts'
import { formatOption, isCount } from '../base/pair.ts'
import { checkShape, extentAt, formatShape, normalizeAxes, normalizeAxis, type Shape, sizeOf } from '../base/shape.ts'
import { broadcastTo as broadcastNode, reshape as reshapeNode } from '../graph/ops/broadcast.ts'
import { cast as castNode } from '../graph/ops/promotion.ts'
import { type Tensor, type TensorLike, toNode, toTensor, wrap } from '../tensor/tensor.ts'

/** A shape as a list of extents, or each extent by itself. */
export type ShapeArguments = [shape: Shape] | number[]

const shapeOf = (op: string, given: ShapeArguments): Shape =>
  typeof given[0] === 'number' ? spreadNumbers(op, 'a shape (an array of extents)', given) : oneShape(op, given)

/** What is no list is refused by what takes it. */
function oneShape(op: string, given: readonly unknown[]): Shape {
  if (given.length > 1) throw new TypeError(expected(op, 'a shape, or extents one by one', describe(given[1])))
  return given[0] as Shape
}

/**
 * The same elements as another dtype. Floats truncate toward zero and saturate; NaN gives 0.
 * @throws DTypeError for what is no dtype
 * @example cast([1.7, -1.7], 'int32') // [1, -1]
 * @pytorch Tensor.to
 * @tensorflow tf.cast
 * @numpy ndarray.astype
 */
export function cast(x: TensorLike, dtype: DType, ...surplus: []): Tensor {
  refuseSurplus('cast', 2, surplus)
  return wrap(castNode(toNode('cast', x), checkDType('cast', dtype)))
}

/**
 * The same elements in the same order under another shape; one extent may be −1.
 * @throws ShapeError for a shape of another number of elements
 * @example ones([2, 6]).reshape([3, -1]).shape // [3, 4], and so is that of reshape(3, -1)
 * @pytorch torch.reshape
 * @tensorflow tf.reshape
 * @numpy np.reshape
 */
export function reshape(x: TensorLike, ...shape: ShapeArguments): Tensor {
  return wrap(reshapeNode(toNode('reshape', x), shapeOf('reshape', shape)))
}

/**
 * One axis from `axis` on: [a, b, c].flatten(1) is [a, b·c]. All of them are one unless given.
 * @throws ShapeError for an axis that is none
 * @pytorch torch.flatten
 * @tensorflow tf.keras.layers.Flatten
 */
export function flatten(x: TensorLike, axis = 0, ...surplus: []): Tensor {
  refuseSurplus('flatten', 2, surplus)
  return flattened('flatten', x, axis)
}

/** A scalar has one axis then too. */
function flattened(op: string, x: TensorLike, axis: number): Tensor {
  const t = toTensor(op, x)
  const first = normalizeAxis(op, axis, Math.max(t.ndim, 1))
  return reshape(t, [...t.shape.slice(0, first), sizeOf(t.shape.slice(first))])
}

/**
 * One axis as several, whose extents multiply to its own; one of them may be −1: [2, 6, 5] gives [2, 3, 2, 5] at 1 by
 * [3, 2]. The inverse of flatten.
 * @throws ShapeError for an axis that is none, or a shape of another number of elements
 * @example unflatten(ones([2, 12]), 1, [3, -1]).shape // [2, 3, 4]
 * @pytorch torch.unflatten
 */
export function unflatten(x: TensorLike, axis: number, shape: Shape, ...surplus: []): Tensor {
  refuseSurplus('unflatten', 3, surplus)
  const t = toTensor('unflatten', x)
  const at = normalizeAxis('unflatten', axis, t.ndim)
  const extent = extentAt(t.shape, at)
  const what = `a shape of ${extent} elements`
  const wrong = () => new ShapeError(expected('unflatten', what, formatOption(shape)))
  const given = checkNumbers('unflatten', what, shape, Number.isInteger)
  if (given.length === 0 || given.filter((part) => part === -1).length > 1) throw wrong()
  const known = sizeOf(given.filter((part) => part !== -1))
  const parts = given.map((part) => (part === -1 ? extent / known : part))
  if (!parts.every((part) => isCount(part, 0)) || sizeOf(parts) !== extent) throw wrong()
  return reshape(t, [...t.shape.slice(0, at), ...parts, ...t.shape.slice(at + 1)])
}

/**
 * All elements in row-major order along one axis: numpy's name of `flatten`.
 * @pytorch torch.ravel
 * @tensorflow tf.experimental.numpy.ravel
 * @numpy np.ravel
 */
export function ravel(x: TensorLike, ...surplus: []): Tensor {
  refuseSurplus('ravel', 1, surplus)
  return flattened('ravel', x, 0)
}

/**
 * Without the axes of extent 1 that `axis` names, or without any: [1, 3, 1] gives [3]. Axes come as one number, in a list, or
 * one by one.
 * @throws ShapeError where a named axis has another extent, or there is none
 * @pytorch torch.squeeze
 * @tensorflow tf.squeeze
 * @numpy np.squeeze
 */
export function squeeze(x: TensorLike, ...axis: [axis?: number | readonly number[]] | number[]): Tensor {
  const t = toTensor('squeeze', x)
  const isAll = axis.length === 0 || (axis.length === 1 && axis[0] === undefined)
  const named = isAll
    ? null
    : normalizeAxes('squeeze', spreadNumbers('squeeze', 'an axis or a list of axes', axis), t.ndim)
  const wrong = named?.find((i) => t.shape[i] !== 1)
  if (wrong !== undefined) throw new ShapeError(expected('squeeze', `extent 1 at axis ${wrong}`, formatShape(t.shape)))
  return reshape(
    t,
    t.shape.filter((extent, i) => (named === null ? extent !== 1 : !named.includes(i))),
  )
}

/**
 * A new axis of extent 1 before `axis`, which may be negative: [3] gives [1, 3] at 0 and [3, 1] at −1.
 * @throws ShapeError for an axis outside [−n − 1, n] of a tensor of n axes
 * @pytorch torch.unsqueeze
 * @tensorflow tf.expand_dims
 * @numpy np.expand_dims
 */
export function expandDims(x: TensorLike, axis: number, ...surplus: []): Tensor {
  refuseSurplus('expandDims', 2, surplus)
  return withAxis('expandDims', x, axis)
}

function withAxis(op: string, x: TensorLike, axis: number): Tensor {
  const node = toNode(op, x)
  const { shape } = node
  const at = normalizeAxis(op, axis, shape.length + 1)
  return wrap(reshapeNode(node, checkShape(op, [...shape.slice(0, at), 1, ...shape.slice(at)]), op))
}

/**
 * A new axis of extent 1 before `axis`: PyTorch's name of `expandDims`.
 * @throws ShapeError as expandDims
 * @pytorch torch.unsqueeze
 * @tensorflow tf.expand_dims
 */
export const unsqueeze = (x: TensorLike, axis: number, ...surplus: []): Tensor => {
  refuseSurplus('unsqueeze', 2, surplus)
  return withAxis('unsqueeze', x, axis)
}

/**
 * Repeated along new leading axes and axes of extent 1, as numpy's rules allow. Extents come in a list, or one by one.
 * @throws ShapeError for a shape that x does not broadcast to
 * @pytorch torch.broadcast_to
 * @tensorflow tf.broadcast_to
 * @numpy np.broadcast_to
 */
export function broadcastTo(x: TensorLike, ...shape: ShapeArguments): Tensor {
  return wrap(broadcastNode(toNode('broadcastTo', x), checkShape('broadcastTo', shapeOf('broadcastTo', shape))))
}

/** Reading and writing by index. */
import * as along from '../graph/ops/along-axis.ts'
import { type Tensor, type TensorLike, toNode, wrap } from '../tensor.ts'

/**
 * Elements of x along an axis: y[…, i, …] = x[…, indices[…, i, …], …]. Indices have as many axes as x, and the axes
 * other than `axis` broadcast; y has the shape of the indices. PyTorch calls it gather.
 *
 * @example
 * takeAlongAxis([[10, 30, 20], [5, 4, 6]], [[1, 2, 0], [2, 0, 1]], 1)   // [[30, 20, 10], [6, 5, 4]]
 *
 * @throws ShapeError where the axes do not fit, DTypeError for indices that are no integers; RangeError for an index
 * outside [0, x.shape[axis]) when evaluated.
 */
export function takeAlongAxis(x: TensorLike, indices: TensorLike, axis: number): Tensor {
  return wrap(along.takeAlongAxis(toNode(x), toNode(indices, 'int32'), axis))
}

/**
 * x with the elements at `indices` along an axis replaced by `values`: y[…, indices[…, i, …], …] = values[…, i, …]. The
 * indices have as many axes as x, and broadcast to it on the axes other than `axis`; the values broadcast to the indices.
 * Where indices repeat, the last of the values stays, and it alone has a gradient.
 * @throws as takeAlongAxis, and DTypeError for values of another dtype than x.
 */
export function putAlongAxis(x: TensorLike, indices: TensorLike, values: TensorLike, axis: number): Tensor {
  return wrap(along.putAlongAxis(toNode(x), toNode(indices, 'int32'), toNode(values), axis))
}

/**
 * x with `updates` added to the elements at `indices` along an axis: y[…, indices[…, i, …], …] += updates[…, i, …].
 * Repeated indices add up, in ascending order of i. Shapes are as in putAlongAxis. PyTorch calls it scatter_add.
 * @throws as putAlongAxis, and DTypeError where x is bool or uint8.
 */
export function scatterAddAlongAxis(x: TensorLike, indices: TensorLike, updates: TensorLike, axis: number): Tensor {
  return wrap(along.scatterAddAlongAxis(toNode(x), toNode(indices, 'int32'), toNode(updates), axis))
}

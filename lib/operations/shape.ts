/** Operations that only change a shape. */
import { expected, ShapeError } from '../base/errors.ts'
import { formatShape, normalizeAxes, normalizeAxis, sizeOf } from '../base/shape.ts'
import { reshape } from '../graph/ops/movement.ts'
import { type Tensor, type TensorLike, toNode, wrap } from '../tensor/tensor.ts'

/**
 * Without the axes of extent 1 that `axis` names, or without any: [1, 3, 1] gives [3].
 * @throws ShapeError where a named axis has another extent.
 */
export function squeeze(x: TensorLike, axis?: number | readonly number[]): Tensor {
  const node = toNode(x)
  const named = axis === undefined ? null : normalizeAxes('squeeze', axis, node.shape.length)
  const wrong = named?.find((i) => node.shape[i] !== 1)
  if (wrong !== undefined)
    throw new ShapeError(expected('squeeze', `extent 1 at axis ${wrong}`, formatShape(node.shape)))
  const kept = node.shape.filter((extent, i) => (named === null ? extent !== 1 : !named.includes(i)))
  return wrap(reshape(node, kept))
}

/** A new axis of extent 1 before `axis`, which may be negative: [3] gives [1, 3] at 0 and [3, 1] at −1. */
export function expandDims(x: TensorLike, axis: number): Tensor {
  const node = toNode(x)
  const at = normalizeAxis('expandDims', axis, node.shape.length + 1)
  return wrap(reshape(node, [...node.shape.slice(0, at), 1, ...node.shape.slice(at)]))
}

/** A new axis of extent 1 before `axis`: PyTorch's name of `expandDims`. */
export const unsqueeze = (x: TensorLike, axis: number): Tensor => expandDims(x, axis)

/** All elements in row-major order along one axis: numpy's name of `flatten`. */
export function ravel(x: TensorLike): Tensor {
  const node = toNode(x)
  return wrap(reshape(node, [sizeOf(node.shape)]))
}

/** Tensors beside, above and behind one another, by numpy's rules for those of few axes. */
import { checkList } from '../base/arguments.ts'
import { concat } from '../graph/ops/movement.ts'
import { nodeOf, type Tensor, type TensorLike, toTensor, wrap } from '../tensor/tensor.ts'
import { reshape } from './shape.ts'

/** Without an axis one of extent 1. */
const atLeast1d = (x: Tensor): Tensor => (x.ndim === 0 ? reshape(x, [1]) : x)

/** A vector as a row. */
const atLeast2d = (x: Tensor): Tensor => (x.ndim < 2 ? reshape(x, [1, x.size]) : x)

/** A vector as a row of the plane, a matrix as the plane: with a third axis of extent 1. */
const atLeast3d = (x: Tensor): Tensor => (x.ndim < 3 ? reshape(x, [...atLeast2d(x).shape, 1]) : x)

function joined(op: string, tensors: readonly TensorLike[], form: (x: Tensor) => Tensor, axis: number): Tensor {
  const parts = checkList(op, 'a list of tensors', tensors).map((x) => nodeOf(form(toTensor(op, x))))
  return wrap(concat(parts, parts[0]?.shape.length === 1 ? 0 : axis, op))
}

/**
 * Tensors beside one another: along the second axis, and vectors along their only one. [2, 3] and [2, 1] give [2, 4].
 * @throws ShapeError where there are none, or other extents differ; DTypeError where the dtypes differ
 * @pytorch torch.hstack
 * @tensorflow tf.experimental.numpy.hstack
 * @numpy np.hstack
 */
export const hstack = (tensors: readonly TensorLike[]): Tensor => joined('hstack', tensors, atLeast1d, 1)

/**
 * Tensors one above the other: along the first axis, vectors as rows. [3] and [2, 3] give [3, 3].
 * @throws ShapeError where there are none, or other extents differ; DTypeError where the dtypes differ
 * @pytorch torch.vstack
 * @tensorflow tf.experimental.numpy.vstack
 * @numpy np.vstack
 */
export const vstack = (tensors: readonly TensorLike[]): Tensor => joined('vstack', tensors, atLeast2d, 0)

/**
 * Tensors one behind the other: along the third axis, which matrices and vectors get as [m, n, 1] and [1, n, 1]. Two of
 * [2, 3] give [2, 3, 2].
 * @throws ShapeError where there are none, or other extents differ; DTypeError where the dtypes differ
 * @pytorch torch.dstack
 * @tensorflow tf.experimental.numpy.dstack
 * @numpy np.dstack
 */
export const dstack = (tensors: readonly TensorLike[]): Tensor => joined('dstack', tensors, atLeast3d, 2)

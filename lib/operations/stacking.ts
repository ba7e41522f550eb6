/** Tensors beside, above and behind one another, by numpy's rules for those of few axes. */
import { describe } from '../base/arguments.ts'
import { expected } from '../base/errors.ts'
import { concat } from '../graph/ops/movement.ts'
import { nodeOf, type Tensor, type TensorLike, toTensor, wrap } from '../tensor/tensor.ts'
import { type Operand, severalOf } from './several.ts'
import { reshape } from './shape.ts'

/** Without an axis one of extent 1. */
const atLeast1d = (x: Tensor): Tensor => (x.ndim === 0 ? reshape(x, [1]) : x)

/** A vector as a row. */
const atLeast2d = (x: Tensor): Tensor => (x.ndim < 2 ? reshape(x, [1, x.size]) : x)

/** A vector as a row of the plane, a matrix as the plane: with a third axis of extent 1. */
const atLeast3d = (x: Tensor): Tensor => (x.ndim < 3 ? reshape(x, [...atLeast2d(x).shape, 1]) : x)

/** Tensors in a list, or one by one. */
type Several = [tensors: readonly TensorLike[]] | [first: Operand, second: Operand, ...others: Operand[]]

function joined(op: string, given: readonly unknown[], form: (x: Tensor) => Tensor, axis: number): Tensor {
  const { list, rest } = severalOf(op, given)
  if (rest.length > 0) throw new TypeError(expected(op, 'tensors or a list of them', describe(rest[0])))
  const parts = list.map((x) => nodeOf(form(toTensor(op, x))))
  return wrap(concat(parts, parts[0]?.shape.length === 1 ? 0 : axis, op))
}

/**
 * Tensors beside one another: along the second axis, and vectors along their only one. [2, 3] and [2, 1] give [2, 4].
 * They come in a list, or one by one: `hstack(x, y)`.
 * @throws ShapeError where there are none, or other extents differ; DTypeError where the dtypes differ
 * @pytorch torch.hstack
 * @tensorflow tf.experimental.numpy.hstack
 * @numpy np.hstack
 */
export const hstack = (...tensors: Several): Tensor => joined('hstack', tensors, atLeast1d, 1)

/**
 * Tensors one above the other: along the first axis, vectors as rows. [3] and [2, 3] give [3, 3]. They
 * come in a list, or one by one: `vstack(x, y)`.
 * @throws ShapeError where there are none, or other extents differ; DTypeError where the dtypes differ
 * @pytorch torch.vstack
 * @tensorflow tf.experimental.numpy.vstack
 * @numpy np.vstack
 */
export const vstack = (...tensors: Several): Tensor => joined('vstack', tensors, atLeast2d, 0)

/**
 * Tensors one behind the other: along the third axis, which matrices and vectors get as [m, n, 1] and [1, n, 1]. Two of
 * [2, 3] give [2, 3, 2]. They come in a list, or one by one: `dstack(x, y)`.
 * @throws ShapeError where there are none, or other extents differ; DTypeError where the dtypes differ
 * @pytorch torch.dstack
 * @tensorflow tf.experimental.numpy.dstack
 * @numpy np.dstack
 */
export const dstack = (...tensors: Several): Tensor => joined('dstack', tensors, atLeast3d, 2)

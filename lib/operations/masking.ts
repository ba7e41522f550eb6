/** Elements chosen by booleans. */
import { refuseSurplus } from '../base/arguments.ts'
import { DTypeError, expected, ShapeError } from '../base/errors.ts'
import { broadcastShapes, extentAt, formatShape, type Shape, sameShape } from '../base/shape.ts'
import { broadcastTo } from '../graph/ops/broadcast.ts'
import { data } from '../graph/ops/leaf.ts'
import { type Tensor, type TensorLike, toNode, toTensor, wrap } from '../tensor/tensor.ts'
import { where } from './comparison.ts'
import { gather } from './indexing.ts'
import { reshape } from './shape.ts'

/**
 * x with `value` where the mask, which broadcasts to x, is true. A number takes the dtype of x unless that would round it.
 * @throws DTypeError for a mask that is not bool; ShapeError for one, or a value, that does not broadcast to x
 * @pytorch torch.masked_fill
 */
export function maskedFill(x: TensorLike, mask: TensorLike, value: TensorLike, ...surplus: []): Tensor {
  refuseSurplus('maskedFill', 3, surplus)
  const t = toTensor('maskedFill', x)
  const masked = broadcastTo(toNode('maskedFill', mask), t.shape, 'maskedFill')
  if (masked.dtype !== 'bool') throw new DTypeError(expected('maskedFill', 'a bool mask', masked.dtype))
  const filling = toTensor('maskedFill', value)
  broadcastShapes('maskedFill', t.shape, filling.shape)
  return where(wrap(masked), filling, t)
}

/** The mask, whose shape is that of the first axes of x. */
function maskOf(op: string, x: Tensor, mask: TensorLike): Tensor {
  const node = toNode(op, mask)
  if (node.dtype !== 'bool') throw new DTypeError(expected(op, 'a bool mask', node.dtype))
  if (!sameShape(node.shape, x.shape.slice(0, node.shape.length)))
    throw new ShapeError(expected(op, `a mask of the first axes of ${formatShape(x.shape)}`, formatShape(node.shape)))
  return wrap(node)
}

/** The positions at which an array is not 0. */
function positionsOf(values: ArrayLike<number>): Int32Array<ArrayBuffer> {
  const positions: number[] = []
  for (let i = 0; i < values.length; i++) if (values[i] !== 0) positions.push(i)
  return Int32Array.from(positions)
}

function chosen(x: Tensor, mask: Tensor, values: ArrayLike<number>): Tensor {
  const positions = positionsOf(values)
  const rest = x.shape.slice(mask.ndim)
  const rows = reshape(x, [mask.size, ...rest])
  return gather(rows, wrap(data(positions, 'int32', [positions.length])))
}

/** Of a variable, what it holds now. */
const snapshotOf = (op: string, x: TensorLike): Tensor => wrap(toNode(op, x))

/**
 * The elements of x where the mask is true, in their order: [count, …] of x[m, …] and mask[m]; the mask may be of more of
 * the first axes. How many there are is in the data, so the mask is evaluated at once; x is not, and has its gradient.
 * @throws DTypeError for a mask that is not bool; ShapeError unless its shape begins that of x; TypeError inside compile
 * @pytorch torch.masked_select
 * @tensorflow tf.boolean_mask
 */
export async function booleanMask(x: TensorLike, mask: TensorLike, ...surplus: []): Promise<Tensor> {
  refuseSurplus('booleanMask', 2, surplus)
  const tensor = snapshotOf('booleanMask', x)
  const chooser = maskOf('booleanMask', tensor, mask)
  return chosen(tensor, chooser, await chooser.data())
}

/**
 * `booleanMask`, here and now.
 * @throws DTypeError, ShapeError, TypeError as booleanMask
 * @pytorch torch.masked_select
 * @tensorflow tf.boolean_mask
 */
export function booleanMaskSync(x: TensorLike, mask: TensorLike, ...surplus: []): Tensor {
  refuseSurplus('booleanMaskSync', 2, surplus)
  const tensor = snapshotOf('booleanMaskSync', x)
  const chooser = maskOf('booleanMaskSync', tensor, mask)
  return chosen(tensor, chooser, chooser.dataSync())
}

/** The indices of positions in a shape: int32 [count, axes]. */
function indicesOf(positions: Int32Array, shape: Shape): Tensor {
  const indices = new Int32Array(positions.length * shape.length)
  positions.forEach((position, row) => {
    let rest = position
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const extent = extentAt(shape, axis)
      indices[row * shape.length + axis] = rest % extent
      rest = Math.floor(rest / extent)
    }
  })
  return wrap(data(indices, 'int32', [positions.length, shape.length]))
}

/**
 * The indices of the elements that are not 0 (NaN is not), in row-major order: int32 [count, axes]. x is evaluated at once.
 * @throws TypeError inside compile
 * @pytorch torch.nonzero
 * @tensorflow tf.where
 * @numpy np.nonzero
 */
export async function nonzero(x: TensorLike, ...surplus: []): Promise<Tensor> {
  refuseSurplus('nonzero', 1, surplus)
  const tensor = snapshotOf('nonzero', x)
  return indicesOf(positionsOf(await tensor.data()), tensor.shape)
}

/**
 * `nonzero`, here and now.
 * @throws TypeError inside compile
 * @pytorch torch.nonzero
 * @tensorflow tf.where
 */
export function nonzeroSync(x: TensorLike, ...surplus: []): Tensor {
  refuseSurplus('nonzeroSync', 1, surplus)
  const tensor = snapshotOf('nonzeroSync', x)
  return indicesOf(positionsOf(tensor.dataSync()), tensor.shape)
}

/** Parts of a tensor changed by index: added to, filled, and written at positions of several axes. */
import { checkFinite, checkList, refuseSurplus } from '../base/arguments.ts'
import { expected, ShapeError } from '../base/errors.ts'
import { checkOptions, type OptionTypes } from '../base/options.ts'
import { denseStrides, extentAt, formatShape, normalizeAxis, type Shape, sizeOf } from '../base/shape.ts'
import { putAlongAxis } from '../graph/ops/along-axis.ts'
import { broadcastTo } from '../graph/ops/broadcast.ts'
import { checkIndices, scatterAdd } from '../graph/ops/indexing.ts'
import { data, elementLiteral } from '../graph/ops/leaf.ts'
import { nodeOf, type Tensor, type TensorLike, toIntegers, toNode, toTensor, wrap } from '../tensor/tensor.ts'
import { add, mul } from './arithmetic.ts'
import { gather } from './indexing.ts'
import { broadcastArrays } from './joining.ts'
import { moveAxis } from './rearrange.ts'
import { scatterRows } from './scatter-rows.ts'
import { reshape } from './shape.ts'

export interface IndexAddOptions {
  /** What the updates are multiplied by; 1 unless given. */
  alpha?: number
}

export interface IndexPutOptions {
  /** Whether values are added to what is there, also where a position occurs twice; false unless given. */
  accumulate?: boolean
}

const indexAddOptions: OptionTypes<IndexAddOptions> = { alpha: 'number' }
const indexPutOptions: OptionTypes<IndexPutOptions> = { accumulate: 'boolean' }

const isWeak = (x: TensorLike): x is number => typeof x === 'number'

/** Values of the dtype of x where they are a number, which broadcast to a shape. */
const valuesFor = (op: string, x: Tensor, values: TensorLike, shape: Shape): Tensor =>
  wrap(broadcastTo(isWeak(values) ? elementLiteral(op, values, x.dtype) : toNode(op, values), shape, op))

/** Indices along one axis: a list of them, or one. */
function listOfIndices(op: string, indices: TensorLike): Tensor {
  const list = wrap(checkIndices(op, toIntegers(op, indices)))
  if (list.ndim > 1) throw new ShapeError(expected(op, 'a list of indices', formatShape(list.shape)))
  return reshape(list, [list.size])
}

/**
 * x with updates added to its parts at some indices of an axis, the first one unless given: alpha · updates[…, i, …] to
 * x[…, indices[i], …]. Repeated indices add up, in ascending order of i. Updates broadcast to the shape of x with as many
 * elements along the axis as there are indices.
 *
 * @example
 * indexAdd(zeros([3]), [0, 2, 0], [1, 2, 3])   // [4, 0, 2]
 *
 * @throws ShapeError for an axis that is none, indices of more than one axis, or updates that do not broadcast; DTypeError for
 * an x of bool or uint8, updates of another dtype, or indices that are no integers; RangeError when evaluated, for an index
 * outside [0, x.shape[axis])
 * @pytorch torch.index_add
 * @tensorflow tf.tensor_scatter_nd_add
 * @numpy np.add.at
 */
export function indexAdd(
  x: TensorLike,
  indices: TensorLike,
  updates: TensorLike,
  axis = 0,
  options?: IndexAddOptions,
): Tensor {
  const { alpha = 1 } = checkOptions('indexAdd', options, indexAddOptions)
  const t = toTensor('indexAdd', x)
  const along = normalizeAxis('indexAdd', axis, t.ndim)
  const list = listOfIndices('indexAdd', indices)
  const added = valuesFor('indexAdd', t, updates, t.shape.with(along, list.size))
  const scaled = alpha === 1 ? added : mul(added, checkFinite('indexAdd', 'alpha', alpha))
  const [rows, terms] = [moveAxis(t, along, 0), moveAxis(scaled, along, 0)]
  return moveAxis(wrap(scatterAdd(nodeOf(rows), nodeOf(list), nodeOf(terms), 'indexAdd')), 0, along)
}

/**
 * x with one value in its parts at some indices of an axis, the first one unless given: x[…, indices[i], …] = value.
 *
 * @param value a number, or a tensor of one element and the dtype of x, which gets a gradient
 * @throws ShapeError for an axis that is none, indices of more than one axis, or a value of more than one element; DTypeError for
 * a value of another dtype, or indices that are no integers; RangeError when evaluated, for an index outside
 * [0, x.shape[axis])
 * @example indexFill([[1, 2], [3, 4]], [1], 0, 1) // [[1, 0], [3, 0]]
 * @pytorch torch.index_fill
 */
export function indexFill(x: TensorLike, indices: TensorLike, value: TensorLike, axis = 0, ...surplus: []): Tensor {
  refuseSurplus('indexFill', 4, surplus)
  const t = toTensor('indexFill', x)
  const along = normalizeAxis('indexFill', axis, t.ndim)
  const list = listOfIndices('indexFill', indices)
  const filling = isWeak(value) ? wrap(elementLiteral('indexFill', value, t.dtype)) : toTensor('indexFill', value)
  if (filling.ndim > 0) throw new ShapeError(expected('indexFill', 'one value', formatShape(filling.shape)))
  const places = reshape(
    list,
    t.shape.map((_, i) => (i === along ? list.size : 1)),
  )
  return wrap(putAlongAxis(nodeOf(t), nodeOf(places), nodeOf(filling), along, 'indexFill'))
}

/** The distance of neighbours along an axis times each of its places: reading it multiplies indices, and checks them. */
function offsetsAlong(extent: number, stride: number): Tensor {
  const offsets = Int32Array.from({ length: extent }, (_, i) => i * stride)
  return wrap(data(offsets, 'int32', [extent]))
}

/**
 * x with values at positions that have an index for each of the first axes: x[indices[0][i], indices[1][i], …] = values[i].
 * The lists of indices broadcast to one shape, and the values to that shape and the other axes of x.
 * Where a position occurs twice, the last of its values stays, and it alone has a gradient; with `accumulate` they add up.
 *
 * @param indices one tensor of integers for each of the first axes of x
 *
 * @example
 * indexPut(zeros([2, 3]), [[0, 1], [2, 0]], [5, 6])   // [[0, 0, 5], [6, 0, 0]]
 *
 * @throws TypeError for indices that are no list; ShapeError for none or more than there are axes, or what does not broadcast;
 * DTypeError for values of another dtype, or indices that are no integers; RangeError when evaluated, for an index outside
 * its axis
 * @pytorch torch.index_put
 * @tensorflow tf.tensor_scatter_nd_update
 */
export function indexPut(
  x: TensorLike,
  indices: readonly TensorLike[],
  values: TensorLike,
  options?: IndexPutOptions,
): Tensor {
  const { accumulate = false } = checkOptions('indexPut', options, indexPutOptions)
  const t = toTensor('indexPut', x)
  checkList('indexPut', 'a list of indices for each axis', indices)
  if (indices.length === 0 || indices.length > t.ndim)
    throw new ShapeError(expected('indexPut', `indices of one to ${t.ndim} axes`, indices.length))
  const named = t.shape.slice(0, indices.length)
  const strides = denseStrides(named)
  const offsets = broadcastArrays(
    ...Array.from(indices, (list, axis) => {
      const places = wrap(checkIndices('indexPut', toIntegers('indexPut', list)))
      return gather(offsetsAlong(extentAt(named, axis), extentAt(strides, axis)), places)
    }),
  )
  const at = offsets.reduce(add)
  const rest = t.shape.slice(indices.length)
  const written = valuesFor('indexPut', t, values, [...at.shape, ...rest])
  const rows = reshape(t, [sizeOf(named), ...rest])
  const result = accumulate
    ? wrap(scatterAdd(nodeOf(rows), nodeOf(at), nodeOf(written), 'indexPut'))
    : scatterRows('indexPut', rows, at, written)
  return reshape(result, t.shape)
}

/** Reading and writing by index. */
import { checkInteger, refuseSurplus } from '../base/arguments.ts'
import { expected, ShapeError } from '../base/errors.ts'
import { checkOptions, type DTypeOption, dtypeOption, type OptionTypes } from '../base/options.ts'
import { extentAt, normalizeAxis, sizeOf } from '../base/shape.ts'
import { type SliceBounds, type SliceOptions, sliceRanges } from '../base/slice-bounds.ts'
import type { Node } from '../graph/node.ts'
import * as alongAxis from '../graph/ops/along-axis.ts'
import * as ops from '../graph/ops/indexing.ts'
import { sliceAt } from '../graph/ops/movement.ts'
import { nodeOf, type Tensor, type TensorLike, toIntegers, toNode, toTensor, wrap } from '../tensor/tensor.ts'
import { scatterRows } from './scatter-rows.ts'
import { flatten, reshape } from './shape.ts'

const sliceOptions: OptionTypes<SliceOptions> = { step: 'other' }

/**
 * Elements start, start + step, … before end of each axis. Arrays speak of the first axes, the other ones are whole;
 * negative bounds count from the end and bounds beyond it are clamped, as in numpy. A negative step goes backwards,
 * and null is a bound that is not given: x.slice(null, null, { step: -1 }) is x from its last row to its first.
 * @throws ShapeError for more bounds than axes, bounds that are no integers, or a step of 0
 * @pytorch Tensor.__getitem__
 * @tensorflow tf.strided_slice
 */
export function slice(x: TensorLike, start: SliceBounds, end?: SliceBounds, options?: SliceOptions): Tensor {
  const { step = 1 } = checkOptions('slice', options, sliceOptions)
  const node = toNode('slice', x)
  const { starts, sizes, steps } = sliceRanges(node.shape, start, end, step)
  return wrap(sliceAt(node, starts, sizes, steps))
}

/**
 * Rows x[indices]: [n, …] and indices[k…] give [k…, …].
 * @throws ShapeError for a scalar x; DTypeError for indices that are no integers; RangeError when evaluated, for an index
 * outside [0, n)
 * @example gather([[1, 2], [3, 4]], [1, 1]) // [[3, 4], [3, 4]]
 * @pytorch torch.index_select
 * @tensorflow tf.gather
 */
export function gather(x: TensorLike, indices: TensorLike, ...surplus: []): Tensor {
  refuseSurplus('gather', 2, surplus)
  return wrap(ops.gather(toNode('gather', x), toIntegers('gather', indices)))
}

/**
 * x with updates[i…] added to row indices[i…]; repeated indices add up, in ascending order of i.
 * @throws ShapeError for a scalar x, or updates that are not [indices…, …]; DTypeError for an x of bool or uint8, updates of
 * another dtype, or indices that are no integers; RangeError when evaluated, for an index outside [0, n)
 * @pytorch torch.index_add
 * @tensorflow tf.tensor_scatter_nd_add
 */
export function scatterAdd(x: TensorLike, indices: TensorLike, updates: TensorLike, ...surplus: []): Tensor {
  refuseSurplus('scatterAdd', 3, surplus)
  return wrap(ops.scatterAdd(toNode('scatterAdd', x), toIntegers('scatterAdd', indices), toNode('scatterAdd', updates)))
}

/**
 * Rows of `depth` elements with a 1 at the class, of integers[…]: [… , depth]. float32 unless `dtype` says else; a class
 * outside [0, depth) has a row of zeros.
 * @throws ShapeError for a depth that is no positive integer; DTypeError for classes that are no integers, or what is no dtype
 * @pytorch F.one_hot
 * @tensorflow tf.one_hot
 */
export function oneHot(classes: TensorLike, depth: number, options?: DTypeOption): Tensor {
  const { dtype = 'float32' } = checkOptions('oneHot', options, dtypeOption)
  return wrap(ops.oneHot(toIntegers('oneHot', classes), depth, dtype))
}

/**
 * The elements of x at some positions of an axis, in the order of the indices: of x[a, n, b] and indices[k…] along axis 1
 * [a, k…, b]. Without an axis x is flattened. Along axis 0 it is `gather`.
 *
 * @example
 * take([[1, 2, 3], [4, 5, 6]], [2, 0], 1)   // [[3, 1], [6, 4]]
 *
 * @throws ShapeError for an axis that is none; DTypeError for indices that are no integers; RangeError when evaluated, for an
 * index outside [0, x.shape[axis]), which counts its position among the indices of all elements
 * @pytorch torch.index_select
 * @tensorflow tf.gather
 * @numpy np.take
 */
export function take(x: TensorLike, indices: TensorLike, axis?: number, ...surplus: []): Tensor {
  refuseSurplus('take', 3, surplus)
  const t = axis === undefined ? flatten(toTensor('take', x)) : toTensor('take', x)
  const at = wrap(ops.checkIndices('take', toIntegers('take', indices)))
  const along = normalizeAxis('take', axis === undefined ? 0 : axis, t.ndim)
  if (along === 0) return gather(t, at)
  const [before, after] = [t.shape.slice(0, along), t.shape.slice(along + 1)]
  const columns = reshape(t, [sizeOf(before), extentAt(t.shape, along), sizeOf(after)])
  const taken = takeAlongAxis(columns, reshape(at, [1, at.size, 1]), 1)
  return reshape(taken, [...before, ...at.shape, ...after])
}

/**
 * x[n, …] with row indices[i…] replaced by updates[i…]; where indices repeat, the last of the updates stays, and it alone
 * has a gradient. `scatterAdd` adds them up.
 * @throws ShapeError for a scalar x, or updates that are not [indices…, …]; DTypeError for updates of another dtype, or
 * indices that are no integers; RangeError when evaluated, for an index outside [0, n)
 * @pytorch torch.scatter
 * @tensorflow tf.tensor_scatter_nd_update
 */
export function scatter(x: TensorLike, indices: TensorLike, updates: TensorLike, ...surplus: []): Tensor {
  refuseSurplus('scatter', 3, surplus)
  return scatterRows(
    'scatter',
    toTensor('scatter', x),
    wrap(toIntegers('scatter', indices)),
    toTensor('scatter', updates),
  )
}

/**
 * Element `index` of an axis, without it: of x[2, 3, 4] along axis 1 [2, 4]. Negative indices count from the end.
 * @throws ShapeError for an axis that is none; RangeError for an index outside the axis
 * @pytorch torch.select
 */
export function select(x: TensorLike, axis: number, index: number, ...surplus: []): Tensor {
  refuseSurplus('select', 3, surplus)
  return selectOf('select', toNode('select', x), axis, index)
}

function selectOf(op: string, node: Node, axis: number, index: number): Tensor {
  const along = normalizeAxis(op, axis, node.shape.length)
  const extent = extentAt(node.shape, along)
  checkInteger(op, `an index in [${-extent}, ${extent}) of axis ${along}`, index, -extent, extent - 1)
  const starts = node.shape.map((_, i) => (i === along ? (index + extent) % extent : 0))
  const sizes = node.shape.map((other, i) => (i === along ? 1 : other))
  const others = node.shape.filter((_, i) => i !== along)
  return reshape(wrap(sliceAt(node, starts, sizes)), others)
}

/**
 * The element, or the part, at an index of each of the first axes: of x[2, 3, 4] x.at(1) is [3, 4], x.at(1, -1) is [4].
 * @throws ShapeError for more indices than axes; RangeError for an index outside its axis
 * @pytorch Tensor.__getitem__
 * @tensorflow Tensor.__getitem__
 */
export function at(x: TensorLike, ...index: number[]): Tensor {
  const node = toNode('at', x)
  if (index.length > node.shape.length)
    throw new ShapeError(expected('at', `at most ${node.shape.length} indices`, index.length))
  return index.reduce((part, i) => selectOf('at', nodeOf(part), 0, i), wrap(node))
}

/**
 * Elements of x along an axis: y[…, i, …] = x[…, indices[…, i, …], …]. Indices have as many axes as x, and the axes
 * other than `axis` broadcast; y has the shape of the indices. PyTorch calls it gather.
 *
 * @example
 * takeAlongAxis([[10, 30, 20], [5, 4, 6]], [[1, 2, 0], [2, 0, 1]], 1)   // [[30, 20, 10], [6, 5, 4]]
 *
 * @throws ShapeError where the axes do not fit; DTypeError for indices that are no integers; RangeError when evaluated, for
 * an index outside [0, x.shape[axis])
 * @pytorch torch.gather
 * @tensorflow tf.gather
 * @numpy np.take_along_axis
 */
export function takeAlongAxis(x: TensorLike, indices: TensorLike, axis: number, ...surplus: []): Tensor {
  refuseSurplus('takeAlongAxis', 3, surplus)
  return wrap(alongAxis.takeAlongAxis(toNode('takeAlongAxis', x), toIntegers('takeAlongAxis', indices), axis))
}

/**
 * x with the elements at `indices` along an axis replaced by `values`: y[…, indices[…, i, …], …] = values[…, i, …]. The
 * indices have as many axes as x, and broadcast to it on the axes other than `axis`; the values broadcast to the indices.
 * Where indices repeat, the last of the values stays, and it alone has a gradient.
 * @throws ShapeError, DTypeError, RangeError as takeAlongAxis, and DTypeError for values of another dtype than x
 * @pytorch torch.scatter
 * @tensorflow tf.tensor_scatter_nd_update
 * @numpy np.put_along_axis
 */
export function putAlongAxis(
  x: TensorLike,
  indices: TensorLike,
  values: TensorLike,
  axis: number,
  ...surplus: []
): Tensor {
  refuseSurplus('putAlongAxis', 4, surplus)
  return wrap(
    alongAxis.putAlongAxis(
      toNode('putAlongAxis', x),
      toIntegers('putAlongAxis', indices),
      toNode('putAlongAxis', values),
      axis,
    ),
  )
}

/**
 * x with `updates` added to the elements at `indices` along an axis: y[…, indices[…, i, …], …] += updates[…, i, …].
 * Repeated indices add up, in ascending order of i. Shapes are as in putAlongAxis. PyTorch calls it scatter_add.
 * @throws ShapeError, DTypeError, RangeError as putAlongAxis, and DTypeError where x is bool or uint8
 * @pytorch torch.scatter_add
 * @tensorflow tf.tensor_scatter_nd_add
 */
export function scatterAddAlongAxis(
  x: TensorLike,
  indices: TensorLike,
  updates: TensorLike,
  axis: number,
  ...surplus: []
): Tensor {
  refuseSurplus('scatterAddAlongAxis', 4, surplus)
  return wrap(
    alongAxis.scatterAddAlongAxis(
      toNode('scatterAddAlongAxis', x),
      toIntegers('scatterAddAlongAxis', indices),
      toNode('scatterAddAlongAxis', updates),
      axis,
    ),
  )
}

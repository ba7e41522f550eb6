/** Axes in another order, elements in another order, and elements more than once. */

import { checkList, checkNumbers, refuseSurplus, spreadNumbers } from '../base/arguments.ts'
import { allocateChecked } from '../base/arrays.ts'
import { expected, ShapeError } from '../base/errors.ts'
import { elementAt } from '../base/lists.ts'
import { formatOption } from '../base/pair.ts'
import { checkShape, extentAt, formatShape, normalizeAxes, normalizeAxis, type Shape, sizeOf } from '../base/shape.ts'
import type { Node } from '../graph/node.ts'
import { broadcastTo, reshape } from '../graph/ops/broadcast.ts'
import { gather } from '../graph/ops/indexing.ts'
import { data } from '../graph/ops/leaf.ts'
import { concat, permute as permuteNode, sliceAlong, sliceAt } from '../graph/ops/movement.ts'
import { type Tensor, type TensorLike, toNode, wrap } from '../tensor/tensor.ts'

/**
 * Axis i of the result is axis `axes[i]` of x: [2, 3, 4] gives [4, 2, 3] by [2, 0, 1].
 * The axes come in a list, or one by one: `permute(x, 2, 0, 1)`.
 * @throws ShapeError unless `axes` names every axis once
 * @pytorch torch.permute
 * @tensorflow tf.transpose
 * @numpy np.transpose
 */
export function permute(x: TensorLike, ...axes: [axes: readonly number[]] | number[]): Tensor {
  return wrap(permuteNode(toNode('permute', x), spreadNumbers('permute', 'a list of axes', axes)))
}

/**
 * Axis i of the result is axis `axes[i]` of x; without axes, their order is reversed. Two numbers exchange two axes, as in
 * PyTorch.
 *
 * @example
 * transpose(x)              // [2, 3, 4] gives [4, 3, 2]
 * transpose(x, [1, 2, 0])   // [3, 4, 2]
 * transpose(x, 0, 1)        // [3, 2, 4]
 *
 * @throws ShapeError unless a list names every axis once, or for an axis that is none
 * @pytorch torch.permute
 * @tensorflow tf.transpose
 * @numpy np.transpose
 */
export function transpose(x: TensorLike, ...axes: [axes?: readonly number[]] | [axis1: number, axis2: number]): Tensor {
  const node = toNode('transpose', x)
  const [first, second] = axes
  if (axes.length > 2) throw new TypeError(expected('transpose', 'two axes, or a list of all of them', axes))
  if (axes.length === 2) return exchanged('transpose', node, first as number, second as number)
  const order = first === undefined ? node.shape.map((_, i) => node.shape.length - 1 - i) : (first as readonly number[])
  return wrap(permuteNode(node, order, 'transpose'))
}

/**
 * x with two axes exchanged: [2, 3, 4] gives [4, 3, 2] for 0 and −1.
 * @throws ShapeError for an axis that is none
 * @pytorch torch.swapaxes
 * @tensorflow tf.experimental.numpy.swapaxes
 * @numpy np.swapaxes
 */
export function swapAxes(x: TensorLike, axis1: number, axis2: number, ...surplus: []): Tensor {
  refuseSurplus('swapAxes', 3, surplus)
  return exchanged('swapAxes', toNode('swapAxes', x), axis1, axis2)
}

function exchanged(op: string, node: Node, axis1: number, axis2: number): Tensor {
  const [a, b] = [axis1, axis2].map((axis) => normalizeAxis(op, axis, node.shape.length)) as [number, number]
  const order = node.shape.map((_, axis) => axis)
  order[a] = b
  order[b] = a
  return wrap(permuteNode(node, order))
}

const listOf = (op: string, x: number | readonly number[]): readonly number[] =>
  typeof x === 'number' ? [x] : checkList(op, 'a number or a list of them', x)

/**
 * x with axes moved to other places, the other axes staying in their order: [2, 3, 4] gives [3, 4, 2] from 0 to −1.
 * @throws ShapeError where an axis is none or named twice, or there are more of one than of the other
 * @pytorch torch.movedim
 * @tensorflow tf.experimental.numpy.moveaxis
 * @numpy np.moveaxis
 */
export function moveAxis(
  x: TensorLike,
  source: number | readonly number[],
  destination: number | readonly number[],
  ...surplus: []
): Tensor {
  refuseSurplus('moveAxis', 3, surplus)
  const node = toNode('moveAxis', x)
  const rank = node.shape.length
  const from = listOf('moveAxis', source).map((axis) => normalizeAxis('moveAxis', axis, rank))
  const to = listOf('moveAxis', destination).map((axis) => normalizeAxis('moveAxis', axis, rank))
  if (from.length !== to.length || new Set(from).size !== from.length || new Set(to).size !== to.length)
    throw new ShapeError(
      expected('moveAxis', 'as many distinct sources as destinations', `${formatShape(from)} to ${formatShape(to)}`),
    )
  const others = node.shape.map((_, axis) => axis).filter((axis) => !from.includes(axis))
  const order = node.shape.map((_, axis) => (to.includes(axis) ? elementAt(from, to.indexOf(axis)) : others.shift()!))
  return wrap(permuteNode(node, order))
}

/**
 * x with its elements in reverse order along some axes, all of them unless given.
 * @throws ShapeError for axes that are none, or named twice
 * @pytorch torch.flip
 * @tensorflow tf.reverse
 * @numpy np.flip
 */
export function flip(x: TensorLike, axis?: number | readonly number[] | null, ...surplus: []): Tensor {
  refuseSurplus('flip', 2, surplus)
  const node = toNode('flip', x)
  const axes = normalizeAxes('flip', axis, node.shape.length)
  const isTurned = (i: number, extent: number) => axes.includes(i) && extent > 0
  const starts = node.shape.map((extent, i) => (isTurned(i, extent) ? extent - 1 : 0))
  const steps = node.shape.map((extent, i) => (isTurned(i, extent) ? -1 : 1))
  return wrap(sliceAt(node, starts, node.shape, steps))
}

function rollAxis(x: Node, shift: number, axis: number): Node {
  const extent = extentAt(x.shape, axis)
  const start = extent === 0 ? 0 : ((shift % extent) + extent) % extent
  if (start === 0) return x
  return concat([sliceAlong(x, axis, extent - start, start), sliceAlong(x, axis, 0, extent - start)], axis)
}

/**
 * x shifted along an axis, what leaves it at one end coming back at the other: y[i + shift] = x[i]. Several shifts go
 * with as many axes; without an axis the elements are shifted as one row.
 *
 * @example
 * roll([1, 2, 3, 4], 1)   // [4, 1, 2, 3]
 *
 * @throws ShapeError unless there are as many shifts as axes; RangeError for a shift that is no integer
 * @pytorch torch.roll
 * @tensorflow tf.roll
 * @numpy np.roll
 */
export function roll(
  x: TensorLike,
  shift: number | readonly number[],
  axis?: number | readonly number[],
  ...surplus: []
): Tensor {
  refuseSurplus('roll', 3, surplus)
  const node = toNode('roll', x)
  const shifts = checkNumbers('roll', 'shifts that are integers', listOf('roll', shift), Number.isInteger)
  if (axis === undefined) {
    if (shifts.length !== 1) throw new ShapeError(expected('roll', 'one shift without an axis', shifts.length))
    return wrap(reshape(rollAxis(reshape(node, [sizeOf(node.shape)]), elementAt(shifts, 0), 0), node.shape))
  }
  const axes = listOf('roll', axis).map((i) => normalizeAxis('roll', i, node.shape.length))
  if (axes.length !== shifts.length)
    throw new ShapeError(expected('roll', 'as many shifts as axes', `${shifts.length} and ${axes.length}`))
  return wrap(axes.reduce((rolled, along, i) => rollAxis(rolled, elementAt(shifts, i), along), node))
}

/**
 * x turned by so many quarters in the plane of two axes, from the first of them towards the second; the first two axes
 * unless given. Negative quarters turn back.
 *
 * @example
 * rot90([[1, 2], [3, 4]])   // [[2, 4], [1, 3]]
 *
 * @throws ShapeError for fewer than two axes, or axes that are none or one; RangeError for quarters that are no integer
 * @pytorch torch.rot90
 * @tensorflow tf.experimental.numpy.rot90
 * @numpy np.rot90
 */
export function rot90(
  x: TensorLike,
  quarters = 1,
  axes: readonly [from: number, to: number] = [0, 1],
  ...surplus: []
): Tensor {
  refuseSurplus('rot90', 3, surplus)
  const t = wrap(toNode('rot90', x))
  if (!Number.isInteger(quarters)) throw new RangeError(expected('rot90', 'an integer of quarters', quarters))
  if (!Array.isArray(axes) || axes.length !== 2) throw new ShapeError(expected('rot90', 'two axes', formatOption(axes)))
  const [from, to] = axes.map((axis) => normalizeAxis('rot90', axis, t.ndim)) as [number, number]
  if (from === to) throw new ShapeError(expected('rot90', 'two different axes', formatShape(axes)))
  switch (((quarters % 4) + 4) % 4) {
    case 0:
      return t
    case 1:
      return swapAxes(flip(t, to), from, to)
    case 2:
      return flip(t, [from, to])
    default:
      return flip(swapAxes(t, from, to), to)
  }
}

const checkCount = (op: string, count: number): number => {
  if (!Number.isInteger(count) || count < 0) throw new RangeError(expected(op, 'counts from 0 on', count))
  return count
}

/** Each of the outer parts of x[outer, inner], `count` times after itself. */
function repeatParts(x: Node, outer: number, count: number, shape: Shape): Node {
  const inner = outer === 0 ? 0 : sizeOf(x.shape) / outer
  return reshape(broadcastTo(reshape(x, [outer, 1, inner]), [outer, count, inner]), shape)
}

/**
 * x side by side with itself, `repetitions[i]` times along axis i, as numpy's: with fewer repetitions than axes they
 * speak of the last ones, with more, x gets new leading axes.
 *
 * @example
 * tile([1, 2], 2)        // [1, 2, 1, 2]
 * tile([1, 2], [2, 1])   // [[1, 2], [1, 2]], as does tile([1, 2], 2, 1)
 *
 * @throws RangeError for a repetition that is no integer from 0 on
 * @pytorch torch.tile
 * @tensorflow tf.tile
 * @numpy np.tile
 */
export function tile(x: TensorLike, ...repetitions: [repetitions: readonly number[]] | number[]): Tensor {
  const counts = spreadNumbers('tile', 'a number or a list of them', repetitions).map((count) =>
    checkCount('tile', count),
  )
  const { shape } = toNode('tile', x)
  const rank = Math.max(shape.length, counts.length)
  const padTo = (list: readonly number[]) => [...new Array<number>(rank - list.length).fill(1), ...list]
  let tiled = reshape(toNode('tile', x), padTo(shape))
  padTo(counts).forEach((count, axis) => {
    if (count === 1) return
    const wider = tiled.shape.map((extent, i) => (i === axis ? extent * count : extent))
    tiled = repeatParts(tiled, sizeOf(tiled.shape.slice(0, axis)), count, wider)
  })
  return wrap(tiled)
}

/** Element i of a list as often as the list says, as indices. */
function repeatedIndices(counts: readonly number[]): Node {
  const total = counts.reduce((sum, count) => sum + count, 0)
  const indices = allocateChecked('repeat', 'int32', checkShape('repeat', [total]))
  let end = 0
  counts.forEach((count, i) => {
    indices.fill(i, end, end + count)
    end += count
  })
  return data(indices, 'int32', [total])
}

/**
 * Each element of x, or each part of it along an axis, several times in a row, as numpy's repeat and PyTorch's
 * repeat_interleave; `repetitions` is one count, or one for each element of the axis. Without an axis x is flattened.
 *
 * @example
 * repeat([1, 2, 3], 2)           // [1, 1, 2, 2, 3, 3]
 * repeat([1, 2, 3], [0, 1, 2])   // [2, 3, 3]
 *
 * @throws ShapeError for another number of counts than the axis has elements, or an axis that is none; RangeError for a
 * count that is no integer from 0 on
 * @pytorch torch.repeat_interleave
 * @tensorflow tf.repeat
 * @numpy np.repeat
 */
export function repeat(x: TensorLike, repetitions: number | readonly number[], axis?: number, ...surplus: []): Tensor {
  refuseSurplus('repeat', 3, surplus)
  const given = toNode('repeat', x)
  const node = axis === undefined ? reshape(given, [sizeOf(given.shape)]) : given
  const along = normalizeAxis('repeat', axis === undefined ? 0 : axis, node.shape.length)
  const extent = extentAt(node.shape, along)
  const counts = listOf('repeat', repetitions).map((count) => checkCount('repeat', count))
  if (typeof repetitions === 'number') {
    const shape = node.shape.map((other, i) => (i === along ? other * elementAt(counts, 0) : other))
    return wrap(repeatParts(node, sizeOf(node.shape.slice(0, along + 1)), elementAt(counts, 0), shape))
  }
  if (counts.length !== extent)
    throw new ShapeError(expected('repeat', `${extent} counts, one for each element`, counts.length))
  const order = [along, ...node.shape.map((_, i) => i).filter((i) => i !== along)]
  const repeated = gather(permuteNode(node, order), repeatedIndices(counts))
  return moveAxis(wrap(repeated), 0, along)
}

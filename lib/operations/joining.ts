/** Several tensors made one, one made several, and several of one shape. */

import { checkInteger, checkList, describe, refuseSurplus } from '../base/arguments.ts'
import { expected, ShapeError } from '../base/errors.ts'
import { elementAt } from '../base/lists.ts'
import { checkOptions, type OptionTypes } from '../base/options.ts'
import { formatOption, isCount } from '../base/pair.ts'
import { broadcastShapes, extentAt, formatShape, normalizeAxis, type Shape, sameShape } from '../base/shape.ts'
import type { TupleOf } from '../base/tuple.ts'
import type { Node } from '../graph/node.ts'
import { broadcastTo, reshape } from '../graph/ops/broadcast.ts'
import { concat as concatNodes, sliceAlong } from '../graph/ops/movement.ts'
import { split as splitNode } from '../graph/ops/split.ts'
import { type Tensor, type TensorLike, toNode, wrap } from '../tensor/tensor.ts'
import { type Operand, severalOf } from './several.ts'

/** The parts of a tensor: a tuple where their number, or the list of what they are, is a literal. */
export type Parts<By extends number | readonly number[]> = By extends readonly number[]
  ? { -readonly [K in keyof By]: Tensor }
  : By extends number
    ? TupleOf<Tensor, By>
    : Tensor[]

/** The parts of a tensor that is cut at indices: one more than there are indices. */
export type Cut<By extends number | readonly number[]> = By extends readonly [infer _, ...infer Rest extends number[]]
  ? [Tensor, ...Cut<Rest>]
  : By extends readonly []
    ? [Tensor]
    : Parts<By>

/** The nodes of tensors in a list or one by one, and the axis after a list of them. */
function withAxis(op: string, given: readonly unknown[]): { nodes: Node[]; axis: number } {
  const { list, rest } = severalOf(op, given)
  const axis = rest.length > 0 && rest[0] !== undefined ? (rest[0] as number) : 0
  if (rest.length > 0 && given.length > 2)
    throw new TypeError(expected(op, 'tensors, or a list of them and an axis', describe(rest.at(-1))))
  return { nodes: list.map((x) => toNode(op, x)), axis }
}

/**
 * Tensors one after the other along an axis; they agree in every other extent: [2, 4] and [3, 4] give [5, 4]. Of several
 * dtypes the result has the one that they promote to.
 *
 * @example
 * concat([x, y], 1)
 * concat(x, y)        // along the first axis
 *
 * @throws ShapeError where there are none, other extents differ, or there is no such axis
 * @pytorch torch.cat
 * @tensorflow tf.concat
 * @numpy np.concatenate
 */
export function concat(tensors: readonly TensorLike[], axis?: number): Tensor
export function concat(first: Operand, second: Operand, ...others: Operand[]): Tensor
export function concat(...given: readonly unknown[]): Tensor {
  const { nodes, axis } = withAxis('concat', given)
  return wrap(concatNodes(nodes, axis))
}

/**
 * Tensors of one shape side by side along a new axis: three of [2, 4] give [3, 2, 4] at 0, [2, 4, 3] at −1. Of
 * several dtypes the result has the one that they promote to.
 *
 * @example
 * stack([x, y], -1)
 * stack(x, y)         // along a new first axis
 *
 * @throws ShapeError where the shapes differ or there are none
 * @pytorch torch.stack
 * @tensorflow tf.stack
 * @numpy np.stack
 */
export function stack(tensors: readonly TensorLike[], axis?: number): Tensor
export function stack(first: Operand, second: Operand, ...others: Operand[]): Tensor
export function stack(...given: readonly unknown[]): Tensor {
  const { nodes, axis } = withAxis('stack', given)
  const shape = nodes[0]?.shape
  if (shape === undefined) throw new ShapeError(expected('stack', 'at least one tensor', 'none'))
  const other = nodes.find((node) => !sameShape(node.shape, shape))
  if (other !== undefined)
    throw new ShapeError(expected('stack', `${formatShape(shape)} everywhere`, formatShape(other.shape)))
  const at = normalizeAxis('stack', axis, shape.length + 1)
  const expanded = [...shape.slice(0, at), 1, ...shape.slice(at)]
  return wrap(
    concatNodes(
      nodes.map((node) => reshape(node, expanded)),
      at,
      'stack',
    ),
  )
}

/** Of a tensor there are no more parts than a list of them is of use. */
const mostParts = 2 ** 20

function checkParts(op: string, count: number): void {
  if (count > mostParts) throw new RangeError(expected(op, `at most ${mostParts} parts`, count))
}

/** Of so many parts the gradient is put together at once; of more each is put in its place. */
const mostTogether = 64

/** The parts of x along an axis, of some sizes that add up to its extent. */
function parts(x: Node, sizes: readonly number[], axis: number): Node[] {
  if (sizes.length <= mostTogether) return splitNode(x, sizes, axis)
  let end = 0
  return sizes.map((size) => {
    end += size
    return sliceAlong(x, axis, end - size, size)
  })
}

/**
 * The elements of an axis, each without it: [3, 2] gives three of [2]. The inverse of stack. `unstack<3>(x)` says that they
 * are three, as a tuple.
 * @throws ShapeError for an axis that is none; RangeError for more than 2²⁰ elements
 * @pytorch torch.unbind
 * @tensorflow tf.unstack
 * @numpy np.unstack
 */
export function unstack<N extends number = number>(x: TensorLike, axis = 0, ...surplus: []): TupleOf<Tensor, N> {
  refuseSurplus('unstack', 2, surplus)
  return elementsOf('unstack', x, axis) as TupleOf<Tensor, N>
}

function elementsOf(op: string, x: TensorLike, axis: number): Tensor[] {
  const node = toNode(op, x)
  const along = normalizeAxis(op, axis, node.shape.length)
  const shape = node.shape.filter((_, i) => i !== along)
  checkParts('unstack', extentAt(node.shape, along))
  const ones = new Array<number>(extentAt(node.shape, along)).fill(1)
  return parts(node, ones, along).map((element) => wrap(reshape(element, shape)))
}

/**
 * The elements of an axis, each without it: PyTorch's name of `unstack`.
 * @throws ShapeError for an axis that is none
 * @pytorch torch.unbind
 * @tensorflow tf.unstack
 */
export function unbind<N extends number = number>(x: TensorLike, axis = 0, ...surplus: []): TupleOf<Tensor, N> {
  refuseSurplus('unbind', 2, surplus)
  return elementsOf('unbind', x, axis) as TupleOf<Tensor, N>
}

/**
 * x in parts along an axis: so many of one size, or some of the given sizes. [6, 2] gives three of [2, 2] for 3, and
 * [1, 2] and [5, 2] for [1, 5].
 * @throws ShapeError where the count does not divide the extent, the sizes do not add up to it, or there is no such axis; RangeError for
 * a count above 2²⁰
 * @pytorch torch.split
 * @tensorflow tf.split
 * @numpy np.split
 */
export function split<const By extends number | readonly number[]>(
  x: TensorLike,
  countOrSizes: By,
  axis = 0,
  ...surplus: []
): Parts<By> {
  refuseSurplus('split', 3, surplus)
  const node = toNode('split', x)
  const along = normalizeAxis('split', axis, node.shape.length)
  const extent = extentAt(node.shape, along)
  if (typeof countOrSizes === 'number') {
    if (!Number.isInteger(countOrSizes) || countOrSizes < 1 || extent % countOrSizes !== 0)
      throw new ShapeError(
        expected('split', `a count that divides the ${extent} elements of axis ${along}`, countOrSizes),
      )
    checkParts('split', countOrSizes)
    return parts(node, new Array<number>(countOrSizes).fill(extent / countOrSizes), along).map(wrap) as Parts<By>
  }
  const sizes = checkList('split', 'a count or a list of sizes', countOrSizes)
  if (!sizes.every((size) => isCount(size, 0)) || sizes.reduce((sum, size) => sum + size, 0) !== extent)
    throw new ShapeError(
      expected('split', `sizes that add up to the ${extent} elements of axis ${along}`, formatShape(sizes)),
    )
  return parts(node, sizes, along).map(wrap) as Parts<By>
}

/**
 * x in at most `count` parts along an axis, all of one size but the last, which may be smaller, as PyTorch's: seven
 * elements in three chunks are 3, 3 and 1. Where the axis has fewer elements than `count` there are fewer parts; the type,
 * a tuple for a literal count, does not know.
 * @throws RangeError for a count below 1, or more than 2²⁰ parts; ShapeError for an axis that is none
 * @pytorch torch.chunk
 */
export function chunk<const N extends number>(x: TensorLike, count: N, axis = 0, ...surplus: []): TupleOf<Tensor, N> {
  refuseSurplus('chunk', 3, surplus)
  checkInteger('chunk', 'a positive count', count, 1)
  const node = toNode('chunk', x)
  const along = normalizeAxis('chunk', axis, node.shape.length)
  const extent = extentAt(node.shape, along)
  const size = Math.max(1, Math.ceil(extent / count))
  checkParts('chunk', Math.ceil(extent / size))
  const sizes = Array.from({ length: Math.max(1, Math.ceil(extent / size)) }, (_, i) =>
    Math.min(size, extent - i * size),
  )
  return parts(node, sizes, along).map(wrap) as TupleOf<Tensor, N>
}

/** Where an axis is cut into so many parts, the first ones longer by one where they are not all of a size. */
const evenCuts = (extent: number, count: number): number[] =>
  Array.from({ length: count - 1 }, (_, i) => (i + 1) * Math.floor(extent / count) + Math.min(i + 1, extent % count))

/**
 * x in parts along an axis, as numpy's array_split: so many, of which the first are longer by one where the count does not
 * divide the extent; or cut before the given indices, which count from the end where they are negative and are clamped to
 * the axis.
 *
 * @example
 * tensorSplit([1, 2, 3, 4, 5], 3)        // [1, 2], [3, 4], [5]
 * tensorSplit([1, 2, 3, 4, 5], [1, 3])   // [1], [2, 3], [4, 5]
 *
 * @throws RangeError for a count below 1 or above 2²⁰, or indices that are no integers; ShapeError for an axis that is none
 * @pytorch torch.tensor_split
 * @tensorflow tf.experimental.numpy.array_split
 * @numpy np.array_split
 */
export function tensorSplit<const By extends number | readonly number[]>(
  x: TensorLike,
  countOrIndices: By,
  axis = 0,
  ...surplus: []
): Cut<By> {
  refuseSurplus('tensorSplit', 3, surplus)
  const node = toNode('tensorSplit', x)
  const along = normalizeAxis('tensorSplit', axis, node.shape.length)
  const extent = extentAt(node.shape, along)
  const isNumber = typeof countOrIndices === 'number'
  if (
    !(isNumber
      ? isCount(countOrIndices, 1)
      : Array.isArray(countOrIndices) && Array.from(countOrIndices).every(Number.isInteger))
  )
    throw new RangeError(expected('tensorSplit', 'a positive count or a list of indices', formatOption(countOrIndices)))
  if (isNumber) checkParts('tensorSplit', countOrIndices)
  const inside = (i: number) => (i < 0 ? Math.max(0, i + extent) : Math.min(i, extent))
  const cuts = isNumber ? evenCuts(extent, countOrIndices) : countOrIndices.map(inside)
  const starts = [0, ...cuts]
  return [...cuts, extent].map((end, i) => {
    const start = elementAt(starts, i)
    return wrap(sliceAlong(node, along, start, Math.max(0, end - start)))
  }) as Cut<By>
}

/**
 * Every tensor broadcast to the one shape that numpy's rules give for all of them.
 * @throws ShapeError where the shapes do not broadcast
 * @pytorch torch.broadcast_tensors
 * @tensorflow tf.experimental.numpy.broadcast_arrays
 * @numpy np.broadcast_arrays
 */
export const broadcastArrays = (...tensors: readonly TensorLike[]): Tensor[] => broadcastAll('broadcastArrays', tensors)

function broadcastAll(op: string, tensors: readonly TensorLike[]): Tensor[] {
  const nodes = tensors.map((x) => toNode(op, x))
  const shape = nodes.reduce<Shape>((all, node) => broadcastShapes(op, all, node.shape), [])
  return nodes.map((node) => wrap(broadcastTo(node, shape)))
}

/**
 * Every tensor broadcast to one shape: PyTorch's name of `broadcastArrays`.
 * @throws ShapeError where the shapes do not broadcast
 * @pytorch torch.broadcast_tensors
 * @tensorflow tf.experimental.numpy.broadcast_arrays
 * @numpy np.broadcast_arrays
 */
export const broadcastTensors = (...tensors: readonly TensorLike[]): Tensor[] =>
  broadcastAll('broadcastTensors', tensors)

export interface MeshgridOptions {
  /** 'xy' unless given: the first two axes are exchanged, so that grids are [y, x, …], as in numpy; 'ij' keeps them. */
  indexing?: 'xy' | 'ij'
}

const meshgridOptions: OptionTypes<MeshgridOptions> = { indexing: 'string' }

/**
 * The coordinates of every point of a grid, from those of its axes: vectors of n, m, … give tensors that are all [m, n, …],
 * or [n, m, …] with `indexing: 'ij'`.
 *
 * @example
 * const [x, y] = meshgrid([1, 2, 3], [10, 20])     // or meshgrid([[1, 2, 3], [10, 20]]); x: [[1, 2, 3], [1, 2, 3]], y: [[10, 10, 10], [20, 20, 20]]
 *
 * @throws ShapeError for an operand of more than one axis; TypeError for another `indexing`
 * @pytorch torch.meshgrid
 * @tensorflow tf.meshgrid
 * @numpy np.meshgrid
 */
export function meshgrid(tensors: readonly TensorLike[], options?: MeshgridOptions): Tensor[]
export function meshgrid(first: Operand, second: Operand, ...others: Operand[]): Tensor[]
export function meshgrid(...vectors: [Operand, Operand, ...Operand[], MeshgridOptions]): Tensor[]
export function meshgrid(...given: readonly unknown[]): Tensor[] {
  const { list, rest } = severalOf('meshgrid', given)
  const [options, ...surplus] = rest as [options?: MeshgridOptions, ...surplus: unknown[]]
  const { indexing = 'xy' } = checkOptions('meshgrid', options, meshgridOptions)
  if (surplus.length > 0) throw new TypeError(expected('meshgrid', 'nothing after the options', describe(surplus[0])))
  if (indexing !== 'xy' && indexing !== 'ij')
    throw new TypeError(expected('meshgrid', "indexing 'xy' or 'ij'", indexing))
  const nodes = list.map((x) => toNode('meshgrid', x))
  const wrong = nodes.find(({ shape }) => shape.length > 1)
  if (wrong !== undefined) throw new ShapeError(expected('meshgrid', 'vectors', formatShape(wrong.shape)))
  const places = nodes.map((_, i) => (indexing === 'xy' && i < 2 && nodes.length > 1 ? 1 - i : i))
  const extents = nodes.map(({ shape }) => shape[0] ?? 1)
  const shape = places.map((place) => elementAt(extents, place))
  return nodes.map((node, i) => {
    const own = shape.map((extent, axis) => (axis === places[i] ? extent : 1))
    return wrap(broadcastTo(reshape(node, own), shape))
  })
}

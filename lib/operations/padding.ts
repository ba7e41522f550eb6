/** Elements around a tensor. */

import { elementOf } from '../base/dtype.ts'
import { expected, ShapeError } from '../base/errors.ts'
import { elementAt } from '../base/lists.ts'
import { checkOptions, type OptionTypes } from '../base/options.ts'
import { formatOption, isCount } from '../base/pair.ts'
import { extentAt, formatShape, type Shape } from '../base/shape.ts'
import type { Node } from '../graph/node.ts'
import { broadcastTo } from '../graph/ops/broadcast.ts'
import { literal } from '../graph/ops/leaf.ts'
import { concat, pad as padWithZeros, sliceAt } from '../graph/ops/movement.ts'
import { type Tensor, type TensorLike, toNode, wrap } from '../tensor/tensor.ts'

export type PadMode = 'constant' | 'reflect' | 'edge'

export interface PadOptions {
  /** 'constant' unless given; 'reflect' mirrors x at its first and last elements, 'edge' repeats those. */
  mode?: PadMode
  /** Of 'constant', in the dtype of x: 0 unless given. */
  value?: number
}

const padOptions: OptionTypes<PadOptions> = { mode: ['constant', 'reflect', 'edge'], value: 'number' }

/** Elements before and after x: of all axes one number or pair, or one pair for each axis. */
export type PadWidths = number | readonly [before: number, after: number] | readonly (readonly [number, number])[]

type Pair = readonly [before: number, after: number]

function widthsOf(shape: Shape, widths: PadWidths): Pair[] {
  const isPair = Array.isArray(widths) && widths.length === 2 && widths.every((x) => typeof x === 'number')
  const all: unknown = typeof widths === 'number' ? [widths, widths] : widths
  const pairs: unknown = typeof widths === 'number' || isPair ? shape.map(() => all) : all
  const isWidths = (pair: unknown) => Array.isArray(pair) && pair.length === 2 && pair.every((x) => isCount(x, 0))
  if (!Array.isArray(pairs) || pairs.length !== shape.length || !Array.from(pairs).every(isWidths))
    throw new ShapeError(
      expected('pad', `a width of 0 or more before and after each of ${shape.length} axes`, formatOption(widths)),
    )
  return (pairs as readonly Pair[]).map(([before, after]) => [before, after])
}

/** What stands beside x along one axis: `size` elements before it, or after it. */
type Side = (x: Node, axis: number, size: number, isAfter: boolean) => Node

const withExtent = (shape: Shape, axis: number, extent: number): number[] =>
  shape.map((other, i) => (i === axis ? extent : other))

const startAt = (shape: Shape, axis: number, start: number): number[] => shape.map((_, i) => (i === axis ? start : 0))

const constant =
  (value: number): Side =>
  (x, axis, size) =>
    broadcastTo(literal(value, x.dtype), withExtent(x.shape, axis, size))

const edge: Side = (x, axis, size, isAfter) => {
  const extent = extentAt(x.shape, axis)
  if (extent === 0) throw new ShapeError(expected('pad', `something on axis ${axis} to repeat`, formatShape(x.shape)))
  const last = sliceAt(x, startAt(x.shape, axis, isAfter ? extent - 1 : 0), withExtent(x.shape, axis, 1))
  return broadcastTo(last, withExtent(x.shape, axis, size))
}

const reflect: Side = (x, axis, size, isAfter) => {
  const extent = extentAt(x.shape, axis)
  if (size >= extent)
    throw new ShapeError(expected('pad', `less than the ${extent} elements of axis ${axis} to reflect`, size))
  const starts = startAt(x.shape, axis, isAfter ? extent - 2 : size)
  const steps = x.shape.map((_, i) => (i === axis ? -1 : 1))
  return sliceAt(x, starts, withExtent(x.shape, axis, size), steps)
}

/** x with elements on both sides along one axis. */
function padAxis(x: Node, axis: number, [before, after]: Pair, side: Side): Node {
  const pieces = [x]
  if (before > 0) pieces.unshift(side(x, axis, before, false))
  if (after > 0) pieces.push(side(x, axis, after, true))
  return concat(pieces, axis)
}

/**
 * x with elements before and after it along its axes: [3, 4] becomes [3 + 1, 4 + 2] by [[1, 0], [0, 2]]. `mode: 'reflect'`
 * mirrors x, without its outermost elements: [1, 2, 3] gives [3, 2, 1, 2, 3, 2, 1] by 2; 'edge' repeats these:
 * [1, 1, 1, 2, 3, 3, 3]. Modes and their names are numpy's; PyTorch calls 'edge' replicate.
 *
 * @throws ShapeError for widths that do not fit the axes, or where there is not enough to reflect or to repeat; RangeError
 * for another mode, or a value that an integer dtype does not hold
 * @pytorch F.pad
 * @tensorflow tf.pad
 * @numpy np.pad
 */
export function pad(x: TensorLike, widths: PadWidths, options?: PadOptions, ...surplus: []): Tensor {
  const { mode = 'constant', ...given } = checkOptions('pad', options, padOptions, surplus)
  const node = toNode('pad', x)
  const value = elementOf('pad', given.value ?? 0, node.dtype)
  const pairs = widthsOf(node.shape, widths)
  if (pairs.every(([before, after]) => before === 0 && after === 0)) return wrap(node)
  if (mode === 'constant' && Object.is(value, 0)) {
    const shape = node.shape.map((extent, axis) => elementAt(pairs, axis)[0] + extent + elementAt(pairs, axis)[1])
    const starts = pairs.map(([before]) => before)
    return wrap(
      padWithZeros(
        node,
        shape,
        starts,
        starts.map(() => 1),
      ),
    )
  }
  const side = { constant: constant(value), edge, reflect }[mode]
  return wrap(pairs.reduce((padded, pair, axis) => padAxis(padded, axis, pair, side), node))
}

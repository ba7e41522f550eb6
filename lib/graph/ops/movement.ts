/** Movement: the same elements under another shape or order. All but pad and concat are views, which cost nothing. */

import { checkList } from '../../base/arguments.ts'
import { promote } from '../../base/dtype.ts'
import { expected, ShapeError } from '../../base/errors.ts'
import { mapTuple, pick, zipWith } from '../../base/lists.ts'
import {
  denseStrides,
  extentAt,
  formatShape,
  normalizeAxis,
  offsetOf,
  type Shape,
  sameShape,
  sizeOf,
} from '../../base/shape.ts'
import { type Node, type OpDef, record, type Unary } from '../node.ts'
import { broadcastToOp, reshapeOp } from './broadcast.ts'
import { cast } from './promotion.ts'

const permuteOp: OpDef<{ axes: readonly number[] }, Unary> = {
  name: 'permute',
  infer: ([x], { axes }) => ({ dtype: x.dtype, shape: pick(x.shape, axes) }),
  vjp: (ct, { params: { axes } }) => [permute(ct, inversePermutation(axes))],
  lower(emitter, { inputs: [x], params: { axes }, shape }) {
    const view = emitter.viewOf(x)
    return { ...view, shape, strides: pick(view.strides, axes) }
  },
}

function inversePermutation(axes: readonly number[]): number[] {
  const inverse = new Array<number>(axes.length)
  axes.forEach((axis, i) => {
    inverse[axis] = i
  })
  return inverse
}

const sliceOp: OpDef<{ starts: readonly number[]; sizes: readonly number[]; steps: readonly number[] }, Unary> = {
  name: 'slice',
  infer: ([x], { sizes }) => ({ dtype: x.dtype, shape: sizes }),
  // The slots that were skipped get zeros; where none was, the axes were turned round at most, and are once more.
  vjp: (ct, { inputs: [x], params: { starts, sizes, steps } }) => [
    sameShape(sizes, x.shape) ? sliceAt(ct, starts, sizes, steps) : pad(ct, x.shape, starts, steps),
  ],
  lower(emitter, { inputs: [x], params: { starts, steps }, shape }) {
    const view = emitter.viewOf(x)
    const offset = view.offset + offsetOf(starts, view.strides)
    if (sizeOf(shape) === 0) return { ...view, shape, offset: 0, strides: shape.map(() => 0) }
    return { ...view, shape, offset, strides: zipWith(view.strides, steps, (stride, step) => stride * step) }
  },
}

const padOp: OpDef<{ shape: Shape; starts: readonly number[]; steps: readonly number[] }, Unary> = {
  name: 'pad',
  infer: ([x], { shape }) => ({ dtype: x.dtype, shape }),
  vjp: (ct, { inputs: [x], params: { starts, steps } }) => [sliceAt(ct, starts, x.shape, steps)],
  lower(emitter, node) {
    const [{ shape }] = node.inputs
    const { starts, steps } = node.params
    const dense = denseStrides(node.shape)
    const offset = sizeOf(shape) === 0 ? 0 : offsetOf(starts, dense)
    return emitter.emitNode('pad', node, {
      shape,
      offset,
      strides: zipWith(dense, steps, (stride, step) => stride * step),
    })
  },
}

const concatOp: OpDef<{ axis: number }, readonly [Node, ...Node[]]> = {
  name: 'concat',
  infer(inputs, { axis }) {
    const [{ dtype, shape }] = inputs
    const joined = inputs.reduce((sum, { shape }) => sum + extentAt(shape, axis), 0)
    return { dtype, shape: shape.with(axis, joined) }
  },
  vjp(ct, { inputs, params: { axis } }) {
    let start = 0
    return mapTuple(inputs, (x) => {
      const starts = x.shape.map((_, i) => (i === axis ? start : 0))
      start += extentAt(x.shape, axis)
      return sliceAt(ct, starts, x.shape)
    })
  },
  lower(emitter, node) {
    const { axis } = node.params
    const outer = sizeOf(node.shape.slice(0, axis))
    const inners = node.inputs.map(({ shape }) => sizeOf(shape.slice(axis)))
    return emitter.emitNode('concat', node, { outer, inners })
  },
}

/** Axis i of the result is axis `axes[i]` of x. */
export function permute(x: Node, axes: readonly number[], op = 'permute'): Node {
  const order = checkList(op, 'a list of axes', axes).map((axis) => normalizeAxis(op, axis, x.shape.length))
  if (order.length !== x.shape.length || new Set(order).size !== order.length)
    throw new ShapeError(expected(op, `a permutation of ${x.shape.length} axes`, formatShape(axes)))
  if (order.every((axis, i) => axis === i)) return x
  return record(permuteOp, [x], { axes: order })
}

/** Exchanges the last two axes. */
export function transposeMatrices(x: Node): Node {
  const rank = x.shape.length
  const axes = x.shape.map((_, axis) => axis)
  axes[rank - 2] = rank - 1
  axes[rank - 1] = rank - 2
  return record(permuteOp, [x], { axes })
}

/** Whether a node is another one with its last two axes exchanged. */
export function isTransposed({ def, params }: Node): boolean {
  if (def !== (permuteOp as OpDef)) return false
  const { axes } = params as { axes: readonly number[] }
  const rank = axes.length
  return rank > 1 && axes.every((axis, i) => axis === (i < rank - 2 ? i : 2 * rank - 3 - i))
}

/** Whether an axis of so many elements has `size` from `start` on, every `step`-th. */
function isRange(extent: number, start = NaN, size = NaN, step = NaN): boolean {
  const last = start + Math.max(0, size - 1) * step
  const areIntegers = Number.isInteger(start) && Number.isInteger(size) && Number.isInteger(step)
  const isInside = size === 0 || (Math.min(start, last) >= 0 && Math.max(start, last) < extent)
  return areIntegers && size >= 0 && step !== 0 && isInside
}

/** sizes[i] elements of axis i, from starts[i] on, every steps[i]-th; backwards where a step is negative. */
export function sliceAt(
  x: Node,
  starts: readonly number[],
  sizes: readonly number[],
  steps: readonly number[] = sizes.map(() => 1),
): Node {
  x.shape.forEach((extent, axis) => {
    const [start, size, step] = [starts[axis], sizes[axis], steps[axis]]
    if (!isRange(extent, start, size, step))
      throw new ShapeError(
        `slice: expected a range inside axis ${axis} of ${formatShape(x.shape)}, got ${size} from ${start} by ${step}`,
      )
  })
  // What takes no step has the step 1.
  const taken = zipWith(steps, sizes, (step, size) => (size > 1 ? step : 1))
  if (sameShape(sizes, x.shape) && taken.every((step) => step > 0)) return x
  return record(sliceOp, [x], { starts: starts.slice(), sizes: sizes.slice(), steps: taken })
}

/** `size` elements of one axis from `start` on, every step-th; all of the other axes. */
export function sliceAlong(x: Node, axis: number, start: number, size: number, step = 1): Node {
  const starts = x.shape.map((_, i) => (i === axis ? start : 0))
  const steps = x.shape.map((_, i) => (i === axis ? step : 1))
  return sliceAt(x, starts, x.shape.with(axis, size), steps)
}

/** x in the midst of zeros: element i of axis a goes to starts[a] + i·steps[a]. The adjoint of sliceAt. */
export function pad(x: Node, shape: Shape, starts: readonly number[], steps: readonly number[]): Node {
  return record(padOp, [x], { shape: shape.slice(), starts: starts.slice(), steps: steps.slice() })
}

export function concat(inputs: readonly Node[], axis = 0, op = 'concat'): Node {
  const [first, ...others] = inputs
  if (first === undefined) throw new ShapeError(expected(op, 'at least one tensor', 'none'))
  const along = normalizeAxis(op, axis, first.shape.length)
  for (const { shape } of others)
    if (shape.length !== first.shape.length || shape.some((extent, i) => i !== along && extent !== first.shape[i]))
      throw new ShapeError(expected(op, `${formatShape(first.shape)} except on axis ${along}`, formatShape(shape)))
  if (others.length === 0) return first
  const dtype = others.reduce((common, { dtype }) => promote(common, dtype), first.dtype)
  return record(concatOp, [cast(first, dtype), ...others.map((node) => cast(node, dtype))], { axis: along })
}

export const movementOps = {
  reshape: reshapeOp,
  permute: permuteOp,
  broadcastTo: broadcastToOp,
  slice: sliceOp,
  pad: padOp,
  concat: concatOp,
}

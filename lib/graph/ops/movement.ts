/** Movement: the same elements under another shape or order. All but pad and concat are views, which cost nothing. */
import { DTypeError, expected, ShapeError } from '../../base/errors.ts'
import { denseStrides, formatShape, normalizeAxis, type Shape, sameShape, sizeOf } from '../../base/shape.ts'
import { type Node, type OpDef, record } from '../node.ts'
import { broadcastToOp, reshapeOp } from './broadcast.ts'

export { broadcastTo, reshape } from './broadcast.ts'

const permuteOp: OpDef<{ axes: readonly number[] }> = {
  name: 'permute',
  infer: ([x], { axes }) => ({ dtype: x!.dtype, shape: axes.map((axis) => x!.shape[axis]!) }),
  vjp: (ct, { params: { axes } }) => [permute(ct, inversePermutation(axes))],
  lower(emitter, { inputs: [x], params: { axes }, shape }) {
    const view = emitter.viewOf(x!)
    return { ...view, shape, strides: axes.map((axis) => view.strides[axis]!) }
  },
}

function inversePermutation(axes: readonly number[]): number[] {
  const inverse = new Array<number>(axes.length)
  axes.forEach((axis, i) => {
    inverse[axis] = i
  })
  return inverse
}

const sliceOp: OpDef<{ starts: readonly number[]; sizes: readonly number[]; steps: readonly number[] }> = {
  name: 'slice',
  infer: ([x], { sizes }) => ({ dtype: x!.dtype, shape: sizes }),
  // The slots that were skipped get zeros; where none was, the axes were turned round at most, and are once more.
  vjp: (ct, { inputs: [x], params: { starts, sizes, steps } }) => [
    sameShape(sizes, x!.shape) ? sliceAt(ct, starts, sizes, steps) : pad(ct, x!.shape, starts, steps),
  ],
  lower(emitter, { inputs: [x], params: { starts, steps }, shape }) {
    const view = emitter.viewOf(x!)
    const offset = starts.reduce((sum, start, axis) => sum + start * view.strides[axis]!, view.offset)
    if (sizeOf(shape) === 0) return { ...view, shape, offset: 0, strides: shape.map(() => 0) }
    return { ...view, shape, offset, strides: view.strides.map((stride, axis) => stride * steps[axis]!) }
  },
}

const padOp: OpDef<{ shape: Shape; starts: readonly number[]; steps: readonly number[] }> = {
  name: 'pad',
  infer: ([x], { shape }) => ({ dtype: x!.dtype, shape }),
  vjp: (ct, { inputs: [x], params: { starts, steps } }) => [sliceAt(ct, starts, x!.shape, steps)],
  lower(emitter, { inputs: [x], params: { starts, steps }, dtype, shape }) {
    const strides = denseStrides(shape)
    const offset = sizeOf(x!.shape) === 0 ? 0 : starts.reduce((sum, start, axis) => sum + start * strides[axis]!, 0)
    const params = { shape: x!.shape, offset, strides: strides.map((stride, axis) => stride * steps[axis]!) }
    return emitter.denseView(emitter.emit('pad', [emitter.dense(x!)], [{ dtype, shape }], params)[0]!)
  },
}

const concatOp: OpDef<{ axis: number }> = {
  name: 'concat',
  infer(inputs, { axis }) {
    const [first] = inputs
    const shape = first!.shape.slice()
    shape[axis] = inputs.reduce((sum, { shape }) => sum + shape[axis]!, 0)
    return { dtype: first!.dtype, shape }
  },
  vjp(ct, { inputs, params: { axis } }) {
    let start = 0
    return inputs.map((x) => {
      const starts = x.shape.map((_, i) => (i === axis ? start : 0))
      start += x.shape[axis]!
      return sliceAt(ct, starts, x.shape)
    })
  },
  lower(emitter, { inputs, params: { axis }, dtype, shape }) {
    const outer = sizeOf(shape.slice(0, axis))
    const inners = inputs.map((x) => sizeOf(x.shape.slice(axis)))
    const operands = inputs.map((x) => emitter.dense(x))
    return emitter.denseView(emitter.emit('concat', operands, [{ dtype, shape }], { outer, inners })[0]!)
  },
}

/** Axis i of the result is axis `axes[i]` of x. */
export function permute(x: Node, axes: readonly number[], op = 'permute'): Node {
  const order = axes.map((axis) => normalizeAxis(op, axis, x.shape.length))
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

/** sizes[i] elements of axis i, from starts[i] on, every steps[i]-th; backwards where a step is negative. */
export function sliceAt(
  x: Node,
  starts: readonly number[],
  sizes: readonly number[],
  steps: readonly number[] = sizes.map(() => 1),
): Node {
  x.shape.forEach((extent, axis) => {
    const [start, size, step] = [starts[axis]!, sizes[axis]!, steps[axis]!]
    const last = start + Math.max(0, size - 1) * step
    const areIntegers = Number.isInteger(start) && Number.isInteger(size) && Number.isInteger(step)
    const inside = size === 0 || (Math.min(start, last) >= 0 && Math.max(start, last) < extent)
    if (!areIntegers || size < 0 || step === 0 || !inside)
      throw new ShapeError(
        `slice: expected a range inside axis ${axis} of ${formatShape(x.shape)}, got ${size} from ${start} by ${step}`,
      )
  })
  // What takes no step has the step 1.
  const taken = steps.map((step, axis) => (sizes[axis]! > 1 ? step : 1))
  if (sameShape(sizes, x.shape) && taken.every((step) => step > 0)) return x
  return record(sliceOp, [x], { starts: starts.slice(), sizes: sizes.slice(), steps: taken })
}

/** x in the midst of zeros: element i of axis a goes to starts[a] + i·steps[a]. The adjoint of sliceAt. */
export function pad(x: Node, shape: Shape, starts: readonly number[], steps: readonly number[]): Node {
  return record(padOp, [x], { shape: shape.slice(), starts: starts.slice(), steps: steps.slice() })
}

export function concat(inputs: readonly Node[], axis = 0, op = 'concat'): Node {
  const [first] = inputs
  if (first === undefined) throw new ShapeError(expected(op, 'at least one tensor', 'none'))
  const along = normalizeAxis(op, axis, first.shape.length)
  for (const { dtype, shape } of inputs) {
    if (dtype !== first.dtype) throw new DTypeError(expected(op, `${first.dtype} everywhere`, dtype))
    if (shape.length !== first.shape.length || shape.some((extent, i) => i !== along && extent !== first.shape[i]))
      throw new ShapeError(expected(op, `${formatShape(first.shape)} except on axis ${along}`, formatShape(shape)))
  }
  return inputs.length === 1 ? first : record(concatOp, inputs, { axis: along })
}

export const movementOps = {
  reshape: reshapeOp,
  permute: permuteOp,
  broadcastTo: broadcastToOp,
  slice: sliceOp,
  pad: padOp,
  concat: concatOp,
}

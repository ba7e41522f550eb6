/**
 * The parts of an axis, one after the other. Of all of them together the gradient is one concatenation, where each alone would
 * have it in the midst of zeros.
 */
import { elementAt } from '../../base/lists.ts'
import { type Node, type OpDef, record, type Unary } from '../node.ts'
import { broadcastTo } from './broadcast.ts'
import { add } from './elementwise.ts'
import { literal } from './leaf.ts'
import { concat, pad, sliceAlong } from './movement.ts'

type SplitParams = { axis: number; sizes: readonly number[] }
type PartParams = { part: number }

/** x as a whole, of which the parts are nodes of their own. */
const splitOp: OpDef<SplitParams, Unary> = {
  name: 'split',
  infer: ([x]) => x,
  vjp: ({ inputs, params }, { inputs: [x], params: { axis, sizes } }) => {
    const found = new Map<number, Node>()
    ;(params as CotangentParams).parts.forEach((part, i) => {
      const [known, ct] = [found.get(part), elementAt(inputs, i)]
      found.set(part, known === undefined ? ct : add(known, ct))
    })
    return [joined(x, axis, sizes, found)]
  },
  lower: (emitter, { inputs: [x] }) => emitter.viewOf(x),
}

/** The cotangents of the parts in their places; zeros where there are none. */
function joined(x: Node, axis: number, sizes: readonly number[], parts: ReadonlyMap<number, Node>): Node {
  const [only] = parts
  if (only !== undefined && parts.size === 1) {
    const start = sizes.slice(0, only[0]).reduce((sum, size) => sum + size, 0)
    const starts = x.shape.map((_, i) => (i === axis ? start : 0))
    return pad(
      only[1],
      x.shape,
      starts,
      x.shape.map(() => 1),
    )
  }
  const pieces = sizes.map((size, i) => parts.get(i) ?? broadcastTo(literal(0, x.dtype), x.shape.with(axis, size)))
  return concat(pieces, axis)
}

const partOp: OpDef<PartParams, Unary> = {
  name: 'part',
  infer([whole], { part }) {
    const { axis, sizes } = whole.params as SplitParams
    return { dtype: whole.dtype, shape: whole.shape.with(axis, elementAt(sizes, part)) }
  },
  vjp: (ct, { params: { part } }) => [record(cotangentsOp, [ct], { parts: [part] })],
  lower(emitter, { inputs: [whole], params: { part }, shape }) {
    const { axis, sizes } = whole.params as SplitParams
    const view = emitter.viewOf(whole)
    const start = sizes.slice(0, part).reduce((sum, size) => sum + size, 0)
    if (shape.includes(0)) return { ...view, shape, offset: 0, strides: shape.map(() => 0) }
    return { ...view, shape, offset: view.offset + start * elementAt(view.strides, axis) }
  },
}

type CotangentParams = { parts: readonly number[] }

/** The cotangents of some parts, for autograd to hand on as one. */
const cotangentsOp: OpDef<CotangentParams> = {
  name: 'partCotangents',
  infer: ([ct]) => ({ dtype: ct?.dtype ?? 'float32', shape: [] }),
  join: ({ inputs, params: { parts } }, other) =>
    record(cotangentsOp, [...inputs, ...other.inputs], {
      parts: [...parts, ...(other.params as CotangentParams).parts],
    }),
  lower: (emitter) => emitter.denseView(emitter.literal('float32', 0)),
}

/** x in parts of these sizes, which add up to the extent of the axis. */
export function split(x: Node, sizes: readonly number[], axis: number): Node[] {
  if (sizes.length === 1) return [sliceAlong(x, axis, 0, elementAt(sizes, 0))]
  const whole = record(splitOp, [x], { axis, sizes: sizes.slice() })
  return sizes.map((_, part) => record(partOp, [whole], { part }))
}

export const splitOps = { split: splitOp, part: partOp, partCotangents: cotangentsOp }

/** Reading and writing elements by index along one axis. */
import { allocate, isFloat } from '../../base/dtype.ts'
import { DTypeError, expected, ShapeError } from '../../base/errors.ts'
import {
  broadcastShapes,
  extentAt,
  formatShape,
  normalizeAxis,
  type Shape,
  sameShape,
  sizeOf,
} from '../../base/shape.ts'
import { type Binary, type Node, type OpDef, record, type Ternary } from '../node.ts'
import { broadcastTo } from './broadcast.ts'
import { equal, where, zerosLike } from './elementwise.ts'
import { checkIndices } from './indexing.ts'
import { data, elementLiteral, literal, weakValue } from './leaf.ts'

const extentsOf = (x: Shape, indices: Shape, axis: number) => ({
  outer: sizeOf(x.slice(0, axis)),
  rows: extentAt(x, axis),
  count: extentAt(indices, axis),
  inner: sizeOf(x.slice(axis + 1)),
})

const takeAlongAxisOp: OpDef<{ axis: number }, Binary> = {
  name: 'takeAlongAxis',
  infer: ([x, indices]) => ({ dtype: x.dtype, shape: indices.shape }),
  vjp: (ct, { inputs: [x, indices], params: { axis } }) => [scatterAddAlongAxis(zerosLike(x), indices, ct, axis), null],
  lower(emitter, node) {
    const [x, indices] = node.inputs
    const extents = extentsOf(x.shape, indices.shape, node.params.axis)
    return emitter.emitNode('takeAlongAxis', node, extents)
  },
}

const scatterAlongAxisOp: OpDef<{ axis: number; accumulate: boolean }, Ternary> = {
  name: 'scatterAlongAxis',
  infer: ([x]) => x,
  vjp(ct, { inputs: [, indices], params: { axis, accumulate } }) {
    const taken = takeAlongAxis(ct, indices, axis)
    if (accumulate) return [ct, null, taken]
    const kept = putAlongAxis(ct, indices, literal(0, ct.dtype), axis)
    return [kept, null, where(areLast(ct.shape, indices, axis), taken, 0)]
  },
  lower(emitter, node) {
    const [x, indices] = node.inputs
    const { axis, accumulate } = node.params
    const params = { ...extentsOf(x.shape, indices.shape, axis), accumulate }
    return emitter.emitNode('scatterAlongAxis', node, params)
  },
}

/** Which of the indices into a shape are the last to name their element: of several updates that one stays. */
function areLast(shape: Shape, indices: Node, axis: number): Node {
  const extents = indices.shape.map((extent, i) => (i === axis ? extent : 1))
  const count = data(
    allocate('int32', sizeOf(extents)).map((_, i) => i),
    'int32',
    extents,
  )
  const positions = broadcastTo(count, indices.shape)
  const last = putAlongAxis(broadcastTo(literal(0, 'int32'), shape), indices, positions, axis)
  return equal(takeAlongAxis(last, indices, axis), positions)
}

/** The axis, and the shapes of x and of the indices where all the other axes broadcast. */
export function broadcastAlong(op: string, x: Shape, indices: Shape, axis: number) {
  if (x.length !== indices.length)
    throw new ShapeError(expected(op, `indices of as many axes as ${formatShape(x)}`, formatShape(indices)))
  const along = normalizeAxis(op, axis, x.length)
  const withExtent = (shape: Shape, extent: number) => shape.map((other, i) => (i === along ? extent : other))
  const others = broadcastShapes(op, withExtent(x, 1), withExtent(indices, 1))
  return { along, x: withExtent(others, extentAt(x, along)), indices: withExtent(others, extentAt(indices, along)) }
}

/** x[…, indices[…, i, …], …]: elements of x along an axis; other axes broadcast. */
export function takeAlongAxis(x: Node, indices: Node, axis: number, op = 'takeAlongAxis'): Node {
  const checked = checkIndices(op, indices)
  const shapes = broadcastAlong(op, x.shape, indices.shape, axis)
  const [rows, places] = [broadcastTo(x, shapes.x), broadcastTo(checked, shapes.indices)]
  return record(takeAlongAxisOp, [rows, places], { axis: shapes.along })
}

function scatter(op: string, x: Node, indices: Node, updates: Node, axis: number, accumulate: boolean): Node {
  const checked = checkIndices(op, indices)
  const shapes = broadcastAlong(op, x.shape, indices.shape, axis)
  if (!sameShape(shapes.x, x.shape))
    throw new ShapeError(expected(op, `indices that broadcast to ${formatShape(x.shape)}`, formatShape(indices.shape)))
  const value = weakValue(updates)
  const typed = value === undefined ? updates : elementLiteral(op, value, x.dtype)
  if (typed.dtype !== x.dtype) throw new DTypeError(expected(op, `updates of ${x.dtype}`, typed.dtype))
  const [places, added] = [broadcastTo(checked, shapes.indices), broadcastTo(typed, shapes.indices)]
  return record(scatterAlongAxisOp, [x, places, added], { axis: shapes.along, accumulate })
}

/** x with x[…, indices[…, i, …], …] = updates[…, i, …], in ascending order of i: the last one stays. */
export const putAlongAxis = (x: Node, indices: Node, updates: Node, axis: number, op = 'putAlongAxis'): Node =>
  scatter(op, x, indices, updates, axis, false)

/** The same with += instead. */
export function scatterAddAlongAxis(x: Node, indices: Node, updates: Node, axis: number): Node {
  if (!isFloat(x.dtype) && x.dtype !== 'int32')
    throw new DTypeError(expected('scatterAddAlongAxis', 'float or int32 operands', x.dtype))
  return scatter('scatterAddAlongAxis', x, indices, updates, axis, true)
}

export const alongAxisOps = { takeAlongAxis: takeAlongAxisOp, scatterAlongAxis: scatterAlongAxisOp }

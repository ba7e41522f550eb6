/** Broadcasting and its adjoint: what elementwise operations need of movement and reduction, so that these can be above them. */
import { expected, ShapeError } from '../../base/errors.ts'
import { broadcastShapes, denseStrides, formatShape, type Shape, sameShape, sizeOf } from '../../base/shape.ts'
import { reshapeView } from '../emitter.ts'
import { type Node, type OpDef, record, type Unary } from '../node.ts'
import { isLiteral, literal, literalValue } from './leaf.ts'
import { reductionOp } from './reduction.ts'

export const reshapeOp: OpDef<{ shape: Shape }, Unary> = {
  name: 'reshape',
  infer: ([x], { shape }) => ({ dtype: x.dtype, shape }),
  vjp: (ct, { inputs: [x] }) => [reshape(ct, x.shape)],
  lower(emitter, { inputs: [x], shape }) {
    const view = emitter.viewOf(x)
    return (
      reshapeView(view, shape) ?? {
        ...emitter.denseView(emitter.denseValue(view)),
        shape,
        strides: denseStrides(shape),
      }
    )
  },
}

export const broadcastToOp: OpDef<{ shape: Shape }, Unary> = {
  name: 'broadcastTo',
  infer: ([x], { shape }) => ({ dtype: x.dtype, shape }),
  vjp: (ct, { inputs: [x] }) => [sumTo(ct, x.shape)],
  lower(emitter, { inputs: [x], shape }) {
    const view = emitter.viewOf(x)
    const added = shape.length - view.shape.length
    const repeated = (axis: number) => view.shape[axis] !== shape[axis + added]
    const strides = view.strides.map((stride, axis) => (repeated(axis) ? 0 : stride))
    return { ...view, shape, strides: [...new Array<number>(added).fill(0), ...strides] }
  },
}

export const sumOp = reductionOp('sum', (ct, { inputs: [x] }) => [broadcastTo(ct, x.shape)])

/** At most one extent may be -1: it is inferred. */
/** Of a list with holes too. */
function areNumbers(list: readonly unknown[]): boolean {
  for (const x of list) if (typeof x !== 'number') return false
  return true
}

export function reshape(x: Node, shape: Shape, op = 'reshape'): Node {
  if (!Array.isArray(shape) || !areNumbers(shape))
    throw new ShapeError(expected(op, 'a shape (an array of extents)', shape))
  const known = shape.reduce((size, extent) => (extent === -1 ? size : size * extent), 1)
  const unknown = shape.filter((extent) => extent === -1).length
  const inferred =
    unknown === 1 && known > 0 ? shape.map((extent) => (extent === -1 ? sizeOf(x.shape) / known : extent)) : shape
  if (sameShape(inferred, x.shape)) return x
  if (inferred.some((extent) => !Number.isInteger(extent) || extent < 0) || sizeOf(inferred) !== sizeOf(x.shape))
    throw new ShapeError(
      expected(op, `a shape of ${sizeOf(x.shape)} elements (those of ${formatShape(x.shape)})`, formatShape(shape)),
    )
  return record(reshapeOp, [x], { shape: inferred.slice() })
}

export function broadcastTo(x: Node, shape: Shape, op = 'broadcastTo'): Node {
  if (sameShape(x.shape, shape)) return x
  if (!sameShape(broadcastShapes(op, x.shape, shape), shape))
    throw new ShapeError(expected(op, `a shape that ${formatShape(x.shape)} broadcasts to`, formatShape(shape)))
  // Half of all operands that are broadcast are numbers: one node for each is half of the graph saved.
  if (isLiteral(x)) return literal(literalValue(x), x.dtype, false, shape.slice())
  return record(broadcastToOp, [x], { shape: shape.slice() })
}

/** Runs of adjacent axes, the last first: so no element has to move. */
export function sumOver(x: Node, axes: readonly number[]): Node {
  if (axes.length === 0) return x
  const runStarts = axes.findLastIndex((axis, i) => axes[i - 1] !== axis - 1)
  return sumOver(record(sumOp, [x], { axes: axes.slice(runStarts) }), axes.slice(0, runStarts))
}

/** Sums what broadcasting repeated: the adjoint of broadcastTo. */
export function sumTo(x: Node, shape: Shape): Node {
  if (sameShape(x.shape, shape)) return x
  const added = x.shape.length - shape.length
  const axes = x.shape
    .map((_, axis) => axis)
    .filter((axis) => axis < added || (shape[axis - added] === 1 && x.shape[axis] !== 1))
  return reshape(sumOver(x, axes), shape)
}

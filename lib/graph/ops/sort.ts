/** The order of elements along an axis, by rows of a tensor whose last axis it is. */
import { pick } from '../../base/lists.ts'
import { extentAt, normalizeAxes, type Shape, sizeOf } from '../../base/shape.ts'
import { type Node, type OpDef, record, type Unary } from '../node.ts'
import { permute, reshape } from './movement.ts'
import { arithmeticDType, cast } from './promotion.ts'
import type { Axes } from './reduce.ts'

const argsortOp: OpDef<{ count: number; descending: boolean }, Unary> = {
  name: 'argsort',
  infer: ([x], { count }) => ({ dtype: 'int32', shape: [...x.shape.slice(0, -1), count] }),
  lower(emitter, node) {
    const [x] = node.inputs
    const [rows, columns] = [sizeOf(x.shape.slice(0, -1)), extentAt(x.shape, -1)]
    return emitter.emitNode('argsort', node, { rows, columns, ...node.params })
  },
}

/** The int32 indices of the first `count` elements of each row, in order. */
export const argsortRows = (x: Node, count: number, descending: boolean): Node =>
  record(argsortOp, [cast(x, arithmeticDType(x.dtype))], { count, descending })

/** One axis at the end. */
export function axisLast(x: Node, axis: number): Node {
  const others = x.shape.map((_, i) => i).filter((i) => i !== axis)
  return permute(x, [...others, axis])
}

/** The last axis at its place again: the inverse of `axisLast`. */
export function axisBack(x: Node, axis: number): Node {
  const order = x.shape.slice(0, -1).map((_, i) => i)
  order.splice(axis, 0, x.shape.length - 1)
  return permute(x, order)
}

/** Rows of what a reduction over axes goes over, and the shape of its result. */
export function rowsOver(name: string, x: Node, axes: Axes, keepDims: boolean): { rows: Node; kept: Shape } {
  const over = normalizeAxes(name, axes, x.shape.length)
  const others = x.shape.map((_, axis) => axis).filter((axis) => !over.includes(axis))
  const outer = pick(x.shape, others)
  const reduced = sizeOf(pick(x.shape, over))
  return {
    rows: reshape(permute(x, [...others, ...over]), [...outer, reduced]),
    kept: keepDims ? x.shape.map((extent, axis) => (over.includes(axis) ? 1 : extent)) : outer,
  }
}

export const sortOps = { argsort: argsortOp }

/** The order of elements along an axis, by rows of a tensor whose last axis it is. */
import type { DType } from '../../base/dtype.ts'
import { normalizeAxes, type Shape, sizeOf } from '../../base/shape.ts'
import { type Node, type OpDef, record } from '../node.ts'
import { cast } from './elementwise.ts'
import { permute, reshape } from './movement.ts'
import type { Axes } from './reduce.ts'

const argsortOp: OpDef<{ count: number; descending: boolean }> = {
  name: 'argsort',
  infer: ([x], { count }) => ({ dtype: 'int32', shape: [...x!.shape.slice(0, -1), count] }),
  lower(emitter, node) {
    const [x] = node.inputs
    const columns = x!.shape.at(-1)!
    const params = { rows: sizeOf(x!.shape.slice(0, -1)), columns, ...node.params }
    return emitter.denseView(emitter.emit('argsort', [emitter.dense(x!)], [node], params)[0]!)
  },
}

const sortedDType = (dtype: DType): DType => (dtype === 'bool' || dtype === 'uint8' ? 'int32' : dtype)

/** The int32 indices of the first `count` elements of each row, in order. */
export const argsortRows = (x: Node, count: number, descending: boolean): Node =>
  record(argsortOp, [cast(x, sortedDType(x.dtype))], { count, descending })

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
  const outer = others.map((axis) => x.shape[axis]!)
  const reduced = over.reduce((size, axis) => size * x.shape[axis]!, 1)
  return {
    rows: reshape(permute(x, [...others, ...over]), [...outer, reduced]),
    kept: keepDims ? x.shape.map((extent, axis) => (over.includes(axis) ? 1 : extent)) : outer,
  }
}

export const sortOps = { argsort: argsortOp }

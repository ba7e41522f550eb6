/** A reduction over adjacent axes, which keep extent 1: how it is typed and lowered. */
import { type Shape, sizeOf } from '../../base/shape.ts'
import type { ReductionName } from '../../program/vocabulary.ts'
import type { OpDef, Unary } from '../node.ts'

export type ReduceParams = { axes: readonly number[] }

export const keptShape = (shape: Shape, axes: readonly number[]): Shape =>
  shape.map((extent, axis) => (axes.includes(axis) ? 1 : extent))

/** x[outer, reduced, inner]: no element has to move. */
export function adjacentExtents(
  shape: Shape,
  axes: readonly number[],
): { outer: number; reduced: number; inner: number } {
  const [first, end] = [Math.min(...axes), Math.max(...axes) + 1]
  return {
    outer: sizeOf(shape.slice(0, first)),
    reduced: sizeOf(shape.slice(first, end)),
    inner: sizeOf(shape.slice(end)),
  }
}

export const reductionOp = (
  kind: ReductionName,
  vjp: NonNullable<OpDef<ReduceParams, Unary>['vjp']>,
): OpDef<ReduceParams, Unary> => ({
  name: kind,
  infer: ([x], { axes }) => ({ dtype: x.dtype, shape: keptShape(x.shape, axes) }),
  vjp,
  lower(emitter, node) {
    const [x] = node.inputs
    return emitter.emitNode('reduce', node, { kind, ...adjacentExtents(x.shape, node.params.axes) })
  },
})

/** Reductions over axes. */
import { expected, ShapeError } from '../../base/errors.ts'
import { normalizeAxes, normalizeAxis, sizeOf } from '../../base/shape.ts'
import { type Node, type OpDef, record, type Unary } from '../node.ts'
import { broadcastTo, reshape, sumOp, sumOver } from './broadcast.ts'
import { div, equal, mul } from './elementwise.ts'
import { permute } from './movement.ts'
import { arithmeticDType, cast } from './promotion.ts'
import { adjacentExtents, keptShape, type ReduceParams, reductionOp } from './reduction.ts'
import { cumprod } from './scan.ts'

export type Axes = number | readonly number[] | null | undefined

/** The cotangent is shared evenly among the elements that reach the extreme, as PyTorch's amax does. */
function extremeVjp(ct: Node, y: Node<ReduceParams, Unary>): [Node] {
  const [x] = y.inputs
  const ties = cast(equal(x, broadcastTo(y, x.shape)), x.dtype)
  const share = div(ct, sumOver(ties, y.params.axes))
  return [mul(ties, broadcastTo(share, x.shape))]
}

// What users call moves axes together and reshapes.
const maxOp = reductionOp('max', extremeVjp)
const minOp = reductionOp('min', extremeVjp)
// The product of all others, which a quotient would not give where there is a zero.
const prodOp = reductionOp('prod', (ct, { inputs: [x], params: { axes } }) => {
  const { outer, reduced, inner } = adjacentExtents(x.shape, axes)
  const lines = reshape(x, [outer, reduced, inner])
  const before = cumprod(lines, 1, { exclusive: true })
  const after = cumprod(lines, 1, { exclusive: true, reverse: true })
  return [mul(broadcastTo(ct, x.shape), reshape(mul(before, after), x.shape))]
})

const argmaxOp: OpDef<{ axis: number }, Unary> = {
  name: 'argmax',
  infer: ([x], { axis }) => ({ dtype: 'int32', shape: keptShape(x.shape, [axis]) }),
  lower(emitter, node) {
    const [x] = node.inputs
    return emitter.emitNode('argmax', node, adjacentExtents(x.shape, [node.params.axis]))
  },
}

const areAdjacent = (axes: readonly number[]): boolean => Math.max(...axes) - Math.min(...axes) === axes.length - 1

/** Reduces any axes: where others stand between them, they are moved to the end first. Axes keep extent 1. */
function reduceOver(def: OpDef<ReduceParams, Unary>, x: Node, axes: readonly number[]): Node {
  if (axes.length === 0) return x
  if (areAdjacent(axes)) return record(def, [x], { axes: axes.slice() })
  const kept = x.shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis))
  const moved = permute(x, [...kept, ...axes])
  const reduced = record(def, [moved], { axes: axes.map((_, i) => kept.length + i) })
  return reshape(reduced, keptShape(x.shape, axes))
}

/** The greatest and the least element, also of none: see the instruction `reduce`. Axes keep extent 1. */
export const maxOver = (x: Node, axes: readonly number[]): Node => reduceOver(maxOp, x, axes)
export const minOver = (x: Node, axes: readonly number[]): Node => reduceOver(minOp, x, axes)

export const dropAxes = (x: Node, axes: readonly number[]): Node =>
  reshape(
    x,
    x.shape.filter((_, axis) => !axes.includes(axis)),
  )

export function sum(x: Node, axes?: Axes, keepDims = false, op = 'sum'): Node {
  const over = normalizeAxes(op, axes, x.shape.length)
  const total = sumOver(cast(x, arithmeticDType(x.dtype)), over)
  return keepDims ? total : dropAxes(total, over)
}

export function prod(x: Node, axes?: Axes, keepDims = false): Node {
  const over = normalizeAxes('prod', axes, x.shape.length)
  const product = reduceOver(prodOp, cast(x, arithmeticDType(x.dtype)), over)
  return keepDims ? product : dropAxes(product, over)
}

function extreme(name: 'max' | 'min', def: OpDef<ReduceParams, Unary>) {
  return (x: Node, axes?: Axes, keepDims = false, op: string = name): Node => {
    const over = normalizeAxes(op, axes, x.shape.length)
    if (over.some((axis) => x.shape[axis] === 0)) throw new ShapeError(expected(op, 'at least one element', 'none'))
    const wide = reduceOver(def, cast(x, arithmeticDType(x.dtype)), over)
    const kept = cast(wide, x.dtype)
    return keepDims ? kept : dropAxes(kept, over)
  }
}

export const max = extreme('max', maxOp)
export const min = extreme('min', minOp)

/** The index of the first greatest element along an axis; of the whole, flattened, without one. */
export function argmax(x: Node, axis?: number | null, keepDims = false, name = 'argmax'): Node {
  if (axis === undefined || axis === null) {
    const flat = argmax(reshape(x, [sizeOf(x.shape)]), 0, false, name)
    return keepDims
      ? reshape(
          flat,
          x.shape.map(() => 1),
        )
      : flat
  }
  const along = normalizeAxis(name, axis, x.shape.length)
  if (x.shape[along] === 0) throw new ShapeError(expected(name, 'at least one element', 'none'))
  const kept = record(argmaxOp, [cast(x, arithmeticDType(x.dtype))], { axis: along })
  return keepDims ? kept : dropAxes(kept, [along])
}

export const reduceOps = { sum: sumOp, max: maxOp, min: minOp, prod: prodOp, argmax: argmaxOp }

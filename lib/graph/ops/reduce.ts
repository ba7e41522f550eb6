/** Reductions over axes. */
import { type DType, isFloat } from '../../base/dtype.ts'
import { expected, ShapeError } from '../../base/errors.ts'
import { normalizeAxes, normalizeAxis, type Shape, sameShape, sizeOf } from '../../base/shape.ts'
import type { ReductionName } from '../../program/instructions.ts'
import type { Emitter } from '../emitter.ts'
import { type Node, type OpDef, record } from '../node.ts'
import { cast, div, equal, mul } from './elementwise.ts'
import { broadcastTo, permute, reshape } from './movement.ts'
import { cumprod } from './scan.ts'

export type Axes = number | readonly number[] | null | undefined

type ReduceParams = { axes: readonly number[] }

const keptShape = (shape: Shape, axes: readonly number[]): Shape =>
  shape.map((extent, axis) => (axes.includes(axis) ? 1 : extent))

/** x[outer, reduced, inner] when the axes stand together, so that no element has to move. */
function contiguousExtents(shape: Shape, axes: readonly number[]): { outer: number; reduced: number; inner: number } {
  const first = axes[0]!
  const end = axes.at(-1)! + 1
  return {
    outer: sizeOf(shape.slice(0, first)),
    reduced: sizeOf(shape.slice(first, end)),
    inner: sizeOf(shape.slice(end)),
  }
}

function lowerReduce(kind: ReductionName) {
  return (emitter: Emitter, { inputs: [x], params: { axes }, dtype, shape }: Node<ReduceParams>) => {
    const extents = contiguousExtents(x!.shape, axes)
    return emitter.denseView(emitter.emit('reduce', [emitter.dense(x!)], [{ dtype, shape }], { kind, ...extents })[0]!)
  }
}

const inferKept = ([x]: readonly Node[], { axes }: ReduceParams) => ({
  dtype: x!.dtype,
  shape: keptShape(x!.shape, axes),
})

/** The cotangent is shared evenly among the elements that reach the extreme, as PyTorch's amax does. */
function extremeVjp(ct: Node, y: Node<ReduceParams>): Node[] {
  const [x] = y.inputs
  const ties = cast(equal(x!, broadcastTo(y, x!.shape)), x!.dtype)
  const share = div(ct, sumOver(ties, y.params.axes))
  return [mul(ties, broadcastTo(share, x!.shape))]
}

// The defs reduce adjacent axes and keep them with extent 1; what users call moves axes together and reshapes.
const sumOp: OpDef<ReduceParams> = {
  name: 'sum',
  infer: inferKept,
  vjp: (ct, { inputs: [x] }) => [broadcastTo(ct, x!.shape)],
  lower: lowerReduce('sum'),
}
const maxOp: OpDef<ReduceParams> = { name: 'max', infer: inferKept, vjp: extremeVjp, lower: lowerReduce('max') }
const minOp: OpDef<ReduceParams> = { name: 'min', infer: inferKept, vjp: extremeVjp, lower: lowerReduce('min') }
const prodOp: OpDef<ReduceParams> = {
  name: 'prod',
  infer: inferKept,
  // The product of all others, which a quotient would not give where there is a zero.
  vjp(ct, { inputs: [x], params: { axes } }) {
    const { outer, reduced, inner } = contiguousExtents(x!.shape, axes)
    const lines = reshape(x!, [outer, reduced, inner])
    const [before, after] = [false, true].map((reverse) => cumprod(lines, 1, { exclusive: true, reverse }))
    return [mul(broadcastTo(ct, x!.shape), reshape(mul(before!, after!), x!.shape))]
  },
  lower: lowerReduce('prod'),
}

const argmaxOp: OpDef<{ axis: number }> = {
  name: 'argmax',
  infer: ([x], { axis }) => ({ dtype: 'int32', shape: keptShape(x!.shape, [axis]) }),
  lower(emitter, { inputs: [x], params: { axis }, dtype, shape }) {
    const params = contiguousExtents(x!.shape, [axis])
    return emitter.denseView(emitter.emit('argmax', [emitter.dense(x!)], [{ dtype, shape }], params)[0]!)
  },
}

const areAdjacent = (axes: readonly number[]): boolean => axes.at(-1)! - axes[0]! === axes.length - 1

/** Reduces any axes: where others stand between them, they are moved to the end first. Axes keep extent 1. */
function reduceOver(def: OpDef<ReduceParams>, x: Node, axes: readonly number[]): Node {
  if (axes.length === 0) return x
  if (areAdjacent(axes)) return record(def, [x], { axes: axes.slice() })
  const kept = x.shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis))
  const moved = permute(x, [...kept, ...axes])
  const reduced = record(def, [moved], { axes: axes.map((_, i) => kept.length + i) })
  return reshape(reduced, keptShape(x.shape, axes))
}

/** Runs of adjacent axes, the last first: so no element has to move. */
function sumOver(x: Node, axes: readonly number[]): Node {
  if (axes.length === 0) return x
  let first = axes.length - 1
  while (first > 0 && axes[first - 1] === axes[first]! - 1) first--
  return sumOver(record(sumOp, [x], { axes: axes.slice(first) }), axes.slice(0, first))
}

/** The greatest and the least element, also of none: see the instruction `reduce`. Axes keep extent 1. */
export const maxOver = (x: Node, axes: readonly number[]): Node => reduceOver(maxOp, x, axes)
export const minOver = (x: Node, axes: readonly number[]): Node => reduceOver(minOp, x, axes)

export const dropAxes = (x: Node, axes: readonly number[]): Node =>
  reshape(
    x,
    x.shape.filter((_, axis) => !axes.includes(axis)),
  )

export const sumDType = (dtype: DType): DType => (dtype === 'bool' || dtype === 'uint8' ? 'int32' : dtype)

export function sum(x: Node, axes?: Axes, keepDims = false): Node {
  const over = normalizeAxes('sum', axes, x.shape.length)
  const total = sumOver(cast(x, sumDType(x.dtype)), over)
  return keepDims ? total : dropAxes(total, over)
}

export function prod(x: Node, axes?: Axes, keepDims = false): Node {
  const over = normalizeAxes('prod', axes, x.shape.length)
  const product = reduceOver(prodOp, cast(x, sumDType(x.dtype)), over)
  return keepDims ? product : dropAxes(product, over)
}

/** Σx / n, in float32 for integers. */
export function mean(x: Node, axes?: Axes, keepDims = false): Node {
  const over = normalizeAxes('mean', axes, x.shape.length)
  const count = over.reduce((size, axis) => size * x.shape[axis]!, 1)
  return div(sum(isFloat(x.dtype) ? x : cast(x, 'float32'), over, keepDims), count)
}

function extreme(name: 'max' | 'min', def: OpDef<ReduceParams>) {
  return (x: Node, axes?: Axes, keepDims = false): Node => {
    const over = normalizeAxes(name, axes, x.shape.length)
    if (over.some((axis) => x.shape[axis] === 0)) throw new ShapeError(expected(name, 'at least one element', 'none'))
    const wide = reduceOver(def, cast(x, sumDType(x.dtype)), over)
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
  const kept = record(argmaxOp, [cast(x, sumDType(x.dtype))], { axis: along })
  return keepDims ? kept : dropAxes(kept, [along])
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

export const reduceOps = { sum: sumOp, max: maxOp, min: minOp, prod: prodOp, argmax: argmaxOp }

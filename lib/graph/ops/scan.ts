/** What runs along an axis: cumulative sums, products and extremes, and the linear recurrence that is their derivative. */

import { extentAt, normalizeAxis, type Shape, sizeOf } from '../../base/shape.ts'
import type { ReductionName } from '../../program/vocabulary.ts'
import { type Binary, type Node, type OpDef, record, type Unary } from '../node.ts'
import { broadcastTo } from './broadcast.ts'
import { mul } from './elementwise.ts'
import { literal } from './leaf.ts'
import { concat, sliceAt } from './movement.ts'
import { arithmeticDType, cast } from './promotion.ts'

export interface ScanOptions {
  /** Each element stands for those before it, without itself; false unless given. */
  exclusive?: boolean
  /** From the end of the axis to its beginning; false unless given. */
  reverse?: boolean
}

type Along = { axis: number; reverse: boolean }

const extentsOf = (shape: Shape, axis: number) => ({
  outer: sizeOf(shape.slice(0, axis)),
  length: extentAt(shape, axis),
  inner: sizeOf(shape.slice(axis + 1)),
})

/** Element i is the one that a scan meets before element i of x; `first` where there is none. */
function delayed(x: Node, { axis, reverse }: Along, first: number): Node {
  const extent = extentAt(x.shape, axis)
  if (extent === 0) return x
  const withExtent = (n: number) => x.shape.map((other, i) => (i === axis ? n : other))
  const edge = broadcastTo(literal(first, x.dtype), withExtent(1))
  const starts = x.shape.map((_, i) => (i === axis && reverse ? 1 : 0))
  const rest = sliceAt(x, starts, withExtent(extent - 1))
  return concat(reverse ? [rest, edge] : [edge, rest], axis)
}

/** Element i is the one that a scan meets after element i of x. */
const advanced = (x: Node, { axis, reverse }: Along): Node => delayed(x, { axis, reverse: !reverse }, 0)

const scanOp: OpDef<Along & { kind: ReductionName }, Unary> = {
  name: 'scan',
  infer: ([x]) => x,
  vjp(ct, { inputs: [x], params }) {
    const { kind, axis, reverse } = params
    const back = { axis, reverse: !reverse }
    if (kind === 'sum') return [scan('sum', ct, back)]
    if (kind !== 'prod') return [null]
    // d/dxᵢ Σⱼ ctⱼ·Πₖ≤ⱼ xₖ = (Πₖ<ᵢ xₖ)·sᵢ, where sᵢ = ctᵢ + xᵢ₊₁·sᵢ₊₁: nothing is divided by an x that may be 0.
    return [mul(scan('prod', delayed(x, params, 1), { axis, reverse }), recurrence(advanced(x, params), ct, back))]
  },
  lower(emitter, node) {
    const { kind, axis, reverse } = node.params
    return emitter.emitNode('scan', node, { kind, ...extentsOf(node.shape, axis), reverse })
  },
}

const recurrenceOp: OpDef<Along, Binary> = {
  name: 'recurrence',
  infer: ([a]) => a,
  // gᵢ = ctᵢ + aᵢ₊₁·gᵢ₊₁ is the cotangent of yᵢ = aᵢ·yᵢ₋₁ + bᵢ
  vjp(ct, y) {
    const { params } = y
    const [a] = y.inputs
    const g = recurrence(advanced(a, params), ct, { axis: params.axis, reverse: !params.reverse })
    return [mul(g, delayed(y, params, 0)), g]
  },
  lower(emitter, node) {
    const { axis, reverse } = node.params
    return emitter.emitNode('recurrence', node, { ...extentsOf(node.shape, axis), reverse })
  },
}

export const scan = (kind: ReductionName, x: Node, along: Along): Node => record(scanOp, [x], { kind, ...along })

/** yᵢ = aᵢ·yᵢ₋₁ + bᵢ along an axis, with y₋₁ = 0. */
export const recurrence = (a: Node, b: Node, along: Along): Node => record(recurrenceOp, [a, b], along)

function cumulative(name: string, kind: ReductionName, first: number) {
  return (x: Node, axis: number, { exclusive = false, reverse = false }: ScanOptions = {}): Node => {
    const along = { axis: normalizeAxis(name, axis, x.shape.length), reverse }
    const wide = cast(x, arithmeticDType(x.dtype))
    return scan(kind, exclusive ? delayed(wide, along, first) : wide, along)
  }
}

export const cumsum = cumulative('cumsum', 'sum', 0)
export const cumprod = cumulative('cumprod', 'prod', 1)

export const scanOps = { scan: scanOp, recurrence: recurrenceOp }

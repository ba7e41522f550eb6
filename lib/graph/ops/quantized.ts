/** Products of int8 weights and rows that are rounded to int8 as they come: without a gradient, as rounding has none of use. */
import { DTypeError, expected, ShapeError } from '../../base/errors.ts'
import { extentAt, formatShape, sameShape, sizeOf } from '../../base/shape.ts'
import { maxQuantizedDepth, panelShape } from '../../program/patterns.ts'
import { type Node, type OpDef, record, type Ternary } from '../node.ts'
import { reshape } from './broadcast.ts'

const op = 'quantizedMatmul'

const quantizedMatmulOp: OpDef<null, Ternary> = {
  name: op,
  infer: ([x, , scales]) => ({ dtype: 'float32', shape: [extentAt(x.shape, 0), sizeOf(scales.shape)] }),
  lower(emitter, node) {
    const [m, n] = node.shape as readonly [number, number]
    const k = extentAt(node.inputs[0].shape, 1)
    return emitter.emitNode(op, node, { m, n, k, activation: 'none', slope: 0 })
  },
}

/** x[…, k] by a weight of panels and its scales[n]: […, n]. */
export function quantizedMatmul(x: Node, weight: Node, scales: Node): Node {
  const wanted = { x: 'float32', weight: 'uint8', scales: 'float32' } as const
  for (const [name, { dtype }] of Object.entries({ x, weight, scales }))
    if (dtype !== wanted[name as 'x']) throw new DTypeError(expected(op, `${name} of ${wanted[name as 'x']}`, dtype))
  if (x.shape.length === 0) throw new ShapeError(expected(op, 'x of at least one axis', formatShape(x.shape)))
  if (scales.shape.length !== 1) throw new ShapeError(expected(op, 'scales of one axis', formatShape(scales.shape)))
  const [n, k] = [sizeOf(scales.shape), extentAt(x.shape, -1)]
  if (k > maxQuantizedDepth) throw new ShapeError(expected(op, `rows of at most ${maxQuantizedDepth} elements`, k))
  if (!sameShape(weight.shape, panelShape(n, k)))
    throw new ShapeError(
      expected(
        op,
        `a weight ${formatShape(panelShape(n, k))}, from ${k} inputs to ${n} outputs`,
        formatShape(weight.shape),
      ),
    )
  const outer = x.shape.slice(0, -1)
  return reshape(record(quantizedMatmulOp, [reshape(x, [sizeOf(outer), k]), weight, scales], null), [...outer, n])
}

export const quantizedOps = { quantizedMatmul: quantizedMatmulOp }

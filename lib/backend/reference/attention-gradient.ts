/** The gradients of attention, a query at a time. */
import { zipWith } from '../../base/lists.ts'
import { sizeOf } from '../../base/shape.ts'
import type { InstructionParams } from '../../program/instructions.ts'
import { attentionGradientShapes } from '../../program/patterns.ts'
import type { Floats } from './loop.ts'
import { rowStart } from './strided.ts'

type Inputs = readonly [q: Floats, k: Floats, v: Floats, cotangent: Floats, out: Floats, logSums: Floats]

export function attentionGradient(
  p: InstructionParams['attentionGradient'],
  [q, k, v, cotangent, out, logSums]: Inputs,
  outputs: readonly [Floats, Floats, Floats],
): void {
  const [dq, dk, dv] = outputs.map(({ length }) => new Float64Array(length)) as [
    Float64Array,
    Float64Array,
    Float64Array,
  ]
  const shapes = attentionGradientShapes(p)
  const startOf = (operand: number, row: number) => rowStart(shapes[operand]!, p.operands[operand]!, row)
  for (let row = 0; row < sizeOf(p.batch) * p.queries; row++) {
    if (logSums[row] === -Infinity) continue
    const [query, first] = [row % p.queries, Math.floor(row / p.queries) * p.keys]
    const [qRow, ctRow] = [startOf(0, row), startOf(3, row)]
    const inner = dot(cotangent, ctRow, out, row * p.values, p.values)
    const reached = p.causal ? Math.min(p.keys, query + 1) : p.keys
    for (let key = first; key < first + reached; key++) {
      const [kRow, vRow] = [startOf(1, key), startOf(2, key)]
      const weight = Math.exp(p.scale * dot(q, qRow, k, kRow, p.features) - logSums[row]!)
      const slope = p.scale * weight * (dot(cotangent, ctRow, v, vRow, p.values) - inner)
      for (let c = 0; c < p.features; c++) {
        dq[row * p.features + c]! += slope * k[kRow + c]!
        dk[key * p.features + c]! += slope * q[qRow + c]!
      }
      for (let c = 0; c < p.values; c++) dv[key * p.values + c]! += weight * cotangent[ctRow + c]!
    }
  }
  zipWith(outputs, [dq, dk, dv], (to, sums) => to.set(sums))
}

function dot(x: Floats, xStart: number, y: Floats, yStart: number, size: number): number {
  let sum = 0
  for (let i = 0; i < size; i++) sum += x[xStart + i]! * y[yStart + i]!
  return sum
}

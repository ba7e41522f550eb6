/** Attention, a query at a time: no more than one row of scores is ever held. */
import type { TypedArray } from '../../base/dtype.ts'
import { sizeOf } from '../../base/shape.ts'
import type { InstructionParams } from '../../program/instructions.ts'
import { attentionShapes } from '../../program/patterns.ts'
import type { Floats } from './loop.ts'
import { rowStart } from './strided.ts'

type Inputs = readonly [q: Floats, k: Floats, v: Floats, ...mask: TypedArray[]]

export function attention(
  p: InstructionParams['attention'],
  [q, k, v, mask]: Inputs,
  [out, logSums]: readonly [Floats, Floats],
): void {
  const shapes = attentionShapes(p)
  const startsOf = (operand: number, rows: number) =>
    Array.from({ length: rows }, (_, row) => rowStart(shapes[operand]!, p.operands[operand]!, row))
  const [batch, scores] = [sizeOf(p.batch), new Float64Array(p.keys)]
  const [keys, values] = [startsOf(1, batch * p.keys), startsOf(2, batch * p.keys)]
  for (let row = 0; row < batch * p.queries; row++) {
    const [query, first] = [row % p.queries, Math.floor(row / p.queries) * p.keys]
    const start = rowStart(shapes[0]!, p.operands[0]!, row)
    for (let j = 0; j < p.keys; j++) {
      let sum = 0
      for (let c = 0; c < p.features; c++) sum += q[start + c]! * k[keys[first + j]! + c]!
      const score = p.scale * sum
      scores[j] = p.causal && j > query ? -Infinity : mask ? masked(score, mask, maskAt(p, row, j)) : score
    }
    const { shift, sum } = exponentials(scores)
    logSums[row] = shift + Math.log(sum)
    for (let c = 0; c < p.values; c++) {
      let total = 0
      for (let j = 0; j < p.keys; j++) total += scores[j]! * v[values[first + j]! + c]!
      out[row * p.values + c] = sum === 0 ? 0 : total / sum
    }
  }
}

function maskAt(p: InstructionParams['attention'], row: number, key: number): number {
  const pattern = p.operands[3]!
  return rowStart(attentionShapes(p)[3]!, pattern, row) + key * pattern.strides.at(-1)!
}

function masked(score: number, mask: TypedArray, at: number): number {
  if (mask instanceof Uint8Array) return mask[at] === 0 ? -Infinity : score
  return score + mask[at]!
}

/** Replaces each score s by e^(s − shift), where the shift is the greatest of them. */
function exponentials(scores: Float64Array): { shift: number; sum: number } {
  const greatest = scores.reduce((a, b) => Math.max(a, b), -Infinity)
  const shift = greatest === -Infinity ? 0 : greatest
  let sum = 0
  scores.forEach((score, j) => {
    scores[j] = Math.exp(score - shift)
    sum += scores[j]!
  })
  return { shift, sum }
}

/** Products of rows that are rounded to int8 and of int8 weights: each operation on floats is one of float32, as the schema says. */
import type { InstructionParams } from '../../program/instructions.ts'
import { panelInputs, panelOutputs } from '../../program/patterns.ts'
import { activations, roundToEven } from './functions.ts'

type Floats32 = Float32Array<ArrayBuffer>

export function quantizedMatmul(
  p: InstructionParams['quantizedMatmul'],
  [x, weight, scales, bias]: readonly [Floats32, Uint8Array<ArrayBuffer>, Floats32, ...Floats32[]],
  [out]: readonly [Floats32],
): void {
  const activate = activations[p.activation]
  const slope = Math.fround(p.slope)
  const integers = new Int32Array(p.k)
  for (let i = 0; i < p.m; i++) {
    const rowScale = quantizeRow(x.subarray(i * p.k, (i + 1) * p.k), integers)
    const row = out.subarray(i * p.n, (i + 1) * p.n)
    for (let j = 0; j < p.n; j++) {
      row[j] = Math.fround(dot(integers, weight, j)) * Math.fround(rowScale * scales[j]!)
      if (bias !== undefined) row[j]! += bias[j]!
      if (p.activation !== 'none') row[j] = activate(row[j]!, slope)
    }
  }
}

/** The greatest magnitude whose quotient of 127 is finite is some more than this. */
const leastMagnitude = 2 ** -119

/** Rounds a row to integers of at most 127, and gives what they are to be multiplied by: NaN where an element is not finite. */
function quantizeRow(row: Floats32, integers: Int32Array): number {
  const greatest = row.reduce((most, x) => Math.max(most, Math.abs(x)), 0)
  if (greatest < leastMagnitude || !Number.isFinite(greatest)) {
    integers.fill(0)
    return greatest < leastMagnitude ? 0 : Number.NaN
  }
  const inverse = Math.fround(127 / greatest)
  for (const [q, x] of row.entries()) integers[q] = roundToEven(Math.fround(x * inverse))
  return Math.fround(greatest / 127)
}

/** The sum of the products of a row and the weights of output j. */
function dot(integers: Int32Array, weight: Uint8Array, j: number): number {
  const steps = Math.ceil(integers.length / panelInputs)
  const start = panelInputs * (Math.floor(j / panelOutputs) * steps * panelOutputs + (j % panelOutputs))
  let sum = 0
  for (const [q, x] of integers.entries()) {
    const step = Math.floor(q / panelInputs)
    sum += x * (weight[start + step * panelOutputs * panelInputs + (q % panelInputs)]! - 128)
  }
  return sum
}

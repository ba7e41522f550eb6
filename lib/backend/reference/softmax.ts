/** Softmax and its relatives, row by row: exponentials of x − max, which cannot overflow. */
import type { InstructionParams } from '../../program/instructions.ts'
import { checkIndices } from './indexing.ts'
import type { Floats, Indices, RangeFault } from './loop.ts'

type Rows = Readonly<InstructionParams['softmax']>

/** max and Σ exp(x − max) of a row. */
function rowStatistics(row: Floats): { max: number; sum: number } {
  let max = -Infinity
  for (const x of row) max = Math.max(max, x)
  let sum = 0
  for (const x of row) sum += Math.exp(x - max)
  return { max, sum }
}

export function softmax({ rows, columns }: Rows, [x]: readonly [Floats], [out]: readonly [Floats]): void {
  for (let start = 0; start < rows * columns; start += columns) {
    const row = x.subarray(start, start + columns)
    const { max, sum } = rowStatistics(row)
    for (const [j, value] of row.entries()) out[start + j] = Math.exp(value - max) / sum
  }
}

export function logSoftmax({ rows, columns }: Rows, [x]: readonly [Floats], [out]: readonly [Floats]): void {
  for (let start = 0; start < rows * columns; start += columns) {
    const row = x.subarray(start, start + columns)
    const { max, sum } = rowStatistics(row)
    for (const [j, value] of row.entries()) out[start + j] = value - max - Math.log(sum)
  }
}

type LossOutputs = readonly [losses: Floats, ...gradient: Floats[]]

export function softmaxCrossEntropy(
  rows: Rows,
  [logits, labels]: readonly [Floats, Floats | Indices],
  outputs: LossOutputs,
  fault: RangeFault,
): void {
  if (labels instanceof Int32Array) crossEntropyOfClasses(rows, logits, labels, outputs, fault)
  else crossEntropyOfProbabilities(rows, logits, labels, outputs)
}

function crossEntropyOfClasses(
  { columns }: Rows,
  logits: Floats,
  labels: Indices,
  [losses, gradient]: LossOutputs,
  fault: RangeFault,
): void {
  checkIndices(labels, columns, fault)
  for (const [i, label] of labels.entries()) {
    const row = logits.subarray(i * columns, (i + 1) * columns)
    const { max, sum } = rowStatistics(row)
    losses[i] = Math.log(sum) - (row[label]! - max)
    if (!gradient) continue
    for (const [j, logit] of row.entries())
      gradient[i * columns + j] = Math.exp(logit - max) / sum - (j === label ? 1 : 0)
  }
}

function crossEntropyOfProbabilities(
  { rows, columns }: Rows,
  logits: Floats,
  labels: Floats,
  [losses, gradient]: LossOutputs,
): void {
  for (let i = 0; i < rows; i++) {
    const start = i * columns
    const row = logits.subarray(start, start + columns)
    const { max, sum } = rowStatistics(row)
    let loss = 0
    let total = 0
    for (const [j, logit] of row.entries()) {
      const p = labels[start + j]!
      // An impossible class that has no weight is no 0·∞.
      if (p !== 0) loss += p * (Math.log(sum) - (logit - max))
      total += p
    }
    losses[i] = loss
    if (!gradient) continue
    for (const [j, logit] of row.entries())
      gradient[start + j] = (Math.exp(logit - max) / sum) * total - labels[start + j]!
  }
}

/** Softmax and its relatives, row by row: exponentials of x − max, which cannot overflow. */
import type { InstructionParams } from '../../program/instructions.ts'
import { checkIndices } from './indexing.ts'
import type { Floats, IndexFault, Indices } from './loop.ts'

type Rows = Readonly<InstructionParams['softmax']>

/** max and Σ exp(x − max) of one row. */
function rowStatistics(x: Floats, start: number, columns: number): { max: number; sum: number } {
  let max = -Infinity
  for (let j = 0; j < columns; j++) max = Math.max(max, x[start + j]!)
  let sum = 0
  for (let j = 0; j < columns; j++) sum += Math.exp(x[start + j]! - max)
  return { max, sum }
}

export function softmax({ rows, columns }: Rows, [x]: readonly [Floats], [out]: readonly [Floats]): void {
  for (let start = 0; start < rows * columns; start += columns) {
    const { max, sum } = rowStatistics(x, start, columns)
    for (let j = start; j < start + columns; j++) out[j] = Math.exp(x[j]! - max) / sum
  }
}

export function logSoftmax({ rows, columns }: Rows, [x]: readonly [Floats], [out]: readonly [Floats]): void {
  for (let start = 0; start < rows * columns; start += columns) {
    const { max, sum } = rowStatistics(x, start, columns)
    for (let j = start; j < start + columns; j++) out[j] = x[j]! - max - Math.log(sum)
  }
}

type LossOutputs = readonly [losses: Floats, ...gradient: Floats[]]

export function softmaxCrossEntropy(
  rows: Rows,
  [logits, labels]: readonly [Floats, Floats | Indices],
  outputs: LossOutputs,
  fault: IndexFault,
): void {
  if (labels instanceof Int32Array) crossEntropyOfClasses(rows, logits, labels, outputs, fault)
  else crossEntropyOfProbabilities(rows, logits, labels, outputs)
}

function crossEntropyOfClasses(
  { rows, columns }: Rows,
  logits: Floats,
  labels: Indices,
  [losses, gradient]: LossOutputs,
  fault: IndexFault,
): void {
  checkIndices(labels, columns, fault)
  for (let i = 0; i < rows; i++) {
    const start = i * columns
    const { max, sum } = rowStatistics(logits, start, columns)
    const label = labels[i]!
    losses[i] = Math.log(sum) - (logits[start + label]! - max)
    if (!gradient) continue
    for (let j = 0; j < columns; j++)
      gradient[start + j] = Math.exp(logits[start + j]! - max) / sum - (j === label ? 1 : 0)
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
    const { max, sum } = rowStatistics(logits, start, columns)
    let loss = 0
    let total = 0
    for (let j = start; j < start + columns; j++) {
      loss += labels[j]! * (Math.log(sum) - (logits[j]! - max))
      total += labels[j]!
    }
    losses[i] = loss
    if (!gradient) continue
    for (let j = start; j < start + columns; j++) gradient[j] = (Math.exp(logits[j]! - max) / sum) * total - labels[j]!
  }
}

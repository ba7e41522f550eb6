/** Rows by index. All indices are checked before anything is written. */
import type { TypedArray } from '../../dtype.ts'
import type { InstructionParams } from '../../program/instructions.ts'
import type { IndexFault, Indices, Numbers } from './loop.ts'

export function checkIndices(indices: Indices, limit: number, fault: IndexFault): void {
  const position = indices.findIndex((index) => index < 0 || index >= limit)
  if (position !== -1) throw fault(position, indices[position]!, limit)
}

export function gather(
  { rows, rowSize, count }: InstructionParams['gather'],
  [x, indices]: readonly [TypedArray, Indices],
  [out]: readonly [TypedArray],
  fault: IndexFault,
): void {
  checkIndices(indices, rows, fault)
  for (let i = 0; i < count; i++) {
    const start = indices[i]! * rowSize
    out.set(x.subarray(start, start + rowSize), i * rowSize)
  }
}

/** Each addition rounds: the order is part of the definition. */
export function scatterAdd(
  { rows, rowSize, count }: InstructionParams['scatterAdd'],
  [x, indices, updates]: readonly [Numbers, Indices, Numbers],
  [out]: readonly [Numbers],
  fault: IndexFault,
): void {
  checkIndices(indices, rows, fault)
  out.set(x)
  for (let i = 0; i < count; i++) {
    const target = indices[i]! * rowSize
    const source = i * rowSize
    for (let j = 0; j < rowSize; j++) out[target + j] = out[target + j]! + updates[source + j]!
  }
}

/** Rows and elements by index. All indices are checked before anything is written. */
import type { TypedArray } from '../../base/dtype.ts'
import type { InstructionParams } from '../../program/instructions.ts'
import type { Indices, Numbers, RangeFault } from './loop.ts'

export function checkIndices(indices: Indices, limit: number, fault: RangeFault): void {
  for (const [position, index] of indices.entries())
    if (index < 0 || index >= limit) throw fault(position, index, limit)
}

export function gather(
  { rows, rowSize }: InstructionParams['gather'],
  [x, indices]: readonly [TypedArray, Indices],
  [out]: readonly [TypedArray],
  fault: RangeFault,
): void {
  checkIndices(indices, rows, fault)
  for (const [i, index] of indices.entries()) out.set(x.subarray(index * rowSize, (index + 1) * rowSize), i * rowSize)
}

/** Each addition rounds: the order is part of the definition. */
export function scatterAdd(
  { rows, rowSize }: InstructionParams['scatterAdd'],
  [x, indices, updates]: readonly [Numbers, Indices, Numbers],
  [out]: readonly [Numbers],
  fault: RangeFault,
): void {
  checkIndices(indices, rows, fault)
  out.set(x)
  for (const [i, index] of indices.entries()) {
    const row = updates.subarray(i * rowSize, (i + 1) * rowSize)
    for (const [j, update] of row.entries()) out[index * rowSize + j]! += update
  }
}

/** Calls with each position of the indices and the element of x that its index names. */
function forEachAlongAxis(
  { rows, count, inner }: InstructionParams['takeAlongAxis'],
  indices: Indices,
  visit: (position: number, element: number) => void,
): void {
  for (const [position, index] of indices.entries()) {
    const outer = Math.floor(position / (count * inner))
    visit(position, (outer * rows + index) * inner + (position % inner))
  }
}

export function takeAlongAxis(
  params: InstructionParams['takeAlongAxis'],
  [x, indices]: readonly [TypedArray, Indices],
  [out]: readonly [TypedArray],
  fault: RangeFault,
): void {
  checkIndices(indices, params.rows, fault)
  forEachAlongAxis(params, indices, (position, element) => {
    out[position] = x[element]!
  })
}

/** Of several updates of an element the last one stays, or each addition rounds: the order is part of the definition. */
export function scatterAlongAxis(
  params: InstructionParams['scatterAlongAxis'],
  [x, indices, updates]: readonly [TypedArray, Indices, TypedArray],
  [out]: readonly [TypedArray],
  fault: RangeFault,
): void {
  checkIndices(indices, params.rows, fault)
  out.set(x)
  forEachAlongAxis(params, indices, (position, element) => {
    const update = updates[position]!
    out[element] = params.accumulate ? out[element]! + update : update
  })
}

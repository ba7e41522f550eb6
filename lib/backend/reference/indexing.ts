/** Rows and elements by index. All indices are checked before anything is written. */
import type { TypedArray } from '../../base/dtype.ts'
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

/** Calls with each position of the indices and the element of x that its index names. */
function forEachAlongAxis(
  { outer, rows, count, inner }: InstructionParams['takeAlongAxis'],
  indices: Indices,
  visit: (position: number, element: number) => void,
): void {
  for (let o = 0, position = 0; o < outer; o++)
    for (let i = 0; i < count; i++)
      for (let j = 0; j < inner; j++, position++) visit(position, (o * rows + indices[position]!) * inner + j)
}

export function takeAlongAxis(
  params: InstructionParams['takeAlongAxis'],
  [x, indices]: readonly [TypedArray, Indices],
  [out]: readonly [TypedArray],
  fault: IndexFault,
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
  fault: IndexFault,
): void {
  checkIndices(indices, params.rows, fault)
  out.set(x)
  forEachAlongAxis(params, indices, (position, element) => {
    out[element] = params.accumulate ? out[element]! + updates[position]! : updates[position]!
  })
}

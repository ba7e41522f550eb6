/** From the values of a program to arrays: those that belong to it, and those that a run binds. */
import { arrayAt, isArrayOf, type TypedArray } from '../../base/dtype.ts'
import { expected } from '../../base/errors.ts'
import { zipWith } from '../../base/lists.ts'
import { sizeOf } from '../../base/shape.ts'
import { bufferCount, formatType, type Program, type Value } from '../../program/program.ts'
import type { Buffers } from '../backend.ts'

/** The arrays of one run, by value; a state's is the one that the run writes. */
export interface Bound {
  readonly arrays: readonly TypedArray[]
  readonly oldStates: Buffers
  readonly newStates: Buffers
}

/** A typed array for every arena and literal value; the others are bound by each run. */
export function fixedArrays(program: Program): readonly (TypedArray | undefined)[] {
  const arena = new ArrayBuffer(program.arenaBytes)
  return program.values.map((value) => fixedArray(program, value, arena))
}

function fixedArray(program: Program, { dtype, shape, place }: Value, arena: ArrayBuffer): TypedArray | undefined {
  if (place.kind === 'literal') return program.literals[place.index]
  return place.kind === 'arena' ? arrayAt(dtype, arena, place.offset, sizeOf(shape)) : undefined
}

/** @throws TypeError for buffers that are not what the program binds */
export function bindBuffers(program: Program, fixed: readonly (TypedArray | undefined)[], buffers: Buffers): Bound {
  const { inputCount, stateCount, values } = program
  if (buffers.length !== bufferCount(program))
    throw new TypeError(expected('run', `${bufferCount(program)} buffers`, buffers.length))
  const arrays = zipWith(fixed, values, (array, value) => array ?? boundArray(program, value, buffers))
  const oldStates = buffers.slice(inputCount, inputCount + stateCount)
  const newStates = buffers.slice(inputCount + stateCount, inputCount + 2 * stateCount)
  return { arrays, oldStates, newStates }
}

function boundArray({ inputCount, stateCount }: Program, value: Value, buffers: Buffers): TypedArray {
  const { kind, index } = value.place as { kind: 'input' | 'state' | 'result'; index: number }
  if (kind === 'state') checkBuffer(value, buffers, inputCount + index)
  const firstOf = { input: 0, state: inputCount + stateCount, result: inputCount + 2 * stateCount }
  return checkBuffer(value, buffers, firstOf[kind] + index)
}

function checkBuffer(value: Value, buffers: Buffers, index: number): TypedArray {
  const buffer = buffers[index]
  if (buffer !== undefined && isArrayOf(value.dtype, buffer) && buffer.length === sizeOf(value.shape)) return buffer
  const got = ArrayBuffer.isView(buffer) ? `${(buffer as object).constructor.name} of ${buffer.length}` : buffer
  throw new TypeError(expected('run', `${formatType(value)} as buffer ${index}`, got))
}

export function copyStates({ oldStates, newStates }: Bound): void {
  zipWith(newStates, oldStates, (state, old) => {
    if (state !== old) state.set(old)
  })
}

/** A program before its memory is planned: lowering writes it, fusion rewrites it, the planner turns it into a Program. */
import type { DType, TypedArray } from '../dtype.ts'
import type { Shape } from '../shape.ts'
import type { Instruction, InstructionParams, Opcode } from './instructions.ts'
import type { Place } from './program.ts'

export interface DraftValue {
  readonly dtype: DType
  readonly shape: Shape
  /** null: the planner decides. */
  place: Place | null
}

/** The value that a state has when the program ends. */
export interface StateUpdate {
  readonly state: number
  readonly value: number
}

export interface Draft {
  readonly values: DraftValue[]
  instructions: Instruction[]
  readonly literals: TypedArray[]
  readonly updates: StateUpdate[]
  inputCount: number
  stateCount: number
  resultCount: number
}

export const emptyDraft = (): Draft => ({
  values: [],
  instructions: [],
  literals: [],
  updates: [],
  inputCount: 0,
  stateCount: 0,
  resultCount: 0,
})

export function addValue(draft: Draft, dtype: DType, shape: Shape, place: Place | null = null): number {
  draft.values.push({ dtype, shape, place })
  return draft.values.length - 1
}

export const instruction = <K extends Opcode>(
  opcode: K,
  inputs: readonly number[],
  outputs: readonly number[],
  params: InstructionParams[K],
): Instruction => ({ opcode, inputs, outputs, params }) as unknown as Instruction

/** Who needs each value: the number of instructions that read it, one more where it leaves the program, and the last reader. */
export interface Uses {
  readonly counts: Int32Array
  readonly lastReaders: Int32Array
}

export function usesOf({ values, instructions, updates }: Draft): Uses {
  const counts = new Int32Array(values.length)
  const lastReaders = new Int32Array(values.length).fill(-1)
  values.forEach(({ place }, id) => {
    if (place !== null) counts[id]!++
  })
  for (const { value } of updates) counts[value]!++
  instructions.forEach(({ inputs }, position) => {
    for (const id of inputs) {
      if (lastReaders[id] !== position) counts[id]!++
      lastReaders[id] = position
    }
  })
  return { counts, lastReaders }
}

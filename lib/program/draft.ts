/** A program before its memory is planned: lowering writes it, fusion rewrites it, the planner turns it into a Program. */
import type { DType, TypedArray } from '../base/dtype.ts'
import { type Shape, sizeOf } from '../base/shape.ts'
import type { Instruction, InstructionParams, Opcode } from './instructions.ts'
import { type Place, valueAt } from './program.ts'

/**
 * Gives its first input once all of them are there. What is computed from the output is not merged with what is
 * computed from the input, nor moved before the barrier. It ends with the passes: see barriers.ts.
 */
export interface Barrier {
  readonly opcode: 'barrier'
  readonly inputs: readonly number[]
  readonly outputs: readonly number[]
  readonly params: Readonly<Record<string, never>>
}

export type DraftInstruction = Instruction | Barrier

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

export interface Draft<I extends DraftInstruction = DraftInstruction> {
  readonly values: DraftValue[]
  instructions: I[]
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

/** A draft that the planner takes: its barriers are gone. */
export type PlannedDraft = Draft<Instruction>

export function addValue(draft: Pick<Draft, 'values'>, dtype: DType, shape: Shape, place: Place | null = null): number {
  draft.values.push({ dtype, shape, place })
  return draft.values.length - 1
}

export const instruction = <K extends Opcode>(
  opcode: K,
  inputs: readonly number[],
  outputs: readonly number[],
  params: InstructionParams[K],
): Instruction => ({ opcode, inputs, outputs, params }) as unknown as Instruction

/**
 * Whoever needs `value` takes `source`, which is equal: noted in `replaced`, for `renameValues`. The instruction that is
 * still needed: a copy, where both have a buffer of their own to fill.
 */
export function substitute(
  { values }: Pick<Draft, 'values'>,
  value: number,
  source: number,
  replaced: Map<number, number>,
): Instruction[] {
  const [made, equal] = [valueAt({ values }, value), valueAt({ values }, replaced.get(source) ?? source)]
  if (made.place !== null && equal.place !== null) {
    const params = { shape: [sizeOf(made.shape)], offset: 0, strides: [1] }
    return [instruction('copy', [replaced.get(source) ?? source], [value], params)]
  }
  equal.place ??= made.place
  made.place = null
  replaced.set(value, replaced.get(source) ?? source)
  return []
}

/** Readers of a value take another one instead. */
export function renameValues(draft: Draft, replaced: ReadonlyMap<number, number>): void {
  if (replaced.size === 0) return
  const rename = (value: number) => replaced.get(value) ?? value
  const isRenamed = (value: number) => replaced.has(value)
  const { instructions } = draft
  for (let i = 0; i < instructions.length; i++) {
    const { opcode, inputs, outputs, params } = instructions[i]!
    if (inputs.some(isRenamed))
      instructions[i] = { opcode, inputs: inputs.map(rename), outputs, params } as DraftInstruction
  }
  draft.updates.forEach(({ state, value }, i) => {
    draft.updates[i] = { state, value: rename(value) }
  })
}

/** Who needs each value: the number of instructions that read it, one more where it leaves the program, and the last reader. */
export interface Uses {
  readonly counts: Int32Array
  readonly lastReaders: Int32Array
}

export function usesOf({ values, instructions, updates }: Draft): Uses {
  const counts = new Int32Array(values.length)
  const lastReaders = new Int32Array(values.length).fill(-1)
  for (let id = 0; id < values.length; id++) if (values[id]!.place !== null) counts[id]!++
  for (const { value } of updates) counts[value]!++
  for (let position = 0; position < instructions.length; position++) {
    const { inputs } = instructions[position]!
    for (let i = 0; i < inputs.length; i++) {
      const id = inputs[i]!
      if (lastReaders[id] !== position) counts[id]!++
      lastReaders[id] = position
    }
  }
  return { counts, lastReaders }
}

/** A program whose every value the caller sees, for the contract is one of single instructions. */

import type { TypedArray } from '../../../lib/base/dtype.ts'
import type { Instruction } from '../../../lib/program/instructions.ts'
import { microResultDType } from '../../../lib/program/micro-ops.ts'
import type { Place, Program, Value } from '../../../lib/program/program.ts'
import { checkInstruction } from '../../support/instruction-contract.ts'
import type { Typed } from '../../support/run.ts'

/** Values of the arena become results, after those that there are, and so do the steps of elementwise groups. */
export function expose(program: Program): Program {
  let resultCount = program.resultCount
  const result = (): Place => ({ kind: 'result', index: resultCount++ })
  const written = new Set(program.instructions.flatMap(({ outputs }) => outputs))
  const values: Value[] = program.values.map((value, id) =>
    value.place.kind === 'arena' && written.has(id) ? { ...value, place: result() } : value,
  )
  const instructions = program.instructions.map((instruction): Instruction => {
    if (instruction.opcode !== 'elementwise') return instruction
    const { inputs, outputs, params } = instruction
    const added = params.code.map(
      (step) => values.push({ dtype: microResultDType(step), shape: params.shape, place: result() }) - 1,
    )
    const results = [...params.results, ...params.code.map((_, i) => inputs.length + i)]
    return { ...instruction, outputs: [...outputs, ...added], params: { ...params, results } }
  })
  return { ...program, values, instructions, resultCount }
}

/** Throws unless each instruction of an exposed program, which ran on these buffers, gave what the reference gives. */
export function checkExposed(program: Program, buffers: readonly TypedArray[]): void {
  const { values, instructions, literals, inputCount, stateCount } = program
  const updated = new Set(instructions.flatMap(({ outputs }) => outputs))
  const typed = (id: number): Typed => {
    const { dtype, place } = values[id]!
    if (place.kind === 'arena') throw new Error('an arena in an exposed program')
    if (place.kind === 'literal') return { dtype, data: literals[place.index]! }
    const first = {
      input: 0,
      state: inputCount + (updated.has(id) ? stateCount : 0),
      result: inputCount + 2 * stateCount,
    }
    return { dtype, data: buffers[first[place.kind] + place.index]! }
  }
  for (const instruction of instructions) {
    const [inputs, outputs] = [instruction.inputs.map(typed), instruction.outputs.map(typed)]
    if (isInDomain(instruction, inputs, outputs)) checkInstruction(instruction, inputs, outputs)
  }
}

/**
 * Updates are defined for finite numbers, those of Adam for a mean of squares that is not below 0 and steps from 1 on. Where
 * nothing comes out, the extents that do not matter may be those of no array.
 */
function isInDomain({ opcode }: Instruction, inputs: readonly Typed[], outputs: readonly Typed[]): boolean {
  if (outputs.every(({ data }) => data.length === 0)) return false
  if (opcode !== 'sgd' && opcode !== 'momentum' && opcode !== 'adam') return true
  if (!inputs.every(({ data }) => data.every(Number.isFinite))) return false
  return opcode !== 'adam' || (inputs[3]!.data.every((v) => v >= 0) && inputs[5]!.data[0]! >= 1)
}

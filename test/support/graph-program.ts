/** Programs of recorded tensors, and what the planner made of them. */

import type { Backend } from '../../lib/backend/backend.ts'
import { createReferenceBackend } from '../../lib/backend/reference/index.ts'
import type { TypedArray } from '../../lib/base/dtype.ts'
import { lower, type NodeUpdate } from '../../lib/graph/lower.ts'
import { buildProgram } from '../../lib/program/build.ts'
import { type PassName, passNames } from '../../lib/program/passes/index.ts'
import { arenaAlignment, type Program, type Value, valueBytes } from '../../lib/program/program.ts'
import { verifyProgram } from '../../lib/program/verify.ts'
import type { Tensor } from '../../lib/tensor/tensor.ts'
import { nodeOf } from '../../lib/tensor/tensor.ts'
import { runProgram } from './run.ts'

export interface Built {
  readonly program: Program
  readonly inputs: readonly TypedArray[]
}

/** The program that computes these tensors, which obeys all rules. */
export function build(
  tensors: readonly Tensor[],
  passes: readonly PassName[] = passNames,
  updates: readonly NodeUpdate[] = [],
): Built {
  const { draft, inputs } = lower(tensors.map(nodeOf), updates)
  const program = buildProgram(draft, passes)
  verifyProgram(program)
  return { program, inputs: inputs.map(({ storage }) => storage!.array) }
}

const reference = createReferenceBackend()

export const resultsOf = ({ program, inputs }: Built, backend: Backend = reference): TypedArray[] =>
  runProgram(backend, program, inputs).results

export const opcodesOf = (program: Program): string[] => program.instructions.map(({ opcode }) => opcode)

/** The same program with every arena value in memory of its own. */
export function spread(program: Program): Program {
  let arenaBytes = 0
  const values = program.values.map((value): Value => {
    if (value.place.kind !== 'arena') return value
    const offset = arenaBytes
    arenaBytes += slotBytes(value)
    return { ...value, place: { kind: 'arena', offset } }
  })
  return { ...program, values, arenaBytes }
}

const slotBytes = (value: Value): number => Math.max(1, Math.ceil(valueBytes(value) / arenaAlignment)) * arenaAlignment

/** The most bytes of scratch memory that any instruction needs at once: what an arena cannot be smaller than. */
export function mostLiveBytes(program: Program): number {
  const lastRead = new Map<number, number>()
  program.instructions.forEach(({ inputs }, position) => {
    for (const id of inputs) lastRead.set(id, position)
  })
  const live = new Map<number, number>()
  let most = 0
  program.instructions.forEach(({ inputs, outputs }, position) => {
    const offsetOf = (id: number): number | null => {
      const { place } = program.values[id]!
      return place.kind === 'arena' ? place.offset : null
    }
    for (const id of outputs) {
      const offset = offsetOf(id)
      if (offset !== null) live.set(offset, slotBytes(program.values[id]!))
    }
    most = Math.max(
      most,
      [...live.values()].reduce((sum, bytes) => sum + bytes, 0),
    )
    const kept = new Set(outputs.filter((id) => lastRead.has(id)).map(offsetOf))
    for (const id of [...inputs, ...outputs]) {
      const offset = offsetOf(id)
      if (offset !== null && (lastRead.get(id) ?? -1) <= position && !kept.has(offset)) live.delete(offset)
    }
  })
  return most
}

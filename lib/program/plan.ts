/** Memory planning: state updates where the state is, lifetimes to arena offsets, in place where an opcode allows it. */
import { byteLength } from '../shape.ts'
import { Arena } from './arena.ts'
import { type Draft, usesOf } from './draft.ts'
import { mayReplace } from './in-place.ts'
import type { Program, Value } from './program.ts'
import { placeUpdates } from './updates.ts'

/** Turns a draft into a program. The draft is used up. */
export function plan(draft: Draft): Program {
  placeUpdates(draft)
  const { arenaBytes, offsets } = assignOffsets(draft)
  const { values, renumber } = compactValues(draft, offsets)
  const { literals, inputCount, stateCount, resultCount } = draft
  const instructions = draft.instructions.map((instruction) => ({
    ...instruction,
    inputs: instruction.inputs.map(renumber),
    outputs: instruction.outputs.map(renumber),
  }))
  return { values, instructions, literals, inputCount, stateCount, resultCount, arenaBytes }
}

const bytesOf = (draft: Draft, value: number): number =>
  byteLength(draft.values[value]!.dtype, draft.values[value]!.shape)

/** Walks the instructions once; a value takes its slot when it is written and gives it back after its last reader. */
function assignOffsets(draft: Draft): { arenaBytes: number; offsets: Map<number, number> } {
  const arena = new Arena()
  const offsets = new Map<number, number>()
  const { lastReaders } = usesOf(draft)
  draft.instructions.forEach((instruction, position) => {
    const dying = [...new Set(instruction.inputs)].filter(
      (value) => offsets.has(value) && lastReaders[value] === position,
    )
    const taken = new Set<number>()
    instruction.outputs.forEach((output, i) => {
      if (draft.values[output]!.place !== null) return
      const donor = dying.find((value) => !taken.has(value) && mayReplace(draft, instruction, i, value))
      if (donor === undefined) offsets.set(output, arena.allocate(bytesOf(draft, output)))
      else {
        taken.add(donor)
        offsets.set(output, offsets.get(donor)!)
      }
    })
    for (const value of dying) if (!taken.has(value)) arena.free(offsets.get(value)!, bytesOf(draft, value))
    for (const value of instruction.outputs) {
      if (offsets.has(value) && lastReaders[value] === -1) arena.free(offsets.get(value)!, bytesOf(draft, value))
    }
  })
  return { arenaBytes: arena.bytes, offsets }
}

/** The values that instructions mention, and the program's bound ones, under new numbers. */
function compactValues(draft: Draft, offsets: ReadonlyMap<number, number>) {
  const numbers = new Map<number, number>()
  const values: Value[] = []
  const mentioned = new Set(draft.instructions.flatMap(({ inputs, outputs }) => [...inputs, ...outputs]))
  draft.values.forEach(({ dtype, shape, place }, id) => {
    const offset = offsets.get(id)
    const bound = place !== null && place.kind !== 'literal'
    if (!mentioned.has(id) && !bound) return
    numbers.set(id, values.length)
    values.push({ dtype, shape, place: offset === undefined ? place! : { kind: 'arena', offset } })
  })
  return { values, renumber: (id: number) => numbers.get(id)! }
}

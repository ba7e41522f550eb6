/** Memory planning: state updates where the state is, lifetimes to arena offsets, in place where an opcode allows it. */
import type { Draft } from './draft.ts'
import type { Program, Value } from './program.ts'
import { findSlots, placeSlots, type Slot } from './slots.ts'
import { placeUpdates } from './updates.ts'

/** Turns a draft into a program. The draft is used up. */
export function plan(draft: Draft): Program {
  placeUpdates(draft)
  const slots = findSlots(draft)
  const arenaBytes = placeSlots([...new Set(slots.values())])
  const { values, renumber } = compactValues(draft, slots)
  const { literals, inputCount, stateCount, resultCount } = draft
  const instructions = draft.instructions.map((instruction) => ({
    ...instruction,
    inputs: instruction.inputs.map(renumber),
    outputs: instruction.outputs.map(renumber),
  }))
  return { values, instructions, literals, inputCount, stateCount, resultCount, arenaBytes }
}

/** The values that instructions mention, and the program's bound ones, under new numbers. */
function compactValues(draft: Draft, slots: ReadonlyMap<number, Slot>) {
  const numbers = new Map<number, number>()
  const values: Value[] = []
  const mentioned = new Set(draft.instructions.flatMap(({ inputs, outputs }) => [...inputs, ...outputs]))
  draft.values.forEach(({ dtype, shape, place }, id) => {
    const offset = slots.get(id)?.offset
    const bound = place !== null && place.kind !== 'literal'
    if (!mentioned.has(id) && !bound) return
    numbers.set(id, values.length)
    values.push({ dtype, shape, place: offset === undefined ? place! : { kind: 'arena', offset } })
  })
  return { values, renumber: (id: number) => numbers.get(id)! }
}

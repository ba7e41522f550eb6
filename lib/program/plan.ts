/** Memory planning: state updates where the state is, lifetimes to arena offsets, in place where an opcode allows it. */

import type { TypedArray } from '../base/dtype.ts'
import { elementAt } from '../base/lists.ts'
import { instruction, type PlannedDraft } from './draft.ts'
import type { Place, Program, Value } from './program.ts'
import { findSlots, placeApart, placeSlots, type Slot } from './slots.ts'
import { placeUpdates } from './updates.ts'

export interface PlanOptions {
  /** Values are written over operands and states that nobody reads any more. */
  readonly inPlace: boolean
  /** Values that are not needed at the same time share memory. */
  readonly reuse: boolean
}

/** Turns a draft into a program. The draft is used up. */
export function plan(draft: PlannedDraft, { inPlace, reuse }: PlanOptions): Program {
  placeUpdates(draft, inPlace)
  const slots = findSlots(draft, inPlace)
  const arenaBytes = (reuse ? placeSlots : placeApart)([...new Set(slots.values())])
  const { values, literals, renumber } = compactValues(draft, slots)
  const { inputCount, stateCount, resultCount } = draft
  const instructions = draft.instructions.map(({ opcode, inputs, outputs, params }) =>
    instruction(opcode, inputs.map(renumber), outputs.map(renumber), params),
  )
  return { values, instructions, literals, inputCount, stateCount, resultCount, arenaBytes }
}

/** The values that instructions mention, and the program's bound ones, under new numbers; and the literals among them. */
function compactValues(draft: PlannedDraft, slots: ReadonlyMap<number, Slot>) {
  /** Of those that are not mentioned it is −1. */
  const numbers = new Int32Array(draft.values.length).fill(-1)
  const values: Value[] = []
  const literals: TypedArray[] = []
  for (const { inputs, outputs } of draft.instructions) {
    for (const id of inputs) numbers[id] = 0
    for (const id of outputs) numbers[id] = 0
  }
  const placeOf = (place: Place, offset: number | undefined): Place => {
    if (offset !== undefined) return { kind: 'arena', offset }
    if (place.kind !== 'literal') return place
    return { kind: 'literal', index: literals.push(elementAt(draft.literals, place.index)) - 1 }
  }
  draft.values.forEach(({ dtype, shape, place }, id) => {
    const bound = place !== null && place.kind !== 'literal'
    if (numbers[id] === -1 && !bound) return
    numbers[id] = values.length
    values.push({ dtype, shape, place: placeOf(place!, slots.get(id)?.offset) })
  })
  return { values, literals, renumber: (id: number) => numbers[id]! }
}

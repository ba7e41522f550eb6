/** Common subexpressions: what two instructions compute alike from the same values is computed once. */
import { elementAt } from '../../base/lists.ts'
import { sizeOf } from '../../base/shape.ts'
import { type Draft, type DraftInstruction, renameValues, substitute } from '../draft.ts'
import { type Instruction, isCheap } from '../instructions.ts'
import { valueAt } from '../program.ts'

export function mergeCommon(draft: Draft): void {
  const replaced = new Map<number, number>()
  /** By value, the first one that is known to be equal. */
  const firstOf = new Map<number, number>()
  shareLiterals(draft, replaced, firstOf)
  const onlyElementwise = readOnlyByElementwise(draft)
  const known = new Map<string, Instruction>()
  const rest: DraftInstruction[] = []
  for (const next of draft.instructions) {
    // No two barriers are the same, so that what follows one stays apart from what follows the other.
    if (next.opcode === 'barrier') {
      rest.push(next)
      continue
    }
    const key = keyOf(draft, next, firstOf)
    const first = known.get(key)
    if (first === undefined) {
      known.set(key, next)
      rest.push(next)
      continue
    }
    next.outputs.forEach((value, i) => {
      firstOf.set(value, firstOf.get(elementAt(first.outputs, i)) ?? elementAt(first.outputs, i))
    })
    // A group that reads it computes it for less than what reading it costs.
    if (isCheap(next) && next.outputs.every((value) => onlyElementwise[value] === 1)) rest.push(next)
    else
      next.outputs.forEach((value, i) => {
        rest.push(...substitute(draft, value, elementAt(first.outputs, i), replaced))
      })
  }
  draft.instructions = rest
  renameValues(draft, replaced)
}

/** Scalars of the same dtype and number. */
function shareLiterals({ values, literals }: Draft, replaced: Map<number, number>, firstOf: Map<number, number>): void {
  const known = new Map<string, number>()
  values.forEach(({ dtype, place }, value) => {
    const data = place?.kind === 'literal' ? elementAt(literals, place.index) : null
    if (data?.length !== 1) return
    const key = `${dtype} ${Object.is(data[0], -0) ? '-0' : data[0]}`
    const first = known.get(key)
    if (first === undefined) known.set(key, value)
    else {
      replaced.set(value, first)
      firstOf.set(value, first)
    }
  })
}

/** By value, 1 where elementwise instructions read it, and nothing else needs it. */
function readOnlyByElementwise({ values, instructions, updates }: Draft): Uint8Array {
  const found = new Uint8Array(values.length)
  for (const { opcode, inputs } of instructions)
    if (opcode === 'elementwise') for (const value of inputs) found[value] = 1
  for (const { opcode, inputs } of instructions)
    if (opcode !== 'elementwise') for (const value of inputs) found[value] = 0
  for (const { value } of updates) found[value] = 0
  values.forEach(({ place }, value) => {
    if (place !== null) found[value] = 0
  })
  return found
}

/** A text that two instructions share exactly when they compute the same. */
function keyOf({ values }: Draft, next: Instruction, firstOf: ReadonlyMap<number, number>): string {
  let key: string = next.opcode
  for (const value of next.inputs) key += ` ${firstOf.get(value) ?? value}`
  for (const value of next.outputs)
    key += ` ${valueAt({ values }, value).dtype} ${sizeOf(valueAt({ values }, value).shape)}`
  return key + keyOfParam(next.params)
}

function keyOfParam(x: unknown): string {
  if (typeof x !== 'object' || x === null) return ` ${Object.is(x, -0) ? '-0' : x}`
  let key = Array.isArray(x) ? `[${x.length}` : ''
  if (Array.isArray(x)) for (const item of x) key += keyOfParam(item)
  else for (const name in x) key += keyOfParam(x[name as keyof typeof x])
  return key
}

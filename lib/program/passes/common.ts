/** Common subexpressions: what two instructions compute alike from the same values is computed once. */
import { hashData, hashText, mix, sameData } from '../../base/hash.ts'
import { elementAt } from '../../base/lists.ts'
import { sizeOf } from '../../base/shape.ts'
import { type Draft, type DraftInstruction, renameValues, substitute } from '../draft.ts'
import { type Instruction, isCheap } from '../instructions.ts'

export function mergeCommon(draft: Draft): void {
  const replaced = new Map<number, number>()
  /** By value, the first one that is known to be equal. */
  const firstOf = new Map<number, number>()
  shareLiterals(draft, replaced, firstOf)
  const onlyElementwise = readOnlyByElementwise(draft)
  const known = new KnownInstructions(draft, firstOf)
  const rest: DraftInstruction[] = []
  for (const next of draft.instructions) {
    // No two barriers are the same, so that what follows one stays apart from what follows the other.
    if (next.opcode === 'barrier') {
      rest.push(next)
      continue
    }
    const first = known.findOrAdd(next)
    if (first === null) {
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

/** By value, who needs it: 1 where elementwise instructions alone do. */
function readOnlyByElementwise({ values, instructions, updates }: Draft): Uint8Array {
  const found = new Uint8Array(values.length)
  const readByOthers = 2
  for (const { opcode, inputs } of instructions) {
    const reader = opcode === 'elementwise' ? 1 : readByOthers
    for (let i = 0; i < inputs.length; i++) found[inputs[i]!]! |= reader
  }
  for (const { value } of updates) found[value] = readByOthers
  values.forEach(({ place }, value) => {
    if (place !== null) found[value] = readByOthers
  })
  return found
}

/** Instructions by what they compute: a hash of it, then an exact comparison. */
class KnownInstructions {
  readonly #byHash = new Map<number, Instruction[]>()
  readonly #values: Draft['values']
  readonly #firstOf: ReadonlyMap<number, number>

  constructor({ values }: Draft, firstOf: ReadonlyMap<number, number>) {
    this.#values = values
    this.#firstOf = firstOf
  }

  /** One that computes the same; null where there was none, and this one is known from now on. */
  findOrAdd(next: Instruction): Instruction | null {
    const hash = this.#hashOf(next)
    const alike = this.#byHash.get(hash)
    if (alike === undefined) {
      this.#byHash.set(hash, [next])
      return null
    }
    const first = alike.find((other) => this.#computesSame(other, next))
    if (first === undefined) alike.push(next)
    return first ?? null
  }

  #first(value: number): number {
    return this.#firstOf.get(value) ?? value
  }

  #hashOf({ opcode, inputs, params }: Instruction): number {
    let hash = hashText(inputs.length, opcode)
    for (let i = 0; i < inputs.length; i++) hash = mix(hash, this.#first(inputs[i]!))
    return hashData(hash, params)
  }

  #computesSame(a: Instruction, b: Instruction): boolean {
    if (a.opcode !== b.opcode || a.inputs.length !== b.inputs.length || a.outputs.length !== b.outputs.length)
      return false
    for (let i = 0; i < a.inputs.length; i++) if (this.#first(a.inputs[i]!) !== this.#first(b.inputs[i]!)) return false
    for (let i = 0; i < a.outputs.length; i++) if (!this.#sameType(a.outputs[i]!, b.outputs[i]!)) return false
    return sameData(a.params, b.params)
  }

  #sameType(a: number, b: number): boolean {
    const [x, y] = [this.#values[a]!, this.#values[b]!]
    return x.dtype === y.dtype && sizeOf(x.shape) === sizeOf(y.shape)
  }
}

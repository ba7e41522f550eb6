/** Dead code: what nobody reads is not computed. What may end the run stays. */
import { type Draft, usesOf } from '../draft.ts'
import { type Instruction, opcodeFacts } from '../instructions.ts'

export function removeDead(draft: Draft): void {
  const readers = readersOf(draft)
  const kept: Instruction[] = []
  for (let position = draft.instructions.length - 1; position >= 0; position--) {
    const next = draft.instructions[position]!
    if (next.outputs.some((value) => readers[value]! > 0) || opcodeFacts[next.opcode].fallible)
      kept.push(withoutUnreadGradient(next, readers))
    else for (const value of new Set(next.inputs)) readers[value]!--
  }
  draft.instructions = kept.reverse()
}

/** How many need each value. */
const readersOf = (draft: Draft): Int32Array => usesOf(draft).counts

/** A loss whose gradient nobody reads is computed without it. */
function withoutUnreadGradient(next: Instruction, readers: Int32Array): Instruction {
  if (next.opcode !== 'softmaxCrossEntropy') return next
  const [losses, gradient] = next.outputs
  return gradient !== undefined && readers[gradient] === 0 ? { ...next, outputs: [losses!] } : next
}

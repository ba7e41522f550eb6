/** Dead code: what nobody reads is not computed. What may end the run stays. */
import { elementAt } from '../../base/lists.ts'
import { type Draft, type DraftInstruction, usesOf } from '../draft.ts'
import { isFallible } from '../signatures.ts'

export function removeDead(draft: Draft): void {
  const readers = readersOf(draft)
  const kept: DraftInstruction[] = []
  for (let position = draft.instructions.length - 1; position >= 0; position--) {
    const next = elementAt(draft.instructions, position)
    if (next.outputs.some((value) => readers[value]! > 0) || mayEndRun(draft, next))
      kept.push(withoutUnreadGradient(next, readers))
    else for (const value of new Set(next.inputs)) readers[value]!--
  }
  draft.instructions = kept.reverse()
}

const mayEndRun = ({ values }: Draft, next: DraftInstruction): boolean =>
  next.opcode !== 'barrier' && isFallible(values, next)

/** How many need each value. */
const readersOf = (draft: Draft): Int32Array => usesOf(draft).counts

/** A loss whose gradient nobody reads is computed without it. */
function withoutUnreadGradient(next: DraftInstruction, readers: Int32Array): DraftInstruction {
  if (next.opcode !== 'softmaxCrossEntropy') return next
  const [, gradient] = next.outputs
  return gradient !== undefined && readers[gradient] === 0 ? { ...next, outputs: next.outputs.slice(0, 1) } : next
}

/** Barriers, once every pass has respected them: whoever reads what one gives reads what it is. */
import { elementAt } from '../base/lists.ts'
import { type Draft, type PlannedDraft, renameValues, substitute } from './draft.ts'

export function removeBarriers(draft: Draft): PlannedDraft {
  if (!draft.instructions.some(({ opcode }) => opcode === 'barrier')) return draft as PlannedDraft
  const replaced = new Map<number, number>()
  draft.instructions = draft.instructions.flatMap((next) =>
    next.opcode === 'barrier'
      ? substitute(draft, elementAt(next.outputs, 0), elementAt(next.inputs, 0), replaced)
      : [next],
  )
  renameValues(draft, replaced)
  return draft as PlannedDraft
}

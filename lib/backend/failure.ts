/** What a run throws where the data is out of range: the same words from every backend. */
import { elementAt } from '../base/lists.ts'
import type { Program } from '../program/program.ts'

/** `limit` is the first index that is too great; `position` counts within what the instruction looks at. */
export function rangeError(
  program: Program,
  instructionIndex: number,
  position: number,
  value: number,
  limit: number,
): RangeError {
  const { opcode, params } = elementAt(program.instructions, instructionIndex)
  if (opcode === 'demand')
    return new RangeError(`${params.what}, got ${value}${params.count === 1 ? '' : ` at position ${position}`}`)
  const [what, where] = opcode === 'softmaxCrossEntropy' ? ['labels', 'row'] : ['indices', 'position']
  return new RangeError(`${opcode}: expected ${what} in [0, ${limit}), got ${value} at ${where} ${position}`)
}

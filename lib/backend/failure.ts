/** What a run throws where the data holds an index that is out of range: the same words from every backend. */
import type { Program } from '../program/program.ts'

/** `limit` is the first index that is too great; `position` counts within the instruction's indices. */
export function indexError(
  program: Program,
  instructionIndex: number,
  position: number,
  value: number,
  limit: number,
): RangeError {
  const { opcode } = program.instructions[instructionIndex]!
  const [what, where] = opcode === 'softmaxCrossEntropy' ? ['labels', 'row'] : ['indices', 'position']
  return new RangeError(`${opcode}: expected ${what} in [0, ${limit}), got ${value} at ${where} ${position}`)
}

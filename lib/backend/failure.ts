/** What a run throws where the data is out of range: the same words from every backend. */
import { InternalError } from '../base/errors.ts'
import type { Instruction } from '../program/instructions.ts'
import type { Program } from '../program/program.ts'
import { bodiesOf } from '../program/signatures.ts'

/** `limit` is the first index that is too great; `position` counts within what the instruction looks at. */
export function rangeError(
  { opcode, params }: Instruction,
  position: number,
  value: number,
  limit: number,
): RangeError {
  if (opcode === 'demand')
    return new RangeError(`${params.what}, got ${value}${params.count === 1 ? '' : ` at position ${position}`}`)
  const [what, where] = opcode === 'softmaxCrossEntropy' ? ['labels', 'row'] : ['indices', 'position']
  return new RangeError(`${opcode}: expected ${what} in [0, ${limit}), got ${value} at ${where} ${position}`)
}

/** The instruction of a number, where those of the programs that an instruction runs are counted right after it. */
export function instructionAt(program: Program, number: number): Instruction {
  for (const instruction of program.instructions) {
    if (number === 0) return instruction
    number--
    for (const body of bodiesOf(instruction)) {
      const inside = countOf(body)
      if (number < inside) return instructionAt(body, number)
      number -= inside
    }
  }
  throw new InternalError(`a program has no instruction ${number} more`)
}

const countOf = ({ instructions }: Program): number =>
  instructions.reduce((count, next) => count + 1 + bodiesOf(next).reduce((sum, body) => sum + countOf(body), 0), 0)

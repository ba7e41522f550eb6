/** The memory that there is, and what a program wants of it: errors name the operation that wants most, and its shape. */
import { totalmem } from 'node:os'
import { expected } from '../base/errors.ts'
import { formatType, type Program, type Value, valueBytes } from '../program/program.ts'
import { bodiesOf } from '../program/signatures.ts'

/** Less than this is not worth asking for the memory. */
const anyMemory = 2 ** 26

/**
 * What may be allocated at most: beyond physical memory, or a container's share of it, the system would end the process.
 * @throws RangeError where it is more
 */
export function checkMemory(op: string, bytes: number, why = ''): void {
  if (bytes < anyMemory) return
  const memory = Math.min(totalmem(), process.constrainedMemory() || Infinity)
  if (bytes <= memory) return
  throw new RangeError(expected(op, `at most ${memory} bytes, the memory of this machine`, `${bytes}${why}`))
}

/** @throws RangeError where results and intermediates are more than this machine holds */
export function checkMemoryOf(program: Program): void {
  const results = program.values.filter(({ place }) => place.kind === 'result')
  const bytes = results.reduce((sum, value) => sum + valueBytes(value), arenaBytesOf(program))
  if (bytes >= anyMemory) checkMemory('evaluate', bytes, largestOf(program))
}

/** With those of the programs that its instructions run, of which one runs at a time. */
const arenaBytesOf = ({ arenaBytes, instructions }: Program): number =>
  arenaBytes + instructions.reduce((most, next) => Math.max(most, ...bodiesOf(next).map(arenaBytesOf)), 0)

/** What is thrown where memory for a program cannot be allocated. */
export const memoryError = (program: Program, cause: unknown): RangeError =>
  new RangeError(expected('evaluate', 'enough memory', `a program that has too little${largestOf(program)}`), { cause })

/** The operation that makes the largest value, as the end of a message. */
function largestOf({ instructions, values }: Program): string {
  let [largest, opcode] = [undefined as Value | undefined, '']
  for (const instruction of instructions)
    for (const output of instruction.outputs) {
      const value = values[output]!
      if (largest === undefined || valueBytes(value) > valueBytes(largest))
        [largest, opcode] = [value, instruction.opcode]
    }
  return largest === undefined ? '' : `: ${opcode} makes ${formatType(largest)}`
}

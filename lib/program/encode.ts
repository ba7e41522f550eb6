/**
 * A program as numbers, for a backend in another language.
 *
 * words: magic, version, values, instructions, inputs, states, results, arena blocks of 64 bytes; then each value as
 * dtype, place kind, place index, rank, extents…; then each instruction as opcode, inputs and outputs (each counted),
 * and its parameter words (counted). A real number takes two words, the low half of its IEEE double first. A program that
 * an instruction runs is a parameter: its words, counted, without magic and version.
 * A literal's place index, like an arena value's, counts 64-byte blocks: of the literal bytes, which are one buffer.
 */
import type { TypedArray } from '../base/dtype.ts'
import { expected, ProgramError } from '../base/errors.ts'
import type { Instruction } from './instructions.ts'
import { type Numbering, numberOf, pushNumbers } from './parameters.ts'
import { arenaAlignment, type Place, type Program } from './program.ts'
import { signatures } from './signatures.ts'

export interface EncodedProgram {
  readonly words: Int32Array
  readonly literals: Uint8Array
}

export const programMagic = 0x474c5631
export const programVersion = 3

function pushInstruction(
  words: number[],
  { opcode, inputs, outputs, params }: Instruction,
  numbering: Numbering,
): void {
  words.push(numberOf(numbering.opcodes, opcode))
  pushNumbers(words, inputs)
  pushNumbers(words, outputs)
  const counted = words.push(0) - 1
  const values = params as Readonly<Record<string, unknown>>
  const rows = signatures[opcode].params
  for (let i = 0; i < rows.length; i++) {
    const name = rows[i]![0]
    const parameter = rows[i]![1]
    if (parameter.type === 'program') pushBody(words, values[name] as Program, numbering)
    else parameter.write(words, values[name], numbering)
  }
  words[counted] = words.length - counted - 1
}

/** Programs of instructions have no literals. */
function pushBody(words: number[], body: Program, numbering: Numbering): void {
  const counted = words.push(0) - 1
  pushProgram(words, body, [], numbering)
  words[counted] = words.length - counted - 1
}

const blocks = (bytes: number): number => Math.ceil(bytes / arenaAlignment)

/** Every literal at a 64-byte boundary of one buffer, and the block at which each one starts. */
function packLiterals(literals: readonly TypedArray[]): { bytes: Uint8Array; starts: number[] } {
  const starts: number[] = []
  let end = 0
  for (const literal of literals) {
    starts.push(end)
    end += blocks(literal.byteLength)
  }
  const bytes = new Uint8Array(end * arenaAlignment)
  literals.forEach((literal, i) => {
    bytes.set(new Uint8Array(literal.buffer, literal.byteOffset, literal.byteLength), starts[i]! * arenaAlignment)
  })
  return { bytes, starts }
}

function placeIndex(place: Place, literalStarts: readonly number[]): number {
  if (place.kind === 'arena') return place.offset / arenaAlignment
  return place.kind === 'literal' ? literalStarts[place.index]! : place.index
}

function pushProgram(words: number[], program: Program, literalStarts: readonly number[], numbering: Numbering): void {
  words.push(program.values.length, program.instructions.length)
  words.push(program.inputCount, program.stateCount, program.resultCount, blocks(program.arenaBytes))
  const { values, instructions } = program
  for (let i = 0; i < values.length; i++) {
    const { dtype, shape, place } = values[i]!
    words.push(numberOf(numbering.dtypes, dtype), numberOf(numbering.places, place.kind))
    words.push(placeIndex(place, literalStarts))
    pushNumbers(words, shape)
  }
  for (let i = 0; i < instructions.length; i++) pushInstruction(words, instructions[i]!, numbering)
}

export function encodeProgram(program: Program, numbering: Numbering): EncodedProgram {
  const { bytes, starts } = packLiterals(program.literals)
  const words: number[] = [programMagic, programVersion]
  pushProgram(words, program, starts, numbering)
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!
    if (word !== (word | 0)) throw new ProgramError(expected('program', 'integers of 32 bits', word))
  }
  return { words: new Int32Array(words), literals: bytes }
}

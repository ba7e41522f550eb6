/**
 * Words back to a program, as native/program/decode.cc reads them: null where they are none. What it gives may still break
 * the rules of a program, which `verifyProgram` holds.
 */
import { allocate, bytesPerElement, type DType, type TypedArray } from '../../lib/base/dtype.ts'
import { maxElements, maxRank, sizeOf } from '../../lib/base/shape.ts'
import { programMagic, programVersion } from '../../lib/program/encode.ts'
import type { Instruction, Opcode } from '../../lib/program/instructions.ts'
import { type MicroInstruction, type MicroOpName, microOps } from '../../lib/program/micro-ops.ts'
import type { Numbering } from '../../lib/program/parameters.ts'
import { arenaAlignment, mostNesting, type Place, type Program, type Value } from '../../lib/program/program.ts'
import { signatures } from '../../lib/program/signatures.ts'

/** Thrown and caught here. */
const malformed = new Error('malformed')

/** The names in the order of their numbers. */
export type Names = Readonly<Record<keyof Numbering, readonly string[]>>

class Reader {
  #position: number
  readonly #end: number
  readonly #words: Int32Array
  readonly names: Names

  /** How many programs the words are inside of. */
  readonly depth: number

  constructor(words: Int32Array, names: Names, start = 0, end = words.length, depth = 0) {
    this.depth = depth
    this.#words = words
    this.names = names
    this.#position = start
    this.#end = end
  }

  get left(): number {
    return this.#end - this.#position
  }

  word(): number {
    if (this.left === 0) throw malformed
    return this.#words[this.#position++]!
  }

  number(limit = 2 ** 31): number {
    const value = this.word()
    if (value < 0 || value >= limit) throw malformed
    return value
  }

  list<T>(wordsPerItem: number, item: () => T): T[] {
    const length = this.number()
    if (length > this.left / wordsPerItem) throw malformed
    return Array.from({ length }, item)
  }

  name<T extends string>(kind: keyof Numbering): T {
    return this.names[kind][this.number(this.names[kind].length)] as T
  }

  axes(item: () => number): number[] {
    const rank = this.number(maxRank + 1)
    return Array.from({ length: rank }, item)
  }

  real(): number {
    const halves = Int32Array.of(this.word(), this.word())
    return new Float64Array(halves.buffer)[0]!
  }

  /** The next words, as a reader of their own. */
  split(count: number, deeper = 0): Reader {
    const part = new Reader(this.#words, this.names, this.#position, this.#position + count, this.depth + deeper)
    this.#position += count
    return part
  }
}

const strides = (from: Reader): number[] => from.axes(() => from.word())

function micro(from: Reader): MicroInstruction {
  const op = from.name<MicroOpName>('microOps')
  const [dtype, to] = [from.name<DType>('dtypes'), from.name<DType>('dtypes')]
  const args = [from.word(), from.word(), from.word()]
  // What an operation does not read is -1; the one type that only a cast has is that of its result.
  const { arity, kind } = microOps[op]
  if (args.some((arg, i) => (i < arity ? arg < 0 : arg !== -1))) throw malformed
  return { op, dtype, args: args.slice(0, arity), ...(kind === 'cast' ? { to } : {}) }
}

const readers: Readonly<Record<string, (from: Reader) => unknown>> = {
  count: (from) => from.number(),
  flag: (from) => from.number(2) === 1,
  real: (from) => from.real(),
  text: () => 'values',
  activation: (from) => from.name('activations'),
  precision: (from) => from.name('precisions'),
  reduction: (from) => from.name('reductions'),
  distribution: (from) => from.name('distributions'),
  counts: (from) => from.list(1, () => from.number()),
  shape: (from) => from.axes(() => from.number()),
  strides,
  patterns: (from) => from.list(2, () => ({ offset: from.word(), strides: strides(from) })),
  layout: (from) => ({
    offset: from.number(),
    batchStride: from.number(),
    leadingDimension: from.number(),
    transpose: from.number(2) === 1,
  }),
  code: (from) => from.list(6, () => micro(from)),
  program(from) {
    const count = from.number()
    if (count > from.left || from.depth === mostNesting) throw malformed
    return readProgram(from.split(count, 1), new Uint8Array(0))
  },
}

function readInstruction(from: Reader, valueCount: number): Instruction {
  const opcode = from.name<Opcode>('opcodes')
  const inputs = from.list(1, () => from.number(valueCount))
  const outputs = from.list(1, () => from.number(valueCount))
  const count = from.number()
  if (count > from.left) throw malformed
  const words = from.split(count)
  const params = Object.fromEntries(signatures[opcode].params.map(([name, { type }]) => [name, readers[type]!(words)]))
  if (words.left > 0) throw malformed
  return { opcode, inputs, outputs, params } as unknown as Instruction
}

function readValue(from: Reader, literals: Uint8Array, read: TypedArray[]): Value {
  const dtype = from.name<DType>('dtypes')
  const kind = from.name<Place['kind']>('places')
  const index = from.number()
  const shape = from.axes(() => from.number())
  if (kind === 'arena') return { dtype, shape, place: { kind, offset: index * arenaAlignment } }
  if (kind !== 'literal') return { dtype, shape, place: { kind, index } }
  const [start, bytes] = [index * arenaAlignment, sizeOf(shape) * bytesPerElement(dtype)]
  if (sizeOf(shape) > maxElements || start + bytes > literals.length) throw malformed
  const literal = allocate(dtype, sizeOf(shape))
  new Uint8Array(literal.buffer).set(literals.subarray(start, start + bytes))
  return { dtype, shape, place: { kind, index: read.push(literal) - 1 } }
}

/** What follows magic and version. */
function readProgram(from: Reader, literals: Uint8Array): Program {
  const valueCount = from.number()
  if (valueCount > from.left / 4) throw malformed
  const instructionCount = from.number()
  if (instructionCount > from.left / 4) throw malformed
  const [inputCount, stateCount, resultCount] = [from.number(), from.number(), from.number()]
  const arenaBytes = from.number() * arenaAlignment
  if (inputCount + stateCount + resultCount > valueCount) throw malformed
  const read: TypedArray[] = []
  const values = Array.from({ length: valueCount }, () => readValue(from, literals, read))
  const instructions = Array.from({ length: instructionCount }, () => readInstruction(from, valueCount))
  if (from.left > 0) throw malformed
  return { values, instructions, literals: read, inputCount, stateCount, resultCount, arenaBytes }
}

export function decodeProgram(words: Int32Array, literals: Uint8Array, names: Names): Program | null {
  const from = new Reader(words, names)
  try {
    if (from.word() !== programMagic || from.word() !== programVersion) return null
    return readProgram(from, literals)
  } catch (error) {
    if (error === malformed) return null
    throw error
  }
}

/** One mutated program, handed to the addon: what came of it, or the fault that it showed. */
import type { Failure } from '../../../lib/backend/addon.ts'
import { instructionAt, rangeError } from '../../../lib/backend/failure.ts'
import { createReferenceBackend } from '../../../lib/backend/reference/index.ts'
import type { TypedArray } from '../../../lib/base/dtype.ts'
import { ProgramError } from '../../../lib/base/errors.ts'
import { sizeOf } from '../../../lib/base/shape.ts'
import { encodeProgram } from '../../../lib/program/encode.ts'
import type { Instruction } from '../../../lib/program/instructions.ts'
import { bufferCount, type Program, valueBytes } from '../../../lib/program/program.ts'
import { bodiesOf } from '../../../lib/program/signatures.ts'
import { verifyProgram } from '../../../lib/program/verify.ts'
import { flopsOf } from '../../../lib/program/work.ts'
import { addon, numbering } from '../../support/addon.ts'
import { decodeProgram } from '../../support/decode-program.ts'
import { randomData } from '../../support/random-data.ts'
import { Tape } from '../../support/tape.ts'
import { Random } from '../random.ts'
import { checkExposed, expose } from './expose.ts'
import { Fault } from './fault.ts'
import { Guarded, type Piece, sameBytes } from './guarded.ts'
import { tryLent } from './lent.ts'
import { mutantOf } from './mutants.ts'

function demand(isRight: boolean, what: string): asserts isRight {
  if (!isRight) throw new Fault(what)
}

const names = addon.names()
const { supportedIsas } = addon.info()
const reference = createReferenceBackend()

/** Above these a case is not run, so that many are. */
const most = { bytes: 2 ** 17, flops: 2 ** 20 }
/** What is compared with the reference is smaller. */
const mostCompared = 2 ** 13

/** The ways of a run. */
type Mode = 'run' | 'runAsync' | 'profile'

/** Whether the verifier in TypeScript takes the words for a program, and which. */
function verified(words: Int32Array, literals: Uint8Array): { program: Program | null; reason: string } {
  const program = decodeProgram(words, literals, names)
  if (program === null) return { program, reason: 'no words of a program' }
  try {
    verifyProgram(program)
    return { program, reason: '' }
  } catch (error) {
    demand(error instanceof ProgramError, `verifyProgram threw ${error}`)
    return { program: null, reason: error.message }
  }
}

type Preparation =
  | { readonly handle: number }
  | { readonly handle: null; readonly refusal: string; readonly isMemory: boolean }

/** From memory of its own, which the addon must neither change nor keep. */
function prepare(words: Int32Array<ArrayBuffer>, literals: Uint8Array<ArrayBuffer>, random: Random): Preparation {
  const pieces: Piece[] = [
    { dtype: 'int32', size: words.length },
    { dtype: 'uint8', size: literals.length },
  ]
  const guarded = new Guarded(pieces, random)
  const [given, bytes] = guarded.arrays as [Int32Array, Uint8Array]
  given.set(words)
  bytes.set(literals)
  try {
    return { handle: addon.prepare(given, bytes) }
  } catch (error) {
    demand(error instanceof Error && error.message !== '', `prepare threw ${error}`)
    const isMemory = error instanceof RangeError
    const isMalformed = 'code' in error && error.code === 'ERR_MALFORMED_PROGRAM'
    demand(isMemory || isMalformed, `prepare threw ${error}`)
    demand(!error.message.startsWith('internal'), `prepare threw ${error}`)
    return { handle: null, refusal: error.message, isMemory }
  } finally {
    demand(guarded.isIntact && sameBytes(given, words) && sameBytes(bytes, literals), 'prepare wrote to its arguments')
    given.fill(0x5a5a5a5a)
    bytes.fill(0x5a)
  }
}

/** What a run binds, in order. */
function piecesOf(program: Program): Piece[] {
  const { inputCount, stateCount } = program
  const pieces = new Array<Piece>(bufferCount(program))
  for (const { dtype, shape, place } of program.values) {
    const piece = { dtype, size: sizeOf(shape) }
    if (place.kind === 'input') pieces[place.index] = piece
    if (place.kind === 'result') pieces[inputCount + 2 * stateCount + place.index] = piece
    if (place.kind === 'state') pieces[inputCount + place.index] = pieces[inputCount + stateCount + place.index] = piece
  }
  return pieces
}

const bytesOf = (program: Program): number =>
  program.instructions.reduce(
    (sum, instruction) => sum + stepsOf(instruction) * bodiesOf(instruction).reduce((sum, x) => sum + bytesOf(x), 0),
    program.values.reduce((sum, value) => sum + valueBytes(value), program.arenaBytes),
  )

/** A step costs something even where its program does nothing. */
const flopsOfAll = ({ instructions }: Program): number =>
  instructions.reduce((sum, next) => sum + (bodiesOf(next).length === 0 ? flopsOf(next) : flopsOfSteps(next)), 0)

const flopsOfSteps = (nested: Instruction): number =>
  stepsOf(nested) * bodiesOf(nested).reduce((sum, body) => sum + body.instructions.length + 1 + flopsOfAll(body), 0)

function stepsOf({ opcode, params }: Instruction): number {
  if (opcode === 'loop') return params.length
  return opcode === 'whileLoop' ? params.limit : 1
}

/** Numbers of ordinary size where they are to be compared. Indices are small, so that some are right. */
const dataOf = (pieces: readonly Piece[], isOrdinary: boolean, random: Random): TypedArray[] =>
  pieces.map(({ dtype, size }) => {
    const isIndex = dtype === 'int32' && !random.oneIn(3)
    const content = isIndex ? { from: random.oneIn(4) ? -1 : 0, below: 3 } : 'any'
    return randomData(new Tape([isOrdinary ? 0 : random.below(6), random.below(2 ** 20)]), dtype, size, content)
  })

const isOrdinary = (x: number): boolean => Math.abs(x) < 2 ** 60

/** The contract is one for finite numbers, and the reference slow. */
const isComparable = (program: Program): boolean =>
  bytesOf(program) <= mostCompared &&
  flopsOfAll(program) <= mostCompared &&
  program.literals.every((literal) => literal.every(isOrdinary)) &&
  program.instructions.every(({ params }) => Object.values(params).every((x) => typeof x !== 'number' || isOrdinary(x)))

interface Outcome {
  readonly failure: Failure | undefined
  readonly buffers: readonly TypedArray[]
}

function call(handle: number, buffers: readonly TypedArray[], mode: Mode, instructions: number) {
  if (mode === 'run') return addon.run(handle, buffers)
  if (mode === 'profile') return addon.profile(handle, buffers, new Float64Array(instructions))
  return new Promise<Failure | undefined>((resolve) => addon.runAsync(handle, buffers, resolve))
}

/** A run on memory between canaries; inputs and old states have to stay as they are. */
async function runGuarded(handle: number, program: Program, data: readonly TypedArray[], mode: Mode, random: Random) {
  const { inputCount, stateCount } = program
  const guarded = new Guarded(piecesOf(program), random)
  const buffers = [...guarded.arrays]
  // A state may be updated where it is read.
  const isInPlace = random.oneIn(2)
  if (isInPlace) buffers.copyWithin(inputCount, inputCount + stateCount, inputCount + 2 * stateCount)
  data.slice(0, inputCount + stateCount).forEach((array, i) => {
    buffers[i]!.set(array)
  })
  const failure = await call(handle, buffers, mode, program.instructions.length)
  demand(guarded.isIntact, `${mode} wrote outside of its buffers`)
  const unchanged = inputCount + (isInPlace ? 0 : stateCount)
  for (let i = 0; i < unchanged; i++)
    demand(sameBytes(buffers[i]!, data[i]!), `${mode} changed buffer ${i}, which it reads`)
  return { failure, buffers }
}

function expectSame({ buffers, failure }: Outcome, wanted: Outcome, from: number, what: string): void {
  demand(String(failure) === String(wanted.failure), `${what}: failure ${failure}, not ${wanted.failure}`)
  if (failure !== undefined) return
  for (let i = from; i < buffers.length; i++)
    demand(sameBytes(buffers[i]!, wanted.buffers[i]!), `${what}: buffer ${i} differs`)
}

const messageOf = (program: Program, [number, ...fault]: Failure): string =>
  rangeError(instructionAt(program, number), ...fault).message

/** What the reference throws for these buffers, or undefined. */
function referenceFailure(program: Program, data: readonly TypedArray[]): string | undefined {
  const executable = reference.prepare(program)
  try {
    executable.run(data.map((array) => array.slice() as TypedArray))
    return undefined
  } catch (error) {
    demand(error instanceof RangeError, `the reference threw ${error}`)
    return error.message
  }
}

/** The same failure as the reference, or values that keep the contract, wherever they lie. */
async function compare(program: Program, data: readonly TypedArray[], outcome: Outcome, random: Random): Promise<void> {
  const { inputCount, stateCount } = program
  const native = outcome.failure && messageOf(program, outcome.failure)
  const wanted = referenceFailure(program, data)
  demand(native === wanted, `the reference gives ${wanted}, the addon ${native}`)
  if (native !== undefined) return
  const exposed = expose(program)
  const { words, literals } = encodeProgram(exposed, numbering)
  const handle = addon.prepare(words, literals)
  const { buffers } = await runGuarded(handle, exposed, data, 'run', random)
  addon.release(handle)
  const from = inputCount + stateCount
  for (let i = from; i < outcome.buffers.length; i++)
    demand(sameBytes(outcome.buffers[i]!, buffers[i]!), `buffer ${i} differs where all values are results`)
  try {
    const inputs = [...data.slice(0, inputCount + stateCount), ...buffers.slice(inputCount + stateCount)]
    checkExposed(exposed, inputs)
  } catch (error) {
    throw new Fault(`not as the reference: ${(error as Error).message}`)
  }
}

async function runAll(handle: number, program: Program, random: Random): Promise<string> {
  const pieces = piecesOf(program)
  const isCompared = random.oneIn(4) && isComparable(program)
  const data = dataOf(pieces, isCompared, random)
  const from = program.inputCount + program.stateCount
  const first = await runGuarded(handle, program, data, 'run', random)
  for (const mode of ['run', 'runAsync', 'profile'] as const) {
    if (!random.oneIn(3)) continue
    expectSame(await runGuarded(handle, program, data, mode, random), first, from, mode)
  }
  if (!isCompared) return 'ran'
  await compare(program, data, first, random)
  return 'compared'
}

/** What came of a case: an outcome to be counted. Throws a Fault. */
export async function tryCase(seed: number, number: number): Promise<string> {
  if (number % 32 === 31) return tryLent(new Random(seed, number))
  const { words, literals, random } = mutantOf(seed, number)
  addon.setIsa(random.pick(supportedIsas))
  if (random.oneIn(64)) addon.setNumThreads(1 + random.below(3))
  const { program, reason } = verified(words, literals)
  const prepared = prepare(words, literals, random)
  if (prepared.handle === null) {
    if (prepared.isMemory) {
      demand(program !== null, `refused by verifyProgram (${reason}), but not by prepare (${prepared.refusal})`)
      return 'no memory'
    }
    demand(program === null, `refused by prepare (${prepared.refusal}), but not by verifyProgram`)
    return 'refused'
  }
  try {
    demand(program !== null, `refused by verifyProgram (${reason}), but not by prepare`)
    if (bytesOf(program) > most.bytes || !(flopsOfAll(program) <= most.flops)) return 'not run'
    return await runAll(prepared.handle, program, random)
  } finally {
    addon.release(prepared.handle)
  }
}

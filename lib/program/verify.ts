/**
 * What makes a program safe to run: every operand exists and fits, everything is written once and before it is read,
 * and no two values that are needed at the same time share a byte. A backend relies on it and checks nothing at run time.
 */
import { dtypes, isArrayOf } from '../base/dtype.ts'
import { expected, ProgramError } from '../base/errors.ts'
import { formatShape, maxElements, maxExtent, maxRank, sizeOf } from '../base/shape.ts'
import { checkOperands } from './check-operands.ts'
import { mayOverwrite } from './in-place.ts'
import type { Instruction } from './instructions.ts'
import { LiveSlots } from './live-slots.ts'
import { isCount } from './parameters.ts'
import {
  arenaAlignment,
  formatType,
  mostNesting,
  type Place,
  type Program,
  type Value,
  valueAt,
  valueBytes,
} from './program.ts'
import { refuse, type Site } from './refuse.ts'
import { bodiesOf, isFallible, signatures } from './signatures.ts'

/** Throws ProgramError, which names the value or the instruction, unless the program obeys every rule. */
export const verifyProgram = (program: Program): void => verifyAt(program, 0)

function verifyAt(program: Program, depth: number): void {
  checkCounts(program)
  program.values.forEach((value, id) => {
    checkValue(program, value, id)
  })
  checkBuffers(program)
  program.instructions.forEach((instruction, index) => {
    checkInstruction(program, instruction, index, depth)
  })
  const lastReads = checkOrder(program)
  checkSlots(program, lastReads)
}

function fail(subject: string, what: string, got: unknown): never {
  throw new ProgramError(expected(subject, what, got))
}

function checkCounts({ inputCount, stateCount, resultCount, arenaBytes }: Program): void {
  for (const count of [inputCount, stateCount, resultCount])
    if (!isCount(count)) fail('program', 'counts of buffers that are integers', count)
  const largest = maxExtent * arenaAlignment
  if (!Number.isInteger(arenaBytes) || arenaBytes < 0 || arenaBytes > largest)
    fail('program', `arena bytes from 0 to ${largest}`, arenaBytes)
}

function checkValue(program: Program, value: Value, id: number): void {
  const subject = `value ${id}`
  const { dtype, shape } = value
  if (!dtypes.includes(dtype)) fail(subject, `a dtype (${dtypes.join(', ')})`, dtype)
  if (shape.length > maxRank) fail(subject, `at most ${maxRank} axes`, shape.length)
  if (!shape.every(isCount)) fail(subject, `extents from 0 to ${maxExtent}`, formatShape(shape))
  if (sizeOf(shape) > maxElements) fail(subject, `at most ${maxElements} elements`, formatShape(shape))
  checkPlace(program, value, subject)
}

function checkPlace(program: Program, value: Value, subject: string): void {
  const { place } = value
  if (place.kind === 'arena') {
    const { offset } = place
    if (!Number.isInteger(offset) || offset < 0 || offset % arenaAlignment !== 0)
      fail(subject, `an arena offset that is a multiple of ${arenaAlignment}`, offset)
    if (offset + valueBytes(value) > program.arenaBytes)
      fail(subject, `to end within the arena of ${program.arenaBytes} bytes`, offset + valueBytes(value))
    return
  }
  const count = bufferCountOf(program, place.kind)
  if (count === undefined) fail(subject, 'a place', place.kind)
  if (!(isCount(place.index) && place.index < count))
    fail(subject, `one of ${count} ${place.kind}s`, `number ${place.index}`)
  const literal = place.kind === 'literal' ? program.literals[place.index]! : undefined
  if (literal && !(isArrayOf(value.dtype, literal) && literal.length === sizeOf(value.shape)))
    fail(subject, `a literal of ${formatType(value)}`, `${literal.constructor.name} of ${literal.length} elements`)
}

type BufferKind = Exclude<Place['kind'], 'arena'>

function bufferCountOf({ inputCount, stateCount, resultCount, literals }: Program, kind: BufferKind): number {
  return { input: inputCount, state: stateCount, result: resultCount, literal: literals.length }[kind]
}

/** A run binds a buffer for each index, and takes its dtype and size from the values there. */
function checkBuffers(program: Program): void {
  const first: Record<BufferKind, Value[]> = { input: [], state: [], literal: [], result: [] }
  program.values.forEach((value, id) => {
    const { place } = value
    if (place.kind === 'arena') return
    const other = first[place.kind][place.index]
    if (other === undefined) first[place.kind][place.index] = value
    else if (place.kind === 'result') fail(`value ${id}`, 'a result of its own', `result ${place.index} again`)
    else if (other.dtype !== value.dtype || sizeOf(other.shape) !== sizeOf(value.shape))
      fail(`value ${id}`, `${formatType(other)}, which ${place.kind} ${place.index} is elsewhere`, formatType(value))
  })
  for (const kind of ['input', 'state', 'result'] as const) {
    for (let index = 0; index < bufferCountOf(program, kind); index++)
      if (first[kind][index] === undefined) fail('program', `a value for ${kind} ${index}`, 'none')
  }
}

function checkInstruction(program: Program, instruction: Instruction, index: number, depth: number): void {
  const { opcode, inputs, outputs } = instruction
  const site: Site = { index, opcode }
  if (!Object.hasOwn(signatures, opcode)) refuse(site, 'an opcode', opcode)
  for (const id of [...inputs, ...outputs])
    if (!(isCount(id) && id < program.values.length)) refuse(site, `values in [0, ${program.values.length})`, id)
  for (const body of bodiesOf(instruction)) checkBody(site, body, depth + 1)
  checkOperands(program, instruction, site)
}

function checkBody(site: Site, body: Program, depth: number): void {
  if (depth > mostNesting) refuse(site, `programs in each other at most ${mostNesting} deep`, 'deeper ones')
  if (body.literals.length > 0) refuse(site, 'a program without literals', body.literals.length)
  try {
    verifyAt(body, depth)
  } catch (error) {
    if (!(error instanceof ProgramError)) throw error
    throw new ProgramError(`instruction ${site.index} (${site.opcode}): ${error.message}`)
  }
}

/** When things are read and written, by value, and by state for the writers of states. Never: -1. */
interface Timeline {
  readonly written: Int32Array
  readonly lastRead: Int32Array
  readonly stateWritten: Int32Array
  firstStateWrite: number
}

/** Checks the order of reads and writes; gives the last instruction that reads each value, or -1. */
function checkOrder(program: Program): Int32Array {
  const { values, instructions } = program
  const timeline: Timeline = {
    written: new Int32Array(values.length).fill(-1),
    lastRead: new Int32Array(values.length).fill(-1),
    stateWritten: new Int32Array(program.stateCount).fill(-1),
    firstStateWrite: -1,
  }
  instructions.forEach((instruction, index) => {
    const { opcode, inputs, outputs } = instruction
    const site: Site = { index, opcode }
    for (const id of inputs) read(program, timeline, site, id)
    if (isFallible(values, instruction) && timeline.firstStateWrite !== -1)
      refuse(
        site,
        'to stand before the first write of a state, as it can fail',
        `one at instruction ${timeline.firstStateWrite}`,
      )
    outputs.forEach((_, o) => {
      write(program, timeline, site, o)
    })
  })
  values.forEach(({ place }, id) => {
    if (place.kind === 'result' && timeline.written[id] === -1)
      fail(`result ${place.index}`, 'to be written', 'no writer')
  })
  return timeline.lastRead
}

function read({ values }: Program, { written, lastRead, stateWritten }: Timeline, site: Site, id: number): void {
  const { place } = valueAt({ values }, id)
  const isWritten = written[id] !== -1
  if ((place.kind === 'arena' || place.kind === 'result') && !isWritten)
    refuse(site, `value ${id} to be written before`, 'a read')
  if (place.kind === 'state' && !isWritten && stateWritten[place.index] !== -1)
    refuse(site, `state ${place.index} as it was`, `a read after instruction ${stateWritten[place.index]} wrote it`)
  lastRead[id] = site.index
}

function write(program: Program, timeline: Timeline, site: Site, o: number): void {
  const { values, instructions } = program
  const id = instructions[site.index]!.outputs[o]!
  const { place } = valueAt({ values }, id)
  const { written, lastRead } = timeline
  if (place.kind === 'input' || place.kind === 'literal')
    refuse(site, 'outputs that may be written', `${place.kind} ${place.index}`)
  if (written[id] !== -1) refuse(site, `value ${id} to be written once`, `a write after instruction ${written[id]}`)
  if (lastRead[id] !== -1) refuse(site, `value ${id} to be written before`, `a read at instruction ${lastRead[id]}`)
  written[id] = site.index
  if (place.kind === 'state') writeState(program, timeline, site, o, place.index)
}

const isStateAt = (place: Place, state: number): boolean => place.kind === 'state' && place.index === state

function writeState({ values, instructions }: Program, timeline: Timeline, site: Site, o: number, state: number): void {
  const earlier = timeline.stateWritten[state]!
  if (earlier !== -1) refuse(site, `state ${state} to be written once`, `a write after instruction ${earlier}`)
  if (bodiesOf(instructions[site.index]!).length > 0)
    refuse(site, 'results that are no states, as it may end between steps', `state ${state}`)
  const isOld = (id: number) => isStateAt(valueAt({ values }, id).place, state)
  if (!mayOverwrite(values, instructions[site.index]!, o, isOld))
    refuse(site, `operands that output ${o} may replace`, `state ${state}, which it reads after writing`)
  timeline.stateWritten[state] = site.index
  if (timeline.firstStateWrite === -1) timeline.firstStateWrite = site.index
}

interface Slot {
  readonly start: number
  readonly end: number
}

/** The bytes of an arena value; null for the others, and for empty ones, which overlap nothing. */
function slotOf(value: Value): Slot | null {
  const bytes = valueBytes(value)
  if (value.place.kind !== 'arena' || bytes === 0) return null
  return { start: value.place.offset, end: value.place.offset + bytes }
}

/** Sweeps over the instructions with the set of slots whose values are still read. */
function checkSlots(program: Program, lastReads: Int32Array): void {
  const slots = program.values.map(slotOf)
  const live = new LiveSlots(slots.flatMap((slot) => slot?.start ?? []))
  program.instructions.forEach((instruction, index) => {
    const { opcode, inputs, outputs } = instruction
    const ending = new Set<number>()
    for (const id of inputs) if (lastReads[id] === index && slots[id]) ending.add(id)
    outputs.forEach((id, o) => {
      const slot = slots[id]
      if (!slot) return
      const operand =
        ending.size === 0
          ? undefined
          : inputs.find(
              (input) =>
                ending.has(input) &&
                sameSlot(slots[input], slot) &&
                mayOverwrite(program.values, instruction, o, (id) => id === input),
            )
      if (operand !== undefined) ending.delete(operand)
      else if (live.overlaps(slot.start, slot.end))
        refuse({ index, opcode }, `a free slot for value ${id}`, `bytes ${slot.start} to ${slot.end}, which are in use`)
      live.insert(slot.start, slot.end)
    })
    for (const id of outputs) if (lastReads[id] === -1) ending.add(id)
    for (const id of ending) {
      const slot = slots[id]
      if (slot) live.remove(slot.start)
    }
  })
}

const sameSlot = (a: Slot | null | undefined, b: Slot): boolean => a?.start === b.start && a.end === b.end

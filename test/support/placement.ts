/** Where the values of a sketch lie. Every placement of one sketch must give the same bits. */
import { bytesPerElement, type DType, type TypedArray } from '../../lib/base/dtype.ts'
import { denseStrides, type Shape, sizeOf } from '../../lib/base/shape.ts'
import type { Instruction } from '../../lib/program/instructions.ts'
import { microResultDType } from '../../lib/program/micro-ops.ts'
import { arenaAlignment, type Place, type Program, valueBytes } from '../../lib/program/program.ts'
import { signatures } from '../../lib/program/signatures.ts'
import type { Sketch, SketchValue } from './random-program.ts'
import type { Tape } from './tape.ts'

export interface Placed {
  readonly program: Program
  readonly inputs: TypedArray[]
  readonly states: TypedArray[]
  /** By index of the results: the values of the sketch. */
  readonly results: number[]
}

/** Every value has a slot of its own. */
export function unshared(sketch: Sketch): Placed {
  let end = 0
  return place(sketch, sketch.results, (id) => {
    const offset = end
    end += align(bytesOf(sketch.values[id]!))
    return offset
  })
}

/** Every computed value is a result, and so is every register of an elementwise group; nothing lies in the arena. */
export function exposed(sketch: Sketch): Placed {
  const values: SketchValue[] = [...sketch.values]
  const instructions = sketch.instructions.map((instruction) => {
    if (instruction.opcode !== 'elementwise') return instruction
    const { inputs, outputs, params } = instruction
    const added = params.code.map((step) => {
      values.push({ dtype: microResultDType(step), shape: params.shape, role: 'computed' })
      return values.length - 1
    })
    const results = [...params.results, ...params.code.map((_, i) => inputs.length + i)]
    return { ...instruction, outputs: [...outputs, ...added], params: { ...params, results } }
  })
  const results = new Set(values.flatMap(({ role }, id) => (role === 'computed' ? [id] : [])))
  return place({ values, instructions, results }, results, () => 0)
}

interface Slot {
  readonly start: number
  readonly end: number
}

/** Slots are reused at random: in place, in a gap, or at the end. */
export function shared(sketch: Sketch, tape: Tape): Placed {
  const offsets = new Map<number, number>()
  const live = new Map<number, Slot>()
  const lastRead = new Map<number, number>()
  sketch.instructions.forEach(({ inputs }, i) => {
    for (const id of inputs) lastRead.set(id, i)
  })
  sketch.instructions.forEach((instruction, i) => {
    const dying = new Set(instruction.inputs.filter((id) => live.has(id) && lastRead.get(id) === i))
    instruction.outputs.forEach((id, o) => {
      if (sketch.values[id]!.role !== 'computed' || sketch.results.has(id)) return
      const donors = [...dying].filter((donor) => mayReplace(sketch, instruction, o, donor))
      const donor = donors.length > 0 && !tape.oneIn(4) ? tape.pick(donors) : undefined
      const bytes = align(bytesOf(sketch.values[id]!))
      const start = donor === undefined ? freeOffset(tape, [...live.values()], bytes) : live.get(donor)!.start
      if (donor !== undefined) {
        dying.delete(donor)
        live.delete(donor)
      }
      live.set(id, { start, end: start + bytes })
      offsets.set(id, start)
    })
    for (const id of dying) live.delete(id)
  })
  return place(sketch, sketch.results, (id) => offsets.get(id)!)
}

/** Some offset, at or after a slot in use, where so many bytes are free. */
function freeOffset(tape: Tape, live: readonly Slot[], bytes: number): number {
  const candidates = [0, ...live.map(({ end }) => end)].filter((start) =>
    live.every((slot) => slot.end <= start || start + bytes <= slot.start),
  )
  return tape.pick(candidates)
}

/** The sharing rules of the schema: exactly the slot of an operand that is not read otherwise. */
function mayReplace(
  { values }: Sketch,
  { opcode, inputs, outputs, params }: Instruction,
  o: number,
  id: number,
): boolean {
  if (bytesOf(values[id]!) !== bytesOf(values[outputs[o]!]!)) return false
  if (opcode !== 'elementwise')
    return inputs[signatures[opcode].replaces[o]!] === id && inputs.indexOf(id) === inputs.lastIndexOf(id)
  if (bytesPerElement(values[id]!.dtype) !== bytesPerElement(values[outputs[o]!]!.dtype)) return false
  const strides = String(denseStrides(params.shape))
  return params.operands.every(
    (pattern, i) => inputs[i] !== id || (pattern.offset === 0 && String(pattern.strides) === strides),
  )
}

const bytesOf = ({ dtype, shape }: { dtype: DType; shape: Shape }): number => sizeOf(shape) * bytesPerElement(dtype)
const align = (bytes: number): number => Math.ceil(bytes / arenaAlignment) * arenaAlignment

function place(sketch: Sketch, resultIds: ReadonlySet<number>, offsetOf: (id: number) => number): Placed {
  const [inputs, literals, states, results]: [TypedArray[], TypedArray[], TypedArray[], number[]] = [[], [], [], []]
  const placeOf = ({ role, data, state }: SketchValue, id: number): Place => {
    if (role === 'input') return { kind: 'input', index: inputs.push(data!) - 1 }
    if (role === 'literal') return { kind: 'literal', index: literals.push(data!) - 1 }
    if (role === 'state') states[state!] = data!
    if (role === 'state' || role === 'update') return { kind: 'state', index: state! }
    return resultIds.has(id) ? { kind: 'result', index: results.push(id) - 1 } : { kind: 'arena', offset: offsetOf(id) }
  }
  const values = sketch.values.map((value, id) => ({
    dtype: value.dtype,
    shape: value.shape,
    place: placeOf(value, id),
  }))
  const ends = values.map((value) => (value.place.kind === 'arena' ? value.place.offset + valueBytes(value) : 0))
  const program: Program = {
    values,
    instructions: sketch.instructions,
    literals,
    inputCount: inputs.length,
    stateCount: states.length,
    resultCount: results.length,
    arenaBytes: align(Math.max(0, ...ends)),
  }
  return { program, inputs, states, results }
}

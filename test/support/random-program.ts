/**
 * Random valid programs over every opcode and dtype. A sketch says what is computed; a placement (placement.ts) says
 * where the values lie.
 */
import { type DType, isFloat, type TypedArray } from '../../lib/base/dtype.ts'
import { denseStrides, type Shape, sizeOf } from '../../lib/base/shape.ts'
import { type Instruction, type InstructionParams, type Opcode, opcodes } from '../../lib/program/instructions.ts'
import { type MicroInstruction, microOpNames, microOps, microResultDType } from '../../lib/program/micro-ops.ts'
import { panelShape } from '../../lib/program/patterns.ts'
import type { Place, Program, Value } from '../../lib/program/program.ts'
import type { Convolution, Windows } from '../../lib/program/schema.ts'
import { signatures } from '../../lib/program/signatures.ts'
import {
  activations,
  distributionParameters,
  distributions,
  type LoadPattern,
  type MatrixLayout,
  precisions,
  reductions,
} from '../../lib/program/vocabulary.ts'
import { type Placed, shared, unshared } from './placement.ts'
import { type Content, randomData } from './random-data.ts'
import { instruction } from './run.ts'
import { Tape } from './tape.ts'

/** `state`: the old value of a state; `update`: the new one. */
export interface SketchValue {
  readonly dtype: DType
  readonly shape: Shape
  readonly role: 'input' | 'literal' | 'state' | 'update' | 'computed'
  /** Of inputs, literals and states. */
  readonly data?: TypedArray
  /** The number of the state, of states and updates. */
  readonly state?: number
}

export interface Sketch {
  readonly values: readonly SketchValue[]
  readonly instructions: readonly Instruction[]
  /** The computed values that the caller sees. */
  readonly results: ReadonlySet<number>
}

/** One instruction for each tape. */
export function sketchOf(tapes: readonly (readonly number[])[], dtypes: readonly DType[], depth = 0): Sketch {
  const sketcher = new Sketcher(dtypes, depth)
  for (const numbers of tapes) {
    sketcher.tape = new Tape(numbers)
    const opcode = sketcher.tape.pick(['elementwise', ...opcodes, 'elementwise'] satisfies Opcode[])
    const isNested = nestedOpcodes.includes(opcode)
    const mayFail = (isNested || signatures[opcode].fails !== -1) && sketcher.wroteState
    emitters[mayFail || (isNested && depth === deepest) ? 'copy' : opcode](sketcher, sketcher.tape)
  }
  return sketcher.finish()
}

const nestedOpcodes: readonly Opcode[] = ['loop', 'whileLoop', 'branch']
/** How deep programs are in each other. */
const deepest = 2

const sizes = [4, 1, 2, 3, 6, 8, 12, 16, 17, 24, 33, 64, 100, 130, 0, 2100]
const numbers: readonly DType[] = ['float32', 'float64', 'int32']

class Sketcher {
  tape = new Tape([])
  wroteState = false
  readonly dtypes: readonly DType[]
  readonly depth: number
  readonly floats: readonly DType[]
  readonly numbers: readonly DType[]
  readonly #values: SketchValue[] = []
  readonly #instructions: Instruction[] = []
  readonly #results = new Set<number>()
  readonly #read = new Set<number>()
  /** States whose new value is written. */
  readonly #updated = new Set<number>()
  #states = 0

  constructor(dtypes: readonly DType[], depth: number) {
    this.dtypes = dtypes
    this.depth = depth
    this.floats = dtypes.filter(isFloat)
    this.numbers = dtypes.filter((dtype) => numbers.includes(dtype))
  }

  dtypeOf = (id: number): DType => this.#values[id]!.dtype
  sizeOf = (id: number): number => sizeOf(this.#values[id]!.shape)

  #add(value: SketchValue): number {
    this.#values.push(value)
    return this.#values.length - 1
  }

  /** A value that may still be read and that fits; mostly one that nothing has read yet, so that chains grow. */
  find(fits: (dtype: DType, size: number) => boolean): number | undefined {
    const found = this.#values.flatMap(({ dtype, shape, role, state }, id) => {
      const isGone = role === 'state' && this.#updated.has(state!)
      return fits(dtype, sizeOf(shape)) && !isGone ? [id] : []
    })
    const unread = found.filter((id) => !this.#read.has(id))
    const candidates = unread.length > 0 && !this.tape.oneIn(4) ? unread : found
    return candidates.length === 0 || this.tape.oneIn(5) ? undefined : this.tape.pick(candidates)
  }

  fresh(dtype: DType, size: number, content: Content = 'any'): number {
    const role = this.tape.pick(['input', 'input', 'literal'] as const)
    return this.#add({
      dtype,
      shape: shapeOf(this.tape, size),
      role,
      data: randomData(this.tape, dtype, size, content),
    })
  }

  /** A value of this data. */
  given(dtype: DType, data: TypedArray): number {
    return this.#add({ dtype, shape: [data.length], role: this.tape.pick(['input', 'literal'] as const), data })
  }

  state(dtype: DType, size: number, content: Content = 'any'): number {
    const data = randomData(this.tape, dtype, size, content)
    return this.#add({ dtype, shape: [size], role: 'state', data, state: this.#states++ })
  }

  /** Some value of one of the dtypes. */
  any(dtypes: readonly DType[]): number {
    return this.find((dtype) => dtypes.includes(dtype)) ?? this.fresh(this.tape.pick(dtypes), this.tape.pick(sizes))
  }

  operand(dtype: DType, size: number): number {
    return this.find((d, s) => d === dtype && s === size) ?? this.fresh(dtype, size)
  }

  output(dtype: DType, size: number): number {
    const id = this.#add({ dtype, shape: shapeOf(this.tape, size), role: 'computed' })
    if (this.tape.oneIn(8)) this.#results.add(id)
    return id
  }

  /** The new value of `old`, in place where that is a state that has none, else a computed value. */
  outputOver(old: number): number {
    const { role, state, dtype, shape } = this.#values[old]!
    if (role !== 'state' || this.#updated.has(state!)) return this.output(dtype, sizeOf(shape))
    this.#updated.add(state!)
    this.wroteState = true
    return this.#add({ dtype, shape, role: 'update', state: state! })
  }

  emit<K extends Opcode>(opcode: K, params: InstructionParams[K], inputs: number[], outputs: number[]): void {
    this.#instructions.push(instruction(opcode, params, inputs, outputs))
    for (const id of inputs) this.#read.add(id)
  }

  finish(): Sketch {
    this.#values.forEach(({ role }, id) => {
      if (role === 'computed' && !this.#read.has(id)) this.#results.add(id)
    })
    return { values: this.#values, instructions: this.#instructions, results: this.#results }
  }
}

/** `count` extents whose product is `size`. */
function factors(tape: Tape, size: number, count: number): number[] {
  if (size === 0) {
    const zero = tape.below(count)
    return Array.from({ length: count }, (_, i) => (i === zero ? 0 : 1 + tape.below(3)))
  }
  const extents: number[] = []
  for (let rest = size; extents.length < count; rest /= extents.at(-1)!) {
    const divisors = Array.from({ length: rest }, (_, i) => rest - i).filter((divisor) => rest % divisor === 0)
    extents.push(extents.length === count - 1 ? rest : tape.pick(divisors))
  }
  return extents
}

function shapeOf(tape: Tape, size: number): number[] {
  if (size === 1 && tape.oneIn(2)) return []
  return factors(tape, size, 1 + tape.below(4))
}

const dense = (shape: Shape): LoadPattern => ({ offset: 0, strides: denseStrides(shape) })

/** Any way of reading the shape from an operand of `size` elements. */
function randomPattern(tape: Tape, shape: Shape, size: number): LoadPattern {
  if (sizeOf(shape) === 0) return dense(shape)
  let room = size - 1
  let back = 0
  const strides = shape.map((extent) => {
    if (extent === 1) return tape.below(5)
    const stride = tape.below(Math.floor(room / (extent - 1)) + 1)
    room -= stride * (extent - 1)
    if (!tape.oneIn(6)) return stride
    back += stride * (extent - 1)
    return -stride
  })
  return { offset: back + tape.below(room + 1), strides }
}

/** A value and a way of reading the shape from it. */
function randomView(s: Sketcher, tape: Tape, dtypes: readonly DType[], shape: Shape): [number, LoadPattern] {
  const size = sizeOf(shape)
  if (tape.below(2) === 0) {
    const id = s.find((dtype, n) => dtypes.includes(dtype) && n === size) ?? s.fresh(tape.pick(dtypes), size)
    return [id, dense(shape)]
  }
  const id = s.find((dtype, n) => dtypes.includes(dtype) && n > 0) ?? s.fresh(tape.pick(dtypes), 1 + tape.below(20))
  return [id, randomPattern(tape, shape, s.sizeOf(id))]
}

const operandDTypes = (s: Sketcher) => ({
  same: s.numbers,
  float: s.floats,
  any: s.dtypes,
  comparison: s.dtypes,
  cast: s.dtypes,
  bits: s.dtypes.filter((dtype) => !isFloat(dtype)),
  integer: s.dtypes.filter((dtype) => dtype === 'int32' || dtype === 'uint8'),
})

/** Steps over registers of these types, which grow with each step. */
function randomCode(s: Sketcher, tape: Tape, registers: DType[]): MicroInstruction[] {
  const code: MicroInstruction[] = []
  for (let steps = 1 + tape.below(6); steps > 0; steps--) {
    const op = tape.pick(microOpNames)
    const { arity, kind } = microOps[op]
    const taken: readonly DType[] = operandDTypes(s)[kind]
    const usable = registers.filter((dtype) => taken.includes(dtype))
    if (usable.length === 0 || (op === 'where' && !registers.includes('bool'))) continue
    const dtype = tape.pick(usable)
    const register = (wanted: DType) => tape.pick(registers.flatMap((given, i) => (given === wanted ? [i] : [])))
    const args = Array.from({ length: arity }, (_, i) => register(op === 'where' && i === 0 ? 'bool' : dtype))
    const step = op === 'cast' ? { op, dtype, to: tape.pick(s.dtypes), args } : { op, dtype, args }
    code.push(step)
    registers.push(microResultDType(step))
  }
  return code
}

function randomLayout(tape: Tape, batch: number, rows: number, columns: number): [MatrixLayout, reach: number] {
  const transpose = tape.oneIn(2)
  const [outer, inner] = transpose ? [columns, rows] : [rows, columns]
  const leadingDimension = inner + (tape.oneIn(3) ? tape.below(4) : 0)
  const batchStride = tape.oneIn(3) ? 0 : outer * leadingDimension + tape.below(3)
  const offset = tape.oneIn(3) ? tape.below(4) : 0
  const isEmpty = batch * rows * columns === 0
  const reach = isEmpty ? 0 : offset + (batch - 1) * batchStride + (outer - 1) * leadingDimension + inner
  return [{ offset, batchStride, leadingDimension, transpose }, reach]
}

/** A value of at least `reach` elements. */
function matrixOperand(s: Sketcher, tape: Tape, dtype: DType, reach: number): number {
  return s.find((d, size) => d === dtype && size >= reach) ?? s.fresh(dtype, reach + tape.below(3))
}

const scalar = (s: Sketcher, dtype: DType): number => s.fresh(dtype, 1, 'positive')

/** What an optimizer updates: a state, or some other value. */
function parameter(s: Sketcher, tape: Tape): { p: number; dtype: DType; size: number } {
  const p = tape.oneIn(3) ? s.state(tape.pick(s.floats), tape.pick(sizes)) : s.any(s.floats)
  return { p, dtype: s.dtypeOf(p), size: s.sizeOf(p) }
}

function moment(s: Sketcher, tape: Tape, dtype: DType, size: number, content: Content = 'any'): number {
  if (tape.oneIn(2)) return s.state(dtype, size, content)
  return content === 'any' ? s.operand(dtype, size) : s.fresh(dtype, size, content)
}

/** Square matrices of few elements, so that no factorization takes long: of a value of the program, or fresh ones. */
function squares(s: Sketcher, tape: Tape): { dtype: DType; batch: number; n: number; x: number } {
  const dtype = tape.pick(s.floats)
  const [batch, n] = [tape.pick([1, 2, 3, 0]), tape.pick([2, 3, 1, 5, 0])]
  return { dtype, batch, n, x: s.operand(dtype, batch * n * n) }
}

/** A value in channels. */
function channels(s: Sketcher, tape: Tape) {
  const x = s.any(s.floats)
  const [outer, count, inner] = factors(tape, s.sizeOf(x), 3) as [number, number, number]
  return { x, dtype: s.dtypeOf(x), params: { outer, channels: count, inner } }
}

function emitRectangle(opcode: 'lu' | 'qr' | 'svd', s: Sketcher, tape: Tape): void {
  const dtype = tape.pick(s.floats)
  const [batch, rows, columns] = [tape.pick([1, 2, 0]), tape.pick([3, 2, 1, 6, 0]), tape.pick([2, 3, 1, 5, 0])]
  const k = Math.min(rows, columns)
  const x = s.operand(dtype, batch * rows * columns)
  const [left, right] = [s.output(dtype, batch * rows * k), s.output(dtype, batch * k * columns)]
  const between = { lu: [], qr: [], svd: [batch * k] }[opcode].map((size) => s.output(dtype, size))
  const outputs = [left, ...between, right]
  if (opcode === 'lu') outputs.unshift(s.output(dtype, batch * rows * rows))
  s.emit(opcode, { batch, rows, columns }, [x], outputs)
}

/** A random program for an instruction to run; its literals are inputs. */
function randomBody(s: Sketcher, tape: Tape): Placed & { readonly dtypesOf: (kind: Place['kind']) => DType[] } {
  const tapes = Array.from({ length: 1 + tape.below(2) }, () => Array.from({ length: 24 }, () => tape.below(2 ** 16)))
  const sketch = sketchOf(tapes, s.dtypes, s.depth + 1)
  const placed = tape.oneIn(2) ? unshared(sketch) : shared(sketch, tape)
  const { program, inputs } = placed
  const values = program.values.map(
    (value): Value =>
      value.place.kind === 'literal'
        ? { ...value, place: { kind: 'input', index: program.inputCount + value.place.index } }
        : value,
  )
  const body = { ...program, values, literals: [], inputCount: program.inputCount + program.literals.length }
  const dtypesOf = (kind: Place['kind']) => {
    const dtypes: DType[] = []
    for (const { dtype, place } of values) if (place.kind === kind && 'index' in place) dtypes[place.index] = dtype
    return dtypes
  }
  return { ...placed, program: body, inputs: [...inputs, ...program.literals], dtypesOf }
}

const repeated = (data: TypedArray, times: number): TypedArray => {
  const whole = data.constructor as new (size: number) => TypedArray
  const all = new whole(times * data.length)
  for (let i = 0; i < times; i++) all.set(data, i * data.length)
  return all
}

const resultSizes = ({ values, resultCount }: Program): number[] =>
  Array.from({ length: resultCount }, (_, i) =>
    sizeOf(values.find(({ place }) => place.kind === 'result' && place.index === i)!.shape),
  )

function emitLoop(s: Sketcher, tape: Tape): void {
  const { program, inputs, states, dtypesOf } = randomBody(s, tape)
  const [length, constants] = [tape.pick([2, 1, 3, 0]), tape.below(inputs.length + 1)]
  const [inputTypes, stateTypes, resultTypes] = [dtypesOf('input'), dtypesOf('state'), dtypesOf('result')]
  const operands = inputs.map((data, i) => s.given(inputTypes[i]!, i < constants ? data : repeated(data, length)))
  operands.splice(constants, 0, ...states.map((data, i) => s.given(stateTypes[i]!, data)))
  const outputs = [
    ...states.map((data, i) => s.output(stateTypes[i]!, data.length)),
    ...resultSizes(program).map((size, i) => s.output(resultTypes[i]!, length * size)),
  ]
  s.emit('loop', { length, reverse: tape.oneIn(2), constants, body: program }, operands, outputs)
}

/** While the first element of the first carry equals itself, or as long as the limit says. */
function emitWhileLoop(s: Sketcher, tape: Tape): void {
  const { program, inputs, states, dtypesOf } = randomBody(s, tape)
  if (program.resultCount > 0 || states.length === 0 || states[0]!.length === 0) {
    emitLoop(s, tape)
    return
  }
  const [inputTypes, stateTypes] = [dtypesOf('input'), dtypesOf('state')]
  const types = [...inputTypes, ...stateTypes]
  const operands = [...inputs, ...states].map((data, i) => s.given(types[i]!, data))
  const first = inputs.length
  const condition: Program = {
    ...program,
    ...{ inputCount: operands.length, stateCount: 0, resultCount: 1, arenaBytes: 0 },
    values: [
      ...operands.map((id, index) => ({
        dtype: types[index]!,
        shape: [s.sizeOf(id)],
        place: { kind: 'input', index },
      })),
      { dtype: 'bool', shape: [], place: { kind: 'result', index: 0 } },
    ] as Value[],
    instructions: [
      instruction(
        'elementwise',
        {
          shape: [],
          operands: [{ offset: 0, strides: [] }],
          code: [{ op: 'equal', dtype: types[first]!, args: [0, 0] }],
          results: [1],
        },
        [first],
        [operands.length],
      ),
    ],
  }
  const outputs = states.map((data, i) => s.output(stateTypes[i]!, data.length))
  const params = { limit: tape.below(4), constants: inputs.length, condition, body: program }
  s.emit('whileLoop', params, operands, outputs)
}

function emitBranch(s: Sketcher, tape: Tape): void {
  const { program, inputs, states, dtypesOf } = randomBody(s, tape)
  if (states.length > 0 || inputs.length === 0) {
    emitLoop(s, tape)
    return
  }
  const [inputTypes, resultTypes] = [dtypesOf('input'), dtypesOf('result')]
  const operands = [s.operand('bool', 1), ...inputs.map((data, i) => s.given(inputTypes[i]!, data))]
  const outputs = resultSizes(program).map((size, i) => s.output(resultTypes[i]!, size))
  s.emit('branch', { ifTrue: program, ifFalse: program }, operands, outputs)
}

const emitters: { readonly [K in Opcode]: (s: Sketcher, tape: Tape) => void } = {
  loop: emitLoop,
  whileLoop: emitWhileLoop,
  branch: emitBranch,
  matmul(s, tape) {
    const dtype = tape.pick(s.numbers)
    const isInteger = dtype === 'int32'
    const extent = () => tape.pick([2, 1, 3, 4, 5, 7, 8, 16, 17, 33, 50, 130, 0])
    const [batch, m, n, k] = [tape.pick([1, 1, 2, 3, 0]), extent(), extent(), extent()]
    const [a, reachA] = randomLayout(tape, batch, m, k)
    const [b, reachB] = randomLayout(tape, batch, k, n)
    const inputs = [matrixOperand(s, tape, dtype, reachA), matrixOperand(s, tape, dtype, reachB)]
    if (!isInteger && tape.oneIn(2)) inputs.push(s.operand(dtype, n))
    const activation = isInteger ? 'none' : tape.pick(activations)
    const precision = dtype === 'float32' ? tape.pick(precisions) : 'float32'
    const params = { batch, m, n, k, a, b, activation, slope: 0.01, precision }
    s.emit('matmul', params, inputs, [s.output(dtype, batch * m * n)])
  },
  quantizedMatmul(s, tape) {
    const extent = () => tape.pick([2, 1, 3, 5, 7, 16, 17, 33, 70, 130, 0])
    const [m, n, k] = [extent(), extent(), extent()]
    const inputs = [s.operand('float32', m * k), s.operand('uint8', sizeOf(panelShape(n, k))), s.operand('float32', n)]
    if (tape.oneIn(2)) inputs.push(s.operand('float32', n))
    const params = { m, n, k, activation: tape.pick(activations), slope: 0.01 }
    s.emit('quantizedMatmul', params, inputs, [s.output('float32', m * n)])
  },
  elementwise(s, tape) {
    const first = s.any(s.dtypes)
    const shape = shapeOf(tape, s.sizeOf(first))
    const views: [number, LoadPattern][] = [[first, dense(shape)]]
    for (let more = tape.below(3); more > 0; more--) views.push(randomView(s, tape, s.dtypes, shape))
    const inputs = views.map(([id]) => id)
    const registers = inputs.map(s.dtypeOf)
    const code = randomCode(s, tape, registers)
    const results = [registers.length - 1]
    while (tape.oneIn(2)) results.push(tape.below(tape.oneIn(2) ? inputs.length : registers.length))
    const isOver = (register: number) =>
      registers[register] === s.dtypeOf(first) && inputs.every((id, i) => id !== first || views[i]![1] === views[0]![1])
    const outputs = results.map((register) =>
      isOver(register) ? s.outputOver(first) : s.output(registers[register]!, sizeOf(shape)),
    )
    s.emit('elementwise', { shape, operands: views.map(([, pattern]) => pattern), code, results }, inputs, outputs)
  },
  copy(s, tape) {
    const x = s.any(s.dtypes)
    const size = tape.pick([s.sizeOf(x), ...sizes])
    const shape = shapeOf(tape, s.sizeOf(x) === 0 ? 0 : size)
    const pattern =
      tape.oneIn(3) && sizeOf(shape) === s.sizeOf(x) ? dense(shape) : randomPattern(tape, shape, s.sizeOf(x))
    const target = tape.oneIn(4)
      ? s.outputOver(s.state(s.dtypeOf(x), sizeOf(shape)))
      : s.output(s.dtypeOf(x), sizeOf(shape))
    s.emit('copy', { shape, ...pattern }, [x], [target])
  },
  pad(s, tape) {
    const x = s.any(s.dtypes)
    const shape = shapeOf(tape, s.sizeOf(x))
    const offset = tape.below(4)
    let covered = 0
    const strides = shape.map((extent) => {
      const stride = covered + 1 + tape.below(2)
      covered += Math.max(extent - 1, 0) * stride
      return stride
    })
    if (tape.oneIn(2) && new Set(shape).size === 1) strides.reverse()
    s.emit('pad', { shape, offset, strides }, [x], [s.output(s.dtypeOf(x), offset + covered + 1 + tape.below(4))])
  },
  concat(s, tape) {
    const first = s.any(s.dtypes)
    const dtype = s.dtypeOf(first)
    const [outer, inner] = s.sizeOf(first) === 0 ? [1, 0] : (factors(tape, s.sizeOf(first), 2) as [number, number])
    const [inputs, inners] = [[first], [inner]]
    for (let more = tape.below(3); more > 0; more--) {
      const id = s.find((d, size) => d === dtype && size % outer === 0) ?? s.fresh(dtype, outer * tape.below(4))
      inputs.push(id)
      inners.push(s.sizeOf(id) / outer)
    }
    s.emit('concat', { outer, inners }, inputs, [s.output(dtype, outer * inners.reduce((sum, x) => sum + x))])
  },
  reduce(s, tape) {
    const x = s.any(s.numbers)
    const [outer, reduced, inner] = factors(tape, s.sizeOf(x), 3) as [number, number, number]
    const params = { kind: tape.pick(reductions), outer, reduced, inner }
    s.emit('reduce', params, [x], [s.output(s.dtypeOf(x), outer * inner)])
  },
  moments(s, tape) {
    const { params, x, dtype } = channels(s, tape)
    s.emit('moments', params, [x], [s.output(dtype, params.channels), s.output(dtype, params.channels)])
  },
  deviationSums(s, tape) {
    const { params, x, dtype } = channels(s, tape)
    const inputs = [x, s.operand(dtype, params.channels), s.operand(dtype, s.sizeOf(x))]
    s.emit('deviationSums', params, inputs, [s.output(dtype, params.channels), s.output(dtype, params.channels)])
  },
  argmax(s, tape) {
    const x = s.any(s.numbers)
    const [outer, inner, reduced] =
      s.sizeOf(x) === 0 ? [0, 2, 3] : (factors(tape, s.sizeOf(x), 3) as [number, number, number])
    s.emit('argmax', { outer, reduced, inner }, [x], [s.output('int32', outer * inner)])
  },
  scan(s, tape) {
    const x = s.any(s.numbers)
    const [outer, length, inner] = factors(tape, s.sizeOf(x), 3) as [number, number, number]
    const params = { kind: tape.pick(reductions), outer, length, inner, reverse: tape.oneIn(2) }
    s.emit('scan', params, [x], [s.output(s.dtypeOf(x), s.sizeOf(x))])
  },
  recurrence(s, tape) {
    const a = s.any(s.floats)
    const dtype = s.dtypeOf(a)
    const [outer, length, inner] = factors(tape, s.sizeOf(a), 3) as [number, number, number]
    const inputs = [a, s.operand(dtype, s.sizeOf(a))]
    s.emit('recurrence', { outer, length, inner, reverse: tape.oneIn(2) }, inputs, [s.output(dtype, s.sizeOf(a))])
  },
  argsort(s, tape) {
    const x = s.any(s.numbers)
    const [rows, columns] = factors(tape, s.sizeOf(x), 2) as [number, number]
    const count = tape.below(columns + 1)
    s.emit('argsort', { rows, columns, count, descending: tape.oneIn(2) }, [x], [s.output('int32', rows * count)])
  },
  softmax: (s, tape) => emitSoftmax('softmax', s, tape),
  logSoftmax: (s, tape) => emitSoftmax('logSoftmax', s, tape),
  softmaxCrossEntropy(s, tape) {
    const logits = s.any(s.floats)
    const dtype = s.dtypeOf(logits)
    const size = s.sizeOf(logits)
    const [rows, columns] = size === 0 ? [0, 3] : (factors(tape, size, 2) as [number, number])
    const probabilities = () => (tape.oneIn(3) ? s.operand(dtype, size) : s.fresh(dtype, size, 'positive'))
    const labels = tape.oneIn(2) ? probabilities() : s.fresh('int32', rows, { from: 0, below: columns })
    const outputs = [s.output(dtype, rows)]
    if (tape.oneIn(2)) outputs.push(s.output(dtype, size))
    s.emit('softmaxCrossEntropy', { rows, columns }, [logits, labels], outputs)
  },
  gather(s, tape) {
    const x = s.any(s.dtypes)
    const [rows, rowSize] = factors(tape, s.sizeOf(x), 2) as [number, number]
    const count = rows === 0 ? 0 : tape.below(8)
    const indices = s.fresh('int32', count, { from: 0, below: rows })
    s.emit('gather', { rows, rowSize, count }, [x, indices], [s.output(s.dtypeOf(x), count * rowSize)])
  },
  scatterAdd(s, tape) {
    const x = s.any(s.numbers)
    const dtype = s.dtypeOf(x)
    const [rows, rowSize] = factors(tape, s.sizeOf(x), 2) as [number, number]
    const count = rows === 0 ? 0 : tape.below(8)
    const inputs = [x, s.fresh('int32', count, { from: 0, below: rows }), s.operand(dtype, count * rowSize)]
    s.emit('scatterAdd', { rows, rowSize, count }, inputs, [s.output(dtype, s.sizeOf(x))])
  },
  takeAlongAxis(s, tape) {
    const x = s.any(s.dtypes)
    const extents = alongAxis(tape, s.sizeOf(x))
    const { outer, rows, count, inner } = extents
    const indices = s.fresh('int32', outer * count * inner, { from: 0, below: rows })
    s.emit('takeAlongAxis', extents, [x, indices], [s.output(s.dtypeOf(x), outer * count * inner)])
  },
  scatterAlongAxis(s, tape) {
    const accumulate = tape.oneIn(2)
    const x = s.any(accumulate ? s.numbers : s.dtypes)
    const extents = alongAxis(tape, s.sizeOf(x))
    const { outer, rows, count, inner } = extents
    const size = outer * count * inner
    const inputs = [x, s.fresh('int32', size, { from: 0, below: rows }), s.operand(s.dtypeOf(x), size)]
    s.emit('scatterAlongAxis', { ...extents, accumulate }, inputs, [s.output(s.dtypeOf(x), s.sizeOf(x))])
  },
  demand(s, tape) {
    const x = s.any(s.dtypes)
    const count = tape.below(8)
    const inputs = [x, s.fresh(tape.pick(s.floats), count, { from: 0, below: 9 })]
    const params = { size: s.sizeOf(x), count, low: 0, high: 9, what: 'numbers' }
    s.emit('demand', params, inputs, [s.output(s.dtypeOf(x), s.sizeOf(x))])
  },
  attention(s, tape) {
    const dtype = tape.pick(s.floats)
    const extent = () => tape.pick([3, 1, 2, 4, 8, 17, 70, 0])
    const [batch, queries, keys] = [tape.pick([1, 2, 3]), extent(), tape.oneIn(4) ? 150 : extent()]
    const [features, values] = [extent(), extent()]
    const shapes = [
      [batch, queries, features],
      [batch, keys, features],
      [batch, keys, values],
    ]
    const inputs = shapes.map((shape) => s.operand(dtype, sizeOf(shape)))
    if (tape.oneIn(2)) {
      shapes.push([batch, queries, keys])
      inputs.push(s.operand(s.dtypes.includes('bool') && tape.oneIn(2) ? 'bool' : dtype, batch * queries * keys))
    }
    const params = { batch: [batch], queries, keys, features, values, scale: 0.3, causal: tape.oneIn(2) }
    const outputs = [s.output(dtype, batch * queries * values), s.output(dtype, batch * queries)]
    s.emit('attention', { ...params, operands: shapes.map(dense) }, inputs, outputs)
  },
  attentionGradient(s, tape) {
    const dtype = tape.pick(s.floats)
    const extent = () => tape.pick([3, 1, 2, 4, 8, 17, 70, 0])
    const [batch, queries, keys] = [tape.pick([1, 2, 3]), extent(), tape.oneIn(4) ? 150 : extent()]
    const [features, values] = [extent(), extent()]
    const [q, k] = [
      [batch, queries, features],
      [batch, keys, features],
    ] as const
    const [v, out] = [
      [batch, keys, values],
      [batch, queries, values],
    ] as const
    const shapes = [q, k, v, out]
    const inputs = [...shapes, out, [batch, queries]].map((shape) => s.operand(dtype, sizeOf(shape)))
    const params = { batch: [batch], queries, keys, features, values, scale: 0.3, causal: tape.oneIn(2) }
    const outputs = [q, k, v].map((shape) => s.output(dtype, sizeOf(shape)))
    s.emit('attentionGradient', { ...params, operands: shapes.map(dense) }, inputs, outputs)
  },
  cholesky(s, tape) {
    const { dtype, batch, n, x } = squares(s, tape)
    s.emit('cholesky', { batch, n }, [x], [s.output(dtype, batch * n * n)])
  },
  triangularSolve(s, tape) {
    const { dtype, batch, n, x } = squares(s, tape)
    const columns = tape.pick([1, 2, 4, 0])
    const [lower, transpose, unitDiagonal] = [tape.oneIn(2), tape.oneIn(2), tape.oneIn(2)]
    const inputs = [x, s.operand(dtype, batch * n * columns)]
    const params = { batch, n, columns, lower, transpose, unitDiagonal }
    s.emit('triangularSolve', params, inputs, [s.output(dtype, batch * n * columns)])
  },
  solve(s, tape) {
    const { dtype, batch, n, x } = squares(s, tape)
    const columns = tape.pick([1, 2, 4, 0])
    const inputs = [x, s.operand(dtype, batch * n * columns)]
    s.emit('solve', { batch, n, columns }, inputs, [s.output(dtype, batch * n * columns)])
  },
  determinant(s, tape) {
    const { dtype, batch, n, x } = squares(s, tape)
    const outputs = [s.output(dtype, batch), s.output(dtype, batch), s.output(dtype, batch)]
    s.emit('determinant', { batch, n }, [x], outputs)
  },
  lu: (s, tape) => emitRectangle('lu', s, tape),
  matrixExp(s, tape) {
    const { dtype, batch, n, x } = squares(s, tape)
    s.emit('matrixExp', { batch, n }, [x], [s.output(dtype, batch * n * n)])
  },
  qr: (s, tape) => emitRectangle('qr', s, tape),
  eigh(s, tape) {
    const { dtype, batch, n, x } = squares(s, tape)
    s.emit('eigh', { batch, n }, [x], [s.output(dtype, batch * n), s.output(dtype, batch * n * n)])
  },
  svd: (s, tape) => emitRectangle('svd', s, tape),
  random(s, tape) {
    const distribution = tape.pick(distributions)
    const [dtype, size] = [distribution === 'integer' ? 'int32' : tape.pick(s.floats), tape.pick(sizes)]
    const inputs = [s.operand('int32', 2)]
    for (let i = 0; i < distributionParameters[distribution]; i++)
      inputs.push(s.operand(dtype, tape.oneIn(2) ? 1 : size))
    s.emit('random', { distribution }, inputs, [s.output(dtype, size)])
  },
  sgd(s, tape) {
    const { p, dtype, size } = parameter(s, tape)
    const inputs = [p, s.operand(dtype, size), scalar(s, dtype)]
    s.emit('sgd', { size }, inputs, [s.outputOver(p)])
  },
  momentum(s, tape) {
    const { p, dtype, size } = parameter(s, tape)
    const v = moment(s, tape, dtype, size)
    const inputs = [p, s.operand(dtype, size), v, scalar(s, dtype)]
    s.emit(
      'momentum',
      { size, momentum: 0.9, nesterov: tape.oneIn(2) },
      inputs,
      [p, v].map((old) => s.outputOver(old)),
    )
  },
  adam(s, tape) {
    const { p, dtype, size } = parameter(s, tape)
    const [m, v] = [moment(s, tape, dtype, size), moment(s, tape, dtype, size, 'positive')]
    const step = s.fresh(dtype, 1, { from: 1, below: 1000 })
    const inputs = [p, s.operand(dtype, size), m, v, scalar(s, dtype), step]
    const params = { size, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: tape.pick([0, 0.01]) }
    s.emit(
      'adam',
      params,
      inputs,
      [p, m, v].map((old) => s.outputOver(old)),
    )
  },
  conv2d(s, tape) {
    const p = randomConvolution(tape)
    const [dtype, x, w, y] = [tape.pick(s.floats), ...convolutionSizes(p)] as const
    const inputs = [s.operand(dtype, x), s.operand(dtype, w)]
    if (tape.oneIn(2)) inputs.push(s.operand(dtype, p.groups * p.filters))
    s.emit('conv2d', { ...p, activation: tape.pick(activations), slope: 0.01 }, inputs, [s.output(dtype, y)])
  },
  maxPooledConv2d(s, tape) {
    const p = randomConvolution(tape)
    const [dtype, x, w] = [tape.pick(s.floats), ...convolutionSizes(p)] as const
    const inputs = [s.operand(dtype, x), s.operand(dtype, w)]
    if (tape.oneIn(2)) inputs.push(s.operand(dtype, p.groups * p.filters))
    const pooled = { pooledHeight: p.outHeight >> 1, pooledWidth: tape.below((p.outWidth >> 1) + 1) }
    const size = p.batch * p.groups * p.filters * pooled.pooledHeight * pooled.pooledWidth
    const params = { ...p, ...pooled, activation: tape.pick(activations), slope: 0.01 }
    s.emit('maxPooledConv2d', params, inputs, [s.output(dtype, size)])
  },
  conv2dInputGradient(s, tape) {
    const p = randomConvolution(tape)
    const [dtype, x, w, y] = [tape.pick(s.floats), ...convolutionSizes(p)] as const
    s.emit('conv2dInputGradient', p, [s.operand(dtype, y), s.operand(dtype, w)], [s.output(dtype, x)])
  },
  conv2dWeightGradient(s, tape) {
    const p = randomConvolution(tape)
    const [dtype, x, w, y] = [tape.pick(s.floats), ...convolutionSizes(p)] as const
    s.emit('conv2dWeightGradient', p, [s.operand(dtype, x), s.operand(dtype, y)], [s.output(dtype, w)])
  },
  maxPool2d(s, tape) {
    const p = { planes: tape.below(4), ...randomWindows(tape) }
    const [dtype, size] = [tape.pick(s.floats), p.planes * p.height * p.width]
    const x = s.operand(dtype, size)
    const z = tape.oneIn(2) ? x : s.operand(dtype, size)
    s.emit('maxPool2d', p, [x, z], [s.output(dtype, p.planes * p.outHeight * p.outWidth)])
  },
  maxPool2dGradient(s, tape) {
    const p = { planes: tape.below(4), ...randomWindows(tape), rectified: tape.oneIn(2) }
    const [dtype, size] = [tape.pick(s.floats), p.planes * p.height * p.width]
    const dy = s.operand(dtype, p.planes * p.outHeight * p.outWidth)
    s.emit('maxPool2dGradient', p, [s.operand(dtype, size), dy], [s.output(dtype, size)])
  },
}

/** How x of some size is read along an axis. */
function alongAxis(tape: Tape, size: number) {
  const [outer, rows, inner] = factors(tape, size, 3) as [number, number, number]
  return { outer, rows, count: rows === 0 ? 0 : tape.below(8), inner }
}

/** Windows that may reach far outside the plane, or leave some of it out. */
function randomWindows(tape: Tape): Windows {
  const upTo = (most: number) => 1 + tape.below(most)
  return {
    ...{ height: tape.pick([5, 1, 8, 17, 0]), width: tape.pick([4, 1, 9, 20, 0]) },
    ...{ kernelHeight: upTo(3), kernelWidth: upTo(4), outHeight: tape.below(7), outWidth: tape.pick([3, 1, 8, 18, 0]) },
    ...{ strideHeight: upTo(2), strideWidth: upTo(2), padTop: tape.below(4), padLeft: tape.below(4) },
    ...{ dilationHeight: upTo(2), dilationWidth: upTo(2) },
  }
}

/** Some are of a form that kernels may compute by tiles: few, as the reference takes long for so many channels. */
const randomConvolution = (tape: Tape): Convolution =>
  tape.oneIn(30)
    ? randomTiles(tape)
    : {
        ...{ batch: tape.below(4), groups: 1 + tape.below(3) },
        ...{ channels: tape.pick([1, 2, 3, 0]), filters: tape.below(4) },
        ...randomWindows(tape),
      }

const randomTiles = (tape: Tape): Convolution => ({
  ...{ batch: 2, groups: 1, channels: tape.pick([16, 17]), filters: tape.pick([16, 20]) },
  ...{ height: tape.pick([8, 11]), width: tape.pick([9, 12]), kernelHeight: 3, kernelWidth: 3 },
  ...{ outHeight: tape.pick([9, 10]), outWidth: tape.pick([10, 11]), strideHeight: 1, strideWidth: 1 },
  ...{ padTop: tape.below(3), padLeft: tape.below(3), dilationHeight: 1, dilationWidth: 1 },
})

/** Of x, w and y. */
const convolutionSizes = (p: Convolution): [number, number, number] => [
  p.batch * p.groups * p.channels * p.height * p.width,
  p.groups * p.filters * p.channels * p.kernelHeight * p.kernelWidth,
  p.batch * p.groups * p.filters * p.outHeight * p.outWidth,
]

function emitSoftmax(opcode: 'softmax' | 'logSoftmax', s: Sketcher, tape: Tape): void {
  const x = s.any(s.floats)
  const [rows, columns] = factors(tape, s.sizeOf(x), 2) as [number, number]
  s.emit(opcode, { rows, columns }, [x], [s.output(s.dtypeOf(x), rows * columns)])
}

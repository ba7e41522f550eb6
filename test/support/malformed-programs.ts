/** One malformed program for each rule of the format. */

import { denseStrides, type Shape, sizeOf } from '../../lib/base/shape.ts'
import type { Instruction } from '../../lib/program/instructions.ts'
import { type MicroOpName, microOps } from '../../lib/program/micro-ops.ts'
import type { Place, Program, Value } from '../../lib/program/program.ts'
import type { LoadPattern } from '../../lib/program/vocabulary.ts'
import { breaking, type Malformed, set } from './malformed.ts'
import { malformedNested } from './malformed-nested.ts'
import { malformedOperands } from './malformed-operands.ts'
import { opcodeSamples } from './opcode-samples.ts'
import { f32, instruction, program, value } from './run.ts'

const dense = (shape: Shape): LoadPattern => ({ offset: 0, strides: denseStrides(shape) })

/** A micro-op of float32 operands over a shape; the patterns are dense unless they are given. */
export function apply(
  op: MicroOpName,
  inputs: readonly number[],
  output: number,
  shape: Shape,
  operands: readonly LoadPattern[] = inputs.map(() => dense(shape)),
): Instruction {
  const args = Array.from({ length: microOps[op].arity }, (_, i) => i)
  const code = [{ op, dtype: 'float32' as const, args }]
  return instruction('elementwise', { shape, operands, code, results: [inputs.length] }, inputs, [output])
}

const copy = (x: number, out: number, size: number): Instruction =>
  instruction('copy', { shape: [size], offset: 0, strides: [1] }, [x], [out])

export const float = (shape: Shape, kind: Place['kind'], at: number): Value => value('float32', shape, kind, at)

/** x → a = exp x → b = −a → y = a + b, with a at byte 0 of the arena and b at `offset`. */
const chain = (size: number, offset: number): Program =>
  program({
    values: [
      float([size], 'input', 0),
      float([size], 'arena', 0),
      float([size], 'arena', offset),
      float([size], 'result', 0),
    ],
    instructions: [apply('exp', [0], 1, [size]), apply('neg', [1], 2, [size]), apply('add', [1, 2], 3, [size])],
    inputCount: 1,
    resultCount: 1,
    arenaBytes: 512,
  })

const links = chain(4, 64)

const withLiteral = program({
  values: [float([64], 'literal', 0), float([64], 'result', 0), float([64], 'input', 0)],
  instructions: [apply('add', [0, 2], 1, [64])],
  literals: [new Float32Array(64)],
  inputCount: 1,
  resultCount: 1,
})

const ids: readonly Malformed[] = [
  breaking(
    links,
    'an input id beyond the values',
    'instruction 1 (elementwise): expected values in [0, 4), got 4',
    (p) => {
      p.instructions[1]!.inputs = [4]
    },
  ),
  breaking(links, 'a negative input id', 'instruction 1 (elementwise): expected values in [0, 4), got -1', (p) => {
    p.instructions[1]!.inputs = [-1]
  }),
  breaking(
    links,
    'an output id beyond the values',
    'instruction 0 (elementwise): expected values in [0, 4), got 9',
    (p) => {
      p.instructions[0]!.outputs = [9]
    },
  ),
  breaking(links, 'an unknown opcode', 'instruction 0 (launch): expected an opcode, got launch', (p) =>
    set(p.instructions[0]!, { opcode: 'launch' }),
  ),
]

const extents = 'value 1: expected extents from 0 to 2147483647, got'

const values: readonly Malformed[] = [
  breaking(links, 'an unknown dtype', 'value 0: expected a dtype', (p) => set(p.values[0]!, { dtype: 'float16' })),
  breaking(chain(1, 64), 'nine axes', 'value 1: expected at most 8 axes, got 9', (p) => {
    p.values[1]!.shape = [1, 1, 1, 1, 1, 1, 1, 1, 1]
  }),
  breaking(links, 'a negative extent', `${extents} [-4]`, (p) => set(p.values[1]!, { shape: [-4] })),
  breaking(links, 'a broken extent', `${extents} [4.5]`, (p) => set(p.values[1]!, { shape: [4.5] })),
  breaking(links, 'an extent beyond 32 bits', `${extents} [4294967300]`, (p) =>
    set(p.values[1]!, { shape: [2 ** 32 + 4] }),
  ),
  breaking(links, 'a size that overflows', 'value 1: expected at most 2147483647 elements', (p) => {
    p.values[1]!.shape = [2 ** 31 - 1, 2 ** 31 - 1, 4]
  }),
  breaking(links, 'a size beyond 32 bits', 'value 1: expected at most 2147483647 elements', (p) => {
    p.values[1]!.shape = [2 ** 16, 2 ** 16]
  }),
  breaking(
    links,
    'two types of one input',
    'value 2: expected float32[4], which input 0 is elsewhere, got float32[5]',
    (p) => set(p.values[2]!, { shape: [5], place: { kind: 'input', index: 0 } }),
  ),
  breaking(links, 'two values of one result', 'value 3: expected a result of its own, got result 0 again', (p) =>
    set(p.values[2]!, { place: { kind: 'result', index: 0 } }),
  ),
]

const place = (twin: Program, rule: string, message: string, id: number, changes: object): Malformed =>
  breaking(twin, rule, `value ${id}: expected ${message}`, (p) => set(p.values[id]!.place, changes))

const places: readonly Malformed[] = [
  place(links, 'an input that is not there', 'one of 1 inputs, got number 1', 0, { index: 1 }),
  place(links, 'a negative input', 'one of 1 inputs, got number -1', 0, { index: -1 }),
  place(links, 'a result that is not there', 'one of 1 results, got number 1', 3, { index: 1 }),
  place(links, 'a state that is not there', 'one of 0 states, got number 0', 0, { kind: 'state' }),
  place(links, 'an unknown place', 'a place, got register', 0, { kind: 'register' }),
  place(withLiteral, 'a literal that is not there', 'one of 1 literals, got number 1', 0, { index: 1 }),
  breaking(
    withLiteral,
    'a literal that is too short',
    'value 0: expected a literal of float32[64], got Float32Array of 4 elements',
    (p) => set(p, { literals: [f32(1, 2, 3, 4)] }),
  ),
  breaking(links, 'an input without a value', 'program: expected a value for input 1, got none', (p) => {
    p.inputCount = 2
  }),
  breaking(links, 'a state without a value', 'program: expected a value for state 0, got none', (p) => {
    p.stateCount = 1
  }),
  breaking(links, 'a negative count', 'program: expected counts of buffers that are integers, got -1', (p) => {
    p.stateCount = -1
  }),
  place(links, 'an offset between the multiples of 64', 'an arena offset that is a multiple of 64, got 96', 2, {
    offset: 96,
  }),
  place(links, 'a negative offset', 'an arena offset that is a multiple of 64, got -64', 2, { offset: -64 }),
  place(links, 'a slot past the end of the arena', 'to end within the arena of 512 bytes, got 528', 2, { offset: 512 }),
  breaking(links, 'an arena of negative size', 'program: expected arena bytes', (p) => {
    p.arenaBytes = -64
  }),
]

const unwritten = (index: number, id: number): string =>
  `instruction ${index} (elementwise): expected value ${id} to be written before, got a read`

const order: readonly Malformed[] = [
  breaking(links, 'a read before the write', unwritten(0, 1), (p) => {
    p.instructions.unshift(...p.instructions.splice(1, 1))
  }),
  breaking(links, 'a cycle', unwritten(0, 2), (p) => {
    p.instructions[0]!.inputs = [2]
  }),
  breaking(links, 'a read of its own output', unwritten(1, 2), (p) => {
    p.instructions[1]!.inputs = [2]
  }),
  breaking(links, 'a value that nothing writes', unwritten(1, 2), (p) => {
    p.instructions.splice(1, 1)
  }),
  breaking(links, 'two writers', 'instruction 1 (elementwise): expected value 1 to be written once', (p) => {
    p.instructions[1]!.outputs = [1]
  }),
  breaking(
    opcodeSamples.momentum,
    'one value as two outputs',
    'instruction 0 (momentum): expected value 4 to be written once',
    (p) => {
      p.instructions[0]!.outputs = [4, 4]
    },
  ),
  breaking(
    links,
    'a write to an input',
    'instruction 0 (elementwise): expected outputs that may be written, got input 0',
    (p) => {
      p.instructions[0]!.outputs = [0]
    },
  ),
  breaking(
    withLiteral,
    'a write to a literal',
    'instruction 0 (elementwise): expected outputs that may be written, got literal 0',
    (p) => {
      p.instructions[0]!.outputs = [0]
    },
  ),
  breaking(links, 'a result that nothing writes', 'result 0: expected to be written, got no writer', (p) => {
    p.instructions.pop()
  }),
]

/** a (value 1, at byte 0) is copied from an input; `use` makes c (value 2, at byte 64) of it, which becomes the result. */
const using = (a: Value, c: Value, use: Instruction, more: readonly Value[] = []): Program => {
  const [sizeOfA, sizeOfC] = [sizeOf(a.shape), sizeOf(c.shape)]
  return program({
    values: [
      { ...a, place: { kind: 'input', index: 0 } },
      a,
      c,
      { ...c, place: { kind: 'result', index: 0 } },
      ...more,
    ],
    instructions: [copy(0, 1, sizeOfA), use, copy(2, 3, sizeOfC)],
    inputCount: 1 + more.length,
    resultCount: 1,
    arenaBytes: 512,
  })
}

const busy = (index: number, opcode: string, id: number): string =>
  `instruction ${index} (${opcode}): expected a free slot for value ${id}, got bytes`

/** c moves to where a is. */
const overwriting = (rule: string, twin: Program): Malformed =>
  breaking(twin, rule, busy(1, twin.instructions[1]!.opcode, 2), (p) => set(p.values[2]!.place, { offset: 0 }))

const a44 = float([4, 4], 'arena', 0)
const c44 = float([4, 4], 'arena', 64)
const layout = { offset: 0, batchStride: 0, leadingDimension: 4, transpose: false }
const square = {
  batch: 1,
  m: 4,
  n: 4,
  k: 4,
  a: layout,
  b: layout,
  activation: 'none' as const,
  slope: 0,
  precision: 'float32' as const,
}
const widen = {
  shape: [4],
  operands: [dense([4])],
  code: [{ op: 'cast' as const, dtype: 'bool' as const, to: 'float32' as const, args: [0] }],
  results: [1],
}

const overlaps: readonly Malformed[] = [
  breaking(links, 'a slot that is read later', busy(1, 'elementwise', 2), (p) =>
    set(p.values[2]!.place, { offset: 0 }),
  ),
  breaking(chain(32, 128), 'a slot in part over another', busy(1, 'elementwise', 2), (p) =>
    set(p.values[2]!.place, { offset: 64 }),
  ),
  overwriting('a matmul over its operand', using(a44, c44, instruction('matmul', square, [1, 0], [2]))),
  overwriting('a copy over its operand', using(a44, c44, copy(1, 2, 16))),
  overwriting(
    'an elementwise group over what it also reads transposed',
    using(a44, c44, apply('add', [1, 1], 2, [4, 4], [dense([4, 4]), { offset: 0, strides: [1, 4] }])),
  ),
  overwriting(
    'an elementwise group over narrower elements',
    using(value('bool', [16], 'arena', 0), float([4], 'arena', 64), instruction('elementwise', widen, [1], [2])),
  ),
  overwriting(
    'a scatterAdd over its updates',
    using(
      float([4, 1], 'arena', 0),
      float([4, 1], 'arena', 64),
      instruction('scatterAdd', { rows: 4, rowSize: 1, count: 4 }, [1, 4, 1], [2]),
      [value('int32', [4], 'input', 1)],
    ),
  ),
  breaking(
    program({
      values: [0, 1, 2, 3]
        .map((i) => float(i === 3 ? [] : [4], 'input', i))
        .concat(float([4], 'arena', 0), float([4], 'arena', 64)),
      instructions: [instruction('momentum', { size: 4, momentum: 0.9, nesterov: false }, [0, 1, 2, 3], [4, 5])],
      inputCount: 4,
      arenaBytes: 128,
    }),
    'two outputs in one slot',
    busy(0, 'momentum', 5),
    (p) => set(p.values[5]!.place, { offset: 0 }),
  ),
]

/** The state is read, and then updated by `update` to its new value, 3; 1 is an input like it, 2 a scalar. */
const updating = (update: Instruction, more: Partial<Program> = {}): Program =>
  program({
    values: [
      float([2, 2], 'state', 0),
      float([2, 2], 'input', 0),
      float([], 'input', 1),
      float([2, 2], 'state', 0),
      float([2, 2], 'result', 0),
      ...(more.values ?? []),
    ],
    instructions: [copy(0, 4, 4), update, ...(more.instructions ?? [])],
    inputCount: 2,
    stateCount: 1,
    resultCount: 1,
    arenaBytes: 64,
  })

const step = (p: number, out: number): Instruction => instruction('sgd', { size: 4 }, [p, 1, 2], [out])
const training = updating(step(0, 3))
const reading = instruction('gather', { rows: 2, rowSize: 2, count: 1 }, [1, 6], [5])

const states: readonly Malformed[] = [
  breaking(
    training,
    'a read of what a state was',
    'instruction 1 (copy): expected state 0 as it was, got a read',
    (p) => {
      p.instructions.reverse()
    },
  ),
  breaking(
    training,
    'a read of what a state will be',
    'instruction 1 (sgd): expected value 3 to be written before',
    (p) => {
      p.instructions[0]!.inputs = [3]
    },
  ),
  breaking(training, 'two types of one state', 'value 3: expected float32[2,2], which state 0 is elsewhere', (p) => {
    p.values[3]!.shape = [5]
  }),
  breaking(
    updating(step(0, 3), { values: [float([2, 2], 'arena', 0)], instructions: [step(3, 5)] }),
    'two writers of a state',
    'instruction 2 (sgd): expected state 0 to be written once, got a write after instruction 1',
    (p) => set(p.values[5]!, { place: { kind: 'state', index: 0 } }),
  ),
  breaking(
    updating(apply('neg', [0], 3, [2, 2])),
    'a state over what its update reads transposed',
    'instruction 1 (elementwise): expected operands that output 0 may replace',
    (p) => set(p.instructions[1]!.params, { operands: [{ offset: 0, strides: [1, 2] }] }),
  ),
  breaking(
    updating(copy(1, 3, 4)),
    'a state copied to itself',
    'instruction 1 (copy): expected operands that output 0 may replace',
    (p) => {
      p.instructions[1]!.inputs = [0]
    },
  ),
  breaking(
    {
      ...updating(reading, {
        values: [float([2], 'arena', 0), value('int32', [1], 'input', 2)],
        instructions: [step(0, 3)],
      }),
      inputCount: 3,
    },
    'an instruction that can fail after the write of a state',
    'instruction 2 (gather): expected to stand before the first write of a state',
    (p) => {
      p.instructions.push(...p.instructions.splice(1, 1))
    },
  ),
]

export const malformedPrograms: readonly Malformed[] = [
  ...[ids, values, places, order, overlaps, states, malformedOperands, malformedNested].flat(),
]

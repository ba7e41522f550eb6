import { describe, expect, test } from 'vitest'
import { dtypes } from '../../lib/base/dtype.ts'
import { ProgramError } from '../../lib/base/errors.ts'
import { encodeProgram, programMagic, programVersion } from '../../lib/program/encode.ts'
import { type InstructionParams, type Opcode, opcodes } from '../../lib/program/instructions.ts'
import { microOpNames } from '../../lib/program/micro-ops.ts'
import type { Numbering } from '../../lib/program/parameters.ts'
import type { Program } from '../../lib/program/program.ts'
import { activations, distributions, precisions, reductions } from '../../lib/program/vocabulary.ts'
import { opcodeSamples } from '../support/opcode-samples.ts'
import { f32, instruction, program, u8, value } from '../support/run.ts'

const numbered = (names: readonly string[]) => new Map(names.map((name, number) => [name, number]))
const places = ['input', 'state', 'literal', 'result', 'arena']

const numbering: Numbering = {
  opcodes: numbered(opcodes),
  microOps: numbered(microOpNames),
  dtypes: numbered(dtypes),
  places: numbered(places),
  reductions: numbered(reductions),
  activations: numbered(activations),
  precisions: numbered(precisions),
  distributions: numbered(distributions),
}

/** Reads the words back as encode.ts describes them. */
function decode(words: Int32Array) {
  let position = 0
  const next = () => words[position++]!
  const list = (count = next()) => Array.from({ length: count }, next)
  const [magic, version, valueCount, instructionCount, ...counts] = list(8)
  const values = Array.from({ length: valueCount! }, () => {
    const [dtype, place, at] = list(3)
    return { dtype: dtypes[dtype!], place: places[place!], at, shape: list() }
  })
  const instructions = Array.from({ length: instructionCount! }, () => {
    const opcode = opcodes[next()]
    return { opcode, inputs: list(), outputs: list(), params: list() }
  })
  return { magic, version, counts, values, instructions, isAtEnd: position === words.length }
}

const encode = (given: Program) => encodeProgram(given, numbering)
const paramsOf = (given: Program) => decode(encode(given).words).instructions[0]!.params

describe('words', () => {
  test.each(opcodes)('a program of %s', (opcode) => {
    const given = opcodeSamples[opcode]
    const { magic, version, counts, values, instructions, isAtEnd } = decode(encode(given).words)
    expect([magic, version, isAtEnd]).toEqual([programMagic, programVersion, true])
    expect(counts).toEqual([given.inputCount, 0, given.resultCount, 0])
    expect(values).toEqual(
      given.values.map(({ dtype, shape, place }) => ({
        dtype,
        place: place.kind,
        at: 'index' in place && place.index,
        shape,
      })),
    )
    const [{ inputs, outputs }] = given.instructions as [Program['instructions'][0]]
    expect(instructions).toMatchObject([{ opcode, inputs, outputs }])
  })

  test('places: indices, and blocks of 64 bytes', () => {
    const given = program({
      values: [
        value('float32', [], 'input', 1),
        value('int32', [2, 3], 'state', 2),
        value('uint8', [4], 'result', 3),
        value('float32', [17], 'literal', 0),
        value('bool', [1], 'literal', 1),
        value('float32', [2], 'literal', 2),
        value('float32', [4], 'arena', 192),
      ],
      literals: [new Float32Array(17), u8(1), f32(5, 6)],
      inputCount: 2,
      stateCount: 3,
      resultCount: 4,
      arenaBytes: 208,
    })
    const { counts, values } = decode(encode(given).words)
    expect(counts).toEqual([2, 3, 4, 4])
    expect(values.map(({ at }) => at)).toEqual([1, 2, 3, 0, 2, 3, 3])
    expect(values.map(({ shape }) => shape)).toEqual([[], [2, 3], [4], [17], [1], [2], [4]])
  })
})

describe('parameters', () => {
  /** The double whose halves are two words. */
  const real = (low: number, high: number) => new Float64Array(Int32Array.of(low, high).buffer)[0]

  test('matmul', () => {
    const params = paramsOf(opcodeSamples.matmul)
    expect(params.slice(0, 13)).toEqual([2, 3, 4, 5, 0, 15, 5, 0, 1, 0, 6, 1, activations.indexOf('leakyRelu')])
    expect(real(params[13]!, params[14]!)).toBe(0.1)
  })

  test('quantizedMatmul', () => {
    const params = paramsOf(opcodeSamples.quantizedMatmul)
    expect(params.slice(0, 4)).toEqual([3, 18, 5, activations.indexOf('leakyRelu')])
    expect(real(params[4]!, params[5]!)).toBe(0.1)
  })

  test('elementwise', () => {
    const step = (op: string, dtype: string, to: string, ...args: number[]) => [
      numbering.microOps.get(op),
      numbering.dtypes.get(dtype),
      numbering.dtypes.get(to),
      ...args,
    ]
    const shape = [2, 2, 3]
    const operands = [3, 0, 2, 3, 1, 0, 2, 0, 1, 1, 2, -1, 0]
    const code = [
      step('add', 'float32', 'float32', 0, 1, -1),
      step('cast', 'int32', 'float32', 2, -1, -1),
      step('less', 'float32', 'float32', 3, 4, -1),
      step('where', 'float32', 'float32', 5, 3, 4),
    ]
    const results = [2, 5, 6]
    expect(paramsOf(opcodeSamples.elementwise)).toEqual([...shape, ...operands, 4, ...code.flat(), ...results])
  })

  test('attention', () => {
    const params = paramsOf(opcodeSamples.attention)
    expect(params.slice(0, 27)).toEqual([
      1, 2, 3, 4, 5, 2, 4, 0, 3, 15, 5, 1, 0, 3, 20, 5, 1, 1, 3, 0, 3, 1, 0, 3, 0, 0, 1,
    ])
    expect(real(params[27]!, params[28]!)).toBe(0.5)
    expect(params.slice(29)).toEqual([1])
  })

  const sizes: { readonly [K in Opcode]?: number[] } = {
    copy: [2, 3, 2, 0, 2, 1, 3],
    pad: [2, 2, 2, 1, 2, 4, 2],
    concat: [2, 2, 1, 3],
    reduce: [reductions.indexOf('sum'), 2, 3, 4],
    argmax: [2, 3, 4],
    scan: [reductions.indexOf('prod'), 2, 3, 4, 1],
    recurrence: [2, 3, 4, 0],
    argsort: [2, 3, 2, 1],
    softmax: [2, 3],
    logSoftmax: [2, 3],
    softmaxCrossEntropy: [2, 3],
    gather: [3, 2, 4],
    scatterAdd: [3, 2, 4],
    takeAlongAxis: [2, 3, 4, 2],
    scatterAlongAxis: [2, 3, 4, 2, 1],
    cholesky: [2, 3],
    triangularSolve: [2, 3, 2, 1, 1, 0],
    solve: [2, 3, 2],
    determinant: [2, 3],
    qr: [2, 3, 2],
    eigh: [2, 3],
    svd: [2, 2, 3],
    random: [distributions.indexOf('normal')],
    sgd: [3],
  }

  test.each(Object.entries(sizes))('%s', (opcode, words) => {
    expect(paramsOf(opcodeSamples[opcode as Opcode])).toEqual(words)
  })

  test('real numbers keep all their bits', () => {
    const momentum = paramsOf(opcodeSamples.momentum)
    expect([momentum[0], real(momentum[1]!, momentum[2]!), momentum[3]]).toEqual([3, 0.9, 1])
    const given: InstructionParams['adam'] = {
      size: 3,
      beta1: -0,
      beta2: 1 - 2 ** -53,
      epsilon: 5e-324,
      weightDecay: NaN,
    }
    const { inputs, outputs } = opcodeSamples.adam.instructions[0]!
    const adam = paramsOf({ ...opcodeSamples.adam, instructions: [instruction('adam', given, inputs, outputs)] })
    expect([1, 3, 5, 7].map((at) => real(adam[at]!, adam[at + 1]!))).toEqual([-0, 1 - 2 ** -53, 5e-324, NaN])
  })
})

test('literals lie at multiples of 64 bytes, padded with zeros', () => {
  const view = f32(9, 1, 2).subarray(1)
  const { literals } = encode(program({ literals: [view, u8(7)] }))
  expect(literals).toHaveLength(128)
  expect(new Float32Array(literals.buffer, 0, 3)).toEqual(f32(1, 2, 0))
  expect(Array.from(literals.subarray(64, 66))).toEqual([7, 0])
})

describe('what has no words', () => {
  test('a name that the backend does not know', () => {
    const withoutDoubles = { ...numbering, dtypes: numbered(['float32', 'int32', 'uint8', 'bool']) }
    const given = program({ values: [value('float64', [1], 'input', 0)], inputCount: 1 })
    expect(() => encodeProgram(given, withoutDoubles)).toThrow('internal: the backend knows no float64')
  })

  test.each([2 ** 31, 1.5, NaN])('the extent %s', (extent) => {
    const given = program({ values: [value('float32', [extent], 'input', 0)], inputCount: 1 })
    expect(() => encode(given)).toThrow(new ProgramError(`program: expected integers of 32 bits, got ${extent}`))
  })
})

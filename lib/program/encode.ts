/**
 * A program as numbers, for a backend in another language.
 *
 * words: magic, version, values, instructions, inputs, states, results, arena blocks of 64 bytes; then each value as
 * dtype, place kind, place index, rank, extents…; then each instruction as opcode, inputs and outputs (each counted),
 * and its parameter words (counted). A real number takes two words, the low half of its IEEE double first.
 * A literal's place index, like an arena value's, counts 64-byte blocks: of the literal bytes, which are one buffer.
 */
import type { DType, TypedArray } from '../base/dtype.ts'
import { expected, InternalError, ProgramError } from '../base/errors.ts'
import type {
  ActivationName,
  Convolution,
  DistributionName,
  Instruction,
  InstructionParams,
  MatrixLayout,
  Opcode,
  ReductionName,
  Windows,
} from './instructions.ts'
import type { MicroOpName } from './micro-ops.ts'
import { arenaAlignment, type Place, type Program } from './program.ts'

/** The number of each name; the backend that reads the words hands it over when it is loaded. */
export interface Numbering {
  readonly opcodes: ReadonlyMap<string, number>
  readonly microOps: ReadonlyMap<string, number>
  readonly dtypes: ReadonlyMap<string, number>
  readonly places: ReadonlyMap<string, number>
  readonly reductions: ReadonlyMap<string, number>
  readonly activations: ReadonlyMap<string, number>
  readonly distributions: ReadonlyMap<string, number>
}

export interface EncodedProgram {
  readonly words: Int32Array
  readonly literals: Uint8Array
}

export const programMagic = 0x474c5631
export const programVersion = 1

type ParamEncoder<K extends Opcode> = (params: Readonly<InstructionParams[K]>, numbering: Numbering) => number[]

const encodeParams: { readonly [K in Opcode]: ParamEncoder<K> } = {
  matmul: (p, numbering) => [
    ...[p.batch, p.m, p.n, p.k, ...layoutWords(p.a), ...layoutWords(p.b)],
    ...[activationNumber(numbering, p.activation), ...realWords(p.slope)],
  ],
  elementwise: (p, numbering) => [
    ...[p.shape.length, ...p.shape, p.operands.length],
    ...p.operands.flatMap(({ offset, strides }) => [offset, ...strides]),
    p.code.length,
    ...p.code.flatMap(({ op, dtype, to, args }) => [
      ...[microOpNumber(numbering, op), dtypeNumber(numbering, dtype), dtypeNumber(numbering, to ?? dtype)],
      ...[args[0] ?? -1, args[1] ?? -1, args[2] ?? -1],
    ]),
    ...p.results,
  ],
  copy: (p) => [p.shape.length, ...p.shape, p.offset, ...p.strides],
  pad: (p) => [p.shape.length, ...p.shape, p.offset, ...p.strides],
  concat: (p) => [p.outer, ...p.inners],
  reduce: (p, numbering) => [reductionNumber(numbering, p.kind), p.outer, p.reduced, p.inner],
  argmax: (p) => [p.outer, p.reduced, p.inner],
  scan: (p, numbering) => [reductionNumber(numbering, p.kind), p.outer, p.length, p.inner, Number(p.reverse)],
  recurrence: (p) => [p.outer, p.length, p.inner, Number(p.reverse)],
  argsort: (p) => [p.rows, p.columns, p.count, Number(p.descending)],
  softmax: (p) => [p.rows, p.columns],
  logSoftmax: (p) => [p.rows, p.columns],
  softmaxCrossEntropy: (p) => [p.rows, p.columns],
  gather: (p) => [p.rows, p.rowSize, p.count],
  scatterAdd: (p) => [p.rows, p.rowSize, p.count],
  takeAlongAxis: (p) => [p.outer, p.rows, p.count, p.inner],
  scatterAlongAxis: (p) => [p.outer, p.rows, p.count, p.inner, Number(p.accumulate)],
  attention: (p) => [
    ...[p.batch.length, ...p.batch, p.queries, p.keys, p.features, p.values, p.operands.length],
    ...p.operands.flatMap(({ offset, strides }) => [offset, ...strides]),
    ...[...realWords(p.scale), Number(p.causal)],
  ],
  cholesky: (p) => [p.batch, p.n],
  triangularSolve: (p) => [p.batch, p.n, p.columns, ...[p.lower, p.transpose, p.unitDiagonal].map(Number)],
  solve: (p) => [p.batch, p.n, p.columns],
  determinant: (p) => [p.batch, p.n],
  qr: (p) => [p.batch, p.rows, p.columns],
  eigh: (p) => [p.batch, p.n],
  svd: (p) => [p.batch, p.rows, p.columns],
  random: (p, numbering) => [distributionNumber(numbering, p.distribution)],
  sgd: (p) => [p.size],
  momentum: (p) => [p.size, ...realWords(p.momentum), Number(p.nesterov)],
  adam: (p) => [p.size, ...[p.beta1, p.beta2, p.epsilon, p.weightDecay].flatMap(realWords)],
  conv2d: (p, numbering) => [
    ...convolutionWords(p),
    ...[activationNumber(numbering, p.activation), ...realWords(p.slope)],
  ],
  conv2dInputGradient: convolutionWords,
  conv2dWeightGradient: convolutionWords,
  maxPool2d: (p) => [p.planes, ...windowWords(p)],
  maxPool2dGradient: (p) => [p.planes, ...windowWords(p)],
}

function windowWords(p: Windows): number[] {
  return [
    ...[p.height, p.width, p.kernelHeight, p.kernelWidth, p.outHeight, p.outWidth],
    ...[p.strideHeight, p.strideWidth, p.padTop, p.padLeft, p.dilationHeight, p.dilationWidth],
  ]
}

function convolutionWords(p: Convolution): number[] {
  return [p.batch, p.groups, p.channels, p.filters, ...windowWords(p)]
}

const layoutWords = ({ offset, batchStride, leadingDimension, transpose }: MatrixLayout): number[] => [
  ...[offset, batchStride, leadingDimension, Number(transpose)],
]

const real = new Float64Array(1)
const realHalves = new Int32Array(real.buffer)

function realWords(x: number): number[] {
  real[0] = x
  return [realHalves[0]!, realHalves[1]!]
}

function numberOf(table: ReadonlyMap<string, number>, name: string): number {
  const number = table.get(name)
  if (number === undefined) throw new InternalError(`the backend knows no ${name}`)
  return number
}

const microOpNumber = (numbering: Numbering, op: MicroOpName) => numberOf(numbering.microOps, op)
const dtypeNumber = (numbering: Numbering, dtype: DType) => numberOf(numbering.dtypes, dtype)
const activationNumber = (numbering: Numbering, name: ActivationName) => numberOf(numbering.activations, name)
const reductionNumber = (numbering: Numbering, name: ReductionName) => numberOf(numbering.reductions, name)
const distributionNumber = (numbering: Numbering, name: DistributionName) => numberOf(numbering.distributions, name)

function encodeInstruction({ opcode, inputs, outputs, params }: Instruction, numbering: Numbering): number[] {
  const number = numberOf(numbering.opcodes, opcode)
  const words = (encodeParams[opcode] as ParamEncoder<Opcode>)(params, numbering)
  return [number, inputs.length, ...inputs, outputs.length, ...outputs, words.length, ...words]
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

export function encodeProgram(program: Program, numbering: Numbering): EncodedProgram {
  const { bytes, starts } = packLiterals(program.literals)
  const words: number[] = [programMagic, programVersion, program.values.length, program.instructions.length]
  words.push(program.inputCount, program.stateCount, program.resultCount, blocks(program.arenaBytes))
  for (const { dtype, shape, place } of program.values) {
    words.push(dtypeNumber(numbering, dtype), numberOf(numbering.places, place.kind), placeIndex(place, starts))
    words.push(shape.length, ...shape)
  }
  for (const instruction of program.instructions) words.push(...encodeInstruction(instruction, numbering))
  const encoded = Int32Array.from(words)
  const misfit = encoded.findIndex((word, i) => word !== words[i])
  if (misfit !== -1) throw new ProgramError(expected('program', 'integers of 32 bits', words[misfit]))
  return { words: encoded, literals: bytes }
}

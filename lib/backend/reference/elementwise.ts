/** Elementwise groups: a straight-line program that runs block by block over registers. */
import { allocate, type DType, isFloat, type TypedArray } from '../../base/dtype.ts'
import { erf, erfc, erfinv } from '../../base/erf.ts'
import { pick, zipWith } from '../../base/lists.ts'
import { sizeOf } from '../../base/shape.ts'
import type { InstructionParams } from '../../program/instructions.ts'
import { type MicroInstruction, type MicroOpName, type microOps, microResultDType } from '../../program/micro-ops.ts'
import {
  elu,
  floorDiv,
  fmod,
  gcd,
  gelu,
  geluDerivative,
  geluTanh,
  leakyRelu,
  mod,
  pow,
  relu,
  roundToEven,
  saturate,
  sigmoid,
  silu,
  sinc,
  softplus,
  step,
} from './functions.ts'
import { digamma, lgamma, polygamma } from './gamma.ts'
import { forEachRun } from './strided.ts'

/** Registers of this many elements stay in the cache. */
const blockSize = 1024

/** Loads come before stores in each block, so an output may lie over a dense operand. */
export function elementwise(
  { shape, operands, code, results }: InstructionParams['elementwise'],
  inputs: readonly TypedArray[],
  outputs: readonly TypedArray[],
): void {
  const size = sizeOf(shape)
  const width = Math.min(size, blockSize)
  const loads = zipWith(operands, inputs, (pattern, x) => ({ pattern, x, register: arrayLike(x, width) }))
  const registers = loads.map(({ register }) => register)
  const steps = code.map((micro) => {
    const [args, out] = [pick(registers, micro.args), allocate(microResultDType(micro), width)]
    registers.push(out)
    return { micro, args, out }
  })
  const stores = zipWith(pick(registers, results), outputs, (register, out) => ({ register, out }))
  for (let begin = 0; begin < size; begin += width) {
    const end = Math.min(begin + width, size)
    for (const { pattern, x, register } of loads)
      forEachRun(shape, pattern, begin, end, (position, count, start, stride) => {
        for (let j = 0; j < count; j++) register[position - begin + j] = x[start + j * stride]!
      })
    for (const { micro, args, out } of steps) (microLoops[micro.op] as AnyLoop)(args, out, end - begin, micro)
    for (const { register, out } of stores) out.set(register.subarray(0, end - begin), begin)
  }
}

const arrayLike = (x: TypedArray, length: number): TypedArray =>
  new (x.constructor as new (length: number) => TypedArray)(length)

type Arguments = {
  1: readonly [TypedArray]
  2: readonly [TypedArray, TypedArray]
  3: readonly [TypedArray, TypedArray, TypedArray]
}
type Arity = keyof Arguments

type MicroLoop<A extends Arity> = (args: Arguments[A], out: TypedArray, count: number, micro: MicroInstruction) => void

/** A loop with the arguments that verified code gives it. */
type AnyLoop = (args: readonly TypedArray[], out: TypedArray, count: number, micro: MicroInstruction) => void

// The functions compute in float64; storing to a float32 register rounds once, to an integer one wraps.

function map([x]: Arguments[1], out: TypedArray, count: number, f: (x: number) => number): void {
  for (let i = 0; i < count; i++) out[i] = f(x[i]!)
}

const unary =
  (f: (x: number) => number): MicroLoop<1> =>
  (args, out, count) =>
    map(args, out, count, f)

const binary =
  (f: (a: number, b: number) => number, ofIntegers = f): MicroLoop<2> =>
  ([a, b], out, count, { dtype }) => {
    const g = isFloat(dtype) ? f : ofIntegers
    for (let i = 0; i < count; i++) out[i] = g(a[i]!, b[i]!)
  }

const comparison = (f: (a: number, b: number) => boolean): MicroLoop<2> => binary((a, b) => Number(f(a, b)))

const where: MicroLoop<3> = ([condition, a, b], out, count) => {
  for (let i = 0; i < count; i++) out[i] = (condition[i] !== 0 ? a : b)[i]!
}

function conversion(from: DType, to: DType): (x: number) => number {
  if (to === 'bool') return (x) => Number(x !== 0)
  if (isFloat(from) && to === 'int32') return (x) => saturate(x, -(2 ** 31), 2 ** 31 - 1)
  if (isFloat(from) && to === 'uint8') return (x) => saturate(x, 0, 255)
  return (x) => x
}

/** Products of integers need more than the 53 bits of a float64 before they wrap. */
const product = binary((a, b) => a * b, Math.imul)

const microLoops: { readonly [K in MicroOpName]: MicroLoop<(typeof microOps)[K]['arity']> } = {
  identity: unary((x) => x),
  add: binary((a, b) => a + b),
  sub: binary((a, b) => a - b),
  mul: product,
  div: binary((a, b) => a / b),
  pow: binary(pow),
  maximum: binary(Math.max),
  minimum: binary(Math.min),
  neg: unary((x) => -x),
  abs: unary(Math.abs),
  sign: unary(Math.sign),
  square: ([x], out, count, micro) => product([x, x], out, count, micro),
  sqrt: unary(Math.sqrt),
  exp: unary(Math.exp),
  log: unary(Math.log),
  step: unary(step),
  sigmoid: unary(sigmoid),
  tanh: unary(Math.tanh),
  relu: unary(relu),
  leakyRelu: binary(leakyRelu),
  softplus: unary(softplus),
  expm1: unary(Math.expm1),
  log1p: unary(Math.log1p),
  sin: unary(Math.sin),
  cos: unary(Math.cos),
  rsqrt: unary((x) => 1 / Math.sqrt(x)),
  reciprocal: unary((x) => 1 / x),
  erf: unary(erf),
  silu: unary(silu),
  elu: binary(elu),
  gelu: unary(gelu),
  geluTanh: unary(geluTanh),
  geluDerivative: unary(geluDerivative),
  floor: unary(Math.floor),
  ceil: unary(Math.ceil),
  round: unary(roundToEven),
  trunc: unary(Math.trunc),
  exp2: unary((x) => 2 ** x),
  log2: unary(Math.log2),
  log10: unary(Math.log10),
  cbrt: unary(Math.cbrt),
  tan: unary(Math.tan),
  asin: unary(Math.asin),
  acos: unary(Math.acos),
  atan: unary(Math.atan),
  sinh: unary(Math.sinh),
  cosh: unary(Math.cosh),
  asinh: unary(Math.asinh),
  // Bun's own, on musl, gives numbers for large negative ones.
  acosh: unary((x) => (x < 1 ? Number.NaN : Math.acosh(x))),
  atanh: unary(Math.atanh),
  sinc: unary(sinc),
  erfc: unary(erfc),
  erfinv: unary(erfinv),
  lgamma: unary(lgamma),
  digamma: unary(digamma),
  polygamma: binary(polygamma),
  atan2: binary(Math.atan2),
  hypot: binary(Math.hypot),
  mod: binary(mod, (a, b) => (b === 0 ? 0 : mod(a, b))),
  fmod: binary(fmod, (a, b) => (b === 0 ? 0 : fmod(a, b))),
  floorDiv: binary(floorDiv, (a, b) => (b === 0 ? 0 : Math.floor(a / b))),
  gcd: binary(gcd),
  bitwiseAnd: binary((a, b) => a & b),
  bitwiseOr: binary((a, b) => a | b),
  bitwiseXor: binary((a, b) => a ^ b),
  leftShift: binary((a, b) => (b < 0 || b > 31 ? 0 : a << b)),
  rightShift: binary((a, b) => a >> (b < 0 || b > 31 ? 31 : b)),
  equal: comparison((a, b) => a === b),
  notEqual: comparison((a, b) => a !== b),
  less: comparison((a, b) => a < b),
  lessEqual: comparison((a, b) => a <= b),
  greater: comparison((a, b) => a > b),
  greaterEqual: comparison((a, b) => a >= b),
  where,
  cast: (args, out, count, { dtype, to = dtype }) => map(args, out, count, conversion(dtype, to)),
}

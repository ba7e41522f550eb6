/** Operators that work element by element: arithmetic, functions, activations, comparisons, logic, choices. */
import { isFloat } from '../../base/dtype.ts'
import { normalizeAxis } from '../../base/shape.ts'
import * as g from '../../operations/index.ts'
import type { Tensor, TensorLike } from '../../tensor/tensor.ts'
import { type ElementType, isFloatType, rangeOf } from '../types.ts'
import { HostArray } from '../values.ts'
import type { Call } from './call.ts'
import { onHost } from './host.ts'
import { type Body, type Family, type Result, row } from './row.ts'

type Formula = Parameters<typeof onHost>[2]

/** A function of one tensor; on the host where a formula says how. */
const unary =
  (f: (x: Tensor) => Tensor, formula?: Formula): Body =>
  (call) => {
    const x = call.value(0)
    if (formula !== undefined && x instanceof HostArray) {
      const known = onHost(x.type, [x], formula)
      if (known !== undefined) return known
    }
    return f(call.tensor(0))
  }

/** Two operands, of which scalars that are known go into the program as numbers. */
function operands(call: Call, first = 0): [TensorLike, TensorLike] {
  if (call.attributes.has('axis') && call.attributes.flag('broadcast', false)) return [call.tensor(0), aligned(call)]
  const [x, y] = [call.operand(first), call.operand(first + 1)]
  return typeof x === 'number' && typeof y === 'number' ? [call.tensor(first), y] : [x, y]
}

/** Before opset 7 an attribute says at which axis of the first operand the axes of the second one begin. */
function aligned(call: Call): Tensor {
  const [x, y] = [call.shape(0), call.tensor(1)]
  const axis = normalizeAxis(call.info.operator, call.attributes.int('axis', 0), x.length)
  return g.reshape(y, [...y.shape, ...Array<number>(Math.max(0, x.length - axis - y.ndim)).fill(1)])
}

function known(call: Call, formula: Formula, type = call.type(0)): HostArray | undefined {
  return call.isAllHost && !call.attributes.has('axis')
    ? onHost(type, call.values() as HostArray[], formula)
    : undefined
}

/** A function of two tensors that broadcast. */
const binary =
  (f: (x: TensorLike, y: TensorLike) => Tensor, formula: Formula): Body =>
  (call) =>
    known(call, formula) ?? f(...operands(call))

/** The same with bool results. */
const comparison =
  (f: (x: TensorLike, y: TensorLike) => Tensor, formula: Formula): Body =>
  (call) =>
    known(call, formula, 'bool') ?? f(...operands(call))

/** One tensor or more, from the left to the right. */
const variadic =
  (f: (x: TensorLike, y: TensorLike) => Tensor, formula: Formula): Body =>
  (call) =>
    known(call, (...elements) => elements.reduce((x, y) => formula(x, y) as number)) ??
    call.tensors().reduce((x, y) => f(x, y))

/** Of integers the quotient is cut toward zero. */
function quotient(x: TensorLike, y: TensorLike): Tensor {
  const plain = g.div(x, y)
  const [a, b] = [dtypeOf(x), dtypeOf(y)]
  if ((a ?? b) === undefined || isFloat((a ?? b)!)) return plain
  return g.floorDiv(g.sub(x, g.fmod(x, y)), y)
}

const dtypeOf = (x: TensorLike) => (typeof x === 'object' && 'dtype' in x ? (x as Tensor).dtype : undefined)

const hostQuotient: Formula = (x, y) => {
  if (typeof x === 'bigint' && (y as unknown) === 0n) throw new RangeError('onnx: division by zero')
  return x / y
}

function divide(call: Call): Result {
  return known(call, hostQuotient) ?? quotient(...operands(call))
}

/** x − y·⌊x/y⌋, or with the sign of x where `fmod` says so. */
function modulo(call: Call): Result {
  const isSignOfX = call.attributes.flag('fmod', false)
  const formula: Formula = (x, y) => {
    const rest = x % y
    const zero = (typeof x === 'bigint' ? 0n : 0) as number
    return isSignOfX || rest === zero || rest < zero === y < zero ? rest : rest + y
  }
  return known(call, formula) ?? (isSignOfX ? g.fmod : g.mod)(...operands(call))
}

/** Of the type of the base; whole powers of integers are exact within what doubles hold. */
function power(call: Call): Result {
  const [x, y] = operands(call)
  const type = call.type(0)
  if (isFloatType(type)) {
    const exponent = typeof y === 'number' ? y : g.cast(y, call.dtypeOf(type))
    return g.pow(typeof x === 'number' ? call.tensor(0) : x, exponent)
  }
  const formula: Formula = (a, b) => Number(a) ** Number(b)
  const onHost = known(call, (a, b) => Math.trunc(formula(a, b) as number))
  return (
    onHost ?? g.cast(g.pow(g.cast(call.tensor(0), 'float32'), g.cast(call.tensor(1), 'float32')), call.dtypeOf(type))
  )
}

/** min(max(x, least), most), where bounds that are known are numbers. */
function clip(call: Call): Result {
  const { attributes } = call
  if (call.since < 11) return clamp(call.tensor(0), attributes.float('min', null), attributes.float('max', null))
  const bound = (input: number) => {
    if (!call.has(input)) return null
    const { initial } = call.value(input) as { initial?: HostArray }
    return initial !== undefined || call.isHost(input) ? call.number(input) : call.tensor(input)
  }
  return clamp(call.tensor(0), bound(1), bound(2))
}

function clamp(x: Tensor, least: Tensor | number | null, most: Tensor | number | null): Tensor {
  return least === null && most === null ? x : g.clamp(x, least, most)
}

/** Bits that a shift by more than there are leaves: those of the sign going right, none going left. */
function shift(call: Call): Result {
  const isLeft = call.attributes.choice('direction', ['LEFT', 'RIGHT'], 'LEFT') === 'LEFT'
  const type = call.type(0)
  const bits = bitsOf(type)
  const keepsSign = !isLeft && !type.startsWith('u')
  const formula: Formula = (x, y) => {
    const by = y < 0 || y >= bits ? bits : Number(y)
    return isLeft ? BigInt(x) << BigInt(by) : BigInt(x) >> BigInt(by)
  }
  const onHost = known(call, formula)
  if (onHost !== undefined) return onHost
  const [x, y] = [call.tensor(0), call.tensor(1)]
  const isBeyond = g.logicalOr(g.less(y, 0), g.greaterEqual(y, bits))
  const shifted = (isLeft ? g.leftShift : g.rightShift)(x, g.where(isBeyond, keepsSign ? bits - 1 : 0, y))
  return wrapped(call, keepsSign ? shifted : g.where(isBeyond, 0, shifted))
}

const bitsOf = (type: ElementType): number => {
  const [least, most] = rangeOf(type) ?? [0n, 1n]
  return (most - least).toString(2).length
}

/** Integers of fewer bits than int32, which holds them, brought back into their range. */
function wrapped(call: Call, x: Tensor): Tensor {
  const [least, most] = rangeOf(call.type(0)) ?? [0n, 0n]
  if (x.dtype !== 'int32' || most >= 2n ** 31n - 1n) return x
  if (least === 0n) return g.bitwiseAnd(x, Number(most))
  const spare = 32 - bitsOf(call.type(0))
  return g.rightShift(g.leftShift(x, spare), spare)
}

function choose(call: Call): Result {
  const [condition, x, y] = [call.value(0), call.value(1), call.value(2)]
  if (condition instanceof HostArray && x instanceof HostArray && y instanceof HostArray) {
    const found = onHost(x.type, [condition, x, y], (c, a, b) => (c ? a : b))
    if (found !== undefined) return found
  }
  return call.as(x.type, g.where(call.tensor(0), ...operands(call, 1)))
}

function isInfinite(call: Call): Tensor {
  const x = call.tensor(0)
  const positive = call.attributes.flag('detect_positive', true)
  const negative = call.attributes.flag('detect_negative', true)
  if (positive && negative) return g.isInf(x)
  if (!positive && !negative) return g.logicalAnd(g.isNaN(x), false)
  return g.equal(x, positive ? Infinity : -Infinity)
}

/** Along one axis, or, before opset 13, of all axes from one on taken together. */
const softmaxLike =
  (f: (x: Tensor, axis: number) => Tensor): Body =>
  (call) => {
    const x = call.tensor(0)
    const axis = call.attributes.int('axis', call.since < 13 ? 1 : -1)
    if (call.since >= 13) return f(x, axis)
    const at = axis < 0 ? axis + x.ndim : axis
    const { shape } = x
    const rows = shape.slice(0, at).reduce((a, b) => a * b, 1)
    const flat = g.reshape(x, [rows, rows === 0 ? 0 : x.size / rows])
    return g.reshape(f(flat, 1), shape)
  }

/** 1 at the first of the greatest elements, 0 elsewhere. */
function hardmax(x: Tensor, axis: number): Tensor {
  const at = axis < 0 ? axis + x.ndim : axis
  const hot = g.oneHot(g.argmax(x, at), x.shape[at]!, { dtype: x.dtype })
  return g.moveAxis(hot, -1, at)
}

/** Nothing is dropped unless the model says that it trains. */
function dropout(call: Call): Result[] {
  const x = call.tensor(0)
  const isTraining = call.since >= 12 && call.has(2) && call.number(2) !== 0
  const rate = isTraining ? (call.optionalNumber(1) ?? 0.5) : 0
  const ones = g.broadcastTo(g.cast(1, x.dtype), x.shape)
  const kept = rate === 0 ? undefined : g.dropout(ones, rate)
  const mask = kept === undefined ? g.cast(ones, 'bool') : g.notEqual(kept, 0)
  return [kept === undefined ? x : g.mul(x, kept), call.as('bool', mask)]
}

/** x·sigmoid(alpha·x) */
function swish(call: Call): Tensor {
  const x = call.tensor(0)
  const alpha = call.attributes.float('alpha', 1)
  return alpha === 1 ? g.silu(x) : g.mul(x, g.sigmoid(g.mul(x, alpha)))
}

/** Of integer types too, which the functions that it is made of do not all take. */
function prelu(call: Call): Tensor {
  const [x, given] = [call.tensor(0), call.tensor(1)]
  // Before opset 7 slopes are those of the channels.
  const isByChannel = call.since < 7 && given.size > 1
  const slope = isByChannel ? g.reshape(given, [given.size, ...x.shape.slice(2).map(() => 1)]) : given
  return isFloat(x.dtype) ? g.prelu(x, slope) : g.where(g.less(x, 0), g.mul(x, slope), x)
}

function mean(call: Call): Result {
  return g.div(
    call.tensors().reduce((x, y) => g.add(x, y)),
    call.count,
  )
}

const foldable = { folds: true }
const arithmetic = [6, 7, 13, 14]

export const elementwise: Family = {
  Abs: row(
    [6, 13],
    unary(g.abs, (x) => (x < 0 ? -x : x)),
    foldable,
  ),
  Acos: row([7, 22], unary(g.acos)),
  Acosh: row([9, 22], unary(g.acosh)),
  Add: row(
    arithmetic,
    binary(g.add, (x, y) => x + y),
    foldable,
  ),
  And: row(
    [1, 7],
    comparison(g.logicalAnd, (x, y) => x & y),
    foldable,
  ),
  Asin: row([7, 22], unary(g.asin)),
  Asinh: row([9, 22], unary(g.asinh)),
  Atan: row([7, 22], unary(g.atan)),
  Atanh: row([9, 22], unary(g.atanh)),
  BitShift: row([11, 28], shift, foldable),
  BitwiseAnd: row(
    [18],
    binary(g.bitwiseAnd, (x, y) => x & y),
    foldable,
  ),
  BitwiseNot: row([18], (call) => wrapped(call, g.bitwiseNot(call.tensor(0)))),
  BitwiseOr: row(
    [18],
    binary(g.bitwiseOr, (x, y) => x | y),
    foldable,
  ),
  BitwiseXor: row(
    [18],
    binary(g.bitwiseXor, (x, y) => x ^ y),
    foldable,
  ),
  Ceil: row([6, 13], unary(g.ceil, Math.ceil), foldable),
  Celu: row([12, 28], (call) => g.celu(call.tensor(0), call.attributes.float('alpha', 1))),
  Clip: row([6, 11, 12, 13], clip, { host: [1, 2] }),
  Cos: row([7, 22], unary(g.cos)),
  Cosh: row([9, 22], unary(g.cosh)),
  Div: row(arithmetic, divide, foldable),
  Dropout: row([7, 10, 12, 13, 22], dropout, { host: [1, 2] }),
  Elu: row([6, 22], (call) => g.elu(call.tensor(0), call.attributes.float('alpha', 1))),
  Equal: row(
    [1, 7, 11, 13, 19],
    comparison(g.equal, (x, y) => x === y),
    foldable,
  ),
  Erf: row([9, 13], unary(g.erf)),
  Exp: row([6, 13], unary(g.exp)),
  Floor: row([6, 13], unary(g.floor, Math.floor), foldable),
  Gelu: row([20], (call) =>
    g.gelu(call.tensor(0), { approximate: call.attributes.choice('approximate', ['none', 'tanh'], 'none') }),
  ),
  Greater: row(
    [1, 7, 9, 13],
    comparison(g.greater, (x, y) => x > y),
    foldable,
  ),
  GreaterOrEqual: row(
    [12, 16],
    comparison(g.greaterEqual, (x, y) => x >= y),
    foldable,
  ),
  HardSigmoid: row([6, 22], (call) => {
    const line = g.add(g.mul(call.tensor(0), call.attributes.float('alpha', 0.2)), call.attributes.float('beta', 0.5))
    return g.clamp(line, 0, 1)
  }),
  HardSwish: row([14, 22], (call) => g.hardSwish(call.tensor(0))),
  Hardmax: row([1, 11, 13], softmaxLike(hardmax)),
  Identity: row([1, 13, 14, 16, 19, 21, 23, 24, 25], (call) => call.value(0), foldable),
  IsInf: row([10, 20], isInfinite),
  IsNaN: row([9, 13, 20], (call) => g.isNaN(call.tensor(0))),
  LeakyRelu: row([6, 16], (call) => g.leakyRelu(call.tensor(0), call.attributes.float('alpha', 0.01))),
  Less: row(
    [1, 7, 9, 13],
    comparison(g.less, (x, y) => x < y),
    foldable,
  ),
  LessOrEqual: row(
    [12, 16],
    comparison(g.lessEqual, (x, y) => x <= y),
    foldable,
  ),
  Log: row([6, 13], unary(g.log)),
  LogSoftmax: row([1, 11, 13], softmaxLike(g.logSoftmax)),
  Max: row(
    [6, 8, 12, 13],
    variadic(g.maximum, (x, y) => (y > x || Number.isNaN(y) ? y : x)),
    foldable,
  ),
  Mean: row([6, 8, 13], mean),
  Min: row(
    [6, 8, 12, 13],
    variadic(g.minimum, (x, y) => (y < x || Number.isNaN(y) ? y : x)),
    foldable,
  ),
  Mish: row([18, 22], (call) => g.mish(call.tensor(0))),
  Mod: row([10, 13, 28], modulo, foldable),
  Mul: row(
    arithmetic,
    binary(g.mul, (x, y) => x * y),
    foldable,
  ),
  Neg: row(
    [6, 13],
    unary(g.neg, (x) => -x),
    foldable,
  ),
  Not: row(
    [1],
    unary(g.logicalNot, (x) => x === 0),
    foldable,
  ),
  Or: row(
    [1, 7],
    comparison(g.logicalOr, (x, y) => x | y),
    foldable,
  ),
  PRelu: row([6, 7, 9, 16], prelu),
  Pow: row([1, 7, 12, 13, 15], power, foldable),
  Reciprocal: row(
    [6, 13],
    unary(g.reciprocal, (x) => 1 / x),
    foldable,
  ),
  Relu: row([6, 13, 14], unary(g.relu)),
  Round: row([11, 22], unary(g.round)),
  Selu: row([6, 22], (call) => {
    const elu = g.elu(call.tensor(0), call.attributes.float('alpha', 1.6732631921768188))
    return g.mul(elu, call.attributes.float('gamma', 1.0507010221481323))
  }),
  Shrink: row([9], (call) => {
    const [x, bias, edge] = [call.tensor(0), call.attributes.float('bias', 0), call.attributes.float('lambd', 0.5)]
    return g.where(g.less(x, -edge), g.add(x, bias), g.where(g.greater(x, edge), g.sub(x, bias), 0))
  }),
  Sigmoid: row([6, 13], unary(g.sigmoid)),
  Sign: row([9, 13], unary(g.sign)),
  Sin: row([7, 22], unary(g.sin)),
  Sinh: row([9, 22], unary(g.sinh)),
  Softmax: row([1, 11, 13], softmaxLike(g.softmax)),
  Softplus: row([1, 22], unary(g.softplus)),
  Softsign: row([1, 22], unary(g.softsign)),
  Sqrt: row([6, 13], unary(g.sqrt, Math.sqrt), foldable),
  Sub: row(
    arithmetic,
    binary(g.sub, (x, y) => x - y),
    foldable,
  ),
  Sum: row(
    [6, 8, 13],
    variadic(g.add, (x, y) => x + y),
    foldable,
  ),
  SwiGLU: row([28], (call) => g.mul(swish(call), call.tensor(1))),
  Swish: row([24], swish),
  Tan: row([7, 22], unary(g.tan)),
  Tanh: row([6, 13], unary(g.tanh)),
  ThresholdedRelu: row([10, 22], (call) => g.threshold(call.tensor(0), call.attributes.float('alpha', 1), 0)),
  Where: row([9, 16], choose, foldable),
  Xor: row(
    [1, 7],
    comparison(g.logicalXor, (x, y) => x ^ y),
    foldable,
  ),
}

/** Elementwise operations: a table of derivatives, and the numpy rules of broadcasting and promotion around it. */
import { type DType, isFloat, promote } from '../../base/dtype.ts'
import { DTypeError, expected } from '../../base/errors.ts'
import { broadcastShapes } from '../../base/shape.ts'
import type { MicroOpName } from '../../program/micro-ops.ts'
import { type Node, type OpDef, record } from '../node.ts'
import { broadcastTo } from './broadcast.ts'
import { literal, weakValue } from './leaf.ts'

/** The cotangent of each input; y is the node itself, so a rule may use its value. */
type Derivative = (ct: Node, y: Node, ...inputs: Node[]) => (Node | null)[]

/** An operation that is one micro-op; `result` is bool for comparisons. */
export function microOp(name: MicroOpName, derivative?: Derivative, result?: DType): OpDef<null> {
  return {
    name,
    infer: (inputs) => ({ dtype: result ?? inputs.at(-1)!.dtype, shape: inputs[0]!.shape }),
    ...(derivative && { vjp: (ct: Node, y: Node) => derivative(ct, y, ...y.inputs) }),
    lower(emitter, node) {
      const dtype = node.inputs.at(-1)!.dtype
      return emitter.elementwise(
        node,
        node.inputs.map((x) => emitter.viewOf(x)),
        { op: name, dtype },
      )
    },
  }
}

export const zerosLike = (x: Node): Node => broadcastTo(literal(0, x.dtype), x.shape)

/** ct where the condition holds, else 0: a NaN or infinite ct does not leak into the other branch. */
export const masked = (condition: Node, ct: Node): Node => where(condition, ct, 0)

/** √(8/π): gelu's form with tanh is x·σ(√(8/π)·(x + 0.044715·x³)). */
const geluScale = Math.sqrt(8 / Math.PI)

/** Half of ct to each side at a tie, as PyTorch does. */
const tieHalved = (wins: Node, ties: Node, ct: Node): Node => where(ties, mul(ct, 0.5), masked(wins, ct))

const ops = {
  add: microOp('add', (ct) => [ct, ct]),
  sub: microOp('sub', (ct) => [ct, neg(ct)]),
  mul: microOp('mul', (ct, _y, a, b) => [mul(ct, b!), mul(ct, a!)]),
  // d(a/b) = da/b − (a/b)·db/b
  div: microOp('div', (ct, y, _a, b) => [div(ct, b!), neg(mul(ct, div(y, b!)))]),
  // d(aᵇ) = b·aᵇ⁻¹ da + aᵇ·log a db, where b = 0 has no slope in a, and a = 0 none in b (b ≥ 0)
  pow: microOp('pow', (ct, y, a, b) => [
    where(equal(b!, 0), 0, mul(ct, mul(b!, pow(a!, sub(b!, 1))))),
    mul(ct, where(isPowerOfZero(a!, b!), 0, mul(y, log(a!)))),
  ]),
  maximum: microOp('maximum', (ct, _y, a, b) => {
    const ties = equal(a!, b!)
    return [tieHalved(greater(a!, b!), ties, ct), tieHalved(less(a!, b!), ties, ct)]
  }),
  minimum: microOp('minimum', (ct, _y, a, b) => {
    const ties = equal(a!, b!)
    return [tieHalved(less(a!, b!), ties, ct), tieHalved(greater(a!, b!), ties, ct)]
  }),
  neg: microOp('neg', (ct) => [neg(ct)]),
  abs: microOp('abs', (ct, _y, x) => [mul(ct, sign(x!))]),
  sign: microOp('sign', (_ct, y) => [zerosLike(y)]),
  square: microOp('square', (ct, _y, x) => [mul(ct, mul(x!, 2))]),
  sqrt: microOp('sqrt', (ct, y) => [div(mul(ct, 0.5), y)]),
  exp: microOp('exp', (ct, y) => [mul(ct, y)]),
  log: microOp('log', (ct, _y, x) => [div(ct, x!)]),
  // Flat wherever it has a derivative, which is why a network of steps cannot be trained.
  step: microOp('step', (_ct, y) => [zerosLike(y)]),
  // σ' = σ(1 − σ)
  sigmoid: microOp('sigmoid', (ct, y) => [mul(ct, mul(y, sub(1, y)))]),
  // tanh' = 1 − tanh²
  tanh: microOp('tanh', (ct, y) => [mul(ct, sub(1, square(y)))]),
  // From the output, so that the input need not outlive a fused matmul.
  relu: microOp('relu', (ct, y) => [masked(greater(y, 0), ct)]),
  // softplus' = σ
  softplus: microOp('softplus', (ct, _y, x) => [mul(ct, sigmoid(x!))]),
  // Not y + 1, which would have lost what is left of eˣ far below 0.
  expm1: microOp('expm1', (ct, _y, x) => [mul(ct, exp(x!))]),
  log1p: microOp('log1p', (ct, _y, x) => [div(ct, add(x!, 1))]),
  sin: microOp('sin', (ct, _y, x) => [mul(ct, cos(x!))]),
  cos: microOp('cos', (ct, _y, x) => [neg(mul(ct, sin(x!)))]),
  // d x^−½ = −½·x^−3⁄2
  rsqrt: microOp('rsqrt', (ct, y) => [mul(ct, mul(mul(y, square(y)), -0.5))]),
  reciprocal: microOp('reciprocal', (ct, y) => [neg(mul(ct, square(y)))]),
  // erf' = 2/√π·e^(−x²)
  erf: microOp('erf', (ct, _y, x) => [mul(ct, mul(exp(neg(square(x!))), 2 / Math.sqrt(Math.PI)))]),
  // (x·σ)' = σ + x·σ·(1 − σ), and 1 − σ(x) = σ(−x)
  silu: microOp('silu', (ct, y, x) => [mul(ct, add(sigmoid(x!), mul(y, sigmoid(neg(x!)))))]),
  // (x·Φ)' = Φ + x·φ with the normal distribution Φ and its density φ
  gelu: microOp('gelu', (ct, _y, x) => {
    const distribution = mul(add(erf(mul(x!, Math.SQRT1_2)), 1), 0.5)
    const density = mul(exp(mul(square(x!), -0.5)), 1 / Math.sqrt(2 * Math.PI))
    return [mul(ct, add(distribution, mul(x!, density)))]
  }),
  // (x·σ(u))' = σ(u) + x·σ(u)·σ(−u)·u'
  geluTanh: microOp('geluTanh', (ct, y, x) => {
    const squared = square(x!)
    const u = mul(x!, add(mul(squared, geluScale * 0.044715), geluScale))
    const slope = add(mul(squared, geluScale * 3 * 0.044715), geluScale)
    return [mul(ct, add(sigmoid(u), mul(y, mul(sigmoid(neg(u)), slope))))]
  }),
  equal: microOp('equal', undefined, 'bool'),
  notEqual: microOp('notEqual', undefined, 'bool'),
  less: microOp('less', undefined, 'bool'),
  lessEqual: microOp('lessEqual', undefined, 'bool'),
  greater: microOp('greater', undefined, 'bool'),
  greaterEqual: microOp('greaterEqual', undefined, 'bool'),
  where: microOp('where', (ct, _y, condition) => [null, masked(condition!, ct), where(condition!, 0, ct)]),
} satisfies Record<string, OpDef<null>>

/** An operation of a tensor and a number, the second operand of its micro-op. */
function withNumber<K extends string>(
  name: MicroOpName,
  key: K,
  derivative: (ct: Node, x: Node, number: number) => Node,
): OpDef<Readonly<Record<K, number>>> {
  return {
    name,
    infer: ([x]) => x!,
    vjp: (ct, { inputs: [x], params }) => [derivative(ct, x!, params[key])],
    lower(emitter, node) {
      const number = emitter.denseView(emitter.literal(node.dtype, node.params[key]))
      const operands = [
        emitter.viewOf(node.inputs[0]!),
        { ...number, shape: node.shape, strides: node.shape.map(() => 0) },
      ]
      return emitter.elementwise(node, operands, { op: name, dtype: node.dtype })
    },
  }
}

// By the input: the output has its sign unless the slope is negative.
const leakyReluOp = withNumber('leakyRelu', 'slope', (ct, x, slope) => where(greater(x, 0), ct, mul(ct, slope)))

// The exponential of what is at most 0, as that of the branch not taken may overflow, and 0·∞ is NaN.
const eluOp = withNumber('elu', 'alpha', (ct, x, alpha) => {
  const above = greater(x, 0)
  return where(above, ct, mul(ct, mul(exp(where(above, 0, x)), alpha)))
})

const castOp: OpDef<{ to: string }> = {
  name: 'cast',
  infer: ([x], { to }) => ({ dtype: to as DType, shape: x!.shape }),
  vjp: (ct, { inputs: [x] }) => [isFloat(x!.dtype) ? cast(ct, x!.dtype) : null],
  lower(emitter, node) {
    const [x] = node.inputs
    return emitter.elementwise(node, [emitter.viewOf(x!)], { op: 'cast', dtype: x!.dtype, to: node.dtype })
  },
}

/** A node, or a JavaScript number that takes the dtype of the other operand. */
export type Operand = Node | number

export const operandNode = (x: Operand): Node => (typeof x === 'number' ? literal(x, 'float32', true) : x)

/** A number is what the other operand is, unless that would round it: integers meet 0.5 in float32. */
export function promotedDType(a: Node, b: Node): DType {
  const [x, y] = [weakValue(a), weakValue(b)]
  if (x !== undefined && y === undefined) return weakDType(x, b.dtype)
  if (y !== undefined && x === undefined) return weakDType(y, a.dtype)
  return promote(a.dtype, b.dtype)
}

function weakDType(value: number, other: DType): DType {
  if (isFloat(other)) return other
  const fits =
    Number.isInteger(value) && (other === 'uint8' ? value >= 0 && value <= 255 : Math.abs(value) <= 2 ** 31 - 1)
  if (fits) return other === 'bool' ? 'int32' : other
  return Number.isInteger(value) && Math.abs(value) <= 2 ** 31 - 1 ? 'int32' : 'float32'
}

/** What arithmetic computes in: bytes widen to int32, so that 200 + 100 is 300. */
export const arithmeticDType = (dtype: DType): DType => (dtype === 'bool' || dtype === 'uint8' ? 'int32' : dtype)

export const floatDType = (dtype: DType): DType => (isFloat(dtype) ? dtype : 'float32')

const asIs = (dtype: DType): DType => dtype

/** x in a dtype; a weak literal is written anew, so that it is rounded once. */
export function toDType(x: Node, dtype: DType): Node {
  const value = weakValue(x)
  return value === undefined ? cast(x, dtype) : literal(value, dtype)
}

export function binary(def: OpDef<null>, computeIn: (dtype: DType) => DType) {
  return (a: Operand, b: Operand): Node => {
    const [x, y] = [operandNode(a), operandNode(b)]
    const dtype = x.dtype === y.dtype && x.dtype === 'float32' ? 'float32' : computeIn(promotedDType(x, y))
    const shape = broadcastShapes(def.name, x.shape, y.shape)
    return record(def, [broadcastTo(toDType(x, dtype), shape), broadcastTo(toDType(y, dtype), shape)], null)
  }
}

export function unary(def: OpDef<null>, computeIn: (dtype: DType) => DType) {
  return (x: Operand): Node => {
    const node = operandNode(x)
    return record(def, [toDType(node, computeIn(node.dtype))], null)
  }
}

export const add = binary(ops.add, arithmeticDType)
export const sub = binary(ops.sub, arithmeticDType)
export const mul = binary(ops.mul, arithmeticDType)
export const div = binary(ops.div, floatDType)
export const pow = binary(ops.pow, floatDType)
export const maximum = binary(ops.maximum, arithmeticDType)
export const minimum = binary(ops.minimum, arithmeticDType)
export const equal = binary(ops.equal, asIs)
export const notEqual = binary(ops.notEqual, asIs)
export const less = binary(ops.less, asIs)
export const lessEqual = binary(ops.lessEqual, asIs)
export const greater = binary(ops.greater, asIs)
export const greaterEqual = binary(ops.greaterEqual, asIs)

export const neg = unary(ops.neg, arithmeticDType)
export const abs = unary(ops.abs, arithmeticDType)
export const sign = unary(ops.sign, arithmeticDType)
export const square = unary(ops.square, arithmeticDType)
export const relu = unary(ops.relu, arithmeticDType)
export const sqrt = unary(ops.sqrt, floatDType)
export const exp = unary(ops.exp, floatDType)
export const log = unary(ops.log, floatDType)
export const step = unary(ops.step, floatDType)
export const sigmoid = unary(ops.sigmoid, floatDType)
export const tanh = unary(ops.tanh, floatDType)
export const softplus = unary(ops.softplus, floatDType)

export const expm1 = unary(ops.expm1, floatDType)
export const log1p = unary(ops.log1p, floatDType)
export const sin = unary(ops.sin, floatDType)
export const cos = unary(ops.cos, floatDType)
export const rsqrt = unary(ops.rsqrt, floatDType)
export const reciprocal = unary(ops.reciprocal, floatDType)
export const erf = unary(ops.erf, floatDType)
export const silu = unary(ops.silu, floatDType)
const geluExact = unary(ops.gelu, floatDType)
const geluTanh = unary(ops.geluTanh, floatDType)

export const leakyRelu = (x: Node, slope: number): Node =>
  record(leakyReluOp, [toDType(x, floatDType(x.dtype))], { slope })
export const elu = (x: Node, alpha: number): Node => record(eluOp, [toDType(x, floatDType(x.dtype))], { alpha })

const gelus = { none: geluExact, tanh: geluTanh }

/** How gelu computes the normal distribution function: by erf, or as a sigmoid of a cubic, which is near it. */
export type GeluForm = keyof typeof gelus

export function gelu(x: Node, approximate: GeluForm): Node {
  if (!Object.hasOwn(gelus, approximate))
    throw new TypeError(expected('gelu', "approximate: 'none' or 'tanh'", String(approximate)))
  return gelus[approximate](x)
}

export function cast(x: Node, dtype: DType): Node {
  return x.dtype === dtype ? x : record(castOp, [x], { to: dtype })
}

/** a where the condition is true, else b. */
export function where(condition: Node, a: Operand, b: Operand): Node {
  if (condition.dtype !== 'bool') throw new DTypeError(expected('where', 'a bool condition', condition.dtype))
  const [x, y] = [operandNode(a), operandNode(b)]
  const dtype = promotedDType(x, y)
  const shape = broadcastShapes('where', condition.shape, broadcastShapes('where', x.shape, y.shape))
  return record(
    ops.where,
    [condition, toDType(x, dtype), toDType(y, dtype)].map((node) => broadcastTo(node, shape)),
    null,
  )
}

/** Where 0ᵇ with b ≥ 0: its slope in b is 0, and log 0 would make it NaN. */
const isPowerOfZero = (a: Node, b: Node): Node =>
  greater(mul(cast(equal(a, 0), 'int32'), cast(greaterEqual(b, 0), 'int32')), 0)

export const elementwiseOps = { ...ops, leakyRelu: leakyReluOp, elu: eluOp, cast: castOp }

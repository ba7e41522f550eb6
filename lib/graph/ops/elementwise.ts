/** Elementwise operations: one for each micro-op, which says how many operands it has and of what dtype, and a table of derivatives. */
import type { DType } from '../../base/dtype.ts'
import { DTypeError, expected } from '../../base/errors.ts'
import { broadcastShapes, type Shape } from '../../base/shape.ts'
import { type MicroOpKind, type MicroOpName, microOpNames, microOps } from '../../program/micro-ops.ts'
import type { Emitter, View } from '../emitter.ts'
import { type Binary, type Node, type OpDef, record, type TensorType, type Ternary, type Unary } from '../node.ts'
import { broadcastTo } from './broadcast.ts'
import { literal, weakValue } from './leaf.ts'
import { arithmeticDType, floatDType, type Operand, operandNode, promotedDType, toDType } from './promotion.ts'
import { composed, type Derivative } from './rule.ts'

type AtLeastOne = readonly [Node, ...Node[]]

type Facts<K extends MicroOpName> = (typeof microOps)[K]
type Operands = { 1: Unary; 2: Binary; 3: Ternary }
type OperandsOf<K extends MicroOpName> = Operands[Facts<K>['arity']]

/** Micro-ops of a tensor and a number, which is a parameter of the node. */
type WithNumber = 'leakyRelu' | 'elu' | 'polygamma'

/** The other micro-ops that are operations, with as many operands as are asked for. */
export type ElementwiseName<Arity = 1 | 2 | 3> = {
  [K in MicroOpName]: Facts<K>['arity'] extends Arity ? K : never
}[Exclude<MicroOpName, WithNumber | 'cast' | 'identity'>]

// --- Derivatives ------------------------------------------------------------------------------------------------------

export const zerosLike = (x: Node): Node => broadcastTo(literal(0, x.dtype), x.shape)

/** ct where the condition holds, else 0: a NaN or infinite ct does not leak into the other branch. */
const masked = (condition: Node, ct: Node): Node => where(condition, ct, 0)

/** √(8/π): gelu's form with tanh is x·σ(√(8/π)·(x + 0.044715·x³)). */
const geluScale = Math.sqrt(8 / Math.PI)

/** Half of ct to each side at a tie, as PyTorch does. */
const tieHalved = (wins: Node, ties: Node, ct: Node): Node => where(ties, mul(ct, 0.5), masked(wins, ct))

/** Where 0ᵇ with b ≥ 0: its slope in b is 0, and log 0 would make it NaN. */
const isPowerOfZero = (a: Node, b: Node): Node => bitwiseAnd(equal(a, 0), greaterEqual(b, 0))

/** Where functions of a bell's tails are flat in every dtype, x within ±1000: it times what vanishes there is 0, not ∞·0. */
export const bounded = (x: Node): Node => atMost(atLeast(x, -1000), 1000)

/** 1 − x² without the cancellation near ±1, nor that of its slope −2x near 0. */
const oneLessSquare = composed<Unary>(
  'oneLessSquare',
  (x) => mul(sub(1, x), add(x, 1)),
  (ct, _y, x) => [mul(ct, mul(x, -2))],
)

/** 1/cosh² x = 1 − tanh² x, which keeps its tails. */
export const squaredSech: (x: Node) => Node = composed<Unary>(
  'squaredSech',
  (x) => square(reciprocal(cosh(x))),
  (ct, y, x) => [mul(ct, mul(mul(y, tanh(x)), -2))],
)

/** σ' = σ(x)·σ(−x), whose tails y·(1 − y) loses. */
export const slopeOfSigmoid = (x: Node): Node => mul(squaredSech(mul(x, 0.5)), 0.25)

/** e^(−x²) */
const bell = composed<Unary>(
  'bell',
  (x) => exp(neg(square(x))),
  (ct, y, x) => [mul(ct, mul(mul(y, bounded(x)), -2))],
)

/** c·aᵉ, and 0 where c is 0: what the power rule's factor of 0 has ended stays 0, however steep aᵉ is. */
const powerTerm: (...xs: Ternary) => Node = composed(
  'powerTerm',
  (c, a, e) => where(equal(c, 0), 0, mul(c, pow(a, e))),
  (ct, y, c, a, e) => [mul(ct, pow(a, e)), mul(ct, powerTerm(mul(c, e), a, sub(e, 1))), mul(ct, mul(y, logBase(a, e)))],
)

/** log a of a power aᵉ, where 0ᵉ with e ≥ 0 is flat in e. */
const logBase = (a: Node, e: Node): Node => log(where(isPowerOfZero(a, e), 1, a))

/** x / h of a length h that is 0 where x is. */
const perLength = (x: Node, h: Node): Node => div(x, where(equal(h, 0), 1, h))

/** a / √(a² + b²), and 0 at the origin: the cosine of an angle, whose slopes are b²/h³ and −a·b/h³. */
const direction: (...xs: Binary) => Node = composed(
  'direction',
  (a, b) => {
    const infinite = equal(abs(a), Infinity)
    return where(infinite, sign(a), perLength(where(infinite, 1, a), hypot(a, b)))
  },
  (ct, y, a, b) => {
    const other = direction(b, a)
    const scaled = mul(ct, perLength(other, hypot(a, b)))
    return [mul(scaled, other), neg(mul(scaled, y))]
  },
)

/** cos πx, from x less the nearest even integer, which is exact. */
const cosPi = (x: Node): Node => cos(mul(sub(x, mul(round(mul(x, 0.5)), 2)), Math.PI))

/** The coefficients of sinc'(x)/x as a polynomial in x², the highest first: (−1)ᵏ·2k·π²ᵏ/(2k + 1)! of x²ᵏ⁻². */
const sincSeries = sincCoefficients(9)

function sincCoefficients(count: number): number[] {
  const coefficients: number[] = []
  let power = 1 // (−π²)ᵏ/(2k + 1)!
  for (let k = 1; k <= count; k++) {
    power *= -(Math.PI ** 2) / (2 * k * (2 * k + 1))
    coefficients.unshift(2 * k * power)
  }
  return coefficients
}

/** (cos πx − sinc x)/x; near 0, where the difference cancels, its Taylor series. */
function slopeOfSinc(x: Node, y: Node): Node {
  const near = less(abs(x), 0.25)
  const small = where(near, x, 0)
  const squared = square(small)
  const series = sincSeries.reduce((sum, c) => add(mul(sum, squared), c), zerosLike(x))
  return where(near, mul(small, series), div(sub(cosPi(x), y), where(near, 1, x)))
}

/** Of functions with the slope 0 wherever they have one. */
const flat: Derivative<Unary> = (_ct, y) => [zerosLike(y)]

/** What gives numbers has a derivative; comparisons, bits and shifts have none. */
type Differentiable = {
  [K in ElementwiseName]: Facts<K>['kind'] extends 'same' | 'float' | 'any' ? K : never
}[ElementwiseName]

const derivatives: { readonly [K in Differentiable]: Derivative<OperandsOf<K>> } = {
  add: (ct) => [ct, ct],
  sub: (ct) => [ct, neg(ct)],
  mul: (ct, _y, a, b) => [mul(ct, b), mul(ct, a)],
  // d(a/b) = da/b − (a/b)·db/b
  div: (ct, y, _a, b) => [div(ct, b), neg(mul(ct, div(y, b)))],
  // d(aᵇ) = b·aᵇ⁻¹ da + aᵇ·log a db, where b = 0 has no slope in a, and a = 0 none in b (b ≥ 0)
  pow: (ct, y, a, b) => [mul(ct, powerTerm(b, a, sub(b, 1))), mul(ct, mul(y, logBase(a, b)))],
  maximum: (ct, _y, a, b) => {
    const ties = equal(a, b)
    return [tieHalved(greater(a, b), ties, ct), tieHalved(less(a, b), ties, ct)]
  },
  minimum: (ct, _y, a, b) => {
    const ties = equal(a, b)
    return [tieHalved(less(a, b), ties, ct), tieHalved(greater(a, b), ties, ct)]
  },
  neg: (ct) => [neg(ct)],
  abs: (ct, _y, x) => [mul(ct, sign(x))],
  sign: flat,
  square: (ct, _y, x) => [mul(ct, mul(x, 2))],
  sqrt: (ct, y) => [div(mul(ct, 0.5), y)],
  exp: (ct, y) => [mul(ct, y)],
  log: (ct, _y, x) => [div(ct, x)],
  // Flat wherever it has a derivative, which is why a network of steps cannot be trained.
  step: flat,
  sigmoid: (ct, _y, x) => [mul(ct, slopeOfSigmoid(x))],
  tanh: (ct, _y, x) => [mul(ct, squaredSech(x))],
  // From the output, so that the input need not outlive a fused matmul.
  relu: (ct, y) => [masked(greater(y, 0), ct)],
  // softplus' = σ
  softplus: (ct, _y, x) => [mul(ct, sigmoid(x))],
  // Not y + 1, which would have lost what is left of eˣ far below 0.
  expm1: (ct, _y, x) => [mul(ct, exp(x))],
  log1p: (ct, _y, x) => [div(ct, add(x, 1))],
  sin: (ct, _y, x) => [mul(ct, cos(x))],
  cos: (ct, _y, x) => [neg(mul(ct, sin(x)))],
  // d x^−½ = −½·x^−3⁄2
  rsqrt: (ct, y) => [mul(ct, mul(mul(y, square(y)), -0.5))],
  reciprocal: (ct, y) => [neg(mul(ct, square(y)))],
  // erf' = 2/√π·e^(−x²)
  erf: (ct, _y, x) => [mul(ct, mul(bell(x), 2 / Math.sqrt(Math.PI)))],
  // (x·σ)' = σ + x·σ'
  silu: (ct, _y, x) => [mul(ct, add(sigmoid(x), mul(bounded(x), slopeOfSigmoid(x))))],
  // (x·Φ)' = Φ + x·φ with the normal distribution Φ and its density φ
  gelu: (ct, _y, x) => [mul(ct, geluDerivative(x))],
  // (x·σ(u))' = σ(u) + x·σ'(u)·u'
  geluTanh: (ct, _y, x) => {
    const within = bounded(x)
    const squared = square(within)
    const u = mul(within, add(mul(squared, geluScale * 0.044715), geluScale))
    const slope = add(mul(squared, geluScale * 3 * 0.044715), geluScale)
    return [mul(ct, add(sigmoid(u), mul(within, mul(slopeOfSigmoid(u), slope))))]
  },
  // (Φ + x·φ)' = (2 − x²)·φ
  geluDerivative: (ct, _y, x) => {
    const density = mul(bell(mul(x, Math.SQRT1_2)), 1 / Math.sqrt(2 * Math.PI))
    return [mul(ct, mul(density, sub(2, square(bounded(x)))))]
  },
  floor: flat,
  ceil: flat,
  round: flat,
  trunc: flat,
  exp2: (ct, y) => [mul(ct, mul(y, Math.LN2))],
  log2: (ct, _y, x) => [div(mul(ct, Math.LOG2E), x)],
  log10: (ct, _y, x) => [div(mul(ct, Math.LOG10E), x)],
  // d x^⅓ = ⅓·x^−⅔
  cbrt: (ct, y) => [mul(ct, mul(square(reciprocal(y)), 1 / 3))],
  // tan' = 1 + tan²
  tan: (ct, y) => [mul(ct, add(square(y), 1))],
  asin: (ct, _y, x) => [mul(ct, rsqrt(oneLessSquare(x)))],
  acos: (ct, _y, x) => [neg(mul(ct, rsqrt(oneLessSquare(x))))],
  // atan' = 1/(x² + 1), as a square, since that of x may overflow
  atan: (ct, _y, x) => [mul(ct, square(reciprocal(hypot(x, 1))))],
  sinh: (ct, _y, x) => [mul(ct, cosh(x))],
  cosh: (ct, _y, x) => [mul(ct, sinh(x))],
  // asinh' = 1/√(x² + 1), whose square may overflow
  asinh: (ct, _y, x) => [div(ct, hypot(x, 1))],
  // acosh' = 1/√(x² − 1), by roots of its factors, as their product may overflow
  acosh: (ct, _y, x) => [mul(ct, mul(rsqrt(sub(x, 1)), rsqrt(add(x, 1))))],
  atanh: (ct, _y, x) => [mul(ct, reciprocal(oneLessSquare(x)))],
  sinc: (ct, y, x) => [mul(ct, slopeOfSinc(x, y))],
  // erfc' = −2/√π·e^(−x²)
  erfc: (ct, _y, x) => [mul(ct, mul(bell(x), -2 / Math.sqrt(Math.PI)))],
  // erf⁻¹' = √π/2·e^(y²)
  erfinv: (ct, y) => [mul(ct, mul(exp(square(y)), Math.sqrt(Math.PI) / 2))],
  lgamma: (ct, _y, x) => [mul(ct, digamma(x))],
  digamma: (ct, _y, x) => [mul(ct, polygamma(x, 1))],
  // d atan2(y, x) = (x dy − y dx) / (x² + y²)
  atan2: (ct, _result, y, x) => {
    const h = hypot(y, x)
    return [mul(ct, perLength(direction(x, y), h)), neg(mul(ct, perLength(direction(y, x), h)))]
  },
  hypot: (ct, _h, a, b) => [mul(ct, direction(a, b)), mul(ct, direction(b, a))],
  mod: (ct, _y, a, b) => [ct, neg(mul(ct, floorDiv(a, b)))],
  // By ⌊|a/b|⌋, which is exact, and flat where that of a quotient by a tiny b would be 0·∞
  fmod: (ct, _y, a, b) => [ct, neg(mul(ct, mul(mul(sign(a), sign(b)), floorDiv(abs(a), abs(b)))))],
  floorDiv: (_ct, y) => [zerosLike(y), zerosLike(y)],
  where: (ct, _y, condition) => [null, masked(condition, ct), where(condition, 0, ct)],
}

// --- Operations -------------------------------------------------------------------------------------------------------

type Operated = TensorType & { readonly inputs: AtLeastOne }

/** The dtype that a micro-op reads: of the two choices of `where`. */
const operandDType = (inputs: AtLeastOne): DType => (inputs.at(-1) ?? inputs[0]).dtype

export const lowerTo =
  (op: MicroOpName) =>
  (emitter: Emitter, { inputs, dtype, shape }: Operated): View => {
    const views = inputs.map((x) => emitter.viewOf(x))
    return emitter.elementwise({ dtype, shape }, views, { op, dtype: operandDType(inputs) })
  }

function microOp<I extends AtLeastOne>(name: MicroOpName, derivative?: Derivative<I>): OpDef<null, I> {
  const isComparison = microOps[name].kind === 'comparison'
  return {
    name,
    infer: (inputs) => ({ dtype: isComparison ? 'bool' : operandDType(inputs), shape: inputs[0].shape }),
    ...(derivative && { vjp: (ct: Node, y: Node<null, I>) => derivative(ct, y as Node, ...y.inputs) }),
    lower: lowerTo(name),
  }
}

const withNumbers = {
  // By the input: the output has its sign unless the slope is negative.
  leakyRelu: withNumber('leakyRelu', 'slope', (ct, x, slope) => where(greater(x, 0), ct, mul(ct, slope))),
  // The exponential of what is at most 0, as that of the branch not taken may overflow, and 0·∞ is NaN.
  elu: withNumber('elu', 'alpha', (ct, x, alpha) => {
    const above = greater(x, 0)
    return where(above, ct, mul(ct, mul(exp(where(above, 0, x)), alpha)))
  }),
  polygamma: withNumber('polygamma', 'order', (ct, x, order) => mul(ct, polygamma(x, order + 1))),
} satisfies Record<WithNumber, unknown>

/** An operation of a tensor and a number, the second operand of its micro-op. */
function withNumber<K extends string>(
  name: WithNumber,
  key: K,
  derivative: (ct: Node, x: Node, number: number) => Node,
): OpDef<Readonly<Record<K, number>>, Unary> {
  return {
    name,
    infer: ([x]) => x,
    vjp: (ct, { inputs: [x], params }) => [derivative(ct, x, params[key])],
    lower(emitter, { inputs: [x], params, dtype, shape }) {
      const operands = [emitter.viewOf(x), emitter.repeated(emitter.literal(dtype, params[key]), shape)]
      return emitter.elementwise({ dtype, shape }, operands, { op: name, dtype })
    },
  }
}

const isElementwise = (name: MicroOpName): name is ElementwiseName =>
  name !== 'cast' && name !== 'identity' && !Object.hasOwn(withNumbers, name)

const names = microOpNames.filter(isElementwise)

const rules: { readonly [K in ElementwiseName]?: Derivative<OperandsOf<K>> } = derivatives

const ops = Object.fromEntries(names.map((name) => [name, microOp<AtLeastOne>(name, rules[name])])) as {
  readonly [K in ElementwiseName]: OpDef<null, OperandsOf<K>>
}

// maximum and minimum of x and a bound, with all of the gradient for x at a tie.
const bounds = {
  atLeast: boundOp('maximum', 'atLeast', (ct, _y, x, bound) => [
    masked(greaterEqual(x, bound), ct),
    masked(less(x, bound), ct),
  ]),
  atMost: boundOp('minimum', 'atMost', (ct, _y, x, bound) => [
    masked(lessEqual(x, bound), ct),
    masked(greater(x, bound), ct),
  ]),
}

function boundOp(op: 'maximum' | 'minimum', name: string, derivative: Derivative<Binary>): OpDef<null, Binary> {
  return { ...microOp(op, derivative), name }
}

export const elementwiseOps = { ...ops, ...withNumbers, ...bounds }

// --- What records them ------------------------------------------------------------------------------------------------

const asIs = (_op: string, dtype: DType): DType => dtype

const oneOf =
  (...allowed: readonly DType[]) =>
  (op: string, dtype: DType): DType => {
    if (!allowed.includes(dtype)) throw new DTypeError(expected(op, allowed.join(' or '), dtype))
    return dtype
  }

/** The dtype that operands of a promoted dtype are computed in, by the kind of the micro-op. */
const computeIn: { readonly [K in MicroOpKind]: (op: string, promoted: DType) => DType } = {
  same: (_op, dtype) => arithmeticDType(dtype),
  float: (_op, dtype) => floatDType(dtype),
  any: asIs,
  comparison: asIs,
  cast: asIs,
  bits: oneOf('int32', 'uint8', 'bool'),
  integer: oneOf('int32', 'uint8'),
}

function unary(def: OpDef<null>, dtypeOf: (op: string, promoted: DType) => DType) {
  return (x: Operand): Node => {
    const node = operandNode(x)
    return record(def, [toDType(node, dtypeOf(def.name, node.dtype))], null)
  }
}

/** x in a dtype and a shape, which is a node's own. */
function operandOf(x: Node, dtype: DType, shape: Shape): Node {
  const value = weakValue(x)
  return value === undefined ? broadcastTo(toDType(x, dtype), shape) : literal(value, dtype, false, shape)
}

function binary(def: OpDef<null>, dtypeOf: (op: string, promoted: DType) => DType) {
  return (a: Operand, b: Operand): Node => {
    const [x, y] = [operandNode(a), operandNode(b)]
    const dtype = dtypeOf(def.name, x.dtype === y.dtype && x.dtype === 'float32' ? x.dtype : promotedDType(x, y))
    const shape = broadcastShapes(def.name, x.shape, y.shape)
    return record(def, [operandOf(x, dtype, shape), operandOf(y, dtype, shape)], null)
  }
}

/** a where the condition is true, else b. */
export function where(condition: Node, a: Operand, b: Operand): Node {
  if (condition.dtype !== 'bool') throw new DTypeError(expected('where', 'a bool condition', condition.dtype))
  const [x, y] = [operandNode(a), operandNode(b)]
  const dtype = promotedDType(x, y)
  const shape = broadcastShapes('where', condition.shape, broadcastShapes('where', x.shape, y.shape))
  const choices = [operandOf(x, dtype, shape), operandOf(y, dtype, shape)] as const
  return record(ops.where, [broadcastTo(condition, shape), ...choices], null)
}

/** What records an operation of K operands, nodes or numbers. */
type Recorder = { 1: (x: Operand) => Node; 2: (a: Operand, b: Operand) => Node; 3: typeof where }

function recorderOf(name: ElementwiseName): Recorder[keyof Recorder] {
  const { arity, kind } = microOps[name]
  if (arity === 3) return where
  return (arity === 1 ? unary : binary)(ops[name], computeIn[kind])
}

/** Records each operation that is a micro-op: of nodes or numbers, which broadcast. */
export const elementwise = Object.fromEntries(names.map((name) => [name, recorderOf(name)])) as {
  readonly [K in ElementwiseName]: Recorder[Facts<K>['arity']]
}

export const {
  add,
  sub,
  mul,
  div,
  pow,
  maximum,
  minimum,
  equal,
  notEqual,
  less,
  lessEqual,
  greater,
  greaterEqual,
  neg,
  abs,
  sign,
  square,
  relu,
  sqrt,
  exp,
  log,
  step,
  sigmoid,
  tanh,
  softplus,
  expm1,
  log1p,
  sin,
  cos,
  rsqrt,
  reciprocal,
  erf,
  silu,
  bitwiseAnd,
  bitwiseOr,
} = elementwise
const { digamma, round, sinh, cosh, hypot, floorDiv, geluDerivative } = elementwise

export const atLeast = binary(bounds.atLeast, computeIn.same)
export const atMost = binary(bounds.atMost, computeIn.same)

export const leakyRelu = (x: Node, slope: number): Node =>
  record(withNumbers.leakyRelu, [toDType(x, floatDType(x.dtype))], { slope })
export const elu = (x: Node, alpha: number): Node =>
  record(withNumbers.elu, [toDType(x, floatDType(x.dtype))], { alpha })

/** The derivative of ψ of an order; from 171 on its factor is beyond all floats. */
export function polygamma(x: Node, order: number): Node {
  if (!(Number.isInteger(order) && order >= 0 && order <= 170))
    throw new RangeError(expected('polygamma', 'an integer order in [0, 170]', order))
  return order === 0 ? digamma(x) : record(withNumbers.polygamma, [toDType(x, floatDType(x.dtype))], { order })
}

const gelus = { none: elementwise.gelu, tanh: elementwise.geluTanh }

/** How gelu computes the normal distribution function: by erf, or as a sigmoid of a cubic, which is near it. */
export type GeluForm = keyof typeof gelus

export function gelu(x: Node, approximate: GeluForm): Node {
  if (!Object.hasOwn(gelus, approximate))
    throw new TypeError(expected('gelu', "approximate: 'none' or 'tanh'", approximate))
  return gelus[approximate](x)
}

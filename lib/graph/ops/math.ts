/** Further functions of one and of two real numbers: rounding, division with remainder, powers, angles, bounds. */
import type { Node, OpDef } from '../node.ts'
import {
  add,
  arithmeticDType,
  binary,
  div,
  equal,
  exp,
  floatDType,
  greater,
  greaterEqual,
  less,
  lessEqual,
  masked,
  microOp,
  mul,
  neg,
  type Operand,
  operandNode,
  reciprocal,
  rsqrt,
  square,
  sub,
  unary,
  where,
  zerosLike,
} from './elementwise.ts'

/** Flat wherever it has a derivative. */
const flat = (_ct: Node, y: Node): Node[] => y.inputs.map(zerosLike)

/** 1 − x² and x² − 1 without the cancellation near ±1. */
const oneLessSquare = (x: Node): Node => mul(sub(1, x), add(x, 1))
const squareLessOne = (x: Node): Node => mul(sub(x, 1), add(x, 1))

/** x / h where h is the length of a vector with x in it: 0 where the vector is 0. */
const direction = (x: Node, h: Node): Node => div(x, where(equal(h, 0), 1, h))

const ops = {
  floor: microOp('floor', flat),
  ceil: microOp('ceil', flat),
  round: microOp('round', flat),
  trunc: microOp('trunc', flat),
  exp2: microOp('exp2', (ct, y) => [mul(ct, mul(y, Math.LN2))]),
  log2: microOp('log2', (ct, _y, x) => [div(ct, mul(x!, Math.LN2))]),
  log10: microOp('log10', (ct, _y, x) => [div(ct, mul(x!, Math.LN10))]),
  // d x^⅓ = ⅓·x^−⅔
  cbrt: microOp('cbrt', (ct, y) => [div(ct, mul(square(y), 3))]),
  // tan' = 1 + tan²
  tan: microOp('tan', (ct, y) => [mul(ct, add(square(y), 1))]),
  asin: microOp('asin', (ct, _y, x) => [mul(ct, rsqrt(oneLessSquare(x!)))]),
  acos: microOp('acos', (ct, _y, x) => [neg(mul(ct, rsqrt(oneLessSquare(x!))))]),
  atan: microOp('atan', (ct, _y, x) => [div(ct, add(square(x!), 1))]),
  sinh: microOp('sinh', (ct, _y, x) => [mul(ct, cosh(x!))]),
  cosh: microOp('cosh', (ct, _y, x) => [mul(ct, sinh(x!))]),
  // asinh' = 1/√(x² + 1), whose square may overflow
  asinh: microOp('asinh', (ct, _y, x) => [div(ct, hypot(x!, 1))]),
  acosh: microOp('acosh', (ct, _y, x) => [mul(ct, rsqrt(squareLessOne(x!)))]),
  atanh: microOp('atanh', (ct, _y, x) => [mul(ct, reciprocal(oneLessSquare(x!)))]),
  // erfc' = −2/√π·e^(−x²)
  erfc: microOp('erfc', (ct, _y, x) => [mul(ct, mul(exp(neg(square(x!))), -2 / Math.sqrt(Math.PI)))]),
  // d atan2(y, x) = (x dy − y dx) / (x² + y²)
  atan2: microOp('atan2', (ct, _result, y, x) => {
    const h = hypot(y!, x!)
    const scaled = direction(ct, h)
    return [mul(scaled, direction(x!, h)), neg(mul(scaled, direction(y!, h)))]
  }),
  hypot: microOp('hypot', (ct, h, a, b) => [mul(ct, direction(a!, h)), mul(ct, direction(b!, h))]),
  mod: microOp('mod', (ct, _y, a, b) => [ct, neg(mul(ct, floorDiv(a!, b!)))]),
  fmod: microOp('fmod', (ct, _y, a, b) => [ct, neg(mul(ct, trunc(div(a!, b!))))]),
  floorDiv: microOp('floorDiv', flat),
} satisfies Record<string, OpDef<null>>

// maximum and minimum of x and a bound, with all of the gradient for x at a tie.
const atLeastOp: OpDef<null> = {
  ...microOp('maximum', (ct, _y, x, bound) => [masked(greaterEqual(x!, bound!), ct), masked(less(x!, bound!), ct)]),
  name: 'atLeast',
}
const atMostOp: OpDef<null> = {
  ...microOp('minimum', (ct, _y, x, bound) => [masked(lessEqual(x!, bound!), ct), masked(greater(x!, bound!), ct)]),
  name: 'atMost',
}

/** Rounding of integers changes nothing. */
function rounding(def: OpDef<null>) {
  const ofFloats = unary(def, floatDType)
  return (x: Operand): Node => {
    const node = operandNode(x)
    return node.dtype === floatDType(node.dtype) ? ofFloats(node) : node
  }
}

export const floor = rounding(ops.floor)
export const ceil = rounding(ops.ceil)
export const round = rounding(ops.round)
export const trunc = rounding(ops.trunc)

export const exp2 = unary(ops.exp2, floatDType)
export const log2 = unary(ops.log2, floatDType)
export const log10 = unary(ops.log10, floatDType)
export const cbrt = unary(ops.cbrt, floatDType)
export const tan = unary(ops.tan, floatDType)
export const asin = unary(ops.asin, floatDType)
export const acos = unary(ops.acos, floatDType)
export const atan = unary(ops.atan, floatDType)
export const sinh = unary(ops.sinh, floatDType)
export const cosh = unary(ops.cosh, floatDType)
export const asinh = unary(ops.asinh, floatDType)
export const acosh = unary(ops.acosh, floatDType)
export const atanh = unary(ops.atanh, floatDType)
export const erfc = unary(ops.erfc, floatDType)

export const atan2 = binary(ops.atan2, floatDType)
export const hypot = binary(ops.hypot, floatDType)
export const mod = binary(ops.mod, arithmeticDType)
export const fmod = binary(ops.fmod, arithmeticDType)
export const floorDiv = binary(ops.floorDiv, arithmeticDType)
export const atLeast = binary(atLeastOp, arithmeticDType)
export const atMost = binary(atMostOp, arithmeticDType)

export const mathOps = { ...ops, atLeast: atLeastOp, atMost: atMostOp }

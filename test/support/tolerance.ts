/**
 * The numeric contract between backends: how far a result may be from the reference.
 *
 * Elementwise functions are within so many ulps of the reference. Sums and dot products, whose order a backend
 * chooses, are within eps · √depth · magnitude, where magnitude is the sum of the absolute terms: the random walk of
 * the rounding errors. NaN answers NaN, and an infinity the same infinity, except where a partial result may overflow.
 */
import assert from 'node:assert'
import type { TypedArray } from '../../lib/base/dtype.ts'
import type { MicroOpName } from '../../lib/program/instructions.ts'

/**
 * `ulps`: that many representable numbers apart at most. `epsilons`: for each element, or for all, the absolute error
 * allowed, in units of the dtype's epsilon (2⁻²³ for float32); where it is infinite or NaN, anything goes.
 */
export type Contract = { readonly ulps: number } | { readonly epsilons: number | ArrayLike<number> }

/** The same numbers; the sign of a zero may differ. */
export const exact: Contract = { ulps: 0 }

export const ulps = (count: number): Contract => ({ ulps: count })

/** For sums of `depth` terms, whose absolute values add up to `magnitude`. The factor 2 covers what a fixed order loses. */
export function accumulated(depth: number, magnitude: number | ArrayLike<number>): Contract {
  const factor = 2 * Math.sqrt(Math.max(depth, 1))
  if (typeof magnitude === 'number') return { epsilons: factor * magnitude }
  return { epsilons: Float64Array.from(magnitude, (x) => factor * x) }
}

/** The ulps that each micro-op may be off: none where IEEE 754 defines the result. */
export const microOpUlps: { readonly [K in MicroOpName]: number } = {
  identity: 0,
  add: 0,
  sub: 0,
  mul: 0,
  div: 0,
  pow: 2,
  maximum: 0,
  minimum: 0,
  neg: 0,
  abs: 0,
  sign: 0,
  square: 0,
  sqrt: 0,
  exp: 2,
  log: 2,
  step: 0,
  sigmoid: 2,
  tanh: 2,
  relu: 0,
  leakyRelu: 0,
  softplus: 2,
  expm1: 2,
  log1p: 2,
  sin: 2,
  cos: 2,
  rsqrt: 2,
  reciprocal: 0,
  erf: 2,
  silu: 2,
  elu: 2,
  gelu: 2,
  geluTanh: 2,
  floor: 0,
  ceil: 0,
  round: 0,
  trunc: 0,
  exp2: 2,
  log2: 2,
  log10: 2,
  cbrt: 2,
  tan: 3,
  asin: 3,
  acos: 3,
  atan: 2,
  sinh: 2,
  cosh: 2,
  asinh: 3,
  acosh: 3,
  atanh: 3,
  erfc: 2,
  atan2: 3,
  hypot: 2,
  mod: 0,
  fmod: 0,
  floorDiv: 0,
  bitwiseAnd: 0,
  bitwiseOr: 0,
  bitwiseXor: 0,
  leftShift: 0,
  rightShift: 0,
  equal: 0,
  notEqual: 0,
  less: 0,
  lessEqual: 0,
  greater: 0,
  greaterEqual: 0,
  where: 0,
  cast: 0,
}

interface Format {
  readonly epsilon: number
  readonly greatest: number
  readonly least: number
  /** The place of a number in the order of all representable ones. */
  readonly rank: (x: number) => bigint
}

const bytes = new DataView(new ArrayBuffer(8))

const float32: Format = {
  epsilon: 2 ** -23,
  greatest: (2 - 2 ** -23) * 2 ** 127,
  least: 2 ** -149,
  rank(x) {
    bytes.setFloat32(0, x)
    const bits = BigInt(bytes.getInt32(0))
    return bits < 0n ? -(bits & 0x7fffffffn) : bits
  },
}

const float64: Format = {
  epsilon: 2 ** -52,
  greatest: Number.MAX_VALUE,
  least: Number.MIN_VALUE,
  rank(x) {
    bytes.setFloat64(0, x)
    const bits = bytes.getBigInt64(0)
    return bits < 0n ? -(bits & 0x7fffffffffffffffn) : bits
  },
}

const formatOf = (array: TypedArray): Format => (array instanceof Float64Array ? float64 : float32)

/** How many representable numbers lie from one to the other; infinite between a NaN and a number. */
export function ulpDistance(a: number, b: number, array: TypedArray): number {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number.isNaN(a) && Number.isNaN(b) ? 0 : Infinity
  const { rank } = formatOf(array)
  const distance = rank(a) - rank(b)
  return Number(distance < 0n ? -distance : distance)
}

const epsilonsAt = ({ epsilons }: { epsilons: number | ArrayLike<number> }, i: number): number =>
  typeof epsilons === 'number' ? epsilons : epsilons[i]!

function isClose(actual: number, expected: number, array: TypedArray, contract: Contract, i: number): boolean {
  if (actual === expected) return true
  if (!(array instanceof Float32Array || array instanceof Float64Array)) return false
  if ('ulps' in contract) return ulpDistance(actual, expected, array) <= contract.ulps
  const { epsilon, greatest, least } = formatOf(array)
  const epsilons = epsilonsAt(contract, i)
  if (!(epsilons < greatest)) return true
  if (!Number.isFinite(actual) || !Number.isFinite(expected)) return Number.isNaN(actual) && Number.isNaN(expected)
  return Math.abs(actual - expected) <= epsilons * epsilon + 8 * least
}

/** Throws, naming the first element that is too far off. */
export function expectClose(actual: TypedArray, expected: TypedArray, contract: Contract, what = 'values'): void {
  assert.strictEqual(actual.constructor, expected.constructor, `${what}: another dtype`)
  assert.strictEqual(actual.length, expected.length, `${what}: another size`)
  for (let i = 0; i < expected.length; i++) {
    const [a, e] = [actual[i]!, expected[i]!]
    if (isClose(a, e, expected, contract, i)) continue
    const allowed = 'ulps' in contract ? `${contract.ulps} ulps` : `${epsilonsAt(contract, i)} epsilons`
    assert.fail(
      `${what}: element ${i} is ${a}, expected ${e} within ${allowed}; ${ulpDistance(a, e, expected)} ulps apart`,
    )
  }
}

/** Throws unless both hold the same bits, any NaN for any NaN. */
export function expectSame(actual: TypedArray, expected: TypedArray, what = 'values'): void {
  assert.strictEqual(actual.constructor, expected.constructor, `${what}: another dtype`)
  assert.strictEqual(actual.length, expected.length, `${what}: another size`)
  for (let i = 0; i < expected.length; i++)
    if (!Object.is(actual[i], expected[i]))
      assert.fail(`${what}: element ${i} is ${actual[i]}, expected ${expected[i]}`)
}

/**
 * The numeric contract between backends: how far a result may be from the reference.
 *
 * Elementwise functions are within so many ulps of the reference. Sums and dot products, whose order a backend
 * chooses, are within eps · √depth · magnitude, where magnitude is the sum of the absolute terms: the random walk of
 * the rounding errors. NaN answers NaN, and an infinity the same infinity, except where a partial result may overflow.
 */
import assert from 'node:assert'
import type { TypedArray } from '../../lib/base/dtype.ts'

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

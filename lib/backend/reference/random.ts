/**
 * Counter-based random numbers, the same bits in every backend: word i % 4 of the Philox block with counter floor(i / 4).
 * All arithmetic is plain IEEE double + − · / √, in the order written here; no library function takes part.
 */
import type { DistributionName, InstructionParams } from '../../program/instructions.ts'
import type { Indices, Numbers } from './loop.ts'
import { sample } from './sample.ts'

export function random(
  { distribution }: InstructionParams['random'],
  [key, ...parameters]: readonly [Indices, ...Numbers[]],
  [out]: readonly [Numbers],
): void {
  if (distribution === 'gamma' || distribution === 'beta' || distribution === 'poisson') {
    sample(distribution, key, parameters, out)
    return
  }
  const words = new Uint32Array(4)
  const element = elements[distribution]
  const double = out instanceof Float64Array
  for (let i = 0; i < out.length; i++) {
    if (i % 4 === 0) philox(words, [i / 4, Math.floor(i / 4 / 2 ** 32), 0, 0], key[0]!, key[1]!)
    out[i] = element(words[i % 4]!, double, at(parameters[0], i), at(parameters[1], i))
  }
}

/** The element of a parameter that has one for all, or one for each. */
export const at = (x: Numbers | undefined, i: number): number => (x === undefined ? 0 : x[x.length === 1 ? 0 : i]!)

/** A word in (0, 1). */
export const unit = (word: number): number => (word + 0.5) * 2 ** -32

type Elementary = Exclude<DistributionName, 'gamma' | 'beta' | 'poisson'>

const elements: { readonly [K in Elementary]: (word: number, double: boolean, a: number, b: number) => number } = {
  uniform: (word, double) => (double ? word * 2 ** -32 : (word >>> 8) * 2 ** -24),
  normal: (word) => inverseNormal(unit(word)),
  exponential: (word) => -log(unit(word)),
  gumbel: (word) => -log(-log(unit(word))),
  // ⌊word·range / 2³²⌋
  integer(word, _, low, high) {
    const range = (high - low) >>> 0
    return (low + (range === 0 ? word : multiplyHigh(word, range))) | 0
  },
  truncatedNormal(word, _, low, high) {
    const u = low + (high - low) * unit(word)
    if (u > 0 && u < 1) return inverseNormal(u)
    return u <= 0 ? -Infinity : u >= 1 ? Infinity : NaN
  },
}

/**
 * Philox 4x32-10: Salmon, Moraes, Dror & Shaw, "Parallel random numbers: as easy as 1, 2, 3" (SC 2011).
 * Encrypts the counter (as uint32) under the key into `words`.
 */
export function philox(words: Uint32Array, counter: readonly number[], key0: number, key1: number): void {
  let [x0, x1, x2, x3] = counter as [number, number, number, number]
  for (let round = 0; round < 10; round++) {
    const [high0, low0] = [multiplyHigh(0xd2511f53, x0), Math.imul(0xd2511f53, x0)]
    const [high1, low1] = [multiplyHigh(0xcd9e8d57, x2), Math.imul(0xcd9e8d57, x2)]
    x0 = high1 ^ x1 ^ key0
    x1 = low1
    x2 = high0 ^ x3 ^ key1
    x3 = low0
    key0 = (key0 + 0x9e3779b9) | 0
    key1 = (key1 + 0xbb67ae85) | 0
  }
  words.set([x0, x1, x2, x3])
}

/** The high 32 bits of the product of two uint32, from products of 16-bit halves. */
function multiplyHigh(a: number, b: number): number {
  const [a0, a1, b0, b1] = [a & 0xffff, a >>> 16, b & 0xffff, b >>> 16]
  const middle = a1 * b0 + Math.floor((a0 * b0) / 2 ** 16)
  const carry = (middle % 2 ** 16) + a0 * b1
  return a1 * b1 + Math.floor(middle / 2 ** 16) + Math.floor(carry / 2 ** 16)
}

/** Highest power first. */
export function horner(coefficients: readonly number[], x: number): number {
  let sum = coefficients[0]!
  for (let i = 1; i < coefficients.length; i++) sum = sum * x + coefficients[i]!
  return sum
}

const bits = new DataView(new ArrayBuffer(8))
const atanhCoefficients = [23, 21, 19, 17, 15, 13, 11, 9, 7, 5, 3, 1].map((odd) => 1 / odd)

/** log(m · 2^e) = e·log 2 + 2·atanh((m − 1)/(m + 1)), with √½ < m ≤ √2; x is positive and normal. */
export function log(x: number): number {
  bits.setFloat64(0, x)
  const high = bits.getUint32(0)
  let e = (high >>> 20) - 1023
  bits.setUint32(0, (high & 0xfffff) | 0x3ff00000)
  let m = bits.getFloat64(0)
  if (m > Math.SQRT2) {
    m = m / 2
    e = e + 1
  }
  const s = (m - 1) / (m + 1)
  return e * Math.LN2 + 2 * s * horner(atanhCoefficients, s * s)
}

/** PPND16 of Wichura, "Algorithm AS 241: the percentage points of the normal distribution", Applied Statistics 37 (1988). */
export function inverseNormal(u: number): number {
  const q = u - 0.5
  if (Math.abs(q) <= 0.425) {
    const r = 0.180625 - q * q
    return (q * horner(central.numerator, r)) / horner(central.denominator, r)
  }
  const r = Math.sqrt(-log(q < 0 ? u : 1 - u))
  const x = r <= 5 ? ratio(middle, r - 1.6) : ratio(tail, r - 5)
  return q < 0 ? -x : x
}

interface Rational {
  readonly numerator: readonly number[]
  readonly denominator: readonly number[]
}

const ratio = ({ numerator, denominator }: Rational, r: number): number => horner(numerator, r) / horner(denominator, r)

const central: Rational = {
  numerator: [
    2509.0809287301227, 33430.57558358813, 67265.7709270087, 45921.95393154987, 13731.69376550946, 1971.5909503065513,
    133.14166789178438, 3.3871328727963665,
  ],
  denominator: [
    5226.495278852854, 28729.085735721943, 39307.89580009271, 21213.794301586597, 5394.196021424751, 687.1870074920579,
    42.31333070160091, 1,
  ],
}

const middle: Rational = {
  numerator: [
    0.0007745450142783414, 0.022723844989269184, 0.2417807251774506, 1.2704582524523684, 3.6478483247632045,
    5.769497221460691, 4.630337846156546, 1.4234371107496835,
  ],
  denominator: [
    1.0507500716444169e-9, 0.0005475938084995345, 0.015198666563616457, 0.14810397642748008, 0.6897673349851,
    1.6763848301838038, 2.053191626637759, 1,
  ],
}

const tail: Rational = {
  numerator: [
    2.0103343992922881e-7, 2.7115555687434876e-5, 0.0012426609473880784, 0.026532189526576124, 0.29656057182850487,
    1.7848265399172913, 5.463784911164114, 6.657904643501103,
  ],
  denominator: [
    2.0442631033899397e-15, 1.421511758316446e-7, 1.8463183175100548e-5, 0.0007868691311456133, 0.014875361290850615,
    0.1369298809227358, 0.599832206555888, 1,
  ],
}

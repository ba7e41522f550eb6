/**
 * Functions of real numbers in plain IEEE double + − · / √, in the order written here, so that every backend has the same
 * bits; no library function takes part.
 */

/** Highest power first. */
export function horner(coefficients: readonly number[], x: number): number {
  return coefficients.reduce((sum, coefficient) => sum * x + coefficient)
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

const reciprocalFactorials = Array.from({ length: 14 }, (_, i) => 13 - i).map((n) => {
  let factorial = 1
  for (let i = 2; i <= n; i++) factorial = factorial * i
  return 1 / factorial
})
const scale = new DataView(new ArrayBuffer(8))

/** eˣ = 2ⁿ·eʳ with |r| ≤ log 2 / 2; 0 below −700, and e⁷⁰⁰ above 700. */
export function exp(x: number): number {
  if (x < -700) return 0
  if (x > 700) x = 700
  const n = Math.trunc(x * Math.LOG2E + (x < 0 ? -0.5 : 0.5))
  // log 2 in two parts, the first of 32 bits, so that its products are exact.
  const r = x - n * 0.6931471803691238 - n * 1.9082149292705877e-10
  scale.setInt32(0, (n + 1023) << 20)
  return horner(reciprocalFactorials, r) * scale.getFloat64(0)
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

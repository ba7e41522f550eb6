/** The error function, its complement and its inverse in float64, to a few ulps; formulas from the NIST Digital Library (DLMF). */

/** exp(−x²). A square of 24 bits is exact, so that the exponent loses nothing: x² = h² + (x − h)(x + h). */
export function gaussian(x: number): number {
  const high = Math.fround(x)
  return Math.exp(-high * high) * Math.exp((high - x) * (high + x))
}

/** DLMF 7.6.2: erf x = 2/√π · exp(−x²) · Σ 2ⁿ x²ⁿ⁺¹ / (1·3·…·(2n+1)), for x ≥ 0. Every term is positive. */
function erfSeries(x: number): number {
  let [term, sum] = [x, x]
  for (let n = 1; term > sum * 2 ** -54; n++) {
    term *= (x * x) / (n + 0.5)
    sum += term
  }
  return (2 / Math.sqrt(Math.PI)) * gaussian(x) * sum
}

/** DLMF 7.9.1: erfc x = exp(−x²)/√π · 1/(x + ½/(x + 1/(x + 3⁄2/(x + …)))), for x ≥ 1, cut off where it no longer matters. */
function erfcFraction(x: number): number {
  let denominator = x
  for (let k = Math.ceil(20 + 180 / (x * x)); k > 0; k--) denominator = x + k / 2 / denominator
  return gaussian(x) / Math.sqrt(Math.PI) / denominator
}

export function erf(x: number): number {
  const magnitude = Math.abs(x)
  return Math.sign(x) * (magnitude < 1 ? erfSeries(magnitude) : 1 - erfc(magnitude))
}

/** 1 − erf x, with a relative accuracy that 1 − erf x loses in the tail. */
export function erfc(x: number): number {
  if (x < 1) return 1 - erf(x)
  return x > 28 ? 0 : erfcFraction(x) // e^−784 is below every denormal number
}

/**
 * The inverse of erf; ±∞ of ±1, NaN beyond. Newton's method for erf up to ½ and for erfc beyond, from an approximation
 * within 1% (Winitzki, "A handy approximation for the error function and its inverse", 2008).
 */
export function erfinv(x: number): number {
  const magnitude = Math.abs(x)
  if (!(magnitude < 1)) return magnitude === 1 ? x * Infinity : NaN
  if (magnitude < 1e-10) return (x * Math.sqrt(Math.PI)) / 2
  const logarithm = Math.log1p(-x * x)
  const half = 2 / (Math.PI * 0.147) + logarithm / 2
  let y = Math.sqrt(Math.sqrt(half * half - logarithm / 0.147) - half)
  for (let i = 0; i < 5; i++) {
    const error = magnitude < 0.5 ? erf(y) - magnitude : 1 - magnitude - erfc(y)
    y -= (error * Math.sqrt(Math.PI)) / 2 / gaussian(y)
  }
  return Math.sign(x) * y
}

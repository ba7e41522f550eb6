/** The logarithm of the gamma function and its derivatives in float64; formulas from the NIST Digital Library (DLMF). */

/** B₂ₖ / (2k)! of Bernoulli's numbers from k = 1 on. */
const bernoulli = [1 / 12, -1 / 720, 1 / 30240, -1 / 1209600, 1 / 47900160, -691 / 1307674368000, 1 / 74724249600]

/**
 * n!·Σ 1/(q + k)ⁿ⁺¹ over k ≥ 0, for q > 0: Hurwitz's zeta function by the formula of Euler and Maclaurin (DLMF 25.11.5),
 * relative to its first term. From a on, which is at least 2n + 12, the terms of the formula fall by 0.007 each.
 */
function zetaWithFactorial(q: number, n: number): number {
  const s = n + 1
  let [factor, sum, a, power] = [1, 0, q, 1]
  for (let k = 1; k <= n; k++) factor *= k / q
  for (; a < 2 * s + 10 && power > 1e-18 * sum; a++, power = (q / a) ** s) sum += power
  let [term, tail] = [s / a, a / n + 0.5]
  bernoulli.forEach((coefficient, j) => {
    tail += coefficient * term
    term *= ((s + 2 * j + 1) * (s + 2 * j + 2)) / (a * a)
  })
  return factor * ((power > 1e-18 * sum ? sum + power * tail : sum) / q)
}

/** (ζ(k) − 1)/k for k from 2 on: the coefficients of log Γ(2 + z), but for their signs. */
const riemann = Array.from({ length: 60 }, (_, i) => {
  let factorial = 1
  for (let k = 2; k <= i + 1; k++) factorial *= k
  return zetaWithFactorial(2, i + 1) / factorial / (i + 2)
})

/** 1 − γ, with Euler's constant. */
const slopeAtTwo = 0.42278433509846713

/** log Γ(2 + z) = (1 − γ)z + Σ (−1)ᵏ(ζ(k) − 1)zᵏ/k for z in [−½, 1] (DLMF 5.7.3). */
function lgammaNearTwo(z: number): number {
  let series = 0
  for (let i = riemann.length - 1; i >= 0; i--) series = riemann[i]! - series * z
  return z * (slopeAtTwo + z * series)
}

/** DLMF 5.11.1, for x ≥ 10. */
function lgammaStirling(x: number): number {
  const t = 1 / (x * x)
  const series = [1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156]
  const tail = series.reduceRight((sum, coefficient) => sum * t + coefficient, 0)
  return x * (Math.log(x) - 1) - Math.log(x) / 2 + Math.log(2 * Math.PI) / 2 + tail / x
}

function lgammaOfPositive(x: number): number {
  if (x < 0.5) return lgammaOfPositive(1 + x) - Math.log(x)
  if (x < 1.5) return lgammaNearTwo(x - 1) - Math.log1p(x - 1)
  if (x >= 10) return x === Infinity ? x : lgammaStirling(x)
  let [product, rest] = [1, x]
  while (rest >= 3) product *= --rest
  return lgammaNearTwo(rest - 2) + Math.log(product)
}

/** x less its nearest integer, exactly. */
const distanceToInteger = (x: number): number => x - Math.round(x)

/** log |Γ(x)|; of negative numbers by Γ(x)·Γ(−x) = −π / (x·sin πx). */
export function lgamma(x: number): number {
  if (Number.isNaN(x)) return x
  if (x > 0) return lgammaOfPositive(x)
  const distance = x === -Infinity ? 0 : distanceToInteger(x)
  if (distance === 0) return Infinity
  return Math.log(Math.PI / Math.abs(x * Math.sin(Math.PI * distance))) - lgammaOfPositive(-x)
}

/** DLMF 5.11.2 from 10 on, and below by ψ(x) = ψ(x + 1) − 1/x. */
function digammaOfPositive(x: number): number {
  let [y, sum] = [x, 0]
  for (; y < 10; y++) sum -= 1 / y
  const t = 1 / (y * y)
  const series = [1 / 12, -1 / 120, 1 / 252, -1 / 240, 1 / 132, -691 / 32760, 1 / 12]
  const tail = series.reduceRight((total, coefficient) => (total + coefficient) * t, 0)
  return sum + Math.log(y) - 0.5 / y - tail
}

/** The derivative of log Γ; below 0 by ψ(x) = ψ(1 − x) − π / tan πx. ∓∞ at ±0, NaN at negative integers. */
export function digamma(x: number): number {
  if (x > 0 || Number.isNaN(x)) return digammaOfPositive(x)
  if (x === 0) return -1 / x
  const distance = x === -Infinity ? 0 : distanceToInteger(x)
  return distance === 0 ? NaN : digammaOfPositive(1 - x) - Math.PI / Math.tan(Math.PI * distance)
}

/**
 * The n-th derivative of ψ: (−1)ⁿ⁺¹·n!·Σ 1/(x + k)ⁿ⁺¹ over k ≥ 0. Where x is negative, the sum is one over the x + k above
 * 0, and one over those below, which are the ones from some place on less the ones from 1 − x on.
 */
export function polygamma(x: number, n: number): number {
  if (!(n >= 1 && n <= 170 && Number.isInteger(n)) || Number.isNaN(x) || x === -Infinity) return NaN
  const sign = n % 2 === 0 ? -1 : 1
  if (x > 0) return sign * (x === Infinity ? 0 : zetaWithFactorial(x, n))
  const distance = distanceToInteger(x)
  if (distance === 0) return sign * Infinity
  const [above, below] = distance > 0 ? [distance, 1 - distance] : [1 + distance, -distance]
  return sign * zetaWithFactorial(above, n) + zetaWithFactorial(below, n) - zetaWithFactorial(1 - x, n)
}

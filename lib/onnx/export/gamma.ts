/** The logarithm of the gamma function and its derivative, which ONNX has no operators for, by series. */
import type { Arithmetic } from './arithmetic.ts'

/** Lanczos' approximation with g = 5 as W. Press et al. have it, "Numerical Recipes in C" (1992), section 6.1: within 2·10⁻¹⁰. */
const lanczos = [
  76.18009172947146, -86.50532032941678, 24.01409824083091, -1.231739572450155, 0.001208650973866179,
  -5.395239384953e-6,
]

/** log Γ(x) for x > 0. */
function positiveLgamma(m: Arithmetic, x: string): string {
  const series = lanczos.reduce<string | number>(
    (sum, c, k) => m.add(sum, m.div(c, m.add(x, k + 1))),
    1.000000000190015,
  )
  const shifted = m.add(x, 5.5)
  const power = m.sub(m.mul(m.add(x, 0.5), m.log(shifted)), shifted)
  return m.add(power, m.log(m.div(m.mul(series, Math.sqrt(2 * Math.PI)), x)))
}

/** x less the nearest integer, times π: 0 at integers, where sines and tangents of πx are. */
const angleOf = (m: Arithmetic, x: string): string => m.mul(m.sub(x, m.round(x)), Math.PI)

/** log |Γ(x)|, below ½ by Γ(x)·Γ(1 − x) = π/sin πx. */
export function lgamma(m: Arithmetic, x: string): string {
  const isReflected = m.less(x, 0.5)
  const value = positiveLgamma(m, m.where(isReflected, m.sub(1, x), x))
  const sine = m.abs(m.apply('Sin', angleOf(m, x)))
  const reflected = m.sub(m.sub(Math.log(Math.PI), m.log(sine)), value)
  const isPole = m.both(isReflected, m.equal(sine, 0))
  return m.where(m.either(isPole, m.isInfinite(x)), Infinity, m.where(isReflected, reflected, value))
}

/** Coefficients of ψ(y) − log y + 1/(2y) in 1/y², the highest first. */
const stirling = [-1 / 252, 1 / 120, -1 / 12, 0]

/** ψ(x) for x > 0, by ψ(x) = ψ(x + 6) − Σ 1/(x + k). */
function positiveDigamma(m: Arithmetic, x: string): string {
  const far = m.add(x, 6)
  const inverse = m.apply('Reciprocal', far)
  const series = m.polynomial(m.square(inverse), stirling)
  const beyond = m.add(m.sub(m.log(far), m.mul(inverse, 0.5)), series)
  return [0, 1, 2, 3, 4, 5].reduce((value, k) => m.sub(value, m.apply('Reciprocal', m.add(x, k))), beyond)
}

/** ψ(x), below 0 by ψ(1 − x) − ψ(x) = π/tan πx; NaN at the negative integers and −∞. */
export function digamma(m: Arithmetic, x: string): string {
  const isNegative = m.less(x, 0)
  const value = positiveDigamma(m, m.where(isNegative, m.sub(1, x), x))
  const angle = angleOf(m, x)
  const reflected = m.sub(value, m.div(Math.PI, m.apply('Tan', angle)))
  return m.where(isNegative, m.where(m.equal(angle, 0), Number.NaN, reflected), value)
}

/** The functions of one real number, in float64; what receives a result rounds it. Each gives NaN for NaN. */

import { erfc, gaussian } from '../../base/erf.ts'
import type { ActivationName } from '../../program/vocabulary.ts'

const float = new Float32Array(1)
const bits = new Uint32Array(float.buffer)

/** The nearest number of 8 bits of precision with float32's exponents, of two as near the even one. */
export function toBf16(x: number): number {
  float[0] = x
  const word = bits[0]!
  if (!Number.isNaN(x)) bits[0] = (word + 0x7fff + ((word >>> 16) & 1)) & 0xffff0000
  return float[0]!
}

export const step = (x: number): number => (Number.isNaN(x) ? x : Number(x > 0))

export const relu = (x: number): number => Math.max(x, 0)

export const leakyRelu = (x: number, slope: number): number => (x > 0 ? x : slope * x)

/** 1 / (1 + exp(−x)), with an exponential that cannot overflow. */
export function sigmoid(x: number): number {
  const e = Math.exp(-Math.abs(x))
  return (x >= 0 ? 1 : e) / (1 + e)
}

/** log(1 + exp(x)), with an exponential that cannot overflow. */
export const softplus = (x: number): number => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)))

export const elu = (x: number, alpha: number): number => (x > 0 ? x : alpha * Math.expm1(x))

/** sin(πx)/(πx), from x less the nearest integer, which is exact: sin π(n + r) = ±sin πr. */
export function sinc(x: number): number {
  const n = Math.round(x)
  const magnitude = x === 0 ? 1 : Math.sin(Math.PI * (x - n)) / (Math.PI * x)
  return n % 2 === 0 ? magnitude : -magnitude
}

/** x · weight, where a weight of 0 wins over an infinite x. */
const weighted = (x: number, weight: number): number => (weight === 0 ? 0 : x * weight)

export const silu = (x: number): number => weighted(x, sigmoid(x))

/** The normal distribution function by the complement of erf, which keeps its tail. */
export const gelu = (x: number): number => weighted(x, erfc(-x * Math.SQRT1_2) / 2)

/** (1 + tanh(u)) / 2 is sigmoid(2u), which keeps its tail. */
export const geluTanh = (x: number): number =>
  weighted(x, sigmoid(2 * Math.sqrt(2 / Math.PI) * (x + 0.044715 * (x * x * x))))

/** Φ(x) + x·φ(x) with the normal distribution function and its density; beyond ±1000 it is as flat. */
export function geluDerivative(x: number): number {
  const within = Math.min(Math.max(x, -1000), 1000)
  const density = gaussian(within * Math.SQRT1_2) / Math.sqrt(2 * Math.PI)
  return erfc(-within * Math.SQRT1_2) / 2 + within * density
}

/** IEEE 754 §9.2.1, where Math.pow departs from it: 1 to any power, and −1 to ±∞, are 1. */
export const pow = (x: number, y: number): number => (x === 1 || (x === -1 && Math.abs(y) === Infinity) ? 1 : x ** y)

/** To the nearest integer, ties to the even one. */
export function roundToEven(x: number): number {
  const nearest = Math.round(x)
  return nearest - x === 0.5 && nearest % 2 !== 0 ? nearest - 1 : nearest
}

/** a − b·trunc(a/b), which has the sign of a. */
export const fmod = (a: number, b: number): number => a % b

/** a − b·⌊a/b⌋, which has the sign of b. */
export function mod(a: number, b: number): number {
  const rest = a % b
  return rest !== 0 && rest < 0 !== b < 0 ? rest + b : rest
}

/** ⌊a/b⌋ by the exact remainder: of the rounded quotient it may be one too many. */
export function floorDiv(a: number, b: number): number {
  const quotient = a / b
  if (b === 0) return quotient
  const rest = a % b
  const whole = roundToEven((a - rest) / b) - Number(rest !== 0 && rest < 0 !== b < 0)
  return whole === 0 ? Math.sign(quotient) * 0 : whole
}

/** The greatest common divisor of |a| and |b|, by Euclid's algorithm. */
export function gcd(a: number, b: number): number {
  let [x, y] = [Math.abs(a), Math.abs(b)]
  while (y !== 0) [x, y] = [y, x % y]
  return x
}

/** To an integer in [least, greatest], toward zero; NaN to 0. */
export const saturate = (x: number, least: number, greatest: number): number =>
  Number.isNaN(x) ? 0 : Math.min(Math.max(Math.trunc(x), least), greatest)

export const activations: { readonly [K in ActivationName]: (x: number, slope: number) => number } = {
  none: (x) => x,
  relu,
  leakyRelu,
  sigmoid,
  tanh: Math.tanh,
}

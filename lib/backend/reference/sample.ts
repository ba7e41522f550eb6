/**
 * Random numbers that take several words each, as many as it needs to accept one: words of the Philox blocks with the
 * counter (element index, attempt, stream), where the stream counts from 1. Plain IEEE double arithmetic in the order
 * written here, as in plain-math.ts. No loop is without end: the last attempt is accepted.
 */
import type { Indices, Numbers } from './loop.ts'
import { philox, unit, type Words } from './philox.ts'
import { exp, inverseNormal, log } from './plain-math.ts'

/** The element of a parameter that has one for all, or one for each. */
export const parameterAt = (x: Numbers | undefined, i: number): number =>
  x === undefined ? 0 : x[x.length === 1 ? 0 : i]!

const attempts = 64

/** The words of one element, block by block. */
class Blocks {
  constructor(
    readonly key: Indices,
    readonly index: number,
  ) {}

  words(attempt: number, stream: number): Words {
    return philox([this.index, Math.floor(this.index / 2 ** 32), attempt, stream], this.key[0]!, this.key[1]!)
  }
}

export function sample(
  distribution: 'gamma' | 'beta' | 'poisson',
  key: Indices,
  parameters: readonly Numbers[],
  out: Numbers,
): void {
  for (let i = 0; i < out.length; i++) {
    const blocks = new Blocks(key, i)
    const [a, b] = [parameterAt(parameters[0], i), parameterAt(parameters[1], i)]
    if (distribution === 'gamma') out[i] = gammaOf(blocks, a)
    else out[i] = distribution === 'beta' ? betaOf(blocks, a, b) : poissonOf(blocks, a)
  }
}

/** Whether a parameter is a positive number, and no infinity. */
const isPositive = (x: number): boolean => x > 0 && x < 1e300

/**
 * The logarithm of a gamma variate: Marsaglia & Tsang, "A simple method for generating gamma variables", ACM TOMS 26
 * (2000). Below concentration 1, one of concentration + 1 times u^(1 / concentration).
 */
function logGammaOf(blocks: Blocks, concentration: number, stream: number): number {
  const d = (concentration < 1 ? concentration + 1 : concentration) - 1 / 3
  const c = 1 / Math.sqrt(9 * d)
  for (let attempt = 0; ; attempt++) {
    const words = blocks.words(attempt, stream)
    const x = inverseNormal(unit(words[0]))
    const t = 1 + c * x
    if (t <= 0) continue
    const v = t * t * t
    const accepted = log(unit(words[1])) < 0.5 * x * x + d - d * v + d * log(v)
    if (!accepted && attempt < attempts) continue
    const found = log(d) + log(v)
    return concentration < 1 ? found + log(unit(words[2])) / concentration : found
  }
}

const gammaOf = (blocks: Blocks, concentration: number): number =>
  isPositive(concentration) ? exp(logGammaOf(blocks, concentration, 1)) : NaN

/** X / (X + Y) of gamma variates, by their logarithms, as both may be too small for a number. */
function betaOf(blocks: Blocks, a: number, b: number): number {
  if (!(isPositive(a) && isPositive(b))) return NaN
  const x = logGammaOf(blocks, a, 1)
  return 1 / (1 + exp(logGammaOf(blocks, b, 2) - x))
}

function poissonOf(blocks: Blocks, rate: number): number {
  if (!(rate >= 0 && rate < 1e300)) return NaN
  return rate < 10 ? smallPoisson(blocks, rate) : largePoisson(blocks, rate)
}

/** The inverse of the distribution function, summed up until it reaches a uniform number of 53 bits. */
function smallPoisson(blocks: Blocks, rate: number): number {
  const words = blocks.words(0, 1)
  const u = (words[0] * 2 ** 21 + (words[1] >>> 11) + 0.5) * 2 ** -53
  let term = exp(-rate)
  let sum = term
  let k = 0
  while (u > sum && k < 200) {
    k = k + 1
    term = (term * rate) / k
    sum = sum + term
  }
  return k
}

/** PTRS of Hörmann, "The transformed rejection method for generating Poisson random variables" (1993), for rates from 10 on. */
function largePoisson(blocks: Blocks, rate: number): number {
  const b = 0.931 + 2.53 * Math.sqrt(rate)
  const a = -0.059 + 0.02483 * b
  const logInverseAlpha = log(1.1239 + 1.1328 / (b - 3.4))
  for (let attempt = 0; ; attempt++) {
    const words = blocks.words(attempt, 1)
    const u = unit(words[0]) - 0.5
    const v = unit(words[1])
    const us = 0.5 - Math.abs(u)
    const k = Math.floor(((2 * a) / us + b) * u + rate + 0.43)
    if ((us >= 0.07 && v <= 0.9277 - 3.6224 / (b - 2)) || (k >= 0 && attempt >= attempts)) return k
    if (k < 0 || (us < 0.013 && v > us)) continue
    const left = log(v) + logInverseAlpha - log(a / (us * us) + b)
    if (left <= k * log(rate) - rate - logFactorial(k)) return k
  }
}

/** log k! = log Γ(z) with z = k + 1, by Stirling's series, DLMF 5.11.1, from z = 10 on. */
export function logFactorial(k: number): number {
  let z = k + 1
  let product = 1
  while (z < 10) {
    product = product * z
    z = z + 1
  }
  const w = 1 / (z * z)
  const series = (1 / 12 - w * (1 / 360 - w * (1 / 1260 - w * (1 / 1680)))) / z
  return (z - 0.5) * log(z) - z + 0.9189385332046727 + series - log(product)
}

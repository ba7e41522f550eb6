/**
 * The distributions by chi-squared statistics of samples with fixed seeds, which are the same numbers at every run; the
 * same bits on every backend; and what is refused.
 */
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createReferenceBackend } from '../../lib/backend/reference/index.ts'
import { exp } from '../../lib/backend/reference/plain-math.ts'
import { logFactorial } from '../../lib/backend/reference/sample.ts'
import { erfc } from '../../lib/base/erf.ts'
import * as g from '../../lib/index.ts'
import { backendNames } from '../support/backends.ts'
import { f64, i32, runnerOf } from '../support/run.ts'
import { expectClose, ulps } from '../support/tolerance.ts'

const seed = 2024
const samples = 20000

/** What a chi-squared variable of so many degrees of freedom exceeds once in a thousand: Wilson & Hilferty (1931). */
function mostChiSquared(freedom: number): number {
  const a = 2 / (9 * freedom)
  return freedom * (1 - a + 3.09 * Math.sqrt(a)) ** 3
}

function chiSquared(counts: ArrayLike<number>, probabilities: readonly number[]): number {
  const total = Array.from(counts).reduce((a, b) => a + b, 0)
  return probabilities.reduce((sum, p, i) => sum + (counts[i]! - total * p) ** 2 / (total * p), 0)
}

function expectFit(counts: ArrayLike<number>, probabilities: readonly number[]): void {
  expect(counts.length).toBe(probabilities.length)
  expect(probabilities.reduce((a, b) => a + b)).toBeCloseTo(1, 9)
  expect(chiSquared(counts, probabilities)).toBeLessThan(mostChiSquared(probabilities.length - 1))
}

/** How many are below the first bound, between the first and the second, …, above the last. */
function countsBetween(x: ArrayLike<number>, bounds: readonly number[]): number[] {
  const counts = new Array<number>(bounds.length + 1).fill(0)
  for (let i = 0; i < x.length; i++) counts[bounds.filter((bound) => bound <= x[i]!).length]!++
  return counts
}

const tenths = Array.from({ length: 10 }, () => 0.1)

beforeAll(() => g.setBackend('reference'))

const exponentialDeciles = tenths.slice(1).map((_, i) => -Math.log1p(-(i + 1) / 10))

/** Quantiles at 0.1, 0.2, …, 0.9 by scipy.stats. */
const continuous: Readonly<Record<string, readonly [draw: () => g.Tensor, deciles: readonly number[]]>> = {
  uniform: [() => g.uniform([samples], { seed }), [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]],
  normal: [
    () => g.normal([samples], { mean: 1, std: 2, seed }).sub(1).div(2),
    [-1.28155157, -0.841621234, -0.524400513, -0.253347103, 0, 0.253347103, 0.524400513, 0.841621234, 1.28155157],
  ],
  'truncatedNormal, two deviations': [
    () => g.truncatedNormal([samples], { seed }),
    [-1.18403247, -0.793820119, -0.498402882, -0.241587185, 0, 0.241587185, 0.498402882, 0.793820119, 1.18403247],
  ],
  'truncatedNormal, lower': [
    () => g.truncatedNormal([samples], { mean: 1, std: 2, min: -1, max: 2, seed }).sub(1).div(2),
    [
      -0.799721887, -0.627344574, -0.471904673, -0.32714757, -0.188968232, -0.0543213289, 0.0793435069, 0.214447684,
      0.353602876,
    ],
  ],
  'truncatedNormal, a tail': [
    () => g.truncatedNormal([samples], { min: 2, max: 3, seed }),
    [2.04130805, 2.08642469, 2.13623672, 2.1919921, 2.25553082, 2.32973837, 2.41954503, 2.5345281, 2.69780445],
  ],
  exponential: [() => g.exponential([samples], { rate: 2.5, seed }).mul(2.5), exponentialDeciles],
  'gamma, concentration 0.3': [
    () => g.gamma([samples], { concentration: 0.3, seed }),
    [
      0.000323724622, 0.00327033952, 0.0127266578, 0.0337397926, 0.0731311359, 0.141252504, 0.256564913, 0.460073887,
      0.884810773,
    ],
  ],
  'gamma, concentration 1': [
    () => g.gamma([samples], { concentration: g.ones([samples]), rate: 4, seed }).mul(4),
    exponentialDeciles,
  ],
  'gamma, concentration 4.5': [
    () => g.gamma([samples], { concentration: 4.5, seed }),
    [2.0840795, 2.69002661, 3.19665298, 3.67851725, 4.17141635, 4.70682005, 5.328186, 6.12107273, 7.34182829],
  ],
  'beta ½, ½': [
    () => g.beta([samples], { alpha: 0.5, beta: 0.5, seed }),
    [0.0244717419, 0.0954915028, 0.206107374, 0.345491503, 0.5, 0.654508497, 0.793892626, 0.904508497, 0.975528258],
  ],
  'beta 2, 3': [
    () => g.beta([samples], { alpha: 2, beta: [3], seed }),
    [
      0.142559317, 0.212317128, 0.272383942, 0.329166503, 0.385727568, 0.444500002, 0.508404755, 0.582453575,
      0.679539416,
    ],
  ],
  'beta 0.05, 0.1': [
    () => g.beta([samples], { alpha: 0.05, beta: 0.1, seed }),
    [
      2.86669782e-17, 3.00595053e-11, 9.99555638e-8, 3.15188243e-5, 0.00272750398, 0.096141775, 0.747572312,
      0.994412857, 0.999994517,
    ],
  ],
}

describe('distributed as they should be', () => {
  test.each(Object.entries(continuous))('%s', (_, [draw, deciles]) => {
    expectFit(countsBetween(draw().dataSync(), deciles), tenths)
  })

  const poisson = (rate: number) => (k: number) => Math.exp(k * Math.log(rate) - rate - logFactorial(k))

  test.each([0.3, 4, 9.9, 10, 40, 1000])('poisson of rate %d', (rate) => {
    const [from, to] = [-2, 2].map((deviations) => Math.max(0, Math.round(rate + deviations * Math.sqrt(rate))))
    const inside = Array.from({ length: to! - from! }, (_, i) => poisson(rate)(from! + i))
    const below = Array.from({ length: from! }, (_, k) => poisson(rate)(k)).reduce((a, b) => a + b, 0)
    const probabilities = [below, ...inside, 1 - below - inside.reduce((a, b) => a + b, 0)]
    const bounds = Array.from({ length: inside.length + 1 }, (_, i) => from! + i - 0.5)
    const counts = countsBetween(g.poisson([samples], { rate, seed }).dataSync(), bounds)
    const kept = probabilities.map((p, i) => [p, counts[i]!] as const).filter(([p]) => p > 0)
    expectFit(
      kept.map(([, count]) => count),
      kept.map(([p]) => p),
    )
  })

  const countsOf = (x: g.Tensor, length: number) => g.bincount(x.flatten(), length).dataSync()

  test('randint', () => {
    const drawn = g.randint([samples], { min: -3, max: 4, seed })
    expectFit(
      countsOf(drawn.add(3), 7),
      Array.from({ length: 7 }, () => 1 / 7),
    )
  })

  test.each([0, 0.2, 1])('bernoulli of %d', (probability) => {
    const ones = g.bernoulli([samples], { probability, seed }).sum().itemSync()
    if (probability === 0 || probability === 1) expect(ones).toBe(samples * probability)
    else expectFit([ones, samples - ones], [probability, 1 - probability])
  })

  test('bernoulli by a tensor of probabilities, as bool', () => {
    const drawn = g.bernoulli([1000, 3], { probability: [0, 1, 0.5], dtype: 'bool', seed })
    expect(drawn.dtype).toBe('bool')
    expect(drawn.sum(0).arraySync()).toEqual([0, 1000, expect.closeTo(500, -2)])
  })

  const odds = [1, 2, 0, 3, 4]
  const chances = odds.map((x) => x / 10).filter((p) => p > 0)
  const withoutZero = (counts: g.TypedArray) => {
    expect(counts[2]).toBe(0)
    return Array.from(counts).filter((_, i) => i !== 2)
  }

  test('categorical', () => {
    const drawn = g.categorical(g.log([odds, odds]), { count: samples / 2, seed })
    expect(drawn.shape).toEqual([2, samples / 2])
    expectFit(withoutZero(countsOf(drawn, 5)), chances)
    expect(g.categorical(g.ones([3, 4, 5])).shape).toEqual([3, 4])
  })

  test('multinomial with replacement', () => {
    expectFit(withoutZero(countsOf(g.multinomial(odds, samples, { replacement: true, seed }), 5)), chances)
  })

  test('multinomial without replacement', () => {
    const drawn = g.multinomial(g.broadcastTo(odds, [samples, 5]), 4, { seed })
    expectFit(withoutZero(countsOf(drawn.slice([0, 0], [samples, 1]), 5)), chances)
    expect(g.sort(drawn).slice([0], [1]).arraySync()).toEqual([[0, 1, 3, 4]])
    // Of the second: Σ p(first)·p(second) / (1 − p(first)).
    const second = chances.map((p, i) => chances.reduce((sum, q, j) => sum + (i === j ? 0 : (q * p) / (1 - q)), 0))
    expectFit(withoutZero(countsOf(drawn.slice([0, 1], [samples, 2]), 5)), second)
  })

  test('permutation', () => {
    const n = 6
    const orders = Array.from({ length: 3000 }, (_, i) => g.permutation(n, { seed: i }).dataSync())
    for (const order of orders) expect(Array.from(order).sort()).toEqual([0, 1, 2, 3, 4, 5])
    for (let place = 0; place < n; place++) {
      const counts = new Array<number>(n).fill(0)
      for (const order of orders) counts[order[place]!]!++
      expectFit(
        counts,
        counts.map(() => 1 / n),
      )
    }
  })
})

test('shuffle keeps slices together', () => {
  const x = g.arange(12).reshape([4, 3])
  const rows = g.shuffle(x, { seed }).arraySync() as number[][]
  expect(rows).not.toEqual(x.arraySync())
  expect([...rows].sort((a, b) => a[0]! - b[0]!)).toEqual(x.arraySync())
  const columns = g.shuffle(x, { axis: 1, seed }).transpose().arraySync() as number[][]
  expect([...columns].sort((a, b) => a[0]! - b[0]!)).toEqual(x.transpose().arraySync())
})

test('the exponential and log k! of the sampler are those of the library', () => {
  const x = Float64Array.from({ length: 2001 }, (_, i) => -700 + 0.7 * i)
  expectClose(x.map(exp), x.map(Math.exp), ulps(4))
  expect([exp(-701), exp(0), exp(710)]).toEqual([0, 1, exp(700)])
  const factorials = [1, 2, 6, 24, 120, 720, 5040, 40320, 362880, 3628800]
  factorials.forEach((factorial, i) => {
    expect(logFactorial(i + 1)).toBeCloseTo(Math.log(factorial), 11)
  })
  // By Python's math.lgamma.
  expect(logFactorial(170)).toBeCloseTo(706.5730622457874, 9)
})

test('truncated normal numbers in float64, and bounds that leave nothing but one side', () => {
  const x = g.truncatedNormal([1000], { dtype: 'float64', min: 5, max: 6, seed }).dataSync()
  for (const each of x) expect(each >= 5 && each <= 6).toBe(true)
  const run = runnerOf(createReferenceBackend())
  const [ends] = run('random', { distribution: 'truncatedNormal' }, [i32(1, 2), f64(0), f64(0)], [['float64', 1]])
  expect(ends![0]).toBe(-Infinity)
  expect(erfc(0)).toBe(1)
})

const draws: Readonly<Record<string, () => g.Tensor>> = {
  uniform: () => g.uniform([501], { min: 100, max: 101 }),
  normal: () => g.normal([50, 3], { mean: [1, 2, 3], std: [0, 0.1, 5] }),
  truncatedNormal: () => g.truncatedNormal([501], { mean: 1, std: 3, max: 4 }),
  bernoulli: () => g.bernoulli([50, 3], { probability: [0.1, 0.5, 0.9] }),
  exponential: () => g.exponential([50, 3], { rate: [0.1, 0.5, 0.9] }),
  randint: () => g.randint([501], { max: 1000 }),
  gamma: () => g.gamma([50, 3], { concentration: [0.1, 1, 5], rate: 3 }),
  beta: () => g.beta([50, 3], { alpha: [0.1, 1, 5], beta: 0.7 }),
  poisson: () => g.poisson([50, 3], { rate: [0.1, 9, 50] }),
  categorical: () => g.categorical(g.linspace(-1, 1, 30).reshape([5, 6]), { count: 7 }),
  multinomial: () => g.multinomial(g.linspace(0.1, 1, 30).reshape([5, 6]), 4),
  'multinomial with replacement': () => g.multinomial(g.linspace(0.1, 1, 6), 40, { replacement: true }),
  permutation: () => g.permutation(501),
  shuffle: () => g.shuffle(g.arange(60).reshape([20, 3])),
}

describe.each(backendNames)('keys and seeds on the %s backend', (backend) => {
  beforeEach(() => {
    g.setBackend(backend)
    g.setSeed(5)
  })

  test.each(Object.entries(draws))('%s', (_, draw) => {
    const first = draw().dataSync()
    expect(draw().dataSync()).not.toEqual(first)
    g.setSeed(5)
    g.setBackend('reference')
    expect(draw().dataSync()).toEqual(first)
  })

  test('a compiled function draws anew at each call', () => {
    const roll = g.compile(() => g.randint([100], { min: 1, max: 7 }))
    expect(roll.sync().dataSync()).not.toEqual(roll.sync().dataSync())
  })
})

const wrong = (value: unknown): never => value as never

test.each<[() => unknown, abstract new (...args: never[]) => Error, string]>([
  [() => g.truncatedNormal([1], { std: 0 }), RangeError, 'truncatedNormal: expected a positive std, got 0'],
  [() => g.truncatedNormal([1], { min: 1, max: 1 }), RangeError, 'truncatedNormal: expected min < max, got 1 and 1'],
  [
    () => g.bernoulli([1], { probability: 2 }),
    RangeError,
    'bernoulli: expected a probability that is in [0, 1], got 2',
  ],
  [
    () => g.bernoulli([2], { probability: [0.1, 0.2, 0.3] }),
    g.ShapeError,
    'bernoulli: shapes [3] and [2] do not broadcast',
  ],
  [
    () => g.poisson([3], { rate: g.ones([2, 3]) }),
    g.ShapeError,
    'poisson: expected a rate that broadcasts to [3], got [2, 3]',
  ],
  [() => g.poisson([3], wrong(undefined)), TypeError, 'poisson: expected a rate, got undefined'],
  [() => g.gamma([3], wrong({})), TypeError, 'gamma: expected a concentration, got undefined'],
  [() => g.randint([3], wrong(null)), TypeError, 'randint: expected options ({ max, min, seed }), got null'],
  [
    () => g.exponential([1], { rate: -1 }),
    RangeError,
    'exponential: expected a rate that is positive and finite, got -1',
  ],
  [
    () => g.gamma([1], { concentration: 0 }),
    RangeError,
    'gamma: expected a concentration that is positive and finite, got 0',
  ],
  [
    () => g.beta([1], { alpha: 1, beta: Number.NaN }),
    RangeError,
    'beta: expected a beta that is positive and finite, got NaN',
  ],
  [
    () => g.randint([1], { max: 0 }),
    RangeError,
    'randint: expected integer bounds in [−2³¹, 2³¹] with min < max, got 0 and 0',
  ],
  [
    () => g.randint([1], { max: 2 ** 31 + 1 }),
    RangeError,
    'randint: expected integer bounds in [−2³¹, 2³¹] with min < max, got 0 and 2147483649',
  ],
  [() => g.gamma(wrong(3), { concentration: 1 }), g.ShapeError, 'gamma: expected a shape (an array of extents), got 3'],
  [() => g.categorical(1), g.ShapeError, 'categorical: expected a shape […, classes], got []'],
  [
    () => g.categorical([1], { count: -1 }),
    RangeError,
    'categorical: expected a count that is a natural number, got -1',
  ],
  [() => g.multinomial([1, 2], 3), RangeError, 'multinomial: expected a count of at most 2 without replacement, got 3'],
  [() => g.permutation(1.5), RangeError, 'permutation: expected a count that is a natural number, got 1.5'],
  [() => g.shuffle(1), g.ShapeError, 'shuffle: expected an axis in [0, 0), got 0'],
  [() => g.exponential([1], { dtype: 'int32' }), g.DTypeError, 'exponential: expected float32 or float64, got int32'],
])('%o is refused', (run, error, message) => {
  expect(run).toThrow(error)
  expect(run).toThrow(message)
})

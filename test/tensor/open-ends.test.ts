/** What a distribution excludes is never drawn, whatever is rounded; and parameters that are none are refused. */
import { beforeAll, describe, expect, test } from 'vitest'
import { greatestBelow, leastNormal } from '../../lib/base/floats.ts'
import * as g from '../../lib/index.ts'
import { backendNames } from '../support/backends.ts'

const seed = 1

const extremes = (x: g.Tensor): [low: number, high: number] => {
  let [low, high] = [Infinity, -Infinity]
  for (const each of x.dataSync()) [low, high] = [Math.min(low, each), Math.max(high, each)]
  return [low, high]
}

test('the number before', () => {
  expect(greatestBelow(1, 'float32')).toBe(1 - 2 ** -24)
  expect(greatestBelow(1, 'float64')).toBe(1 - 2 ** -53)
  expect(greatestBelow(0.1, 'float32')).toBe(Math.fround(0.1) - 2 ** -27)
  expect(greatestBelow(0.3, 'float32')).toBe(0.3 - (0.3 - greatestBelow(0.3, 'float32')))
  expect(greatestBelow(1 + 2 ** -40, 'float32')).toBe(1)
  expect(greatestBelow(0, 'float32')).toBe(-(2 ** -149))
  expect(greatestBelow(0, 'float64')).toBe(-Number.MIN_VALUE)
  expect(greatestBelow(-1, 'float32')).toBe(-1 - 2 ** -23)
  expect(greatestBelow(-1, 'float64')).toBe(-1 - 2 ** -52)
  expect(greatestBelow(1e39, 'float32')).toBe((2 - 2 ** -23) * 2 ** 127)
})

const bounds = [
  [100, 101],
  [1e6, 1e6 + 1],
  [-1, 1],
  [-3, -1],
  [16777214, 16777216],
  [0.1, 0.3],
  [0, 1e-45],
  [-1e-3, 0],
  [5, 5 + 2 ** -20],
  [-1.5e38, 1.5e38],
] as const

describe.each([...backendNames.map((name) => [name, 'float32'] as const), ['reference', 'float64'] as const])(
  'on the %s backend in %s',
  (name, dtype) => {
    beforeAll(() => g.setBackend(name))
    const count = name === 'native' ? 5e6 : 2e5
    const round = (x: number) => (dtype === 'float32' ? Math.fround(x) : x)

    test.each(bounds)('uniform in [%d, %d)', (min, max) => {
      const [low, high] = extremes(g.uniform([count], { min, max, seed, dtype }))
      expect(low).toBeGreaterThanOrEqual(round(min))
      expect(high).toBeLessThan(max)
    })

    test('uniform between bounds with no number between them, or equal ones, is min', () => {
      expect(extremes(g.uniform([1000], { min: 3, max: 3 + 2 ** -60, seed, dtype }))).toEqual([3, 3])
      expect(extremes(g.uniform([1000], { min: 0.1, max: 0.1, seed, dtype }))).toEqual([round(0.1), round(0.1)])
    })

    test('exponential, gamma and beta are inside their intervals', () => {
      const shape = [2e4]
      const inside = (x: g.Tensor, most: number) => {
        const [low, high] = extremes(x)
        expect(low).toBeGreaterThanOrEqual(leastNormal(dtype))
        expect(high).toBeLessThanOrEqual(most)
      }
      inside(g.exponential(shape, { seed, dtype }), 30)
      inside(g.exponential(shape, { rate: 3e38, seed, dtype }), 1)
      inside(g.exponential(shape, { rate: 1e-38, seed, dtype }), Number.MAX_VALUE)
      inside(g.gamma(shape, { concentration: 1e-3, seed, dtype }), 30)
      inside(g.gamma(shape, { concentration: 0.1, rate: 1e30, seed, dtype }), 1)
      const below1 = greatestBelow(1, dtype)
      for (const [alpha, beta] of [
        [1e-3, 1e-3],
        [1e-3, 1],
        [5, 1e-3],
        [1e6, 1e-2],
      ] as const)
        inside(g.beta(shape, { alpha, beta, seed, dtype }), below1)
    })

    test.each([
      [2, 3],
      [-1, 0.3],
      [5, 5.5],
      [-Infinity, 1],
      [8, Infinity],
    ])('truncatedNormal in [%d, %d]', (min, max) => {
      const [low, high] = extremes(g.truncatedNormal([2e4], { min, max, seed, dtype }))
      expect(low).toBeGreaterThanOrEqual(round(min))
      expect(high).toBeLessThanOrEqual(round(max))
      expect(high).toBeGreaterThan(low)
    })

    test('bernoulli of 0 and 1', () => {
      expect(extremes(g.bernoulli([count], { probability: 0, seed }))).toEqual([0, 0])
      expect(extremes(g.bernoulli([count], { probability: 1, seed }))).toEqual([1, 1])
    })

    test('randint has both ends of what it includes', () => {
      expect(extremes(g.randint([2e4], 5, { seed }))).toEqual([0, 4])
      expect(extremes(g.randint([2e4], 2, 5, { seed }))).toEqual([2, 4])
      expect(extremes(g.randint([2e4], { min: -1, max: 0, seed }))).toEqual([-1, -1])
      const [low, high] = extremes(g.randint([2e5], { min: -(2 ** 31), max: 2 ** 31, seed }))
      expect(low).toBeLessThan(-(2 ** 31) * 0.999)
      expect(high).toBeGreaterThan(2 ** 31 * 0.999)
      expect(extremes(g.randint([2e5], { max: 2 ** 31, seed }))[0]).toBeGreaterThanOrEqual(0)
    })

    test('categorical has its noise beside great logits, and multinomial beside small weights', () => {
      const counts = (x: g.Tensor) => Array.from(g.bincount(x.flatten(), 3).dataSync())
      const third = [expect.closeTo(1000, -2), expect.closeTo(1000, -2), expect.closeTo(1000, -2)]
      expect(counts(g.categorical([1e9, 1e9, 1e9], { count: 3000, seed }))).toEqual(third)
      expect(counts(g.categorical([-1e30, -1e30, -Infinity], { count: 2000, seed }))).toEqual([...third.slice(1), 0])
      for (const p of [1e-44, 1e-20, 3e38])
        expect(counts(g.multinomial([p, 0, p], 2000, { replacement: true, seed }))).toEqual([third[0], 0, third[0]])
      // Beside 1, both are rounded down to nothing; they are drawn before what has no probability.
      const drawn = g.multinomial([0, 1e-44, 0, 1, 1e-44], 3, { seed }).arraySync() as number[]
      expect(drawn.sort()).toEqual([1, 3, 4])
    })
  },
)

const refusedAtOnce: readonly (readonly [() => unknown, string])[] = [
  [() => g.uniform([1], { min: 2, max: 1 }), 'uniform: expected finite bounds with min ≤ max, got 2 and 1'],
  [() => g.uniform([1], { max: Infinity }), 'uniform: expected finite bounds with min ≤ max, got 0 and Infinity'],
  [() => g.uniform([1], { min: NaN }), 'uniform: expected finite bounds with min ≤ max, got NaN and 1'],
  [
    () => g.uniform([1], { min: -3e38, max: 3e38 }),
    'uniform: expected finite bounds with min ≤ max, got -3e+38 and 3e+38',
  ],
  [() => g.randn([1], { std: -1 }), 'randn: expected a finite std of at least 0, got -1'],
  [() => g.randn([1], { mean: NaN }), 'randn: expected a finite mean, got NaN'],
  [() => g.normal([1], { std: -1 }), 'normal: expected a std that is finite and not negative, got -1'],
  [() => g.truncatedNormal([1], { mean: Infinity }), 'truncatedNormal: expected a finite mean, got Infinity'],
  [
    () => g.truncatedNormal([1], { min: 40, max: 41 }),
    'truncatedNormal: expected bounds that float32 tells apart in probability, got 40 and 41',
  ],
  [() => g.exponential([1], { rate: 1e-50 }), 'exponential: expected a rate that is positive and finite, got 1e-50'],
  [() => g.exponential([1], { rate: 0 }), 'exponential: expected a rate that is positive and finite, got 0'],
  [
    () => g.gamma([1], { concentration: 1, rate: Infinity }),
    'gamma: expected a rate that is positive and finite, got Infinity',
  ],
  [() => g.poisson([1], { rate: NaN }), 'poisson: expected a rate that is finite and not negative, got NaN'],
  [() => g.bernoulli([1], { probability: NaN }), 'bernoulli: expected a probability that is in [0, 1], got NaN'],
]

const refusedWithData: readonly (readonly [() => g.Tensor, string])[] = [
  [() => g.multinomial([0, 0, 0], 1), 'multinomial: expected a probability above 0 in each row, got 0'],
  [
    () => g.multinomial([0, 0], 5, { replacement: true }),
    'multinomial: expected a probability above 0 in each row, got 0',
  ],
  [
    () =>
      g.multinomial(
        [
          [1, 1],
          [0, 1],
        ],
        2,
      ),
    'multinomial: expected at least 2 probabilities above 0 in each row, got 1 at position 1',
  ],
  [
    () => g.multinomial([1, -1, 3], 1),
    'multinomial: expected finite probabilities of at least 0, got -1 at position 1',
  ],
  [
    () => g.multinomial([1, NaN, 3], 1),
    'multinomial: expected finite probabilities of at least 0, got NaN at position 1',
  ],
  [
    () => g.multinomial([Infinity, 3], 1, { replacement: true }),
    'multinomial: expected finite probabilities of at least 0, got Infinity at position 0',
  ],
  [
    () => g.categorical([-Infinity, -Infinity]),
    'categorical: expected a finite greatest logit in each row, got -Infinity',
  ],
  [
    () =>
      g.categorical([
        [1, 2],
        [0, NaN],
      ]),
    'categorical: expected a finite greatest logit in each row, got NaN at position 1',
  ],
  [
    () => g.categorical([0, Infinity], { count: 3 }),
    'categorical: expected a finite greatest logit in each row, got Infinity',
  ],
  [
    () => g.bernoulli([2], { probability: [0.5, 1.5] }),
    'bernoulli: expected a probability that is in [0, 1], got 1.5 at position 1',
  ],
  [
    () => g.bernoulli([2], { probability: [NaN, 1] }),
    'bernoulli: expected a probability that is in [0, 1], got NaN at position 0',
  ],
  [
    () => g.exponential([2], { rate: [1, -1] }),
    'exponential: expected a rate that is positive and finite, got -1 at position 1',
  ],
  [
    () => g.gamma([3], { concentration: g.tensor(0) }),
    'gamma: expected a concentration that is positive and finite, got 0',
  ],
  [
    () => g.gamma([2], { concentration: 1, rate: [0, 1] }),
    'gamma: expected a rate that is positive and finite, got 0 at position 0',
  ],
  [
    () => g.beta([2], { alpha: [1, Infinity], beta: 1 }),
    'beta: expected a alpha that is positive and finite, got Infinity at position 1',
  ],
  [
    () => g.poisson([2], { rate: [-1, 1] }),
    'poisson: expected a rate that is finite and not negative, got -1 at position 0',
  ],
  [
    () => g.normal([2], { std: [-1, 1] }),
    'normal: expected a std that is finite and not negative, got -1 at position 0',
  ],
  [() => g.normal([2], { mean: [0, NaN] }), 'normal: expected a mean that is finite, got NaN at position 1'],
  [
    () => g.histogram([1, NaN]).counts,
    'histogram: expected finite elements where no range is given, got NaN at position 1',
  ],
  [
    () => g.histogram([1, Infinity]).edges,
    'histogram: expected finite elements where no range is given, got Infinity at position 1',
  ],
]

test.each(refusedAtOnce)('%s is refused where it is called', (call, message) => {
  expect(call).toThrow(new RangeError(message))
})

describe.each(backendNames)('refused once the data are known, on the %s backend', (name) => {
  beforeAll(() => g.setBackend(name))

  test.each(refusedWithData)('%s', async (draw, message) => {
    expect(() => draw().dataSync()).toThrow(new RangeError(message))
    await expect(draw().data()).rejects.toThrow(new RangeError(message))
  })

  test('a run that fails changes nothing', () => {
    const state = g.variable([1, 2])
    const step = g.compile((weights: g.Tensor) => {
      state.assign(state.add(1))
      return g.multinomial(weights, 1)
    })
    step.sync(g.tensor([1, 1]))
    expect(state.arraySync()).toEqual([2, 3])
    expect(() => step.sync(g.tensor([0, 0]))).toThrow('multinomial: expected a probability above 0')
    expect(state.arraySync()).toEqual([2, 3])
    step.sync(g.tensor([0, 1]))
    expect(state.arraySync()).toEqual([3, 4])
  })
})

describe.each(backendNames)('gradients in parameters, on the %s backend', (name) => {
  beforeAll(() => g.setBackend(name))
  const vector = (x: g.Tensor) => Array.from(x.dataSync())

  test('of a rate the gradient is −x / rate', () => {
    const draws = {
      exponential: (rate: g.TensorLike) => g.exponential([4, 3], { rate, seed }),
      gamma: (rate: g.TensorLike) => g.gamma([4, 3], { concentration: 2, rate, seed }),
    }
    for (const draw of Object.values(draws)) {
      const rate = g.tensor([0.5, 1, 4])
      const wanted = vector(draw(rate).sum(0).div(rate).neg())
      expect(vector(g.grad((r) => draw(r).sum())(rate))).toEqual(wanted.map((each) => expect.closeTo(each, 4)))
      // Also of a rate that is one, and of a loss that depends on it elsewhere.
      const one = g
        .grad((r) => draw(r).sum().add(r.square()))(g.tensor(2))
        .itemSync()
      expect(one).toBeCloseTo(4 - draw(2).sum().itemSync() / 2, 4)
    }
  })

  test('of a mean it is 1, of a std the standard number', () => {
    const [mean, std] = [g.tensor([0, 1]), g.tensor([1, 3])]
    expect(vector(g.grad((m) => g.normal([5, 2], { mean: m, std, seed }).sum())(mean))).toEqual([5, 5])
    const z = vector(g.randn([5, 2], { seed }).sum(0))
    const ofStd = g.grad((s) => g.normal([5, 2], { mean, std: s, seed }).sum())(std)
    expect(vector(ofStd)).toEqual(z.map((each) => expect.closeTo(each, 5)))
  })

  const refused: Readonly<Record<string, readonly [(p: g.Tensor) => g.Tensor, string]>> = {
    gamma: [(concentration) => g.gamma([3], { concentration }), 'concentration'],
    'beta, alpha': [(alpha) => g.beta([3], { alpha, beta: 1 }), 'alpha'],
    'beta, beta': [(beta) => g.beta([3], { alpha: 1, beta }), 'beta'],
    poisson: [(rate) => g.poisson([3], { rate }), 'rate'],
    bernoulli: [(probability) => g.bernoulli([3], { probability }), 'probability'],
  }
  test.each(Object.entries(refused))('%s has none, and says so', (title, [draw, parameter]) => {
    const op = title.split(',')[0]
    const message = `${op}: a sample has no gradient in its ${parameter}; stopGradient(${parameter}) says that none is meant`
    const loss = (p: g.Tensor) => draw(p).sum().add(p.square())
    expect(() => g.grad(loss)(g.tensor(0.5))).toThrow(new g.GradientError(message))
    const p = g.variable(0.5)
    expect(() => g.optim.sgd({ learningRate: 1 }).minimize(() => loss(p))).toThrow(message)
    // As a constant it has no say in the gradient.
    expect(
      g
        .grad((x) => draw(g.stopGradient(x)).sum().add(x.square()))(g.tensor(0.5))
        .itemSync(),
    ).toBe(1)
    expect(g.grad((x) => draw(g.tensor(0.5)).mul(x).sum().add(x.square()))(g.tensor(0.5)).shape).toEqual([])
  })
})

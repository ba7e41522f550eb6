/** Schedules against PyTorch's, in programs, and across a resumption. */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import * as g from '../../lib/index.ts'
import { expectClose } from '../support/close.ts'

const { schedules } = g

interface Fixture {
  schedules: { name: keyof typeof schedules; options: object; rates: number[] }[]
  joined: Record<'warmup' | 'sequential' | 'chained', number[]>
  plateaus: { options: g.schedules.ReduceOnPlateauOptions; values: number[]; rates: number[] }[]
}

const fixture: Fixture = JSON.parse(readFileSync(new URL('../fixtures/schedules.json', import.meta.url), 'utf8'))

const joined = {
  warmup: () => schedules.warmup(schedules.exponential({ start: 1, gamma: 0.9 }), { steps: 5, start: 0.25 }),
  sequential: () =>
    schedules.sequential(
      [
        schedules.constant({ rate: 0.1 }),
        schedules.polynomial({ start: 1, steps: 10 }),
        schedules.step({ start: 1, stepSize: 3 }),
      ],
      { milestones: [4, 12] },
    ),
  chained: () =>
    schedules.chained([
      schedules.exponential({ start: 1, gamma: 0.9 }),
      schedules.linear({ start: 0.2, end: 1, steps: 6 }),
    ]),
}

type Create = (options: object) => g.schedules.Schedule

const all: [name: string, create: () => g.schedules.Schedule, rates: number[]][] = [
  ...fixture.schedules.map(({ name, options, rates }): (typeof all)[number] => [
    `${name} ${JSON.stringify(options)}`,
    () => (schedules[name] as unknown as Create)(options),
    rates,
  ]),
  ...Object.entries(joined).map(([name, create]): (typeof all)[number] => [
    name,
    create,
    fixture.joined[name as keyof typeof joined],
  ]),
]

/** The rates that a rule meets, step by step. */
function trained(learningRate: g.optim.RateLike) {
  const w = g.variable(0, { name: 'w' })
  const optimizer = g.optim.optimizer({
    name: 'own',
    learningRate,
    rule: ({ learningRate }) => ({ parameter: learningRate }),
  })
  const step = g.compile(() => optimizer.minimize(() => w))
  const next = () => {
    step.sync()
    return w.itemSync()
  }
  return { optimizer, step, next }
}

describe('rates', () => {
  test.each(all)('of %s are those of PyTorch', (_, create, rates) => {
    expectClose(create().values(rates.length), rates, 3e-7)
    expectClose(create().at(g.arange(rates.length).cast('float64')), rates, 1e-14)
  })

  test.each(all)('of %s are those in a program, without another recording', (_, create, rates) => {
    const schedule = create()
    const { step, next } = trained(schedule)
    const met = rates.map(next)
    expect(met).toEqual(schedule.values(rates.length))
    expect(step.traces).toBe(1)
  })

  test('follow the number of steps that a state says', () => {
    const create = () => schedules.cosine({ peak: 1, steps: 10, warmup: 3 })
    const [whole, resumed] = [trained(create()), trained(create())]
    for (let i = 0; i < 4; i++) whole.next()
    const state = whole.optimizer.stateDict()
    expect(Object.keys(state)).toEqual(['step'])
    resumed.optimizer.loadStateDict(state)
    expect(resumed.optimizer.learningRate).toBe(whole.optimizer.learningRate)
    for (let i = 0; i < 8; i++) expect(resumed.next()).toBe(whole.next())
  })

  test('after a warm-up', () => {
    const rates = schedules.cosine({ peak: 1, steps: 12, warmup: 4, start: 0.2, end: 0.1 }).values(14)
    expectClose(rates.slice(0, 5), [0.2, 0.4, 0.6, 0.8, 1])
    expectClose(rates.slice(8), [0.55, 0.3778, 0.2318, 0.1343, 0.1, 0.1], 1e-4)
  })

  test('far from the beginning', () => {
    const at = (schedule: g.schedules.Schedule, step: number) => schedule.at(step).itemSync()
    const restarts = schedules.cosineRestarts({ peak: 1, period: 100, multiplier: 2 })
    expectClose(
      [at(restarts, 99), at(restarts, 100), at(restarts, 299), at(restarts, 300)],
      [0.000247, 1, 0.0000617, 1],
      1e-5,
    )
    const even = schedules.cosineRestarts({ peak: 1, period: 7 })
    expect([at(even, 7 * 2_000_000), at(even, 7 * 1000)]).toEqual([1, 1])
    expectClose(at(schedules.exponential({ start: 1, gamma: 0.9999 }), 50_000), 0.9999 ** 50_000, 1e-6)
  })

  test('of a function of your own', () => {
    const schedule = schedules.lambda((step) => step.add(1).rsqrt())
    expectClose(schedule.values(3), [1, Math.SQRT1_2, 1 / Math.sqrt(3)])
    expect(schedules.lambda(() => g.tensor(2)).values(2)).toEqual([2, 2])
  })

  test('are of the precision of each parameter', () => {
    const [a, b] = [g.variable(0, { name: 'a' }), g.variable(0, { name: 'b', dtype: 'float64' })]
    const rule: g.optim.UpdateRule = ({ learningRate }) => ({ parameter: learningRate })
    const learningRate = schedules.constant({ rate: 0.1 })
    g.optim.optimizer({ name: 'own', learningRate, rule }).minimize(() => a.add(b))
    expect([a.itemSync(), b.itemSync()]).toEqual([Math.fround(0.1), 0.1])
  })
})

describe('the learning rate of an optimizer with a schedule', () => {
  test('is that of its next step, and cannot be set', () => {
    const { optimizer, next } = trained(schedules.exponential({ start: 1, gamma: 0.5 }))
    expect(optimizer.learningRate).toBe(1)
    next()
    expect(optimizer.learningRate).toBe(0.5)
    const set = () => {
      optimizer.learningRate = 1
    }
    expect(set).toThrow('own: expected an optimizer without a schedule where learningRate is set, got one')
  })

  test('is no part of the state, which is refused by one with a number', () => {
    const of = () => g.optim.adam({ learningRate: 0.1 })
    const w = g.variable(1, { name: 'w' })
    const scheduled = g.optim.adam({ learningRate: schedules.constant({ rate: 0.1 }) })
    for (const each of [of(), scheduled]) each.minimize(() => w.square())
    const plain = of()
    plain.minimize(() => w.square())
    expect(() => scheduled.loadStateDict(plain.stateDict())).toThrow(/an unknown learningRate/)
  })
})

describe('reduceOnPlateau', () => {
  test.each(fixture.plateaus)('$options', ({ options, values, rates }) => {
    const schedule = schedules.reduceOnPlateau(options)
    const found = values.map((value) => {
      schedule.report(value)
      return schedule.rate
    })
    expectClose(found, rates, 1e-15)
  })

  test('takes effect at the next step, and is part of the state', () => {
    const create = () => schedules.reduceOnPlateau({ start: 1, factor: 0.5, patience: 1 })
    const [first, second] = [create(), create()]
    const [whole, resumed] = [trained(schedules.warmup(first, { steps: 1 })), trained(second)]
    expect([whole.next(), whole.next()]).toEqual([0, 1])
    for (const value of [1, 1]) first.report(value)
    expect(whole.next()).toBe(1)
    const state = whole.optimizer.stateDict()
    expect(Object.keys(state)).toEqual(['step', 'schedule'])
    first.report(1)
    expect(whole.next()).toBe(0.5)
    resumed.optimizer.loadStateDict(state)
    second.report(1)
    expect(resumed.next()).toBe(0.5)
    expect(whole.step.traces).toBe(1)
    const { schedule: _, ...rest } = state
    expect(() => trained(create()).optimizer.loadStateDict(rest)).toThrow('a state of a schedule as schedule, got none')
    const wrong = { ...state, schedule: g.zeros([3]) }
    expect(() => resumed.optimizer.loadStateDict(wrong)).toThrow('a state of reduceOnPlateau of shape [4]')
  })

  test('lowers the rate in fit', async () => {
    const learningRate = schedules.reduceOnPlateau({ start: 0.1, factor: 0.5, patience: 0, threshold: 10 })
    const data = g.data.fromTensors(g.ones([4, 1]), g.ones([4, 1]))
    await g.fit(g.nn.linear(1, 1), data, {
      epochs: 3,
      loss: 'mse',
      optimizer: g.optim.sgd({ learningRate }),
      callbacks: { onEpochEnd: ({ loss }) => learningRate.report(loss) },
    })
    expect(learningRate.rate).toBeLessThan(0.1)
  })
})

test.each<[string, () => unknown, string]>([
  ['a negative rate', () => schedules.constant({ rate: -1 }), 'constant: expected a finite rate of at least 0, got -1'],
  ['NaN', () => schedules.cosine({ peak: Number.NaN, steps: 3 }), 'cosine: expected a finite peak of at least 0'],
  ['no steps', () => schedules.cosine({ peak: 1, steps: 0 }), 'cosine: expected steps to be an integer of at least 1'],
  ['a long warm-up', () => schedules.cosine({ peak: 1, steps: 3, warmup: 3 }), 'a warmup below the 3 steps, got 3'],
  ['an unknown option', () => schedules.step({ start: 1, stepsize: 2 } as never), 'did you mean stepSize?'],
  ['no options', () => schedules.exponential(undefined as never), 'exponential: expected a start, got undefined'],
  [
    'milestones out of order',
    () => schedules.multiStep({ start: 1, milestones: [3, 2] }),
    'milestones in rising order',
  ],
  ['no list', () => schedules.multiStep({ start: 1, milestones: 3 as never }), 'a list of steps, got 3'],
  ['no schedules', () => schedules.chained([]), 'chained: expected at least one schedule, got none'],
  ['no schedule', () => schedules.warmup(1 as never, { steps: 1 }), 'warmup: expected a schedule, got 1'],
  [
    'too few milestones',
    () => schedules.sequential([schedules.constant({ rate: 1 }), schedules.constant({ rate: 1 })], { milestones: [] }),
    'sequential: expected 1 milestones, got 0',
  ],
  ['a strategy', () => schedules.oneCycle({ peak: 1, steps: 9, annealStrategy: 'x' as never }), 'annealStrategy'],
  ['a factor of 1', () => schedules.reduceOnPlateau({ start: 1, factor: 1 }), 'a factor in (0, 1), got 1'],
  [
    'a report',
    () => schedules.reduceOnPlateau({ start: 1 }).report('1' as never),
    'report: expected a number, got "1"',
  ],
  [
    'a number of your own',
    () => schedules.lambda((() => 1) as never).values(2),
    'lambda: expected a tensor of rates, got 1',
  ],
  ['other shapes', () => schedules.lambda(() => g.zeros([3])).values(2), 'lambda: expected a rate for each step'],
  ['other dtypes', () => schedules.lambda((t) => t.cast('int32')).values(2), 'lambda: expected rates of float32'],
  ['a count', () => schedules.constant({ rate: 1 }).values(-1), 'values: expected an integer of at least 0, got -1'],
  ['a schedule of none', () => g.optim.adam({ learningRate: {} as never }), 'adam: expected a finite learningRate'],
])('%s is refused', (_, call, message) => {
  expect(call).toThrow(message)
})

/** What stands around an optimizer: clipped and accumulated gradients, scaled losses, means of parameters. */
import { describe, expect, test } from 'vitest'
import * as g from '../../lib/index.ts'
import { expectClose } from '../support/close.ts'

const {
  accumulate,
  adam,
  chain,
  clipByGlobalNorm,
  clipByNorm,
  clipByValue,
  ema,
  globalNorm,
  lossScale,
  optimizer,
  sgd,
  swa,
} = g.optim

const model = () => g.nn.sequential(g.nn.linear(3, 4, { seed: 1 }), g.nn.tanh(), g.nn.linear(4, 2, { seed: 2 }))
const rows = g.randn([16, 3], { seed: 1 })
const targets = g.randn([16, 2], { seed: 2 })
const lossOf = (of: g.nn.Module, x: g.Tensor = rows, y: g.Tensor = targets) => of.forward(x).sub(y).square().mean()
const values = (of: g.nn.Module) => of.parameters().flatMap((p) => Array.from(p.dataSync()))
const bits = (state: g.StateDict) =>
  Object.fromEntries(Object.entries(state).map(([name, value]) => [name, Array.from(value.dataSync())]))

/** Trains a model for some steps, compiled or not, and gives its parameters. */
function trained(of: g.optim.Optimizer, steps: number, isCompiled = true, into = model()) {
  const run = () => of.minimize(() => lossOf(into), into)
  const step = isCompiled ? g.compile(run).sync : run
  for (let i = 0; i < steps; i++) step()
  return values(into)
}

describe('clipping', () => {
  const gradients = [g.tensor([3, -4]), g.tensor([[12]]), g.tensor([0.1, -0.2])]
  const clipped = (link: g.optim.GradientTransform) => link(gradients).map((x) => Array.from(x.dataSync()))
  const close = (found: number[][], expected: number[][]) => found.forEach((x, i) => void expectClose(x, expected[i]!))

  test('by value', () => {
    close(clipped(clipByValue(3.5)), [[3, -3.5], [3.5], [0.1, -0.2]])
  })

  test('by the norm of each', () => {
    close(clipped(clipByNorm(1)), [[0.6, -0.8], [1], [0.1, -0.2]])
  })

  test('by the norm of all', () => {
    const norm = Math.sqrt(25 + 144 + 0.05)
    expectClose(globalNorm(gradients), norm)
    close(clipped(clipByGlobalNorm(2)), [[6 / norm, -8 / norm], [24 / norm], [0.2 / norm, -0.4 / norm]])
    close(clipped(clipByGlobalNorm(14)), [[3, -4], [12], [0.1, -0.2]])
    expect(clipByGlobalNorm(1)([])).toEqual([])
    expect(clipByGlobalNorm(1)([g.zeros([2])])[0]!.arraySync()).toEqual([0, 0])
  })

  test('of both dtypes', () => {
    const [a, b] = clipByGlobalNorm(1)([g.tensor([3]), g.tensor([4], { dtype: 'float64' })])
    expect([a!.dtype, b!.dtype]).toEqual(['float32', 'float64'])
    expectClose([a!.dataSync()[0]!, b!.dataSync()[0]!], [0.6, 0.8])
  })

  test.each(['eager', 'compiled'])('before an optimizer, in the order of the links, %s', (way) => {
    const w = g.variable([3, 4], { name: 'w' })
    const halved: g.optim.GradientTransform = (all) => all.map((x) => x.div(2))
    const of = chain(clipByGlobalNorm(1), halved, sgd({ learningRate: 1 }))
    const step = () => of.minimize(() => w.square().sum().div(2))
    if (way === 'eager') step()
    else g.compile(step).sync()
    expectClose(w, [2.7, 3.6])
  })

  test('shares state, steps and learning rate with the optimizer', () => {
    const w = g.variable(1, { name: 'w' })
    const inner = adam({ learningRate: 0.1 })
    const outer = chain(clipByValue(1), inner)
    outer.minimize(() => w.square())
    inner.minimize(() => w.square())
    expect(outer.stateDict().step!.itemSync()).toBe(2)
    outer.learningRate = 0.5
    expect(inner.learningRate).toBe(0.5)
    expect(bits(outer.stateDict())).toEqual(bits(inner.stateDict()))
  })

  test.each<[string, unknown, string]>([
    ['nothing', () => undefined, 'chain: expected a link that gives 1 gradients, got undefined'],
    ['too many', (all: g.Tensor[]) => [...all, ...all], 'chain: expected a link that gives 1 gradients, got 2'],
    ['numbers', () => [1], 'chain: expected a link that gives tensors, got 1'],
    ['other shapes', (all: g.Tensor[]) => all.map((x) => x.sum()), 'chain: expected a link that gives a gradient like'],
    ['other dtypes', (all: g.Tensor[]) => all.map((x) => x.cast('float64')), 'a link that gives a gradient like'],
  ])('refuses a link that gives %s', (_, link, message) => {
    const w = g.variable([1, 2], { name: 'w' })
    const of = chain(link as g.optim.GradientTransform, sgd({ learningRate: 1 }))
    expect(() => of.minimize(() => w.sum())).toThrow(message)
    expect(w.arraySync()).toEqual([1, 2])
  })
})

describe('accumulate', () => {
  const parts = [0, 4, 8, 12].map((i) => [rows.slice([i], [i + 4]), targets.slice([i], [i + 4])] as const)

  test.each(['eager', 'compiled'])('takes the steps of the whole batch, %s', (way) => {
    const [whole, apart] = [model(), model()]
    const schedule = () => g.schedules.exponential({ start: 0.1, gamma: 0.5 })
    const [one, four] = [adam({ learningRate: schedule() }), accumulate(adam({ learningRate: schedule() }), 4)]
    const run = (x: g.Tensor, y: g.Tensor) => four.minimize(() => lossOf(apart, x, y), apart)
    const step = way === 'eager' ? run : g.compile(run).sync
    for (let i = 1; i <= 3; i++) {
      one.minimize(() => lossOf(whole), whole)
      const before = values(apart)
      parts.forEach(([x, y], k) => {
        if (k > 0) expect(values(apart)).toEqual(before)
        step(x, y)
      })
      expectClose(values(apart), values(whole), 1e-5)
      expect(four.stateDict().step!.itemSync()).toBe(i)
      expect(four.learningRate).toBe(one.learningRate)
    }
  })

  test('goes on in the middle of a step', () => {
    const [first, second] = [model(), model()]
    const create = () => accumulate(adam({ learningRate: 0.1 }), 4)
    const [whole, resumed] = [create(), create()]
    const step = (of: g.nn.Module, by: g.optim.Optimizer, k: number) =>
      by.minimize(() => lossOf(of, ...parts[k % 4]!), of)
    for (let k = 0; k < 6; k++) step(first, whole, k)
    second.loadStateDict(first.stateDict())
    resumed.loadStateDict(whole.stateDict())
    for (let k = 6; k < 9; k++) {
      step(first, whole, k)
      step(second, resumed, k)
    }
    expect(values(second)).toEqual(values(first))
    expect(bits(resumed.stateDict())).toEqual(bits(whole.stateDict()))
  })

  test('of one is the optimizer itself', () => {
    expect(trained(accumulate(adam(), 1), 3)).toEqual(trained(adam(), 3))
  })
})

describe('means', () => {
  const steps = (create: () => g.optim.AveragingOptimizer, count: number) => {
    const of = model()
    const by = create()
    const step = g.compile(() => by.minimize(() => lossOf(of), of))
    const met: number[][] = []
    for (let i = 0; i < count; i++) {
      step.sync()
      met.push(values(of))
    }
    return { of, by, met, step }
  }
  const base = () => adam({ learningRate: 0.05 })

  test('ema', () => {
    const { of, by, met } = steps(() => ema(base(), { decay: 0.9 }), 5)
    const expected = met.slice(1).reduce((a, p) => a.map((x, i) => 0.9 * x + 0.1 * p[i]!), met[0]!)
    by.swap()
    expectClose(values(of), expected, 1e-6)
    expect(by.swapped).toBe(true)
    by.swap()
    expect(values(of)).toEqual(met[4])
  })

  test('ema with a warm-up', () => {
    const { of, by, met } = steps(() => ema(base(), { decay: 0.3, warmup: true }), 5)
    const expected = met.slice(1).reduce((a, p, k) => {
      const decay = Math.min(0.3, (k + 2) / (k + 11))
      return a.map((x, i) => decay * x + (1 - decay) * p[i]!)
    }, met[0]!)
    by.swap()
    expectClose(values(of), expected, 1e-6)
  })

  test('swa', () => {
    const { of, by, met } = steps(() => swa(base(), { start: 2, every: 3 }), 10)
    by.swap()
    const among = [met[2]!, met[5]!, met[8]!]
    expectClose(
      values(of),
      among[0]!.map((_, i) => among.reduce((sum, p) => sum + p[i]!, 0) / 3),
      1e-6,
    )
    const early = steps(() => swa(base(), { start: 9 }), 3)
    early.by.swap()
    expect(values(early.of)).toEqual(early.met[2])
  })

  test('do not change the steps, and move with real ones alone', () => {
    expect(trained(ema(base()), 4)).toEqual(trained(base(), 4))
    const [plain, every] = [model(), model()]
    const [one, two] = [ema(base(), { decay: 0.5 }), ema(accumulate(base(), 2), { decay: 0.5 })]
    trained(one, 3, true, plain)
    trained(two, 6, true, every)
    one.swap()
    two.swap()
    expectClose(values(every), values(plain), 1e-6)
  })

  test('are part of the state, with which the next steps have the same bits', () => {
    const create = () => ema(base(), { decay: 0.9 })
    const { of, by, step } = steps(create, 3)
    const second = model()
    const resumed = create()
    second.loadStateDict(of.stateDict())
    resumed.loadStateDict(by.stateDict(), second)
    step.sync()
    trained(resumed, 1, true, second)
    expect(bits(resumed.stateDict())).toEqual(bits(by.stateDict()))
    by.swap()
    resumed.swap()
    expect(values(second)).toEqual(values(of))
  })

  test('of a model that is swapped there are no steps, and no state', async () => {
    const { of, by, step } = steps(() => ema(base()), 2)
    const [before, state] = [values(of), bits(by.stateDict())]
    const inside = await by.withAverages(async () => {
      expect(() => by.minimize(() => lossOf(of), of)).toThrow(
        'minimize: expected the parameters themselves, got their means',
      )
      expect(() => by.stateDict()).toThrow('stateDict: expected the parameters themselves')
      expect(() => by.loadStateDict({})).toThrow('loadStateDict: expected the parameters themselves')
      return by.withAverages(() => values(of))
    })
    expect(inside).not.toEqual(before)
    expect(values(of)).toEqual(before)
    expect(bits(by.stateDict())).toEqual(state)
    const failing = by.withAverages(() => {
      throw new Error('of the user')
    })
    await expect(failing).rejects.toThrow('of the user')
    expect(by.swapped).toBe(false)
    step.sync()
  })

  test('need a step, and a call outside compile', () => {
    expect(() => ema(adam()).swap()).toThrow('swap: expected parameters of steps before, got none')
    const { by } = steps(() => ema(base()), 1)
    expect(() => g.compile(() => by.swap()).sync()).toThrow('swap: expected a call outside compile, got one inside')
  })

  test('there is one of each', () => {
    expect(() => trained(ema(ema(adam())), 1)).toThrow(/expected a state of another name/)
  })
})

describe('lossScale', () => {
  test('changes nothing where gradients are finite', () => {
    expect(trained(lossScale(adam({ learningRate: 0.1 })), 4)).toEqual(trained(adam({ learningRate: 0.1 }), 4))
  })

  test('leaves out steps of gradients that are not, and lowers the scale', () => {
    const w = g.variable([1, 2], { name: 'w' })
    const by = lossScale(adam({ learningRate: 0.1 }), { initScale: 8, growthInterval: 2 })
    const step = g.compile((x: g.Tensor) => by.minimize(() => w.mul(x).sum()))
    const state = () => ['lossScale', 'finiteSteps', 'step'].map((name) => by.stateDict()[name]!.itemSync())
    const losses = [1, 1, Infinity, 1].map((x) => {
      const before = w.arraySync()
      const loss = step.sync(g.tensor(x)).itemSync()
      if (x === Infinity) expect(w.arraySync()).toEqual(before)
      return loss
    })
    expect(state()).toEqual([8, 1, 3])
    expect(losses[0]).toBe(3)
    step.sync(g.tensor(1))
    expect(state()).toEqual([16, 0, 4])
    for (let i = 0; i < 9; i++) step.sync(g.tensor(Number.NaN))
    expect(state()).toEqual([1, 0, 4])
  })

  test('keeps gradients that would be too small without it', () => {
    const tiny = 1e-30
    const of = (by: (o: g.optim.Optimizer) => g.optim.Optimizer) => {
      const w = g.variable(1, { name: 'w' })
      by(sgd({ learningRate: 1e30 })).minimize(() => w.mul(tiny).mul(1e-20).mul(1e20))
      return w.itemSync()
    }
    expect(of((o) => lossScale(o, { initScale: 2 ** 60 }))).not.toBe(1)
  })
})

test('what stands around keeps the loss scale inside', () => {
  const inner = () => lossScale(sgd({ learningRate: 0.1 }), { initScale: 4 })
  const plain = trained(sgd({ learningRate: 0.1 }), 3)
  for (const of of [
    chain((all) => all, inner()),
    accumulate(inner(), 1),
    ema(inner()),
    lossScale(sgd({ learningRate: 0.1 })),
  ])
    expectClose(trained(of, 3), plain, 1e-6)
})

test.each<[string, () => unknown, string]>([
  [
    'no optimizer at the end',
    () => chain(clipByValue(1) as never),
    'chain: expected an optimizer at the end, got a fun',
  ],
  ['nothing', () => (chain as () => unknown)(), 'chain: expected an optimizer at the end, got undefined'],
  [
    'a link that is none',
    () => chain(1 as never, adam()),
    'chain: expected functions of gradients before the optimizer',
  ],
  ['a bound of 0', () => clipByValue(0), 'clipByValue: expected a finite limit above 0, got 0'],
  ['NaN', () => clipByGlobalNorm(Number.NaN), 'clipByGlobalNorm: expected a finite maxNorm above 0, got NaN'],
  ['a text', () => clipByNorm('1' as never), 'clipByNorm: expected a finite maxNorm above 0, got "1"'],
  ['no gradients', () => globalNorm([]), 'globalNorm: expected at least one gradient, got none'],
  [
    'gradients that are none',
    () => clipByValue(1)([1 as never]),
    'clipByValue: expected a list of gradients, got 1 in it',
  ],
  ['half a batch', () => accumulate(adam(), 0.5), 'accumulate: expected an integer count of at least 1, got 0.5'],
  ['no optimizer', () => accumulate({ minimize() {} } as never, 2), 'accumulate: expected an optimizer, got an object'],
  ['a decay of 1', () => ema(adam(), { decay: 1 }), 'ema: expected a decay in [0, 1), got 1'],
  ['an unknown option', () => swa(adam(), { begin: 1 } as never), 'swa: unknown option begin'],
  ['a start of −1', () => swa(adam(), { start: -1 }), 'swa: expected an integer start of at least 0, got -1'],
  [
    'a scale of 0',
    () => lossScale(adam(), { initScale: 0 }),
    'lossScale: expected a finite initScale of at least 1, got 0',
  ],
  [
    'a slot with a dot',
    () => {
      const w = g.variable(1)
      optimizer({ name: 'own', learningRate: 1, rule: ({ slot }) => ({ parameter: slot('a.b') }) }).minimize(() =>
        w.square(),
      )
    },
    'own: expected a name of a slot without a dot, got a.b',
  ],
])('%s is refused', (_, call, message) => {
  expect(call).toThrow(message)
})

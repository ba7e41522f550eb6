/** Optimizers of one's own: what a rule is given, what it may give, and where it runs. */
import { describe, expect, test } from 'vitest'
import { lion } from '../../examples/lion.ts'
import * as g from '../../lib/index.ts'
import { expectClose } from '../support/close.ts'
import { classifier, clouds, options } from '../support/training.ts'

const { optimizer } = g.optim

/** An optimizer of learning rate 1 whose rule gives these. */
const of = (rule: g.optim.UpdateRule) => optimizer({ name: 'mine', learningRate: 1, rule })

describe('Lion', () => {
  const batches = () => g.randn([6, 8, 3], { seed: 2 })

  function trained() {
    const w = g.variable(g.randn([3], { seed: 1 }), { name: 'w' })
    const optimizer = lion({ learningRate: 0.1, weightDecay: 0.1 })
    const step = g.compile((x: g.Tensor) => optimizer.minimize(() => x.matmul(w).square().mean()))
    return { w, optimizer, step }
  }

  test('is one program, which updates parameters and state in place', () => {
    const { step } = trained()
    const lines = step.program(g.zeros([8, 3])).split('\n')
    expect(lines.filter((line) => /: float32\[3\] state \d = /.test(line))).toHaveLength(2)
    expect(lines.filter((line) => line.includes('copy'))).toEqual([])
  })

  test('takes the same steps in scan as one by one', async () => {
    const [one, all] = [trained(), trained()]
    const losses = []
    for (let i = 0; i < 6; i++) losses.push((await one.step(batches().gather(i))).itemSync())
    const scanned = await all.step.scan(batches())
    expect(Array.from(scanned.dataSync())).toEqual(losses)
    expect(all.w.dataSync()).toEqual(one.w.dataSync())
    expect(all.optimizer.stateDict()['w.momentum']!.dataSync()).toEqual(
      one.optimizer.stateDict()['w.momentum']!.dataSync(),
    )
  })

  test('trains in fit', async () => {
    const model = classifier()
    const { epochs } = await g.fit(
      model,
      clouds(300, 1),
      options({ epochs: 12, metrics: ['accuracy'], optimizer: lion({ learningRate: 0.01 }) }),
    )
    expect(epochs[11]!.accuracy).toBeGreaterThan(0.95)
  })
})

describe('what a rule is given', () => {
  test.each(['float32', 'float64'] as const)('are values of the parameter’s dtype, %s', (dtype) => {
    const w = g.variable([1, 2], { dtype })
    const seen: string[] = []
    of(({ parameter, gradient, learningRate, step, slot }) => {
      seen.push(...[parameter, gradient, learningRate, step, slot('s')].map((x) => `${x.dtype}[${x.shape}]`))
      return { parameter }
    }).minimize(() => w.square().sum())
    expect(seen).toEqual([`${dtype}[2]`, `${dtype}[2]`, `${dtype}[]`, `${dtype}[]`, `${dtype}[2]`])
  })

  test('the step counts from 1 for all parameters, and is a state where it is read', async () => {
    const [a, b] = [g.variable(0), g.variable(0, { dtype: 'float64' })]
    const counting = of(({ step }) => ({ parameter: step }))
    const train = g.compile(() => counting.minimize(() => a.add(b)))
    for (let t = 1; t <= 3; t++) {
      await train()
      expect([a.itemSync(), b.itemSync()]).toEqual([t, t])
    }
    expect(Object.keys(counting.stateDict())).toEqual(['step', 'learningRate'])
    const plain = of(({ parameter }) => ({ parameter }))
    plain.minimize(() => a)
    expect(Object.keys(plain.stateDict())).toEqual(['learningRate'])
  })

  test('the learning rate is read anew by a compiled function, in the precision of the parameter', async () => {
    const w = g.variable(0, { dtype: 'float64' })
    const rated = of(({ learningRate }) => ({ parameter: learningRate }))
    const step = g.compile(() => rated.minimize(() => w))
    for (const learningRate of [0.1, 0.3]) {
      rated.learningRate = learningRate
      await step()
      expect(w.itemSync()).toBe(learningRate)
    }
    expect(step.traces).toBe(1)
  })

  test('a slot holds what the rule gave it last', () => {
    const w = g.variable([1, 2], { name: 'w' })
    const doubling = of(({ parameter, slot }) => ({ parameter, twice: slot('twice', 3).mul(2), kept: slot('kept', 5) }))
    for (let i = 0; i < 3; i++) doubling.minimize(() => w.sum())
    const { 'w.twice': twice, 'w.kept': kept } = doubling.stateDict()
    expect([twice!.arraySync(), kept!.arraySync()]).toEqual([
      [24, 24],
      [5, 5],
    ])
  })

  test.each(['eager', 'compiled'])('a slot may begin as the parameter, or with another shape, %s', (way) => {
    const w = g.variable([[1, 2]], { name: 'w' })
    const average = of(({ parameter, gradient, slot }) => {
      const next = parameter.sub(gradient)
      return {
        parameter: next,
        mean: slot('mean', parameter).add(next).div(2),
        rows: slot('rows', g.zeros([1], { dtype: 'int32' })).add(1),
      }
    })
    const step = () => average.minimize(() => w.sum())
    if (way === 'eager') step()
    else g.compile(step).sync()
    const { 'w.mean': mean, 'w.rows': rows } = average.stateDict()
    expect(mean!.arraySync()).toEqual([[0.5, 1.5]])
    expect([rows!.dtype, rows!.arraySync()]).toEqual(['int32', [1]])
  })

  test('the state continues in another optimizer', () => {
    const w = g.variable([1, -2, 3], { name: 'w' })
    const loss = () => w.square().sum()
    const first = lion({ learningRate: 0.1 })
    for (let i = 0; i < 3; i++) first.minimize(loss)
    const [start, state] = [w.value, first.stateDict()]
    first.minimize(loss)
    const expected = w.dataSync()
    w.assign(start)
    const second = lion({ learningRate: 0.1 })
    second.loadStateDict(state)
    second.minimize(loss)
    expectClose(w, expected, 0)
  })
})

describe('what a rule gives', () => {
  const w = g.variable([1, 2])

  test.each<[string, g.optim.UpdateRule, ErrorConstructor | typeof g.ShapeError, string]>([
    [
      'nothing',
      (() => undefined) as never,
      TypeError,
      'mine: expected a rule that returns { parameter: a tensor, … }, got undefined',
    ],
    [
      'no parameter',
      (() => ({ momentum: g.zeros([2]) })) as never,
      TypeError,
      'mine: expected a rule that returns { parameter: a tensor, … }, got momentum',
    ],
    [
      'a number',
      ({ parameter, slot }) => ({ parameter, s: slot('s') && (3 as never) }),
      TypeError,
      'mine: expected a tensor as next s, got 3',
    ],
    [
      'what is no slot',
      ({ parameter, slot }) => ({ parameter, a: slot('a'), b: parameter }),
      TypeError,
      'mine: expected next values of the parameter and its slots, got b',
    ],
    [
      'another shape',
      ({ parameter }) => ({ parameter: parameter.sum() }),
      g.ShapeError,
      'mine: expected a next parameter like Variable float32[2], got Tensor float32[]',
    ],
    [
      'another dtype',
      ({ parameter }) => ({ parameter: parameter.cast('int32') }),
      g.DTypeError,
      'mine: expected a next parameter like Variable float32[2], got Tensor int32[2]',
    ],
    [
      'a slot of the parameter’s name',
      ({ slot }) => ({ parameter: slot('parameter') }),
      TypeError,
      "mine: expected a slot of another name than 'parameter', got parameter",
    ],
  ])('%s is an error, and nothing changes', (_, rule, kind, message) => {
    const step = () => of(rule).minimize(() => w.sum())
    expect(step).toThrow(message)
    expect(step).toThrow(kind)
    expect(w.arraySync()).toEqual([1, 2])
  })
})

test.each([
  [{ name: 'mine', learningRate: 1 }, 'optimizer: expected a rule, got undefined'],
  [{ name: 3, learningRate: 1, rule: () => {} }, 'optimizer: expected name to be a string, got 3'],
  [{ name: 'mine', learningRate: -1, rule: () => {} }, 'mine: expected a finite learningRate of at least 0, got -1'],
])('optimizer(%o) is refused', (given, message) => {
  expect(() => optimizer(given as unknown as g.optim.OptimizerOptions)).toThrow(message)
})

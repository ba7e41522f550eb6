/** Groups of parameters by patterns of their names. */
import { describe, expect, test } from 'vitest'
import * as g from '../../lib/index.ts'
import { expectClose } from '../support/close.ts'

const { adam, adamw, sgd, optimizer } = g.optim

const model = () => g.nn.sequential(g.nn.linear(2, 4, { seed: 1 }), g.nn.layerNorm(4), g.nn.linear(4, 3, { seed: 2 }))
const x = g.randn([8, 2], { seed: 1 })
const lossOf = (of: g.nn.Module) => () => of.forward(x).square().sum()

/** The values of parameters after steps in which each path is updated by an optimizer of its own. */
function apart(steps: number, optimizers: Record<string, g.optim.Optimizer>) {
  const of = model()
  const named = of.namedParameters()
  for (let i = 0; i < steps; i++) {
    const found = g.gradients(lossOf(of)(), Object.values(named))
    g.evaluateSync(...found)
    Object.keys(named).forEach((name, k) => {
      const [, own] = Object.entries(optimizers).find(([pattern]) => new RegExp(pattern).test(name))!
      own.applyGradients([[named[name]!, found[k]!]])
    })
  }
  return values(of)
}

const values = (of: g.nn.Module) =>
  Object.fromEntries(Object.entries(of.namedParameters()).map(([name, p]) => [name, Array.from(p.dataSync())]))

describe('groups', () => {
  const cases: [string, () => g.optim.Optimizer, Record<string, () => g.optim.Optimizer>][] = [
    [
      'without decay',
      () => adamw({ learningRate: 0.1, weightDecay: 0.5, groups: [{ pattern: /bias$|^1\./, weightDecay: 0 }] }),
      {
        'bias$|^1': () => adamw({ learningRate: 0.1, weightDecay: 0 }),
        '': () => adamw({ learningRate: 0.1, weightDecay: 0.5 }),
      },
    ],
    [
      'with rates and rules of their own, the first that matches',
      () =>
        sgd({
          learningRate: 0.01,
          groups: [
            { pattern: '2.weight', learningRate: 0 },
            { pattern: '2', momentum: 0.9, learningRate: 0.02 },
            { pattern: '1', maximize: true },
          ],
        }),
      {
        '^2.weight': () => sgd({ learningRate: 0 }),
        '^2': () => sgd({ learningRate: 0.02, momentum: 0.9 }),
        '^1': () => sgd({ learningRate: 0.01, maximize: true }),
        '': () => sgd({ learningRate: 0.01 }),
      },
    ],
    [
      'with schedules',
      () => {
        const learningRate = g.schedules.exponential({ start: 0.1, gamma: 0.5 })
        return adam({ learningRate, groups: [{ pattern: '0', learningRate: g.schedules.constant({ rate: 0.01 }) }] })
      },
      {
        '^0': () => adam({ learningRate: 0.01 }),
        '': () => adam({ learningRate: g.schedules.exponential({ start: 0.1, gamma: 0.5 }) }),
      },
    ],
  ]
  test.each(cases)('%s', (_, create, others) => {
    const of = model()
    const optimizer = create()
    const step = g.compile(() => optimizer.minimize(lossOf(of), of))
    for (let i = 0; i < 3; i++) step.sync()
    // An optimizer counts its steps, so that each parameter has its own.
    const found = Object.fromEntries(
      Object.keys(of.namedParameters()).map((name) => {
        const [, other] = Object.entries(others).find(([pattern]) => new RegExp(pattern).test(name))!
        return [`^${name.replace('.', '\\.')}$`, other()]
      }),
    )
    const expected = apart(3, found)
    for (const [name, value] of Object.entries(values(of))) expectClose(value, expected[name]!, 1e-5)
  })

  test('a change of the learning rate is not about rates of their own', () => {
    const [a, b] = [g.variable(0, { name: 'a' }), g.variable(0, { name: 'b' })]
    const own = sgd({ learningRate: 1, groups: [{ pattern: 'b', learningRate: 2 }] })
    own.learningRate = 10
    own.minimize(() => a.add(b))
    expect([a.itemSync(), b.itemSync()]).toEqual([-10, -2])
  })

  test('in a rule of your own', () => {
    const [a, b] = [g.variable(0), g.variable(0)]
    const to =
      (value: number): g.optim.UpdateRule =>
      () => ({ parameter: g.tensor(value) })
    optimizer({ name: 'own', learningRate: 1, rule: to(1), groups: [{ pattern: 'b', rule: to(2) }] }).minimize(
      () => a.add(b),
      { a, b },
    )
    expect([a.itemSync(), b.itemSync()]).toEqual([1, 2])
  })

  test('a plateau in a group is part of the state', () => {
    const create = () =>
      sgd({
        learningRate: 1,
        groups: [{ pattern: 'b', learningRate: g.schedules.reduceOnPlateau({ start: 1, patience: 0 }) }],
      })
    expect(Object.keys(create().stateDict())).toEqual(['learningRate', 'schedule'])
  })
})

describe('is refused', () => {
  const of = model()
  const step = (groups: unknown) => adam({ groups: groups as [] }).minimize(lossOf(of), of)

  test.each<[string, unknown, string]>([
    ['no list', { pattern: 'x' }, 'adam: expected groups, a list of options with patterns, got an object'],
    ['no options', [null], 'adam: groups[0]: expected options'],
    ['no pattern', [{ weightDecay: 1 }], 'adam: groups[0]: expected a pattern, a path or a regular expression'],
    ['an empty pattern', [{ pattern: '' }], 'adam: groups[0]: expected a pattern of at least one letter'],
    ['junk', [{ pattern: 7 }], 'adam: groups[0]: expected a pattern, a path or a regular expression, got 7'],
    [
      'an unknown option',
      [{ pattern: '0', weightdecay: 1 }],
      'adam: groups[0]: unknown option weightdecay; did you mean',
    ],
    [
      'a bad option',
      [{ pattern: '0' }, { pattern: '1', beta1: 2 }],
      'adam: groups[1]: expected a beta1 in [0, 1), got 2',
    ],
    ['a bad rate', [{ pattern: '0', learningRate: -1 }], 'adam: groups[0]: expected a finite learningRate'],
    ['groups in groups', [{ pattern: '0', groups: [] }], 'adam: groups[0]: unknown option groups'],
    [
      'a pattern of nothing',
      [{ pattern: '0.weights' }],
      'adam: expected a group of a pattern that is found in 0.weight, ',
    ],
    [
      'one behind another',
      [{ pattern: /./ }, { pattern: '0' }],
      'adam: expected a group of a pattern that is found in',
    ],
  ])('%s', (_, groups, message) => {
    expect(() => step(groups)).toThrow(message)
  })

  test('a parameter without a name', () => {
    const w = g.variable(1)
    const own = adam({ groups: [{ pattern: 'w' }] })
    expect(() => own.minimize(() => w.square())).toThrow(
      'adam: expected a name for each parameter, as there are groups: pass the model, or all of them by name, got Variable',
    )
    own.minimize(() => w.square(), { w })
  })
})

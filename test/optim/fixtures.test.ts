/** Thirty steps of every optimizer against PyTorch's, and optax's where that has none. */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import * as g from '../../lib/index.ts'
import { expectClose } from '../support/close.ts'

interface Case {
  name: keyof typeof g.optim
  options: object
  values: number[][]
}

interface Fixture {
  x: number[][]
  y: number[][]
  w: number[][]
  b: number[]
  steps: number[]
  cases: Case[]
}

const fixture: Fixture = JSON.parse(readFileSync(new URL('../fixtures/optimizers.json', import.meta.url), 'utf8'))
const { x, y, steps } = fixture
const { cases } = fixture

type Create = (options: object) => g.optim.Optimizer

function problem(dtype: 'float32' | 'float64') {
  const [w, b] = [g.variable(fixture.w, { dtype }), g.variable(fixture.b, { dtype })]
  const loss = () => g.tensor(x, { dtype }).matmul(w).add(b).tanh().sub(g.tensor(y, { dtype })).square().mean()
  return { parameters: { w, b }, loss, values: () => [...w.dataSync(), ...b.dataSync()] }
}

const named = cases.map((each) => [`${each.name} ${JSON.stringify(each.options)}`, each] as const)

/** The differences of gradients that lbfgs divides by have few digits of float32, and how many depends on the instruction set. */
const toleranceOf = (name: string, dtype: 'float32' | 'float64') =>
  dtype === 'float64' ? 1e-12 : name === 'lbfgs' ? 1e-3 : 1e-5

describe.each(['float32', 'float64'] as const)('%s', (dtype) => {
  test.each(named)('%s', (_, { name, options, values }) => {
    const { parameters, loss, values: now } = problem(dtype)
    const optimizer = (g.optim[name] as unknown as Create)(options)
    for (let step = 1; step <= 30; step++) {
      optimizer.minimize(loss, parameters)
      const at = steps.indexOf(step)
      if (at !== -1) expectClose(now(), values[at]!, toleranceOf(name, dtype))
    }
  })
})

test('the table has every optimizer', () => {
  // Those are made around others, or are no optimizers.
  const around = [
    'Optimizer',
    'AveragingOptimizer',
    'LbfgsOptimizer',
    'optimizer',
    'accumulate',
    'chain',
    'ema',
    'lossScale',
    'swa',
  ]
  const links = ['clipByGlobalNorm', 'clipByNorm', 'clipByValue', 'globalNorm']
  const known = Object.keys(g.optim).filter((name) => ![...around, ...links].includes(name))
  expect([...new Set(cases.map(({ name }) => name))].sort()).toEqual(known.sort())
})

describe('compiled', () => {
  const compilable = named.filter(([, { name }]) => name !== 'lbfgs')

  test.each(compilable)('%s takes the same steps, and goes on with the same bits', async (_, { name, options }) => {
    const create = () => (g.optim[name] as unknown as Create)(options)
    const [whole, second] = [problem('float32'), problem('float32')]
    const first = create()
    const step = g.compile(() => first.minimize(whole.loss, whole.parameters))
    for (let i = 0; i < 3; i++) await step()
    const [state, values] = [first.stateDict(), g.stateDict(whole.parameters)]
    for (let i = 0; i < 3; i++) await step()
    expect(step.traces).toBe(1)
    g.loadStateDict(second.parameters, values)
    const resumed = create()
    resumed.loadStateDict(state, second.parameters)
    const next = g.compile(() => resumed.minimize(second.loss, second.parameters))
    for (let i = 0; i < 3; i++) await next()
    expect(second.values()).toEqual(whole.values())
    const eager = problem('float32')
    const other = create()
    for (let i = 0; i < 6; i++) other.minimize(eager.loss, eager.parameters)
    expectClose(eager.values(), whole.values(), 1e-6)
  })
})

/** L-BFGS beyond the steps that fixtures hold: hard functions, its state, and what it refuses. */
import { describe, expect, test } from 'vitest'
import * as g from '../../lib/index.ts'
import { expectClose } from '../support/close.ts'

const { lbfgs } = g.optim

/** Rosenbrock's valley, (1 − x)² + 100·(y − x²)², whose least point is (1, 1). */
function valley(dtype: 'float32' | 'float64' = 'float64') {
  const w = g.variable([-1.2, 1], { name: 'w', dtype })
  const loss = () => {
    const [x, y] = [w.slice([0], [1]), w.slice([1], [2])]
    return x.neg().add(1).square().add(y.sub(x.square()).square().mul(100)).sum()
  }
  return { w, loss }
}

const bits = (state: g.StateDict) =>
  Object.fromEntries(Object.entries(state).map(([name, value]) => [name, [value.dtype, ...value.dataSync()]]))

test.each([
  ['float32', 1e-3],
  ['float64', 1e-7],
] as const)('finds the end of a valley, in %s', (dtype, tolerance) => {
  const { w, loss } = valley(dtype)
  lbfgs({ maxIter: 100, toleranceChange: 1e-20 }).minimize(loss, { w })
  expectClose(w, [1, 1], tolerance)
})

test('fits a model to all data, off the event loop', async () => {
  const x = g.randn([32, 3], { seed: 1 })
  const y = x.matmul(g.tensor([[1], [-2], [3]])).add(0.5)
  const model = g.nn.linear(3, 1, { seed: 1 })
  const optimizer = lbfgs()
  const before = await optimizer.minimizeAsync(() => g.losses.meanSquaredError(model.forward(x), y), model)
  expect(before.itemSync()).toBeGreaterThan(1)
  expectClose(model.weight, [1, -2, 3], 1e-4)
  expectClose(model.bias!, [0.5], 1e-4)
})

describe('state', () => {
  test('goes on with the same bits', () => {
    const [first, second] = [valley(), valley()]
    const create = () => lbfgs({ maxIter: 3, historySize: 4 })
    const [whole, resumed] = [create(), create()]
    for (let i = 0; i < 3; i++) whole.minimize(first.loss, { w: first.w })
    const state = whole.stateDict()
    expect(Object.keys(state).sort()).toEqual(
      ['distance', 'iterations', 'learningRate', 'scale', 'w.changes', 'w.direction', 'w.gradient', 'w.steps'].sort(),
    )
    expect(state['w.steps']!.shape).toEqual([4, 2])
    second.w.assign(first.w.value)
    resumed.loadStateDict(state, { w: second.w })
    expect(bits(resumed.stateDict())).toEqual(bits(state))
    for (let i = 0; i < 3; i++) {
      whole.minimize(first.loss, { w: first.w })
      resumed.minimize(second.loss, { w: second.w })
    }
    expect(second.w.dataSync()).toEqual(first.w.dataSync())
    expect(bits(resumed.stateDict())).toEqual(bits(whole.stateDict()))
  })

  test('of others is refused', () => {
    const { w, loss } = valley()
    const state = (() => {
      const of = lbfgs()
      of.minimize(loss, { w })
      return of.stateDict()
    })()
    const of = lbfgs()
    expect(() => of.loadStateDict(state, { v: w })).toThrow(/no v\.gradient, .*an unknown w\.gradient/)
    expect(() => of.loadStateDict(g.optim.adam().stateDict(), { w })).not.toThrow()
    expect(() => of.loadStateDict({ ...state, 'w.gradient': g.zeros([3]) }, { w })).toThrow(g.ShapeError)
    of.loadStateDict({ ...state, more: g.tensor(1) })
    expect(() => of.minimize(loss, { w })).toThrow('an unknown more')
  })
})

test('a loss that throws, or gives an error, leaves parameters as they were', async () => {
  const { w, loss } = valley()
  const optimizer = lbfgs()
  let calls = 0
  const failing = () => {
    if (calls++ > 4) throw new Error('of the user')
    return loss()
  }
  expect(() => optimizer.minimize(failing, { w })).toThrow('of the user')
  expect(w.arraySync()).toEqual([-1.2, 1])
  calls = 0
  await expect(optimizer.minimizeAsync(failing, { w })).rejects.toThrow('of the user')
  expect(w.arraySync()).toEqual([-1.2, 1])
  expect(Object.keys(optimizer.stateDict())).toEqual(['learningRate'])
  optimizer.minimize(loss, { w })
  expect(w.arraySync()).not.toEqual([-1.2, 1])
})

test('an aborted call does nothing', async () => {
  const { w, loss } = valley()
  const signal = AbortSignal.abort(new Error('enough'))
  await expect(lbfgs().minimizeAsync(loss, { w }, { signal })).rejects.toThrow('enough')
  expect(w.arraySync()).toEqual([-1.2, 1])
})

test('a loss that is not finite beyond a place is gone back from', () => {
  const w = g.variable([3], { name: 'w', dtype: 'float64' })
  lbfgs({ learningRate: 50 }).minimize(() => w.sub(w.log()).sum(), { w })
  expectClose(w, [1], 1e-4)
})

test.each<[string, () => unknown, string]>([
  [
    'a call inside compile',
    () => {
      const { w, loss } = valley('float32')
      return g.compile(() => lbfgs().minimize(loss, { w })).sync()
    },
    'minimize: expected lbfgs outside compile and fit, as it decides on the host, got a call inside',
  ],
  [
    'other parameters',
    () => {
      const [one, other] = [valley(), valley()]
      const optimizer = lbfgs()
      optimizer.minimize(one.loss, { w: one.w })
      optimizer.minimize(other.loss, { w: other.w })
    },
    'minimize: expected the parameters of the calls before',
  ],
  ['half a step', () => lbfgs({ maxIter: 0.5 }), 'lbfgs: expected an integer maxIter of at least 1, got 0.5'],
  ['NaN', () => lbfgs({ toleranceGrad: Number.NaN }), 'lbfgs: expected a finite toleranceGrad of at least 0, got NaN'],
  ['another search', () => lbfgs({ lineSearch: 'strong_wolfe' as never }), 'lineSearch'],
  ['a negative rate', () => lbfgs({ learningRate: -1 }), 'lbfgs: expected a finite learningRate of at least 0, got -1'],
  ['an unknown option', () => lbfgs({ maxIterations: 1 } as never), 'lbfgs: unknown option maxIterations'],
  ['no loss', () => lbfgs().minimize(1 as never), 'minimize: expected a function that gives the loss, got 1'],
])('%s is refused', (_, call, message) => {
  expect(call).toThrow(message)
})

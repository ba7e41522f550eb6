import { beforeEach, describe, expect, test } from 'vitest'
import { lion } from '../../examples/lion.ts'
import * as g from '../../lib/index.ts'
import { expectClose } from '../support/close.ts'

/** Follows w → Σ c·w²/2 with gradients c·w through an update rule for one number; the values after each step. */
function follow(
  starts: number[],
  curvature: number[],
  steps: number,
  createRule: () => (p: number, g: number, t: number) => number,
) {
  const rules = starts.map(createRule)
  let w = starts
  return Array.from({ length: steps }, (_, i) => {
    w = w.map((p, k) => rules[k]!(p, curvature[k]! * p, i + 1))
    return w
  })
}

const starts = [1, -2, 0.5]
const curvature = [1, 3, -2]

function sgdRule({ learningRate = 0.1, momentum = 0, nesterov = false }): () => (p: number, g: number) => number {
  return () => {
    let v = 0
    return (p, g) => {
      v = momentum * v + g
      return p - learningRate * (nesterov ? g + momentum * v : v)
    }
  }
}

function adamRule({ learningRate = 0.001, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weightDecay = 0 }) {
  return () => {
    let [m, v] = [0, 0]
    return (p: number, g: number, t: number) => {
      m = beta1 * m + (1 - beta1) * g
      v = beta2 * v + (1 - beta2) * g * g
      const [mHat, vHat] = [m / (1 - beta1 ** t), v / (1 - beta2 ** t)]
      return p - learningRate * weightDecay * p - (learningRate * mHat) / (Math.sqrt(vHat) + epsilon)
    }
  }
}

function lionRule({ learningRate = 1e-4, beta1 = 0.9, beta2 = 0.99, weightDecay = 0 }) {
  return () => {
    let m = 0
    return (p: number, g: number) => {
      const direction = Math.sign(beta1 * m + (1 - beta1) * g)
      m = beta2 * m + (1 - beta2) * g
      return p - learningRate * (direction + weightDecay * p)
    }
  }
}

const cases = [
  ['sgd', { learningRate: 0.1 }, g.optim.sgd, sgdRule],
  ['sgd with momentum', { learningRate: 0.1, momentum: 0.9 }, g.optim.sgd, sgdRule],
  ['sgd with Nesterov’s momentum', { learningRate: 0.1, momentum: 0.8, nesterov: true }, g.optim.sgd, sgdRule],
  ['adam', {}, g.optim.adam, adamRule],
  ['adam with its options', { learningRate: 0.3, beta1: 0.8, beta2: 0.9, epsilon: 0.01 }, g.optim.adam, adamRule],
  ['adamw', { learningRate: 0.1, weightDecay: 0.5 }, g.optim.adamw, adamRule],
  ['lion', {}, lion, lionRule],
  ['lion with its options', { learningRate: 0.3, beta1: 0.8, beta2: 0.7, weightDecay: 0.5 }, lion, lionRule],
] as const

describe.each([
  ['float32', 1e-5],
  ['float64', 1e-13],
] as const)('steps computed by hand, in %s', (dtype, tolerance) => {
  test.each(cases)('%s', (_, options, create, rule) => {
    const w = g.variable(starts, { dtype })
    const optimizer = create(options as { learningRate: number })
    for (const expected of follow(starts, curvature, 5, rule(options))) {
      optimizer.minimize(() => w.square().mul(g.tensor(curvature, { dtype })).sum().div(2))
      expectClose(w, expected, tolerance)
    }
  })

  test.each(cases)('%s, compiled', async (_, options, create, rule) => {
    const w = g.variable(starts, { dtype })
    const optimizer = create(options as { learningRate: number })
    const step = g.compile((c: g.Tensor) => optimizer.minimize(() => w.square().mul(c).sum().div(2)))
    for (const expected of follow(starts, curvature, 5, rule(options))) {
      await step(g.tensor(curvature, { dtype }))
      expectClose(w, expected, tolerance)
    }
    expect(step.traces).toBe(1)
  })
})

describe('minimize', () => {
  test('returns the loss before the update, evaluated and without a history', () => {
    const w = g.variable(3)
    const loss = g.optim.sgd({ learningRate: 0.5 }).minimize(() => w.square())
    expect(loss.graph().split('\n')).toHaveLength(1)
    expect(loss.itemSync()).toBe(9)
    expect(w.itemSync()).toBe(0)
  })

  test('updates every trainable variable the loss depends on, or the given ones', () => {
    const [a, b, frozen, idle] = [g.variable(1), g.variable(1), g.variable(1, { trainable: false }), g.variable(1)]
    const optimizer = g.optim.sgd({ learningRate: 0.1 })
    const loss = () => a.mul(b).mul(frozen).add(idle.stopGradient())
    const values = () => [a, b, frozen, idle].map((v) => v.itemSync())
    optimizer.minimize(loss)
    expectClose(values(), [0.9, 0.9, 1, 1])
    optimizer.minimize(loss, [b, b], { allowOthers: true })
    expectClose(values(), [0.9, 0.81, 1, 1])
    optimizer.minimize(loss, [frozen], { allowOthers: true })
    expectClose(values(), [0.9, 0.81, 1 - 0.0729, 1])
  })

  test('a variable that is not among the given ones is named, unless others are allowed', async () => {
    const [a, b] = [g.variable(1, { name: 'a' }), g.variable(2, { name: 'b' })]
    const optimizer = g.optim.sgd({ learningRate: 0.1 })
    const loss = () => a.mul(b)
    const message = /^minimize: the loss depends on Variable b float32\[\] too, which is not among the variables/
    expect(() => optimizer.minimize(loss, [a])).toThrow(message)
    expect(() => optimizer.minimize(loss, [a])).toThrow(g.GradientError)
    await expect(optimizer.minimizeAsync(loss, [a])).rejects.toThrow(message)
    expect(() => g.compile(() => optimizer.minimize(loss, [a])).sync()).toThrow(message)
    expect([a.itemSync(), b.itemSync()]).toEqual([1, 2])
    optimizer.minimize(() => a.mul(b.stopGradient()), [a])
    await optimizer.minimizeAsync(loss, [a], { allowOthers: true })
    expectClose([a.itemSync(), b.itemSync()], [0.6, 2])
    expect(() => optimizer.minimize(loss, [a], { allow: true } as g.optim.MinimizeOptions)).toThrow(
      'minimize: unknown option allow; the options are allowOthers',
    )
  })

  test('minimizeAsync takes turns, and goes on after an error', async () => {
    const w = g.variable(1)
    const optimizer = g.optim.sgd({ learningRate: 0.25 })
    const calls = [1, 2, 3].map(() => optimizer.minimizeAsync(() => w.square()))
    const failure = optimizer.minimizeAsync(() => w.square().gather([3]))
    await expect(failure).rejects.toThrow(g.ShapeError)
    expect(await Promise.all(calls.map(async (loss) => (await loss).item()))).toEqual([1, 0.25, 0.0625])
    expect(await (await optimizer.minimizeAsync(() => w.square())).item()).toBe(1 / 64)
  })

  test('minimizeAsync does not belong into a compiled function', async () => {
    const w = g.variable(1)
    const optimizer = g.optim.sgd({ learningRate: 0.25 })
    let call: Promise<unknown> | undefined
    await g.compile(() => {
      call = optimizer.minimizeAsync(() => w.square())
      call.catch(() => {})
      return w.square()
    })()
    await expect(call).rejects.toThrow('minimizeAsync: expected minimize inside compile')
  })

  test('a loss that depends on no variable is a GradientError', () => {
    const optimizer = g.optim.sgd({ learningRate: 0.1 })
    const w = g.variable([1, 2])
    const text = 'minimize: the loss depends on no trainable variable by a differentiable path'
    expect(() => optimizer.minimize(() => g.tensor(1))).toThrow(new g.GradientError(text))
    expect(() => optimizer.minimize(() => w.stopGradient().sum())).toThrow(g.GradientError)
    expect(() => optimizer.minimize(() => w.sum(), [])).toThrow(g.GradientError)
    const other = g.variable([1], { name: 'other' })
    expect(() => optimizer.minimize(() => w.sum(), [w, other])).toThrow(
      new g.GradientError(
        'minimize: the loss does not depend on Variable other float32[1] by a differentiable path; freeze what is not trained (model.freeze)',
      ),
    )
    expect(w.arraySync()).toEqual([1, 2])
  })

  test('a loss that is no scalar is a ShapeError, one that is no tensor a TypeError', () => {
    const optimizer = g.optim.sgd({ learningRate: 0.1 })
    const w = g.variable([1, 2])
    expect(() => optimizer.minimize(() => w.square())).toThrow(
      new g.ShapeError('minimize: expected a scalar loss, got [2]'),
    )
    expect(() => optimizer.minimize((() => 3) as unknown as () => g.Tensor)).toThrow(
      new TypeError('minimize: expected a function that returns a tensor, got 3'),
    )
    expect(() => optimizer.minimize(() => w.sum(), [w.square()] as unknown as g.Variable[])).toThrow(TypeError)
  })

  test.each(['eager', 'compiled'])('a step that fails changes nothing, %s', async (way) => {
    const w = g.variable(g.randn([2, 3], { seed: 1 }), { name: 'w' })
    const optimizer = g.optim.adam({ learningRate: 0.1 })
    const run = (y: g.Tensor) => optimizer.minimize(() => g.losses.crossEntropy(g.ones([1, 2]).matmul(w), y))
    const step = way === 'eager' ? async (y: g.Tensor) => run(y) : g.compile(run)
    await step(g.tensor([2], { dtype: 'int32' }))
    const before = { w: w.dataSync(), state: stateOf(optimizer) }
    const failure = expect(step(g.tensor([3], { dtype: 'int32' }))).rejects
    await failure.toThrow(RangeError)
    expect({ w: w.dataSync(), state: stateOf(optimizer) }).toEqual(before)
  })
})

const stateOf = (optimizer: g.optim.Optimizer) =>
  Object.fromEntries(Object.entries(optimizer.stateDict()).map(([name, x]) => [name, x.dataSync()]))

describe('learningRate', () => {
  test('can be changed between steps without another trace', async () => {
    const w = g.variable(0)
    const optimizer = g.optim.sgd({ learningRate: 1 })
    const step = g.compile(() => optimizer.minimize(() => w.mul(-1)))
    await step()
    for (const learningRate of [10, 0, 0.5]) {
      optimizer.learningRate = learningRate
      expect(optimizer.learningRate).toBe(learningRate)
      await step()
    }
    step.sync()
    expect(w.itemSync()).toBe(12)
    expect(step.traces).toBe(1)
  })

  test('a change does not touch a run that was submitted', async () => {
    const w = g.variable(0)
    const optimizer = g.optim.sgd({ learningRate: 1 })
    const step = g.compile(() => optimizer.minimize(() => w.mul(-1)))
    await step()
    const first = step()
    // The run is submitted in a microtask, once its arguments are there.
    await new Promise((resolve) => queueMicrotask(() => queueMicrotask(() => resolve(null))))
    optimizer.learningRate = 100
    await first
    expect(w.itemSync()).toBe(2)
  })

  test('is shared by parameters of different dtypes', () => {
    const [a, b] = [g.variable(0), g.variable(0, { dtype: 'float64' })]
    g.optim.adam({ learningRate: 0.1, epsilon: 0 }).minimize(() => a.add(b))
    expect(b.itemSync()).toBeCloseTo(-0.1, 15)
    expect(a.itemSync()).toBeCloseTo(-0.1, 6)
  })
})

describe('options', () => {
  test.each([
    [() => g.optim.sgd({ learningRate: -1 }), 'sgd: expected a finite learningRate of at least 0, got -1'],
    [() => g.optim.adam({ learningRate: Number.NaN }), 'adam: expected a finite learningRate of at least 0, got NaN'],
    [
      () => g.optim.adam({ learningRate: Infinity }),
      'adam: expected a finite learningRate of at least 0, got Infinity',
    ],
    [() => g.optim.sgd({} as { learningRate: number }), 'sgd: expected a learningRate, got undefined'],
    [() => g.optim.sgd({ learningRate: 1, momentum: 1 }), 'sgd: expected a momentum in [0, 1), got 1'],
    [() => g.optim.sgd({ learningRate: 1, nesterov: true }), 'sgd: expected a momentum above 0 for nesterov, got 0'],
    [() => g.optim.adam({ beta1: 1 }), 'adam: expected a beta1 in [0, 1), got 1'],
    [() => g.optim.adam({ beta2: -0.1 }), 'adam: expected a beta2 in [0, 1), got -0.1'],
    [() => g.optim.adam({ epsilon: -1 }), 'adam: expected a finite epsilon of at least 0, got -1'],
    [() => g.optim.adam({ weightDecay: Number.NaN }), 'adam: expected a finite weightDecay of at least 0, got NaN'],
    [() => (g.optim.adam().learningRate = -2), 'adam: expected a finite learningRate of at least 0, got -2'],
  ])('%s', (create, message) => {
    expect(create).toThrow(message)
  })
})

describe('state', () => {
  const create = {
    adam: () => g.optim.adam({ learningRate: 0.1 }),
    momentum: () => g.optim.sgd({ learningRate: 0.1, momentum: 0.9 }),
  }
  let w: g.Variable
  let b: g.Variable
  const loss = () => w.mul(b).square().sum()
  beforeEach(() => {
    w = g.variable([1, 2, 3], { name: 'w' })
    b = g.variable(0.5, { name: 'b' })
  })

  test.each(['adam', 'momentum'] as const)('of %s is carried over to a new optimizer', (name) => {
    const first = create[name]()
    for (let i = 0; i < 3; i++) first.minimize(loss)
    const { w: savedW, b: savedB, state } = { w: w.value, b: b.value, state: first.stateDict() }
    for (let i = 0; i < 3; i++) first.minimize(loss)
    const uninterrupted = [w.dataSync(), b.dataSync()]

    const second = create[name]()
    second.loadStateDict(state)
    w.assign(savedW)
    b.assign(savedB)
    for (let i = 0; i < 3; i++) second.minimize(loss)
    expect([w.dataSync(), b.dataSync()]).toEqual(uninterrupted)
    expect(stateOf(second)).toEqual(stateOf(first))
  })

  test('has a name for everything', () => {
    const optimizer = create.adam()
    expect(Object.keys(optimizer.stateDict())).toEqual(['learningRate'])
    optimizer.minimize(loss, [w, b])
    expect(Object.keys(optimizer.stateDict()).sort()).toEqual([
      'b.firstMoment',
      'b.secondMoment',
      'learningRate',
      'step',
      'w.firstMoment',
      'w.secondMoment',
    ])
    expect(optimizer.stateDict().step!.itemSync()).toBe(1)
  })

  test('of other parameters is refused', () => {
    const optimizer = create.adam()
    optimizer.minimize(loss, [w, b])
    const state = optimizer.stateDict()
    expect(() => optimizer.loadStateDict({ ...state, step: g.zeros([2]) })).toThrow(g.ShapeError)
    const { step: _, ...rest } = state
    expect(() => optimizer.loadStateDict(rest)).toThrow('got no step')
    const other = create.adam()
    other.loadStateDict(state)
    expect(() => other.minimize(loss, { b: w, w: b })).toThrow(
      /^loadStateDict: expected w\.firstMoment like Variable w\.firstMoment float32\[\], got Tensor float32\[3\]/,
    )
  })

  test('is shared by the functions that use the optimizer', async () => {
    const optimizer = create.adam()
    const [one, other] = [g.compile(() => optimizer.minimize(loss)), g.compile(() => optimizer.minimize(loss))]
    await one()
    await other()
    optimizer.minimize(loss)
    expect(optimizer.stateDict().step!.itemSync()).toBe(3)
    expect(Object.keys(optimizer.stateDict())).toHaveLength(6)
  })
})

describe('applyGradients', () => {
  test('takes a step along given gradients', () => {
    const [w, b] = [g.variable([1, 2]), g.variable(3)]
    g.optim.sgd({ learningRate: 0.5 }).applyGradients([
      [w, g.tensor([2, 4])],
      [b, 1],
    ])
    expect(w.arraySync()).toEqual([0, 0])
    expect(b.itemSync()).toBe(2.5)
  })

  test.each([
    ['sgd', () => g.optim.sgd({ learningRate: 0.5 })],
    ['momentum', () => g.optim.sgd({ learningRate: 0.5, momentum: 0.9 })],
    ['adam', () => g.optim.adam({ learningRate: 0.5 })],
  ])('adds the gradients of one variable: %s', (_, create) => {
    const run = (pairsOf: (w: g.Variable) => [g.Variable, g.TensorLike][]) => {
      const w = g.variable([1, 2], { name: 'w' })
      const optimizer = create()
      for (let i = 0; i < 3; i++) optimizer.applyGradients(pairsOf(w))
      return [w.arraySync(), optimizer.stateDict().step?.itemSync()]
    }
    const other = g.variable(0, { name: 'other' })
    const apart = run((w) => [
      [w, [1, 2]],
      [other, 1],
      [w, g.tensor([4, -1])],
      [w, [0.5, 0.5]],
    ])
    expect(apart).toEqual(run((w) => [[w, [5.5, 1.5]]]))
  })

  test('refuses gradients of another shape, and what is no variable', () => {
    const optimizer = g.optim.sgd({ learningRate: 0.5 })
    const w = g.variable([1, 2])
    expect(() => optimizer.applyGradients([[w, g.tensor([1])]])).toThrow(
      new g.ShapeError('applyGradients: expected a gradient of shape [2], got [1]'),
    )
    expect(() => optimizer.applyGradients([[g.tensor(1) as g.Variable, g.tensor(1)]])).toThrow(TypeError)
  })
})

describe.each(['native', 'reference'] as const)('on %s', (backend) => {
  beforeEach(() => g.setBackend(backend))

  test.each([
    ['sgd', () => g.optim.sgd({ learningRate: 0.05 })],
    ['momentum', () => g.optim.sgd({ learningRate: 0.02, momentum: 0.9 })],
    ['adam', () => g.optim.adam({ learningRate: 0.05 })],
  ])('%s finds the line that points lie on', async (_, create) => {
    const x = g.linspace(-2, 2, 32).reshape([32, 1])
    const layer = g.nn.linear(1, 1, { seed: 1 })
    const optimizer = create()
    const step = g.compile(() => optimizer.minimize(() => g.losses.meanSquaredError(layer.forward(x), x.mul(3).sub(1))))
    for (let i = 0; i < 400; i++) await step()
    expectClose(layer.weight, [3], 1e-3)
    expectClose(layer.bias!, [-1], 1e-3)
  })
})

/** What an optimizer's state is called, and that one that was taken over goes on with the same bits. */
import { describe, expect, test } from 'vitest'
import * as g from '../../lib/index.ts'
import { classifier, clouds, options } from '../support/training.ts'

const { adam, sgd } = g.optim

const x = g.randn([8, 2], { seed: 1 })
const labels = g.tensor(Int32Array.of(0, 1, 2, 0, 1, 2, 0, 1))
const model = () => g.nn.sequential(g.nn.linear(2, 4, { seed: 1 }), g.nn.tanh(), g.nn.linear(4, 3, { seed: 2 }))
const lossOf = (of: g.nn.Module) => () => g.losses.crossEntropy(of.forward(x), labels)

const bits = (state: g.StateDict) =>
  Object.fromEntries(Object.entries(state).map(([name, value]) => [name, Array.from(value.dataSync())]))

const namesOfAdam = ['0.weight', '0.bias', '2.weight', '2.bias']
  .flatMap((path) => [`${path}.firstMoment`, `${path}.secondMoment`])
  .concat('learningRate', 'step')
  .sort()

describe('names', () => {
  const of = model()
  const steps: Record<string, (optimizer: g.optim.Optimizer) => unknown> = {
    'a module': (optimizer) => optimizer.minimize(lossOf(of), of),
    'a record': (optimizer) => optimizer.minimize(lossOf(of), of.namedParameters()),
    'a module, compiled': (optimizer) => g.compile(() => optimizer.minimize(lossOf(of), of)).sync(),
    'a module, off the event loop': (optimizer) => optimizer.minimizeAsync(lossOf(of), of),
    'gradients in a list': (optimizer) =>
      optimizer.applyGradients(g.gradients(lossOf(of)(), of.parameters()) as g.Tensor[], of),
    'gradients by name': (optimizer) => {
      const named = of.namedParameters()
      const found = g.gradients(lossOf(of)(), Object.values(named))
      const byName = Object.fromEntries(Object.keys(named).map((name, i) => [name, found[i]!]))
      optimizer.applyGradients(byName, named)
    },
  }
  test.each(Object.entries(steps))('are those of %s', async (_, step) => {
    const optimizer = adam()
    await step(optimizer)
    expect(Object.keys(optimizer.stateDict()).sort()).toEqual(namesOfAdam)
  })

  test('do not depend on the order in which parameters were met', () => {
    const optimizer = adam()
    optimizer.minimize(lossOf(of), Object.fromEntries(Object.entries(of.namedParameters()).toReversed()))
    expect(optimizer.stateDict()['0.weight.firstMoment']!.shape).toEqual([4, 2])
  })

  test('may be told afterwards', () => {
    const optimizer = adam()
    optimizer.minimize(lossOf(of))
    expect(() => optimizer.stateDict()).toThrow(
      /^stateDict: expected another name for each parameter: pass the model, or all of them by name, got two weight/,
    )
    expect(Object.keys(optimizer.stateDict(of)).sort()).toEqual(namesOfAdam)
    expect(Object.keys(optimizer.stateDict()).sort()).toEqual(namesOfAdam)
  })

  test('of a parameter without one are asked for', () => {
    const w = g.variable([1, 2])
    const optimizer = adam()
    optimizer.minimize(() => w.sum(), [w])
    const message =
      'expected a name for each parameter: pass the model, or all of them by name, got Variable float32[2]'
    expect(() => optimizer.stateDict()).toThrow(`stateDict: ${message}`)
    expect(() => optimizer.loadStateDict({})).toThrow(`loadStateDict: ${message}`)
    const waiting = adam()
    waiting.loadStateDict(optimizer.stateDict({ w }))
    expect(() => waiting.minimize(() => w.sum())).toThrow(`loadStateDict: ${message}`)
  })

  test('of two parameters may not be the same', () => {
    const optimizer = sgd({ learningRate: 0.1, momentum: 0.9 })
    const [one, other] = [model(), model()]
    for (const each of [one, other]) optimizer.minimize(lossOf(each), each)
    expect(() => optimizer.stateDict()).toThrow(/^stateDict: expected another name for each parameter.* two 0\.weight/)
    const both = Object.entries({ one, other }).flatMap(([key, each]) =>
      Object.entries(each.namedParameters()).map(([name, variable]) => [`${key}.${name}`, variable] as const),
    )
    expect(Object.keys(optimizer.stateDict(Object.fromEntries(both)))).toContain('other.2.bias.velocity')
  })

  test('are given by fit, of a model without them by number', async () => {
    const inner = classifier()
    const plain = { forward: (x: g.Tensor) => inner.forward(x), parameters: () => inner.parameters() }
    for (const [trained, names] of [
      [inner, ['0.weight', '0.bias', '2.weight', '2.bias']],
      [plain, ['0', '1', '2', '3']],
    ] as const) {
      const optimizer = sgd({ learningRate: 0.1, momentum: 0.9 })
      await g.fit(trained, clouds(32, 1), options({ optimizer }))
      expect(Object.keys(optimizer.stateDict())).toEqual([...names.map((name) => `${name}.velocity`), 'learningRate'])
    }
  })
})

describe('a state that is taken over', () => {
  const kinds = {
    adam: () => adam({ learningRate: 0.1 }),
    momentum: () => sgd({ learningRate: 0.1, momentum: 0.9 }),
    plain: () => sgd({ learningRate: 0.1 }),
  }

  test.each(
    Object.entries(kinds).flatMap(([name, create]) => [
      [name, 'before its parameters are known', create, false] as const,
      [name, 'with its model', create, true] as const,
    ]),
  )('of %s, %s', async (_, __, create, withModel) => {
    const train = (of: g.nn.Module, optimizer: g.optim.Optimizer) => g.compile(() => optimizer.minimize(lossOf(of), of))
    const [first, second] = [model(), model()]
    const [whole, resumed] = [create(), create()]
    const step = train(first, whole)
    for (let i = 0; i < 3; i++) await step()
    whole.learningRate = 0.07
    await step()
    const [weights, state] = [first.stateDict(), whole.stateDict()]
    for (let i = 0; i < 3; i++) await step()
    second.loadStateDict(weights)
    resumed.loadStateDict(state, withModel ? second : undefined)
    expect(bits(resumed.stateDict())).toEqual(bits(state))
    expect(resumed.learningRate).toBe(0.07)
    const next = train(second, resumed)
    for (let i = 0; i < 3; i++) await next()
    expect(bits(second.stateDict())).toEqual(bits(first.stateDict()))
    expect(bits(resumed.stateDict())).toEqual(bits(whole.stateDict()))
  })

  test('is that after a step that was submitted and not awaited', async () => {
    const of = model()
    const optimizer = adam()
    const step = g.compile(() => optimizer.minimize(lossOf(of), of))
    await step()
    const running = [step(), step()]
    // The runs are submitted in a microtask.
    await new Promise((resolve) => queueMicrotask(() => queueMicrotask(() => resolve(null))))
    const state = optimizer.stateDict()
    running.push(step())
    await Promise.all(running)
    expect(state.step!.itemSync()).toBe(3)
    expect(optimizer.stateDict().step!.itemSync()).toBe(4)
  })

  const saved = () => {
    const of = model()
    const optimizer = adam()
    optimizer.minimize(lossOf(of), of)
    return optimizer.stateDict()
  }

  test.each([
    ['other parameters', () => g.nn.sequential(g.nn.linear(2, 3)), /an unknown 2\.weight\.firstMoment, 2\.weight/],
    [
      'a larger model',
      () => g.nn.sequential(g.nn.linear(2, 4), g.nn.tanh(), g.nn.linear(4, 3), g.nn.linear(3, 3)),
      /got no 3\.weight\.firstMoment, 3\.w/,
    ],
    [
      'other shapes',
      () => g.nn.sequential(g.nn.linear(2, 5), g.nn.tanh(), g.nn.linear(5, 3)),
      /0\.weight\.firstMoment/,
    ],
  ])('is refused by %s, and nothing is changed', (_, create, message) => {
    const state = saved()
    const right = model()
    const optimizer = adam()
    const wrong = create()
    expect(() => optimizer.loadStateDict(state, wrong)).toThrow(message)
    expect(Object.keys(optimizer.stateDict())).toEqual(['learningRate'])
    optimizer.loadStateDict(state, right)
    expect(bits(optimizer.stateDict())).toEqual(bits(state))
    const waiting = adam()
    waiting.loadStateDict(state)
    const before = bits(wrong.stateDict())
    expect(() => waiting.minimize(lossOf(wrong), wrong)).toThrow(message)
    expect(bits(wrong.stateDict())).toEqual(before)
  })

  test('is refused by an optimizer of another kind', () => {
    const of = model()
    const message =
      /^loadStateDict: expected the state of such an optimizer.* got no 0\.weight\.velocity.* and an unknown/
    const other = sgd({ learningRate: 0.1, momentum: 0.9 })
    expect(() => other.loadStateDict(saved(), of)).toThrow(message)
    other.minimize(lossOf(of), of)
    expect(() => other.loadStateDict(saved())).toThrow(message)
    const plain = sgd({ learningRate: 0.1 })
    expect(() => plain.loadStateDict(saved(), of)).toThrow(/got an unknown step, 0\.weight\.firstMoment/)
  })

  test('has to have the dtype of the parameters', () => {
    const [of, state] = [model(), saved()]
    const half = { ...state, '2.bias.firstMoment': state['2.bias.firstMoment']!.cast('float64') }
    expect(() => adam().loadStateDict(half, of)).toThrow(/2\.bias\.firstMoment of float32, got float64/)
    const waiting = adam()
    waiting.loadStateDict(half)
    expect(() => waiting.minimize(lossOf(of), of)).toThrow(
      /2\.bias\.firstMoment like Variable 2\.bias\.firstMoment float32\[3\], got/,
    )
  })

  test('before the first step is nothing to take over', () => {
    const of = model()
    const optimizer = adam()
    optimizer.loadStateDict(adam({ learningRate: 0.5 }).stateDict(), of)
    expect(optimizer.learningRate).toBe(0.5)
    optimizer.minimize(lossOf(of), of)
    expect(optimizer.stateDict().step!.itemSync()).toBe(1)
  })

  test('keeps a learning rate that went through float32', () => {
    const state = { learningRate: g.tensor(0.1) }
    const optimizer = adam({ learningRate: 0.1 })
    optimizer.loadStateDict(state)
    expect(optimizer.learningRate).toBe(0.1)
  })

  test('is not taken over inside compile', () => {
    const step = g.compile(() => adam().loadStateDict({}))
    expect(() => step.sync()).toThrow('loadStateDict: expected a call outside compile, got one inside')
  })
})

test('gradients for parameters have to be as many, and of their names', () => {
  const of = model()
  const optimizer = adam()
  expect(() => optimizer.applyGradients([g.zeros([4, 2])], of)).toThrow(
    'applyGradients: expected a gradient for each of 4 parameters, got 1',
  )
  expect(() => optimizer.applyGradients({ '0.weight': g.zeros([4, 2]) }, of)).toThrow(
    'applyGradients: expected a gradient of 0.bias, got none',
  )
  expect(() => optimizer.applyGradients({ a: 1 }, of.parameters())).toThrow('parameters by name, or a module')
})

/** Optimizers and training refuse what they cannot work with. */
import { describe, expect, test } from 'vitest'
import * as g from '../../lib/index.ts'

// biome-ignore lint/suspicious/noExplicitAny: junk has any type
type Any = any

const sgd = () => g.optim.sgd({ learningRate: 0.1 })
const w = g.variable([1, 2])
const loss = () => w.square().sum()

describe('an optimizer', () => {
  const refused: Record<string, [call: () => unknown, message: string]> = {
    'no function': [() => sgd().minimize(1 as Any), 'minimize: expected a function that gives the loss, got 1'],
    'a function of a number': [
      () => sgd().minimize((() => 1) as Any),
      'minimize: expected a function that returns a tensor',
    ],
    'no list': [
      () => sgd().minimize(loss, w as Any),
      'minimize: expected variables in a list or by name, or a module, got Variable',
    ],
    'a list of other things': [
      () => sgd().minimize(loss, [null as Any]),
      'minimize: expected variables in a list or by name, or a module, got null in it',
    ],
    'pairs that are none': [() => sgd().applyGradients(w as Any), 'applyGradients: expected a list of pairs'],
    'a pair that is none': [() => sgd().applyGradients([w as Any]), 'applyGradients: expected a list of pairs'],
    'a pair of one': [() => sgd().applyGradients([[w] as Any]), 'applyGradients: expected a list of pairs'],
    'a pair of junk': [() => sgd().applyGradients([[w, 'x' as Any]]), 'applyGradients: expected a tensor, or numbers'],
    'a state that is none': [
      () => sgd().loadStateDict(null as Any),
      'loadStateDict: expected values by name, got null',
    ],
    'a state of junk': [
      () => sgd().loadStateDict({ step: 'x' as Any }),
      'loadStateDict: expected a tensor as step, got "x"',
    ],
    'a slot of junk': [
      () => {
        const rule = ({ slot }: g.optim.RuleContext) => ({ parameter: slot('a', 'x' as Any) })
        g.optim.optimizer({ name: 'own', learningRate: 1, rule }).minimize(loss)
      },
      'own: expected a number or a tensor as initial a, got "x"',
    ],
    'a rule of junk': [
      () => g.optim.optimizer({ name: 'own', learningRate: 1, rule: (() => 'x') as Any }).minimize(loss),
      'own: expected a rule that returns { parameter: a tensor, … }, got "x"',
    ],
  }
  test.each(Object.entries(refused))('refuses %s', (_, [call, message]) => expect(call).toThrow(message))

  test('rejects with the name of the method', async () => {
    await expect(sgd().minimizeAsync(null as Any)).rejects.toThrow('minimizeAsync: expected a function')
  })
})

describe('fit', () => {
  const data = g.data.fromTensors([[1], [2]], [[1], [2]])
  const fit = (change: object, model: object = g.nn.linear(1, 1)) =>
    g.fit(model as Any, data, { loss: 'mse', optimizer: sgd(), ...change } as Any)

  test.each([
    [{ shuffle: 'no' }, 'shuffle'],
    [{ metrics: [1] }, 'fit: expected a metric, a name or { name: function }'],
    [{ metrics: [{ own: () => 1 }] }, 'fit: expected a tensor from metric own, got 1'],
    [{ signal: {} }, 'fit: expected a signal, that of an AbortController, got undefined'],
    [{ callbacks: { onEpochEnd: 1 } }, 'onEpochEnd'],
    [{ loss: () => 'x' }, 'fit: expected a loss that gives a tensor, got "x"'],
    [{ callbacks: new DataView(new ArrayBuffer(8)) }, 'fit: callbacks: expected options'],
    [{ loss: null }, 'fit: expected a value for loss, got null'],
    [{ epochs: '1' }, 'epochs'],
  ])('refuses %o', async (change, message) => {
    await expect(fit(change)).rejects.toThrow(message)
  })

  test('refuses a model without variables', async () => {
    const forward = (x: g.Tensor) => x
    for (const given of [null, [1], 'x'])
      await expect(fit({}, { forward, parameters: () => given })).rejects.toThrow(
        /^fit: expected (a list of )?variables/,
      )
  })
})

describe('a data set', () => {
  test('refuses rows, maps and bounds that are none', () => {
    const data = g.data.fromTensors([[1], [2]], [1, 2])
    for (const junk of ['x', null, undefined, () => 1, Symbol('s'), new Date()])
      expect(() => g.data.fromTensors(junk as Any, [1])).toThrow(/^fromTensors: expected a tensor, or numbers/)
    expect(() => data.batch('x' as Any)).toThrow('batch: expected a tensor, or numbers in nested arrays, got "x"')
    expect(() => data.slice('1' as Any)).toThrow('slice: expected an integer as bound, got "1"')
    expect(() => data.map((() => 1) as Any).batch([0])).toThrow('map: expected a function that returns [x, y]')
  })
})

describe('functions of functions', () => {
  test.each([
    ['jacobian', () => g.jacobian(1 as Any)],
    ['hessian', () => g.hessian(null as Any)],
    ['jvp', () => g.jvp((x) => x, 1 as Any, [1])],
    ['jvp', () => g.jvp((() => g.tensor(1)) as Any, [] as Any, [] as Any)],
    ['hvp', () => g.hvp((x) => x.sum(), [1], null as Any)],
    ['variablesOf', () => g.variablesOf([1] as Any)],
    ['checkGradients', () => g.checkGradients((x) => x, 1 as Any)],
    ['checkGradients', () => g.checkGradients((x) => x, [1], { order: 3 as Any })],
    ['compile', () => g.compile(class {} as Any)],
    ['detectAnomaly', () => g.detectAnomaly(1 as Any)],
  ])('%s refuses what is none', (name, call) => expect(call).toThrow(new RegExp(`^${name}: expected`)))

  test('arguments and results that have themselves in them, or are deeper than the call stack', () => {
    const cyclic: Any[] = [1]
    cyclic.push(cyclic)
    let deep: unknown = 1
    for (let i = 0; i < 20_000; i++) deep = [deep]
    for (const tree of [cyclic, deep, { x: cyclic }]) {
      expect(() => g.compile((x: Any) => x).sync(tree)).toThrow(/^compile: expected arrays and objects in each other/)
      expect(() => g.compile(() => tree).sync()).toThrow(/^compile: expected arrays and objects in each other/)
      expect(() => g.detectAnomaly(() => tree)).toThrow(/^detectAnomaly: expected arrays and objects in each other/)
    }
  })
})

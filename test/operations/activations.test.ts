/** Activations beyond their fixtures: limits, surrogate gradients, errors, and the layers that apply them. */
import { describe, expect, test } from 'vitest'
import * as g from '../../lib/index.ts'
import { backendNames } from '../support/backends.ts'

const limits: Readonly<Record<string, [f: (x: g.Tensor) => g.Tensor, low: number, high: number]>> = {
  relu6: [g.relu6, 0, 6],
  hardTanh: [g.hardTanh, -1, 1],
  hardSigmoid: [g.hardSigmoid, 0, 1],
  hardSwish: [g.hardSwish, 0, Infinity],
  celu: [(x) => g.celu(x, 2), -2, Infinity],
  selu: [g.selu, -1.0507009873554805 * 1.6732632423543772, Infinity],
  mish: [g.mish, -0, Infinity],
  softsign: [g.softsign, -1, 1],
  logSigmoid: [g.logSigmoid, -Infinity, -0],
  threshold: [(x) => g.threshold(x, 1, 5), 5, Infinity],
  prelu: [(x) => g.prelu(x, 0.5), -Infinity, Infinity],
}

describe.each(backendNames)('on the %s backend', (backend) => {
  test.each(Object.entries(limits))('%s has its limits at ±∞, and keeps NaN', (_, [f, low, high]) => {
    g.setBackend(backend)
    expect([...f(g.tensor([-Infinity, Infinity, NaN])).dataSync()]).toEqual([Math.fround(low), high, NaN])
  })
})

describe('what is not taken', () => {
  test.each([
    ['celu', (x: g.Tensor) => g.celu(x, 0.5)],
    ['prelu', (x: g.Tensor) => g.prelu(x, 0.5)],
  ] as const)('%s of what would overflow has the gradient 1', (_, f) => {
    const x = g.tensor([1000, 3e38])
    expect([...g.gradients(f(x), [x])[0]!.dataSync()]).toEqual([1, 1])
  })

  test('an infinite element adds no NaN to the gradient of a slope', () => {
    const slope = g.tensor([0.25])
    expect(g.gradients(g.prelu([Infinity, -2], slope), [slope])[0]!.arraySync()).toEqual([-2])
  })
})

describe('step with a surrogate', () => {
  const x = g.tensor([-1, -0.5, 0, 0.25, 2])

  test('has the values of the step', () => {
    for (const surrogate of ['straightThrough', 'fastSigmoid'] as const)
      expect(g.step(x, { surrogate }).arraySync()).toEqual([0, 0, 0, 1, 1])
    expect(g.step([true, false], { surrogate: 'straightThrough' }).dtype).toBe('float32')
  })

  test('passes the gradient straight through', () => {
    const y = g.step(x, { surrogate: 'straightThrough' }).mul([1, 2, 3, 4, 5])
    expect(g.gradients(y, [x])[0]!.arraySync()).toEqual([1, 2, 3, 4, 5])
  })

  test('has the slope of a fast sigmoid', () => {
    const slopeOf = (options: g.StepOptions) =>
      g.gradients(g.step(x, { surrogate: 'fastSigmoid', ...options }), [x])[0]!
    expect(slopeOf({ slope: 2 }).arraySync()).toEqual([3, 2, 1, 1.5, 5].map((x) => Math.fround(1 / x ** 2)))
    expect(slopeOf({}).dataSync()[0]).toBeCloseTo(1 / 26 ** 2, 9)
  })

  test('has a second derivative, that of its slope', () => {
    const z = g.tensor([0.5, -0.5])
    const slope = g.gradients(g.step(z, { surrogate: 'fastSigmoid', slope: 2 }), [z])[0]!
    // d (1 + 2|x|)⁻² = −4·sign(x)·(1 + 2|x|)⁻³
    expect(g.gradients(slope, [z])[0]!.arraySync()).toEqual([-0.5, 0.5])
  })

  test('a compiled one is the same', () => {
    const slope = g.compile((z: g.Tensor) => g.gradients(g.step(z, { surrogate: 'fastSigmoid', slope: 2 }), [z])[0]!)
    expect([...slope.sync(g.tensor([0, 0.5, -0.5])).dataSync()]).toEqual([1, 0.25, 0.25])
  })
})

describe('errors', () => {
  const wrong = (value: unknown): never => value as never
  const x = g.ones([2, 3])

  test.each([
    [
      () => g.step(x, { surrogate: wrong('relu') }),
      TypeError,
      'step: expected a surrogate (straightThrough, fastSigmoid), got relu',
    ],
    [
      () => g.step(x, { surrogate: 'fastSigmoid', slope: 0 }),
      RangeError,
      'step: expected a positive finite slope, got 0',
    ],
    [() => g.step(x, { slope: wrong('1') }), TypeError, 'step: expected slope to be a number, got "1"'],
    [() => g.hardTanh(x, { min: 2 }), RangeError, 'hardTanh: expected a max above min, got 1'],
    [() => g.hardTanh(x, { max: NaN }), RangeError, 'hardTanh: expected a max above min, got NaN'],
    [() => g.celu(x, 0), RangeError, 'celu: expected a finite alpha other than 0, got 0'],
    [() => g.glu(x), g.ShapeError, 'glu: expected an even extent at axis 1, got [2, 3]'],
    [() => g.glu(x, 2), g.ShapeError, 'glu: expected an axis in [-2, 2), got 2'],
    [() => g.glu(1), g.ShapeError, 'glu: expected an axis in [0, 0), got -1'],
    [() => g.prelu(x, [1, 2]), g.ShapeError, 'prelu: shapes [2, 3] and [2] do not broadcast'],
    [() => g.nn.prelu({ features: 0 }), RangeError, 'prelu: expected a positive integer of features, got 0'],
    [() => g.nn.prelu({ initial: Infinity }), RangeError, 'prelu: expected a finite initial slope, got Infinity'],
  ] as const)('%#', (run, type, message) => {
    expect(run).toThrow(type)
    expect(run).toThrow(message)
  })
})

describe('layers', () => {
  const x = g.tensor([[-4, -0.5, 0.5, 7]])
  const layers: Readonly<Record<string, [g.nn.Module, g.Tensor]>> = {
    relu6: [g.nn.relu6(), g.relu6(x)],
    celu: [g.nn.celu(0.5), g.celu(x, 0.5)],
    selu: [g.nn.selu(), g.selu(x)],
    mish: [g.nn.mish(), g.mish(x)],
    softsign: [g.nn.softsign(), g.softsign(x)],
    softplus: [g.nn.softplus(), g.softplus(x)],
    hardSigmoid: [g.nn.hardSigmoid(), g.hardSigmoid(x)],
    hardSwish: [g.nn.hardSwish(), g.hardSwish(x)],
    hardTanh: [g.nn.hardTanh({ max: 2 }), g.hardTanh(x, { max: 2 })],
    logSigmoid: [g.nn.logSigmoid(), g.logSigmoid(x)],
    threshold: [g.nn.threshold(0.1, 9), g.threshold(x, 0.1, 9)],
    glu: [g.nn.glu(), g.glu(x)],
    prelu: [g.nn.prelu(), g.prelu(x, 0.25)],
  }

  test.each(Object.entries(layers))('%s applies the operation', (_, [layer, wanted]) => {
    expect(layer.forward(x).arraySync()).toEqual(wanted.arraySync())
  })

  test('prelu trains a slope for each column', () => {
    const layer = g.nn.prelu({ features: 2, initial: 0.5 })
    expect(Object.keys(layer.namedParameters())).toEqual(['weight'])
    g.optim.sgd({ learningRate: 0.1 }).minimize(() =>
      layer
        .forward(
          g.tensor([
            [-1, 3],
            [-2, -4],
          ]),
        )
        .sum(),
    )
    expect([...layer.weight.dataSync()]).toEqual([0.5 + 0.3, 0.5 + 0.4].map(Math.fround))
  })
})

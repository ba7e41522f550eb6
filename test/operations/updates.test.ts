import { describe, expect, test } from 'vitest'
import * as g from '../../lib/index.ts'
import { expectClose } from '../support/close.ts'

const [parameter, gradient, zero] = [g.tensor([1, 2]), g.tensor([0.5, -1]), g.zeros([2])]

describe('numbers and arrays are operands too', () => {
  test('sgd', () => expectClose(g.updates.sgd({ parameter, gradient: [0.5, -1], learningRate: 2 }).parameter, [0, 4]))

  test('momentum', () => {
    const operands = { parameter, gradient, velocity: g.ones([2]), learningRate: 1 }
    const plain = g.updates.momentum(operands, { momentum: 0.5 })
    expectClose(plain.velocity, [1, -0.5])
    expectClose(plain.parameter, [0, 2.5])
    expectClose(g.updates.momentum(operands, { momentum: 0.5, nesterov: true }).parameter, [0, 3.25])
  })

  test('adam has the standard options', () => {
    const operands = { parameter, gradient, firstMoment: zero, secondMoment: zero, learningRate: 0.1, step: 1 }
    const next = g.updates.adam(operands)
    expectClose(next.parameter, [0.9, 2.1])
    expectClose(next.firstMoment, [0.05, -0.1])
    expectClose(next.secondMoment, [0.00025, 0.001], 1e-9)
    expectClose(g.updates.adam(operands, { weightDecay: 1 }).parameter, [0.8, 1.9])
  })
})

test.each<[() => unknown, ErrorConstructor | typeof g.ShapeError, string]>([
  [
    () => g.updates.sgd({ parameter, gradient: g.zeros([3]), learningRate: 1 }),
    g.ShapeError,
    'updates.sgd: expected gradient of shape [2], got [3]',
  ],
  [
    () => g.updates.sgd({ parameter, gradient, learningRate: g.ones([2]) }),
    g.ShapeError,
    'updates.sgd: expected learningRate of shape [], got [2]',
  ],
  [
    () => g.updates.momentum({ parameter, gradient, velocity: zero.cast('float64'), learningRate: 1 }, { momentum: 0 }),
    g.DTypeError,
    'updates.momentum: expected velocity of float32, got float64',
  ],
  [
    () => g.updates.sgd({ parameter: g.tensor([1], { dtype: 'int32' }), gradient: [1], learningRate: 1 }),
    g.DTypeError,
    'updates.sgd: expected a parameter of float32 or float64, got Tensor int32[1]',
  ],
])('operands that do not fit are refused %#', (update, kind, message) => {
  expect(update).toThrow(kind)
  expect(update).toThrow(message)
})

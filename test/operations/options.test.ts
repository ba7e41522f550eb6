/** Options with unknown names, or of another type, are refused. */
import { describe, expect, it } from 'vitest'
import * as g from '../../lib/index.ts'

// biome-ignore lint/suspicious/noExplicitAny: calls that the compiler refuses
const unchecked = g as any

describe('options', () => {
  it.each([
    [() => unchecked.sum([1], 0, { keepdims: true }), 'sum: unknown option keepdims; did you mean keepDims?'],
    [() => unchecked.sum([1], 0, { foo: true }), 'sum: unknown option foo; the options are keepDims'],
    [
      () => unchecked.sum([1], 0, true),
      'sum: expected options ({ keepDims }), got true; did you mean { keepDims: true }?',
    ],
    [() => unchecked.sum([1], 0, { keepDims: 1 }), 'sum: expected keepDims to be a boolean, got 1'],
    [() => unchecked.sum([1], 0, null), 'sum: expected options ({ keepDims }), got null'],
    [() => unchecked.sum([1], 0, g.tensor(1)), 'sum: expected options ({ keepDims }), got Tensor'],
    [() => unchecked.optim.adam({ lr: 0.1 }), 'adam: unknown option lr; did you mean learningRate?'],
    [
      () => unchecked.optim.adam(0.1),
      'adam: expected options ({ learningRate, beta1, beta2, epsilon, weightDecay }), got 0.1; did you mean { learningRate: 0.1 }?',
    ],
    [
      () => unchecked.optim.sgd(0.1),
      'sgd: expected options ({ learningRate, momentum, nesterov }), got 0.1; did you mean { learningRate: 0.1 }?',
    ],
    [() => unchecked.optim.sgd({ momentum: 0.9 }), 'sgd: expected a learningRate, got undefined'],
    [() => unchecked.nn.batchNorm2d(4, { eps: 1 }), 'batchNorm2d: unknown option eps; did you mean epsilon?'],
    [
      () => unchecked.nn.linear(4, 2, false),
      'linear: expected options ({ bias, initializer, seed, dtype }), got false; did you mean { bias: false }?',
    ],
    [
      () => unchecked.nn.maxPool2d(2, 2),
      'maxPool2d: expected options ({ stride, padding, dilation, ceilMode, layout }), got 2',
    ],
    [
      () => unchecked.nn.gelu('tanh'),
      'gelu: expected options ({ approximate }), got "tanh"; did you mean { approximate: \'tanh\' }?',
    ],
    [() => unchecked.nn.conv2d(1, 1, 3, { strides: 2 }), 'conv2d: unknown option strides; did you mean stride?'],
  ])('%s throws', (call, message) => {
    expect(call).toThrow(new TypeError(message))
  })

  it('a dtype that is none', () => {
    const message = 'linear: expected a dtype (bool, uint8, int32, float32, float64), got float'
    expect(() => unchecked.nn.linear(4, 2, { dtype: 'float' })).toThrow(new g.DTypeError(message))
  })

  it('undefined stands for the default', () => {
    expect(g.sum([1, 2], 0, { keepDims: undefined } as g.ReduceOptions).shape).toEqual([])
    expect(g.sum([1, 2], 0, Object.assign(Object.create(null), { keepDims: true })).shape).toEqual([1])
  })
})

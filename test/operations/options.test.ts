/** Options with unknown names, or of another type, are refused. */
import { describe, expect, it } from 'vitest'
import * as g from '../../lib/index.ts'

const unchecked = g as unknown as Record<string, (...args: unknown[]) => unknown>

describe('options', () => {
  it.each([
    [() => unchecked.sum!([1], 0, { keepdims: true }), 'sum: unknown option keepdims; did you mean keepDims?'],
    [() => unchecked.sum!([1], 0, { foo: true }), 'sum: unknown option foo; the options are keepDims'],
    [() => unchecked.sum!([1], 0, true), 'sum: expected options ({ keepDims }), got true'],
    [() => unchecked.sum!([1], 0, { keepDims: 1 }), 'sum: expected keepDims to be a boolean, got 1'],
    [() => unchecked.sum!([1], 0, null), 'sum: expected options ({ keepDims }), got null'],
    [() => unchecked.sum!([1], 0, g.tensor(1)), 'sum: expected options ({ keepDims }), got Tensor'],
  ])('%s throws', (call, message) => {
    expect(call).toThrow(new TypeError(message))
  })

  it('undefined stands for the default', () => {
    expect(g.sum([1, 2], 0, { keepDims: undefined } as g.ReduceOptions).shape).toEqual([])
    expect(g.sum([1, 2], 0, Object.assign(Object.create(null), { keepDims: true })).shape).toEqual([1])
  })
})

/** Tensors like others, and numbers at even ratios. */
import { beforeAll, describe, expect, test } from 'vitest'
import * as g from '../../lib/index.ts'
import { backendNames } from '../support/backends.ts'

const float64 = { dtype: 'float64' } as const

describe('logspace and geomspace', () => {
  test.each<[string, g.Tensor, number[]]>([
    ['powers of ten', g.logspace(0, 3, 4, float64), [1, 10, 100, 1000]],
    ['of another base', g.logspace(-1, 3, 5, { base: 2 }), [0.5, 1, 2, 4, 8]],
    ['that 10 ** e misses', g.logspace(-278, -222, 2, float64), [1e-278, 1e-222]],
    ['downwards', g.logspace(2, 0, 3), [100, 10, 1]],
    ['one', g.logspace(1, 4, 1), [10]],
    ['none', g.logspace(1, 4, 0), []],
    ['ratios', g.geomspace(1, 1000, 4, float64), [1, 10, 100, 1000]],
    ['of negative numbers', g.geomspace(-1000, -1, 4), [-1000, -100, -10, -1]],
    ['of integers', g.geomspace(1, 1000, 4, { dtype: 'int32' }), [1, 10, 100, 1000]],
    ['one ratio', g.geomspace(3, 7, 1), [3]],
    ['no ratio', g.geomspace(3, 7, 0), []],
  ])('%s', (_, x, values) => {
    expect(x.arraySync()).toEqual(values)
  })

  test('the bounds are exact, whatever their logarithms', () => {
    for (const [start, stop] of [
      [0.1, 0.3],
      [7, 1e-300],
      [-3e300, -1 / 3],
    ] as const) {
      const data = g.geomspace(start, stop, 9, float64).dataSync()
      expect([data[0], data[8]]).toEqual([start, stop])
    }
    expect(g.logspace(0, 1, 0).shape).toEqual([0])
    expect(g.logspace(0, 1).size).toBe(50)
    expect(g.geomspace(1, 2).size).toBe(50)
  })

  test.each([
    [() => g.geomspace(0, 1, 3), RangeError, 'geomspace: expected bounds of one sign other than 0, got 0 and 1'],
    [() => g.geomspace(-1, 1, 3), RangeError, 'geomspace: expected bounds of one sign other than 0, got -1 and 1'],
    [() => g.logspace(0, Infinity), RangeError, 'logspace: expected finite bounds, got 0 and Infinity'],
    [() => g.logspace(0, 1, -1), RangeError, 'logspace: expected a count that is a natural number, got -1'],
    [() => g.logspace(0, 1, 2, { base: -2 }), RangeError, 'logspace: expected a positive base, got -2'],
    [() => g.logspace(0, 1, 2, 2 as never), TypeError, 'logspace: expected options'],
    [() => g.geomspace(1, 2, 2, { type: 'int32' } as never), TypeError, 'geomspace: unknown option type'],
  ])('%s', (run, error, message) => {
    expect(run).toThrow(error)
    expect(run).toThrow(message)
  })
})

describe.each(backendNames)('like others, on %s', (backend) => {
  beforeAll(() => g.setBackend(backend))

  const x = g.ones([3, 50], { dtype: 'float64' })

  test('fullLike has the shape, and the dtype unless another is given', () => {
    const y = g.fullLike(g.tensor([[1, 2]], { dtype: 'int32' }), 7)
    expect([y.dtype, y.arraySync()]).toEqual(['int32', [[7, 7]]])
    expect(g.fullLike([true], 0.5, { dtype: 'float32' }).arraySync()).toEqual([0.5])
  })

  test('randLike and randnLike draw what uniform and randn draw', () => {
    g.setBackend('reference')
    const options = { dtype: 'float64', seed: 3 } as const
    expect(g.randLike(x, { seed: 3 }).arraySync()).toEqual(g.uniform([3, 50], options).arraySync())
    expect(g.randnLike(x, { seed: 3 }).arraySync()).toEqual(g.randn([3, 50], options).arraySync())
    g.setBackend(backend)
    const y = g.randLike([1, 2, 3])
    expect([y.dtype, y.shape]).toEqual(['float32', [3]])
    expect(y.arraySync()).not.toEqual(g.randLike(y).arraySync())
  })

  test.each([
    [() => g.randLike(g.tensor([1], { dtype: 'int32' })), 'randLike: expected float32 or float64, got int32'],
    [() => g.randnLike(x, { std: 2 } as never), 'randnLike: unknown option std'],
    [() => g.fullLike(x, 1, 'int32' as never), 'fullLike: expected options'],
  ])('%s', (run, message) => {
    expect(run).toThrow(TypeError)
    expect(run).toThrow(message)
  })
})

/** Nested arrays of tensors: what they are, and that the event loop turns while large ones are made. */
import { describe, expect, test } from 'vitest'
import type { DType } from '../../lib/base/dtype.ts'
import * as g from '../../lib/index.ts'
import { turnsUntil } from '../support/turns.ts'

const counted = (size: number) => Int32Array.from({ length: size }, (_, i) => i % 251)

/** Element by element, by its indices. */
function slowly(data: ArrayLike<number>, shape: readonly number[], of: (x: number) => unknown, from = 0): unknown {
  const [extent, ...rest] = shape
  if (extent === undefined) return of(data[from]!)
  const stride = rest.reduce((a, b) => a * b, 1)
  return Array.from({ length: extent }, (_, i) => slowly(data, rest, of, from + i * stride))
}

describe('nested arrays', () => {
  const shapes = [
    [],
    [1],
    [0],
    [3],
    [2, 0],
    [0, 2],
    [2, 3],
    [70_000],
    [2, 70_000],
    [40_000, 2],
    [2, 3, 1, 2],
    [3, 20_000, 1, 2],
  ]

  test.each(shapes.map((shape) => [shape]))('of shape %j', async (shape) => {
    const size = shape.reduce((a, b) => a * b, 1)
    for (const dtype of ['float32', 'int32', 'bool'] as const satisfies DType[]) {
      const x = g.tensor(counted(size), { shape, dtype })
      const expected = slowly(counted(size), shape, dtype === 'bool' ? Boolean : Number)
      expect(x.arraySync()).toEqual(expected)
      expect(await x.array()).toEqual(expected)
    }
  })

  test.each([[[2 ** 20]], [[2 ** 10, 2 ** 10]], [[2 ** 17, 2]], [[2 ** 17, 1, 1, 1]]])(
    'the event loop turns while one of %j is made',
    async (shape) => {
      const [x] = await g.evaluate(g.zeros(shape))
      expect(await turnsUntil(x.array())).toBeGreaterThan(15)
    },
  )

  test('small ones are made at once', async () => {
    const [x] = await g.evaluate(g.zeros([100, 100]))
    expect(await turnsUntil(x.array())).toBeLessThan(3)
  })
})

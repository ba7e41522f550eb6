/** What the compiler knows of results: refused lines fail the type check. */
import { expect, expectTypeOf, test } from 'vitest'
import * as g from '../../lib/index.ts'

const x = g.arange(6).reshape([3, 2])

test('parts by a literal are tuples', () => {
  const halves = g.chunk(x, 2)
  expectTypeOf(halves).toEqualTypeOf<[g.Tensor, g.Tensor]>()
  expectTypeOf(x.split(3)).toEqualTypeOf<[g.Tensor, g.Tensor, g.Tensor]>()
  expectTypeOf(x.split([1, 2])).toEqualTypeOf<[g.Tensor, g.Tensor]>()
  expectTypeOf(x.tensorSplit([1, 2])).toEqualTypeOf<[g.Tensor, g.Tensor, g.Tensor]>()
  expectTypeOf(g.unstack<3>(x)).toEqualTypeOf<[g.Tensor, g.Tensor, g.Tensor]>()
  expect([halves, x.split(3), x.split([1, 2]), x.tensorSplit([1, 2]), g.unstack<3>(x)].map((p) => p.length)).toEqual([
    2, 3, 2, 3, 3,
  ])
  // @ts-expect-error: there is no third part
  const [, , third] = g.chunk(x, 2)
  expect(third).toBeUndefined()
})

test('parts by what is known at run time alone are lists', () => {
  const [count, sizes]: [number, number[]] = [3, [1, 2]]
  expectTypeOf(x.chunk(count)).toEqualTypeOf<g.Tensor[]>()
  expectTypeOf(x.split(sizes)).toEqualTypeOf<g.Tensor[]>()
  expectTypeOf(x.tensorSplit(sizes)).toEqualTypeOf<g.Tensor[]>()
  expectTypeOf(x.unstack()).toEqualTypeOf<g.Tensor[]>()
  expectTypeOf(x.chunk(1000)).toEqualTypeOf<g.Tensor[]>()
})

test('nested arrays have the depth that the caller knows', async () => {
  const rows = await x.array<number[][]>()
  expectTypeOf(rows).toEqualTypeOf<number[][]>()
  expect(rows[2]?.[1]).toBe(5)
  expectTypeOf(x.arraySync<number[][]>()).toEqualTypeOf<number[][]>()
  // @ts-expect-error: an array of tensors holds no texts
  x.arraySync<string[]>()
})

/** Other names of operations, by walking their list: each is an operation itself, also as a method. */
import { describe, expect, test } from 'vitest'
import * as g from '../../lib/index.ts'
import * as aliases from '../../lib/operations/aliases.ts'

const all = Object.entries(g).filter(([name]) => !Object.hasOwn(aliases, name))
const notMethods = ['array', 'asarray', 'cat', 'concatenate', 'fill', 'manualSeed', 'rand', 'randperm', 'range']

test.each(Object.entries(aliases))('%s is another name', (name, operation) => {
  expect((g as Record<string, unknown>)[name]).toBe(operation)
  const [original] = all.find(([, value]) => value === operation) ?? []
  expect(original).toBeDefined()
  // x.array() gives the elements.
  if (name === 'array') return
  const hasMethod = name in g.Tensor.prototype
  expect(hasMethod).toBe(!notMethods.includes(name))
  if (hasMethod) expect(original! in g.Tensor.prototype).toBe(true)
})

describe('as they are typed', () => {
  const x = g.tensor([
    [1, 2, 3],
    [4, 5, 6],
  ])

  test('as methods, whose types are those of the operations', () => {
    expect(x.detach().arraySync()).toEqual(x.arraySync())
    expect(x.t().shape).toEqual([3, 2])
    expect(x.view([3, 2]).shape).toEqual([3, 2])
    expect(x.mm(x.t()).shape).toEqual([2, 2])
    expect(x.clip(2, 4).arraySync()).toEqual([
      [2, 2, 3],
      [4, 4, 4],
    ])
    expect(x.eq(2).dtype).toBe('bool')
    expect(x.var(1).arraySync()).toEqual([1, 1])
    expect(x.astype('int32').dtype).toBe('int32')
  })

  test('as functions', () => {
    expect(g.cat([x, x], 1).shape).toEqual([2, 6])
    expect(g.concatenate([x, x]).shape).toEqual([4, 3])
    expect(g.rand([2, 3]).shape).toEqual([2, 3])
    expect(g.randint([2], 5).shape).toEqual([2])
    expect(g.randperm(4).shape).toEqual([4])
    expect(g.array([1, 2]).shape).toEqual([2])
    expect(g.fill([2], 3).arraySync()).toEqual([3, 3])
    expect(g.matMul(x, x.t()).shape).toEqual([2, 2])
  })

  test('detach stops the gradient', () => {
    expect(
      g
        .grad((y) => y.mul(y.detach()).sum())([2, 3])
        .arraySync(),
    ).toEqual([2, 3])
  })
})

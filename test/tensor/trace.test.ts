/** What a function may know of its being compiled. */
import { describe, expect, test } from 'vitest'
import * as g from '../../lib/index.ts'

describe('guard', () => {
  test('gives what it reads, and has a compiled function recorded anew where that has changed', async () => {
    let factor = 2
    const scaled = g.compile((x: g.Tensor) => x.mul(g.guard(() => factor)))
    const values = []
    for (factor of [2, 3, 2]) values.push((await scaled(g.tensor(5))).itemSync())
    expect(values).toEqual([10, 15, 10])
    expect(scaled.traces).toBe(2)
    expect(g.guard(() => factor)).toBe(2)
  })
})

describe('isCompiling', () => {
  test('is true while a function is recorded, and then only', async () => {
    const seen: boolean[] = []
    const compiled = g.compile((x: g.Tensor) => {
      seen.push(g.isCompiling())
      return x.add(1)
    })
    expect(g.isCompiling()).toBe(false)
    await compiled(g.tensor(1))
    await compiled(g.tensor(2))
    expect(seen).toEqual([true])
    const failing = g.compile(() => {
      throw new Error('mine')
    })
    expect(() => failing.sync()).toThrow('mine')
    expect(g.isCompiling()).toBe(false)
  })
})

test('a variable made while a function is compiled begins with what another one holds', async () => {
  const w = g.variable([1, 2])
  let copy: g.Variable | undefined
  const compiled = g.compile(() => {
    copy ??= g.variable(w)
    copy.assign(copy.add(w))
    w.assign(w.mul(10))
    return g.isCompiling()
  })
  expect(await compiled()).toBe(true)
  await compiled()
  expect([w.arraySync(), copy!.arraySync()]).toEqual([
    [100, 200],
    [12, 24],
  ])
})

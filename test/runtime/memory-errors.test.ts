/** What is said where memory lacks: the operation that wants most, and its shape. */
import { totalmem } from 'node:os'
import { describe, expect, test, vi } from 'vitest'
import { activeBackend, setBackend } from '../../lib/backend/active.ts'
import * as g from '../../lib/index.ts'

describe('where memory lacks', () => {
  test('an evaluation names the operation that makes the largest value', () => {
    setBackend('native')
    const product = g.randn([2 ** 28, 1]).matmul(g.ones([1, 4]))
    const many = Array.from({ length: Math.ceil(totalmem() / 2 ** 32) + 1 }, (_, i) => product.mul(i + 2))
    expect(() => g.evaluateSync(...many)).toThrow(
      /^evaluate: expected at most \d+ bytes, .*: \w+ makes float32\[268435456,4\]$/,
    )
  })

  test('so does a backend that cannot prepare it, and what follows runs', () => {
    setBackend('reference')
    const prepare = vi.spyOn(activeBackend(), 'prepare').mockImplementationOnce(() => {
      throw new RangeError('prepare: expected a program that fits in memory')
    })
    const x = g.ones([20, 3])
    expect(() =>
      x
        .matmul(g.ones([3, 50]))
        .sum()
        .itemSync(),
    ).toThrow(/^evaluate: expected enough memory, got a program that has too little: matmul makes float32\[20,50\]$/)
    prepare.mockRestore()
    expect(x.sum().itemSync()).toBe(60)
  })
})

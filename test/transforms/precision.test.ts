/** Products of bf16: what is rounded, where a scope reaches, and that gradients follow their products. */
import { beforeAll, describe, expect, test } from 'vitest'
import * as g from '../../lib/index.ts'
import { backends } from '../runtime/backends.ts'
import { expectClose } from '../support/close.ts'

/** To 8 bits of precision, by arithmetic: adding 2^(e + 16) leaves no finer bits of a float of exponent e. */
function rounded(x: number): number {
  if (x === 0 || !Number.isFinite(x)) return x
  const big = 3 * 2 ** (Math.floor(Math.log2(Math.abs(x))) + 15)
  return Math.fround(Math.fround(x + big) - big)
}

const roundedTensor = (x: g.Tensor): g.Tensor => g.tensor(x.dataSync().map(rounded), { shape: [...x.shape] })

const product = (x: number, y: number): number =>
  g.withPrecision('bf16', () => g.tensor([[x]]).matmul(g.tensor([[y]]))).itemSync()

const matmulLines = (...results: g.Tensor[]): string[] =>
  g
    .compile(() => results)
    .program()
    .split('\n')
    .filter((line) => line.includes('= matmul'))

const isBf16 = (line: string): boolean => line.endsWith(', bf16')

const [a, b, c] = [
  [5, 33],
  [33, 18],
  [5, 18],
].map((shape, i) => g.randn(shape, { seed: i + 1 })) as [g.Tensor, g.Tensor, g.Tensor]

describe.each(backends)('withPrecision on %s', (backend) => {
  beforeAll(() => g.setBackend(backend))

  test.each([
    ['what has 8 bits stays', 255, 255],
    ['the nearest', 1 + 2 ** -9, 1],
    ['a tie goes to the even one, down', 1 + 2 ** -8, 1],
    ['and up', 1 + 3 * 2 ** -8, 1 + 2 ** -6],
    ['of both signs', -257, -256],
    ['beyond the greatest', 3.4e38, Infinity],
    ['infinity', -Infinity, -Infinity],
    ['NaN', NaN, NaN],
  ])('rounds both operands: %s', (_, x, y) => {
    expect(product(x, 1)).toBe(y)
    expect(product(1, x)).toBe(y)
  })

  test('a NaN of any bits stays one', () => {
    const words = Uint32Array.from([0x7f800001, 0x7fffffff, 0xffc00000])
    const x = g.tensor(new Float32Array(words.buffer), { shape: [3, 1] })
    const y = g.withPrecision('bf16', () => x.matmul(g.tensor([[1]])))
    expect(Array.from(y.dataSync())).toEqual([NaN, NaN, NaN])
  })

  test('is the product of rounded operands, summed in float32', () => {
    const got = g.withPrecision('bf16', () => a.matmul(b))
    const wanted = roundedTensor(a).matmul(roundedTensor(b))
    expectClose(got.dataSync(), wanted.dataSync(), 1e-5)
    expect(got.sub(a.matmul(b)).abs().max().itemSync()).toBeGreaterThan(1e-4)
  })

  test('gradients are products of the same precision, of rounded cotangents and operands, wherever they are taken', () => {
    const [x, w] = [g.variable(a), g.variable(b)]
    const y = g.withPrecision('bf16', () => x.matmul(w))
    const found = g.gradients(y, [x, w], c)
    expectClose(found[0].dataSync(), roundedTensor(c).matmul(roundedTensor(b).transpose()).dataSync(), 1e-5)
    expectClose(found[1].dataSync(), roundedTensor(a).transpose().matmul(roundedTensor(c)).dataSync(), 1e-5)
  })
})

describe('the scope', () => {
  beforeAll(() => g.setBackend('reference'))

  test('is of what is recorded in it, the innermost one first, and ends with the function', () => {
    const [outer, inner, after] = g.withPrecision('bf16', () => {
      const outer = a.matmul(b)
      const inner = g.withPrecision('float32', () => a.matmul(b))
      return [outer, inner, a.matmul(b)]
    }) as [g.Tensor, g.Tensor, g.Tensor]
    expect([outer, inner, after, a.matmul(b)].map((x) => matmulLines(x).map(isBf16))).toEqual([
      [true],
      [false],
      [true],
      [false],
    ])
  })

  test('ends where the function throws', () => {
    const failing = () =>
      g.withPrecision('bf16', () => {
        throw new RangeError('mine')
      })
    expect(failing).toThrow(new RangeError('mine'))
    expect(matmulLines(a.matmul(b)).map(isBf16)).toEqual([false])
  })

  test('refuses async functions, whose rest would be in no scope, and leaves none open', () => {
    const rest: boolean[] = []
    const later = async () => {
      await null
      rest.push(...matmulLines(a.matmul(b)).map(isBf16))
    }
    expect(() => g.withPrecision('bf16', later)).toThrow(
      new TypeError('withPrecision: expected a function that is not async, got one that returned a promise'),
    )
    expect(matmulLines(a.matmul(b)).map(isBf16)).toEqual([false])
    return new Promise<void>((resolve) => setImmediate(resolve)).then(() => expect(rest).toEqual([false]))
  })

  test('refuses other precisions, and what is no function', () => {
    expect(() => g.withPrecision('float16' as 'bf16', () => 1)).toThrow(
      new RangeError("withPrecision: expected precision 'float32' or 'bf16', got float16"),
    )
    expect(() => g.withPrecision('bf16', 3 as never)).toThrow(TypeError)
  })

  test('gives what the function gives', () => {
    expect(g.withPrecision('bf16', () => 7)).toBe(7)
  })

  test('a derivative follows its product into any scope, and the second one too', () => {
    const [x, w] = [g.variable(a), g.variable(b)]
    const plain = x.matmul(w).square().sum()
    const inScope = g.withPrecision('bf16', () => g.gradients(plain, [x, w]))
    expect(matmulLines(...inScope).map(isBf16)).toEqual([false, false, false])
    const half = g.withPrecision('bf16', () => x.matmul(w).square().sum())
    const [dx] = g.gradients(half, [x]) as [g.Tensor]
    const second = matmulLines(...g.gradients(dx.square().sum(), [x, w]))
    expect(second.length).toBeGreaterThan(3)
    expect(second.every(isBf16)).toBe(true)
  })

  test('linear algebra keeps its precision, also that of its gradients', () => {
    const x = g.variable(
      g
        .eye(4)
        .mul(3)
        .add(g.randn([4, 4], { seed: 1 }).mul(0.1)),
    )
    const lines = g.withPrecision('bf16', () => matmulLines(...g.gradients(g.linalg.inverse(x).sum(), [x])))
    expect(lines.length).toBeGreaterThan(0)
    expect(lines.some(isBf16)).toBe(false)
  })

  test('a rule of its own makes products of the precision in which it was recorded', () => {
    const x = g.variable(a)
    const f = g.customGradient(
      (x) => x.sum(),
      (ct, _y, x) => x.matmul(b).matmul(b.transpose()).mul(ct),
    )
    const [dx] = g.gradients(
      g.withPrecision('bf16', () => f(x)),
      [x],
    )
    expect(matmulLines(dx!).map(isBf16)).toEqual([true, true])
    const [plain] = g.gradients(f(x), [x])
    expect(matmulLines(plain!).map(isBf16)).toEqual([false, false])
  })

  test('products of float64 and of integers are as ever', () => {
    const wide = g.withPrecision('bf16', () => a.cast('float64').matmul(b.cast('float64')))
    expect(wide.dataSync()).toEqual(a.cast('float64').matmul(b.cast('float64')).dataSync())
    const whole = g.withPrecision('bf16', () =>
      g.tensor([[257]], { dtype: 'int32' }).matmul(g.tensor([[257]], { dtype: 'int32' })),
    )
    expect(whole.itemSync()).toBe(257 * 257)
  })

  test('tells structures apart, and no common subexpression is made of two precisions', () => {
    const both = g.compile((x: g.Tensor, w: g.Tensor) => [
      x.matmul(w),
      g.withPrecision('bf16', () => x.matmul(w)),
      x.matmul(w),
    ])
    const [float32, bf16, again] = both.sync(a, b) as [g.Tensor, g.Tensor, g.Tensor]
    expect(again.dataSync()).toEqual(float32.dataSync())
    expect(bf16.dataSync()).not.toEqual(float32.dataSync())
    const alone = g.withPrecision('bf16', () => a.matmul(b))
    expect(alone.graph()).toContain('matmul %0 %1 { precision: bf16 }')
    expect(a.matmul(b).dataSync()).toEqual(float32.dataSync())
    expect(alone.dataSync()).toEqual(bf16.dataSync())
  })

  test('a compiled function that is called in another one is recorded anew', () => {
    let recorded = 0
    const f = g.compile((x: g.Tensor, w: g.Tensor) => {
      recorded++
      return x.matmul(w)
    })
    const float32 = f.sync(a, b).dataSync()
    const bf16 = g.withPrecision('bf16', () => f.sync(a, b)).dataSync()
    expect(bf16).not.toEqual(float32)
    expect(f.sync(a, b).dataSync()).toEqual(float32)
    expect(g.withPrecision('bf16', () => f.sync(a, b)).dataSync()).toEqual(bf16)
    expect(recorded).toBe(2)
  })

  test('gradients through a compiled call are of its precision', () => {
    const [x, w] = [g.variable(a), g.variable(b)]
    const f = g.compile(() => x.matmul(w).square().sum())
    const loss = g.withPrecision('bf16', () => f.sync())
    expect(matmulLines(...g.gradients(loss, [x, w])).every(isBf16)).toBe(true)
  })

  test('reaches into the steps of loops, their derivatives, and what is summed after them', () => {
    const w = g.variable(g.randn([6, 6], { seed: 3 }))
    const xs = g.randn([4, 2, 6], { seed: 4 })
    const loss = () =>
      g.scan((h: g.Tensor, x: g.Tensor) => [h.matmul(w).add(x).tanh(), h], g.zeros([2, 6]), xs)[0].sum()
    const of = (precision: g.Precision) => {
      const y = g.withPrecision(precision, loss)
      return matmulLines(y, ...g.gradients(y, [w]))
    }
    expect(of('bf16').length).toBeGreaterThanOrEqual(3)
    expect(of('bf16').every(isBf16)).toBe(true)
    expect(of('float32').some(isBf16)).toBe(false)
  })

  test('what a checkpoint computes again is of the same precision', () => {
    const w = g.variable(g.randn([6, 6], { seed: 3 }))
    const block = g.checkpoint((x) => x.matmul(w).tanh().matmul(w))
    const y = g.withPrecision('bf16', () => block(g.ones([2, 6])).sum())
    const lines = matmulLines(...g.gradients(y, [w]))
    expect(lines.length).toBeGreaterThan(3)
    expect(lines.every(isBf16)).toBe(true)
  })
})

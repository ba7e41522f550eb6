/** Initializers under PyTorch's names: values and distributions by its formulas, and how they are given to layers. */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import * as g from '../../lib/index.ts'
import { backendNames } from '../support/backends.ts'
import { expectClose } from '../support/close.ts'

const { nn } = g
const { init } = nn

interface Fixtures {
  gains: { name: g.nn.init.Nonlinearity; slope: number | null; gain: number }[]
  kaiming: { shape: number[]; std: number; mode: 'fanIn' | 'fanOut'; nonlinearity: g.nn.init.Nonlinearity; a: number }[]
  xavier: { shape: number[]; gain: number; std: number }[]
  values: { name: 'eye' | 'dirac'; shape: number[]; options: object; data: number[] }[]
}

const fixtures: Fixtures = JSON.parse(readFileSync(new URL('../fixtures/init.json', import.meta.url), 'utf8'))

test.each(fixtures.gains)('the gain of $name with slope $slope', ({ name, slope, gain }) => {
  expect(init.calculateGain(name, slope ?? undefined)).toBeCloseTo(gain, 12)
})

/** Five standard errors of the variance, of normal numbers twice its square, of uniform ones less. */
function expectDeviation(x: g.Tensor, std: number): void {
  expect(Math.abs(x.square().mean().itemSync() / std ** 2 - 1)).toBeLessThan(5 * Math.sqrt(2 / x.size))
  expect(Math.abs(x.mean().itemSync() / std)).toBeLessThan(5 / Math.sqrt(x.size))
}

test.each(fixtures.kaiming)('kaiming of $shape by $mode for $nonlinearity $a', ({ shape, std, ...options }) => {
  const uniform = init.kaimingUniform(shape, { ...options, seed: 1 })
  expectDeviation(uniform, std)
  expect(uniform.abs().max().itemSync()).toBeLessThanOrEqual(std * Math.sqrt(3) * (1 + 1e-6))
  expect(uniform.abs().max().itemSync()).toBeGreaterThan(std * Math.sqrt(3) * 0.98)
  const normal = init.kaimingNormal(shape, { ...options, seed: 1 })
  expectDeviation(normal, std)
  expect(normal.abs().max().itemSync()).toBeGreaterThan(2.5 * std)
})

test.each(fixtures.xavier)('xavier of $shape with gain $gain', ({ shape, gain, std }) => {
  const uniform = init.xavierUniform(shape, { gain, seed: 2 })
  expectDeviation(uniform, std)
  expect(uniform.abs().max().itemSync()).toBeLessThanOrEqual(std * Math.sqrt(3) * (1 + 1e-6))
  expectDeviation(init.xavierNormal(shape, { gain, seed: 2 }), std)
})

test('with gain 1 they are Keras’s, and for relu He’s, to the bit', () => {
  const options = { seed: 3 }
  const same = [
    [init.xavierUniform, init.glorotUniform],
    [init.xavierNormal, init.glorotNormal],
    [init.kaimingUniform, init.heUniform],
    [init.kaimingNormal, init.heNormal],
  ] as const
  for (const [a, b] of same) expectClose(a([20, 30], options), b([20, 30], options).dataSync(), 1e-7)
})

describe.each(backendNames)('on the %s backend', (backend) => {
  test.each(fixtures.values)('$name of $shape $options is PyTorch’s', ({ name, shape, options, data }) => {
    g.setBackend(backend)
    const x = init[name](shape, options)
    expect(x.shape).toEqual(shape)
    expect(Array.from(x.dataSync() as Float32Array)).toEqual(data)
  })

  test.each([[[20, 7]], [[7, 20]], [[6, 2, 3, 3]], [[5, 5]]])(
    'orthogonal of %j has orthogonal rows or columns',
    (shape) => {
      g.setBackend(backend)
      const x = init.orthogonal(shape, { gain: 2, seed: 4 }).reshape([shape[0]!, -1])
      expect(x.size).toBe(shape.reduce((a, b) => a * b))
      const [rows, columns] = x.shape as [number, number]
      const products = rows < columns ? x.matmul(x.transpose()) : x.transpose().matmul(x)
      expectClose(products, g.eye(Math.min(rows, columns)).mul(4).dataSync(), 1e-5)
    },
  )
})

test('orthogonal matrices are uniform among those: their diagonals have no sign', () => {
  // By the signs of r's diagonal: without them the first element of a Householder's q would be negative or positive as LAPACK has it.
  const signs = Array.from({ length: 200 }, (_, seed) =>
    Math.sign(init.orthogonal([3, 3], { seed }).at(0, 0).itemSync()),
  )
  expect(Math.abs(signs.reduce((a, b) => a + b))).toBeLessThan(5 * Math.sqrt(200))
})

test('sparse has so many zeros in each column, elsewhere in each', () => {
  const x = init.sparse([10, 50], { sparsity: 0.25, std: 2, seed: 5 })
  expect(x.equal(0).cast('int32').sum(0).arraySync()).toEqual(Array(50).fill(3))
  const rows = x.equal(0).cast('int32').sum(1).arraySync() as number[]
  expect(Math.min(...rows)).toBeGreaterThan(0)
  expect(Math.abs(x.square().sum().itemSync() / (350 * 4) - 1)).toBeLessThan(5 * Math.sqrt(2 / 350))
  expect(init.sparse([4, 4], { sparsity: 1 }).abs().sum().itemSync()).toBe(0)
})

test('fills', () => {
  expect(init.constant([2], 3).arraySync()).toEqual([3, 3])
  expect([init.ones([1]).itemSync(), init.zeros([1]).itemSync()]).toEqual([1, 0])
  expectDeviation(init.normal([4000], { mean: 0, std: 3, seed: 1 }), 3)
  const uniform = init.uniform([1000], { min: 2, max: 3, seed: 1 })
  expect([uniform.min().itemSync() >= 2, uniform.max().itemSync() < 3]).toEqual([true, true])
  const truncated = init.truncNormal([4000], { std: 2, seed: 1 }).abs().max().itemSync()
  expect(truncated).toBeLessThanOrEqual(2)
  expect(truncated).toBeGreaterThan(1.9)
})

test('the same seed gives the same bits, none gives others', () => {
  const all = [init.uniform, init.normal, init.truncNormal, init.xavierUniform, init.kaimingNormal, init.orthogonal]
  for (const initializer of all) {
    const [a, b, c] = [{ seed: 9 }, { seed: 9 }, {}].map((options) => initializer([3, 4], options).dataSync())
    expect(a).toEqual(b)
    expect(a).not.toEqual(c)
  }
  expect(init.sparse([9, 9], { sparsity: 0.5, seed: 2 ** 32 - 1 }).dataSync()).toEqual(
    init.sparse([9, 9], { sparsity: 0.5, seed: 2 ** 32 - 1 }).dataSync(),
  )
})

test('what does not fit is refused', () => {
  expect(() => init.dirac([3, 2])).toThrow(g.ShapeError)
  expect(() => init.dirac([3, 2, 3], { groups: 2 })).toThrow('dirac: expected groups that divide 3 channels, got 2')
  expect(() => init.eye([3])).toThrow(g.ShapeError)
  expect(() => init.orthogonal([3])).toThrow(g.ShapeError)
  expect(() => init.sparse([3, 3], { sparsity: 1.5 })).toThrow(RangeError)
  expect(() => init.sparse([3, 3], {} as never)).toThrow('sparse: expected a sparsity, got undefined')
  expect(() => init.calculateGain('reel' as never)).toThrow(RangeError)
  expect(() => init.kaimingNormal([2, 2], { nonlinearity: 'reel' as never })).toThrow(/^kaimingNormal: expected/)
})

test('layers take them by name, or with options in a function', () => {
  expect(nn.linear(2, 2, { initializer: 'eye' }).weight.arraySync()).toEqual([
    [1, 0],
    [0, 1],
  ])
  const layer = nn.linear(2, 2, { initializer: (shape) => init.constant(shape, 3), seed: 2 ** 32 - 1 })
  expect(layer.weight.arraySync()).toEqual([
    [3, 3],
    [3, 3],
  ])
  const x = g.randn([1, 3, 4, 4])
  const same = nn.conv2d(3, 3, 3, { padding: 'same', bias: false, initializer: 'dirac' })
  expect(same.forward(x).arraySync()).toEqual(x.arraySync())
})

/** What operations give, index by index and dtype by dtype, by definition: what parity and gradients cannot tell. */
import { beforeAll, describe, expect, test } from 'vitest'
import { sizeOf } from '../../lib/base/shape.ts'
import * as g from '../../lib/index.ts'

beforeAll(() => g.setBackend('reference'))

/** The number with these digits: the element at [1, 2, 3] of `digits` is 123. */
const read = (...index: number[]): number => index.reduce((number, digit) => 10 * number + digit, 0)

/** Nested arrays of a shape, by what each index holds. */
function make<T>([extent, ...rest]: g.Shape, at: (...index: number[]) => T): unknown {
  if (extent === undefined) return at()
  return Array.from({ length: extent }, (_, i) => make(rest, (...index) => at(i, ...index)))
}

const digits = (...shape: number[]): g.Tensor => {
  const elements = sizeOf(shape) === 0 ? [] : ([make(shape, read)].flat(shape.length + 1) as number[])
  return g.tensor(elements, { shape })
}

type Element = number | boolean

interface Definition {
  readonly y: () => g.Tensor
  readonly shape: g.Shape
  readonly at: (...index: number[]) => Element
}

const sumOver = (count: number, f: (i: number) => number): number =>
  Array.from({ length: count }, (_, i) => f(i)).reduce((a, b) => a + b, 0)

const movement: Readonly<Record<string, Definition>> = {
  transpose: { y: () => digits(2, 3, 4).transpose(), shape: [4, 3, 2], at: (k, j, i) => read(i!, j!, k!) },
  'transpose by axes': {
    y: () => digits(2, 3, 4).transpose([2, 0, 1]),
    shape: [4, 2, 3],
    at: (k, i, j) => read(i!, j!, k!),
  },
  'transpose twice': {
    y: () => digits(2, 3, 4).transpose([2, 0, 1]).transpose([-2, -1, 0]),
    shape: [2, 3, 4],
    at: read,
  },
  reshape: {
    y: () => digits(2, 6).reshape([3, -1]),
    shape: [3, 4],
    at: (i, j) => Math.floor((4 * i! + j!) / 6) * 10 + ((4 * i! + j!) % 6),
  },
  'reshape of a transpose': {
    y: () => digits(2, 3).transpose().reshape([6]),
    shape: [6],
    at: (i) => read(i! % 2, Math.floor(i! / 2)),
  },
  'axes joined and taken apart': {
    y: () => digits(2, 3, 4).transpose([1, 0, 2]).reshape([3, 8]).slice([0, 4]).reshape([3, 2, 2]),
    shape: [3, 2, 2],
    at: (j, a, b) => read(1, j!, 2 * a! + b!),
  },
  flatten: { y: () => digits(2, 3, 4).flatten(1), shape: [2, 12], at: (i, j) => read(i!, Math.floor(j! / 4), j! % 4) },
  broadcastTo: { y: () => digits(3, 1).broadcastTo([2, 3, 4]), shape: [2, 3, 4], at: (_, j) => read(j!, 0) },
  'slice from the end': {
    y: () => digits(5, 4).slice([-2, 1], [5, -1]),
    shape: [2, 2],
    at: (i, j) => read(i! + 3, j! + 1),
  },
  'slice with steps': {
    y: () => digits(7, 5).slice([1, 0], [7, 5], { step: [2, 3] }),
    shape: [3, 2],
    at: (i, j) => read(1 + 2 * i!, 3 * j!),
  },
  'slice of a slice of a transpose': {
    y: () =>
      digits(6, 5)
        .transpose()
        .slice([1, 2])
        .slice([1, 0], [4, 4], { step: [1, 3] }),
    shape: [3, 2],
    at: (i, j) => read(2 + 3 * j!, 2 + i!),
  },
  'slice backwards': {
    y: () => digits(7, 5).slice([5, null], [1, 1], { step: [-2, -1] }),
    shape: [2, 3],
    at: (i, j) => read(5 - 2 * i!, 4 - j!),
  },
  'slice backwards beyond the ends': {
    y: () => digits(4).slice(100, -100, { step: -3 }),
    shape: [2],
    at: (i) => 3 - 3 * i!,
  },
  'slice backwards of a slice backwards': {
    y: () => digits(6).slice(null, null, { step: -1 }).slice(4, null, { step: -2 }),
    shape: [3],
    at: (i) => 1 + 2 * i!,
  },
  'reshape of a slice backwards': {
    y: () =>
      digits(2, 3)
        .slice([null, null], [null, null], { step: [-1, -1] })
        .reshape([6]),
    shape: [6],
    at: (i) => read(1 - Math.floor(i! / 3), 2 - (i! % 3)),
  },
  'slice beyond the end': { y: () => digits(3).slice(1, 100), shape: [2], at: (i) => i! + 1 },
  'slice of nothing': { y: () => digits(3, 4).slice([2], [1]), shape: [0, 4], at: read },
  'concat of views': {
    y: () => g.concat([digits(3, 2).transpose(), digits(2, 4).slice([0, 2])], 1),
    shape: [2, 5],
    at: (i, j) => (j! < 3 ? read(j!, i!) : read(i!, j! - 1)),
  },
  'gather of rows': {
    y: () =>
      digits(4, 2, 3).gather([
        [3, 0],
        [1, 3],
      ]),
    shape: [2, 2, 2, 3],
    at: (a, b, j, k) =>
      read(
        [
          [3, 0],
          [1, 3],
        ][a!]![b!]!,
        j!,
        k!,
      ),
  },
  'gather of a transpose': {
    y: () => digits(2, 3).transpose().gather([2, 0]),
    shape: [2, 2],
    at: (a, i) => read(i!, [2, 0][a!]!),
  },
  scatterAdd: {
    y: () =>
      digits(3, 2).scatterAdd(
        [2, 0, 2],
        [
          [1, 2],
          [3, 4],
          [5, 6],
        ],
      ),
    shape: [3, 2],
    at: (i, j) =>
      read(i!, j!) +
      [
        [3, 4],
        [0, 0],
        [6, 8],
      ][i!]![j!]!,
  },
  oneHot: {
    y: () =>
      g.oneHot(
        [
          [2, 0],
          [1, 3],
        ],
        3,
      ),
    shape: [2, 2, 3],
    at: (i, j, c) =>
      Number(
        [
          [2, 0],
          [1, 3],
        ][i!]![j!] === c,
      ),
  },
}

const computation: Readonly<Record<string, Definition>> = {
  'sum over an axis in the middle': {
    y: () => digits(2, 3, 4).sum(1),
    shape: [2, 4],
    at: (i, k) => sumOver(3, (j) => read(i!, j, k!)),
  },
  'sum over axes that are apart': {
    y: () => digits(2, 3, 4).sum([0, -1], { keepDims: true }),
    shape: [1, 3, 1],
    at: (_, j) => sumOver(2, (i) => sumOver(4, (k) => read(i, j!, k))),
  },
  'mean over axes that are apart': {
    y: () => digits(2, 3, 4).mean([2, 0]),
    shape: [3],
    at: (j) => sumOver(2, (i) => sumOver(4, (k) => read(i, j!, k))) / 8,
  },
  'max over no axes': { y: () => digits(2, 3).max([]), shape: [2, 3], at: read },
  'min of a transpose': { y: () => digits(2, 3).transpose().min(1), shape: [3], at: (j) => read(0, j!) },
  'argmax of the whole': { y: () => digits(2, 3).argmax(), shape: [], at: () => 5 },
  'argmax, kept': { y: () => digits(2, 3).neg().argmax(0, { keepDims: true }), shape: [1, 3], at: () => 0 },
  'addends of two shapes': {
    y: () => digits(2, 1, 3).add(digits(4, 1)),
    shape: [2, 4, 3],
    at: (i, j, k) => read(i!, 0, k!) + read(j!, 0),
  },
  'comparison of two shapes': {
    y: () => digits(3, 1).less(digits(4)),
    shape: [3, 4],
    at: (i, j) => read(i!, 0) < j!,
  },
  'matmul of transposes': {
    y: () => digits(4, 2).transpose().matmul(digits(3, 4).transpose()),
    shape: [2, 3],
    at: (i, j) => sumOver(4, (q) => read(q, i!) * read(j!, q)),
  },
  'matmul of a row and a column': {
    y: () => digits(4).matmul(digits(4)),
    shape: [],
    at: () => sumOver(4, (q) => q * q),
  },
  'matmul of a row': {
    y: () => digits(4).matmul(digits(4, 3)),
    shape: [3],
    at: (j) => sumOver(4, (q) => q * read(q, j!)),
  },
  'matmul of a batch and a column': {
    y: () => digits(2, 3, 4).matmul(digits(4)),
    shape: [2, 3],
    at: (b, i) => sumOver(4, (q) => read(b!, i!, q) * q),
  },
  'matmul of batches that broadcast': {
    y: () => digits(2, 1, 3, 4).matmul(digits(5, 4, 2)),
    shape: [2, 5, 3, 2],
    at: (a, b, i, j) => sumOver(4, (q) => read(a!, 0, i!, q) * read(b!, q, j!)),
  },
  'matmul of permuted batches': {
    y: () =>
      digits(3, 2, 4)
        .transpose([1, 0, 2])
        .matmul(digits(4, 2, 3).transpose([1, 0, 2])),
    shape: [2, 3, 3],
    at: (b, i, j) => sumOver(4, (q) => read(i!, b!, q) * read(q, b!, j!)),
  },
  'softmax along the first axis': {
    y: () => g.zeros([4, 2]).softmax(0),
    shape: [4, 2],
    at: () => 0.25,
  },
}

describe.each([
  ['movement', movement],
  ['computation', computation],
])('%s', (_, definitions) => {
  test.each(Object.entries(definitions))('%s', (_, { y, shape, at }) => {
    const result = y()
    expect(result.shape).toEqual(shape)
    expect(result.arraySync()).toEqual(make(shape, at))
  })
})

describe('dtypes', () => {
  const { bool, uint8, int32, float32 } = Object.fromEntries(
    (['bool', 'uint8', 'int32', 'float32'] as const).map((dtype) => [dtype, g.ones([2], { dtype })]),
  ) as Record<'bool' | 'uint8' | 'int32' | 'float32', g.Tensor>
  const float64 = g.ones([2], { dtype: 'float64' })

  test.each<[string, () => g.Tensor, g.DType]>([
    ['the later of two', () => int32.add(float32), 'float32'],
    ['float64 is the last', () => float32.mul(float64), 'float64'],
    ['sums of bytes are integers', () => uint8.add(uint8), 'int32'],
    ['sums of bools count', () => bool.add(bool), 'int32'],
    ['a number is what the other one is', () => float64.mul(0.5), 'float64'],
    ['an integer stays one', () => int32.add(2), 'int32'],
    ['a fraction does not fit an integer', () => int32.add(0.5), 'float32'],
    ['a number beyond integers', () => int32.mul(2 ** 40), 'float32'],
    ['a number on the left', () => g.sub(1, int32), 'int32'],
    ['two numbers', () => g.add(1, 2), 'float32'],
    ['quotients', () => int32.div(int32), 'float32'],
    ['powers', () => int32.pow(int32), 'float32'],
    ['squares', () => int32.pow(2), 'int32'],
    ['functions of integers', () => int32.exp(), 'float32'],
    ['functions of float64', () => float64.sigmoid(), 'float64'],
    ['relu of integers', () => int32.relu(), 'int32'],
    ['comparisons', () => float32.less(int32), 'bool'],
    ['choices among bytes', () => bool.where(uint8, uint8), 'uint8'],
    ['choices of a number', () => bool.where(uint8, 0), 'uint8'],
    ['sums over bytes', () => uint8.sum(), 'int32'],
    ['means of integers', () => int32.mean(), 'float32'],
    ['the greatest byte', () => uint8.max(), 'uint8'],
    ['the place of the greatest', () => float32.argmax(), 'int32'],
    ['softmax of integers', () => int32.softmax(), 'float32'],
    ['a product with integers', () => uint8.matmul(float32), 'float32'],
    ['losses of float64', () => g.ones([2, 3], { dtype: 'float64' }).softmaxCrossEntropy(int32), 'float64'],
    ['one-hot rows', () => g.oneHot(int32, 3, { dtype: 'bool' }), 'bool'],
  ])('%s', (_, y, dtype) => {
    expect(y().dtype).toBe(dtype)
  })

  test('sums of bytes do not wrap, sums of int32 do', () => {
    expect(g.tensor([200, 255], { dtype: 'uint8' }).add(100).arraySync()).toEqual([300, 355])
    expect(
      g
        .tensor([2 ** 31 - 1], { dtype: 'int32' })
        .add(1)
        .arraySync(),
    ).toEqual([-(2 ** 31)])
    expect(g.tensor(new Uint8Array(1000).fill(255)).sum().itemSync()).toBe(255_000)
  })
})

/** Rows of int8 products: sizes around panels and tiles, rows that have no scale, epilogues; the backends agree to the bit. */

import type { Shape } from '../../../lib/base/shape.ts'
import * as g from '../../../lib/index.ts'
import type { Tensor } from '../../../lib/tensor/tensor.ts'
import { exactly, type OpCase, operand, shapesOf } from '../../support/cases.ts'

const quantized = (x: Tensor, w: Tensor, perChannel = true): Tensor => {
  const { weight, scales } = g.quantizeWeight(w, { perChannel })
  return g.quantizedMatmul(x, weight, scales)
}

const productRow = (x: Shape, w: Shape, part: Partial<OpCase> = {}): OpCase => ({
  inputs: [operand(x), operand(w)],
  f: (a, b) => quantized(a, b),
  contract: exactly,
  ...part,
})

/** Of any bytes as the weight, also where there is no output or input. */
function bytesRow(m: number, k: number, n: number): OpCase {
  const bytes = operand([Math.ceil(n / 16), Math.ceil(k / 4), 16, 4], undefined, 'uint8')
  return {
    inputs: [operand([m, k]), bytes, operand([n])],
    f: (x, weight, scales) => g.quantizedMatmul(x, weight, scales),
    contract: exactly,
  }
}

/** m, k, n: one row and fewer or more than a tile has, one panel and several, steps that are full and not. */
const products = shapesOf(
  '7,60,50 1,1,1 1,4,16 1,784,10 1,130,300 2,33,17 3,5,130 5,64,64 6,64,64 7,31,33 13,130,80 64,100,200 300,70,40 0,4,5' +
    ' 3,0,5',
).map(([m, k, n]) => bytesRow(m!, k!, n!))

const least = 2 ** -119

/** Rows of what has no greatest magnitude, or none of use. */
const magnitudes = [Number.NaN, Number.POSITIVE_INFINITY, 0, 2 ** -149, least * (1 - 2 ** -24), least, 3e38, -0].map(
  (x) =>
    productRow([5, 7], [20, 7], {
      note: `a row with ${x}`,
      inputs: [operand([5, 7], [0, x, -0, 0]), operand([20, 7])],
    }),
)

/** Halves that are rounded to even integers, and the sums of the greatest depth. */
const integers: readonly OpCase[] = [
  productRow([2, 8], [20, 8], {
    note: 'ties',
    inputs: [operand([2, 8], [127, 0.5, 1.5, -2.5, 126.5, -126.5]), operand([20, 8])],
  }),
  {
    note: 'the greatest sums',
    inputs: [operand([1, 2 ** 17], [1]), operand([1, 2 ** 15, 16, 4], [0], 'uint8'), operand([9])],
    f: (x, weight, scales) => g.quantizedMatmul(x, weight, scales),
    contract: exactly,
  },
]

const biased = (f: (y: Tensor) => Tensor, note: string, part: Partial<OpCase> = {}): OpCase =>
  productRow([9, 21], [37, 21], {
    note,
    inputs: [operand([9, 21]), operand([37, 21]), operand([37])],
    f: (x, w, bias) => f(quantized(x, w).add(bias)),
    ...part,
  })

const epilogues: readonly OpCase[] = [
  biased((y) => y, 'bias'),
  biased((y) => y.relu(), 'relu'),
  biased((y) => y.leakyRelu(0.1), 'leakyRelu'),
  biased((y) => y.sigmoid(), 'sigmoid', { contract: { ulps: 2 } }),
  biased((y) => y.tanh(), 'tanh', { contract: { ulps: 2 } }),
]

export const quantizedCases = {
  quantizedMatmul: [
    ...products,
    ...magnitudes,
    ...integers,
    ...epilogues,
    productRow([21], [5, 21], { note: 'one row' }),
    productRow([2, 3, 21], [5, 21], { note: 'rows of a batch' }),
    productRow([21, 6], [5, 21], { note: 'xᵀ', f: (x, w) => quantized(x.transpose(), w) }),
    productRow([6, 21], [30, 21], { note: 'one scale', f: (x, w) => quantized(x, w, false) }),
  ],
  quantizeWeight: shapesOf('1,1 16,4 17,5 40,33').flatMap(([n, k]) =>
    [true, false].map((perChannel) => ({
      note: perChannel ? 'per channel' : 'one scale',
      inputs: [operand([n!, k!])],
      f: (w: Tensor) => Object.values(g.quantizeWeight(w, { perChannel })),
      contract: exactly,
    })),
  ),
} satisfies Record<string, readonly OpCase[]>

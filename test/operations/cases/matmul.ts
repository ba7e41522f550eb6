/** Rows of matmul: square, skinny and empty shapes, every way an operand can lie in memory, batches and epilogues. */
import type { Shape } from '../../../lib/base/shape.ts'
import type { Tensor } from '../../../lib/tensor/tensor.ts'
import { withPrecision } from '../../../lib/transforms/precision.ts'
import { exactly, type OpCase, operand, shapesOf } from '../../support/cases.ts'

const product = (x: Tensor, y: Tensor): Tensor => x.matmul(y)

function matmulRow(a: Shape, b: Shape, depth: number, part: Partial<OpCase> = {}): OpCase {
  return { inputs: [operand(a), operand(b)], f: product, contract: { depth }, differentiable: true, ...part }
}

/** Of integers whose products wrap. */
const integerRow = (a: Shape, b: Shape, part: Partial<OpCase> = {}): OpCase => ({
  note: 'int32',
  inputs: [a, b].map((shape) => operand(shape, { low: -(2 ** 31), high: 2 ** 31 }, 'int32')),
  f: product,
  contract: exactly,
  ...part,
})

/** m, k, n: around the sizes of registers and panels, and the shapes of small networks. */
const extents = shapesOf(
  '1,1,1 2,3,4 3,5,7 6,16,16 8,32,48 17,33,65 31,64,15 64,64,64 1,130,1 1,784,10 130,1,17 300,7,1 1,5,1000 3,1000,5' +
    ' 129,40,130 0,3,4 3,0,4 3,4,0',
)

/** Factors that are stored as their transposes, as pieces of greater matrices, or as repeated rows. */
const layouts: readonly OpCase[] = [
  matmulRow([40, 13], [40, 21], 40, { note: 'aᵀ·b', f: (a, b) => a.transpose().matmul(b) }),
  matmulRow([13, 40], [21, 40], 40, { note: 'a·bᵀ', f: (a, b) => a.matmul(b.transpose()) }),
  matmulRow([40, 13], [21, 40], 40, { note: 'aᵀ·bᵀ', f: (a, b) => a.transpose().matmul(b.transpose()) }),
  matmulRow([20, 30], [30, 20], 25, {
    note: 'pieces',
    f: (a, b) => a.slice([3, 5], [18]).matmul(b.slice([0, 2], [25, 19])),
  }),
  matmulRow([20, 30], [20, 30], 17, {
    note: 'pieces, transposed',
    f: (a, b) =>
      a
        .slice([3], [20])
        .transpose()
        .matmul(b.slice([2], [19])),
  }),
  matmulRow([9, 22], [11, 18], 11, {
    note: 'every other column',
    f: (a, b) => a.slice([0, 0], [9, 22], { step: [1, 2] }).matmul(b),
  }),
  matmulRow([13], [13, 5], 13, { note: 'repeated rows', f: (a, b) => a.broadcastTo([6, 13]).matmul(b) }),
  matmulRow([6, 1], [13, 5], 13, { note: 'repeated columns', f: (a, b) => a.broadcastTo([6, 13]).matmul(b) }),
  matmulRow([], [], 8, { note: 'repeated scalars', f: (a, b) => a.broadcastTo([7, 8]).matmul(b.broadcastTo([8, 9])) }),
]

/** Work for more than one thread: square, tall, wide, skinny and batched. */
const large: readonly OpCase[] = [
  ...shapesOf('130,150,140 700,40,33 17,1000,100 1,2048,512 512,2048,1').map(([m, k, n]) =>
    matmulRow([m!, k!], [k!, n!], k!),
  ),
  matmulRow([150, 130], [140, 150], 150, { f: (a, b) => a.transpose().matmul(b.transpose()) }),
  matmulRow([12, 64, 65], [12, 65, 66], 65),
].map((row) => ({ ...row, note: 'large', differentiable: false }))

/** A dense layer's product: few rows, which meet a transposed b by dot products or by packing it. */
const layers: readonly OpCase[] = shapesOf('1,40,37 1,7,8 2,70,9 8,300,13 9,300,18 16,520,70 16,500,70 17,520,7').map(
  ([m, k, n]) =>
    matmulRow([m!, k!], [n!, k!], k!, { note: 'layer', f: (a, b) => a.matmul(b.transpose()), differentiable: false }),
)

const vectors: readonly OpCase[] = [
  matmulRow([40], [40], 40, { note: 'dot product' }),
  matmulRow([40], [40, 9], 40, { note: 'row' }),
  matmulRow([9, 40], [40], 40, { note: 'column' }),
  matmulRow([3, 9, 40], [40], 40, { note: 'batch and column' }),
]

const batches: readonly OpCase[] = [
  matmulRow([3, 4, 5], [3, 5, 6], 5),
  matmulRow([3, 4, 5], [5, 6], 5, { note: 'one b' }),
  matmulRow([4, 5], [3, 5, 6], 5, { note: 'one a' }),
  matmulRow([2, 1, 4, 5], [3, 5, 6], 5, { note: 'batch axes broadcast' }),
  matmulRow([2, 3, 4, 5], [2, 3, 5, 6], 5),
  matmulRow([2, 4, 5], [3, 2, 6, 5], 5, { note: 'bᵀ', f: (a, b) => a.matmul(b.transpose([0, 1, 3, 2])) }),
  matmulRow([2, 5, 4], [6, 5], 5, { note: 'aᵀ, one bᵀ', f: (a, b) => a.transpose([0, 2, 1]).matmul(b.transpose()) }),
  matmulRow([0, 4, 5], [5, 6], 5, { note: 'no matrices' }),
  matmulRow([3, 5, 4], [3, 6, 5], 5, {
    note: 'aᵀ·bᵀ',
    f: (a, b) => a.transpose([0, 2, 1]).matmul(b.transpose([0, 2, 1])),
  }),
  matmulRow([5, 3, 4], [5, 3, 6], 5, {
    note: 'batch in the middle',
    f: (a, b) => a.transpose([1, 2, 0]).matmul(b.transpose([1, 0, 2])),
  }),
  matmulRow([2, 4, 3, 8], [2, 4, 3, 8], 8, {
    note: 'attention scores',
    f: (q, k) => q.transpose([0, 2, 1, 3]).matmul(k.transpose([0, 2, 3, 1])),
  }),
]

const activations = {
  relu: (x: Tensor) => x.relu(),
  leakyRelu: (x: Tensor) => x.leakyRelu(0.1),
  sigmoid: (x: Tensor) => x.sigmoid(),
  tanh: (x: Tensor) => x.tanh(),
}

/** None of the activations is steeper than 1, so what was lost before one is no more after it. */
const epilogueMagnitude = (a: Tensor, b: Tensor, bias: Tensor): Tensor => a.abs().matmul(b.abs()).add(bias.abs()).add(1)

function epilogueRow(note: string, f: OpCase['f'], [m, k, n]: Shape): OpCase {
  const inputs = [operand([m!, k!]), operand([k!, n!]), operand([n!])]
  return { note, f, inputs, contract: { depth: k!, magnitude: epilogueMagnitude }, differentiable: true }
}

function readTwice(a: Tensor, b: Tensor, bias: Tensor): Tensor[] {
  const product = a.matmul(b)
  return [product, product.add(bias)]
}

const epilogues: readonly OpCase[] = shapesOf('5,9,21 33,70,10 130,17,64').flatMap((size) => [
  epilogueRow('a·b + bias', (a, b, bias) => a.matmul(b).add(bias), size),
  epilogueRow('bias + a·b', (a, b, bias) => bias.add(a.matmul(b)), size),
  { ...epilogueRow('a·b, read twice', readTwice, size), differentiable: false },
  ...Object.entries(activations).flatMap(([name, activate]) => [
    epilogueRow(`${name}(a·b + bias)`, (a, b, bias) => activate(a.matmul(b).add(bias)), size),
    epilogueRow(`${name}(a·b) + bias`, (a, b, bias) => activate(a.matmul(b)).add(bias), size),
  ]),
])

/** The same with operands that are rounded to bf16. */
const inBf16 = (row: OpCase): OpCase => ({
  ...row,
  note: `bf16 ${row.note ?? ''}`,
  f: (...xs) => withPrecision('bf16', () => row.f(...xs)),
})

/** What rounds to infinity, and what it meets; numbers halfway between two of bf16. */
const roundedOnes = [Infinity, NaN, 3.4e38, 0, 1, 257, 259, -257, 1.00390625, -0]

export const matmulCases = {
  matmul: [
    ...extents.map(([m, k, n]) => matmulRow([m!, k!], [k!, n!], k!)),
    ...layouts,
    ...layers,
    ...large,
    ...vectors,
    ...batches,
    ...epilogues,
    ...extents.map(([m, k, n]) => inBf16(matmulRow([m!, k!], [k!, n!], k!))),
    ...[...layouts, ...layers, ...large, ...vectors, ...batches].map(inBf16),
    ...epilogues.slice(0, 11).map(inBf16),
    inBf16(
      matmulRow([10, 1], [1, 7], 1, {
        inputs: [operand([10, 1], roundedOnes), operand([1, 7])],
        differentiable: false,
      }),
    ),
    ...extents.map(([m, k, n]) => integerRow([m!, k!], [k!, n!])),
    integerRow([40, 13], [21, 40], { note: 'int32 aᵀ·bᵀ', f: (a, b) => a.transpose().matmul(b.transpose()) }),
    integerRow([20, 30], [30, 20], {
      note: 'int32 pieces',
      f: (a, b) => a.slice([3, 5], [18]).matmul(b.slice([0, 2], [25, 19])),
    }),
    integerRow([3, 4, 5], [3, 5, 6]),
    integerRow([4, 5], [3, 5, 6]),
    integerRow([5, 9], [9, 21], { note: 'int32 a·b + bias, relu', f: (a, b) => a.matmul(b).add(b.at(0)).relu() }),
    {
      note: 'bytes',
      inputs: [operand([7, 9], undefined, 'uint8'), operand([9, 5], undefined, 'bool')],
      f: product,
      contract: exactly,
    },
    {
      note: 'integers times floats',
      inputs: [operand([5, 9], undefined, 'uint8'), operand([9, 4])],
      f: product,
      contract: { depth: 9 },
    },
  ],
} satisfies Record<string, readonly OpCase[]>

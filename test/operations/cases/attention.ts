/** Rows of attention, embedding and dropout. */
import { record } from '../../../lib/graph/node.ts'
import { attentionOps } from '../../../lib/graph/ops/attention.ts'
import { type AttentionOptions, dropout, embedding, scaledDotProductAttention } from '../../../lib/operations/index.ts'
import { nodeOf, type Tensor, wrap } from '../../../lib/tensor/tensor.ts'
import { exactly, type OpCase, type Operand, operand, shapesOf } from '../../support/cases.ts'

/** The weights are off by what the scores lost, relatively, and what they weigh is a mean of the values. */
const attentionMagnitude: OpCase['f'] = (q, k, v) => {
  const [largest, score] = [Math.max(...v!.dataSync().map(Math.abs), 1), q!.shape.at(-1)! * 4]
  return scaledDotProductAttention(q!, k!, v!)
    .abs()
    .mul(0)
    .add(largest * (score + 4))
}

interface AttentionRow {
  readonly shapes: string
  readonly note?: string
  readonly mask?: Operand
  readonly options?: AttentionOptions
  readonly view?: (x: Tensor) => Tensor
  readonly large?: boolean
}

const attentionRows: readonly AttentionRow[] = [
  { shapes: '3,4 5,4 5,2' },
  { shapes: '1,1 1,1 1,1' },
  { shapes: '2,3,4 2,5,4 2,5,6', note: 'batched' },
  { shapes: '2,2,3,4 2,5,4 5,3', note: 'leading axes broadcast' },
  { shapes: '5,4 5,4 5,4', options: { causal: true }, note: 'causal' },
  { shapes: '3,4 5,4 5,4', options: { causal: true, scale: 0.3 }, note: 'causal, fewer queries' },
  {
    shapes: '2,3,4 2,5,4 2,5,4',
    mask: operand([3, 5], [1, 0, 1, 1, 0, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0], 'bool'),
    note: 'masked, a row altogether',
  },
  { shapes: '2,3,4 2,5,4 2,5,4', mask: operand([2, 1, 5]), options: { causal: true }, note: 'added to the scores' },
  { shapes: '0,4 3,4 3,2' },
  { shapes: '3,4 0,4 0,2', note: 'no keys' },
  { shapes: '4,2,3,6 4,2,3,6 4,2,3,6', view: (x) => x.transpose([0, 2, 1, 3]), note: 'heads of one buffer' },
  { shapes: '2,3,130,33 2,3,200,33 2,3,200,17', note: 'large', large: true },
  { shapes: '6,150,32 6,150,32 6,150,32', options: { causal: true }, note: 'large, causal', large: true },
  { shapes: '70,40 300,40 300,3', mask: operand([70, 300], undefined, 'bool'), note: 'large, masked', large: true },
]

const attentionCase = ({ shapes, note, mask, options, view = (x) => x, large = false }: AttentionRow): OpCase => ({
  ...(note === undefined ? {} : { note }),
  inputs: [...shapesOf(shapes).map((shape) => operand(shape)), ...(mask === undefined ? [] : [mask])],
  f: (q, k, v, given) =>
    scaledDotProductAttention(view(q!), view(k!), view(v!), { ...options, ...(given && { mask: given }) }),
  contract: {
    depth: 200,
    magnitude: (q, k, v) => attentionMagnitude(view(q!), view(k!), view(v!)),
  },
  differentiable: !large,
})

/** The logarithms of the sums are what makes the weights of all keys but those 1. */
const logSums = (q: Tensor, k: Tensor, v: Tensor, causal: boolean): Tensor =>
  wrap(record(attentionOps.attentionLogSums, [nodeOf(q), nodeOf(k), nodeOf(v)], { scale: 0.5, causal }))

const logSumRow = (shapes: string, causal: boolean): OpCase => ({
  note: causal ? 'causal' : 'whole',
  inputs: shapesOf(shapes).map((shape) => operand(shape)),
  f: (q, k, v) => logSums(q!, k!, v!, causal),
  contract: {
    depth: 40,
    magnitude: (q, k, v) =>
      logSums(q!, k!, v!, causal)
        .abs()
        .add(8 * q!.shape.at(-1)!),
  },
  differentiable: true,
})

/** What attention passes back to one of its operands. */
const gradientRow = (shapes: string, causal: boolean, of: 'q' | 'k' | 'v', differentiable = true): OpCase => ({
  note: `${of}, ${causal ? 'causal' : 'whole'}`,
  inputs: shapesOf(shapes).map((shape) => operand(shape)),
  f(q, k, v, cotangent) {
    const operands = [nodeOf(q!), nodeOf(k!), nodeOf(v!)] as const
    const params = { scale: 0.5, causal }
    const [out, sums] = [
      record(attentionOps.attention, operands, params),
      record(attentionOps.attentionLogSums, operands, params),
    ]
    return wrap(record(attentionOps.attentionGradient, [...operands, nodeOf(cotangent!), out, sums], { ...params, of }))
  },
  contract: {
    depth: 400,
    magnitude: (q, k, v) => ({ q, k, v })[of]!.mul(0).add(16 * q!.shape.at(-1)! * Math.max(4, k!.shape.at(-2)!)),
  },
  differentiable,
})

export const attentionCases = {
  attentionGradient: [
    ...(['q', 'k', 'v'] as const).map((of) => gradientRow('2,3,4 2,5,4 2,5,2 2,3,2', false, of)),
    ...(['q', 'k', 'v'] as const).map((of) => gradientRow('5,4 5,4 5,3 5,3', true, of)),
    gradientRow('2,3,4 2,0,4 2,0,2 2,3,2', false, 'q'),
    ...(['q', 'k', 'v'] as const).map((of) => gradientRow('6,150,32 6,150,32 6,150,32 6,150,32', true, of, false)),
    ...(['q', 'k', 'v'] as const).map((of) => gradientRow('3,70,20 3,300,20 3,300,9 3,70,9', false, of, false)),
  ],
  scaledDotProductAttention: attentionRows.map(attentionCase),
  attention: attentionRows.filter(({ note }) => note === 'batched').map(attentionCase),
  attentionLogSums: [logSumRow('2,3,4 2,5,4 2,5,2', false), logSumRow('5,4 5,4 5,2', true)],
  embedding: [
    ...(
      [
        [[3], 4],
        [[2, 3], 1],
        [[0], 2],
        [[], 3],
      ] as const
    ).map(
      ([shape, features]): OpCase => ({
        inputs: [operand(shape, [4, 0, 4, 2, 1, 3], 'int32'), operand([5, features])],
        f: (indices, table) => embedding(indices!, table!),
        contract: exactly,
        differentiable: true,
      }),
    ),
    {
      note: 'padding',
      inputs: [operand([4], [4, 0, 4, 2], 'int32'), operand([5, 3])],
      f: (indices, table) => embedding(indices!, table!, { paddingIndex: 3 }),
      contract: exactly,
      differentiable: true,
    },
  ],
  dropout: shapesOf('7 . 3,4 0 100,200').map(
    (shape): OpCase => ({
      inputs: [operand(shape)],
      f: (x) => dropout(x!, 0.25, { seed: 7 }),
      contract: exactly,
      differentiable: shape.length < 2 || shape[0]! < 100,
    }),
  ),
} satisfies Record<string, readonly OpCase[]>

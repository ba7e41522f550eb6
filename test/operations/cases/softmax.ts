/** Rows of softmax, log-softmax and cross-entropy. */
import type { DType } from '../../../lib/base/dtype.ts'
import type { Shape } from '../../../lib/base/shape.ts'
import { record } from '../../../lib/graph/node.ts'
import { softmaxOps } from '../../../lib/graph/ops/softmax.ts'
import { nodeOf, type Tensor, wrap } from '../../../lib/tensor/tensor.ts'
import { type OpCase, type Operand, operand, shapesOf, type Values } from '../../support/cases.ts'

const { NaN: nan, POSITIVE_INFINITY: inf } = Number

interface SoftmaxRow {
  readonly shape: Shape
  readonly axis?: number
  readonly values?: Values
  readonly view?: (x: Tensor) => Tensor
  readonly note?: string
}

const rows: readonly SoftmaxRow[] = [
  ...shapesOf('5 1,1 4,1 4,10 130,3 3,1000 17,17 2,3,4 0,4').map((shape) => ({ shape })),
  ...[0, 1, 2, -2].map((axis) => ({ shape: [3, 4, 5], axis })),
  { shape: [17, 130], axis: 0 },
  { shape: [9, 6], view: (x) => x.transpose(), note: 'transposed' },
  { shape: [9, 6], view: (x) => x.slice([1, 2], [8, 5]), note: 'sliced' },
  { shape: [6], view: (x) => x.broadcastTo([4, 6]), note: 'repeated rows' },
  { shape: [6, 20], values: { low: -90, high: 90 }, note: 'far apart' },
  { shape: [200, 300], values: { low: -9, high: 9 }, note: 'large' },
]

const specialRows: readonly SoftmaxRow[] = [
  { shape: [3, 3], values: [1000, 1001, -1000, 0, 0, 0, 3e38, 3e38, -3e38], note: 'large' },
  { shape: [3, 3], values: [0, -inf, 1, -inf, -inf, 2, -inf, -5, -inf], note: 'some -∞' },
  { shape: [4, 3], values: [-inf, -inf, -inf, inf, 0, 1, nan, 0, 1, 0, 1, nan], note: 'no softmax' },
]

/** How far the elements of a row are below its greatest one. */
const distances = (x: Tensor, axis: number): Tensor => x.max(axis, { keepDims: true }).sub(x).abs()

/**
 * The softmax of a row loses what x − max lost, which the exponential passes on in proportion to its size, and what
 * the sum lost.
 */
const softmaxMagnitude = (x: Tensor, axis: number): Tensor => x.softmax(axis).mul(distances(x, axis).add(1))

const logSoftmaxMagnitude = (x: Tensor, axis: number): Tensor => x.logSoftmax(axis).abs().add(1)

function softmaxRows(name: 'softmax' | 'logSoftmax', magnitude: (x: Tensor, axis: number) => Tensor): OpCase[] {
  const rowOf = ({ shape, axis = -1, values, view = (x) => x, note }: SoftmaxRow): OpCase => ({
    note: note ?? `along ${axis}`,
    inputs: [operand(shape, values)],
    f: (x) => view(x)[name](axis),
    contract: { depth: shape.at(axis)!, magnitude: (x) => magnitude(view(x), axis) },
    differentiable: values === undefined,
  })
  const integers: OpCase = {
    note: 'integers',
    inputs: [operand([4, 9], undefined, 'int32')],
    f: (x) => x[name](),
    contract: { ulps: 40 },
  }
  return [...rows, ...specialRows].map(rowOf).concat(integers)
}

/** Classes of a row of labels, each in [0, classes). */
const classes = (shape: Shape, count: number, dtype: DType = 'int32'): Operand =>
  operand(shape, { low: 0, high: count }, dtype)

const probabilities = (shape: Shape): Operand => operand(shape, { low: 0, high: 1 })

const entropyMagnitude = (logits: Tensor, labels: Tensor): Tensor => {
  const terms = logits.logSoftmax().abs().add(1)
  return labels.dtype === 'float32' ? terms.mul(labels).sum(-1).add(1) : terms.max(-1)
}

const gradientMagnitude = (logits: Tensor, labels: Tensor): Tensor => {
  const total = labels.dtype === 'float32' ? labels.sum(-1, { keepDims: true }).add(1) : 1
  return softmaxMagnitude(logits, -1).mul(total).add(1)
}

const entropyGradient = (logits: Tensor, labels: Tensor): Tensor =>
  wrap(record(softmaxOps.softmaxCrossEntropyGradient, [nodeOf(logits), nodeOf(labels)], null))

interface EntropyRow {
  readonly inputs: readonly [logits: Operand, labels: Operand]
  readonly note: string
}

const entropyShapes = shapesOf('1,1 4,3 130,10 3,1000 2,3,4 5 0,4 4,1 128,17')

const large = [1000, -1000, 0, -500, 500, 499]

const entropyRows: readonly EntropyRow[] = [
  ...entropyShapes.map((shape) => ({
    note: 'classes',
    inputs: [operand(shape), classes(shape.slice(0, -1), shape.at(-1)!)] as const,
  })),
  ...entropyShapes.map((shape) => ({ note: 'probabilities', inputs: [operand(shape), probabilities(shape)] as const })),
  { note: 'large, classes', inputs: [operand([200, 300]), classes([200], 300)] },
  { note: 'large, probabilities', inputs: [operand([200, 300]), probabilities([200, 300])] },
  { note: 'large logits, classes', inputs: [operand([4, 3], large), classes([4], 3)] },
  { note: 'large logits, probabilities', inputs: [operand([4, 3], large), probabilities([4, 3])] },
]

const depthOf = ({ inputs: [{ shape }] }: EntropyRow): number => shape.at(-1)!

const entropy = (logits: Tensor, labels: Tensor): Tensor => logits.softmaxCrossEntropy(labels)

const bytesRow: OpCase = {
  note: 'classes as bytes',
  inputs: [operand([40, 10]), classes([40], 10, 'uint8')],
  f: entropy,
  contract: { depth: 10, magnitude: entropyMagnitude },
  differentiable: true,
}

/** Losses and gradients are one instruction, whichever is read first. */
const sharedRows: readonly OpCase[] = [false, true].map((gradientFirst) => ({
  note: `losses and gradients, ${gradientFirst ? 'gradients' : 'losses'} first`,
  inputs: [operand([40, 10]), classes([40], 10)],
  f: (logits, labels) => {
    const both = [entropy(logits, labels).reshape([40, 1]).broadcastTo([40, 10]), entropyGradient(logits, labels)]
    return gradientFirst ? both.toReversed() : both
  },
  contract: { depth: 10, magnitude: (x, y) => gradientMagnitude(x, y).add(entropyMagnitude(x, y).reshape([40, 1])) },
}))

export const softmaxCases = {
  softmax: softmaxRows('softmax', softmaxMagnitude),
  logSoftmax: softmaxRows('logSoftmax', logSoftmaxMagnitude),
  softmaxCrossEntropy: [
    ...entropyRows.map((row) => ({
      ...row,
      f: entropy,
      contract: { depth: depthOf(row), magnitude: entropyMagnitude },
      differentiable: !row.note.startsWith('large'),
    })),
    bytesRow,
    ...sharedRows,
  ],
  softmaxCrossEntropyGradient: entropyRows.map((row) => ({
    ...row,
    f: entropyGradient,
    contract: { depth: depthOf(row), magnitude: gradientMagnitude },
    differentiable: !row.note.startsWith('large'),
  })),
} satisfies Record<string, readonly OpCase[]>

/** Rows of the normalizations. */
import type { Shape } from '../../../lib/base/shape.ts'
import { record } from '../../../lib/graph/node.ts'
import { normalizationOps } from '../../../lib/graph/ops/normalization.ts'
import { batchNorm, groupNorm, instanceNorm, layerNorm, rmsNorm } from '../../../lib/operations/index.ts'
import { nodeOf, type Tensor, wrap } from '../../../lib/tensor/tensor.ts'
import { type OpCase, operand, shapesOf } from '../../support/cases.ts'

const { NaN: nan, POSITIVE_INFINITY: inf } = Number

/**
 * What was normalized is off by what x − mean lost, over the deviation, and by the relative error of the deviation. The
 * rows' deviations are not far from 1, so that bounds them all.
 */
const magnitudeOf =
  (f: OpCase['f']): OpCase['f'] =>
  (...xs) => {
    const y = f(...xs) as Tensor
    const largest = xs.reduce((sum, x) => sum + Math.max(...x.dataSync().map(Math.abs), 0), 0)
    return y
      .abs()
      .mul(4)
      .add(4 * largest + 1)
  }

function normRow(shapes: string, depth: number, f: OpCase['f'], note?: string, differentiable = true): OpCase {
  return {
    ...(note === undefined ? {} : { note }),
    inputs: shapesOf(shapes).map((shape) => operand(shape)),
    f,
    contract: { depth, magnitude: magnitudeOf(f) },
    differentiable,
  }
}

/** A NaN or an infinity spoils its own row alone. */
const special = (f: (x: Tensor) => Tensor): OpCase => ({
  note: 'rows that are not numbers',
  inputs: [operand([4, 3], [nan, 1, 2, inf, 0, 1, 1, 2, 3, 5, 5, 5])],
  f,
  contract: { depth: 3, magnitude: (x) => x.abs().add(8).mul(8) },
})

/** Σ(x − mean)·y of each channel, as a gradient takes it, of more channels than one thread is given. */
const deviationRow = (x: Shape, mean: Shape, first: number, note: string): OpCase => ({
  note,
  inputs: [operand(x), operand(mean), operand(x)],
  f: (x, mean, y) =>
    wrap(record(normalizationOps.deviationProduct, [nodeOf(x!), nodeOf(mean!), nodeOf(y!)], { first, end: first + 1 })),
  contract: {
    depth: x.at(-1)! * (first === 0 ? 1 : x[0]!),
    magnitude: (x, mean, y) =>
      x!
        .abs()
        .add(mean!.abs())
        .mul(y!.abs())
        .sum(first === 0 ? [1] : [0, 2], { keepDims: true }),
  },
  differentiable: false,
})

const scaled = (w?: Tensor, b?: Tensor) => ({ weight: w ?? null, bias: b ?? null })

export const normalizationCases = {
  layerNorm: [
    ...['3,17', '1,2', '2,3,4', '0,4', '5', '2,33'].map((shape) => normRow(shape, 33, (x) => layerNorm(x))),
    normRow('4,9 9 9', 9, (x, w, b) => layerNorm(x!, scaled(w, b)), 'weight and bias'),
    normRow('2,3,4 3,4 3,4', 12, (x, w, b) => layerNorm(x!, scaled(w, b)), 'two axes'),
    normRow('7,3', 7, (x) => layerNorm(x!.transpose()), 'transposed'),
    normRow('260,300 300 300', 300, (x, w, b) => layerNorm(x!, scaled(w, b)), 'large', false),
    normRow('2,5000', 5000, (x) => layerNorm(x!), 'long rows', false),
    special((x) => layerNorm(x)),
    deviationRow([700, 40], [700, 1], 0, 'deviations of many rows'),
  ],
  rmsNorm: [
    ...['3,17', '1,2', '0,4', '5', '2,33'].map((shape) => normRow(shape, 33, (x) => rmsNorm(x))),
    normRow('4,9 9', 9, (x, weight) => rmsNorm(x!, { weight: weight! }), 'a weight'),
    normRow('2,3,4', 12, (x) => rmsNorm(x!, { normalizedShape: [3, 4], epsilon: 0.1 }), 'two axes'),
    normRow('260,300 300', 300, (x, weight) => rmsNorm(x!, { weight: weight! }), 'large', false),
    special((x) => rmsNorm(x)),
  ],
  batchNorm: [
    normRow('5,3', 5, (x) => batchNorm(x)),
    normRow('4,2,3 2 2', 12, (x, w, b) => batchNorm(x!, scaled(w, b)), 'weight and bias'),
    normRow('4,3,2', 12, (x) => batchNorm(x!, { axis: -1 }), 'the last axis'),
    normRow('300,40', 300, (x) => batchNorm(x), 'large', false),
    normRow('40,6,7,7 6 6', 1960, (x, w, b) => batchNorm(x!, scaled(w, b)).relu(), 'short rows', false),
    normRow('3,4,20,30 4 4', 1800, (x, w, b) => batchNorm(x!, scaled(w, b)).relu(), 'long rows', false),
    deviationRow([3, 300, 40], [1, 300, 1], 1, 'deviations of many channels'),
    normRow('2,2,70,70', 9800, (x) => batchNorm(x!), 'rows in parts', false),
    {
      note: 'given statistics',
      inputs: [operand([4, 3]), operand([3]), operand([3], { low: 0.5, high: 2 }), operand([3]), operand([3])],
      f: (x, mean, variance, weight, bias) =>
        batchNorm(x!, { mean: mean!, variance: variance!, weight: weight!, bias: bias! }),
      contract: { depth: 4, magnitude: (x) => x!.abs().add(8) },
      differentiable: true,
    },
  ],
  groupNorm: [
    normRow('2,4,3 4 4', 6, (x, w, b) => groupNorm(x!, 2, scaled(w, b)), 'weight and bias'),
    normRow('3,4', 4, (x) => groupNorm(x!, 1), 'one group'),
    normRow('2,3,4', 6, (x) => groupNorm(x!, 2, { axis: -1 }), 'the last axis'),
  ],
  instanceNorm: [
    normRow('2,3,5 3 3', 5, (x, w, b) => instanceNorm(x!, scaled(w, b)), 'weight and bias'),
    normRow('2,2,3,2', 6, (x) => instanceNorm(x!), 'images'),
  ],
} satisfies Record<string, readonly OpCase[]>

/** Rows of the losses, compositions all of them: a few of each, away from kinks, and their tails. */

import type { Shape } from '../../../lib/base/shape.ts'
import * as losses from '../../../lib/losses/index.ts'
import type { Tensor } from '../../../lib/tensor/tensor.ts'
import { type CaseContract, type OpCase, type Operand, operand, type Values } from '../../support/cases.ts'

type Loss = OpCase['f']

/** Sums of a few hundred terms at most, each of the size of the loss or 1. */
const contractOf = (f: Loss): CaseContract => ({
  depth: 64,
  magnitude: (...xs) => (f(...xs) as Tensor).abs().add(1),
})

function row(inputs: readonly Operand[], f: Loss, note?: string, differentiable = true): OpCase {
  return { ...(note !== undefined && { note }), inputs, f, contract: contractOf(f), differentiable }
}

const tails = [1e4, -1e4, 0, 100, -100, 30, -30, 1]

/** Logits far out, whose losses and gradients are finite. */
const tailRow = (f: Loss, ...rest: Operand[]): OpCase => row([operand([4, 3], tails), ...rest], f, 'tails', false)

const positive = (shape: Shape): Operand => operand(shape, { low: 0.1, high: 2 })
const fractions = (shape: Shape): Operand => operand(shape, { low: 0.1, high: 0.9 })
const classes = (shape: Shape, count: number): Operand => operand(shape, { low: 0, high: count }, 'int32')
const signs = (shape: Shape): Operand => operand(shape, [1, -1, -1, 1, 1], 'int32')
const bits = (shape: Shape): Operand => operand(shape, [1, 0, 0, 1, 1], 'int32')
const far = (shape: Shape, values: Values): Operand => operand(shape, values)

/** Of a prediction and a target of its shape. */
const pairRows = (f: Loss, target: (shape: Shape) => Operand): OpCase[] => [
  row([operand([3, 4]), target([3, 4])], f),
  row([operand([]), target([])], f, 'scalars'),
  row([operand([300, 130]), target([300, 130])], f, 'large', false),
]

const targets = (shape: Shape): Operand => operand(shape, { low: 3, high: 4 })

type Embedding = (x: Tensor, y: Tensor, t: Tensor) => Tensor

const embeddingRows = (f: Embedding, t: (shape: Shape) => Operand): OpCase[] => [
  row([operand([5, 4]), far([5, 4], { low: -1, high: 3 }), t([5])], f as Loss),
  row([operand([4]), operand([4]), t([])], f as Loss, 'a pair'),
]

const classRows = {
  crossEntropy: [
    row([operand([5, 4]), classes([5], 4)], (x, y) => losses.crossEntropy(x, y)),
    row([operand([5, 4]), classes([5], 4), positive([4])], (x, y, classWeights) =>
      losses.crossEntropy(x, y, { classWeights, ignoreIndex: 2 }),
    ),
    row([operand([5, 4]), classes([5], 4), positive([4])], (x, y, classWeights) =>
      losses.crossEntropy(x, y, { classWeights, ignoreIndex: 2, labelSmoothing: 0.1, reduction: 'none' }),
    ),
    row([operand([2, 3, 4]), fractions([2, 3, 4]), positive([4])], (x, y, classWeights) =>
      losses.crossEntropy(x, y, { classWeights, labelSmoothing: 0.2, reduction: 'sum' }),
    ),
    tailRow((x, y) => losses.crossEntropy(x, y, { labelSmoothing: 0.1 }), classes([4], 3)),
  ],
  negativeLogLikelihood: [
    row([operand([5, 4]), classes([5], 4)], (x, y) => losses.negativeLogLikelihood(x, y)),
    row([operand([5, 4]), classes([5], 4), positive([4])], (x, y, classWeights) =>
      losses.negativeLogLikelihood(x, y, { classWeights, ignoreIndex: 1 }),
    ),
    tailRow((x, y) => losses.negativeLogLikelihood(x.logSoftmax(), y), classes([4], 3)),
  ],
  focal: [
    row([operand([5, 4]), classes([5], 4), positive([4])], (x, y, classWeights) =>
      losses.focal(x, y, { classWeights, ignoreIndex: 1 }),
    ),
    row([operand([5, 4]), fractions([5, 4])], (x, y) => losses.focal(x, y, { gamma: 1.5, reduction: 'none' })),
    tailRow((x, y) => losses.focal(x, y, { gamma: 0.5 }), classes([4], 3)),
  ],
  multiMargin: [
    row([operand([5, 4]), classes([5], 4), positive([4])], (x, y, classWeights) =>
      losses.multiMargin(x, y, { classWeights, power: 2 }),
    ),
    row([operand([4]), classes([], 4)], (x, y) => losses.multiMargin(x, y, { margin: 0.5 }), 'one row'),
  ],
}

const binaryRows = {
  binaryCrossEntropy: [
    ...pairRows((x, z) => losses.binaryCrossEntropy(x, z), fractions),
    row([operand([3, 4]), bits([3, 4]), positive([4]), positive([3, 1])], (x, z, positiveWeights, weights) =>
      losses.binaryCrossEntropy(x, z, { positiveWeights, weights, labelSmoothing: 0.1 }),
    ),
    row([fractions([3, 4]), fractions([3, 4]), positive([4])], (p, z, positiveWeights) =>
      losses.binaryCrossEntropy(p, z, { positiveWeights, fromLogits: false }),
    ),
    row(
      [operand([2, 4], [0, 1e-40, 1e-20, 1]), fractions([2, 4])],
      (p, z) => losses.binaryCrossEntropy(p, z, { fromLogits: false }),
      'probabilities near 0 and 1',
      false,
    ),
    tailRow((x, z) => losses.binaryCrossEntropy(x, z, { positiveWeights: 2 }), bits([4, 3])),
  ],
  binaryFocal: [
    ...pairRows((x, z) => losses.binaryFocal(x, z), bits),
    tailRow((x, z) => losses.binaryFocal(x, z, { gamma: 0.5, alpha: null }), bits([4, 3])),
  ],
  hinge: [
    row([operand([3, 4]), signs([3, 4])], (x, y) => losses.hinge(x, y, { margin: 0.5, power: 2 })),
    row([operand([3, 4]), signs([3, 4])], (x, y) => losses.hinge(x, y)),
  ],
  softMargin: pairRows((x, y) => losses.softMargin(x, y), signs),
  multiLabelMargin: [
    row([operand([3, 4]), bits([3, 4])], (x, z) => losses.multiLabelMargin(x, z)),
    row([operand([4]), bits([4])], (x, z) => losses.multiLabelMargin(x, z), 'one row'),
  ],
  multiLabelSoftMargin: [
    row([operand([3, 4]), bits([3, 4]), positive([4])], (x, z, weights) =>
      losses.multiLabelSoftMargin(x, z, { weights, reduction: 'none' }),
    ),
    tailRow((x, z) => losses.multiLabelSoftMargin(x, z), bits([4, 3])),
  ],
}

const regressionRows = {
  meanSquaredError: pairRows((x, y) => losses.meanSquaredError(x, y), targets),
  meanAbsoluteError: pairRows((x, y) => losses.meanAbsoluteError(x, y), targets),
  l1: pairRows((x, y) => losses.l1(x, y), targets),
  huber: [
    ...pairRows((x, y) => losses.huber(x, y), targets),
    row([operand([3, 4]), operand([3, 4])], (x, y) => losses.huber(x, y, { delta: 0.9, reduction: 'none' })),
  ],
  smoothL1: [
    row([operand([3, 4]), operand([3, 4])], (x, y) => losses.smoothL1(x, y, { beta: 0.9, reduction: 'none' })),
    row([operand([3, 4]), targets([3, 4])], (x, y) => losses.smoothL1(x, y, { beta: 0 }), 'beta 0'),
  ],
  logCosh: [
    ...pairRows((x, y) => losses.logCosh(x, y), targets),
    row(
      [operand([8], [0, -0, 1e-5, -0.999, 1, 50, -1e4, Infinity]), operand([8], [0])],
      (x, y) => losses.logCosh(x, y),
      'far out',
      false,
    ),
  ],
}

const distributionRows = {
  klDivergence: [
    row([operand([3, 4]), fractions([3, 4])], (x, t) => losses.klDivergence(x, t)),
    row([operand([3, 4]), operand([3, 4])], (x, t) =>
      losses.klDivergence(x, t, { logTarget: true, reduction: 'batchMean' }),
    ),
    row([operand([3, 4]), operand([3, 4], [0, 0.5, 1])], (x, t) => losses.klDivergence(x, t), 'zeros', false),
  ],
  gaussianNegativeLogLikelihood: [
    row([operand([3, 4]), operand([3, 4]), positive([3, 4])], (x, t, v) =>
      losses.gaussianNegativeLogLikelihood(x, t, v),
    ),
    row([operand([3, 4]), operand([3, 4]), positive([3])], (x, t, v) =>
      losses.gaussianNegativeLogLikelihood(x, t, v, { full: true, reduction: 'none' }),
    ),
    row([operand([3, 4]), operand([3, 4])], (x, t) => losses.gaussianNegativeLogLikelihood(x, t, 0.5)),
    row(
      [operand([2, 4]), operand([2, 4]), operand([2, 4], [0, 1e-9, -1, 1e4])],
      (x, t, v) => losses.gaussianNegativeLogLikelihood(x, t, v, { epsilon: 0.25 }),
      'variances below epsilon',
      false,
    ),
  ],
  poissonNegativeLogLikelihood: [
    row(
      [operand([3, 4]), operand([3, 4], [0, 1, 2, 5])],
      (x, t) => losses.poissonNegativeLogLikelihood(x, t, { full: true }),
      'counts',
      false,
    ),
    row([positive([3, 4]), positive([3, 4])], (x, t) => losses.poissonNegativeLogLikelihood(x, t, { logInput: false })),
  ],
}

const rankRows = {
  cosineEmbedding: embeddingRows((x, y, t) => losses.cosineEmbedding(x, y, t, { margin: 0.1 }), signs),
  tripletMargin: [
    row([operand([5, 4]), operand([5, 4]), operand([5, 4])], (a, p, n) => losses.tripletMargin(a, p, n)),
    row([operand([5, 4]), operand([5, 4]), operand([5, 4])], (a, p, n) =>
      losses.tripletMargin(a, p, n, { swap: true, power: 3, margin: 5, reduction: 'none' }),
    ),
    row([operand([4]), operand([4]), operand([4])], (a, p, n) => losses.tripletMargin(a, p, n, { power: 1 }), 'one'),
  ],
  contrastive: embeddingRows((x, y, t) => losses.contrastive(x, y, t, { margin: 3 }), bits),
  hingeEmbedding: pairRows((x, t) => losses.hingeEmbedding(x, t), signs),
  marginRanking: embeddingRows(
    (x, y, t) => losses.marginRanking(x, y, t.cast('float32').mean().broadcastTo(x.shape)),
    signs,
  ),
}

/** Rows of 6 steps, of which some do not count, and 3 labels, one of them repeated. */
const ctcInputs = [
  operand([6, 3, 4]),
  operand([3, 3], [1, 2, 2, 3, 1, 0, 2, 3, 1], 'int32'),
  operand([3], [6, 5, 6], 'int32'),
  operand([3], [3, 2, 0], 'int32'),
]

const ctcRows: readonly OpCase[] = [
  row(ctcInputs, (x, y, times, lengths) => losses.ctcLoss(x.logSoftmax(), y, times, lengths)),
  row(ctcInputs, (x, y, times, lengths) => losses.ctcLoss(x, y, times, lengths, { reduction: 'none' }), 'not normal'),
  row(
    [operand([6, 3, 4], tails), ...ctcInputs.slice(1)],
    (x, y, times, lengths) => losses.ctcLoss(x.logSoftmax(), y, times, lengths),
    'tails',
    false,
  ),
]

type LossName = keyof typeof losses

type LossRows = { readonly [K in LossName as `losses.${K}`]: readonly OpCase[] }

/** By the name of the loss: an operation of the same name is another. */
const lossRows: { readonly [K in LossName]: readonly OpCase[] } = {
  ...classRows,
  ...binaryRows,
  ...regressionRows,
  ...distributionRows,
  ...rankRows,
  ctcLoss: ctcRows,
}

export const lossCases = {
  ...(Object.fromEntries(Object.entries(lossRows).map(([name, rows]) => [`losses.${name}`, rows])) as LossRows),
}

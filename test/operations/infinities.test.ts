/** Where a formula is 0·∞, ∞ − ∞ or a square that overflows, and the answer is finite: values and derivatives. */
import { beforeAll, describe, expect, test } from 'vitest'
import * as g from '../../lib/index.ts'
import { backends } from '../runtime/backends.ts'

type Function1 = (x: g.Tensor) => g.Tensor

const slope = (f: Function1) => (x: g.TensorLike) => g.grad((t: g.Tensor) => f(t).sum())(x)
const curve = (f: Function1) => (x: g.TensorLike) => slope(slope(f))(x)

const close = (found: g.Tensor, wanted: readonly number[], tolerance = 1e-5): void => {
  const values = Array.from(found.dataSync())
  expect(values).toHaveLength(wanted.length)
  values.forEach((value, i) => {
    const text = `element ${i}: expected ${wanted[i]}, got ${value}`
    if (!Number.isFinite(wanted[i])) expect(value, text).toBe(wanted[i])
    else expect(Math.abs(value - wanted[i]!), text).toBeLessThanOrEqual(tolerance * Math.abs(wanted[i]!) + 1e-38)
  })
}

interface Edge {
  readonly f: Function1
  readonly at: g.TensorLike
  readonly values?: readonly number[]
  readonly slopes?: readonly number[]
  /** Of the sum of the slopes. */
  readonly curves?: readonly number[]
}

const float64 = (values: number[]): g.Tensor => g.tensor(values, { dtype: 'float64' })
const none = { reduction: 'none' } as const
const int32 = (values: number[]): g.Tensor => g.tensor(values, { dtype: 'int32' })
const impossible = [[-Infinity, 0, 0]]
const third = 1 / 3
const [e, log2] = [Math.E, Math.LN2]

const losses: Readonly<Record<string, Edge>> = {
  'crossEntropy of a row, where a class without weight is impossible': {
    f: (x) => g.losses.crossEntropy(x, [[0, 1, 0]]),
    at: impossible,
    values: [log2],
    slopes: [0, -0.5, 0.5],
    curves: [0, 0, 0],
  },
  'crossEntropy of a soft row with class weights': {
    f: (x) => g.losses.crossEntropy(x, [[0.5, 0.25, 0.25]], { classWeights: [0, 2, 2] }),
    at: impossible,
    values: [log2],
    slopes: [0, 0, 0],
  },
  'crossEntropy of a long row': {
    f: (x) => g.losses.crossEntropy(x, g.oneHot(int32([1]), 100)),
    at: [Array.from({ length: 100 }, (_, i) => (i < 3 ? 0 : -Infinity))],
    values: [Math.log(3)],
    slopes: Array.from({ length: 100 }, (_, i) => (i === 1 ? third - 1 : i < 3 ? third : 0)),
  },
  'crossEntropy of classes, of which one of weight 0 is impossible': {
    f: (x) => g.losses.crossEntropy(x, int32([0]), { ...none, classWeights: [0, 1, 1] }),
    at: impossible,
    values: [0],
    slopes: [0, 0, 0],
    curves: [0, 0, 0],
  },
  'negativeLogLikelihood of such a class': {
    f: (x) => g.losses.negativeLogLikelihood(x, int32([0]), { ...none, classWeights: [0, 1, 1] }),
    at: impossible,
    values: [0],
    slopes: [0, 0, 0],
  },
  'focal of a row': {
    f: (x) => g.losses.focal(x, [[0, 1, 0]]),
    at: impossible,
    values: [log2 / 4],
    slopes: [0, -0.125 - log2 / 4, 0.125 + log2 / 4],
    curves: [0, 0, 0],
  },
  'focal of a class of weight 0': {
    f: (x) => g.losses.focal(x, int32([0]), { classWeights: [0, 1, 1] }),
    at: impossible,
    values: [0],
    slopes: [0, 0, 0],
    curves: [0, 0, 0],
  },
  'klDivergence of logarithms': {
    f: (x) => g.losses.klDivergence(x, [-Infinity, -Infinity, 0], { ...none, logTarget: true }),
    at: [-Infinity, -1, -1],
    values: [0, 0, 1],
    slopes: [0, 0, -1],
  },
  'klDivergence in its targets': {
    f: (t) => g.losses.klDivergence([-Infinity, -1, -1], t, { ...none, logTarget: true }),
    at: [-Infinity, -Infinity, 0],
    slopes: [0, 0, 2],
    curves: [0, 0, 3],
  },
  'klDivergence of probabilities': {
    f: (x) => g.losses.klDivergence(x, [0, 0, 1], none),
    at: [-Infinity, -1, -1],
    values: [0, 0, 1],
    slopes: [0, 0, -1],
  },
  'klDivergence of probabilities in its targets': {
    f: (t) => g.losses.klDivergence([-Infinity, -1], t, none),
    at: [0, 1],
    slopes: [0, 2],
  },
  'binaryCrossEntropy of what is certain and right': {
    f: (x) => g.losses.binaryCrossEntropy(x, [1, 0, 1], none),
    at: [Infinity, -Infinity, 30],
    values: [0, 0, Math.exp(-30)],
    slopes: [0, 0, -Math.exp(-30)],
    curves: [0, 0, Math.exp(-30)],
  },
  'binaryCrossEntropy of what is certain and wrong': {
    f: (x) => g.losses.binaryCrossEntropy(x, [0, 1], none),
    at: [Infinity, -Infinity],
    values: [Infinity, Infinity],
    slopes: [1, -1],
    curves: [0, 0],
  },
  'binaryCrossEntropy with weights of positives': {
    f: (x) => g.losses.binaryCrossEntropy(x, [1, 0, 1, 0], { ...none, positiveWeights: [3, 3, 3, 3] }),
    at: [Infinity, -Infinity, 30, -30],
    values: [0, 0, 3 * Math.exp(-30), Math.exp(-30)],
    slopes: [0, 0, -3 * Math.exp(-30), Math.exp(-30)],
  },
  'binaryCrossEntropy at 0': {
    f: (x) => g.losses.binaryCrossEntropy(x, [1, 0, 0.25], none),
    at: [0, 0, 0],
    values: [log2, log2, log2],
    slopes: [-0.5, 0.5, 0.25],
    curves: [0.25, 0.25, 0.25],
  },
  'binaryCrossEntropy in its targets': {
    f: (z) => g.losses.binaryCrossEntropy([3, -3, 3], z, none),
    at: [0, 1, 0.5],
    slopes: [-3, 3, -3],
  },
  'binaryCrossEntropy with weights of 0': {
    f: (x) => g.losses.binaryCrossEntropy(x, [0, 1], { weights: [0, 1], reduction: 'sum' }),
    at: [Infinity, 0],
    values: [log2],
    slopes: [0, -0.5],
  },
  'multiLabelSoftMargin of what is certain and right': {
    f: (x) => g.losses.multiLabelSoftMargin(x, [[1, 0]], none),
    at: [[Infinity, -Infinity]],
    values: [0],
    slopes: [0, 0],
  },
  'binaryFocal of what is certain and right': {
    f: (x) => g.losses.binaryFocal(x, [1, 0], { ...none, alpha: null }),
    at: [Infinity, -Infinity],
    values: [0, 0],
    slopes: [0, 0],
    curves: [0, 0],
  },
  'poissonNegativeLogLikelihood of an impossible count of 0': {
    f: (x) => g.losses.poissonNegativeLogLikelihood(x, [0, 1], none),
    at: [-Infinity, 0],
    values: [0, 1],
    slopes: [0, 0],
    curves: [0, 1],
  },
  'cosineEmbedding of great and tiny vectors': {
    f: (x) => g.losses.cosineEmbedding(x, [[4e20, 3e20]], [1], none),
    at: [[3e20, 4e20]],
    values: [0.04],
    slopes: [-0.224e-20 / 5, 0.168e-20 / 5],
  },
  'tripletMargin of great distances': {
    f: (x) => g.losses.tripletMargin(x, [[0, 0]], [[1e20, 0]], none),
    at: [[3e20, 4e20]],
    values: [5e20 - Math.sqrt(20) * 1e20],
    slopes: [0.6 - 2 / Math.sqrt(20), 0.8 - 4 / Math.sqrt(20)],
  },
  'tripletMargin of the order 3': {
    f: (x) => g.losses.tripletMargin(x, [[0, 0]], [[3e20, 0]], { ...none, power: 3 }),
    at: [[3e20, 4e20]],
    values: [91 ** third * 1e20 - 4e20],
  },
}

const activations: Readonly<Record<string, Edge>> = {
  sigmoid: { f: g.sigmoid, at: [-Infinity, Infinity, 20], slopes: [0, 0, 2.0611536e-9], curves: [0, 0, -2.0611536e-9] },
  tanh: {
    f: g.tanh,
    at: [-Infinity, Infinity, -20],
    slopes: [0, 0, 4 * Math.exp(-40)],
    curves: [0, 0, 8 * Math.exp(-40)],
  },
  softplus: { f: g.softplus, at: [-Infinity, Infinity, 20], slopes: [0, 1, 1], curves: [0, 0, 2.0611536e-9] },
  logSigmoid: { f: g.logSigmoid, at: [-Infinity, Infinity, -20], slopes: [1, 0, 1], curves: [0, 0, -2.0611536e-9] },
  relu: { f: g.relu, at: [-Infinity, Infinity], slopes: [0, 1] },
  gelu: { f: (x) => g.gelu(x), at: [-Infinity, Infinity, -1e30, 1e30], slopes: [0, 1, 0, 1], curves: [0, 0, 0, 0] },
  'gelu by tanh': {
    f: (x) => g.gelu(x, { approximate: 'tanh' }),
    at: [-Infinity, Infinity, -1e30, 1e30],
    slopes: [0, 1, 0, 1],
    curves: [0, 0, 0, 0],
  },
  silu: { f: g.silu, at: [-Infinity, Infinity, -1e30, 1e30], slopes: [0, 1, 0, 1], curves: [0, 0, 0, 0] },
  mish: { f: g.mish, at: [-Infinity, Infinity, -1e30, 1e30], slopes: [0, 1, 0, 1], curves: [0, 0, 0, 0] },
  'mish and a great factor': { f: (x) => g.mish(x).mul(1e10), at: [-1e30, 1e30], slopes: [0, 1e10], curves: [0, 0] },
  hardSwish: {
    f: g.hardSwish,
    at: [-Infinity, Infinity, -1e30, 1e30, 1],
    slopes: [0, 1, 0, 1, 5 / 6],
    curves: [0, 0, 0, 0, third],
  },
  hardSigmoid: { f: g.hardSigmoid, at: [-Infinity, Infinity], slopes: [0, 0] },
  softsign: {
    f: g.softsign,
    at: [-Infinity, Infinity, 1e6, -1e15],
    slopes: [0, 0, 1e-12, 1e-30],
    curves: [0, 0, -2e-18, 0],
  },
  elu: { f: (x) => g.elu(x), at: [-Infinity, Infinity, -1], slopes: [0, 1, 1 / e], curves: [0, 0, 1 / e] },
  celu: { f: (x) => g.celu(x, 2), at: [-Infinity, Infinity], slopes: [0, 1], curves: [0, 0] },
  selu: { f: g.selu, at: [-Infinity], slopes: [0], curves: [0] },
  'glu far out': {
    f: (x) => g.glu(x),
    at: [3, 1e30, 2, 100, 1000, -60],
    slopes: [1, 1, Math.exp(-60), 3 * Math.exp(-100), 0, 2 * Math.exp(-60)],
  },
  'glu and a great factor': {
    f: (x) => g.glu(x).mul(1e10),
    at: [1e30, 50],
    slopes: [1e10, Math.exp(-50) * 1e40],
  },
  erf: { f: g.erf, at: [-Infinity, Infinity, 1e30], slopes: [0, 0, 0], curves: [0, 0, 0] },
  erfc: { f: g.erfc, at: [-Infinity, Infinity, 1e30], slopes: [0, 0, 0], curves: [0, 0, 0] },
  cbrt: { f: g.cbrt, at: [-Infinity, Infinity, 8], slopes: [0, 0, 1 / 12], curves: [0, 0, -1 / 144] },
  atan: { f: g.atan, at: [-Infinity, Infinity, 1e12], slopes: [0, 0, 1e-24], curves: [0, 0, -2e-36] },
  asinh: { f: g.asinh, at: [-Infinity, Infinity, 1e20], slopes: [0, 0, 1e-20], curves: [0, 0, 0] },
  acosh: { f: g.acosh, at: [Infinity, 1e20, 1], slopes: [0, 1e-20, Infinity], curves: [0, 0, -Infinity] },
  asin: { f: g.asin, at: [1, -1, 1e-8], slopes: [Infinity, Infinity, 1], curves: [Infinity, -Infinity, 1e-8] },
  acos: { f: g.acos, at: [1, -1, 1e-8], slopes: [-Infinity, -Infinity, -1], curves: [-Infinity, Infinity, -1e-8] },
  atanh: { f: g.atanh, at: [1, -1, 1e-8], slopes: [Infinity, Infinity, 1], curves: [Infinity, -Infinity, 2e-8] },
  sqrt: { f: g.sqrt, at: [0, Infinity], slopes: [Infinity, 0], curves: [-Infinity, 0] },
  hypot: {
    f: (x) => x.hypot([1, 2, 0, 1]),
    at: [-Infinity, 1e30, 0, 1e4],
    slopes: [-1, 1, 0, 1],
    curves: [0, 0, 0, 1e-12],
  },
  atan2: { f: (x) => g.atan2(x, [1, 0, 1]), at: [Infinity, 0, 1e30], slopes: [0, 0, 0], curves: [0, 0, 0] },
  'atan2 of tiny numbers': { f: (x) => g.atan2(x, [1e-25]), at: [1e-25], slopes: [5e24] },
}

const powers: Readonly<Record<string, Edge>> = {
  'x⁰': {
    f: (x) => x.pow(0),
    at: [0, 1e-40, 2, NaN],
    values: [1, 1, 1, 1],
    slopes: [0, 0, 0, 0],
    curves: [0, 0, 0, 0],
  },
  'x¹': { f: (x) => x.pow(1), at: [0, 1e-40, 2], slopes: [1, 1, 1], curves: [0, 0, 0] },
  'x³': { f: (x) => x.pow(3), at: [0, 1e-30, -2], slopes: [0, 0, 12], curves: [0, 6e-30, -12] },
  'natural powers of 0': {
    f: (x) => x.pow([0, 1, 2, 3]),
    at: [0, 0, 0, 0],
    slopes: [0, 1, 0, 0],
    curves: [0, 0, 2, 0],
  },
  'natural powers of 0, third derivatives': {
    f: slope((x) => x.pow([0, 1, 2, 3])),
    at: [0, 0, 0, 0],
    curves: [0, 0, 0, 6],
  },
  'powers of 0 in the exponent': {
    f: (b) => g.pow([0, 0, 0, 2], b),
    at: [0, 1, 2.5, 0],
    slopes: [0, 0, 0, log2],
    curves: [0, 0, 0, log2 ** 2],
  },
  'a polynomial': {
    f: (x) => x.pow(3).add(x.pow(2).mul(2)).add(x.pow(0)),
    at: [0],
    values: [1],
    slopes: [0],
    curves: [4],
  },
  fmod: { f: (b) => g.fmod([1, 7, 1], b), at: [1e-30, -3, Infinity], curves: [0, 0, 0] },
  'fmod where the quotient rounds up': { f: (b) => g.fmod([16777215], b), at: [16777216], slopes: [0] },
  mod: { f: (b) => g.mod([1, 7], b), at: [1e-30, 3], curves: [0, 0] },
}

const reductions: Readonly<Record<string, Edge>> = {
  'norm of great numbers': { f: (x) => x.norm(), at: [1e20, 1], values: [1e20], slopes: [1, 1e-20] },
  'norm of tiny numbers': { f: (x) => x.norm(), at: [3e-25, 4e-25], values: [5e-25], slopes: [0.6, 0.8] },
  'norm of the least numbers': { f: (x) => x.norm(), at: [2 ** -149, 0], values: [2 ** -149], slopes: [1, 0] },
  'norm of float64': { f: (x) => x.norm(), at: float64([3e200, 4e200]), values: [5e200], slopes: [0.6, 0.8] },
  'norm of an infinity': { f: (x) => x.norm(), at: [-Infinity, 1], values: [Infinity], slopes: [-1, 0] },
  'norm of zeros': { f: (x) => x.norm(), at: [0, 0], values: [0], slopes: [0, 0], curves: [0, 0] },
  'norm along rows of all magnitudes': {
    f: (x) => x.norm(1),
    at: [
      [3e30, 4e30],
      [0, 0],
      [3e-30, -4e-30],
    ],
    values: [5e30, 0, 5e-30],
    slopes: [0.6, 0.8, 0, 0, 0.6, -0.8],
  },
  'norm of order 3': {
    f: (x) => x.norm(null, { order: 3 }),
    at: [1e20, -1e20],
    values: [2 ** third * 1e20],
    slopes: [2 ** (-2 / 3), -(2 ** (-2 / 3))],
  },
  'norm of order 3 of tiny numbers': {
    f: (x) => x.norm(null, { order: 3 }),
    at: [1e-25, 0],
    values: [1e-25],
    slopes: [1, 0],
  },
  'norm of order ½': { f: (x) => x.norm(null, { order: 0.5 }), at: [1e30, 1e30], values: [4e30], slopes: [2, 2] },
  'norm of order −2': {
    f: (x) => x.norm(null, { order: -2 }),
    at: [1e25, 1e25],
    values: [Math.SQRT1_2 * 1e25],
    slopes: [2 ** -1.5, 2 ** -1.5],
  },
  'norm of order −2 with a 0': {
    f: (x) => x.norm(null, { order: -2 }),
    at: [0, 1],
    values: [0],
    slopes: [0, 0],
    curves: [0, 0],
  },
  'norm of order 3 at 0': {
    f: (x) => x.norm(null, { order: 3 }),
    at: [0, 0],
    values: [0],
    slopes: [0, 0],
    curves: [0, 0],
  },
  'std of great numbers': {
    f: (x) => x.std(),
    at: [1e25, -1e25],
    values: [Math.SQRT2 * 1e25],
    slopes: [Math.SQRT1_2, -Math.SQRT1_2],
  },
  'std of tiny numbers': {
    f: (x) => x.std(),
    at: [1e-25, -1e-25],
    values: [Math.SQRT2 * 1e-25],
    slopes: [Math.SQRT1_2, -Math.SQRT1_2],
  },
  'std of equal numbers': { f: (x) => x.std(), at: [3, 3], values: [0], slopes: [0, 0], curves: [0, 0] },
  'variance by a divisor of 0': {
    f: (x) => x.variance(null, { correction: 2 }),
    at: [1, 2],
    values: [Infinity],
    slopes: [-Infinity, Infinity],
  },
  'std by a divisor below 0': {
    f: (x) => x.std(1, { correction: 3 }),
    at: [[1, 2]],
    values: [Infinity],
    slopes: [-Infinity, Infinity],
  },
  'logSumExp of −∞': {
    f: (x) => x.logSumExp(),
    at: [-Infinity, -Infinity],
    values: [-Infinity],
    slopes: [0, 0],
    curves: [0, 0],
  },
  'logSumExp of rows with −∞': {
    f: (x) => x.logSumExp(1),
    at: [
      [-Infinity, 0],
      [-Infinity, -Infinity],
    ],
    values: [0, -Infinity],
    slopes: [0, 1, 0, 0],
    curves: [0, 0, 0, 0],
  },
  'logSumExp of ∞': { f: (x) => x.logSumExp(), at: [Infinity, 1, 1000], values: [Infinity], slopes: [1, 0, 0] },
  'logAddExp of −∞': {
    f: (x) => g.logAddExp(x, [-Infinity, 0]),
    at: [-Infinity, -Infinity],
    values: [-Infinity, 0],
    slopes: [0, 0],
    curves: [0, 0],
  },
  'logAddExp of −∞ on the other side': {
    f: (x) => g.logAddExp([-Infinity, 0], x),
    at: [-Infinity, -Infinity],
    values: [-Infinity, 0],
    slopes: [0, 0],
    curves: [0, 0],
  },
  'logCumSumExp from −∞ on': {
    f: (x) => g.logCumSumExp(x),
    at: [-Infinity, -Infinity, 0, 0],
    values: [-Infinity, -Infinity, 0, log2],
    slopes: [1, 0, 1.5, 0.5],
    curves: [0, 0, 0, 0],
  },
  'corrcoef of great and of tiny numbers': {
    f: (x) => g.corrcoef(x),
    at: [
      [1e25, 2e25, 3e25],
      [3e-25, 2e-25, 1e-25],
    ],
    values: [1, -1, -1, 1],
  },
  'quantile between equal infinities': {
    f: (x) => x.quantile(0.25),
    at: [-Infinity, -Infinity, 0],
    values: [-Infinity],
    slopes: [0.5, 0.5, 0],
  },
  'quantile of infinities of both signs': {
    f: (x) => x.quantile([0.1, 0.9]),
    at: [-Infinity, -Infinity, 1, Infinity, Infinity],
    values: [-Infinity, Infinity],
  },
  'quantile beside an infinity': {
    f: (x) => x.quantile([0.25, 0.75]),
    at: [-Infinity, 0],
    values: [-Infinity, -Infinity],
  },
  'quantile of far numbers': { f: (x) => x.quantile(0.5), at: [-3e38, 3e38], values: [0], slopes: [0.5, 0.5] },
  lerp: {
    f: (x) => g.lerp(x, [-Infinity, Infinity, 0, 5, Infinity], 0.25),
    at: [-Infinity, Infinity, -Infinity, 1, 0],
    values: [-Infinity, Infinity, -Infinity, 2, Infinity],
    slopes: [0.75, 0.75, 0.75, 0.75, 0.75],
  },
  'lerp to an end that is not finite': {
    f: (x) => g.lerp(x, [Infinity, 3], [0, 1]),
    at: [1, -Infinity],
    values: [1, 3],
    slopes: [1, 0],
  },
  'lerp by float64': { f: (x) => g.lerp(x, float64([1]), 0.7), at: float64([0]), values: [0.7], slopes: [0.3] },
}

describe.each(backends)('on %s', (backend) => {
  beforeAll(() => g.setBackend(backend))

  describe.each(Object.entries({ losses, activations, powers, reductions }))('%s', (_, edges) => {
    test.each(Object.entries(edges))('%s', (_, { f, at, values, slopes, curves }) => {
      if (values) close(f(g.tensor(at)), values)
      if (slopes) close(slope(f)(at), slopes)
      if (curves) close(curve(f)(at), curves)
    })
  })
})

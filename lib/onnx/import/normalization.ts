/** Normalizations. */
import { normalizeAxis, sameShape, sizeOf } from '../../base/shape.ts'
import { abs, add, div, maximum, mul, sub } from '../../operations/arithmetic.ts'
import { equal, where } from '../../operations/comparison.ts'
import { pow, rsqrt, sqrt, square } from '../../operations/math.ts'
import { batchNorm, groupNorm, instanceNorm, layerNorm, rmsNorm } from '../../operations/normalization.ts'
import { pad } from '../../operations/padding.ts'
import { avgPool2d } from '../../operations/pooling.ts'
import { mean, norm, sum, variance } from '../../operations/reduce.ts'
import { reshape } from '../../operations/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import type { Call } from './call.ts'
import { type Family, row } from './row.ts'
import { wrong } from './tables.ts'

const epsilonOf = (n: Call, otherwise = 1e-5): number => n.attributes.float('epsilon', otherwise)

/** By running statistics, or those of the batch, by which the running ones then move; `isOld`: which are outputs too. */
function batchNormalization(n: Call, isTraining: boolean, isOld: boolean): Tensor[] {
  const [x, oldMean, oldVariance] = [n.tensor(0), n.tensor(3), n.tensor(4)]
  const options = { weight: n.tensor(1), bias: n.tensor(2), epsilon: epsilonOf(n), axis: 1 }
  if (n.attributes.int('spatial', 1) === 0) throw n.attributes.error('spatial', '1', 0)
  if (!isTraining) return [batchNorm(x, { ...options, mean: oldMean, variance: oldVariance })]
  const axes = x.shape.map((_, i) => i).filter((i) => i !== 1)
  const own = { mean: mean(x, axes), variance: variance(x, axes, { correction: 0 }) }
  const momentum = n.attributes.float('momentum', 0.9)
  const next = (old: Tensor, now: Tensor) => add(mul(old, momentum), mul(now, 1 - momentum))
  const y = batchNorm(x, { ...options, ...own })
  const running = [next(oldMean, own.mean), next(oldVariance, own.variance)]
  return [y, ...running, ...(isOld ? [own.mean, own.variance] : [])]
}

/** Over the last axes from one on; the mean and 1 / σ of each row are outputs too. */
export function layerNormalization(n: Call): (Tensor | undefined)[] {
  const [x, weight] = [n.tensor(0), n.tensor(1)]
  const axis = normalizeAxis('onnx', n.attributes.int('axis', -1), x.ndim)
  const epsilon = epsilonOf(n)
  const shape = x.shape.slice(axis)
  const bias = n.optional(2)
  const areOfShape = [weight, ...(bias === undefined ? [] : [bias])].every((each) => sameShape(each.shape, shape))
  const y = areOfShape
    ? layerNorm(x, { normalizedShape: shape, epsilon, weight, bias: bias ?? null })
    : affine(layerNorm(x, { normalizedShape: shape, epsilon }), weight, bias)
  if (!n.wants(1) && !n.wants(2)) return [y]
  const axes = shape.map((_, i) => axis + i)
  const inverse = rsqrt(add(variance(x, axes, { correction: 0, keepDims: true }), epsilon))
  return [y, mean(x, axes, { keepDims: true }), inverse]
}

/** y · weight + bias, which broadcast. */
export const affine = (y: Tensor, weight: Tensor | undefined, bias: Tensor | undefined): Tensor => {
  const scaled = weight === undefined ? y : mul(y, weight)
  return bias === undefined ? scaled : add(scaled, bias)
}

/** x / √(mean x² + ε) · weight over the last axes from one on. */
export function rmsNormalization(n: Call): Tensor {
  const x = n.tensor(0)
  const axis = normalizeAxis('onnx', n.attributes.int('axis', -1), x.ndim)
  return mul(rmsNorm(x, { normalizedShape: x.shape.slice(axis), epsilon: epsilonOf(n) }), n.tensor(1))
}

/** `perGroup`: whether the first versions' scale and bias are those of groups, and not of channels. */
function groupNormalization(n: Call, perGroup: boolean): Tensor {
  const [x, weight, bias] = [n.tensor(0), n.tensor(1), n.tensor(2)]
  const groups = n.attributes.int('num_groups', 0)
  const channels = x.shape[1] ?? 0
  if (groups < 1 || channels % groups !== 0)
    throw n.attributes.error('num_groups', `a positive divisor of ${channels} channels`, groups)
  const epsilon = epsilonOf(n)
  if (!perGroup) return groupNorm(x, groups, { weight, bias, epsilon })
  const of = (parameter: Tensor) => reshape(parameter, [1, groups, ...x.shape.slice(1).map(() => 1)])
  const y = reshape(groupNorm(x, groups, { epsilon }), [x.shape[0]!, groups, channels / groups, ...x.shape.slice(2)])
  return reshape(affine(y, of(weight), of(bias)), x.shape)
}

function instanceNormalization(n: Call): Tensor {
  const [x, weight, bias] = [n.tensor(0), n.tensor(1), n.tensor(2)]
  if (x.ndim >= 3) return instanceNorm(x, { weight, bias, epsilon: epsilonOf(n) })
  throw wrong(n, 'an input of at least three axes', `[${x.shape}]`)
}

function lpNormalization(n: Call): Tensor {
  const x = n.tensor(0)
  const axis = n.attributes.int('axis', -1)
  const p = n.attributes.int('p', 2)
  if (p !== 1 && p !== 2) throw n.attributes.error('p', '1 or 2', p)
  const length = p === 1 ? sum(abs(x), axis, { keepDims: true }) : norm(x, axis, { keepDims: true })
  // Nothing has no direction: 0 as the reference has it, and not 0 / 0.
  const isZero = equal(length, 0)
  return where(isZero, 0, div(x, where(isZero, 1, length)))
}

/** x / (bias + alpha / size · Σ x²)^beta, the sum over neighbouring channels. */
function localResponse(n: Call): Tensor {
  const x = n.tensor(0)
  const size = n.attributes.int('size', 0)
  const [batch, channels, ...places] = x.shape as [number, number, ...number[]]
  if (size < 1) throw n.attributes.error('size', 'a positive integer', size)
  const [alpha, beta, bias] = [
    n.attributes.float('alpha', 1e-4),
    n.attributes.float('beta', 0.75),
    n.attributes.float('bias', 1),
  ]
  // Farther away there are no channels.
  const before = Math.min(Math.floor((size - 1) / 2), channels)
  const after = Math.min(Math.ceil((size - 1) / 2), channels)
  const planes = pad(reshape(square(x), [batch, 1, channels, sizeOf(places)]), [
    [0, 0],
    [0, 0],
    [before, after],
    [0, 0],
  ])
  const window = before + 1 + after
  const sums = mul(reshape(avgPool2d(planes, [window, 1], { stride: 1 }), x.shape), (alpha * window) / size)
  return div(x, pow(add(sums, bias), beta))
}

/** (x − mean) / (σ + 10⁻⁹) over some axes. */
function meanVarianceNormalization(n: Call): Tensor {
  const x = n.tensor(0)
  const axes = n.attributes.ints('axes', [0, 2, 3])
  const deviation = sqrt(maximum(variance(x, axes, { correction: 0, keepDims: true }), 0))
  return div(sub(x, mean(x, axes, { keepDims: true })), add(deviation, 1e-9))
}

const statistics = { buffers: [3, 4] }

export const normalization: Family = {
  BatchNormalization: [
    row([6], (n) => batchNormalization(n, !n.attributes.flag('is_test', false), true), statistics),
    row([7, 9], (n) => batchNormalization(n, n.wants(1), true), statistics),
    row([14, 15], (n) => batchNormalization(n, n.attributes.flag('training_mode', false), false), statistics),
  ],
  InstanceNormalization: row([6, 22], instanceNormalization),
  LayerNormalization: row([17], layerNormalization),
  GroupNormalization: [row([18], (n) => groupNormalization(n, true)), row([21], (n) => groupNormalization(n, false))],
  RMSNormalization: row([23], rmsNormalization),
  LpNormalization: row([1, 22], lpNormalization),
  LRN: row([1, 13], localResponse),
  MeanVarianceNormalization: row([9, 13], meanVarianceNormalization),
}

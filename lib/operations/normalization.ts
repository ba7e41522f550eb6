/** Normalizations: batch, layer, root mean square, group and instance. */

import { checkNumber } from '../base/arguments.ts'
import { isFloat } from '../base/dtype.ts'
import { DTypeError, expected, ShapeError } from '../base/errors.ts'
import { checkOptions, type OptionTypes } from '../base/options.ts'
import { checkShape, extentAt, formatShape, normalizeAxis, type Shape, sameShape } from '../base/shape.ts'
import { normalize, rmsNormalize } from '../graph/ops/normalization.ts'
import { nodeOf, type Tensor, type TensorLike, toNode, toTensor, wrap } from '../tensor/tensor.ts'
import { add, mul, sub } from './arithmetic.ts'
import { rsqrt, square } from './math.ts'
import { mean as meanOf, moments } from './reduce.ts'
import { cast, reshape } from './shape.ts'

export interface AffineOptions {
  /** Multiplies what was normalized; 1 unless given. */
  weight?: TensorLike | null
  /** Is added at the end; 0 unless given. */
  bias?: TensorLike | null
  /** Added to the variance; 1e-5 unless given. */
  epsilon?: number
}

export interface BatchNormOptions extends AffineOptions {
  /** [channels] each: normalizes by these instead of the batch's own, as at inference. Both or none. */
  mean?: TensorLike | null
  variance?: TensorLike | null
  /** The axis of the channels; 1 unless given, as in PyTorch. */
  axis?: number
}

export interface LayerNormOptions extends AffineOptions {
  /** The last extents of x, over which it is normalized; those of the weight, or else the last one, unless given. */
  normalizedShape?: Shape
}

export interface RmsNormOptions extends Omit<LayerNormOptions, 'bias'> {
  /** Added to the mean square; the dtype's epsilon (2⁻²³ for float32) unless given, as in PyTorch. */
  epsilon?: number
}

export interface ChannelNormOptions extends AffineOptions {
  /** The axis of the channels; 1 unless given, as in PyTorch. */
  axis?: number
}

const affineOptions: OptionTypes<AffineOptions> = { weight: 'other or null', bias: 'other or null', epsilon: 'number' }
const batchNormOptions: OptionTypes<BatchNormOptions> = {
  ...affineOptions,
  ...{ mean: 'other or null', variance: 'other or null', axis: 'number' },
}
const layerNormOptions: OptionTypes<LayerNormOptions> = { ...affineOptions, normalizedShape: 'other' }
const rmsNormOptions: OptionTypes<RmsNormOptions> = {
  weight: 'other or null',
  epsilon: 'number',
  normalizedShape: 'other',
}
const channelNormOptions: OptionTypes<ChannelNormOptions> = { ...affineOptions, axis: 'number' }

/** (x − mean) / √(variance + ε) */
const standardize = (x: Tensor, mean: Tensor, variance: Tensor, epsilon: number): Tensor =>
  mul(sub(x, mean), rsqrt(add(variance, epsilon)))

/** x / √(mean x² + ε) over axes. */
const scaleToUnit = (x: Tensor, axes: readonly number[], epsilon: number): Tensor =>
  mul(x, rsqrt(add(meanOf(square(x), axes, { keepDims: true }), epsilon)))

function floatOperand(op: string, x: TensorLike): Tensor {
  const t = toTensor(op, x)
  if (!isFloat(t.dtype)) throw new DTypeError(expected(op, 'float32 or float64', t.dtype))
  return t
}

const checkEpsilon = (op: string, epsilon: number): number =>
  checkNumber(op, 'a finite epsilon of at least 0', epsilon, (x) => Number.isFinite(x) && x >= 0)

/** A parameter of x's dtype, and of a shape. */
function parameter(op: string, name: string, x: Tensor, value: TensorLike, shape: Shape): Tensor {
  const given = wrap(toNode(op, value, x.dtype))
  if (sameShape(given.shape, shape)) return cast(given, x.dtype)
  // Channels that are last, where the axis of others is meant.
  const channels = given.shape[0]
  if (given.ndim === 1 && shape.length === 1 && x.ndim > 2 && channels === x.shape.at(-1) && shape[0] !== channels)
    throw new ShapeError(
      expected(
        op,
        `an input of ${channels} channels, as the ${name} has`,
        `${formatShape(x.shape)}, which has them at axis: -1`,
      ),
    )
  throw new ShapeError(expected(op, `a ${name} of shape ${formatShape(shape)}`, formatShape(given.shape)))
}

/** normalized·weight + bias, both of `shape` and read as `broadcast`. */
function affine(
  op: string,
  normalized: Tensor,
  { weight, bias }: AffineOptions,
  shape: Shape,
  broadcast = shape,
): Tensor {
  const read = (name: string, value: TensorLike) => reshape(parameter(op, name, normalized, value, shape), broadcast)
  const scaled = weight == null ? normalized : mul(normalized, read('weight', weight))
  return bias == null ? scaled : add(scaled, read('bias', bias))
}

/** By the moments of channels, with parameters of a shape, read as `wide`, which has as many axes as x. */
function normalizeBy(
  op: string,
  x: Tensor,
  { weight, bias }: AffineOptions,
  shape: Shape,
  wide: Shape,
  params: Parameters<typeof normalize>[3],
): Tensor {
  const read = (name: string, value: TensorLike | null | undefined) =>
    value == null ? null : nodeOf(reshape(parameter(op, name, x, value, shape), wide))
  return wrap(normalize(nodeOf(x), read('weight', weight), read('bias', bias), params))
}

/** The axis of the channels; how many there are; and their shape where it is broadcast against x. */
function channelsOf(op: string, { shape }: Tensor, axis: number) {
  if (shape.length < 2) throw new ShapeError(expected(op, 'an input of at least two axes', formatShape(shape)))
  const at = normalizeAxis(op, axis, shape.length)
  return { at, count: extentAt(shape, at), broadcast: shape.map((extent, i) => (i === at ? extent : 1)) }
}

/**
 * Batch normalization: (x − mean) / √(variance + ε) · weight + bias, by channel. Without `mean` and `variance` they
 * are those of the batch (of all axes but the channels'; the variance is the biased one), as in training; with them, it
 * is the form of inference. `nn.batchNorm1d` and `nn.batchNorm2d` keep them. S. Ioffe & C. Szegedy, "Batch
 * normalization" (2015), algorithms 1 and 2.
 *
 * @param x floats [n, channels, …]
 * @throws ShapeError for fewer than two axes, or a parameter that is not [channels]; DTypeError for integers; RangeError
 * for an epsilon below 0; TypeError for one of mean and variance without the other
 *
 * @example
 * batchNorm([[1, 10], [3, 30]]) // [[-1, -1], [1, 1]], almost
 * @pytorch F.batch_norm
 * @tensorflow tf.nn.batch_normalization
 */
export function batchNorm(x: TensorLike, options?: BatchNormOptions, ...surplus: []): Tensor {
  const checked = checkOptions('batchNorm', options, batchNormOptions, surplus)
  const { mean = null, variance = null, axis = 1, epsilon = 1e-5 } = checked
  const t = floatOperand('batchNorm', x)
  const { at, count, broadcast } = channelsOf('batchNorm', t, axis)
  checkEpsilon('batchNorm', epsilon)
  if ((mean === null) !== (variance === null))
    throw new TypeError(expected('batchNorm', 'both mean and variance, or none', 'one of them'))
  const given = (name: string, value: TensorLike) => reshape(parameter('batchNorm', name, t, value, [count]), broadcast)
  if (mean === null)
    return normalizeBy('batchNorm', t, checked, [count], broadcast, { first: at, end: at + 1, epsilon })
  const normalized = standardize(t, given('mean', mean), given('variance', variance!), epsilon)
  return affine('batchNorm', normalized, checked, [count], broadcast)
}

/** The axes of `normalizedShape`, the last ones of x. */
function lastAxes(op: string, { shape }: Tensor, normalizedShape: Shape): number[] {
  const first = shape.length - normalizedShape.length
  if (normalizedShape.length === 0 || first < 0 || !sameShape(shape.slice(first), normalizedShape))
    throw new ShapeError(
      expected(op, `an input of shape […, ${formatShape(normalizedShape).slice(1)}`, formatShape(shape)),
    )
  return normalizedShape.map((_, i) => first + i)
}

function normalizedShapeOf(op: string, x: Tensor, { normalizedShape, weight }: LayerNormOptions): Shape {
  if (normalizedShape !== undefined) return checkShape(op, normalizedShape)
  return weight == null ? x.shape.slice(-1) : toTensor(op, weight).shape
}

/**
 * Layer normalization: (x − mean) / √(variance + ε) · weight + bias, with the mean and the biased variance of the last
 * axes of each row. J. L. Ba et al., "Layer normalization" (2016).
 *
 * @param x floats […, normalizedShape]
 * @throws ShapeError where x does not end in the shape that is normalized, or weight and bias have another one;
 * DTypeError for integers; RangeError for an epsilon below 0
 *
 * @example
 * layerNorm([[1, 2, 3]]) // [[-1.22, 0, 1.22]]
 * @pytorch F.layer_norm
 * @tensorflow tf.keras.layers.LayerNormalization
 */
export function layerNorm(x: TensorLike, options?: LayerNormOptions, ...surplus: []): Tensor {
  const given = checkOptions('layerNorm', options, layerNormOptions, surplus)
  const t = floatOperand('layerNorm', x)
  const shape = normalizedShapeOf('layerNorm', t, given)
  const axes = lastAxes('layerNorm', t, shape)
  const epsilon = checkEpsilon('layerNorm', given.epsilon ?? 1e-5)
  const wide = t.shape.map((extent, axis) => (axes.includes(axis) ? extent : 1))
  return normalizeBy('layerNorm', t, given, shape, wide, { first: 0, end: t.ndim - axes.length, epsilon })
}

/**
 * Root mean square normalization: x / √(mean x² + ε) · weight, over the last axes of each row. B. Zhang & R. Sennrich,
 * "Root mean square layer normalization" (2019).
 *
 * @param x floats […, normalizedShape]
 * @throws ShapeError where x does not end in the shape that is normalized, or the weight has another one; DTypeError
 * for integers; RangeError for an epsilon below 0
 * @pytorch F.rms_norm
 * @tensorflow tf.keras.layers.RMSNormalization
 */
export function rmsNorm(x: TensorLike, options?: RmsNormOptions, ...surplus: []): Tensor {
  const given = checkOptions('rmsNorm', options, rmsNormOptions, surplus)
  const t = floatOperand('rmsNorm', x)
  const shape = normalizedShapeOf('rmsNorm', t, given)
  const axes = lastAxes('rmsNorm', t, shape)
  const epsilon = checkEpsilon('rmsNorm', given.epsilon ?? (t.dtype === 'float64' ? 2 ** -52 : 2 ** -23))
  const weight = given.weight ?? null
  // The sums of channels have no kernels of float64.
  if (t.dtype === 'float64') return affine('rmsNorm', scaleToUnit(t, axes, epsilon), { weight }, shape)
  const read = weight === null ? null : parameter('rmsNorm', 'weight', t, weight, shape)
  const wide = t.shape.map((extent, axis) => (axes.includes(axis) ? extent : 1))
  const params = { first: 0, end: t.ndim - axes.length, epsilon }
  return wrap(rmsNormalize(nodeOf(t), read && nodeOf(reshape(read, wide)), params))
}

/** What both of the next normalize: the channels in groups, each over its channels and all axes that follow. */
function normalizeGroups(op: string, x: Tensor, groups: number, options: ChannelNormOptions): Tensor {
  const { at, count, broadcast } = channelsOf(op, x, options.axis ?? 1)
  if (at === 0) throw new ShapeError(expected(op, 'channels along another axis than the first', options.axis))
  const epsilon = checkEpsilon(op, options.epsilon ?? 1e-5)
  checkNumber(op, `a positive integer of groups that divides the ${count} channels`, groups, (n) => {
    return Number.isInteger(n) && n > 0 && count % n === 0
  })
  const grouped = reshape(x, [...x.shape.slice(0, at), groups, count / groups, ...x.shape.slice(at + 1)])
  // Of the axes of `grouped` all but the first, which is the batch's, and that of the groups.
  const axes = grouped.shape.map((_, axis) => axis).filter((axis) => axis !== 0 && axis !== at)
  if (at === 1) {
    const wide = grouped.shape.map((extent, axis) => (axis === 1 || axis === 2 ? extent : 1))
    return reshape(normalizeBy(op, grouped, options, [count], wide, { first: 0, end: 2, epsilon }), x.shape)
  }
  const { mean, variance } = moments(grouped, axes, { keepDims: true })
  const normalized = reshape(standardize(grouped, mean, variance, epsilon), x.shape)
  return affine(op, normalized, options, [count], broadcast)
}

/**
 * Group normalization: the channels in groups of neighbours, each normalized over its channels and all positions of a
 * sample. Y. Wu & K. He, "Group normalization" (2018).
 *
 * @param x floats [n, channels, …]
 * @param groups divides the channels
 * @throws ShapeError for fewer than two axes or parameters that are not [channels]; RangeError for groups that do not
 * divide the channels, or an epsilon below 0; DTypeError for integers
 * @pytorch F.group_norm
 * @tensorflow tf.keras.layers.GroupNormalization
 */
export function groupNorm(x: TensorLike, groups: number, options?: ChannelNormOptions, ...surplus: []): Tensor {
  const given = checkOptions('groupNorm', options, channelNormOptions, surplus)
  return normalizeGroups('groupNorm', floatOperand('groupNorm', x), groups, given)
}

/**
 * Instance normalization: each channel of each sample over its positions. D. Ulyanov et al., "Instance normalization"
 * (2016).
 *
 * @param x floats [n, channels, …]
 * @throws ShapeError for fewer than three axes or parameters that are not [channels]; DTypeError for integers; RangeError
 * for an epsilon below 0
 * @pytorch F.instance_norm
 */
export function instanceNorm(x: TensorLike, options?: ChannelNormOptions, ...surplus: []): Tensor {
  const given = checkOptions('instanceNorm', options, channelNormOptions, surplus)
  const t = floatOperand('instanceNorm', x)
  if (t.ndim < 3)
    throw new ShapeError(expected('instanceNorm', 'an input of at least three axes', formatShape(t.shape)))
  const { count } = channelsOf('instanceNorm', t, given.axis ?? 1)
  return normalizeGroups('instanceNorm', t, Math.max(count, 1), given)
}

/**
 * Normalization by the moments of what is normalized. Operations know of channels: a run of axes, [first, end), each element of
 * which has a mean and a variance over all other axes; these keep extent 1 in what is made of them.
 */
import { type Shape, sameShape, sizeOf } from '../../base/shape.ts'
import { type Node, type OpDef, record, type Unary } from '../node.ts'
import { broadcastTo, sumTo } from './broadcast.ts'
import { add, div, mul, neg, rsqrt, square, sub } from './elementwise.ts'
import { literal } from './leaf.ts'
import { lowerFirst } from './rule.ts'

/** The axes of the channels. */
export type Channels = { first: number; end: number }

const channelShape = (shape: Shape, { first, end }: Channels): Shape =>
  shape.map((extent, axis) => (axis >= first && axis < end ? extent : 1))

/** x[outer, channels, inner]: no element has to move. */
const extentsOf = (shape: Shape, { first, end }: Channels) => ({
  outer: sizeOf(shape.slice(0, first)),
  channels: sizeOf(shape.slice(first, end)),
  inner: sizeOf(shape.slice(end)),
})

/** How many elements a channel has. */
const countOf = (shape: Shape, { first, end }: Channels): number => sizeOf(shape.toSpliced(first, end - first))

type MomentOp = OpDef<Channels, Unary>

const momentOp = (name: 'mean' | 'variance', vjp: NonNullable<MomentOp['vjp']>): MomentOp => ({
  name: `${name}OfChannels`,
  infer: ([x], params) => ({ dtype: x.dtype, shape: channelShape(x.shape, params) }),
  vjp,
  lower(emitter, { inputs: [x], dtype, shape, params }) {
    const type = { dtype, shape }
    const [mean, variance] = emitter.emitShared('moments', [emitter.dense(x)], [type, type], extentsOf(x.shape, params))
    return emitter.denseView({ mean, variance }[name])
  },
})

const meanOp = momentOp('mean', (ct, { inputs: [x], params }) => [
  broadcastTo(div(ct, countOf(x.shape, params)), x.shape),
])

// 2·(x − mean)/n: the mean has no share, as deviations add up to 0.
const varianceOp = momentOp('variance', (ct, { inputs: [x], params }) => [
  mul(mul(ct, 2 / countOf(x.shape, params)), sub(x, meanOf(x, params))),
])

/** The mean and the variance, without a correction, of each channel, by one instruction. */
export const meanOf = (x: Node, { first, end }: Channels): Node => record(meanOp, [x], { first, end })
export const varianceOf = (x: Node, { first, end }: Channels): Node => record(varianceOp, [x], { first, end })

type SumInputs = readonly [x: Node, mean: Node, y: Node]

const deviationSumOp = (
  name: 'sum' | 'product',
  vjp: OpDef<Channels, SumInputs>['vjp'],
): OpDef<Channels, SumInputs> => ({
  name: `deviation${name === 'sum' ? 'Sum' : 'Product'}`,
  infer: ([, mean]) => mean,
  ...(vjp && { vjp }),
  lower(emitter, { inputs, dtype, shape, params }) {
    const type = { dtype, shape }
    const operands = inputs.map((operand) => emitter.dense(operand))
    const [sum, product] = emitter.emitShared(
      'deviationSums',
      operands,
      [type, type],
      extentsOf(inputs[0].shape, params),
    )
    return emitter.denseView({ sum, product }[name])
  },
})

/** Σy of each channel. */
const sumBesideOp = deviationSumOp('sum', (ct, { inputs: [, , y] }) => [null, null, broadcastTo(ct, y.shape)])

/** Σ(x − mean)·y of each channel. */
const productBesideOp = deviationSumOp('product', (ct, { inputs, params }) => {
  const [x, mean, y] = inputs
  return [mul(ct, y), neg(mul(ct, record(sumBesideOp, inputs, params))), mul(ct, sub(x, mean))]
})

type Normalize = Channels & { epsilon: number }

const inverseDeviation = (x: Node, { epsilon, ...channels }: Normalize): Node =>
  rsqrt(add(varianceOf(x, channels), epsilon))

/** Whether there is one element for each channel. */
const isPerChannel = (parameter: Node, x: Node, channels: Channels): boolean =>
  sameShape(parameter.shape, channelShape(x.shape, channels))

/**
 * With deviations d = x − mean, r = 1/√(variance + ε) and g = ct·weight, over the n elements of a channel:
 *
 *     dx = r·(g − Σg/n − d·r²·Σ(d·g)/n)    dweight = Σ r·d·ct    dbias = Σ ct
 */
const normalizeOp: OpDef<Normalize, readonly [y: Node, x: Node, weight: Node, bias: Node]> = {
  name: 'normalizeChannels',
  infer: ([y]) => y,
  vjp(ct, { inputs: [, x, weight, bias], params: { epsilon, first, end } }) {
    const channels = { first, end }
    const [mean, count] = [meanOf(x, channels), countOf(x.shape, channels)]
    const r = inverseDeviation(x, { epsilon, ...channels })
    const perChannel = isPerChannel(weight, x, channels)
    const g = perChannel ? ct : mul(ct, weight)
    const sums = [x, mean, g] as const
    const [sum, product] = [record(sumBesideOp, sums, channels), record(productBesideOp, sums, channels)]
    const slope = div(mul(square(r), product), count)
    const dx = mul(sub(sub(g, div(sum, count)), mul(sub(x, mean), slope)), perChannel ? mul(r, weight) : r)
    const dWeight = perChannel ? mul(r, product) : sumTo(mul(mul(sub(x, mean), r), ct), weight.shape)
    const dBias = perChannel && isPerChannel(bias, x, channels) ? sum : sumTo(ct, bias.shape)
    return [null, dx, dWeight, dBias]
  },
  lower: lowerFirst,
}

/**
 * (x − mean) / √(variance + ε) · weight + bias, by the moments of each channel of x. The weight and the bias, where there are
 * any, have as many axes as x, and broadcast to it.
 */
export function normalize(x: Node, weight: Node | null, bias: Node | null, params: Normalize): Node {
  const { first, end, epsilon } = params
  const channels = { first, end }
  const of = (number: number) => broadcastTo(literal(number, x.dtype), channelShape(x.shape, channels))
  const deviations = sub(x, meanOf(x, channels))
  const r = inverseDeviation(x, { ...channels, epsilon })
  const isOfChannels = weight !== null && isPerChannel(weight, x, channels)
  const unscaled = mul(deviations, isOfChannels ? mul(r, weight) : r)
  const scaled = weight === null || isOfChannels ? unscaled : mul(unscaled, weight)
  const y = bias === null ? scaled : add(scaled, bias)
  return record(normalizeOp, [y, x, weight ?? of(1), bias ?? of(0)], { ...channels, epsilon })
}

/** Σx·y of each channel, as deviations from 0. */
function channelProduct(x: Node, y: Node, channels: Channels): Node {
  const zeros = broadcastTo(literal(0, x.dtype), channelShape(x.shape, channels))
  return record(productBesideOp, [x, zeros, y], channels)
}

/** 1/√(Σx²/n + ε) */
const inverseRootMeanSquare = (x: Node, { epsilon, ...channels }: Normalize): Node =>
  rsqrt(add(div(channelProduct(x, x, channels), countOf(x.shape, channels)), epsilon))

/**
 * With r = 1/√(Σx²/n + ε) and g = ct·weight, over the n elements of a channel:
 *
 *     dx = r·(g − x·r²·Σ(x·g)/n)    dweight = Σ r·x·ct
 */
const rmsNormalizeOp: OpDef<Normalize, readonly [y: Node, x: Node, weight: Node]> = {
  name: 'rmsNormalizeChannels',
  infer: ([y]) => y,
  vjp(ct, { inputs: [, x, weight], params: { epsilon, first, end } }) {
    const channels = { first, end }
    const r = inverseRootMeanSquare(x, { epsilon, ...channels })
    const g = mul(ct, weight)
    const slope = div(mul(square(r), channelProduct(x, g, channels)), countOf(x.shape, channels))
    return [null, mul(sub(g, mul(x, slope)), r), sumTo(mul(mul(x, r), ct), weight.shape)]
  },
  lower: lowerFirst,
}

/** x / √(mean x² + ε) · weight, by the mean square of each channel of x; a weight has as many axes as x, and broadcasts to it. */
export function rmsNormalize(x: Node, weight: Node | null, params: Normalize): Node {
  const { first, end, epsilon } = params
  const given = { first, end, epsilon }
  const unscaled = mul(x, inverseRootMeanSquare(x, given))
  const y = weight === null ? unscaled : mul(unscaled, weight)
  return record(rmsNormalizeOp, [y, x, weight ?? broadcastTo(literal(1, x.dtype), channelShape(x.shape, given))], given)
}

export const normalizationOps = {
  meanOfChannels: meanOp,
  varianceOfChannels: varianceOp,
  deviationSum: sumBesideOp,
  deviationProduct: productBesideOp,
}

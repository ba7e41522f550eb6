/** Normalizations, with the epsilons and momenta of Keras. */
import { normalizeAxes, normalizeAxis } from '../../base/shape.ts'
import * as g from '../../operations/index.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import type { Variable } from '../../tensor/variable.ts'
import type { Config } from '../config.ts'
import type { KerasLayer, Make, Slot } from '../layer.ts'

const op = 'keras'

/** The slots of what a normalized value is multiplied by and what is added to it. */
const affineSlots = (config: Config, shape: Slot['shape']): Slot[] => [
  ...(config.flag('scale', true) ? [{ name: 'gamma', shape }] : []),
  ...(config.flag('center', true) ? [{ name: 'beta', shape }] : []),
]

const affineOf = (layer: KerasLayer) => ({
  weight: layer.optional('gamma') ?? null,
  bias: layer.optional('beta') ?? null,
})

/**
 * In training mode by the mean and variance of the batch, which enter the running ones: r ← momentum·r + (1 − momentum)·batch, with
 * the variance as it is.
 */
const batchNormalization: Make = (config) => {
  const [epsilon, momentum] = [config.number('epsilon', 1e-3), config.rate('momentum', 0.99)]
  const axis = config.integers('axis', [-1])[0]!
  config.refuse('renorm', (value) => value === false, 'renorm as false')
  return {
    slots: [
      ...affineSlots(config, [null]),
      { name: 'moving_mean', shape: [null], trainable: false },
      { name: 'moving_variance', shape: [null], trainable: false },
    ],
    forward(layer, { floats: x, kwargs }) {
      const [mean, variance] = [layer.variable('moving_mean'), layer.variable('moving_variance')]
      const options = { ...affineOf(layer), epsilon, axis }
      if (!layer.training || kwargs.training === false) return g.batchNorm(x, { ...options, mean, variance })
      track(x.stopGradient(), normalizeAxis(op, axis, x.ndim), momentum, mean, variance)
      return g.batchNorm(x, options)
    },
    keepsMask: true,
  }
}

function track(x: Tensor, axis: number, momentum: number, mean: Variable, variance: Variable): void {
  if (x.size === 0) return
  const others = x.shape.map((_, i) => i).filter((i) => i !== axis)
  const center = g.mean(x, others, { keepDims: true })
  const spread = g.mean(x.sub(center).square(), others)
  const blend = (running: Variable, batch: Tensor) =>
    running.assign(running.mul(momentum).add(batch.reshape(running.shape).mul(1 - momentum)))
  blend(mean, center)
  blend(variance, spread)
}

/** Over the last axes with weights of their shape, or over other ones. */
const layerNormalization: Make = (config) => {
  const epsilon = config.number('epsilon', 1e-3)
  const axes = config.integers('axis', [-1])
  config.refuse('rms_scaling', (value) => value === false, 'rms_scaling as false')
  return {
    slots: affineSlots(config, new Array<null>(axes.length).fill(null)),
    forward(layer, { floats: x }) {
      const over = normalizeAxes(op, axes, x.ndim).toSorted((a, b) => a - b)
      const normalizedShape = over.map((axis) => x.shape[axis]!)
      const isLast = over[0] === x.ndim - over.length
      if (isLast) return g.layerNorm(x, { ...affineOf(layer), normalizedShape, epsilon })
      const shape = x.shape.map((extent, i) => (over.includes(i) ? extent : 1))
      const center = g.mean(x, over, { keepDims: true })
      const spread = g.mean(x.sub(center).square(), over, { keepDims: true })
      return withAffine(layer, x.sub(center).div(spread.add(epsilon).sqrt()), shape)
    },
    keepsMask: true,
  }
}

function withAffine(layer: KerasLayer, x: Tensor, shape: readonly number[]): Tensor {
  const { weight, bias } = affineOf(layer)
  const scaled = weight === null ? x : x.mul(weight.reshape(shape))
  return bias === null ? scaled : scaled.add(bias.reshape(shape))
}

/** The channels in groups of neighbours; −1 of them is one for each channel. */
const groupNormalization: Make = (config) => {
  const [groups, epsilon] = [config.integer('groups', 32), config.number('epsilon', 1e-3)]
  const axis = config.integer('axis', -1)
  return {
    slots: affineSlots(config, [null]),
    forward(layer, { floats: x }) {
      const channels = x.shape.at(axis) ?? 0
      return g.groupNorm(x, groups === -1 ? channels : groups, { ...affineOf(layer), epsilon, axis })
    },
    keepsMask: true,
  }
}

const rmsNormalization: Make = (config) => {
  const epsilon = config.number('epsilon', 1e-6)
  const axes = config.integers('axis', [-1])
  return {
    slots: [{ name: 'scale', shape: new Array<null>(axes.length).fill(null) }],
    forward(layer, { floats: x }) {
      const over = normalizeAxes(op, axes, x.ndim)
      const shape = x.shape.map((extent, i) => (over.includes(i) ? extent : 1))
      const root = g.mean(x.square(), over, { keepDims: true }).add(epsilon).sqrt()
      return x.div(root).mul(layer.variable('scale').reshape(shape))
    },
    keepsMask: true,
  }
}

/** x / ‖x‖, of a norm of at least 10⁻⁶. */
const unitNormalization: Make = (config) => {
  const axes = config.integers('axis', [-1])
  return {
    forward: (_, { floats: x }) => x.div(g.maximum(g.sum(x.square(), axes, { keepDims: true }), 1e-12).sqrt()),
    keepsMask: true,
  }
}

/** (x − mean) / √variance, by what the layer was adapted to, or by numbers among its options. */
const normalization: Make = (config) => {
  const axes = config.get('axis') === undefined ? [] : config.integers('axis')
  const isInverse = config.flag('invert', false)
  const given = ['mean', 'variance'].map((name) => numbersOf(config, name))
  const isAdapted = given[0] === undefined
  return {
    slots: isAdapted ? ['mean', 'variance', 'count'].map((name) => ({ name, shape: null, trainable: false })) : [],
    forward(layer, { floats: x }) {
      const kept = normalizeAxes(op, axes, x.ndim)
      const shape = x.shape.map((extent, i) => (kept.includes(i) ? extent : 1))
      const [mean, variance] = isAdapted
        ? [layer.variable('mean').reshape(shape), layer.variable('variance').reshape(shape)]
        : given.map((values) => g.broadcastTo(g.reshape(values!, shaped(values!, shape)), shape))
      const deviation = g.maximum(variance!.sqrt(), 1e-7)
      return isInverse ? x.mul(deviation).add(mean!) : x.sub(mean!).div(deviation)
    },
    keepsMask: true,
  }
}

/** One number for all, or as many as the shape has. */
const shaped = (values: readonly number[], shape: readonly number[]): readonly number[] =>
  values.length === 1 ? shape.map(() => 1) : shape

function numbersOf(config: Config, name: string): number[] | undefined {
  const value = config.get(name)
  if (value === undefined) return undefined
  const list: unknown = Array.isArray(value) ? value.flat(8) : [value]
  return (list as unknown[]).every(Number.isFinite) ? (list as number[]) : config.fail(`numbers as ${name}`, value)
}

export const normalizationLayers = {
  BatchNormalization: batchNormalization,
  LayerNormalization: layerNormalization,
  GroupNormalization: groupNormalization,
  RMSNormalization: rmsNormalization,
  UnitNormalization: unitNormalization,
  Normalization: normalization,
} satisfies Record<string, Make>

/** Layers that change something in training mode alone. */
import * as g from '../../operations/index.ts'
import { randn } from '../../tensor/random.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import type { Config } from '../config.ts'
import type { Make } from '../layer.ts'
import { isChannelsLast, layoutOf } from './convolution.ts'

/** A layer that is the identity unless it is in training mode. */
const inTraining =
  (read: (config: Config) => (x: Tensor) => Tensor): Make =>
  (config) => {
    const apply = read(config)
    return {
      forward: (layer, { floats, kwargs }) => (layer.training && kwargs.training !== false ? apply(floats) : floats),
      keepsMask: true,
    }
  }

const training = true

const dropout = inTraining((config) => {
  const rate = config.rate('rate')
  const shape = config.get('noise_shape') === undefined ? null : config.list('noise_shape')
  return (x) => {
    if (shape === null) return g.dropout(x, rate, { training })
    const noise = x.shape.map((extent, i) => (shape[i] === null || shape[i] === undefined ? extent : Number(shape[i])))
    return x.mul(g.dropout(g.add(g.mul(g.broadcastTo(0, noise), 0), 1), rate, { training }))
  }
})

/** Drops whole channels. */
const spatialDropout = (axes: 1 | 2 | 3) =>
  inTraining((config) => {
    const rate = config.rate('rate')
    const isLast = axes === 1 || isChannelsLast(config)
    return (x) => {
      if (axes === 1) return g.dropout1d(x, rate, { training, layout: layoutOf(1, isLast) })
      if (axes === 2) return g.dropout2d(x, rate, { training, layout: layoutOf(2, isLast) })
      return g.dropout3d(x, rate, { training, layout: layoutOf(3, isLast) })
    }
  })

const alphaDropout = inTraining((config) => {
  const rate = config.rate('rate')
  return (x) => g.alphaDropout(x, rate, { training })
})

const gaussianNoise = inTraining((config) => {
  const std = config.number('stddev')
  return (x) => x.add(randn(x.shape).mul(std))
})

/** x·(1 + n), with a variance of n of rate / (1 − rate). */
const gaussianDropout = inTraining((config) => {
  const rate = config.rate('rate')
  const std = Math.sqrt(rate / Math.max(1 - rate, 1e-7))
  return (x) => x.mul(randn(x.shape).mul(std).add(1))
})

/** What it adds to the loss is the user's to add. */
const identity: Make = () => ({ forward: (_, { x }) => x, keepsMask: true })

export const regularizationLayers = {
  Dropout: dropout,
  SpatialDropout1D: spatialDropout(1),
  SpatialDropout2D: spatialDropout(2),
  SpatialDropout3D: spatialDropout(3),
  AlphaDropout: alphaDropout,
  GaussianNoise: gaussianNoise,
  GaussianDropout: gaussianDropout,
  ActivityRegularization: identity,
  Identity: identity,
} satisfies Record<string, Make>

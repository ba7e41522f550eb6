/** Activation functions as layers. */
import * as g from '../../operations/index.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { activationOf } from '../activations.ts'
import type { Config } from '../config.ts'
import type { Make } from '../layer.ts'
import { maskOf } from '../masks.ts'

const activation: Make = (config) => {
  const apply = activationOf(config)
  return { forward: (_, { floats }) => apply(floats), keepsMask: true }
}

/** An option that Keras 3 calls by another name than Keras 2, or null for none. */
const renamed = (config: Config, name: string, before: string, fallback: number): number =>
  config.get(name) === undefined ? config.number(before, fallback) : config.number(name)

/** max(x, 0) up to a maximum, and slope·(x − threshold) below the threshold. */
const relu: Make = (config) => {
  const slope = renamed(config, 'negative_slope', 'alpha', 0)
  const threshold = config.number('threshold', 0)
  const most = config.get('max_value') === undefined ? Infinity : config.number('max_value')
  return {
    forward(_, { floats: x }) {
      const above = most === Infinity ? x : g.minimum(x, most)
      if (threshold === 0 && slope === 0) return g.minimum(x.relu(), most)
      return g.where(x.greaterEqual(threshold), above, x.sub(threshold).mul(slope))
    },
    keepsMask: true,
  }
}

const leakyRelu: Make = (config) => {
  const slope = renamed(config, 'negative_slope', 'alpha', 0.3)
  return { forward: (_, { floats }) => g.leakyRelu(floats, slope), keepsMask: true }
}

/** The slope has the shape of an element of the batch, with 1 along shared axes. */
const prelu: Make = () => ({
  slots: [{ name: 'alpha', shape: null }],
  forward: (layer, { floats }) => floats.relu().sub(floats.neg().relu().mul(layer.variable('alpha'))),
  keepsMask: true,
})

const elu: Make = (config) => {
  const alpha = config.number('alpha', 1)
  return { forward: (_, { floats }) => g.elu(floats, alpha), keepsMask: true }
}

const thresholdedRelu: Make = (config) => {
  const theta = config.number('theta', 1)
  return { forward: (_, { floats: x }) => g.where(x.greater(theta), x, x.mul(0)), keepsMask: true }
}

/** What masked scores become less by. */
export const maskedScore = -1e9

/** softmax over an axis, or over several at once. */
function softmaxOver(x: Tensor, axes: readonly number[]): Tensor {
  if (axes.length === 1) return g.softmax(x, axes[0])
  const exp = x.sub(g.max(x, axes, { keepDims: true })).exp()
  return exp.div(g.sum(exp, axes, { keepDims: true }))
}

const softmax: Make = (config) => {
  const axes = config.integers('axis', [-1])
  return {
    forward(_, given) {
      const mask = given.optional(1, 'mask') ?? maskOf(given.x)
      const x = given.floats
      return softmaxOver(mask === undefined ? x : x.add(g.where(mask, 0, maskedScore)), axes)
    },
    keepsMask: true,
  }
}

export const activationLayers = {
  Activation: activation,
  ReLU: relu,
  LeakyReLU: leakyRelu,
  PReLU: prelu,
  ELU: elu,
  Softmax: softmax,
  ThresholdedReLU: thresholdedRelu,
} satisfies Record<string, Make>

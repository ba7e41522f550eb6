/** Layers of matrices: dense ones, and embeddings. */
import * as g from '../../operations/index.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { activationOf } from '../activations.ts'
import type { Config } from '../config.ts'
import { asFloat, type KerasLayer, type Make, type Slot } from '../layer.ts'
import { masked } from '../masks.ts'

/** x + bias where the layer has one; it broadcasts from the last axis. */
export function plusBias(layer: KerasLayer, x: Tensor): Tensor {
  const bias = layer.optional('bias')
  return bias === undefined ? x : x.add(bias)
}

/** The slot of a bias where the options ask for one. */
export const biasSlot = (config: Config, shape: readonly (number | null)[] | null, fallback = true): Slot[] =>
  config.flag('use_bias', fallback) ? [{ name: 'bias', shape }] : []

const dense: Make = (config) => {
  const units = config.count('units')
  const activation = activationOf(config)
  return {
    slots: [{ name: 'kernel', shape: [null, units] }, ...biasSlot(config, [units])],
    forward: (layer, { floats }) => activation(plusBias(layer, floats.matmul(layer.variable('kernel')))),
    keepsMask: true,
  }
}

/** An equation may have `...`, which stands for leading axes here as there. */
const einsumDense: Make = (config) => {
  const equation = config.text('equation')
  const activation = activationOf(config)
  if (!/^[a-zA-Z.]+,[a-zA-Z.]+->[a-zA-Z.]+$/.test(equation)) config.fail('an equation of two operands', equation)
  const biasAxes = config.get('bias_axes')
  return {
    slots: [
      { name: 'kernel', shape: null },
      ...(typeof biasAxes === 'string' ? [{ name: 'bias', shape: null } as Slot] : []),
    ],
    forward: (layer, { floats }) => activation(plusBias(layer, g.einsum(equation, floats, layer.variable('kernel')))),
  }
}

const embedding: Make = (config) => {
  const [rows, width] = [config.count('input_dim'), config.count('output_dim')]
  const masksZero = config.flag('mask_zero', false)
  return {
    slots: [{ name: 'embeddings', shape: [rows, width] }],
    forward(layer, { x }) {
      const indices = x.dtype === 'int32' ? x : x.cast('int32')
      const rows = g.gather(layer.variable('embeddings'), indices)
      return masked(rows, masksZero ? indices.notEqual(0) : undefined)
    },
  }
}

/** x·scale + offset; both may be of each channel. */
const rescaling: Make = (config) => {
  const [scale, offset] = ['scale', 'offset'].map((name) => {
    const value = config.get(name) ?? (name === 'offset' ? 0 : undefined)
    const isNumbers = Array.isArray(value) && value.every(Number.isFinite)
    return typeof value === 'number' || isNumbers ? (value as number) : config.fail(`numbers as ${name}`, value)
  })
  return { forward: (_, { x }) => asFloat(x).mul(scale!).add(offset!), keepsMask: true }
}

export const denseLayers = {
  Dense: dense,
  EinsumDense: einsumDense,
  Embedding: embedding,
  Rescaling: rescaling,
} satisfies Record<string, Make>

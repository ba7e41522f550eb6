/** What layers of encoders and decoders share: their options, their residual connections, and the two dense layers. */
import { checkNumber } from '../../base/arguments.ts'
import type { DType } from '../../base/dtype.ts'
import { expected } from '../../base/errors.ts'
import { checkOptions, type OptionTypes } from '../../base/options.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import type { MultiHeadAttentionInputs, MultiHeadAttentionOptions } from '../attention.ts'
import { tensorFrom } from '../inputs.ts'
import type { Linear } from '../linear.ts'
import type { Module } from '../module.ts'
import type { Normalization } from '../normalization.ts'

const activations = { relu: (x: Tensor) => x.relu(), gelu: (x: Tensor) => x.gelu(), silu: (x: Tensor) => x.silu() }

export interface TransformerLayerOptions {
  /** The width between the two dense layers; 2048 unless given. */
  feedForward?: number
  /** The rate of dropout after attention, in the dense layers and after each part, in training mode; 0.1 unless given. */
  dropout?: number
  /** Between the dense layers; 'relu' unless given. */
  activation?: keyof typeof activations | ((x: Tensor) => Tensor)
  /** Whether normalization comes before attention and dense layers instead of after them; false unless given. */
  normFirst?: boolean
  /** Of the normalization; 1e-5 unless given. */
  epsilon?: number
  /** Whether queries and keys of self-attention are rotated by their positions: see `rotaryEmbedding`; false unless given. */
  rotary?: boolean
  /** Of the angles by which they are rotated; 10,000 unless given. */
  rotaryBase?: number
  /** float32 unless given. */
  dtype?: DType
}

export const layerOptions: OptionTypes<TransformerLayerOptions> = {
  feedForward: 'number',
  dropout: 'number',
  activation: 'other',
  normFirst: 'boolean',
  epsilon: 'number',
  rotary: 'boolean',
  rotaryBase: 'number',
  dtype: 'dtype',
}

/** Of self-attention, as `multiHeadAttention` takes them. */
export type SelfAttentionInputs = Pick<MultiHeadAttentionInputs, 'mask' | 'keyMask' | 'causal' | 'cache'>

export const selfAttentionInputs: OptionTypes<SelfAttentionInputs> = {
  mask: 'other or null',
  keyMask: 'other or null',
  causal: 'boolean',
  cache: 'other or null',
}

/** Options with their defaults, which are those of PyTorch. */
export interface LayerSettings {
  readonly feedForward: number
  readonly dropout: number
  readonly activate: (x: Tensor) => Tensor
  readonly normFirst: boolean
  readonly norm: { epsilon: number; dtype: DType }
  readonly attention: MultiHeadAttentionOptions
  readonly rotary: MultiHeadAttentionOptions
  readonly dtype: DType
}

export function layerSettings(
  op: string,
  features: number,
  options: TransformerLayerOptions | undefined,
): LayerSettings {
  const given = checkOptions(op, options, layerOptions)
  const { feedForward = 2048, dropout = 0.1, activation = 'relu', normFirst = false } = given
  const { epsilon = 1e-5, dtype = 'float32', rotary, rotaryBase } = given
  const isPositive = (n: number) => Number.isInteger(n) && n > 0
  checkNumber(op, 'a positive integer of features', features, isPositive)
  checkNumber(op, 'a positive integer feedForward', feedForward, isPositive)
  checkNumber(op, 'a dropout in [0, 1]', dropout, (p) => p >= 0 && p <= 1)
  const turned = Object.entries({ rotary, rotaryBase }).filter(([, value]) => value !== undefined)
  return {
    ...{ feedForward, dropout, normFirst, dtype },
    activate: activationOf(op, activation),
    norm: { epsilon, dtype },
    attention: { dropout, dtype },
    rotary: Object.fromEntries(turned),
  }
}

function activationOf(
  op: string,
  activation: NonNullable<TransformerLayerOptions['activation']>,
): (x: Tensor) => Tensor {
  if (typeof activation === 'function') return (x) => tensorFrom(op, 'an activation', activation(x))
  if (typeof activation === 'string' && Object.hasOwn(activations, activation)) return activations[activation]
  throw new RangeError(expected(op, `an activation, ${Object.keys(activations).join(', ')} or a function`, activation))
}

/** Parts one after the other, each with a residual connection, and its norm after the sum, or with `normFirst` before the part. */
export function connected(
  x: Tensor,
  { normFirst }: LayerSettings,
  parts: readonly (readonly [norm: Normalization, part: (y: Tensor) => Tensor])[],
): Tensor {
  return parts.reduce((y, [norm, part]) => (normFirst ? y.add(part(norm.forward(y))) : norm.forward(y.add(part(y)))), x)
}

/** The two dense layers, with dropout between and after them. */
export function dense(
  layer: { linear1: Linear; linear2: Linear; dropout: Module },
  settings: LayerSettings,
  x: Tensor,
): Tensor {
  const hidden = layer.dropout.forward(settings.activate(layer.linear1.forward(x)))
  return layer.dropout.forward(layer.linear2.forward(hidden))
}

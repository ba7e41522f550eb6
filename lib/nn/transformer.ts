/** Layers of a transformer. */

import { checkNumber } from '../base/arguments.ts'
import type { DType } from '../base/dtype.ts'
import { expected } from '../base/errors.ts'
import { checkOptions, type DTypeOption, dtypeOption, type OptionTypes } from '../base/options.ts'
import { checkShape } from '../base/shape.ts'
import { tensor } from '../tensor/creation.ts'
import type { StateDict } from '../tensor/state-dict.ts'
import type { Tensor, TensorLike } from '../tensor/tensor.ts'
import { type MultiHeadAttention, type MultiHeadAttentionInputs, multiHeadAttention } from './attention.ts'
import { dropout as dropoutLayer } from './dropout.ts'
import { inputOf, tensorFrom } from './inputs.ts'
import { type Linear, linear } from './linear.ts'
import { Module } from './module.ts'
import { layerNorm, type Normalization } from './normalization.ts'
import { inverse, renamed } from './state.ts'

const activations = { relu: (x: Tensor) => x.relu(), gelu: (x: Tensor) => x.gelu(), silu: (x: Tensor) => x.silu() }

export interface TransformerEncoderLayerOptions {
  /** The width between the two dense layers; 2048 unless given. */
  feedForward?: number
  /** The rate of dropout after attention, in the dense layers and after them, in training mode; 0.1 unless given. */
  dropout?: number
  /** Between the dense layers; 'relu' unless given. */
  activation?: keyof typeof activations | ((x: Tensor) => Tensor)
  /** Whether normalization comes before attention and dense layers instead of after them; false unless given. */
  normFirst?: boolean
  /** Of the normalization; 1e-5 unless given. */
  epsilon?: number
  /** float32 unless given. */
  dtype?: DType
}

const encoderOptions: OptionTypes<TransformerEncoderLayerOptions> = {
  feedForward: 'number',
  dropout: 'number',
  activation: 'other',
  normFirst: 'boolean',
  epsilon: 'number',
  dtype: 'dtype',
}

type EncoderInputs = Pick<MultiHeadAttentionInputs, 'mask' | 'causal'>

const encoderInputs: OptionTypes<EncoderInputs> = { mask: 'other or null', causal: 'boolean' }

const torchNames = { attention: 'self_attn' }

/** Self-attention and two dense layers, each with a residual connection: see {@link transformerEncoderLayer}. */
export class TransformerEncoderLayer extends Module {
  readonly attention: MultiHeadAttention
  readonly linear1: Linear
  readonly linear2: Linear
  readonly norm1: Normalization
  readonly norm2: Normalization
  readonly dropout: Module
  readonly #activation: (x: Tensor) => Tensor
  readonly #normFirst: boolean

  /** @internal */
  constructor(features: number, heads: number, options?: TransformerEncoderLayerOptions) {
    super()
    const given = checkOptions('transformerEncoderLayer', options, encoderOptions)
    const { feedForward = 2048, dropout = 0.1, activation = 'relu', normFirst = false } = given
    const { epsilon = 1e-5, dtype = 'float32' } = given
    const op = 'transformerEncoderLayer'
    const isPositive = (n: number) => Number.isInteger(n) && n > 0
    checkNumber(op, 'a positive integer of features', features, isPositive)
    checkNumber(op, 'a positive integer feedForward', feedForward, isPositive)
    checkNumber(op, 'a dropout in [0, 1]', dropout, (p) => p >= 0 && p <= 1)
    this.#activation = activationOf(activation)
    this.attention = multiHeadAttention(features, heads, { dropout, dtype })
    this.linear1 = linear(features, feedForward, { dtype })
    this.linear2 = linear(feedForward, features, { dtype })
    this.norm1 = layerNorm(features, { epsilon, dtype })
    this.norm2 = layerNorm(features, { epsilon, dtype })
    this.dropout = dropoutLayer(dropout)
    this.#normFirst = normFirst
  }

  protected override exportState(state: StateDict): StateDict {
    return renamed(state, torchNames)
  }

  protected override importState(state: Readonly<Record<string, TensorLike>>): Readonly<Record<string, TensorLike>> {
    return renamed(state, inverse(torchNames))
  }

  /** x[…, length, features] gives the same shape. */
  forward(input: TensorLike, inputs?: EncoderInputs): Tensor {
    const x = inputOf('transformerEncoderLayer', input)
    const given = checkOptions('transformerEncoderLayer', inputs, encoderInputs)
    const attend = (y: Tensor) => this.dropout.forward(this.attention.forward(y, given))
    if (this.#normFirst) {
      const attended = x.add(attend(this.norm1.forward(x)))
      return attended.add(this.#dense(this.norm2.forward(attended)))
    }
    const attended = this.norm1.forward(x.add(attend(x)))
    return this.norm2.forward(attended.add(this.#dense(attended)))
  }

  #dense(x: Tensor): Tensor {
    const hidden = this.dropout.forward(this.#activation(this.linear1.forward(x)))
    return this.dropout.forward(this.linear2.forward(hidden))
  }
}

function activationOf(activation: NonNullable<TransformerEncoderLayerOptions['activation']>): (x: Tensor) => Tensor {
  if (typeof activation === 'function')
    return (x) => tensorFrom('transformerEncoderLayer', 'an activation', activation(x))
  if (typeof activation === 'string' && Object.hasOwn(activations, activation)) return activations[activation]
  throw new RangeError(
    expected(
      'transformerEncoderLayer',
      `an activation, ${Object.keys(activations).join(', ')} or a function`,
      activation,
    ),
  )
}

/**
 * A layer of a transformer's encoder. After each part the sum with its input is normalized (or, with `normFirst`, its
 * input before it): y = norm(x + attention(x)), then norm(y + linear(activation(linear(y)))). A. Vaswani et al.,
 * "Attention is all you need" (2017), section 3.1; options and their defaults are those of PyTorch.
 *
 * @example
 * const encoder = sequential(transformerEncoderLayer(128, 4), transformerEncoderLayer(128, 4))
 */
export const transformerEncoderLayer = (
  features: number,
  heads: number,
  options?: TransformerEncoderLayerOptions,
): TransformerEncoderLayer => new TransformerEncoderLayer(features, heads, options)

/**
 * Positions as waves, to be added to embeddings: element (i, 2j) is sin(i / 10000^(2j/features)) and (i, 2j + 1) the
 * cosine: [length, features]. A. Vaswani et al., "Attention is all you need" (2017), section 3.5.
 */
export function sinusoidalEncoding(length: number, features: number, options?: DTypeOption): Tensor {
  const { dtype = 'float32' } = checkOptions('sinusoidalEncoding', options, dtypeOption)
  for (const extent of [length, features])
    checkNumber('sinusoidalEncoding', 'positive integers', extent, (n) => Number.isInteger(n) && n > 0)
  checkShape('sinusoidalEncoding', [length, features])
  const values = Float64Array.from({ length: length * features }, (_, i) => {
    const [position, feature] = [Math.floor(i / features), i % features]
    const angle = position / 10000 ** ((feature - (feature % 2)) / features)
    return feature % 2 === 0 ? Math.sin(angle) : Math.cos(angle)
  })
  return tensor(values, { shape: [length, features], dtype })
}

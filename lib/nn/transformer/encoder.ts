/** Layers of a transformer's encoder, and a stack of them. */
import { checkInteger } from '../../base/arguments.ts'
import { checkOptions, type OptionTypes } from '../../base/options.ts'
import type { StateDict } from '../../tensor/state-dict.ts'
import type { Tensor, TensorLike } from '../../tensor/tensor.ts'
import { type MultiHeadAttention, multiHeadAttention } from '../attention.ts'
import { dropout as dropoutLayer } from '../dropout.ts'
import { inputOf } from '../inputs.ts'
import { type Linear, linear } from '../linear.ts'
import { Module } from '../module.ts'
import { layerNorm, type Normalization } from '../normalization.ts'
import { inverse, renamed } from '../state.ts'
import {
  connected,
  dense,
  type LayerSettings,
  layerOptions,
  layerSettings,
  type SelfAttentionInputs,
  selfAttentionInputs,
  type TransformerLayerOptions,
} from './common.ts'

export type TransformerEncoderLayerOptions = TransformerLayerOptions

const torchNames = { attention: 'self_attn' }

/** Self-attention and two dense layers, each with a residual connection: see {@link transformerEncoderLayer}. */
export class TransformerEncoderLayer extends Module {
  readonly attention: MultiHeadAttention
  readonly linear1: Linear
  readonly linear2: Linear
  readonly norm1: Normalization
  readonly norm2: Normalization
  readonly dropout: Module
  readonly #settings: LayerSettings

  /** @internal */
  constructor(features: number, heads: number, options?: TransformerEncoderLayerOptions) {
    super()
    const settings = layerSettings('transformerEncoderLayer', features, options)
    const { feedForward, dtype, norm } = settings
    this.attention = multiHeadAttention(features, heads, { ...settings.attention, ...settings.rotary })
    this.linear1 = linear(features, feedForward, { dtype })
    this.linear2 = linear(feedForward, features, { dtype })
    this.norm1 = layerNorm(features, norm)
    this.norm2 = layerNorm(features, norm)
    this.dropout = dropoutLayer(settings.dropout)
    this.#settings = settings
  }

  protected override exportState(state: StateDict): StateDict {
    return renamed(state, torchNames)
  }

  protected override importState(state: Readonly<Record<string, TensorLike>>): Readonly<Record<string, TensorLike>> {
    return renamed(state, inverse(torchNames))
  }

  /** x[…, length, features] gives the same shape. */
  forward(input: TensorLike, inputs?: SelfAttentionInputs): Tensor {
    const x = inputOf('transformerEncoderLayer', input)
    const given = checkOptions('transformerEncoderLayer', inputs, selfAttentionInputs)
    return connected(x, this.#settings, [
      [this.norm1, (y) => this.dropout.forward(this.attention.forward(y, given))],
      [this.norm2, (y) => dense(this, this.#settings, y)],
    ])
  }
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

export interface TransformerStackOptions extends TransformerLayerOptions {
  /** Whether the result of the last layer is normalized, as it should be with `normFirst`; false unless given. */
  norm?: boolean
}

export const stackOptions: OptionTypes<TransformerStackOptions> = { norm: 'boolean', ...layerOptions }

/** Layers of an encoder one after the other: see {@link transformerEncoder}. */
export class TransformerEncoder extends Module {
  readonly layers: readonly TransformerEncoderLayer[]
  readonly norm: Normalization | null

  /** @internal */
  constructor(features: number, heads: number, layers: number, options?: TransformerStackOptions) {
    super()
    const { norm = false, ...rest } = checkOptions('transformerEncoder', options, stackOptions)
    checkInteger('transformerEncoder', 'a positive number of layers', layers, 1, 10_000)
    this.layers = Array.from({ length: layers }, () => transformerEncoderLayer(features, heads, rest))
    this.norm = norm ? layerNorm(features, layerSettings('transformerEncoder', features, rest).norm) : null
  }

  /** x[…, length, features] gives the same shape; every layer is given the masks. */
  forward(input: TensorLike, inputs?: SelfAttentionInputs): Tensor {
    const x = inputOf('transformerEncoder', input)
    const given = checkOptions('transformerEncoder', inputs, selfAttentionInputs)
    const encoded = this.layers.reduce((y, layer) => layer.forward(y, given), x)
    return this.norm === null ? encoded : this.norm.forward(encoded)
  }
}

/**
 * A stack of `transformerEncoderLayer`, with PyTorch's names of parameters (`layers.0.self_attn.in_proj_weight`, `norm.weight`).
 *
 * @example
 * const encoder = transformerEncoder(128, 4, 6, { normFirst: true, norm: true })
 * encoder.forward(x, { keyMask: isWord }) // x[batch, length, 128], isWord bool [batch, length]
 */
export const transformerEncoder = (
  features: number,
  heads: number,
  layers: number,
  options?: TransformerStackOptions,
): TransformerEncoder => new TransformerEncoder(features, heads, layers, options)

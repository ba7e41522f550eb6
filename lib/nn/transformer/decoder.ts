/** Layers of a transformer's decoder, and a stack of them. */
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
  layerSettings,
  type SelfAttentionInputs,
  selfAttentionInputs,
  type TransformerLayerOptions,
} from './common.ts'
import { stackOptions, type TransformerStackOptions } from './encoder.ts'

export type TransformerDecoderLayerOptions = TransformerLayerOptions

export interface DecoderInputs extends SelfAttentionInputs {
  /** As `mask`, of the attention to the memory. */
  memoryMask?: TensorLike | null
  /** As `keyMask`, of the memory. */
  memoryKeyMask?: TensorLike | null
}

const decoderInputs: OptionTypes<DecoderInputs> = {
  ...selfAttentionInputs,
  memoryMask: 'other or null',
  memoryKeyMask: 'other or null',
}

const torchNames = { attention: 'self_attn', crossAttention: 'multihead_attn' }

/** Self-attention, attention to a memory, and two dense layers: see {@link transformerDecoderLayer}. */
export class TransformerDecoderLayer extends Module {
  readonly attention: MultiHeadAttention
  readonly crossAttention: MultiHeadAttention
  readonly linear1: Linear
  readonly linear2: Linear
  readonly norm1: Normalization
  readonly norm2: Normalization
  readonly norm3: Normalization
  readonly dropout: Module
  readonly #settings: LayerSettings

  /** @internal */
  constructor(features: number, heads: number, options?: TransformerDecoderLayerOptions) {
    super()
    const settings = layerSettings('transformerDecoderLayer', features, options)
    const { feedForward, dtype, norm } = settings
    this.attention = multiHeadAttention(features, heads, { ...settings.attention, ...settings.rotary })
    this.crossAttention = multiHeadAttention(features, heads, settings.attention)
    this.linear1 = linear(features, feedForward, { dtype })
    this.linear2 = linear(feedForward, features, { dtype })
    this.norm1 = layerNorm(features, norm)
    this.norm2 = layerNorm(features, norm)
    this.norm3 = layerNorm(features, norm)
    this.dropout = dropoutLayer(settings.dropout)
    this.#settings = settings
  }

  protected override exportState(state: StateDict): StateDict {
    return renamed(state, torchNames)
  }

  protected override importState(state: Readonly<Record<string, TensorLike>>): Readonly<Record<string, TensorLike>> {
    return renamed(state, inverse(torchNames))
  }

  /** x[…, length, features] and memory[…, memory length, features] give the shape of x. */
  forward(input: TensorLike, memory: TensorLike, inputs?: DecoderInputs): Tensor {
    const x = inputOf('transformerDecoderLayer', input)
    const key = inputOf('transformerDecoderLayer', memory)
    const given = checkOptions('transformerDecoderLayer', inputs, decoderInputs)
    const { memoryMask: mask = null, memoryKeyMask: keyMask = null, ...own } = given
    return connected(x, this.#settings, [
      [this.norm1, (y) => this.dropout.forward(this.attention.forward(y, own))],
      [this.norm2, (y) => this.dropout.forward(this.crossAttention.forward(y, { key, mask, keyMask }))],
      [this.norm3, (y) => dense(this, this.#settings, y)],
    ])
  }
}

/**
 * A layer of a transformer's decoder: self-attention, attention whose keys and values are a memory (what an encoder gave), and two dense
 * layers, each with a residual connection and a normalization after it, or before it with `normFirst`. A. Vaswani et al.,
 * "Attention is all you need" (2017), section 3.1; options, their defaults and the names of parameters (`self_attn`, `multihead_attn`) are those of PyTorch.
 *
 * @example
 * transformerDecoderLayer(128, 4).forward(x, memory, { causal: true, memoryKeyMask: isWord })
 */
export const transformerDecoderLayer = (
  features: number,
  heads: number,
  options?: TransformerDecoderLayerOptions,
): TransformerDecoderLayer => new TransformerDecoderLayer(features, heads, options)

/** Layers of a decoder one after the other: see {@link transformerDecoder}. */
export class TransformerDecoder extends Module {
  readonly layers: readonly TransformerDecoderLayer[]
  readonly norm: Normalization | null

  /** @internal */
  constructor(features: number, heads: number, layers: number, options?: TransformerStackOptions) {
    super()
    const { norm = false, ...rest } = checkOptions('transformerDecoder', options, stackOptions)
    checkInteger('transformerDecoder', 'a positive number of layers', layers, 1, 10_000)
    this.layers = Array.from({ length: layers }, () => transformerDecoderLayer(features, heads, rest))
    this.norm = norm ? layerNorm(features, layerSettings('transformerDecoder', features, rest).norm) : null
  }

  /** x[…, length, features] and memory[…, memory length, features] give the shape of x; every layer is given the memory and the masks. */
  forward(input: TensorLike, memory: TensorLike, inputs?: DecoderInputs): Tensor {
    const x = inputOf('transformerDecoder', input)
    const given = checkOptions('transformerDecoder', inputs, decoderInputs)
    const decoded = this.layers.reduce((y, layer) => layer.forward(y, memory, given), x)
    return this.norm === null ? decoded : this.norm.forward(decoded)
  }
}

/** A stack of `transformerDecoderLayer`, with PyTorch's names of parameters (`layers.0.multihead_attn.in_proj_weight`, `norm.weight`). */
export const transformerDecoder = (
  features: number,
  heads: number,
  layers: number,
  options?: TransformerStackOptions,
): TransformerDecoder => new TransformerDecoder(features, heads, layers, options)

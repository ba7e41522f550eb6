/** The transformer: an encoder, and a decoder that attends to what it gives. */
import { checkOptions, type OptionTypes } from '../../base/options.ts'
import type { Tensor, TensorLike } from '../../tensor/tensor.ts'
import { variable } from '../../tensor/variable.ts'
import { xavierUniform } from '../init/index.ts'
import { Linear } from '../linear.ts'
import { Module } from '../module.ts'
import { layerOptions, type TransformerLayerOptions } from './common.ts'
import { type TransformerDecoder, transformerDecoder } from './decoder.ts'
import { type TransformerEncoder, transformerEncoder } from './encoder.ts'

export interface TransformerOptions extends TransformerLayerOptions {
  /** 6 unless given. */
  encoderLayers?: number
  /** 6 unless given. */
  decoderLayers?: number
}

const transformerOptions: OptionTypes<TransformerOptions> = {
  encoderLayers: 'number',
  decoderLayers: 'number',
  ...layerOptions,
}

export interface TransformerInputs {
  /** Broadcasts to [… , heads, source, source], as `mask` of `multiHeadAttention`. */
  sourceMask?: TensorLike | null
  /** bool [… , source], which tokens of the source are there, as against padding. */
  sourceKeyMask?: TensorLike | null
  /** Broadcasts to [… , heads, target, target]. */
  targetMask?: TensorLike | null
  /** bool [… , target], which tokens of the target are there. */
  targetKeyMask?: TensorLike | null
  /** Broadcasts to [… , heads, target, source]. */
  memoryMask?: TensorLike | null
  /** bool [… , source], which tokens the decoder may attend to; `sourceKeyMask` unless given. */
  memoryKeyMask?: TensorLike | null
  /** Whether token i of the target attends to tokens j ≤ i of it alone; false unless given, as in PyTorch. */
  causal?: boolean
}

const transformerInputs: OptionTypes<TransformerInputs> = {
  sourceMask: 'other or null',
  sourceKeyMask: 'other or null',
  targetMask: 'other or null',
  targetKeyMask: 'other or null',
  memoryMask: 'other or null',
  memoryKeyMask: 'other or null',
  causal: 'boolean',
}

/** PyTorch has all matrices of it start so; queries, keys and values do anyway, as one matrix. */
function startByXavier(module: object, path: string): void {
  if (!(module instanceof Linear) || /(query|key|value)$/.test(path)) return
  const { shape, dtype } = module.weight
  module.weight = variable(xavierUniform(shape, { dtype }), { name: 'weight' })
}

/** An encoder and a decoder: see {@link transformer}. */
export class Transformer extends Module {
  readonly encoder: TransformerEncoder
  readonly decoder: TransformerDecoder

  /** @internal */
  constructor(features: number, heads: number, options?: TransformerOptions) {
    super()
    const { encoderLayers = 6, decoderLayers = 6, ...rest } = checkOptions('transformer', options, transformerOptions)
    this.encoder = transformerEncoder(features, heads, encoderLayers, { ...rest, norm: true })
    this.decoder = transformerDecoder(features, heads, decoderLayers, { ...rest, norm: true })
    this.apply(startByXavier)
  }

  /** source[…, length, features] and target[…, length of its own, features], embedded, give the shape of the target. */
  forward(source: TensorLike, target: TensorLike, inputs?: TransformerInputs): Tensor {
    const given = checkOptions('transformer', inputs, transformerInputs)
    const { sourceMask = null, sourceKeyMask = null, targetMask = null, targetKeyMask = null, causal = false } = given
    const { memoryMask = null, memoryKeyMask = sourceKeyMask } = given
    const memory = this.encoder.forward(source, { mask: sourceMask, keyMask: sourceKeyMask })
    const own = { mask: targetMask, keyMask: targetKeyMask, causal }
    return this.decoder.forward(target, memory, { ...own, memoryMask, memoryKeyMask })
  }
}

/**
 * The transformer of A. Vaswani et al., "Attention is all you need" (2017), without embeddings and the last dense layer, as in PyTorch,
 * whose options, defaults and names of parameters these are (`encoder.layers.0.self_attn…`, `decoder.norm.weight`). The batch
 * comes first. Masks say which tokens are seen: the opposite of PyTorch's of bool.
 *
 * @example
 * const model = transformer(128, 4, { encoderLayers: 2, decoderLayers: 2 })
 * model.forward(source, target, { causal: true, sourceKeyMask: isWord })
 */
export const transformer = (features: number, heads: number, options?: TransformerOptions): Transformer =>
  new Transformer(features, heads, options)

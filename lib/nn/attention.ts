/** The layer of multi-head attention. */
import type { DType } from '../base/dtype.ts'
import { expected, ShapeError } from '../base/errors.ts'
import { checkNumber, checkOptions, type OptionTypes } from '../base/options.ts'
import { extentAt, formatShape } from '../base/shape.ts'
import { scaledDotProductAttention } from '../operations/attention.ts'
import type { Tensor, TensorLike } from '../tensor/tensor.ts'
import { type Linear, linear } from './linear.ts'
import { Module } from './module.ts'

export interface MultiHeadAttentionOptions {
  /** Whether the projections add a bias; true unless given. */
  bias?: boolean
  /** The rate at which weights are dropped in training mode; 0 unless given. */
  dropout?: number
  /** The widths of keys and values where they differ from that of the queries. */
  keyFeatures?: number
  valueFeatures?: number
  /** float32 unless given. */
  dtype?: DType
}

export interface MultiHeadAttentionInputs {
  /** What the keys are made of; the query unless given: self-attention. */
  key?: Tensor
  /** What the values are made of; the key unless given. */
  value?: Tensor
  /** Broadcasts to [… , heads, queries, keys]: bool, which keys take part, or floats that are added to the scores. */
  mask?: TensorLike | null
  /** Whether query i attends to keys j ≤ i alone; false unless given. */
  causal?: boolean
}

const attentionOptions: OptionTypes<MultiHeadAttentionOptions> = {
  bias: 'boolean',
  dropout: 'number',
  keyFeatures: 'number',
  valueFeatures: 'number',
  dtype: 'dtype',
}

const attentionInputs: OptionTypes<MultiHeadAttentionInputs> = {
  key: 'other',
  value: 'other',
  mask: 'other',
  causal: 'boolean',
}

/** Attention by several heads: see {@link multiHeadAttention}. */
export class MultiHeadAttention extends Module {
  readonly query: Linear
  readonly key: Linear
  readonly value: Linear
  readonly output: Linear
  readonly #heads: number
  readonly #dropout: number

  /** @internal */
  constructor(features: number, heads: number, options?: MultiHeadAttentionOptions) {
    super()
    const given = checkOptions('multiHeadAttention', options, attentionOptions)
    const { bias = true, dropout = 0, keyFeatures = features, valueFeatures = keyFeatures, dtype = 'float32' } = given
    checkNumber('multiHeadAttention', 'heads that divide the features', heads, (n) => {
      return Number.isInteger(n) && n > 0 && features % n === 0
    })
    const project = (from: number) => linear(from, features, { bias, dtype })
    this.query = project(features)
    this.key = project(keyFeatures)
    this.value = project(valueFeatures)
    this.output = project(features)
    this.#heads = heads
    this.#dropout = checkNumber('multiHeadAttention', 'a dropout in [0, 1]', dropout, (p) => p >= 0 && p <= 1)
  }

  /** query[…, queries, features], key and value [… , keys, features] give […, queries, features]. */
  forward(query: Tensor, inputs?: MultiHeadAttentionInputs): Tensor {
    if (query.ndim < 2)
      throw new ShapeError(expected('multiHeadAttention', 'a query […, length, features]', formatShape(query.shape)))
    const given = checkOptions('multiHeadAttention', inputs, attentionInputs)
    const { key = query, value = key, mask = null, causal = false } = given
    const mixed = scaledDotProductAttention(
      this.#split(this.query.forward(query)),
      this.#split(this.key.forward(key)),
      this.#split(this.value.forward(value)),
      { mask, causal, dropout: this.#dropout > 0 && this.training ? this.#dropout : 0 },
    )
    return this.output.forward(exchangeHeads(mixed).reshape(query.shape))
  }

  /** […, length, features] to [… , heads, length, features / heads]. */
  #split(x: Tensor): Tensor {
    const features = extentAt(x.shape, -1)
    return exchangeHeads(x.reshape([...x.shape.slice(0, -1), this.#heads, features / this.#heads]))
  }
}

function exchangeHeads(x: Tensor): Tensor {
  const axes = x.shape.map((_, i) => i)
  return x.transpose([...axes.slice(0, -3), axes.length - 2, axes.length - 3, axes.length - 1])
}

/**
 * Attention by several heads: query, key and value are projected, each head attends with its part of the features, and
 * what they give is projected again. A. Vaswani et al., "Attention is all you need" (2017), section 3.2.2.
 *
 * @param heads divides the features
 *
 * @example
 * const attention = multiHeadAttention(128, 4)
 * attention.forward(x, { causal: true }) // x[batch, length, 128]
 * attention.forward(x, { mask: isWord.reshape([batch, 1, 1, length]) }) // no attention to padding
 */
export const multiHeadAttention = (
  features: number,
  heads: number,
  options?: MultiHeadAttentionOptions,
): MultiHeadAttention => new MultiHeadAttention(features, heads, options)

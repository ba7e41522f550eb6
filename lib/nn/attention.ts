/** The layer of multi-head attention. */

import { checkNumber, describe } from '../base/arguments.ts'
import type { DType } from '../base/dtype.ts'
import { expected, ShapeError } from '../base/errors.ts'
import { checkOptions, type OptionTypes } from '../base/options.ts'
import { extentAt, formatShape, lastTwo, sameShape } from '../base/shape.ts'
import { scaledDotProductAttention } from '../operations/attention.ts'
import { concat } from '../operations/joining.ts'
import { tensor, zerosLike } from '../tensor/creation.ts'
import { uniform } from '../tensor/random.ts'
import type { StateDict } from '../tensor/state-dict.ts'
import { Tensor, type TensorLike } from '../tensor/tensor.ts'
import type { Variable } from '../tensor/variable.ts'
import { glorotUniform, type Initializer } from './init/index.ts'
import { inputOf } from './inputs.ts'
import { KeyValueCache } from './kv-cache.ts'
import { type Linear, linear } from './linear.ts'
import { bothMasks, maskOfKeys } from './masks.ts'
import { Module } from './module.ts'
import { titled } from './repr.ts'
import { type RotaryEmbedding, type RotaryOptions, rotaryEmbedding } from './rotary.ts'
import { renamed } from './state.ts'

export interface MultiHeadAttentionOptions {
  /** Whether the projections add a bias; true unless given. */
  bias?: boolean
  /** The rate at which weights are dropped in training mode; 0 unless given. */
  dropout?: number
  /** The width of the keys; that of the queries unless given. */
  keyFeatures?: number
  /** The width of the values; that of the queries unless given, as in PyTorch, whatever the keys have. */
  valueFeatures?: number
  /**
   * Whether queries and keys are rotated by their positions, as in Llama: see `rotaryEmbedding`; false unless given. Heads
   * have an even number of features then.
   */
  rotary?: boolean
  /** Of the angles by which they are rotated; 10,000 unless given. */
  rotaryBase?: number
  /** float32 unless given. */
  dtype?: DType
}

export interface MultiHeadAttentionInputs {
  /** What the keys are made of; the query unless given: self-attention. */
  key?: TensorLike
  /** What the values are made of; the key unless given. */
  value?: TensorLike
  /** Broadcasts to [… , heads, queries, keys]: bool, which keys take part, or floats that are added to the scores. */
  mask?: TensorLike | null
  /** bool […, keys], which keys are there, as against padding: the opposite of PyTorch's `key_padding_mask`. */
  keyMask?: TensorLike | null
  /** Whether query i attends to keys j ≤ i alone; false unless given. */
  causal?: boolean
  /**
   * Where keys and values of the tokens so far are kept: the query is the next tokens, which attend to those before them and
   * themselves, whatever `causal` says. Keys of masks are all places of the cache then.
   */
  cache?: KeyValueCache | null
}

const attentionOptions: OptionTypes<MultiHeadAttentionOptions> = {
  bias: 'boolean',
  dropout: 'number',
  keyFeatures: 'number',
  valueFeatures: 'number',
  rotary: 'boolean',
  rotaryBase: 'number',
  dtype: 'dtype',
}

const attentionInputs: OptionTypes<MultiHeadAttentionInputs> = {
  key: 'other',
  value: 'other',
  mask: 'other or null',
  keyMask: 'other or null',
  causal: 'boolean',
  cache: 'other or null',
}

/** PyTorch draws the weights of queries, keys and values as one of three times as many outputs, where they have one width. */
const packedGlorot: Initializer = (shape, options) => {
  const [out, inputs] = lastTwo(shape)
  const limit = Math.sqrt(6 / (3 * out + inputs))
  return uniform(shape, { ...options, min: -limit, max: limit })
}

const projections = ['query', 'key', 'value'] as const

/** What PyTorch calls the others. */
const propertyNames: Readonly<Record<string, string>> = {
  q_proj_weight: 'query.weight',
  k_proj_weight: 'key.weight',
  v_proj_weight: 'value.weight',
  'out_proj.weight': 'output.weight',
  'out_proj.bias': 'output.bias',
}

type Named = Readonly<Record<string, TensorLike>>

/** Attention by several heads: see {@link multiHeadAttention}. */
export class MultiHeadAttention extends Module {
  readonly query: Linear
  readonly key: Linear
  readonly value: Linear
  readonly output: Linear
  /** Whether PyTorch has the three weights in one. */
  readonly #isPacked: boolean
  readonly #heads: number
  readonly #dropout: number
  readonly #rotary: RotaryEmbedding | null

  /** @internal */
  constructor(features: number, heads: number, options?: MultiHeadAttentionOptions) {
    super()
    const given = checkOptions('multiHeadAttention', options, attentionOptions)
    const { bias = true, dropout = 0, keyFeatures = features, valueFeatures = features, dtype = 'float32' } = given
    const isPositive = (n: number) => Number.isInteger(n) && n > 0
    for (const width of [features, keyFeatures, valueFeatures])
      checkNumber('multiHeadAttention', 'a positive integer of features', width, isPositive)
    checkNumber('multiHeadAttention', 'heads that divide the features', heads, (n) => {
      return isPositive(n) && features % n === 0
    })
    checkNumber('multiHeadAttention', 'a dropout in [0, 1]', dropout, (p) => p >= 0 && p <= 1)
    this.#isPacked = keyFeatures === features && valueFeatures === features
    const initializer = this.#isPacked ? packedGlorot : glorotUniform
    this.query = linear(features, features, { bias, dtype, initializer })
    this.key = linear(keyFeatures, features, { bias, dtype, initializer })
    this.value = linear(valueFeatures, features, { bias, dtype, initializer })
    this.output = linear(features, features, { bias, dtype })
    for (const { bias } of [this.query, this.key, this.value, this.output]) bias?.assign(zerosLike(bias))
    this.#heads = heads
    this.#rotary = given.rotary ? rotaryEmbedding(features / heads, rotaryOf(given)) : null
    titled(this, 'MultiHeadAttention', { features, heads, ...given })
    this.#dropout = dropout
  }

  /** As PyTorch has it: `in_proj_weight`, or `q_proj_weight` and so on for keys or values of another width, and `in_proj_bias`. */
  protected override exportState(state: StateDict): StateDict {
    const { 'query.weight': q, 'key.weight': k, 'value.weight': v, ...others } = state
    const { 'query.bias': qBias, 'key.bias': kBias, 'value.bias': vBias, ...rest } = others
    if (q === undefined || k === undefined || v === undefined) return state
    const weights: StateDict = this.#isPacked
      ? { in_proj_weight: concat([q, k, v]) }
      : { q_proj_weight: q, k_proj_weight: k, v_proj_weight: v }
    const biases: StateDict = qBias && kBias && vBias ? { in_proj_bias: concat([qBias, kBias, vBias]) } : {}
    return { ...weights, ...biases, ...renamed(rest, { output: 'out_proj' }) }
  }

  protected override importState(state: Named): Named {
    const { in_proj_weight: weight, in_proj_bias: bias, ...others } = state
    return {
      ...(weight === undefined ? {} : this.#unpacked('weight', this.query.weight, weight)),
      ...(bias === undefined ? {} : this.#unpacked('bias', this.query.bias, bias)),
      ...Object.fromEntries(Object.entries(others).map(([name, value]) => [propertyNames[name] ?? name, value])),
    }
  }

  /** The thirds of what PyTorch keeps in one. */
  #unpacked(kind: 'weight' | 'bias', part: Variable | null, packed: TensorLike): Named {
    if (part === null) return { [`in_proj_${kind}`]: packed }
    const { dtype, shape } = part
    const value = packed instanceof Tensor ? packed : tensor(packed, { dtype })
    const wanted = [3 * extentAt(shape, 0), ...shape.slice(1)]
    if (!sameShape(value.shape, wanted))
      throw new ShapeError(
        expected('loadStateDict', `in_proj_${kind} of shape ${formatShape(wanted)}`, formatShape(value.shape)),
      )
    return Object.fromEntries(value.split(3).map((part, i) => [`${projections[i]}.${kind}`, part]))
  }

  /** query[…, queries, features], key and value [… , keys, features] give […, queries, features]. */
  forward(x: TensorLike, inputs?: MultiHeadAttentionInputs): Tensor {
    const query = inputOf('multiHeadAttention', x)
    if (query.ndim < 2)
      throw new ShapeError(expected('multiHeadAttention', 'a query […, length, features]', formatShape(query.shape)))
    const given = checkOptions('multiHeadAttention', inputs, attentionInputs)
    const { key = query, value = key, causal = false, cache = null } = given
    if (cache !== null) checkCached(given)
    const positions = cache === null ? undefined : cache.positions(extentAt(query.shape, -2))
    const [q, k] = [this.query.forward(query), this.key.forward(key)].map((x) =>
      this.#rotated(this.#split(x), positions),
    )
    const v = this.#split(this.value.forward(value))
    const dropout = this.#dropout > 0 && this.training ? this.#dropout : 0
    const mask = maskOf(given)
    const seen = cache === null ? { keys: k!, values: v, mask: null } : cache.extend(this, k!, v)
    const mixed = scaledDotProductAttention(q!, seen.keys, seen.values, {
      mask: bothMasks(mask, seen.mask),
      causal: causal && cache === null,
      dropout,
    })
    return this.output.forward(exchangeHeads(mixed).reshape(query.shape))
  }

  #rotated(x: Tensor, positions: Tensor | undefined): Tensor {
    return this.#rotary === null ? x : this.#rotary.forward(x, positions)
  }

  /** […, length, features] to [… , heads, length, features / heads]. */
  #split(x: Tensor): Tensor {
    const features = extentAt(x.shape, -1)
    return exchangeHeads(x.reshape([...x.shape.slice(0, -1), this.#heads, features / this.#heads]))
  }
}

const rotaryOf = ({ rotaryBase: base }: MultiHeadAttentionOptions): RotaryOptions =>
  base === undefined ? {} : { base }

/** The keys of a cache are made of the queries. */
function checkCached({ key, value, cache }: MultiHeadAttentionInputs): void {
  if (!(cache instanceof KeyValueCache))
    throw new TypeError(expected('multiHeadAttention', 'a kvCache', describe(cache)))
  if (key !== undefined || value !== undefined)
    throw new TypeError(expected('multiHeadAttention', 'no key and value beside a cache', describe(key ?? value)))
}

function maskOf({ mask = null, keyMask = null }: MultiHeadAttentionInputs): Tensor | null {
  const ofKeys = keyMask === null ? null : maskOfKeys('multiHeadAttention', keyMask)
  return bothMasks(mask === null ? null : inputOf('multiHeadAttention', mask), ofKeys)
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
 * attention.forward(x, { keyMask: isWord }) // isWord[batch, length]: no attention to padding
 */
export const multiHeadAttention = (
  features: number,
  heads: number,
  options?: MultiHeadAttentionOptions,
): MultiHeadAttention => new MultiHeadAttention(features, heads, options)

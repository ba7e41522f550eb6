/** Attention: of one head, additive, and of several heads. */
import * as g from '../../operations/index.ts'
import { arange } from '../../tensor/creation.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import type { Config } from '../config.ts'
import type { Given, KerasLayer, Make, Slot } from '../layer.ts'
import { both, masked, maskOf } from '../masks.ts'
import { maskedScore } from './activation.ts'

/** Which keys [batch, 1 or queries, keys] a query may attend to; undefined is all. */
function keyMask(queries: Tensor, keys: Tensor, own: Tensor | undefined, isCausal: boolean): Tensor | undefined {
  const ofKeys = own === undefined ? undefined : g.expandDims(own.cast('bool'), 1)
  if (!isCausal) return ofKeys
  const [rows, columns] = [queries.shape[1]!, keys.shape[1]!]
  const row = arange(0, rows, { dtype: 'int32' }).reshape([1, rows, 1])
  return both(ofKeys, row.greaterEqual(arange(0, columns, { dtype: 'int32' }).reshape([1, 1, columns])))
}

/** Σ softmax(scores)·values over keys. */
function mix(scores: Tensor, values: Tensor, mask: Tensor | undefined, rate: number): Tensor {
  const allowed = mask === undefined ? scores : scores.add(g.where(mask, 0, maskedScore))
  const weights = g.softmax(allowed)
  return (rate === 0 ? weights : g.dropout(weights, rate, { training: true })).matmul(values)
}

interface Three {
  readonly query: Tensor
  readonly value: Tensor
  readonly key: Tensor
  readonly mask: Tensor | undefined
  readonly queryMask: Tensor | undefined
}

/** Inputs [query, value, key] with masks of theirs. */
function threeOf(given: Given): Three {
  const [query, value, key = value] = given.list
  if (query === undefined || value === undefined || key === undefined)
    return given.config.fail('a query and a value', given.list)
  const masks = given.kwargs.mask
  const listed = Array.isArray(masks) ? (masks as (Tensor | null)[]) : []
  const own = listed[1] ?? maskOf(value)
  const mask = keyMask(query, key, own, given.flag('use_causal_mask'))
  return { query, value, key, mask, queryMask: listed[0] ?? maskOf(query) }
}

const rateOf = (layer: KerasLayer, given: Given, rate: number): number =>
  layer.training && given.kwargs.training !== false ? rate : 0

/** Queries of steps that do not count give 0. */
function ofCounted(x: Tensor, mask: Tensor | undefined): Tensor {
  return mask === undefined ? x : masked(x.mul(g.expandDims(mask, -1)), mask)
}

function refuseScores(given: Given): void {
  if (given.flag('return_attention_scores')) given.config.fail('return_attention_scores as false', true)
}

const attention: Make = (config) => {
  const usesScale = config.flag('use_scale', false)
  const mode = config.choice('score_mode', ['dot', 'concat'], 'dot')
  const dropout = config.rate('dropout', 0)
  return {
    slots: [
      ...(usesScale ? [{ name: 'scale', shape: [] }] : []),
      ...(mode === 'concat' ? [{ name: 'concat_score_weight', shape: [] }] : []),
    ],
    forward(layer, given) {
      refuseScores(given)
      const { query, value, key, mask, queryMask } = threeOf(given)
      const scale = layer.optional('scale')
      const scaled = (x: Tensor) => (scale === undefined ? x : x.mul(scale))
      const scores =
        mode === 'dot'
          ? scaled(query.matmul(key.transpose([0, 2, 1])))
          : additiveScores(query, key, scaled).mul(layer.variable('concat_score_weight'))
      return ofCounted(mix(scores, value, mask, rateOf(layer, given, dropout)), queryMask)
    },
  }
}

/** Σ tanh(q + k) over features. */
const additiveScores = (query: Tensor, key: Tensor, scaled: (x: Tensor) => Tensor): Tensor =>
  g.sum(scaled(g.expandDims(query, 2).add(g.expandDims(key, 1))).tanh(), -1)

const additiveAttention: Make = (config) => {
  const usesScale = config.flag('use_scale', true)
  const dropout = config.rate('dropout', 0)
  return {
    slots: usesScale ? [{ name: 'scale', shape: [null] }] : [],
    forward(layer, given) {
      refuseScores(given)
      const { query, value, key, mask, queryMask } = threeOf(given)
      const scale = layer.optional('scale')
      const sums = g.expandDims(query, 2).add(g.expandDims(key, 1)).tanh()
      const scores = g.sum(scale === undefined ? sums : sums.mul(scale), -1)
      return ofCounted(mix(scores, value, mask, rateOf(layer, given, dropout)), queryMask)
    },
  }
}

/** The projections of several heads: kernels [features, heads, width], and of the output [heads, width, features]. */
function headSlots(config: Config, heads: number, keyWidth: number, valueWidth: number): Slot[] {
  const hasBias = config.flag('use_bias', true)
  const slots = (name: string, at: string, kernel: Slot['shape'], bias: Slot['shape']): Slot[] => [
    { name: `${name}_kernel`, shape: kernel, path: [at] },
    ...(hasBias ? [{ name: `${name}_bias`, shape: bias, path: [at] }] : []),
  ]
  return [
    ...slots('query', 'query_dense', [null, heads, keyWidth], [heads, keyWidth]),
    ...slots('key', 'key_dense', [null, heads, keyWidth], [heads, keyWidth]),
    ...slots('value', 'value_dense', [null, heads, valueWidth], [heads, valueWidth]),
    ...slots('output', 'output_dense', [heads, valueWidth, null], [null]),
  ]
}

/** x[batch, steps, features] as [batch, heads, steps, width]. */
function toHeads(layer: KerasLayer, x: Tensor, name: string): Tensor {
  const kernel = layer.variable(`${name}_kernel`)
  const [features, heads, width] = kernel.shape as [number, number, number]
  const product = x.matmul(kernel.reshape([features, heads * width]))
  const bias = layer.optional(`${name}_bias`)
  const sum = bias === undefined ? product : product.add(bias.reshape([heads * width]))
  return sum.reshape([x.shape[0]!, x.shape[1]!, heads, width]).permute([0, 2, 1, 3])
}

function fromHeads(layer: KerasLayer, x: Tensor): Tensor {
  const kernel = layer.variable('output_kernel')
  const [heads, width, features] = kernel.shape as [number, number, number]
  const [batch, steps] = [x.shape[0]!, x.shape[2]!]
  const joined = x.permute([0, 2, 1, 3]).reshape([batch, steps, heads * width])
  const product = joined.matmul(kernel.reshape([heads * width, features]))
  const bias = layer.optional('output_bias')
  return bias === undefined ? product : product.add(bias)
}

const multiHeadAttention: Make = (config) => {
  const [heads, keyWidth] = [config.count('num_heads'), config.count('key_dim')]
  const valueWidth = config.count('value_dim', keyWidth)
  const dropout = config.rate('dropout', 0)
  config.refuse(
    'attention_axes',
    (axes) => Array.isArray(axes) && axes.length === 1 && axes[0] === 1,
    'attention_axes as [1]',
  )
  config.refuse(
    'output_shape',
    (shape) => typeof shape === 'number' || (Array.isArray(shape) && shape.length === 1),
    'output_shape of one axis',
  )
  for (const option of ['use_gate', 'sliding_window'])
    config.refuse(option, (value) => value === false, `${option} left out`)
  return {
    slots: headSlots(config, heads, keyWidth, valueWidth),
    forward(layer, given) {
      refuseScores(given)
      const [query, value] = [given.x, given.optional(1, 'value') ?? given.x]
      const key = given.optional(2, 'key') ?? value
      const [q, k, v] = [toHeads(layer, query, 'query'), toHeads(layer, key, 'key'), toHeads(layer, value, 'value')]
      const mask = maskOfHeads(given, query, key, value)
      const rate = rateOf(layer, given, dropout)
      const scale = 1 / Math.sqrt(keyWidth)
      // Without a mask and dropout no matrix of queries and keys has to be held.
      const mixed =
        mask === undefined && rate === 0
          ? g.scaledDotProductAttention(q, k, v, { scale })
          : mix(q.mul(scale).matmul(k.permute([0, 1, 3, 2])), v, mask, rate)
      return masked(fromHeads(layer, mixed), maskOf(query))
    },
  }
}

/** Masks of the call and of its inputs together, as [batch or 1, 1 or heads, queries or 1, keys]. */
function maskOfHeads(given: Given, query: Tensor, key: Tensor, value: Tensor): Tensor | undefined {
  const own = given.optional(5, 'attention_mask')
  const rows = given.optional(3, 'query_mask') ?? maskOf(query)
  const columns = [maskOf(key), given.optional(4, 'value_mask') ?? maskOf(value)].reduce(both, undefined)
  const causal = keyMask(query, key, columns, given.flag('use_causal_mask'))
  const all = both(rows === undefined ? undefined : g.expandDims(rows.cast('bool'), 2), causal)
  const asked = own === undefined ? undefined : own.cast('bool')
  if (asked !== undefined && asked.ndim === 4) return both(asked, all === undefined ? undefined : g.expandDims(all, 1))
  const joined = both(all, asked)
  return joined === undefined ? undefined : g.expandDims(joined, 1)
}

export const attentionLayers = {
  Attention: attention,
  AdditiveAttention: additiveAttention,
  MultiHeadAttention: multiHeadAttention,
} satisfies Record<string, Make>

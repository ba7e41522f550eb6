/** What onnxruntime's optimizers and exporters write: operators of the domain com.microsoft, made of others. */

import { gelu, leakyRelu, relu, sigmoid } from '../../operations/activations.ts'
import { add, clamp, mul } from '../../operations/arithmetic.ts'
import { scaledDotProductAttention } from '../../operations/attention.ts'
import { greaterEqual, less, where } from '../../operations/comparison.ts'
import { gather, slice } from '../../operations/indexing.ts'
import { concat, split, stack } from '../../operations/joining.ts'
import * as linalg from '../../operations/linalg.ts'
import { logicalAnd } from '../../operations/logic.ts'
import { rsqrt, tanh } from '../../operations/math.ts'
import { layerNorm, rmsNorm } from '../../operations/normalization.ts'
import { matmul } from '../../operations/products.ts'
import { moveAxis, permute, transpose } from '../../operations/rearrange.ts'
import { mean, variance } from '../../operations/reduce.ts'
import { cast, reshape } from '../../operations/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { fromHeads, rotate, spreadHeads, toHeads } from './attention.ts'
import type { Call } from './call.ts'
import { addBias, convolve, geometryOf } from './convolution.ts'
import { affine, layerNormalization, rmsNormalization } from './normalization.ts'
import { type Family, row } from './row.ts'
import { table, wrong } from './tables.ts'

const tanhGelu = (x: Tensor): Tensor => gelu(x, { approximate: 'tanh' })

const withBias = (n: Call): Tensor => (n.has(1) ? add(n.tensor(0), n.tensor(1)) : n.tensor(0))

function quickGelu(n: Call): Tensor {
  const x = n.tensor(0)
  return mul(x, sigmoid(mul(x, n.attributes.float('alpha', 1.702))))
}

/** The sum of input and skip, and a bias, normalized over the last axis; that sum is an output too. */
function skipNormalization(n: Call, isSimple: boolean): (Tensor | undefined)[] {
  const [x, skip, weight] = [n.tensor(0), n.tensor(1), n.tensor(2)]
  const bias = n.optional(isSimple ? 3 : 4)
  const both = add(x, skip)
  const total = bias === undefined ? both : add(both, bias)
  const epsilon = n.attributes.float('epsilon', isSimple ? 1e-6 : 1e-12)
  if (isSimple) return [mul(rmsNorm(total, { epsilon }), weight), undefined, undefined, total]
  const y = affine(layerNorm(total, { epsilon }), weight, n.optional(3))
  if (!n.wants(1) && !n.wants(2)) return [y, undefined, undefined, total]
  const inverse = rsqrt(add(variance(total, -1, { correction: 0, keepDims: true }), epsilon))
  return [y, mean(total, -1, { keepDims: true }), inverse, total]
}

/** Embeddings of words, positions and segments, added and normalized; and how many words there are in each row. */
function embedLayerNormalization(n: Call): (Tensor | undefined)[] {
  const [ids, words, positions] = [n.tensor(0), n.tensor(2), n.tensor(3)]
  const [batch, length] = ids.shape as [number, number]
  const [segmentIds, segments, places] = [n.optional(1), n.optional(4), n.optional(8)]
  const own = places === undefined ? slice(positions, [0, 0], [length, positions.shape[1]!]) : gather(positions, places)
  const sum = add(gather(words, ids), own)
  const total = segments === undefined || segmentIds === undefined ? sum : add(sum, gather(segments, segmentIds))
  const y = affine(layerNorm(total, { epsilon: n.attributes.float('epsilon', 1e-12) }), n.tensor(5), n.tensor(6))
  const mask = n.optional(7)
  const counts = mask === undefined ? table('int32', [batch], () => 0) : cast(mask, 'int32').sum(1)
  return [y, counts, total]
}

const swapLast = (x: Tensor): Tensor => (x.ndim < 2 ? x : transpose(x, x.ndim - 2, x.ndim - 1))

/** alpha · A · B, either of them transposed; also the batch's first axis as the rows of matrices. */
function fusedMatMul(n: Call): Tensor {
  const operand = (input: number, name: string) => {
    const x = n.tensor(input)
    const moved = n.attributes.flag(`transBatch${name}`, false) ? moveAxis(x, 0, -2) : x
    return n.attributes.flag(`trans${name}`, false) ? swapLast(moved) : moved
  }
  const y = matmul(operand(0, 'A'), operand(1, 'B'))
  const alpha = n.attributes.float('alpha', 1)
  return alpha === 1 ? y : mul(y, alpha)
}

/** The activation that a fused operator ends with. */
function activated(n: Call, y: Tensor, name: string, [a, b]: readonly number[]): Tensor {
  switch (name) {
    case '':
      return y
    case 'Relu':
      return relu(y)
    case 'Tanh':
      return tanh(y)
    case 'Sigmoid':
      return sigmoid(y)
    case 'LeakyRelu':
      return leakyRelu(y, a ?? 0.01)
    case 'Clip':
      return clamp(y, a ?? -Infinity, b ?? Infinity)
    case 'HardSigmoid':
      return clamp(add(mul(y, a ?? 0.2), b ?? 0.5), 0, 1)
    default:
      throw n.attributes.error('activation', 'Relu, Tanh, Sigmoid, LeakyRelu, Clip or HardSigmoid', name)
  }
}

function fusedConv(n: Call): Tensor {
  const [x, weight] = [n.tensor(0), n.tensor(1)]
  const { windows, groups } = geometryOf(n, x, weight)
  const y = addBias(convolve(x, weight, undefined, windows, groups), n.optional(2))
  const added = n.has(3) ? add(y, n.tensor(3)) : y
  return activated(n, added, n.attributes.string('activation', ''), n.attributes.floats('activation_params', []))
}

function fusedGemm(n: Call): Tensor {
  const { attributes } = n
  const a = attributes.flag('transA', false) ? swapLast(n.tensor(0)) : n.tensor(0)
  const b = attributes.flag('transB', false) ? swapLast(n.tensor(1)) : n.tensor(1)
  const y = mul(matmul(a, b), attributes.float('alpha', 1))
  const added = n.has(2) ? add(y, mul(n.tensor(2), attributes.float('beta', 1))) : y
  const numbers = [attributes.float('activation_alpha', undefined), attributes.float('activation_beta', undefined)]
  return activated(n, added, attributes.string('activation', ''), numbers as number[])
}

// --- Attention ---------------------------------------------------------------------------------------------------------

/** What is added to the scores of padding: [batch, 1, 1 or queries, keys] of a mask in one of its forms. */
function paddingBias(n: Call, mask: Tensor, batch: number, keys: number): Tensor {
  const filter = n.attributes.float('mask_filter_value', -10000)
  const of = (isReal: Tensor) => where(isReal, 0, filter)
  const places = table('int32', [1, 1, 1, keys], (i) => i)
  const ends = (start: number) => reshape(slice(cast(mask, 'int32'), [start], [start + batch]), [batch, 1, 1, 1])
  if (mask.ndim === 1 && mask.shape[0] === batch) return of(less(places, ends(0)))
  if (mask.ndim === 1 && mask.shape[0] === 2 * batch)
    return of(logicalAnd(less(places, ends(0)), greaterEqual(places, ends(batch))))
  if (mask.ndim === 2 || mask.ndim === 3)
    return of(
      cast(reshape(mask, [mask.shape[0]!, 1, mask.ndim === 2 ? 1 : mask.shape[1]!, mask.shape.at(-1)!]), 'bool'),
    )
  throw wrong(n, 'a mask of lengths, or of two or three axes', `[${mask.shape}]`)
}

interface Attended {
  readonly q: Tensor
  readonly k: Tensor
  readonly v: Tensor
  readonly mask: Tensor | undefined
  readonly bias: Tensor | undefined
}

/** The attention of heads, whose keys may be preceded by those of the past. */
function attend(n: Call, { q, k, v, mask, bias }: Attended): Tensor {
  const [batch, heads, queries, width] = q.shape as [number, number, number, number]
  const keys = k.shape[2]!
  const padding = mask === undefined ? undefined : paddingBias(n, mask, batch, keys)
  const past = keys - queries
  const isCausal = n.attributes.flag('unidirectional', false)
  const causal = isCausal
    ? table('float32', [1, 1, queries, keys], (at) => (at % keys <= Math.floor(at / keys) + past ? 0 : -Infinity))
    : undefined
  const biases = [padding, bias, causal].filter((each) => each !== undefined)
  const given = n.attributes.float('scale', 0)
  return scaledDotProductAttention(q, spreadHeads(n, k, heads), spreadHeads(n, v, heads), {
    mask: biases.length === 0 ? null : biases.reduce((a, b) => add(a, b)),
    scale: given === 0 ? 1 / Math.sqrt(width) : given,
  })
}

/** Attention of one input with itself, whose projections are part of it. */
function attention(n: Call): (Tensor | undefined)[] {
  const heads = n.attributes.int('num_heads', 0)
  const product = matmul(n.tensor(0), n.tensor(1))
  const projected = n.has(2) ? add(product, n.tensor(2)) : product
  const width = projected.shape[2]! / 3
  const sizes = n.attributes.ints('qkv_hidden_sizes', [width, width, width])
  if (n.attributes.flag('do_rotary', false)) throw n.attributes.error('do_rotary', '0', 1)
  const [q, k, v] = split(projected, sizes, -1).map((x) => toHeads(n, x, heads)) as [Tensor, Tensor, Tensor]
  const past = n.optional(4)
  const join = (i: number, x: Tensor) => (past === undefined ? x : concat([past.select(0, i), x], 2))
  const [keys, values] = [join(0, k), join(1, v)]
  const y = fromHeads(attend(n, { q, k: keys, v: values, mask: n.optional(3), bias: n.optional(5) }))
  return [y, n.wants(1) ? stack([keys, values], 0) : undefined]
}

/** Queries, keys and values of several forms as heads, before the past: packed in one tensor, in two, or one for each. */
function unpack(n: Call, heads: number): readonly [Tensor, Tensor, Tensor] {
  const [query, key, value] = [n.tensor(0), n.optional(1), n.optional(2)]
  const bias = n.optional(3)
  const parts = (packed: Tensor) =>
    Array.from({ length: packed.shape[3]! }, (_, i) => permute(packed.select(3, i), [0, 2, 1, 3]))
  if (query.ndim === 5) return parts(query) as [Tensor, Tensor, Tensor]
  if (key === undefined) throw wrong(n, 'keys, or queries packed with keys and values', `[${query.shape}]`)
  const [biasQ, biasK, biasV] =
    bias === undefined || value === undefined
      ? [bias && slice(bias, [0], [query.shape[2]!])]
      : split(bias, [query.shape[2]!, query.shape[2]!, bias.shape[0]! - 2 * query.shape[2]!], 0)
  const of = (x: Tensor, b: Tensor | undefined) =>
    x.ndim === 4 ? x : toHeads(n, b === undefined ? x : add(x, b), heads)
  if (key.ndim === 5) return [of(query, biasQ), ...(parts(key) as [Tensor, Tensor])]
  if (value === undefined) throw wrong(n, 'values, or keys packed with them', `[${key.shape}]`)
  return [of(query, biasQ), of(key, biasK), of(value, biasV)]
}

function multiHeadAttention(n: Call): (Tensor | undefined)[] {
  const [q, k, v] = unpack(n, n.attributes.int('num_heads', 0))
  const join = (past: Tensor | undefined, x: Tensor) => (past === undefined ? x : concat([past, x], 2))
  const [keys, values] = [join(n.optional(6), k), join(n.optional(7), v)]
  const y = attend(n, { q, k: keys, v: values, mask: n.optional(4), bias: n.optional(5) })
  return [fromHeads(y), keys, values]
}

function rotaryEmbedding(n: Call): Tensor {
  const given = n.tensor(0)
  const [cos, sin] = [n.tensor(2), n.tensor(3)]
  const isFlat = given.ndim === 3
  const pairs = cos.shape[1]!
  const turned = n.attributes.int('rotary_embedding_dim', 0) || 2 * pairs
  const heads = n.attributes.int('num_heads', 0) || (isFlat ? given.shape[2]! / turned : 0)
  const x = isFlat ? toHeads(n, given, heads) : given
  const [batch, , length] = x.shape as [number, number, number]
  const offsets = reshape(cast(n.tensor(1), 'int32'), n.shape(1).length === 2 ? n.shape(1) : [1, 1])
  const isOffset = offsets.shape[1] === 1 && (length !== 1 || n.shape(1).length !== 2)
  const places = isOffset
    ? add(
        offsets,
        table('int32', [1, length], (i) => i),
      )
    : offsets
  if (places.shape[0] !== 1 && places.shape[0] !== batch)
    throw wrong(n, `positions of ${batch} rows`, `[${places.shape}]`)
  const y = rotate(x, gather(cos, places), gather(sin, places), n.attributes.flag('interleaved', false))
  return isFlat ? fromHeads(y) : y
}

export const microsoft: Family = {
  Gelu: row([1], (n) => gelu(n.tensor(0))),
  FastGelu: row([1], (n) => tanhGelu(withBias(n))),
  BiasGelu: row([1], (n) => gelu(withBias(n))),
  QuickGelu: row([1], quickGelu),
  BiasAdd: row([1], (n) => add(add(n.tensor(0), n.tensor(1)), n.tensor(2))),
  LayerNormalization: row([1], layerNormalization),
  SimplifiedLayerNormalization: row([1], rmsNormalization),
  SkipLayerNormalization: row([1], (n) => skipNormalization(n, false)),
  SkipSimplifiedLayerNormalization: row([1], (n) => skipNormalization(n, true)),
  EmbedLayerNormalization: row([1], embedLayerNormalization),
  FusedMatMul: row([1], fusedMatMul),
  TransposeMatMul: row([1], fusedMatMul),
  FusedConv: row([1], fusedConv),
  FusedGemm: row([1], fusedGemm),
  Inverse: row([1], (n) => linalg.inverse(n.tensor(0))),
  Attention: row([1], attention),
  MultiHeadAttention: row([1], multiHeadAttention),
  RotaryEmbedding: row([1], rotaryEmbedding),
}

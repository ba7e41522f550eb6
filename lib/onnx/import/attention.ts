/** Attention of queries over keys and values, in the forms that ONNX and onnxruntime have for it, and rotary positions. */
import { add, div, mul, sub } from '../../operations/arithmetic.ts'
import { scaledDotProductAttention } from '../../operations/attention.ts'
import { equal, greaterEqual, less, lessEqual, where } from '../../operations/comparison.ts'
import { gather, slice } from '../../operations/indexing.ts'
import { concat, stack } from '../../operations/joining.ts'
import { logicalAnd } from '../../operations/logic.ts'
import { exp, tanh } from '../../operations/math.ts'
import { pad } from '../../operations/padding.ts'
import { matmul } from '../../operations/products.ts'
import { permute, repeat, transpose } from '../../operations/rearrange.ts'
import { max } from '../../operations/reduce.ts'
import { cast, reshape } from '../../operations/shape.ts'
import { softmax } from '../../operations/softmax.ts'
import { zeros } from '../../tensor/creation.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { scan } from '../../transforms/scan.ts'
import type { Value } from '../values.ts'
import type { Call } from './call.ts'
import { type Family, type Result, row } from './row.ts'
import { table, wrong } from './tables.ts'

/** [batch, length, heads·width] as [batch, heads, length, width]. */
export function toHeads(n: Call, x: Tensor, heads: number): Tensor {
  const [batch, length, width] = x.shape as [number, number, number]
  if (heads < 1 || width % heads !== 0) throw wrong(n, `a width that ${heads} heads divide`, `${width}`)
  return permute(reshape(x, [batch, length, heads, width / heads]), [0, 2, 1, 3])
}

/** The way back. */
export function fromHeads(x: Tensor): Tensor {
  const [batch, heads, length, width] = x.shape as [number, number, number, number]
  return reshape(permute(x, [0, 2, 1, 3]), [batch, length, heads * width])
}

/** Each head of keys or values as often as it serves a query's head. */
export function spreadHeads(n: Call, x: Tensor, heads: number): Tensor {
  const own = x.shape[1]!
  if (own === heads) return x
  if (own < 1 || heads % own !== 0) throw wrong(n, `heads of queries that ${own} heads of keys divide`, `${heads}`)
  return repeat(x, heads / own, 1)
}

/** Which keys queries attend to, and what is added to their scores; both broadcast to [batch, heads, queries, keys]. */
interface Mask {
  readonly allowed: Tensor | null
  readonly bias: Tensor | null
}

const both = (a: Tensor | null, b: Tensor | null): Tensor | null =>
  a === null || b === null ? (a ?? b) : logicalAnd(a, b)

/** The one mask of both: floats where there is a bias. */
const oneMask = ({ allowed, bias }: Mask): Tensor | null =>
  allowed === null || bias === null ? (allowed ?? bias) : where(allowed, bias, Number.NEGATIVE_INFINITY)

/** What a query i, at `offset` + i among the keys, may attend to: `left` keys before it, and `right` after; −1 is all. */
function windowed(queries: number, keys: number, offset: number | Tensor, left: number, right: number): Tensor | null {
  if (left < 0 && right < 0) return null
  const rows = table('int32', [queries, 1], (i) => i)
  const columns = table('int32', [1, keys], (i) => i)
  const place = add(rows, offset)
  const before = left < 0 ? null : greaterEqual(columns, sub(place, left))
  return both(before, right < 0 ? null : lessEqual(columns, add(place, right)))
}

/** A mask over fewer keys than there are excludes the others. */
function overAllKeys(mask: Tensor, keys: number): Tensor {
  const missing = keys - mask.shape.at(-1)!
  if (missing <= 0) return mask
  const widths = mask.shape.map((_, i) => [0, i === mask.ndim - 1 ? missing : 0] as const)
  // A bool is padded as a number.
  if (mask.dtype === 'bool') return cast(pad(cast(mask, 'uint8'), widths), 'bool')
  return pad(mask, widths, { value: Number.NEGATIVE_INFINITY })
}

function maskOf(n: Call, queries: number, keys: number, past: number): Mask {
  const { attributes } = n
  const given = n.optional(3)
  const lengths = n.optional(6)
  const isCausal = attributes.flag('is_causal', false)
  const [left, right] = [attributes.int('left_window_size', -1), attributes.int('right_window_size', -1)]
  if (left < -1 || right < -1) throw wrong(n, 'window sizes of at least −1', `${left} and ${right}`)
  const perBatch = lengths === undefined ? null : reshape(cast(lengths, 'int32'), [lengths.shape[0]!, 1, 1, 1])
  const offset = perBatch === null || past > 0 ? past : sub(perBatch, queries)
  const causal = isCausal ? windowed(queries, keys, offset, -1, 0) : null
  const real =
    perBatch === null
      ? null
      : less(
          table('int32', [1, 1, 1, keys], (i) => i),
          perBatch,
        )
  const allowed = both(both(causal, windowed(queries, keys, offset, left, right)), real)
  if (given === undefined) return { allowed, bias: null }
  const mask = overAllKeys(given, keys)
  return mask.dtype === 'bool' ? { allowed: both(allowed, mask), bias: null } : { allowed, bias: mask }
}

/** softmax over the last axis; 0 in a row that attends to nothing. */
function softmaxOf(scores: Tensor): Tensor {
  const isEmpty = equal(max(scores, -1, { keepDims: true }), Number.NEGATIVE_INFINITY)
  return where(isEmpty, 0, softmax(where(isEmpty, 0, scores)))
}

interface Scored {
  readonly y: Tensor
  /** The scores as an output has them. */
  readonly scores: Tensor
}

/** Attention by its parts, where its scores are read or capped. */
function attendByParts(n: Call, q: Tensor, k: Tensor, v: Tensor, mask: Tensor | null, scale: number): Scored {
  const cap = n.attributes.float('softcap', 0)
  const mode = n.attributes.int('qk_matmul_output_mode', 0)
  const raw = mul(matmul(q, transpose(k, [0, 1, 3, 2])), scale)
  const capped = cap > 0 ? mul(tanh(div(raw, cap)), cap) : raw
  const bias = mask?.dtype === 'bool' ? where(mask, 0, Number.NEGATIVE_INFINITY) : mask
  const masked = bias === null ? capped : add(capped, cast(bias, capped.dtype))
  const weights = softmaxOf(masked)
  const scores = [raw, capped, masked, weights][mode]
  if (scores === undefined) throw n.attributes.error('qk_matmul_output_mode', '0, 1, 2 or 3', mode)
  return { y: matmul(weights, v), scores }
}

function attention(n: Call): (Result | undefined)[] {
  const [givenQ, givenK, givenV] = [n.tensor(0), n.tensor(1), n.tensor(2)]
  const isFlat = givenQ.ndim === 3
  const heads = (x: Tensor, name: string) => (isFlat ? toHeads(n, x, n.attributes.int(name, 0)) : x)
  const q = heads(givenQ, 'q_num_heads')
  if (q.ndim !== 4 || givenK.ndim !== givenQ.ndim || givenV.ndim !== givenQ.ndim)
    throw wrong(n, 'queries, keys and values of three or four axes', `[${givenQ.shape}], [${givenK.shape}]`)
  const [pastK, pastV] = [n.optional(4), n.optional(5)]
  const join = (past: Tensor | undefined, x: Tensor) => (past === undefined ? x : concat([past, x], 2))
  const [k, v] = [join(pastK, heads(givenK, 'kv_num_heads')), join(pastV, heads(givenV, 'kv_num_heads'))]
  const mask = oneMask(maskOf(n, q.shape[2]!, k.shape[2]!, pastK?.shape[2] ?? 0))
  const [keys, values] = [spreadHeads(n, k, q.shape[1]!), spreadHeads(n, v, q.shape[1]!)]
  const scale = n.attributes.float('scale', 1 / Math.sqrt(q.shape[3]!))
  const isPlain = n.attributes.float('softcap', 0) === 0 && !n.wants(3)
  const { y, scores } = isPlain
    ? { y: scaledDotProductAttention(q, keys, values, { mask, scale }), scores: undefined }
    : attendByParts(n, q, keys, values, mask, scale)
  return [isFlat ? fromHeads(y) : y, k, v, scores]
}

/** Attention whose scores and weights are changed by graphs of the node. */
function flexAttention(n: Call): Tensor {
  const q = n.tensor(0)
  const [k, v] = [spreadHeads(n, n.tensor(1), q.shape[1]!), spreadHeads(n, n.tensor(2), q.shape[1]!)]
  const scale = n.attributes.float('scale', 1 / Math.sqrt(q.shape[3]!))
  const changed = (name: string, x: Tensor): Tensor => {
    if (!n.attributes.has(name)) return x
    const [y] = n.inner(name).run([n.as(n.type(0), x)])
    return n.tensorOf(y as Value)
  }
  const scores = changed('score_mod', mul(matmul(q, transpose(k, [0, 1, 3, 2])), scale))
  return matmul(changed('prob_mod', softmax(scores)), v)
}

/**
 * Pairs of x[batch, heads, length, width] turned by angles, whose cosines and sines are [batch or 1, length, pairs]: halves of the first
 * 2·pairs elements, or neighbours.
 */
export function rotate(x: Tensor, cos: Tensor, sin: Tensor, isInterleaved: boolean): Tensor {
  const [batch, heads, length, width] = x.shape as [number, number, number, number]
  const pairs = cos.shape.at(-1)!
  const turned = slice(x, [0, 0, 0, 0], [batch, heads, length, 2 * pairs])
  const grouped = reshape(turned, [batch, heads, length, ...(isInterleaved ? [pairs, 2] : [2, pairs])])
  const axis = isInterleaved ? 4 : 3
  const [a, b] = [grouped.select(axis, 0), grouped.select(axis, 1)]
  const beside = (angles: Tensor) => reshape(angles, [angles.shape[0]!, 1, length, pairs])
  const [c, s] = [beside(cos), beside(sin)]
  const both = stack([sub(mul(a, c), mul(b, s)), add(mul(a, s), mul(b, c))], axis)
  const y = reshape(both, [batch, heads, length, 2 * pairs])
  return 2 * pairs === width ? y : concat([y, slice(x, [0, 0, 0, 2 * pairs], x.shape)], 3)
}

function rotaryEmbedding(n: Call): Tensor {
  const given = n.tensor(0)
  const isFlat = given.ndim === 3
  const x = isFlat ? toHeads(n, given, n.attributes.int('num_heads', 0)) : given
  const places = n.optional(3)
  const caches = [n.tensor(1), n.tensor(2)].map((cache) => (places === undefined ? cache : gather(cache, places)))
  const [cos, sin] = caches as [Tensor, Tensor]
  const turned = n.attributes.int('rotary_embedding_dim', 0) || x.shape[3]!
  if (x.ndim !== 4 || 2 * cos.shape.at(-1)! !== turned || turned > x.shape[3]!)
    throw wrong(n, `a cache of ${turned / 2} angles`, `[${cos.shape}]`)
  const y = rotate(x, cos, sin, n.attributes.flag('interleaved', false))
  return isFlat ? fromHeads(y) : y
}

const updateRules = ['linear', 'gated', 'delta', 'gated_delta'] as const

/** Attention as a recurrence: a state [batch, heads, width, values] that each key writes to and each query reads. */
function linearAttention(n: Call): Tensor[] {
  const { attributes } = n
  const [heads, own] = [attributes.int('q_num_heads', 0), attributes.int('kv_num_heads', 0)]
  if (own < 1 || heads < 1 || heads % own !== 0)
    throw wrong(n, 'q_num_heads that kv_num_heads divides', `${heads} and ${own}`)
  const rule = attributes.choice('update_rule', updateRules, 'gated_delta')
  const overTime = (x: Tensor) => permute(x, [2, 0, 1, 3])
  const [q, k, v] = [toHeads(n, n.tensor(0), heads), toHeads(n, n.tensor(1), own), toHeads(n, n.tensor(2), own)]
  const [batch, , length, width] = k.shape as [number, number, number, number]
  const optional = (input: number, isUsed: boolean) => {
    const x = n.optional(input)
    if ((x !== undefined) !== isUsed) throw wrong(n, `an input ${input}${isUsed ? '' : ' to be left out'}`, rule)
    return x
  }
  const decay = optional(4, rule.startsWith('gated'))
  const beta = optional(5, rule.endsWith('delta'))
  const ofHeads = (x: Tensor | undefined) =>
    x === undefined ? null : overTime(toHeads(n, x, x.shape[2] === 1 ? 1 : own))
  const initial = n.optional(3) ?? zeros([batch, own, width, v.shape[3]!], { dtype: q.dtype })
  const scale = attributes.float('scale', 0) || 1 / Math.sqrt(width)
  const column = (x: Tensor) => reshape(x, [...x.shape, 1])
  const line = (x: Tensor) => reshape(x, [...x.shape.slice(0, -1), 1, x.shape.at(-1)!])
  const [last, read] = scan(
    (state: Tensor, step: { q: Tensor; k: Tensor; v: Tensor; decay: Tensor | null; beta: Tensor | null }) => {
      const kept = step.decay === null ? state : mul(state, column(exp(step.decay)))
      const value = step.beta === null ? step.v : mul(step.beta, sub(step.v, matmul(line(step.k), kept).squeeze(-2)))
      const next = add(kept, mul(column(step.k), line(value)))
      const seen = spreadHeads(n, next, heads)
      return [next, mul(matmul(line(step.q), seen).squeeze(-2), scale)] as const
    },
    initial,
    { q: overTime(q), k: overTime(k), v: overTime(v), decay: ofHeads(decay), beta: ofHeads(beta) },
  ) as unknown as [Tensor, Tensor]
  return [reshape(permute(read, [1, 0, 2, 3]), [batch, length, heads * v.shape[3]!]), last]
}

export const attentions: Family = {
  Attention: row([23, 24, 25], attention),
  RotaryEmbedding: row([23], rotaryEmbedding),
  LinearAttention: row([27], linearAttention),
}

/** Those of the domain ai.onnx.preview. */
export const previewAttentions: Family = { FlexAttention: row([1], flexAttention) }

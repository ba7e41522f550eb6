/** Scaled dot-product attention without the matrix of all scores. */
import { allocate } from '../../base/dtype.ts'
import { mapTuple } from '../../base/lists.ts'
import { extentAt, type Shape, sizeOf } from '../../base/shape.ts'
import { hasAdjacentColumns } from '../../program/patterns.ts'
import { gradients } from '../autograd.ts'
import type { Emitter, View } from '../emitter.ts'
import { type Cotangents, type Node, type OpDef, record } from '../node.ts'
import { broadcastTo, reshape } from './broadcast.ts'
import { add, equal, exp, greaterEqual, mul, sub, where, zerosLike } from './elementwise.ts'
import { barrier } from './gradient-rules.ts'
import { data, literal } from './leaf.ts'
import { matmul } from './matmul.ts'
import { concat, pad, sliceAt, transposeMatrices } from './movement.ts'
import { sum } from './reduce.ts'

type Unmasked = readonly [q: Node, k: Node, v: Node]
type AttentionInputs = Unmasked | readonly [q: Node, k: Node, v: Node, mask: Node]

/** `causal`: query i attends to keys j ≤ i alone. */
export type AttentionParams = { readonly scale: number; readonly causal: boolean }

/** The first `count` numbers from `start` on. */
const positions = (start: number, count: number, shape: number[]): Node =>
  data(
    allocate('int32', count).map((_, i) => start + i),
    'int32',
    shape,
  )

/** What query i gives key j, before the softmax: scale · q·kᵀ, with −∞ where it does not attend. The queries begin with number `first`. */
export function scoresOf(q: Node, k: Node, mask: Node | null, { scale, causal }: AttentionParams, first = 0): Node {
  const excluded = literal(-Infinity, q.dtype)
  let scores = mul(matmul(q, transposeMatrices(k)), literal(scale, q.dtype))
  if (mask !== null) scores = mask.dtype === 'bool' ? where(mask, scores, excluded) : add(scores, mask)
  if (!causal) return scores
  const [queries, keys] = [extentAt(q.shape, -2), extentAt(k.shape, -2)]
  return where(greaterEqual(positions(first, queries, [queries, 1]), positions(0, keys, [1, keys])), scores, excluded)
}

/** One instruction gives both outputs, which are two nodes. */
function lowerAttention(output: 'out' | 'logSums') {
  return (emitter: Emitter, { inputs, params }: Node<AttentionParams, AttentionInputs>): View => {
    const views = mapTuple(inputs, (x, i) => operandView(emitter, emitter.viewOf(x), i))
    return emitter.denseView(emitAttention(emitter, views, params)[output])
  }
}

type ViewsOf<I extends readonly Node[]> = { readonly [K in keyof I]: View }

function emitAttention(emitter: Emitter, views: ViewsOf<AttentionInputs>, params: AttentionParams) {
  const [q, k, v] = views
  const rows = q.shape.slice(0, -1)
  const values = extentAt(v.shape, -1)
  const [out, logSums] = emitter.emitShared(
    'attention',
    views.map(({ value }) => value),
    [
      { dtype: q.dtype, shape: [...rows, values] },
      { dtype: q.dtype, shape: rows },
    ],
    {
      batch: q.shape.slice(0, -2),
      queries: extentAt(q.shape, -2),
      keys: extentAt(k.shape, -2),
      features: extentAt(q.shape, -1),
      values,
      operands: views.map(({ offset, strides }) => ({ offset, strides })),
      ...params,
    },
  )
  return { out, logSums }
}

/** The mask is read through any strides, the others in rows. */
function operandView(emitter: Emitter, view: View, operand: number): View {
  if (operand === 3 || hasAdjacentColumns(view.shape, view)) return view
  return emitter.denseView(emitter.denseValue(view))
}

const attentionOp: OpDef<AttentionParams, AttentionInputs> = {
  name: 'attention',
  infer: ([q, , v]) => ({ dtype: q.dtype, shape: [...q.shape.slice(0, -1), extentAt(v.shape, -1)] }),
  vjp(ct, node) {
    if (!isFused(node)) return composedGradients(ct, node)
    const { inputs, params } = node
    const logSums = record(attentionLogSumsOp, inputs, params)
    return mapTuple(gradientOutputs, (of) =>
      record(attentionGradientOp, [...inputs, ct, node, logSums], { ...params, of }),
    )
  },
  lower: lowerAttention('out'),
}

/** Two matrices for each thread of a small machine: the instruction gives all of a matrix to one. */
const fewestMatrices = 4

/** Whether one instruction computes the gradients. A mask may want one itself. */
const isFused = (node: Node<AttentionParams, AttentionInputs>): node is Node<AttentionParams, Unmasked> =>
  node.inputs.length === 3 && sizeOf(node.shape.slice(0, -2)) >= fewestMatrices

/** With weights P: dV = Pᵀ·ct, dP = ct·Vᵀ and the softmax's dS = P ∘ (dP − Σ ct ∘ out) */
const composedGradients = (ct: Node, node: Node<AttentionParams, AttentionInputs>): Cotangents<AttentionInputs> =>
  attentionGradients(node, (weights, { v, rows }) => {
    const [cotangent, out] = [rows(ct), rows(node)]
    const inner = sum(mul(cotangent, out), -1, true)
    return {
      scores: mul(weights, sub(matmul(cotangent, transposeMatrices(v)), inner)),
      values: matmul(transposeMatrices(weights), cotangent),
    }
  })

type GradientParams = AttentionParams & { readonly of: 'q' | 'k' | 'v' }
type GradientInputs = readonly [...Unmasked, ct: Node, out: Node, logSums: Node]

const gradientOutputs = ['q', 'k', 'v'] as const

/** The gradient of one of the operands; one instruction gives those of all three. Its own derivative is that of the composition. */
const attentionGradientOp: OpDef<GradientParams, GradientInputs> = {
  name: 'attentionGradient',
  infer: (inputs, { of }) => inputs[gradientOutputs.indexOf(of)]!,
  vjp(ct, { inputs, params }) {
    // Apart from each other, as one of them may be made of another.
    const [q, k, v, cotangent] = mapTuple(inputs, (x) => barrier(x, []))
    const { of, ...attentionParams } = params
    const node = record(attentionOp, [q, k, v], attentionParams) as Node<AttentionParams, Unmasked>
    const composed = composedGradients(cotangent, node)[gradientOutputs.indexOf(of)]!
    const [dq, dk, dv, dct] = gradients(composed, [q, k, v, cotangent], ct)
    return [dq!, dk!, dv!, dct!, null, null]
  },
  lower(emitter, { inputs, params: { of, ...params } }) {
    const [q, k, v, cotangent, out, logSums] = inputs
    const views = [q, k, v, cotangent].map((x) => operandView(emitter, emitter.viewOf(x), 0))
    const rows = q.shape.slice(0, -1)
    const ids = emitter.emitShared(
      'attentionGradient',
      [...views.map(({ value }) => value), emitter.dense(out), emitter.dense(logSums)],
      [q, k, v].map(({ dtype, shape }) => ({ dtype, shape })),
      {
        batch: rows.slice(0, -1),
        queries: extentAt(q.shape, -2),
        keys: extentAt(k.shape, -2),
        features: extentAt(q.shape, -1),
        values: extentAt(v.shape, -1),
        operands: views.map(({ offset, strides }) => ({ offset, strides })),
        ...params,
      },
    )
    return emitter.denseView(ids[gradientOutputs.indexOf(of)]!)
  },
}

/** The logarithm of the sum of each query's exponentials. */
const attentionLogSumsOp: OpDef<AttentionParams, AttentionInputs> = {
  name: 'attentionLogSums',
  infer: ([q]) => ({ dtype: q.dtype, shape: q.shape.slice(0, -1) }),
  vjp: (ct, node) =>
    attentionGradients(node, (weights, { rows }) => ({
      scores: mul(weights, rows(reshape(ct, [...ct.shape, 1]))),
      values: zerosLike(node.inputs[2]),
    })),
  lower: lowerAttention('logSums'),
}

/** Some of the queries, with the values they can reach. */
interface QueryBlock {
  readonly v: Node
  /** The rows of these queries in a tensor of all. */
  readonly rows: (x: Node) => Node
}

/** The cotangents of a block's scores and of the values. */
type BlockRule = (weights: Node, block: QueryBlock) => { scores: Node; values: Node }

/** The gradients of q, k, v and the scores. */
interface Gradients {
  readonly q: Node
  readonly k: Node
  readonly v: Node
  readonly scores: Node
}

/** How many scores the gradient computes at a time. */
const scoresOfBlock = 2 ** 18

/** The gradients of q, k, v and the mask. */
function attentionGradients(
  node: Node<AttentionParams, AttentionInputs>,
  rule: BlockRule,
): Cotangents<AttentionInputs> {
  const [q, k, , mask] = node.inputs
  const [queries, keys] = [extentAt(q.shape, -2), extentAt(k.shape, -2)]
  const count = queries * keys <= scoresOfBlock ? queries : Math.max(64, Math.floor(scoresOfBlock / keys))
  const gradientOf = blockGradients(node, rule)
  let all = gradientOf(0, count)
  for (let first = count; first < queries; first += count)
    all = inOrder(all, gradientOf(first, Math.min(count, queries - first)))
  if (mask === undefined) return [all.q, all.k, all.v]
  return [all.q, all.k, all.v, mask.dtype === 'bool' ? null : all.scores]
}

/**
 * The gradients through some queries, whose weights are computed again from the logarithms of their sums: e^(scores −
 * logSum). T. Dao et al., "FlashAttention" (2022), algorithm 4.
 */
function blockGradients(
  node: Node<AttentionParams, AttentionInputs>,
  rule: BlockRule,
): (first: number, count: number) => Gradients {
  const [q, k, v, mask = null] = node.inputs
  const { params } = node
  const keys = extentAt(k.shape, -2)
  const sums = record(attentionLogSumsOp, node.inputs, params)
  // A query without keys has no weights: e^(−∞ − ∞).
  const finite = where(equal(sums, -Infinity), literal(Infinity, q.dtype), sums)
  const logSums = reshape(finite, [...sums.shape, 1])
  return (first, count) => {
    const reached = params.causal ? Math.min(keys, first + count) : keys
    const rows = (x: Node) => part(x, -2, first, count)
    const [qs, ks, vs] = [rows(q), part(k, -2, 0, reached), part(v, -2, 0, reached)]
    const seen = mask && part(rows(mask), -1, 0, reached)
    const weights = exp(sub(scoresOf(qs, ks, seen, params, first), rows(logSums)))
    const { scores, values } = rule(weights, { v: vs, rows })
    const scaled = mul(scores, literal(params.scale, q.dtype))
    return {
      q: matmul(scaled, ks),
      k: extended(matmul(transposeMatrices(scaled), qs), k.shape),
      v: extended(values, v.shape),
      scores: extended(scores, [...scores.shape.slice(0, -1), keys]),
    }
  }
}

/**
 * The gradients through the queries of both. They pass through one value, so that all of one block is done, and its
 * weights are gone, before the next one begins.
 */
function inOrder(before: Gradients, block: Gradients): Gradients {
  const axis = before.q.shape.length - 2
  const parts = [concat([before.q, block.q], axis), add(before.k, block.k), add(before.v, block.v)] as const
  const bundle = concat(parts.map((x) => reshape(x, [sizeOf(x.shape)])))
  let start = 0
  const [q, k, v] = mapTuple(parts, ({ shape }) => {
    const flat = sliceAt(bundle, [start], [sizeOf(shape)])
    start += sizeOf(shape)
    return reshape(flat, shape)
  })
  return { q, k, v, scores: concat([before.scores, block.scores], axis) }
}

/** Elements [start, start + count) of one of the last axes. */
function part(x: Node, axis: number, start: number, count: number): Node {
  const at = x.shape.length + axis
  if (start === 0 && count === x.shape[at]) return x
  return sliceAt(
    x,
    x.shape.map((_, i) => (i === at ? start : 0)),
    x.shape.map((extent, i) => (i === at ? count : extent)),
  )
}

/** With zeros for what no query of the block reaches. */
const extended = (x: Node, shape: Shape): Node =>
  x.shape.every((extent, i) => extent === shape[i])
    ? x
    : pad(
        x,
        shape,
        shape.map(() => 0),
        shape.map(() => 1),
      )

/** softmax(scale · q·kᵀ, masked)·v, for operands whose leading axes are the same. */
export function attention(q: Node, k: Node, v: Node, mask: Node | null, params: AttentionParams): Node {
  const batch = q.shape.slice(0, -2)
  const scores = [...batch, extentAt(q.shape, -2), extentAt(k.shape, -2)]
  return record(attentionOp, mask === null ? [q, k, v] : [q, k, v, broadcastTo(mask, scores)], params)
}

export const attentionOps = {
  attention: attentionOp,
  attentionLogSums: attentionLogSumsOp,
  attentionGradient: attentionGradientOp,
}

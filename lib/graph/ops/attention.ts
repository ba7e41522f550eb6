/** Scaled dot-product attention, as a composition of plain operations. */
import { allocate } from '../../dtype.ts'
import type { Node } from '../node.ts'
import { add, equal, greaterEqual, mul, where } from './elementwise.ts'
import { data, literal } from './leaf.ts'
import { matmul } from './matmul.ts'
import { transposeMatrices } from './movement.ts'
import { max } from './reduce.ts'
import { softmax } from './softmax.ts'

export interface AttentionParams {
  readonly scale: number
  /** Query i attends to keys j ≤ i alone. */
  readonly causal: boolean
}

const positions = (count: number, shape: number[]): Node =>
  data(
    allocate('int32', count).map((_, i) => i),
    'int32',
    shape,
  )

/** What query i gives key j, before the softmax: scale · q·kᵀ, with −∞ where it does not attend. */
function scoresOf(q: Node, k: Node, mask: Node | null, { scale, causal }: AttentionParams): Node {
  const excluded = literal(-Infinity, q.dtype)
  let scores = matmul(mul(q, literal(scale, q.dtype)), transposeMatrices(k))
  if (mask !== null) scores = mask.dtype === 'bool' ? where(mask, scores, excluded) : add(scores, mask)
  if (!causal) return scores
  const [queries, keys] = [q.shape.at(-2)!, k.shape.at(-2)!]
  return where(greaterEqual(positions(queries, [queries, 1]), positions(keys, [1, keys])), scores, excluded)
}

/** The softmax of the scores; 0 in a row that attends to nothing, where the softmax is not defined. */
export function attentionWeights(q: Node, k: Node, mask: Node | null, params: AttentionParams): Node {
  const scores = scoresOf(q, k, mask, params)
  if (mask === null || k.shape.at(-2) === 0) return softmax(scores)
  const empty = equal(max(scores, -1, true), -Infinity)
  const zero = literal(0, q.dtype)
  return where(empty, zero, softmax(where(empty, zero, scores)))
}

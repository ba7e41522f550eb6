/** Attention. */

import { checkFinite, checkNumber } from '../base/arguments.ts'
import { isFloat, promote } from '../base/dtype.ts'
import { DTypeError, expected, ShapeError } from '../base/errors.ts'
import { checkOptions, type OptionTypes } from '../base/options.ts'
import { broadcastShapes, extentAt, formatShape, maxRank, type Shape, sameShape } from '../base/shape.ts'
import type { Node } from '../graph/node.ts'
import { type AttentionParams, attention, scoresOf } from '../graph/ops/attention.ts'
import { broadcastTo } from '../graph/ops/broadcast.ts'
import { literal } from '../graph/ops/leaf.ts'
import { cast } from '../graph/ops/promotion.ts'
import { type Tensor, type TensorLike, toNode, wrap } from '../tensor/tensor.ts'
import { equal, where } from './comparison.ts'
import { dropout as dropElements } from './dropout.ts'
import { matmul } from './products.ts'
import { max } from './reduce.ts'
import { softmax } from './softmax.ts'

export interface AttentionOptions {
  /**
   * Broadcasts to [… , queries, keys]. A bool says which keys a query attends to; floats are added to the scores, so that
   * −∞ excludes a key.
   */
  mask?: TensorLike | null
  /** Whether query i attends to keys j ≤ i alone; false unless given. */
  causal?: boolean
  /** What the scores are multiplied by; 1/√features unless given. */
  scale?: number
  /** The rate at which weights are dropped; 0 unless given. */
  dropout?: number
}

const attentionOptions: OptionTypes<AttentionOptions> = {
  mask: 'other or null',
  causal: 'boolean',
  scale: 'number',
  dropout: 'number',
}

const op = 'scaledDotProductAttention'

function operand(name: string, x: TensorLike): Node {
  const node = toNode(op, x)
  if (!isFloat(node.dtype)) throw new DTypeError(expected(op, 'float32 or float64', `${node.dtype} for ${name}`))
  if (node.shape.length < 2) throw new ShapeError(expected(op, `${name} of at least two axes`, formatShape(node.shape)))
  return node
}

function maskOperand(mask: TensorLike, dtype: Node['dtype'], shape: Shape): Node {
  const node = toNode(op, mask, isBoolean(mask) ? 'bool' : dtype)
  if (node.dtype !== 'bool' && !isFloat(node.dtype))
    throw new DTypeError(expected(op, 'a mask of bool or floats', node.dtype))
  if (!sameShape(broadcastShapes(op, node.shape, shape), shape))
    throw new ShapeError(expected(op, `a mask that broadcasts to ${formatShape(shape)}`, formatShape(node.shape)))
  return node.dtype === 'bool' ? node : cast(node, dtype)
}

/** The softmax of the scores; 0 in a row that attends to nothing, where the softmax is not defined. */
function weightsOf(q: Node, k: Node, mask: Node | null, params: AttentionParams): Tensor {
  const scores = wrap(scoresOf(q, k, mask, params))
  if (mask === null || k.shape.at(-2) === 0) return softmax(scores)
  const empty = equal(max(scores, -1, { keepDims: true }), -Infinity)
  const zero = wrap(literal(0, q.dtype))
  return where(empty, zero, softmax(where(empty, zero, scores)))
}

/** Whether nested arrays end in a boolean. */
function isBoolean(values: unknown): boolean {
  let x = values
  for (let depth = 0; depth < maxRank && Array.isArray(x); depth++) x = x[0]
  return typeof x === 'boolean'
}

/**
 * softmax(scale · q·kᵀ + mask) · v: each query's mean of the values, weighted by how well it matches their keys. A query
 * that attends to nothing gets 0, as in PyTorch. Without dropout no matrix of queries × keys is ever held, nor in the
 * gradient, which computes the weights again, for some queries at a time. A. Vaswani et al., "Attention is all you need" (2017), eq. 1.
 *
 * @param q […, queries, features]; leading axes, such as batch and heads, broadcast
 * @param k […, keys, features]
 * @param v […, keys, values]
 * @returns […, queries, values]
 * @throws ShapeError where extents do not match; DTypeError for integers, or a mask of them; RangeError for a scale that is
 * not finite, or a rate of dropout outside [0, 1]
 *
 * @example
 * const heads = x.reshape([batch, length, 4, 32]).transpose([0, 2, 1, 3])
 * const mixed = scaledDotProductAttention(heads, heads, heads, { causal: true })
 * @pytorch F.scaled_dot_product_attention
 * @tensorflow tf.keras.layers.Attention
 */
export function scaledDotProductAttention(
  q: TensorLike,
  k: TensorLike,
  v: TensorLike,
  options?: AttentionOptions,
): Tensor {
  const checked = checkOptions(op, options, attentionOptions)
  const operands = [operand('q', q), operand('k', k), operand('v', v)]
  const dtype = operands.map((x) => x.dtype).reduce(promote)
  const [queries, keys, values] = operands.map((x) => cast(x, dtype)) as [Node, Node, Node]
  const { mask = null, causal = false, scale = 1 / Math.sqrt(extentAt(queries.shape, -1)), dropout = 0 } = checked
  if (queries.shape.at(-1) !== keys.shape.at(-1))
    throw new ShapeError(
      expected(op, 'q and k of one width', `${formatShape(queries.shape)} and ${formatShape(keys.shape)}`),
    )
  if (keys.shape.at(-2) !== values.shape.at(-2))
    throw new ShapeError(
      expected(op, 'as many values as keys', `${formatShape(keys.shape)} and ${formatShape(values.shape)}`),
    )
  checkFinite(op, 'scale', scale)
  checkNumber(op, 'a dropout in [0, 1]', dropout, (p) => p >= 0 && p <= 1)
  const batch = operands.map((x) => x.shape.slice(0, -2)).reduce<Shape>((a, b) => broadcastShapes(op, a, b), [])
  const scores = [...batch, extentAt(queries.shape, -2), extentAt(keys.shape, -2)]
  const given = mask === null ? null : maskOperand(mask, dtype, scores)
  if (dropout !== 0)
    return matmul(dropElements(weightsOf(queries, keys, given, { scale, causal }), dropout), wrap(values))
  const [qs, ks, vs] = [queries, keys, values].map((x) => broadcastTo(x, [...batch, ...x.shape.slice(-2)]))
  return wrap(attention(qs!, ks!, vs!, given, { scale, causal }))
}

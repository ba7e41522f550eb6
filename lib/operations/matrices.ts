/** What operations of linear algebra take: matrices on the last two axes, as floats. */
import { isFloat } from '../base/dtype.ts'
import { expected, ShapeError } from '../base/errors.ts'
import { formatShape, type Shape } from '../base/shape.ts'
import type { Node } from '../graph/node.ts'
import { cast } from '../graph/ops/promotion.ts'
import { type TensorLike, toNode } from '../tensor/tensor.ts'

/** Matrices [… , m, n]. */
export function matrices(op: string, x: TensorLike): Node {
  const node = toNode(op, x)
  if (node.shape.length < 2) throw new ShapeError(expected(op, 'matrices […, m, n]', formatShape(node.shape)))
  return isFloat(node.dtype) ? node : cast(node, 'float32')
}

export function squareMatrices(op: string, x: TensorLike): Node {
  const node = matrices(op, x)
  if (node.shape.at(-1) !== node.shape.at(-2))
    throw new ShapeError(expected(op, 'square matrices […, n, n]', formatShape(node.shape)))
  return node
}

/** Where there is no singular value, the result of a decomposition is all zeros. */
export const isEmpty = (shape: Shape): boolean => shape.at(-1) === 0 || shape.at(-2) === 0

/** Masks of attention: which keys a query sees, as one. */
import { expected, ShapeError } from '../base/errors.ts'
import { formatShape } from '../base/shape.ts'
import { where } from '../operations/comparison.ts'
import { logicalAnd } from '../operations/logic.ts'
import type { Tensor, TensorLike } from '../tensor/tensor.ts'
import { inputOf } from './inputs.ts'

/** bool [… , keys], which are there for all heads and queries, as a mask [… , 1, 1, keys]. */
export function maskOfKeys(op: string, keyMask: TensorLike): Tensor {
  const mask = inputOf(op, keyMask)
  if (mask.dtype !== 'bool' || mask.ndim < 1)
    throw new ShapeError(expected(op, 'a keyMask bool […, keys]', `${mask.dtype}${formatShape(mask.shape)}`))
  return mask.reshape([...mask.shape.slice(0, -1), 1, 1, ...mask.shape.slice(-1)])
}

/** What both leave: of truths where both are, of floats that are added −∞ where the other is false, and their sum. */
export function bothMasks(a: Tensor | null, b: Tensor | null): Tensor | null {
  if (a === null || b === null) return a ?? b
  if (a.dtype === 'bool') return b.dtype === 'bool' ? logicalAnd(a, b) : where(a, b, -Infinity)
  return b.dtype === 'bool' ? where(b, a, -Infinity) : a.add(b)
}

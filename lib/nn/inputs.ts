/** What layers are called with and made with, checked before it is used. */
import { checkValues, describe } from '../base/arguments.ts'
import { expected, ShapeError } from '../base/errors.ts'
import { isPlainObject } from '../base/options.ts'
import type { Shape } from '../base/shape.ts'
import { isThenable, leavesOf } from '../base/tree.ts'
import { tensor, zeros } from '../tensor/creation.ts'
import { Tensor, type TensorLike } from '../tensor/tensor.ts'

/**
 * The input of a layer as a tensor.
 * @throws TypeError for what is neither a tensor nor numbers that become one
 */
export const inputOf = (op: string, x: TensorLike): Tensor => (x instanceof Tensor ? x : tensor(checkValues(op, x)))

/**
 * What a function that a user gave made, if it is one tensor.
 * @throws TypeError where it is none; `what` says which function has to give one
 */
export function tensorFrom(op: string, what: string, value: unknown): Tensor {
  if (value instanceof Tensor) return value
  quiet(value)
  throw new TypeError(expected(op, `${what} that gives a tensor`, describe(value)))
}

/** The same for one that may give several tensors, in a list or by name. */
export function outputFrom(op: string, value: unknown): unknown {
  if (value instanceof Tensor) return value
  quiet(value)
  const leaves = leavesOf(op, 'value', value)
  if (leaves.length > 0 && leaves.every(([, leaf]) => leaf instanceof Tensor)) return value
  const what = 'a function that gives a tensor, or several in a list or by name'
  throw new TypeError(expected(op, what, describe(value)))
}

/** What fails of a promise that is refused says nothing new. */
function quiet(value: unknown): void {
  if (isThenable(value)) value.then(undefined, () => {})
}

/** Options and lists as they are now, whatever their owner makes of them later. */
export function kept<T>(value: T): T {
  if (Array.isArray(value)) return value.map(kept) as T
  if (!isPlainObject(value)) return value
  return Object.fromEntries(Object.entries(value).map(([name, x]) => [name, kept(x)])) as T
}

/**
 * Has an operation say where a layer of it is made what is wrong with its options, by calling it with nothing; what depends
 * on the input it says when there is one.
 */
export function tried(apply: (x: Tensor) => unknown, shape: Shape): void {
  try {
    apply(zeros(shape))
  } catch (error) {
    if (!(error instanceof ShapeError)) throw error
  }
}

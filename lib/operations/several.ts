/** Several tensors, which a function takes in a list or one by one. */
import { checkList } from '../base/arguments.ts'
import { Tensor, type TensorLike } from '../tensor/tensor.ts'

/** What is a tensor, or the elements of one with at least one axis: a number may be an axis. */
export type Operand = Exclude<TensorLike, number | boolean>

const isOperand = (x: unknown): boolean => x instanceof Tensor || Array.isArray(x) || ArrayBuffer.isView(x)

/**
 * The tensors among some arguments, which begin with a list of them or with two at least, and the arguments after them.
 * @throws TypeError where they begin with neither
 */
export function severalOf(op: string, given: readonly unknown[]): { list: readonly TensorLike[]; rest: unknown[] } {
  // The usual form, of which many are recorded.
  if (Array.isArray(given[0]) && !isOperand(given[1])) return { list: [...given[0]], rest: given.slice(1) }
  let count = 0
  while (count < given.length && isOperand(given[count])) count++
  if (count > 1) return { list: given.slice(0, count) as TensorLike[], rest: given.slice(count) }
  return { list: checkList(op, 'a list of tensors', given[0] as readonly TensorLike[]), rest: given.slice(1) }
}

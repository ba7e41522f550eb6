/** Which variables a loss would train that nobody gave to the optimizer. */
import type { Tensor } from '../tensor/tensor.ts'
import type { Variable } from '../tensor/variable.ts'
import { gradients, variablesOf } from '../transforms/gradients.ts'

/** The trainable variables that a loss depends on by a differentiable path and that are not among the known ones. */
export function otherVariables(loss: Tensor, known: readonly Variable[]): Variable[] {
  const among = new Set(known)
  const others = variablesOf(loss).filter((variable) => !among.has(variable))
  if (others.length === 0) return []
  const found = gradients(loss, others, undefined, { allowUnused: true })
  return others.filter((_, i) => found[i] !== null)
}

/** Which variables a loss trains, and which it would train that nobody gave to the optimizer. */
import { GradientError } from '../base/errors.ts'
import type { Tensor } from '../tensor/tensor.ts'
import type { Variable } from '../tensor/variable.ts'
import { gradients, variablesOf } from '../transforms/gradients.ts'
import type { ParameterGradient } from './stage.ts'

/** The trainable variables that a loss depends on by a differentiable path and that are not among the known ones. */
export function otherVariables(loss: Tensor, known: readonly Variable[]): Variable[] {
  const among = new Set(known)
  const others = variablesOf(loss).filter((variable) => !among.has(variable))
  if (others.length === 0) return []
  const found = gradients(loss, others, undefined, { allowUnused: true })
  return others.filter((_, i) => found[i] !== null)
}

/** With variables given, the loss has to depend on each of them; otherwise on any. */
export function gradientsOf(
  loss: Tensor,
  given: readonly Variable[] | undefined,
  allowOthers: boolean,
): ParameterGradient[] {
  const known = [...new Set(given ?? variablesOf(loss))]
  if (given !== undefined && !allowOthers) checkOthers(otherVariables(loss, known))
  const variables = known.filter(({ frozen }) => !frozen)
  const found = gradients(loss, variables, undefined, { allowUnused: true })
  const pairs = variables.flatMap((variable, i): ParameterGradient[] => {
    const gradient = found[i]
    if (gradient) return [[variable, gradient]]
    if (given === undefined) return []
    throw new GradientError(
      `minimize: the loss does not depend on ${variable} by a differentiable path; freeze what is not trained (model.freeze)`,
    )
  })
  if (pairs.length > 0) return pairs
  throw new GradientError('minimize: the loss depends on no trainable variable by a differentiable path')
}

function checkOthers([other]: readonly Variable[]): void {
  if (other === undefined) return
  throw new GradientError(
    `minimize: the loss depends on ${other} too, which is not among the variables to update; freeze it, or say { allowOthers: true }`,
  )
}

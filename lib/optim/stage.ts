/** What an optimizer is made of: stages, each around the next, of which the innermost carries out the rule. */
import type { Tensor } from '../tensor/tensor.ts'
import type { Variable } from '../tensor/variable.ts'
import type { OptimizerState } from './state.ts'

export type ParameterGradient = readonly [parameter: Variable, gradient: Tensor]

/** A variable and the value it takes next. */
export type Update = readonly [variable: Variable, value: Tensor]

export interface Stage {
  /** From gradients to the next values of the parameters and of what it keeps; nothing is changed yet. */
  next(gradients: readonly ParameterGradient[], state: OptimizerState): Update[]
}

/** What an optimizer is made of: stages, each around the next, of which the innermost carries out the rule. */
import { where } from '../operations/index.ts'
import type { Tensor } from '../tensor/tensor.ts'
import type { Variable } from '../tensor/variable.ts'
import type { LearningRate } from './rate.ts'
import type { OptimizerState } from './state.ts'

export type ParameterGradient = readonly [parameter: Variable, gradient: Tensor]

/** A variable and the value it takes next. */
export type Update = readonly [variable: Variable, value: Tensor]

export interface NextStep {
  readonly updates: readonly Update[]
  /** Whether the parameters take a step at all, which the data decide: a bool scalar; null where they always do. */
  readonly applies: Tensor | null
}

export interface Stage {
  /** From gradients to the next values of the parameters and of what it keeps; nothing is changed yet. */
  next(gradients: readonly ParameterGradient[], state: OptimizerState): NextStep
  /** The loss that is differentiated in place of the user's. */
  lossOf?(loss: Tensor, state: OptimizerState): Tensor
  /** The next inner stage that keeps something, where this one does not. */
  readonly keeper?: Stage
}

/** What the optimizers around one rule have in common. */
export interface Engine {
  readonly name: string
  readonly state: OptimizerState
  readonly stage: Stage
  /** What `learningRate` is about. */
  readonly rate: LearningRate
  /** Those of the groups, too. */
  readonly rates: readonly LearningRate[]
  /** The calls of `minimizeAsync` take turns. */
  readonly turn: { last: Promise<unknown> }
}

/** Updates that take place where a bool scalar is true. */
export const updatesWhere = (condition: Tensor, updates: readonly Update[]): Update[] =>
  updates.map(([variable, value]) => [variable, where(condition, value, variable)])

export const both = (a: Tensor, b: Tensor | null): Tensor => (b === null ? a : a.logicalAnd(b))

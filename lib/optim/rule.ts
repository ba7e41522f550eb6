/** What the rule of an optimizer is: the next values of one parameter and its state, written on tensors. */
import type { Tensor } from '../tensor/tensor.ts'

/** What a rule knows of one parameter at one step. */
export interface RuleContext {
  /** The parameter before the step. */
  readonly parameter: Tensor
  /** The gradient of the loss, of the parameter's shape and dtype. */
  readonly gradient: Tensor
  /** The optimizer's learning rate: a scalar of the parameter's dtype, which every run reads anew. */
  readonly learningRate: Tensor
  /**
   * Which step it is, from 1: a scalar of the parameter's dtype, exact up to 2²⁴. All parameters share the count, which
   * the optimizer keeps as its state `step` where its rule reads it; a step that fails does not count.
   */
  readonly step: Tensor
  /**
   * The value that the rule gave at the last step under this name, or at the first step `initial`: a number for a state
   * like the parameter filled with it (0 unless given), or a tensor for a state of any shape and dtype.
   */
  slot(name: string, initial?: number | Tensor): Tensor
}

/** The parameter after the step, and each slot that changes, under its name. */
export type NextValues = { readonly parameter: Tensor } & Readonly<Record<string, Tensor>>

/** How an optimizer goes one step, parameter by parameter. */
export type UpdateRule = (context: RuleContext) => NextValues

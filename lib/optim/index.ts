/** Optimizers, as `g.optim`. */
export type { StateDict } from '../tensor/state-dict.ts'
export { type AdamOptions, adam } from './adam.ts'
export {
  type MinimizeAsyncOptions,
  type MinimizeOptions,
  Optimizer,
  type OptimizerOptions,
  optimizer,
} from './optimizer.ts'
export type { NextValues, RuleContext, UpdateRule } from './rule.ts'
export { type SgdOptions, sgd } from './sgd.ts'

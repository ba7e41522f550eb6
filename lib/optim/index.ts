/** Optimizers, as `g.optim`. */
export type { StateDict } from '../tensor/state-dict.ts'
export { type AdamOptions, adam } from './adam.ts'
export type { MinimizeAsyncOptions, MinimizeOptions, Minimizer } from './minimizer.ts'
export {
  Optimizer,
  type OptimizerOptions,
  optimizer,
} from './optimizer.ts'
export type { HasNamedParameters, TrainedParameters } from './parameters.ts'
export type { NextValues, RuleContext, UpdateRule } from './rule.ts'
export { type SgdOptions, sgd } from './sgd.ts'

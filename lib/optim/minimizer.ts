/** What trains: the interface that `fit` asks of an optimizer. */
import type { CallOptions } from '../base/abort.ts'
import type { StateDict } from '../tensor/state-dict.ts'
import type { Tensor } from '../tensor/tensor.ts'
import type { TrainedParameters } from './parameters.ts'

export interface MinimizeOptions {
  /** Whether the loss may depend on trainable variables beside the given ones, which stay as they are; false unless given. */
  allowOthers?: boolean
}

export interface MinimizeAsyncOptions extends MinimizeOptions, CallOptions {}

/**
 * Whatever makes a loss small, a step at a time: every optimizer of `optim`, and an object of your own with such a method. What
 * it keeps from step to step is in variables, as `fit` records the step once and runs it many times.
 */
export interface Minimizer {
  /** Records a step: computes the loss, updates the variables, and gives the loss before that. */
  minimize(loss: () => Tensor, variables?: TrainedParameters, options?: MinimizeOptions): Tensor
  /** What may be changed between steps, and holds from the next one on. */
  learningRate?: number
  /** All that the next steps depend on, by names that follow from those of the parameters. */
  stateDict?(parameters?: TrainedParameters): StateDict
  loadStateDict?(state: Readonly<Record<string, Tensor>>, parameters?: TrainedParameters): void
}

/** Training as an iterator of what happens in it. */
import type { OptionTypes } from '../base/options.ts'
import type { Batch } from '../data/dataset.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { callHooks, closeCallbacks, type TrainCloseInfo } from './callbacks/callback.ts'
import { contextOf } from './context.ts'
import type { TrainEvent } from './events.ts'
import type { History } from './history.ts'
import { loop, newRun, type Run } from './loop.ts'
import {
  type AnyData,
  type AnyOptions,
  type FitOptions,
  fitOptions,
  settingsOf,
  type Trainable,
  type TrainingData,
} from './options.ts'

export interface TrainOptions<Prediction = Tensor, Target extends Batch = Tensor, Input extends Batch = Tensor>
  extends FitOptions<Prediction, Target, Input> {
  /** Whether each step is an event, `stepEnd`, and not only those of `batchEnd`; false unless given. */
  everyStep?: boolean
}

/** Made when it is first asked for, as another file of the package has a part of it. */
const trainOptions = (): OptionTypes<TrainOptions> => ({ ...fitOptions, everyStep: 'boolean' })

/**
 * The same training as by `fit`, as an iterator of what happens: an event is `{ type: 'epochEnd', epoch, loss, … }`, with the names of
 * the hooks of callbacks (`trainBegin, epochBegin, stepEnd, batchEnd, validationEnd, epochEnd, trainEnd`), and comes after they were called. Steps go on
 * by themselves while the next event is not asked for yet, two crossings ahead. It may be left by `break` (or `return`, or an error): nothing is
 * under way then, and the parameters are those of the last step that was submitted.
 *
 * @throws what `fit` rejects with: for options that do not fit at the call, else while it is iterated
 *
 * @example
 * for await (const event of train(model, dataset, { epochs: 100, loss: 'mse', optimizer: optim.adam() }))
 *   if (event.type === 'epochEnd' && event.loss < 0.01) break
 */
export function train<X extends Batch = Tensor, Y extends Batch = Tensor, Prediction = Tensor>(
  model: Trainable<NoInfer<X>, Prediction>,
  dataset: TrainingData<X, Y>,
  options: TrainOptions<Prediction, Y, X>,
): AsyncGenerator<TrainEvent, History, void> {
  const settings = settingsOf('train', model, dataset as AnyData, options as AnyOptions, trainOptions())
  return follow(newRun(settings))
}

/** What happens, once the hooks were called for it. */
export async function* follow(run: Run): AsyncGenerator<TrainEvent, History, void> {
  const { callbacks, signal } = run.settings
  const context = contextOf(run)
  const info: TrainCloseInfo = {}
  try {
    for await (const event of loop(run)) {
      await callHooks(callbacks, event, context, signal)
      yield event
    }
    return run.history
  } catch (error) {
    info.error = error
    throw error
  } finally {
    await closeCallbacks(callbacks, info, context)
  }
}

/** Training to its end. */
import type { Batch } from '../data/dataset.ts'
import type { Tensor } from '../tensor/tensor.ts'
import type { History } from './history.ts'
import { newRun } from './loop.ts'
import {
  type AnyData,
  type AnyOptions,
  type FitOptions,
  settingsOf,
  type Trainable,
  type TrainingData,
} from './options.ts'
import { follow } from './train.ts'

/**
 * Trains a model on a data set: a compiled step per batch, which gathers the rows, maps them, and updates the
 * parameters. It runs off the event loop, some milliseconds of steps at a time; the promise settles when no step is
 * under way any more. Its random numbers follow from its seed alone. It trains in training mode and validates in
 * evaluation mode, whatever the mode of the model, and leaves that as it is; what was frozen (`model.freeze`) is in evaluation mode
 * throughout, and learns nothing.
 *
 * Inputs, targets and predictions are tensors, or several in a list or by name, as the data set has them and the model gives them;
 * the loss is a function of both then.
 *
 * `train` is the same as an iterator of what happens.
 *
 * @returns for each epoch the mean loss and metrics, the seconds it took, and the same means of the validation set
 * @throws (rejects with) a TypeError, RangeError or ShapeError for options, a model, data or labels that do not fit; a GradientError
 * where the loss depends on a trainable variable that `parameters()` of the model lacks; an Error where the loss is no longer finite; the signal's reason; and what a callback throws
 *
 * @example
 * const history = await fit(model, data.fromTensors(images, labels), {
 *   epochs: 5,
 *   batchSize: 128,
 *   loss: losses.crossEntropy,
 *   optimizer: optim.adam(),
 *   metrics: ['accuracy'],
 * })
 */
export async function fit<X extends Batch = Tensor, Y extends Batch = Tensor, Prediction = Tensor>(
  model: Trainable<NoInfer<X>, Prediction>,
  dataset: TrainingData<X, Y>,
  options: FitOptions<Prediction, Y, X>,
): Promise<History> {
  const settings = settingsOf('fit', model, dataset as AnyData, options as AnyOptions)
  const events = follow(newRun(settings))
  for (;;) {
    const { done, value } = await events.next()
    if (done) return value
  }
}

/** A training as TensorBoard shows it: the callbacks that record one, around a sink of event files. */
import { basename, resolve } from 'node:path'
import { checkOptions, type OptionTypes } from '../base/options.ts'
import { type ObserveOptions, observe, observeOptions } from '../events/observe.ts'
import { checkPath } from '../files/file-error.ts'
import type { Callbacks } from '../train/callbacks/callback.ts'
import { tensorBoardSink } from './sink.ts'
import { type SummaryWriterOptions, summaryWriterOptions } from './writer-options.ts'

/** What is recorded of a training, and how it is written. */
export interface TensorBoardOptions extends ObserveOptions, SummaryWriterOptions {}

/** When it is called first, as those of recordings are a file that an import does not load. */
const tensorBoardOptions = (): OptionTypes<TensorBoardOptions> => ({ ...observeOptions, ...summaryWriterOptions })

/**
 * Callbacks for `fit` and `train` that write event files of TensorBoard into the folder of a run: loss and metrics of the training under `loss/train`,
 * those of the validation set under `loss/validation`, learning rate, norm of the gradients, speed, memory and delays, and what the options ask for
 * beside it. `tensorboard --logdir` shows all runs below a folder.
 *
 * @param folder of the run, whose name is that of the run unless another is given
 * @throws TypeError, RangeError for a folder or options; the training rejects with what the file system says
 *
 * @example
 * await g.fit(model, train, { epochs: 5, loss: 'crossEntropy', optimizer, callbacks: tensorBoard('runs/first') })
 */
export function tensorBoard(folder: string, options?: TensorBoardOptions, ...surplus: []): Callbacks {
  const checked = checkOptions('tensorBoard', options, tensorBoardOptions(), surplus)
  const { flushSeconds, maxBytes, ...observed } = checked as TensorBoardOptions
  const path = checkPath('tensorBoard', folder)
  const written = { ...(flushSeconds !== undefined && { flushSeconds }), ...(maxBytes !== undefined && { maxBytes }) }
  return observe(tensorBoardSink(path, written), { name: basename(resolve(path)), ...observed })
}

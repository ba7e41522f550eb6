/** The model as a file, after each epoch or after the best. */
import { checkText } from '../../base/arguments.ts'
import { checkOptions, type OptionTypes } from '../../base/options.ts'
import { checkPath } from '../../files/file-error.ts'
import { save } from '../../files/safetensors.ts'
import type { EpochInfo, TrainInfo } from '../events.ts'
import { modelState } from '../model-state.ts'
import { Monitor, type MonitorOptions, monitorOptions } from '../monitor.ts'
import type { Callbacks, TrainingContext } from './callback.ts'

export interface ModelCheckpointOptions extends MonitorOptions {
  /** Whether only the model of the best epoch is kept; true unless given. */
  bestOnly?: boolean
}

const modelCheckpointOptions: OptionTypes<ModelCheckpointOptions> = { ...monitorOptions, bestOnly: 'boolean' }

class ModelCheckpoint implements Callbacks {
  readonly name = 'modelCheckpoint'
  readonly #path: string
  readonly #monitor: Monitor
  readonly #bestOnly: boolean
  #best: number | undefined

  constructor(path: string, options: ModelCheckpointOptions) {
    this.#path = path
    this.#monitor = new Monitor(this.name, options)
    this.#bestOnly = options.bestOnly ?? true
  }

  onTrainBegin(_: TrainInfo): void {
    this.#best = undefined
  }

  async onEpochEnd(info: EpochInfo, context: TrainingContext): Promise<void> {
    if (this.#bestOnly) {
      const value = this.#monitor.valueIn(info, context)
      if (value === undefined || !this.#monitor.isBetter(value, this.#best)) return
      this.#best = value
    }
    const path = this.#path.replaceAll('{epoch}', String(info.epoch + 1))
    await save(path, modelState(context.model), { metadata: { epoch: String(info.epoch + 1) } })
  }

  stateDict(): Record<string, unknown> {
    return { best: this.#best }
  }

  loadStateDict({ best }: Readonly<Record<string, unknown>>): void {
    this.#best = best as number | undefined
  }
}

/**
 * Saves the model as a safetensors file after each epoch that is better than those before (Keras's ModelCheckpoint), for whoever loads it by
 * `load` and `loadStateDict`. What a training goes on from is the option `checkpoint` of `fit`.
 *
 * @param path of the file; `{epoch}` in it is the number of the epoch, from 1
 * @throws TypeError, RangeError for a path or options; training rejects with what the file system says
 *
 * @example
 * callbacks: [g.callbacks.modelCheckpoint('best.safetensors', { monitor: 'validation.accuracy' })]
 */
export function modelCheckpoint(path: string, options?: ModelCheckpointOptions, ...surplus: []): Callbacks {
  const checked = checkOptions('modelCheckpoint', options, modelCheckpointOptions, surplus)
  return new ModelCheckpoint(checkPath('modelCheckpoint', checkText('modelCheckpoint', 'a path', path)), checked)
}

/** Training ends where it gets no better. */
import { checkInteger, checkNumber } from '../../base/arguments.ts'
import { checkOptions, type OptionTypes } from '../../base/options.ts'
import type { StateDict } from '../../tensor/state-dict.ts'
import type { EpochInfo, TrainEndInfo, TrainInfo } from '../events.ts'
import { loadModel, modelState } from '../model-state.ts'
import { Monitor, type MonitorOptions, monitorOptions } from '../monitor.ts'
import type { Callbacks, TrainingContext } from './callback.ts'

export interface EarlyStoppingOptions extends MonitorOptions {
  /** After how many scored epochs without a better one it ends; 1 unless given. */
  patience?: number
  /** By how much a score has to be better to count; 0 unless given. */
  minDelta?: number
  /** Whether the model has the values of its best epoch at the end; false unless given. */
  restoreBest?: boolean
}

const earlyStoppingOptions: OptionTypes<EarlyStoppingOptions> = {
  ...monitorOptions,
  patience: 'number',
  minDelta: 'number',
  restoreBest: 'boolean',
}

class EarlyStopping implements Callbacks {
  readonly name = 'earlyStopping'
  readonly #monitor: Monitor
  readonly #options: Required<Omit<EarlyStoppingOptions, keyof MonitorOptions>>
  #best: number | undefined
  #wait = 0
  #values: StateDict | undefined

  constructor(options: EarlyStoppingOptions) {
    const { patience = 1, minDelta = 0, restoreBest = false } = options
    this.#monitor = new Monitor(this.name, options)
    checkInteger(this.name, 'an integer patience of at least 1', patience, 1)
    checkNumber(this.name, 'a finite minDelta of at least 0', minDelta, (x) => x >= 0 && Number.isFinite(x))
    this.#options = { patience, minDelta, restoreBest }
  }

  onTrainBegin(_: TrainInfo): void {
    this.#best = undefined
    this.#wait = 0
    this.#values = undefined
  }

  onEpochEnd(info: EpochInfo, context: TrainingContext): void {
    const { patience, minDelta, restoreBest } = this.#options
    const value = this.#monitor.valueIn(info, context)
    if (value === undefined) return
    if (this.#monitor.isBetter(value, this.#best, minDelta)) {
      this.#best = value
      this.#wait = 0
      if (restoreBest) this.#values = modelState(context.model)
    } else if (++this.#wait >= patience) context.stop()
  }

  onTrainEnd(_: TrainEndInfo, { model }: TrainingContext): void {
    if (this.#values !== undefined) loadModel(model, this.#values)
  }

  stateDict(): Record<string, unknown> {
    return { best: this.#best, wait: this.#wait, values: this.#values }
  }

  loadStateDict({ best, wait, values }: Readonly<Record<string, unknown>>): void {
    this.#best = best as number | undefined
    this.#wait = wait as number
    this.#values = values as StateDict | undefined
  }
}

/**
 * Ends training after some epochs without a better score (Keras's EarlyStopping), and may give the model the values it had when it
 * was best. `fit` resolves to the history as usual.
 *
 * @throws TypeError, RangeError for options; at the end of an epoch a RangeError where there is no such score
 *
 * @example
 * callbacks: [g.callbacks.earlyStopping({ monitor: 'validation.loss', patience: 3, restoreBest: true })]
 */
export const earlyStopping = (options?: EarlyStoppingOptions): Callbacks =>
  new EarlyStopping(checkOptions('earlyStopping', options, earlyStoppingOptions))

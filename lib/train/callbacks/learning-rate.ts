/** Learning rates that follow the epochs, or what came of them. */
import { checkFunction, checkInteger, checkNumber } from '../../base/arguments.ts'
import { expected } from '../../base/errors.ts'
import { checkOptions, type OptionTypes } from '../../base/options.ts'
import type { EpochBeginInfo, EpochInfo, TrainInfo } from '../events.ts'
import { Monitor, type MonitorOptions, monitorOptions } from '../monitor.ts'
import type { Callbacks, TrainingContext } from './callback.ts'

/** @throws TypeError where the optimizer has no learning rate that is a number */
function rateOf(op: string, { optimizer }: TrainingContext): { learningRate: number } {
  const { learningRate } = optimizer as Partial<{ learningRate: unknown }>
  if (typeof learningRate !== 'number')
    throw new TypeError(expected(op, 'an optimizer whose learningRate is a number', learningRate))
  return optimizer as unknown as { learningRate: number }
}

class LearningRateSchedule implements Callbacks {
  readonly name = 'learningRateSchedule'
  readonly #schedule: (epoch: number, learningRate: number) => number
  /** The last one that the rate was set for. */
  #epoch: number | undefined

  constructor(schedule: (epoch: number, learningRate: number) => number) {
    this.#schedule = schedule
  }

  onTrainBegin(_: TrainInfo): void {
    this.#epoch = undefined
  }

  onEpochBegin({ epoch }: EpochBeginInfo, context: TrainingContext): void {
    // Where an epoch is gone on with, the optimizer's state has its rate already.
    if (epoch === this.#epoch) return
    const optimizer = rateOf(this.name, context)
    optimizer.learningRate = this.#schedule(epoch, optimizer.learningRate)
    this.#epoch = epoch
  }

  stateDict(): Record<string, unknown> {
    return { epoch: this.#epoch }
  }

  loadStateDict({ epoch }: Readonly<Record<string, unknown>>): void {
    this.#epoch = epoch as number | undefined
  }
}

/**
 * Sets the learning rate before each epoch (Keras's LearningRateScheduler). What changes from step to step is the `learningRate` of an
 * optimizer as one of `schedules`.
 *
 * @param schedule from the epoch, from 0, and the learning rate so far to the one of that epoch
 *
 * @example
 * callbacks: [g.callbacks.learningRateSchedule((epoch, rate) => (epoch < 10 ? rate : rate * 0.9))]
 */
export function learningRateSchedule(schedule: (epoch: number, learningRate: number) => number): Callbacks {
  checkFunction('learningRateSchedule', 'a function of the epoch and the learning rate', schedule)
  return new LearningRateSchedule(schedule)
}

export interface ReduceLROnPlateauOptions extends MonitorOptions {
  /** What the learning rate is multiplied by, above 0 and below 1; 0.1 unless given. */
  factor?: number
  /** After how many scored epochs without a better one; 10 unless given. */
  patience?: number
  /** By how much a score has to be better to count; 1e-4 unless given. */
  minDelta?: number
  /** How many scored epochs it waits after a reduction before it counts again; 0 unless given. */
  cooldown?: number
  /** Which it does not go below; 0 unless given. */
  minLearningRate?: number
}

const reduceOptions: OptionTypes<ReduceLROnPlateauOptions> = {
  ...monitorOptions,
  factor: 'number',
  patience: 'number',
  minDelta: 'number',
  cooldown: 'number',
  minLearningRate: 'number',
}

class ReduceLROnPlateau implements Callbacks {
  readonly name = 'reduceLROnPlateau'
  readonly #monitor: Monitor
  readonly #options: Required<Omit<ReduceLROnPlateauOptions, keyof MonitorOptions>>
  #best: number | undefined
  #wait = 0
  #cooling = 0

  constructor(options: ReduceLROnPlateauOptions) {
    const { factor = 0.1, patience = 10, minDelta = 1e-4, cooldown = 0, minLearningRate = 0 } = options
    const isLeast0 = (x: number) => x >= 0 && Number.isFinite(x)
    this.#monitor = new Monitor(this.name, options)
    checkNumber(this.name, 'a factor above 0 and below 1', factor, (x) => x > 0 && x < 1)
    checkInteger(this.name, 'an integer patience of at least 1', patience, 1)
    checkNumber(this.name, 'a finite minDelta of at least 0', minDelta, isLeast0)
    checkInteger(this.name, 'an integer cooldown of at least 0', cooldown, 0)
    checkNumber(this.name, 'a finite minLearningRate of at least 0', minLearningRate, isLeast0)
    this.#options = { factor, patience, minDelta, cooldown, minLearningRate }
  }

  onTrainBegin(_: TrainInfo): void {
    this.loadStateDict({ best: undefined, wait: 0, cooling: 0 })
  }

  onEpochEnd(info: EpochInfo, context: TrainingContext): void {
    const { factor, patience, minDelta, cooldown, minLearningRate } = this.#options
    const value = this.#monitor.valueIn(info, context)
    if (value === undefined) return
    const isCooling = this.#cooling > 0
    if (isCooling) this.#cooling--
    if (this.#monitor.isBetter(value, this.#best, minDelta)) {
      this.#best = value
      this.#wait = 0
    } else if (!isCooling && ++this.#wait >= patience) {
      const optimizer = rateOf(this.name, context)
      optimizer.learningRate = Math.min(
        optimizer.learningRate,
        Math.max(minLearningRate, optimizer.learningRate * factor),
      )
      this.#wait = 0
      this.#cooling = cooldown
    }
  }

  stateDict(): Record<string, unknown> {
    return { best: this.#best, wait: this.#wait, cooling: this.#cooling }
  }

  loadStateDict({ best, wait, cooling }: Readonly<Record<string, unknown>>): void {
    this.#best = best as number | undefined
    this.#wait = wait as number
    this.#cooling = cooling as number
  }
}

/**
 * Lowers the learning rate after some epochs without a better score (PyTorch's and Keras's ReduceLROnPlateau, whose `threshold` is `minDelta`, an
 * absolute one).
 *
 * @throws TypeError, RangeError for options; at the end of an epoch a RangeError where there is no such score
 */
export const reduceLROnPlateau = (options?: ReduceLROnPlateauOptions): Callbacks =>
  new ReduceLROnPlateau(checkOptions('reduceLROnPlateau', options, reduceOptions))

/** The schedule that lowers its rate where a value that is reported to it no longer gets better. */
import { checkChoice, checkNumber } from '../../base/arguments.ts'
import type { DType } from '../../base/dtype.ts'
import { expected, ShapeError } from '../../base/errors.ts'
import { type OptionTypes, requireOptions } from '../../base/options.ts'
import { broadcastTo } from '../../operations/index.ts'
import { tensor } from '../../tensor/creation.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { type Variable, variable } from '../../tensor/variable.ts'
import { checkRates, checkSteps } from './numbers.ts'
import { type KeptBySchedule, Schedule } from './schedule.ts'

export interface ReduceOnPlateauOptions {
  start: number
  /** Whether a lower or a higher value is better; `'min'` unless given. */
  mode?: 'min' | 'max'
  /** What the rate is multiplied by; 0.1 unless given. */
  factor?: number
  /** So many reports without a better value are borne; 10 unless given. */
  patience?: number
  /** How much better is better; 1e-4 unless given. */
  threshold?: number
  /** Whether the threshold is a part of the best value (`'rel'`) or a difference (`'abs'`); `'rel'` unless given. */
  thresholdMode?: 'rel' | 'abs'
  /** So many reports after a lower rate do not count; 0 unless given. */
  cooldown?: number
  /** The lowest rate; 0 unless given. */
  minRate?: number
  /** A change of no more than this is not made; 1e-8 unless given. */
  epsilon?: number
}

const plateauOptions: OptionTypes<ReduceOnPlateauOptions> = {
  start: 'number',
  mode: ['min', 'max'],
  factor: 'number',
  patience: 'number',
  threshold: 'number',
  thresholdMode: ['rel', 'abs'],
  cooldown: 'number',
  minRate: 'number',
  epsilon: 'number',
}

class PlateauState implements KeptBySchedule {
  readonly #options: Required<ReduceOnPlateauOptions>
  readonly #byDType = new Map<DType, Variable>()
  #rate: number
  #best: number
  #bad = 0
  #cooldown = 0

  constructor(options: Required<ReduceOnPlateauOptions>) {
    this.#options = options
    this.#rate = options.start
    this.#best = options.mode === 'min' ? Infinity : -Infinity
  }

  get rate(): number {
    return this.#rate
  }

  at(step: Tensor): Tensor {
    const { dtype } = step
    const known = this.#byDType.get(dtype) ?? variable(this.#rate, { dtype, trainable: false })
    this.#byDType.set(dtype, known)
    return broadcastTo(known, step.shape)
  }

  report(value: number): void {
    const { patience, cooldown, factor, minRate, epsilon } = this.#options
    const isBetter = this.#isBetter(value)
    if (isBetter) this.#best = value
    this.#bad = isBetter ? 0 : this.#bad + 1
    if (this.#cooldown > 0) {
      this.#cooldown--
      this.#bad = 0
    }
    if (this.#bad <= patience) return
    this.#cooldown = cooldown
    this.#bad = 0
    const lower = Math.max(this.#rate * factor, minRate)
    if (this.#rate - lower > epsilon) this.#set(lower)
  }

  #isBetter(value: number): boolean {
    const { mode, threshold, thresholdMode } = this.#options
    const sign = mode === 'min' ? -1 : 1
    // A part of an infinite best value is as infinite.
    const needed = thresholdMode === 'rel' ? this.#best * (1 + sign * threshold) : this.#best + sign * threshold
    return mode === 'min' ? value < needed : value > needed
  }

  #set(rate: number): void {
    this.#rate = rate
    for (const variable of this.#byDType.values()) variable.assign(rate)
  }

  save(): Tensor {
    return tensor([this.#rate, this.#best, this.#bad, this.#cooldown], { dtype: 'float64' })
  }

  load(saved: Tensor): void {
    if (saved.shape.length !== 1 || saved.size !== 4)
      throw new ShapeError(expected('loadStateDict', 'a state of reduceOnPlateau of shape [4]', saved))
    const [rate, best, bad, cooldown] = Array.from(saved.dataSync()) as [number, number, number, number]
    checkRates('loadStateDict', { 'rate of reduceOnPlateau': rate })
    this.#set(rate)
    ;[this.#best, this.#bad, this.#cooldown] = [best, bad, cooldown]
  }
}

/** What `reduceOnPlateau` gives: a schedule that is told how training goes. */
export class PlateauSchedule extends Schedule {
  readonly #state: PlateauState

  /** @internal */
  constructor(state: PlateauState) {
    if (!(state instanceof PlateauState))
      throw new TypeError(
        expected('PlateauSchedule', 'schedules.reduceOnPlateau(options)', 'a call of its constructor'),
      )
    super('reduceOnPlateau', (step) => state.at(step), [state])
    this.#state = state
  }

  /** The rate that the next step takes. */
  get rate(): number {
    return this.#state.rate
  }

  /**
   * Says how good the model is by now, mostly once each epoch. A lower rate holds from the next step on.
   * @throws TypeError for what is no number; NaN is not better than anything
   */
  report(value: number, ...surplus: []): void {
    if (surplus.length > 0) throw new TypeError(expected('report', 'one argument', surplus.length + 1))
    checkNumber('report', 'a number', value, () => true)
    this.#state.report(value)
  }
}

/**
 * A rate that is multiplied by `factor` where the value that is reported has not become better for more than `patience` reports. What
 * it has seen is part of the state of the optimizers that use it. PyTorch's and Keras's ReduceLROnPlateau.
 *
 * @example
 * const rate = reduceOnPlateau({ start: 0.01, patience: 3 })
 * const optimizer = adam({ learningRate: rate })
 * const callbacks = { onEpochEnd: ({ validation }) => rate.report(validation.loss) }
 */
export function reduceOnPlateau(options: ReduceOnPlateauOptions, ...surplus: []): PlateauSchedule {
  const op = 'reduceOnPlateau'
  const given = requireOptions(op, options, plateauOptions, ['start'], surplus)
  const { start, mode = 'min', factor = 0.1, patience = 10, threshold = 1e-4, thresholdMode = 'rel' } = given
  const { cooldown = 0, minRate = 0, epsilon = 1e-8 } = given
  checkRates(op, { start, minRate })
  checkChoice(op, 'mode', mode, ['min', 'max'])
  checkChoice(op, 'thresholdMode', thresholdMode, ['rel', 'abs'])
  checkNumber(op, 'a factor in (0, 1)', factor, (x) => x > 0 && x < 1)
  checkSteps(op, 'patience', patience, 0)
  checkSteps(op, 'cooldown', cooldown, 0)
  checkRates(op, { threshold, epsilon })
  return new PlateauSchedule(
    new PlateauState({ start, mode, factor, patience, threshold, thresholdMode, cooldown, minRate, epsilon }),
  )
}

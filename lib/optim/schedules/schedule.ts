/** What a schedule is: a learning rate that the program computes from the count of steps. */
import { checkFunction, checkInteger, checkValues, describe, refuseSurplus } from '../../base/arguments.ts'
import { notCloned } from '../../base/cloning.ts'
import { isFloat } from '../../base/dtype.ts'
import { DTypeError, expected, ShapeError } from '../../base/errors.ts'
import { brand } from '../../base/identity.ts'
import { showAsText } from '../../base/inspection.ts'
import { broadcastTo } from '../../operations/index.ts'
import { arange, tensor } from '../../tensor/creation.ts'
import { Tensor, type TensorLike } from '../../tensor/tensor.ts'

/** From steps, counted from 0, to their rates: elementwise, on tensors of float32 or float64 of any shape. */
export type RateFunction = (step: Tensor) => Tensor

/** What a schedule keeps beside the count of steps, which is the optimizer's. */
export interface KeptBySchedule {
  save(): Tensor
  /** @throws ShapeError, RangeError for values that are no such state */
  load(saved: Tensor): void
}

/**
 * A learning rate that changes from step to step. It goes where a number may: `optim.adam({ learningRate: schedule })`. The program
 * computes it from the count of steps, so that nothing is compiled again, and a state that is taken over goes on where it was.
 */
export class Schedule {
  protected readonly notCloned = notCloned('a schedule: make it where it is needed')
  readonly #name: string
  readonly #rate: RateFunction
  readonly #kept: readonly KeptBySchedule[]

  /** @internal */
  constructor(name: string, rate: RateFunction, kept: readonly KeptBySchedule[] = []) {
    checkFunction('Schedule', 'a function of the schedules', rate)
    this.#name = name
    this.#rate = rate
    this.#kept = kept
  }

  toString(): string {
    return `Schedule ${this.#name}`
  }

  /**
   * The rates at some steps, counted from 0, which may be of any shape.
   * @throws ShapeError, DTypeError where a function of your own gives others than the steps'
   */
  at(step: TensorLike, ...surplus: []): Tensor {
    refuseSurplus('at', 1, surplus)
    const given = step instanceof Tensor ? step : tensor(checkValues('at', step))
    const steps = isFloat(given.dtype) ? given : given.cast('float32')
    const rate: unknown = this.#rate(steps)
    if (!(rate instanceof Tensor)) throw new TypeError(expected(this.#name, 'a tensor of rates', describe(rate)))
    if (rate.dtype !== steps.dtype) throw new DTypeError(expected(this.#name, `rates of ${steps.dtype}`, rate))
    if (rate.size !== 1 && rate.size !== steps.size)
      throw new ShapeError(expected(this.#name, 'a rate for each step', rate))
    return rate.size === 1 ? broadcastTo(rate.reshape([]), steps.shape) : rate.reshape(steps.shape)
  }

  /**
   * The rates of the first steps, in float32 as a program computes them: to plot them, or to look at them.
   * @throws RangeError for a count that is no integer of at least 0
   */
  values(count: number, ...surplus: []): number[] {
    refuseSurplus('values', 1, surplus)
    checkInteger('values', 'an integer of at least 0', count, 0, 2 ** 24)
    return Array.from(this.at(arange(count)).dataSync())
  }

  /** @internal */
  get kept(): readonly KeptBySchedule[] {
    return this.#kept
  }
}

brand(Schedule.prototype, 'schedule')
showAsText(Schedule.prototype)

/** @throws TypeError for anything but a schedule */
export function checkSchedule(op: string, value: unknown): Schedule {
  if (!(value instanceof Schedule)) throw new TypeError(expected(op, 'a schedule', describe(value)))
  return value
}

/** The learning rate: a number or a schedule, which compiled functions read anew, in the precision of each parameter. */
import { checkNumber } from '../base/arguments.ts'
import type { DType } from '../base/dtype.ts'
import { expected, ShapeError } from '../base/errors.ts'
import { tensor } from '../tensor/creation.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { type Variable, variable } from '../tensor/variable.ts'
import { type KeptBySchedule, Schedule } from './schedules/schedule.ts'

/** A number, finite and at least 0, or a schedule. */
export type RateLike = number | Schedule

function checkRate(name: string, value: unknown): RateLike {
  if (value instanceof Schedule) return value
  const isRate = (x: number) => Number.isFinite(x) && x >= 0
  return checkNumber(name, 'a finite learningRate of at least 0', value, isRate)
}

export class LearningRate {
  readonly #name: string
  #value: RateLike
  readonly #byDType = new Map<DType, Variable>()

  /** @param name of the optimizer, for messages */
  constructor(name: string, value: RateLike) {
    this.#name = name
    this.#value = checkRate(name, value)
  }

  /** @param steps says how many steps there were, where there is a schedule */
  get(steps: () => number): number {
    const rate = this.#value
    return rate instanceof Schedule ? rate.at(steps()).itemSync() : rate
  }

  set(value: number): void {
    if (this.#value instanceof Schedule)
      throw new TypeError(expected(this.#name, 'an optimizer without a schedule where learningRate is set', 'one'))
    const rate = checkRate(this.#name, value)
    if (rate instanceof Schedule)
      throw new TypeError(expected(this.#name, 'a schedule at the making of an optimizer', 'one afterwards'))
    this.#value = rate
    for (const known of this.#byDType.values()) known.assign(rate)
  }

  /**
   * As a scalar for the parameters of a dtype.
   * @param step gives how many steps there were before this one, as a scalar of the dtype
   */
  at(dtype: DType, step: () => Tensor): Tensor {
    const rate = this.#value
    if (rate instanceof Schedule) return rate.at(step())
    const known = this.#byDType.get(dtype) ?? variable(rate, { dtype, trainable: false })
    this.#byDType.set(dtype, known)
    return known
  }

  /** Whether it follows from the count of steps. */
  get isSchedule(): boolean {
    return this.#value instanceof Schedule
  }

  /** What it depends on beside the count of steps. */
  get kept(): readonly KeptBySchedule[] {
    return this.#value instanceof Schedule ? this.#value.kept : []
  }

  /** The number that it is; undefined where it follows from a schedule. */
  save(): Tensor | undefined {
    return typeof this.#value === 'number' ? tensor(this.#value, { dtype: 'float64' }) : undefined
  }

  /** A rate that was rounded to float32 on its way is the one it was. */
  load(saved: Tensor): void {
    if (saved.size !== 1) throw new ShapeError(expected('loadStateDict', 'a scalar learningRate', saved))
    const value = checkRate('loadStateDict', saved.itemSync()) as number
    if (saved.dtype !== 'float32' || value !== Math.fround(this.#value as number)) this.set(value)
  }
}

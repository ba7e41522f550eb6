/** The learning rate: a number that compiled functions read anew, in the precision of each parameter. */
import { checkNumber } from '../base/arguments.ts'
import type { DType } from '../base/dtype.ts'
import { expected, ShapeError } from '../base/errors.ts'
import { tensor } from '../tensor/creation.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { type Variable, variable } from '../tensor/variable.ts'

const checkRate = (name: string, value: number): number =>
  checkNumber(name, 'a finite learningRate of at least 0', value, (x) => Number.isFinite(x) && x >= 0)

export class LearningRate {
  readonly #name: string
  #value: number
  readonly #byDType = new Map<DType, Variable>()

  /** @param name of the optimizer, for messages */
  constructor(name: string, value: number) {
    this.#name = name
    this.#value = checkRate(name, value)
  }

  get value(): number {
    return this.#value
  }

  set value(value: number) {
    this.#value = checkRate(this.#name, value)
    for (const rate of this.#byDType.values()) rate.assign(value)
  }

  /** As a scalar for the parameters of a dtype. */
  of(dtype: DType): Tensor {
    const known = this.#byDType.get(dtype) ?? variable(this.#value, { dtype, trainable: false })
    this.#byDType.set(dtype, known)
    return known
  }

  save(): Tensor {
    return tensor(this.#value, { dtype: 'float64' })
  }

  /** A rate that was rounded to float32 on its way is the one it was. */
  load(saved: Tensor): void {
    if (saved.size !== 1) throw new ShapeError(expected('loadStateDict', 'a scalar learningRate', saved))
    const value = saved.itemSync() as number
    if (saved.dtype !== 'float32' || value !== Math.fround(this.#value)) this.value = value
  }
}

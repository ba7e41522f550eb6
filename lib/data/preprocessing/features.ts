/** What preparations of numeric features have in common. */
import { checkInteger, describe } from '../../base/arguments.ts'
import { expected, ShapeError } from '../../base/errors.ts'
import type { OptionTypes } from '../../base/options.ts'
import { formatShape, normalizeAxis, type Shape, sizeOf } from '../../base/shape.ts'
import { inputOf } from '../../nn/inputs.ts'
import { Module } from '../../nn/module.ts'
import { tensor } from '../../tensor/creation.ts'
import { evaluate, Tensor, type TensorLike } from '../../tensor/tensor.ts'
import { type Variable, variable } from '../../tensor/variable.ts'
import { type Observed, observe, type Select } from './observing.ts'
import type { Values } from './statistics.ts'

export interface FeatureOptions {
  /** The axis of the features; −1, the last one, unless given. */
  axis?: number
}

export const featureOptions: OptionTypes<FeatureOptions> = { axis: 'number' }

/** What gathers statistics. */
interface Statistics {
  readonly counts: Float64Array
  see(values: Values): void
}

/** A preparation of features, each of which is treated by itself. Its numbers are buffers, which are saved with a model and not trained. */
export abstract class FeatureModule extends Module<TensorLike, Tensor> {
  readonly #op: string
  readonly #features: number
  readonly #axis: number

  constructor(op: string, features: number, axis: number) {
    super()
    this.#op = op
    this.#features = checkInteger(op, 'a positive integer of features', features, 1, 2 ** 31 - 1)
    this.#axis = checkInteger(op, 'an integer as axis', axis)
  }

  /** Goes through the data, and gives the statistics of each feature. */
  protected async observed<S extends Statistics>(
    data: Observed,
    select: Select<TensorLike> | undefined,
    make: (features: number) => S,
  ): Promise<S> {
    const statistics = make(this.#features)
    await observe(`${this.#op}.fit`, data, select, async (part) => {
      if (!(part instanceof Tensor) && select === undefined)
        throw new TypeError(
          expected(`${this.#op}.fit`, 'x as one tensor, or a function that selects one', describe(part)),
        )
      const x = this.#checked(inputOf(`${this.#op}.fit`, part as TensorLike))
      const axis = normalizeAxis(this.#op, this.#axis, x.ndim)
      statistics.see({ data: await x.data(), inner: sizeOf(x.shape.slice(axis + 1)) })
    })
    const empty = statistics.counts.indexOf(0)
    if (empty >= 0)
      throw new RangeError(expected(`${this.#op}.fit`, 'a number for each feature', `none for feature ${empty}`))
    return statistics
  }

  protected input(x: TensorLike): Tensor {
    return this.#checked(inputOf(this.#op, x))
  }

  /** A number for each feature, such that it broadcasts along the other axes of x. */
  protected along(x: Tensor, numbers: Tensor): Tensor {
    const axis = normalizeAxis(this.#op, this.#axis, x.ndim)
    return numbers.reshape(x.shape.map((_, i) => (i === axis ? this.#features : 1)))
  }

  #checked(x: Tensor): Tensor {
    if (x.shape.at(this.#axis) === this.#features) return x
    const what = `${this.#features} features at axis ${this.#axis}`
    throw new ShapeError(expected(this.#op, what, formatShape(x.shape)))
  }
}

/** Numbers that are saved with a model, and not trained. */
export const buffer = (name: string, values: Tensor): Variable => variable(values, { name, trainable: false })

/** Gives buffers the numbers that were found, all of them or none. */
export async function assignAll(found: readonly (readonly [Variable, ArrayLike<number>])[]): Promise<void> {
  const values = found.map(([to, numbers]) =>
    tensor(Array.from(numbers), { shape: to.shape as Shape, dtype: to.dtype }),
  )
  await evaluate(...values)
  for (const [i, [to]] of found.entries()) to.assign(values[i]!)
}

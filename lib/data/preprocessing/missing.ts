/** Numbers in the place of missing ones. */
import { checkFinite } from '../../base/arguments.ts'
import { checkOptions, type OptionTypes } from '../../base/options.ts'
import { titled } from '../../nn/repr.ts'
import { concat, where } from '../../operations/index.ts'
import { full } from '../../tensor/creation.ts'
import type { Tensor, TensorLike } from '../../tensor/tensor.ts'
import type { Variable } from '../../tensor/variable.ts'
import { assignAll, buffer, FeatureModule, type FeatureOptions, featureOptions } from './features.ts'
import type { Observed, Select } from './observing.ts'
import { Counts, Moments } from './statistics.ts'

export interface FillMissingOptions extends FeatureOptions {
  /** What is taken of each feature: the mean unless given. `constant` takes the value, and needs no data. */
  strategy?: 'mean' | 'median' | 'mostFrequent' | 'constant'
  /** The constant, and what is there until it is fitted; 0 unless given. */
  value?: number
  /** Whether as many features follow that say, by 1 or 0, where something was missing; false unless given. */
  indicator?: boolean
}

const fillMissingOptions: OptionTypes<FillMissingOptions> = {
  ...featureOptions,
  strategy: ['mean', 'median', 'mostFrequent', 'constant'],
  value: 'number',
  indicator: 'boolean',
}

/** A number for each feature where it is NaN: see {@link fillMissing}. */
export class FillMissing extends FeatureModule {
  readonly fill: Variable
  readonly #options: Required<FillMissingOptions>

  /** @internal */
  constructor(features: number, options?: FillMissingOptions) {
    const given = checkOptions('fillMissing', options, fillMissingOptions)
    const { axis = -1, strategy = 'mean', value = 0, indicator = false } = given
    super('fillMissing', features, axis)
    this.fill = buffer('fill', full([features], checkFinite('fillMissing', 'value', value)))
    this.#options = { axis, strategy, value, indicator }
    titled(this, 'FillMissing', { features, ...options })
  }

  /** Takes what is to be filled in from the data. Medians and most frequent numbers take memory for all numbers that differ. */
  async fit(data: Observed, select?: Select<TensorLike>): Promise<this> {
    const { strategy } = this.#options
    if (strategy === 'constant') return this
    if (strategy === 'mean') {
      const { means } = await this.observed(data, select, (features) => new Moments(features))
      await assignAll([[this.fill, means]])
      return this
    }
    const counts = await this.observed(data, select, (features) => new Counts(features))
    const found = counts.numbers.map((_, i) =>
      strategy === 'median' ? counts.quantiles(i, [0.5])[0]! : counts.mostFrequent(i),
    )
    await assignAll([[this.fill, found]])
    return this
  }

  forward(x: TensorLike): Tensor {
    const input = this.input(x)
    const missing = input.isNaN()
    const filled = where(missing, this.along(input, this.fill), input)
    return this.#options.indicator ? concat([filled, missing.cast(filled.dtype)], this.#options.axis) : filled
  }
}

/**
 * The mean of a feature, or another number, where it is NaN, which stands for what is missing. A module, as {@link standardize}.
 *
 * @example
 * const model = nn.sequential(await fillMissing(4, { strategy: 'median' }).fit(trainingSet), nn.linear(4, 1))
 * @sklearn SimpleImputer
 */
export const fillMissing = (features: number, options?: FillMissingOptions): FillMissing =>
  new FillMissing(features, options)

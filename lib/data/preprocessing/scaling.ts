/** Features brought to a common scale. */
import { checkFinite } from '../../base/arguments.ts'
import { expected } from '../../base/errors.ts'
import { checkOptions, type OptionTypes } from '../../base/options.ts'
import { titled } from '../../nn/repr.ts'
import { ones, zeros } from '../../tensor/creation.ts'
import type { Tensor, TensorLike } from '../../tensor/tensor.ts'
import type { Variable } from '../../tensor/variable.ts'
import { assignAll, buffer, FeatureModule, type FeatureOptions, featureOptions } from './features.ts'
import type { Observed, Select } from './observing.ts'
import { Extremes, Moments } from './statistics.ts'

/** (x − mean) / std of each feature: see {@link standardize}. */
export class Standardize extends FeatureModule {
  readonly mean: Variable
  readonly std: Variable

  /** @internal */
  constructor(features: number, options?: FeatureOptions) {
    const { axis = -1 } = checkOptions('standardize', options, featureOptions)
    super('standardize', features, axis)
    this.mean = buffer('mean', zeros([features]))
    this.std = buffer('std', ones([features]))
    titled(this, 'Standardize', { features, ...options })
  }

  /** Takes mean and standard deviation of each feature of the data; NaN is left out, and a feature that is the same everywhere has 1. */
  async fit(data: Observed, select?: Select<TensorLike>): Promise<this> {
    const { means, variances } = await this.observed(data, select, (features) => new Moments(features))
    await assignAll([
      [this.mean, means],
      [this.std, variances.map((variance) => Math.sqrt(variance) || 1)],
    ])
    return this
  }

  forward(x: TensorLike): Tensor {
    const input = this.input(x)
    return input.sub(this.along(input, this.mean)).div(this.along(input, this.std))
  }

  /** What became y: y · std + mean, for predictions of a target that was standardised. */
  inverse(y: TensorLike): Tensor {
    const input = this.input(y)
    return input.mul(this.along(input, this.std)).add(this.along(input, this.mean))
  }
}

/**
 * (x − mean) / std of each feature, such that it has mean 0 and variance 1 on the data that it was fitted to: a module, whose numbers are saved with the
 * model that it is part of. Until it is fitted, or loaded, it changes nothing. The variance is divided by the number of values.
 *
 * @example
 * const scale = await standardize(4).fit(trainingSet)
 * const model = nn.sequential(scale, nn.linear(4, 1))
 * @sklearn StandardScaler
 * @tensorflow tf.keras.layers.Normalization
 */
export const standardize = (features: number, options?: FeatureOptions): Standardize =>
  new Standardize(features, options)

export interface MinMaxOptions extends FeatureOptions {
  /** What the least becomes; 0 unless given. */
  min?: number
  /** What the greatest becomes; 1 unless given. */
  max?: number
  /** Whether what lies outside of the data that it was fitted to comes to min or max; false unless given. */
  clip?: boolean
}

const minMaxOptions: OptionTypes<MinMaxOptions> = { ...featureOptions, min: 'number', max: 'number', clip: 'boolean' }

/** Features between two bounds: see {@link minMax}. */
export class MinMax extends FeatureModule {
  readonly low: Variable
  readonly high: Variable
  readonly #options: Required<Omit<MinMaxOptions, 'axis'>>

  /** @internal */
  constructor(features: number, options?: MinMaxOptions) {
    const { axis = -1, min = 0, max = 1, clip = false } = checkOptions('minMax', options, minMaxOptions)
    super('minMax', features, axis)
    for (const [name, bound] of Object.entries({ min, max })) checkFinite('minMax', name, bound)
    if (min >= max) throw new RangeError(expected('minMax', 'min below max', `${min} and ${max}`))
    this.low = buffer('low', zeros([features]))
    this.high = buffer('high', ones([features]))
    this.#options = { min, max, clip }
    titled(this, 'MinMax', { features, ...options })
  }

  /** Takes the least and the greatest of each feature of the data; NaN is left out. */
  async fit(data: Observed, select?: Select<TensorLike>): Promise<this> {
    const { least, greatest } = await this.observed(data, select, (features) => new Extremes(features))
    await assignAll([
      [this.low, least],
      // Where all are the same, that is min.
      [this.high, greatest.map((high, i) => (high === least[i] ? high + (Math.abs(high) || 1) : high))],
    ])
    return this
  }

  forward(x: TensorLike): Tensor {
    const input = this.input(x)
    const { min, max, clip } = this.#options
    const low = this.along(input, this.low)
    const y = input
      .sub(low)
      .div(this.along(input, this.high).sub(low))
      .mul(max - min)
      .add(min)
    return clip ? y.clamp(min, max) : y
  }

  /** What became y, for predictions of a target that was scaled. */
  inverse(y: TensorLike): Tensor {
    const input = this.input(y)
    const { min, max } = this.#options
    const low = this.along(input, this.low)
    return input
      .sub(min)
      .div(max - min)
      .mul(this.along(input, this.high).sub(low))
      .add(low)
  }
}

/**
 * Each feature such that the least is 0 and the greatest 1 on the data that it was fitted to, or other bounds. A module, as {@link standardize}.
 * @sklearn MinMaxScaler
 */
export const minMax = (features: number, options?: MinMaxOptions): MinMax => new MinMax(features, options)

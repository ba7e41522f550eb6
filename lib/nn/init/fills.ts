/** Initial weights that do not look at what they are the weights of: one number, or numbers of one distribution. */
import { checkFinite } from '../../base/arguments.ts'
import { checkOptions, type OptionTypes } from '../../base/options.ts'
import { checkShape, type Shape } from '../../base/shape.ts'
import { full } from '../../tensor/creation.ts'
import { truncatedNormal } from '../../tensor/distributions.ts'
import { randn, uniform as uniformNumbers } from '../../tensor/random.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { givenTo, type Initializer, type InitializerOptions, initializerOptions } from './common.ts'

export interface UniformInitOptions extends InitializerOptions {
  /** 0 unless given. */
  min?: number
  /** Excluded; 1 unless given. */
  max?: number
}

export interface NormalInitOptions extends InitializerOptions {
  /** 0 unless given. */
  mean?: number
  /** 1 unless given. */
  std?: number
}

export interface TruncNormalInitOptions extends NormalInitOptions {
  /** −2 unless given, whatever mean and std are, as in PyTorch. */
  min?: number
  /** 2 unless given. */
  max?: number
}

const uniformOptions: OptionTypes<UniformInitOptions> = { min: 'number', max: 'number', ...initializerOptions }
const normalOptions: OptionTypes<NormalInitOptions> = { mean: 'number', std: 'number', ...initializerOptions }
const truncNormalOptions: OptionTypes<TruncNormalInitOptions> = { ...normalOptions, min: 'number', max: 'number' }

/** Options without those that are undefined. */
const given = <T extends object>(options: T): { [K in keyof T]: Exclude<T[K], undefined> } =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as never

/** Uniform in [min, max), [0, 1) unless given. PyTorch's `uniform_(tensor, a, b)`. */
export function uniform(shape: Shape, options?: UniformInitOptions): Tensor {
  const checked = given(checkOptions('uniform', options, uniformOptions))
  return uniformNumbers(checkShape('uniform', shape), checked)
}

/** Normally distributed, with mean 0 and standard deviation 1 unless given. PyTorch's `normal_`. */
export function normal(shape: Shape, options?: NormalInitOptions): Tensor {
  const checked = given(checkOptions('normal', options, normalOptions))
  return randn(checkShape('normal', shape), checked)
}

/**
 * Normally distributed given that they are in [min, max], [−2, 2] unless given. PyTorch's `trunc_normal_(tensor, mean, std, a, b)`.
 * @throws RangeError for bounds between which there is nothing
 */
export function truncNormal(shape: Shape, options?: TruncNormalInitOptions): Tensor {
  const { min = -2, max = 2, ...rest } = checkOptions('truncNormal', options, truncNormalOptions)
  return truncatedNormal(checkShape('truncNormal', shape), { ...given(rest), min, max })
}

/** One number everywhere. PyTorch's `constant_`. */
export function constant(shape: Shape, value: number, options?: InitializerOptions): Tensor {
  const { dtype = 'float32' } = givenTo('constant', options)
  return full(checkShape('constant', shape), checkFinite('constant', 'value', value), { dtype })
}

const filled =
  (name: string, value: number): Initializer =>
  (shape, options) => {
    const { dtype = 'float32' } = givenTo(name, options)
    return full(checkShape(name, shape), value, { dtype })
  }

/** 1 everywhere. */
export const ones = filled('ones', 1)

/** 0 everywhere. */
export const zeros = filled('zeros', 0)

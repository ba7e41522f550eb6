/** What all initializers are, and the options that they share. */
import type { DType } from '../../base/dtype.ts'
import { checkOptions, type OptionTypes } from '../../base/options.ts'
import type { Shape } from '../../base/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'

export interface InitializerOptions {
  /** float32 unless given. */
  dtype?: DType | undefined
  /** Fixes the numbers, whatever was drawn before. */
  seed?: number | undefined
}

export type Initializer = (shape: Shape, options?: InitializerOptions) => Tensor

export const initializerOptions: OptionTypes<InitializerOptions> = { dtype: 'dtype', seed: 'number' }

export const givenTo = (name: string, options: InitializerOptions | undefined): Partial<InitializerOptions> =>
  checkOptions(name, options, initializerOptions)

/** Of the second draw that follows from a seed. */
export const nextSeed = (seed: number): number => (seed + 1) % 2 ** 32

/** The layer of a rectifier whose slope is learned. */
import type { DType } from '../base/dtype.ts'
import { checkNumber, checkOptions, type OptionTypes } from '../base/options.ts'
import { prelu as preluOf } from '../operations/activations.ts'
import { full } from '../tensor/creation.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { type Variable, variable } from '../tensor/variable.ts'
import { Module } from './module.ts'

export interface PReluOptions {
  /** How many slopes: 1 for all elements, the default, or one for each element of the last axis. */
  features?: number
  /** The slope at the start; 0.25 unless given. */
  initial?: number
  /** float32 unless given. */
  dtype?: DType
}

const preluOptions: OptionTypes<PReluOptions> = { features: 'number', initial: 'number', dtype: 'dtype' }

/** x above 0, else slope · x, with a slope that is trained (He et al. 2015, "Delving deep into rectifiers"). */
export class PRelu extends Module {
  /** [features] */
  readonly slope: Variable

  constructor(options?: PReluOptions) {
    super()
    const { features = 1, initial = 0.25, dtype = 'float32' } = checkOptions('prelu', options, preluOptions)
    checkNumber('prelu', 'a positive integer of features', features, (x) => Number.isInteger(x) && x > 0)
    checkNumber('prelu', 'a finite initial slope', initial, Number.isFinite)
    this.slope = variable(full([features], initial, { dtype }), { name: 'slope' })
  }

  forward(x: Tensor): Tensor {
    return preluOf(x, this.slope)
  }
}

/**
 * A layer x above 0, else slope · x, whose slope is trained.
 *
 * @throws ShapeError from `forward` where the last axis has neither `features` elements nor one
 */
export const prelu = (options?: PReluOptions): PRelu => new PRelu(options)

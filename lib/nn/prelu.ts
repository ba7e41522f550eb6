/** The layer of a rectifier whose slope is learned. */

import { checkNumber } from '../base/arguments.ts'
import type { DType } from '../base/dtype.ts'
import { expected, ShapeError } from '../base/errors.ts'
import { checkOptions, type OptionTypes } from '../base/options.ts'
import { extentAt, formatShape } from '../base/shape.ts'
import { prelu as preluOf } from '../operations/activations.ts'
import { full } from '../tensor/creation.ts'
import type { Tensor, TensorLike } from '../tensor/tensor.ts'
import { type Variable, variable } from '../tensor/variable.ts'
import { inputOf } from './inputs.ts'
import { Module } from './module.ts'
import { titled } from './repr.ts'

export interface PReluOptions {
  /** How many slopes: 1 for all elements, the default, or one for each channel, which are axis 1 as in PyTorch. */
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
  readonly weight: Variable

  constructor(options?: PReluOptions) {
    super()
    const { features = 1, initial = 0.25, dtype = 'float32' } = checkOptions('prelu', options, preluOptions)
    checkNumber('prelu', 'a positive integer of features', features, (x) => Number.isInteger(x) && x > 0)
    titled(this, 'PReLU', { features })
    checkNumber('prelu', 'a finite initial slope', initial, Number.isFinite)
    this.weight = variable(full([features], initial, { dtype }), { name: 'weight' })
  }

  forward(x: TensorLike): Tensor {
    const input = inputOf('prelu', x)
    const features = extentAt(this.weight.shape, 0)
    if (features === 1) return preluOf(input, this.weight)
    const { shape } = input
    if (shape[1] !== features)
      throw new ShapeError(expected('prelu', `an input with ${features} channels at axis 1`, formatShape(shape)))
    return preluOf(input, this.weight.reshape([features, ...shape.slice(2).map(() => 1)]))
  }
}

/**
 * A layer x above 0, else slope · x, whose slope is trained.
 *
 * @throws ShapeError from `forward` where axis 1 has not `features` elements, if there are several
 */
export const prelu = (options?: PReluOptions): PRelu => new PRelu(options)

/** The linear layer. */

import { checkNumber } from '../base/arguments.ts'
import { expected, ShapeError } from '../base/errors.ts'
import { checkOptions } from '../base/options.ts'
import { extentAt, formatShape } from '../base/shape.ts'
import type { Tensor, TensorLike } from '../tensor/tensor.ts'
import type { Variable } from '../tensor/variable.ts'
import { inputOf } from './inputs.ts'
import { Module } from './module.ts'
import { titled } from './repr.ts'
import { type WeightOptions, weightAndBias, weightOptions } from './weights.ts'

export type LinearOptions = WeightOptions

/** x·weightᵀ + bias on the last axis: […, in] gives […, out]. */
export class Linear extends Module {
  /** [out, in]; another layer's, where both shall have the same one. */
  weight: Variable
  /** [out] */
  readonly bias: Variable | null

  constructor(inFeatures: number, outFeatures: number, options?: LinearOptions) {
    super()
    for (const count of [inFeatures, outFeatures])
      checkNumber('linear', 'a positive integer of features', count, (x) => Number.isInteger(x) && x > 0)
    const given = checkOptions('linear', options, weightOptions)
    titled(this, 'Linear', { inFeatures, outFeatures, bias: given.bias ?? true })
    const { weight, bias } = weightAndBias('linear', [outFeatures, inFeatures], outFeatures, given)
    this.weight = weight
    this.bias = bias
  }

  forward(x: TensorLike): Tensor {
    const input = inputOf('linear', x)
    const { weight, bias } = this
    const inFeatures = extentAt(weight.shape, 1)
    if (input.shape.at(-1) !== inFeatures)
      throw new ShapeError(expected('linear', `an input of shape […, ${inFeatures}]`, formatShape(input.shape)))
    const product = input.matmul(weight.transpose())
    return bias === null ? product : product.add(bias)
  }
}

/**
 * A dense layer: x[…, in]·weight[out, in]ᵀ + bias[out], with PyTorch's layout and initial values.
 *
 * @throws TypeError, RangeError for features or options that are none; ShapeError from `forward` for an input of another width
 */
export const linear = (inFeatures: number, outFeatures: number, options?: LinearOptions): Linear =>
  new Linear(inFeatures, outFeatures, options)

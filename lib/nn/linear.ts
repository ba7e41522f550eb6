/** The linear layer. */
import type { DType } from '../base/dtype.ts'
import { expected, ShapeError } from '../base/errors.ts'
import { checkNumber, checkOptions, type OptionTypes } from '../base/options.ts'
import { extentAt, formatShape } from '../base/shape.ts'
import { zeros } from '../tensor/creation.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { type Variable, variable } from '../tensor/variable.ts'
import { glorotNormal, glorotUniform, heNormal, heUniform, type Initializer } from './init.ts'
import { Module } from './module.ts'

const initializers = { glorotUniform, glorotNormal, heUniform, heNormal } as const

export interface LinearOptions {
  /** Whether a bias is added; true unless given. */
  bias?: boolean
  /** Of the weight; `'glorotUniform'` unless given, as in Keras. The bias starts at 0. */
  initializer?: keyof typeof initializers | Initializer
  /** Of the initial weight; otherwise it follows from `setSeed`. */
  seed?: number
  /** float32 unless given. */
  dtype?: DType
}

const linearOptions: OptionTypes<LinearOptions> = {
  bias: 'boolean',
  initializer: 'other',
  seed: 'number',
  dtype: 'dtype',
}

/** x·weight + bias on the last axis: […, in] gives […, out]. */
export class Linear extends Module {
  /** [in, out] */
  readonly weight: Variable
  /** [out] */
  readonly bias: Variable | null

  constructor(inFeatures: number, outFeatures: number, options?: LinearOptions) {
    super()
    for (const count of [inFeatures, outFeatures])
      checkNumber('linear', 'a positive integer of features', count, (x) => Number.isInteger(x) && x > 0)
    const given = checkOptions('linear', options, linearOptions)
    const { bias = true, initializer = 'glorotUniform', seed, dtype = 'float32' } = given
    this.weight = variable(initializerOf(initializer)([inFeatures, outFeatures], { seed, dtype }), { name: 'weight' })
    this.bias = bias ? variable(zeros([outFeatures], { dtype }), { name: 'bias' }) : null
  }

  forward(x: Tensor): Tensor {
    const inFeatures = extentAt(this.weight.shape, 0)
    if (x.shape.at(-1) !== inFeatures)
      throw new ShapeError(expected('linear', `an input of shape […, ${inFeatures}]`, formatShape(x.shape)))
    const product = x.matmul(this.weight)
    return this.bias === null ? product : product.add(this.bias)
  }
}

function initializerOf(initializer: keyof typeof initializers | Initializer): Initializer {
  if (typeof initializer === 'function') return initializer
  if (Object.hasOwn(initializers, initializer)) return initializers[initializer]
  throw new RangeError(
    expected('linear', `an initializer, ${Object.keys(initializers).join(', ')} or a function`, initializer),
  )
}

/**
 * A dense layer: x[…, in]·weight[in, out] + bias[out].
 *
 * @throws ShapeError from `forward` for an input of another width
 */
export const linear = (inFeatures: number, outFeatures: number, options?: LinearOptions): Linear =>
  new Linear(inFeatures, outFeatures, options)

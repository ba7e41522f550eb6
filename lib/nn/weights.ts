/** Weights and biases of dense layers and convolutions, and how they start. */
import { checkFunction } from '../base/arguments.ts'
import type { DType } from '../base/dtype.ts'
import { expected, ShapeError } from '../base/errors.ts'
import type { OptionTypes } from '../base/options.ts'
import { formatShape, type Shape, sameShape, sizeOf } from '../base/shape.ts'
import { uniform } from '../tensor/random.ts'
import { type Variable, variable } from '../tensor/variable.ts'
import { nextSeed } from './init/common.ts'
import type { Initializer } from './init/index.ts'
import * as init from './init/index.ts'
import { tensorFrom } from './inputs.ts'

/** Those that need no more than a shape. */
const initializers = {
  ...{ fanInUniform: init.fanInUniform, glorotUniform: init.glorotUniform, glorotNormal: init.glorotNormal },
  ...{ heUniform: init.heUniform, heNormal: init.heNormal },
  ...{ xavierUniform: init.xavierUniform, xavierNormal: init.xavierNormal },
  ...{ kaimingUniform: init.kaimingUniform, kaimingNormal: init.kaimingNormal },
  ...{ uniform: init.uniform, normal: init.normal, truncNormal: init.truncNormal },
  ...{ ones: init.ones, zeros: init.zeros, eye: init.eye, dirac: init.dirac, orthogonal: init.orthogonal },
} as const

export interface WeightOptions {
  /** Whether a bias is added; true unless given. */
  bias?: boolean
  /**
   * Of the weight, by name or as a function of its shape; `'fanInUniform'` unless given, uniform on ±1/√in as in PyTorch, where in
   * is how many inputs an output depends on. The bias starts so in any case.
   */
  initializer?: keyof typeof initializers | Initializer
  /** Of the initial values; otherwise they follow from `setSeed`. */
  seed?: number
  /** float32 unless given. */
  dtype?: DType
}

export const weightOptions: OptionTypes<WeightOptions> = {
  bias: 'boolean',
  initializer: 'other',
  seed: 'number',
  dtype: 'dtype',
}

/** A weight [out, in, …], and a bias of so many elements if there is to be one. */
export function weightAndBias(
  op: string,
  shape: Shape,
  outputs: number,
  options: WeightOptions,
): { weight: Variable; bias: Variable | null } {
  const { bias = true, initializer = 'fanInUniform', seed, dtype = 'float32' } = options
  const start = tensorFrom(op, 'an initializer', initializerOf(op, initializer)([...shape], { seed, dtype }))
  if (!sameShape(start.shape, shape))
    throw new ShapeError(expected(op, `an initializer that gives a tensor of shape ${formatShape(shape)}`, start))
  const weight = variable(start, { name: 'weight', dtype })
  const limit = 1 / Math.sqrt(sizeOf(shape.slice(1)))
  const range = { min: -limit, max: limit, dtype, ...(seed === undefined ? {} : { seed: nextSeed(seed) }) }
  return { weight, bias: bias ? variable(uniform([outputs], range), { name: 'bias' }) : null }
}

function initializerOf(op: string, initializer: keyof typeof initializers | Initializer): Initializer {
  if (typeof initializer === 'function') {
    checkFunction(op, 'an initializer', initializer)
    return initializer
  }
  if (typeof initializer === 'string' && Object.hasOwn(initializers, initializer)) return initializers[initializer]
  throw new RangeError(
    expected(op, `an initializer, ${Object.keys(initializers).join(', ')} or a function`, initializer),
  )
}

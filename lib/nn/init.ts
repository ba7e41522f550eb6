/**
 * Initial weights whose variance keeps signals the same size from layer to layer. Each initializer makes a tensor of
 * the given shape: [out, in] of a dense layer, [out, in / groups, …window] of a convolution, as in PyTorch. They draw from
 * the global stream of random numbers unless they are given a seed.
 */
import type { DType } from '../base/dtype.ts'
import { expected, ShapeError } from '../base/errors.ts'
import { checkOptions, type OptionTypes } from '../base/options.ts'
import { checkShape, extentAt, formatShape, type Shape, sizeOf } from '../base/shape.ts'
import { randn, uniform } from '../tensor/random.ts'
import type { Tensor } from '../tensor/tensor.ts'

export interface InitializerOptions {
  /** float32 unless given. */
  dtype?: DType | undefined
  /** Fixes the numbers, whatever was drawn before. */
  seed?: number | undefined
}

export type Initializer = (shape: Shape, options?: InitializerOptions) => Tensor

const initializerOptions: OptionTypes<InitializerOptions> = { dtype: 'dtype', seed: 'number' }

/** How many inputs an output depends on, and how many outputs an input reaches. */
interface Fans {
  fanIn: number
  fanOut: number
}

function fansOf(op: string, shape: Shape): Fans {
  checkShape(op, shape)
  if (shape.length < 2) throw new ShapeError(expected(op, 'a shape [out, in, …window]', formatShape(shape)))
  const window = sizeOf(shape.slice(2))
  return { fanIn: window * extentAt(shape, 1), fanOut: window * extentAt(shape, 0) }
}

/** X. Glorot & Y. Bengio, "Understanding the difficulty of training deep feedforward neural networks" (2010), eq. 12. */
const glorotVariance = ({ fanIn, fanOut }: Fans): number => 2 / (fanIn + fanOut)

/** K. He et al., "Delving deep into rectifiers" (2015), eq. 10: half of a relu's inputs are cut off. */
const heVariance = ({ fanIn }: Fans): number => 2 / fanIn

const givenTo = (name: string, options: InitializerOptions | undefined) =>
  checkOptions(name, options, initializerOptions)

const normalOf =
  (name: string, variance: (fans: Fans) => number): Initializer =>
  (shape, options) =>
    randn(shape, { ...givenTo(name, options), std: Math.sqrt(variance(fansOf(name, shape))) })

/** The variance of a uniform distribution on [−a, a] is a²/3. */
const uniformOf =
  (name: string, variance: (fans: Fans) => number): Initializer =>
  (shape, options) => {
    const limit = Math.sqrt(3 * variance(fansOf(name, shape)))
    return uniform(shape, { ...givenTo(name, options), min: -limit, max: limit })
  }

/** Uniform on ±1/√in, by which dense layers and convolutions start as in PyTorch (`kaiming_uniform_` with a slope of √5). */
export const fanInUniform = uniformOf('fanInUniform', ({ fanIn }) => 1 / (3 * fanIn))

/** Uniform on ±√(6 / (in + out)). */
export const glorotUniform = uniformOf('glorotUniform', glorotVariance)

/** Normal with variance 2 / (in + out). */
export const glorotNormal = normalOf('glorotNormal', glorotVariance)

/** Uniform on ±√(6 / in). */
export const heUniform = uniformOf('heUniform', heVariance)

/** Normal with variance 2 / in. */
export const heNormal = normalOf('heNormal', heVariance)

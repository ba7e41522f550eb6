/** Initial weights whose variance keeps signals the same size from layer to layer. */
import { checkFinite } from '../../base/arguments.ts'
import { expected, ShapeError } from '../../base/errors.ts'
import { checkOptions, type OptionTypes } from '../../base/options.ts'
import { checkShape, extentAt, formatShape, type Shape, sizeOf } from '../../base/shape.ts'
import { randn, uniform } from '../../tensor/random.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { givenTo, type Initializer, type InitializerOptions, initializerOptions } from './common.ts'
import { gainOf, type Nonlinearity, nonlinearities } from './gains.ts'

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

/** Numbers of a distribution with mean 0 and a variance. */
type Draw = (shape: Shape, variance: number, options: InitializerOptions) => Tensor

const drawNormal: Draw = (shape, variance, options) => randn(shape, { ...options, std: Math.sqrt(variance) })

/** The variance of a uniform distribution on [−a, a] is a²/3. */
const drawUniform: Draw = (shape, variance, options) => {
  const limit = Math.sqrt(3 * variance)
  return uniform(shape, { ...options, min: -limit, max: limit })
}

const initializerOf =
  (name: string, draw: Draw, variance: (fans: Fans) => number): Initializer =>
  (shape, options) => {
    const given = givenTo(name, options)
    return draw(shape, variance(fansOf(name, shape)), given)
  }

const normalOf = (name: string, variance: (fans: Fans) => number) => initializerOf(name, drawNormal, variance)
const uniformOf = (name: string, variance: (fans: Fans) => number) => initializerOf(name, drawUniform, variance)

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

export interface XavierOptions extends InitializerOptions {
  /** What the weights are multiplied by; 1 unless given. See `calculateGain`. */
  gain?: number
}

const xavierOptions: OptionTypes<XavierOptions> = { gain: 'number', ...initializerOptions }

const xavierOf =
  (name: string, draw: Draw) =>
  (shape: Shape, options?: XavierOptions): Tensor => {
    const { gain = 1, ...rest } = checkOptions(name, options, xavierOptions)
    return draw(shape, checkFinite(name, 'gain', gain) ** 2 * glorotVariance(fansOf(name, shape)), rest)
  }

/** Uniform on ±gain·√(6 / (in + out)): Keras's and our own `glorotUniform`, with a gain. PyTorch's `xavier_uniform_`. */
export const xavierUniform = xavierOf('xavierUniform', drawUniform)

/** Normal with standard deviation gain·√(2 / (in + out)): `glorotNormal` with a gain. PyTorch's `xavier_normal_`. */
export const xavierNormal = xavierOf('xavierNormal', drawNormal)

export interface KaimingOptions extends InitializerOptions {
  /** Whether the size of signals is kept going forward, or that of gradients going back; 'fanIn' unless given. */
  mode?: 'fanIn' | 'fanOut'
  /** What follows the layer; 'leakyRelu' unless given, with a slope of 0, which is relu. */
  nonlinearity?: Nonlinearity
  /** The slope of leakyRelu; 0 unless given. */
  a?: number
}

const kaimingOptions: OptionTypes<KaimingOptions> = {
  mode: ['fanIn', 'fanOut'],
  nonlinearity: nonlinearities,
  a: 'number',
  ...initializerOptions,
}

const kaimingOf =
  (name: string, draw: Draw) =>
  (shape: Shape, options?: KaimingOptions): Tensor => {
    const { mode = 'fanIn', nonlinearity = 'leakyRelu', a = 0, ...rest } = checkOptions(name, options, kaimingOptions)
    const fan = fansOf(name, shape)[mode]
    return draw(shape, gainOf(name, nonlinearity, a) ** 2 / fan, rest)
  }

/** Uniform on ±gain·√(3 / fan), with the gain of what follows: `heUniform` for relu. K. He et al. (2015). PyTorch's `kaiming_uniform_`. */
export const kaimingUniform = kaimingOf('kaimingUniform', drawUniform)

/** Normal with standard deviation gain / √fan, with the gain of what follows: `heNormal` for relu. K. He et al. (2015). PyTorch's `kaiming_normal_`. */
export const kaimingNormal = kaimingOf('kaimingNormal', drawNormal)

/** Weights of a layer that are computed from other variables at each use: PyTorch's parametrizations. */
import { checkInteger, checkNumber, describe } from '../base/arguments.ts'
import { expected, ShapeError } from '../base/errors.ts'
import { checkOptions, type OptionTypes } from '../base/options.ts'
import { extentAt, formatShape, normalizeAxis, sizeOf } from '../base/shape.ts'
import { normalize } from '../operations/distances.ts'
import { randn } from '../tensor/random.ts'
import type { Tensor, TensorLike } from '../tensor/tensor.ts'
import { Variable, variable } from '../tensor/variable.ts'
import { type AnyModule, Module } from './module.ts'
import { titled } from './repr.ts'
import { renamed } from './state.ts'

/** What a layer has in the place of a variable: a module without input that gives its value. */
type Parametrization = Module<void>

type ImportState = (state: Readonly<Record<string, TensorLike>>) => Readonly<Record<string, TensorLike>>

/** The variable of a layer that a parametrization takes over. */
function variableOf(op: string, layer: AnyModule, name: string): Variable {
  if (!(layer instanceof Module)) throw new TypeError(expected(op, 'a layer', describe(layer)))
  const value: unknown = Object.getOwnPropertyDescriptor(layer, name)?.value
  if (!(value instanceof Variable))
    throw new TypeError(expected(op, `a layer with a variable ${name}`, describe(value)))
  return value
}

/**
 * Has the layer ask the parametrization wherever it reads the property, and its variables found under `parametrizations`.
 * @param former what its values were called before PyTorch had parametrizations, which `loadStateDict` takes, too
 */
function parametrize<L extends AnyModule>(
  layer: L,
  name: string,
  parametrization: Parametrization,
  former: Readonly<Record<string, string>>,
): L {
  const { parametrizations: others = {} } = layer as { parametrizations?: Record<string, Parametrization> }
  Reflect.deleteProperty(layer, name)
  Object.defineProperty(layer, name, { get: () => parametrization.forward(), configurable: true, enumerable: false })
  const names = Object.fromEntries(
    Object.entries(former).map(([suffix, path]) => [`${name}_${suffix}`, `parametrizations.${name}.${path}`]),
  )
  const { importState } = layer as unknown as { importState: ImportState }
  const importRenamed: ImportState = (state) => importState.call(layer, renamed(state, names))
  Object.defineProperty(layer, 'importState', { value: importRenamed, configurable: true, enumerable: false })
  return Object.assign(layer, { parametrizations: { ...others, [name]: parametrization } })
}

export interface WeightNormOptions {
  /** Which property of the layer; 'weight' unless given. */
  name?: string
  /** The axis along which each slice has a length of its own; 0 unless given. null: there is one for all. */
  axis?: number | null
}

const weightNormOptions: OptionTypes<WeightNormOptions> = { name: 'string', axis: 'number or null' }

class WeightNorm extends Module<void> {
  /** The lengths. */
  readonly original0: Variable
  /** The directions. */
  readonly original1: Variable
  readonly #axes: readonly number[]

  constructor(direction: Variable, axis: number | null) {
    super()
    this.#axes = direction.shape.map((_, i) => i).filter((i) => i !== axis)
    this.original0 = variable(this.#lengthOf(direction.value, axis !== null), { name: 'original0' })
    this.original1 = direction
    titled(this, 'WeightNorm', { axis })
  }

  #lengthOf(x: Tensor, keepDims: boolean): Tensor {
    return x.norm(this.#axes, { keepDims })
  }

  forward(): Tensor {
    return this.original1.mul(this.original0.div(this.#lengthOf(this.original1, true)))
  }
}

/**
 * Has the weight of a layer be length · direction / |direction|, of which lengths and directions are trained in its place:
 * `parametrizations.weight.original0` and `original1`, PyTorch's names. T. Salimans & D. Kingma, "Weight normalization"
 * (2016), eq. 2. PyTorch's `parametrizations.weight_norm`; `loadStateDict` takes the names of its older `weight_norm`, too, `weight_g` and `weight_v`.
 *
 * @returns the layer itself, whose weight is the same at first
 * @throws TypeError for a layer without such a variable; ShapeError for an axis that it does not have
 *
 * @example
 * sequential(weightNorm(linear(64, 32)), relu(), linear(32, 10))
 */
export function weightNorm<L extends AnyModule>(layer: L, options?: WeightNormOptions): L {
  const { name = 'weight', axis = 0 } = checkOptions('weightNorm', options, weightNormOptions)
  const weight = variableOf('weightNorm', layer, name)
  const along = axis === null ? null : normalizeAxis('weightNorm', axis, weight.ndim)
  return parametrize(layer, name, new WeightNorm(weight, along), { g: 'original0', v: 'original1' })
}

export interface SpectralNormOptions {
  /** Which property of the layer; 'weight' unless given. */
  name?: string
  /** The axis of the outputs: the rows of the matrix whose norm it is; 0 unless given, and 1 is right for a transposed convolution. */
  axis?: number
  /** How many steps of the power method each use in training mode takes; 1 unless given. */
  powerIterations?: number
  /** The least length that vectors are divided by; 1e-12 unless given. */
  epsilon?: number
}

const spectralNormOptions: OptionTypes<SpectralNormOptions> = {
  name: 'string',
  axis: 'number',
  powerIterations: 'number',
  epsilon: 'number',
}

/** Approximations of the first left and right singular vector. */
interface Vectors {
  readonly u: Tensor
  readonly v: Tensor
}

class SpectralNorm extends Module<void> {
  readonly original: Variable
  /** As PyTorch names them: what the first of several parametrizations keeps. */
  readonly 0: { readonly _u: Variable; readonly _v: Variable }
  readonly #options: { axis: number; powerIterations: number; epsilon: number }

  constructor(original: Variable, options: { axis: number; powerIterations: number; epsilon: number }) {
    super()
    this.original = original
    this.#options = options
    const { dtype } = original
    const matrix = this.#matrixOf(original.value)
    const [u, v] = matrix.shape.map((extent) => this.#normalized(randn([extent], { dtype }))) as [Tensor, Tensor]
    const first = this.#improved(matrix, { u, v }, 15)
    this[0] = {
      _u: variable(first.u, { name: '_u', trainable: false }),
      _v: variable(first.v, { name: '_v', trainable: false }),
    }
    titled(this, 'SpectralNorm', options)
  }

  #normalized(x: Tensor): Tensor {
    return normalize(x, { axis: 0, epsilon: this.#options.epsilon })
  }

  #matrixOf(weight: Tensor): Tensor {
    const { axis } = this.#options
    const axes = weight.shape.map((_, i) => i)
    const rows = extentAt(weight.shape, axis)
    return weight.transpose([axis, ...axes.filter((i) => i !== axis)]).reshape([rows, sizeOf(weight.shape) / rows])
  }

  /** The power method on the products of the matrix and its transpose. */
  #improved(matrix: Tensor, vectors: Vectors, steps: number): Vectors {
    let { u, v } = vectors
    for (let i = 0; i < steps; i++) {
      u = this.#normalized(matrix.matmul(v))
      v = this.#normalized(matrix.transpose().matmul(u))
    }
    return { u, v }
  }

  forward(): Tensor {
    const matrix = this.#matrixOf(this.original)
    const { _u, _v } = this[0]
    let vectors: Vectors = { u: _u.value, v: _v.value }
    if (this.training) {
      vectors = this.#improved(matrix.stopGradient(), vectors, this.#options.powerIterations)
      _u.assign(vectors.u)
      _v.assign(vectors.v)
    }
    return this.original.div(vectors.u.mul(matrix.matmul(vectors.v)).sum())
  }
}

/**
 * Has the weight of a layer be divided by its greatest singular value, so that the layer lengthens no difference of inputs, of
 * which the power method keeps an approximation: a step at each use in training mode. Trained is
 * `parametrizations.weight.original`; the vectors are state, `parametrizations.weight.0._u` and `_v`, PyTorch's names. T. Miyato
 * et al., "Spectral normalization for generative adversarial networks" (2018), algorithm 1. PyTorch's `parametrizations.spectral_norm`; `loadStateDict`
 * takes the names of its older `spectral_norm`, too: `weight_orig`, `weight_u` and `weight_v`.
 *
 * @returns the layer itself
 * @throws TypeError for a layer without such a variable; ShapeError for a weight of less than two axes
 *
 * @example
 * const critic = sequential(spectralNorm(linear(2, 64)), relu(), spectralNorm(linear(64, 1)))
 */
export function spectralNorm<L extends AnyModule>(layer: L, options?: SpectralNormOptions): L {
  const op = 'spectralNorm'
  const {
    name = 'weight',
    axis = 0,
    powerIterations = 1,
    epsilon = 1e-12,
  } = checkOptions(op, options, spectralNormOptions)
  checkInteger(op, 'a positive number of powerIterations', powerIterations, 1, 1000)
  checkNumber(op, 'a positive epsilon', epsilon, (x) => x > 0 && x < Infinity)
  const weight = variableOf(op, layer, name)
  if (weight.ndim < 2) throw new ShapeError(expected(op, 'a weight of at least two axes', formatShape(weight.shape)))
  return parametrize(
    layer,
    name,
    new SpectralNorm(weight, { axis: normalizeAxis(op, axis, weight.ndim), powerIterations, epsilon }),
    { orig: 'original', u: '0._u', v: '0._v' },
  )
}

/** Layers without parameters, and the sequence. */

import { checkFunction, refuseSurplus } from '../base/arguments.ts'
import { expected } from '../base/errors.ts'
import { checkOptions, type OptionTypes } from '../base/options.ts'
import * as ops from '../operations/activations.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { Module } from './module.ts'
import { titled } from './repr.ts'

/** A layer that is a function. */
export class Lambda extends Module {
  readonly #apply: (x: Tensor) => Tensor

  constructor(apply: (x: Tensor) => Tensor) {
    super()
    this.#apply = apply
  }

  forward(x: Tensor): Tensor {
    return this.#apply(x)
  }
}

const geluOptions: OptionTypes<ops.GeluOptions> = { approximate: ['none', 'tanh'] }
const hardTanhOptions: OptionTypes<ops.HardTanhOptions> = { min: 'number', max: 'number' }

/**
 * A function of a tensor as a layer. Inside `sequential` the function itself will do.
 *
 * @throws TypeError for what is no function
 *
 * @example
 * sequential(linear(2, 2), lambda((x) => x.square()), (x) => x.sum(1))
 */
export function lambda(fn: (x: Tensor) => Tensor): Module {
  checkFunction('lambda', 'a function of a tensor', fn)
  return titled(new Lambda(fn), 'Lambda', { fn: fn.name === '' ? fn : fn.name })
}

/** max(x, 0) */
export const relu = (): Module => titled(new Lambda((x) => x.relu()), 'ReLU')

/** x above 0, else slope · x; the slope is 0.01 unless given. */
export const leakyRelu = (slope?: number): Module =>
  titled(new Lambda((x) => x.leakyRelu(slope)), 'LeakyReLU', { slope })

/** 1 / (1 + e⁻ˣ) */
export const sigmoid = (): Module => titled(new Lambda((x) => x.sigmoid()), 'Sigmoid')

/** The hyperbolic tangent. */
export const tanh = (): Module => titled(new Lambda((x) => x.tanh()), 'Tanh')

/** x · sigmoid(x) */
export const silu = (): Module => titled(new Lambda((x) => x.silu()), 'SiLU')

/** x above 0, else alpha · (eˣ − 1); alpha is 1 unless given. */
export const elu = (alpha?: number): Module => titled(new Lambda((x) => x.elu(alpha)), 'ELU', { alpha })

/** x · Φ(x) with the normal distribution function Φ, or the form with tanh. */
export function gelu(options?: ops.GeluOptions): Module {
  const given = checkOptions('gelu', options, geluOptions)
  return titled(new Lambda((x) => x.gelu(given)), 'GELU', given)
}

/** log(1 + eˣ) */
export const softplus = (): Module => titled(new Lambda((x) => x.softplus()), 'Softplus')

/** min(max(x, 0), 6) */
export const relu6 = (): Module => titled(new Lambda((x) => ops.relu6(x)), 'ReLU6')

/** x above 0, else alpha · (e^(x/alpha) − 1); alpha is 1 unless given. */
export const celu = (alpha?: number): Module => titled(new Lambda((x) => ops.celu(x, alpha)), 'CELU', { alpha })

/** scale · elu(x, alpha), by which layers keep mean 0 and variance 1. */
export const selu = (): Module => titled(new Lambda((x) => ops.selu(x)), 'SELU')

/** x · tanh(softplus(x)) */
export const mish = (): Module => titled(new Lambda((x) => ops.mish(x)), 'Mish')

/** x / (1 + |x|) */
export const softsign = (): Module => titled(new Lambda((x) => ops.softsign(x)), 'Softsign')

/** min(max(x + 3, 0), 6) / 6 */
export const hardSigmoid = (): Module => titled(new Lambda((x) => ops.hardSigmoid(x)), 'HardSigmoid')

/** x · hardSigmoid(x) */
export const hardSwish = (): Module => titled(new Lambda((x) => ops.hardSwish(x)), 'HardSwish')

/** x within [min, max], [−1, 1] unless given. */
export function hardTanh(options?: ops.HardTanhOptions): Module {
  const given = checkOptions('hardTanh', options, hardTanhOptions)
  return titled(new Lambda((x) => ops.hardTanh(x, given)), 'HardTanh', given)
}

/** log(sigmoid(x)) */
export const logSigmoid = (): Module => titled(new Lambda((x) => ops.logSigmoid(x)), 'LogSigmoid')

/** a · sigmoid(b) of the halves of x along an axis, the last one unless given. */
export const glu = (axis?: number): Module => titled(new Lambda((x) => ops.glu(x, axis)), 'GLU', { axis })

/** x where it is above the threshold, else the value. */
export const threshold = (threshold: number, value: number): Module =>
  titled(new Lambda((x) => ops.threshold(x, threshold, value)), 'Threshold', { threshold, value })

/** eˣ / Σeˣ along an axis, the last one unless given. Losses of logits do not want it. */
export const softmax = (axis?: number): Module => titled(new Lambda((x) => x.softmax(axis)), 'Softmax', { axis })

/** [n, …] to [n, m]: every row becomes one axis. */
export function flatten(...surplus: []): Module {
  refuseSurplus('flatten', 0, surplus)
  return titled(new Lambda((x) => x.flatten(1)), 'Flatten')
}

/** What a sequence is made of. */
export type Layer<Input = Tensor, Output = Tensor> = Module<Input, Output> | ((x: Input) => Output)

/** Layers one after the other; layer i is property i, and its parameters are named `i.weight`, `i.bias`. */
export class Sequential<Input = Tensor, Output = Tensor> extends Module<Input, Output> {
  readonly [index: number]: Module
  readonly #layers: readonly Module[]

  constructor(layers: readonly Layer<never, unknown>[]) {
    super()
    this.#layers = layers.map((layer, i) => {
      if (layer instanceof Module) return layer as Module
      if (typeof layer === 'function') return lambda(layer as (x: Tensor) => Tensor)
      throw new TypeError(expected('sequential', 'modules and functions', `${typeof layer} at ${i}`))
    })
    Object.assign(this, this.#layers)
  }

  forward(x: Input): Output {
    return this.#layers.reduce((value: unknown, layer) => layer.forward(value as Tensor), x) as Output
  }
}

/**
 * Layers one after the other: modules, and functions of a tensor, which have no parameters.
 *
 * @throws TypeError for anything else
 *
 * @example
 * const model = sequential(flatten(), linear(784, 128), (x) => x.relu(), linear(128, 10))
 */
export function sequential(...layers: Layer[]): Sequential
/** The first layer may take several tensors, and the last one give them. */
export function sequential<Input, Output>(
  first: Layer<Input, Tensor>,
  ...others: readonly [...Layer[], Layer<Tensor, Output>]
): Sequential<Input, Output>
export function sequential(...layers: Layer<never, unknown>[]): Sequential {
  return new Sequential(layers)
}

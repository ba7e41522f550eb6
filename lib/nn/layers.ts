/** Layers without parameters. */

import { checkFunction, checkInteger, checkNumber, refuseSurplus } from '../base/arguments.ts'
import { checkOptions, type OptionTypes } from '../base/options.ts'
import * as ops from '../operations/activations.ts'
import * as math from '../operations/math.ts'
import { flatten as rows } from '../operations/shape.ts'
import * as softmaxes from '../operations/softmax.ts'
import type { Tensor, TensorLike } from '../tensor/tensor.ts'
import { kept, outputFrom, tried } from './inputs.ts'
import { Module } from './module.ts'
import { titled } from './repr.ts'

/** A layer that is a function. */
export class Lambda extends Module {
  readonly #apply: (x: TensorLike) => Tensor

  constructor(apply: (x: TensorLike) => Tensor) {
    super()
    this.#apply = apply
  }

  forward(x: TensorLike): Tensor {
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
  const apply = (x: TensorLike) => outputFrom('lambda', fn(x as Tensor)) as Tensor
  return titled(new Lambda(apply), 'Lambda', { fn: fn.name === '' ? fn : fn.name })
}

/** An operation with numbers beside its input, which are checked and tried where the layer is made. */
function elementwise(op: string, title: string, numbers: object, apply: (x: TensorLike) => Tensor): Module {
  for (const [name, value] of Object.entries(numbers))
    if (value !== undefined) checkNumber(op, `a number as ${name}`, value, (x) => !Number.isNaN(x))
  tried(apply, [0])
  return titled(new Lambda(apply), title, numbers)
}

/** An operation that has nothing to choose. */
const plain =
  (op: string, title: string, apply: (x: TensorLike) => Tensor) =>
  (...surplus: []): Module => {
    refuseSurplus(op, 0, surplus)
    return titled(new Lambda(apply), title)
  }

/** An operation along an axis. */
function alongAxis(op: string, title: string, axis: number | undefined, apply: (x: TensorLike) => Tensor): Module {
  if (axis !== undefined) checkInteger(op, 'an integer as axis', axis)
  return titled(new Lambda(apply), title, { axis })
}

/** max(x, 0) */
export const relu = plain('relu', 'ReLU', (x) => ops.relu(x))

/** x above 0, else slope · x; the slope is 0.01 unless given. */
export const leakyRelu = (slope?: number): Module =>
  elementwise('leakyRelu', 'LeakyReLU', { slope }, (x) => ops.leakyRelu(x, slope))

/** 1 / (1 + e⁻ˣ) */
export const sigmoid = plain('sigmoid', 'Sigmoid', (x) => ops.sigmoid(x))

/** The hyperbolic tangent. */
export const tanh = plain('tanh', 'Tanh', (x) => math.tanh(x))

/** x · sigmoid(x) */
export const silu = plain('silu', 'SiLU', (x) => ops.silu(x))

/** x above 0, else alpha · (eˣ − 1); alpha is 1 unless given. */
export const elu = (alpha?: number): Module => elementwise('elu', 'ELU', { alpha }, (x) => ops.elu(x, alpha))

/** x · Φ(x) with the normal distribution function Φ, or the form with tanh. */
export function gelu(options?: ops.GeluOptions): Module {
  const given = kept(checkOptions('gelu', options, geluOptions))
  return titled(new Lambda((x) => ops.gelu(x, given)), 'GELU', given)
}

/** log(1 + eˣ) */
export const softplus = plain('softplus', 'Softplus', (x) => math.softplus(x))

/** min(max(x, 0), 6) */
export const relu6 = plain('relu6', 'ReLU6', (x) => ops.relu6(x))

/** x above 0, else alpha · (e^(x/alpha) − 1); alpha is 1 unless given. */
export const celu = (alpha?: number): Module => elementwise('celu', 'CELU', { alpha }, (x) => ops.celu(x, alpha))

/** scale · elu(x, alpha), by which layers keep mean 0 and variance 1. */
export const selu = plain('selu', 'SELU', (x) => ops.selu(x))

/** x · tanh(softplus(x)) */
export const mish = plain('mish', 'Mish', (x) => ops.mish(x))

/** x / (1 + |x|) */
export const softsign = plain('softsign', 'Softsign', (x) => ops.softsign(x))

/** min(max(x + 3, 0), 6) / 6 */
export const hardSigmoid = plain('hardSigmoid', 'HardSigmoid', (x) => ops.hardSigmoid(x))

/** x · hardSigmoid(x) */
export const hardSwish = plain('hardSwish', 'HardSwish', (x) => ops.hardSwish(x))

/** x within [min, max], [−1, 1] unless given. */
export function hardTanh(options?: ops.HardTanhOptions): Module {
  const given = kept(checkOptions('hardTanh', options, hardTanhOptions))
  return elementwise('hardTanh', 'HardTanh', given, (x) => ops.hardTanh(x, given))
}

/** log(sigmoid(x)) */
export const logSigmoid = plain('logSigmoid', 'LogSigmoid', (x) => ops.logSigmoid(x))

/** a · sigmoid(b) of the halves of x along an axis, the last one unless given. */
export const glu = (axis?: number): Module => alongAxis('glu', 'GLU', axis, (x) => ops.glu(x, axis))

/** x where it is above the threshold, else the value. */
export const threshold = (threshold: number, value: number): Module =>
  elementwise('threshold', 'Threshold', { threshold, value }, (x) => ops.threshold(x, threshold, value))

/** eˣ / Σeˣ along an axis, the last one unless given. Losses of logits do not want it. */
export const softmax = (axis?: number): Module =>
  alongAxis('softmax', 'Softmax', axis, (x) => softmaxes.softmax(x, axis))

/** [n, …] to [n, m]: every row becomes one axis. */
export function flatten(...surplus: []): Module {
  refuseSurplus('flatten', 0, surplus)
  return titled(new Lambda((x) => rows(x, 1)), 'Flatten')
}

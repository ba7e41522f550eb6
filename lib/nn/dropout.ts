/** Layers that drop elements, or whole channels, while they train. */
import { checkNumber, refuseSurplus } from '../base/arguments.ts'
import * as ops from '../operations/dropout.ts'
import type { Tensor, TensorLike } from '../tensor/tensor.ts'
import { inputOf } from './inputs.ts'
import { Module } from './module.ts'
import { capitalized, titled } from './repr.ts'

type Drop = (x: Tensor, rate: number, options: ops.DropoutOptions) => Tensor

class Dropout extends Module {
  readonly #op: string
  readonly #rate: number
  readonly #drop: Drop

  constructor(op: string, rate: number, drop: Drop, surplus: readonly unknown[]) {
    super()
    this.#op = op
    refuseSurplus(op, 1, surplus)
    this.#rate = checkNumber(op, 'a rate in [0, 1]', rate, (p) => p >= 0 && p <= 1)
    this.#drop = drop
    titled(this, capitalized(op), { rate })
  }

  forward(x: TensorLike): Tensor {
    const input = inputOf(this.#op, x)
    return this.#rate === 0 ? input : this.#drop(input, this.#rate, { training: this.training })
  }
}

/** In training mode each element is dropped with probability `rate`, 0.5 unless given, and the others are scaled by 1 / (1 − rate). */
export const dropout = (rate = 0.5, ...surplus: []): Module => new Dropout('dropout', rate, ops.dropout, surplus)

/** `dropout` of whole channels of lines [n, channels, length]. */
export const dropout1d = (rate = 0.5, ...surplus: []): Module => new Dropout('dropout1d', rate, ops.dropout1d, surplus)

/** `dropout` of whole channels of images [n, channels, height, width]. */
export const dropout2d = (rate = 0.5, ...surplus: []): Module => new Dropout('dropout2d', rate, ops.dropout2d, surplus)

/** `dropout` of whole channels of volumes [n, channels, depth, height, width]. */
export const dropout3d = (rate = 0.5, ...surplus: []): Module => new Dropout('dropout3d', rate, ops.dropout3d, surplus)

/** In training mode elements are dropped to the least value of `selu`, so that mean 0 and variance 1 stay. */
export const alphaDropout = (rate = 0.5, ...surplus: []): Module =>
  new Dropout('alphaDropout', rate, ops.alphaDropout, surplus)

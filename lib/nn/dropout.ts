/** Layers that drop elements, or whole channels, while they train. */
import { checkNumber, refuseSurplus } from '../base/arguments.ts'
import * as ops from '../operations/dropout.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { Module } from './module.ts'
import { capitalized, titled } from './repr.ts'

type Drop = (x: Tensor, rate: number, options: ops.DropoutOptions) => Tensor

class Dropout extends Module {
  readonly #rate: number
  readonly #drop: Drop

  constructor(op: string, rate: number, drop: Drop, surplus: readonly unknown[]) {
    super()
    refuseSurplus(op, 1, surplus)
    titled(this, capitalized(op), { rate })
    this.#rate = checkNumber(op, 'a rate in [0, 1]', rate, (p) => p >= 0 && p <= 1)
    this.#drop = drop
  }

  forward(x: Tensor): Tensor {
    return this.#rate === 0 ? x : this.#drop(x, this.#rate, { training: this.training })
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

/** The layer that drops elements while it trains. */
import { checkNumber, refuseSurplus } from '../base/options.ts'
import { dropout as drop } from '../operations/dropout.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { Module } from './module.ts'
import { titled } from './repr.ts'

class Dropout extends Module {
  readonly #rate: number

  constructor(rate: number) {
    super()
    titled(this, 'Dropout', { rate })
    this.#rate = checkNumber('dropout', 'a rate in [0, 1]', rate, (p) => p >= 0 && p <= 1)
  }

  forward(x: Tensor): Tensor {
    return this.#rate === 0 ? x : drop(x, this.#rate, { training: this.training })
  }
}

/** In training mode each element is dropped with probability `rate`, 0.5 unless given, and the others are scaled by 1 / (1 − rate). */
export function dropout(rate = 0.5, ...surplus: []): Module {
  refuseSurplus('dropout', 1, surplus)
  return new Dropout(rate)
}

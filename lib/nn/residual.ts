/** The residual block: layers, and a way around them. */
import { checkOptions, type OptionTypes } from '../base/options.ts'
import type { Tensor, TensorLike } from '../tensor/tensor.ts'
import { type Layer, sequential } from './containers.ts'
import { inputOf } from './inputs.ts'
import { Module } from './module.ts'

export interface ResidualOptions {
  /** What the input goes through on the way around, so that shapes agree: a convolution of 1 × 1, say; nothing unless given. */
  shortcut?: Layer | null
}

const residualOptions: OptionTypes<ResidualOptions> = { shortcut: 'other or null' }

const moduleOf = (layer: Layer): Module => (layer instanceof Module ? layer : sequential(layer))

/** inner(x) + x: see {@link residual}. */
export class Residual extends Module {
  readonly inner: Module
  readonly shortcut: Module | null

  /** @internal */
  constructor(inner: Layer, options?: ResidualOptions) {
    super()
    const { shortcut = null } = checkOptions('residual', options, residualOptions)
    this.inner = moduleOf(inner)
    this.shortcut = shortcut === null ? null : moduleOf(shortcut)
  }

  forward(input: TensorLike): Tensor {
    const x = inputOf('residual', input)
    return this.inner.forward(x).add(this.shortcut === null ? x : this.shortcut.forward(x))
  }
}

/**
 * A residual block: inner(x) + x, or inner(x) + shortcut(x). K. He et al., "Deep residual learning" (2016), eq. 1 and 2.
 * Parameters are named `inner.…` and `shortcut.…`.
 *
 * @throws ShapeError from `forward` where the shapes of both do not broadcast
 *
 * @example
 * residual(sequential(conv2d(16, 16, 3, { padding: 1 }), relu(), conv2d(16, 16, 3, { padding: 1 })))
 * residual(sequential(conv2d(16, 32, 3, { padding: 1 }), relu()), { shortcut: conv2d(16, 32, 1) })
 */
export const residual = (inner: Layer, options?: ResidualOptions): Residual => new Residual(inner, options)

/** Rotary positions: parts of queries and keys are rotated by angles that grow with their places. */
import { checkNumber } from '../base/arguments.ts'
import { expected, ShapeError } from '../base/errors.ts'
import { checkOptions, type OptionTypes } from '../base/options.ts'
import { extentAt, formatShape } from '../base/shape.ts'
import { concat } from '../operations/joining.ts'
import { arange, tensor } from '../tensor/creation.ts'
import type { Tensor, TensorLike } from '../tensor/tensor.ts'
import { inputOf } from './inputs.ts'
import { Module } from './module.ts'
import { titled } from './repr.ts'

export interface RotaryOptions {
  /** Pair i is rotated by position · base^(−2i / features); 10,000 unless given. */
  base?: number
}

const rotaryOptions: OptionTypes<RotaryOptions> = { base: 'number' }

/** Rotary positions: see {@link rotaryEmbedding}. */
export class RotaryEmbedding extends Module {
  readonly #features: number
  readonly #base: number

  /** @internal */
  constructor(features: number, options?: RotaryOptions) {
    super()
    const { base = 10_000 } = checkOptions('rotaryEmbedding', options, rotaryOptions)
    checkNumber('rotaryEmbedding', 'an even positive number of features', features, (n) => n > 0 && n % 2 === 0)
    checkNumber('rotaryEmbedding', 'a base above 1', base, (x) => x > 1 && x < Infinity)
    this.#features = features
    this.#base = base
    titled(this, 'RotaryEmbedding', { features, base })
  }

  /** x[…, length, features] and positions[length], 0, 1, … unless given, give the same shape as x. */
  forward(input: TensorLike, positions?: TensorLike): Tensor {
    const x = inputOf('rotaryEmbedding', input)
    const features = this.#features
    if (x.ndim < 2 || x.shape.at(-1) !== features)
      throw new ShapeError(expected('rotaryEmbedding', `an input […, length, ${features}]`, formatShape(x.shape)))
    const length = extentAt(x.shape, -2)
    const places = positions === undefined ? arange(0, length) : inputOf('rotaryEmbedding', positions)
    if (places.ndim !== 1 || places.shape[0] !== length)
      throw new ShapeError(expected('rotaryEmbedding', `positions [${length}]`, formatShape(places.shape)))
    const rates = Array.from({ length: features / 2 }, (_, i) => this.#base ** ((-2 * i) / features))
    const angles = places
      .cast(x.dtype)
      .reshape([length, 1])
      .mul(tensor(rates, { dtype: x.dtype }))
    const [cos, sin] = [angles.cos(), angles.sin()]
    const [a, b] = x.split(2, -1) as [Tensor, Tensor]
    return concat([a.mul(cos).sub(b.mul(sin)), b.mul(cos).add(a.mul(sin))], -1)
  }
}

/**
 * Rotary positions, for queries and keys of attention: features i and i + features/2 are one pair, which is rotated by position · base^(−2i
 * / features), so that products of a query and a key depend on the distance between them alone. Pairs are those of
 * Hugging Face's Llama (`rotate_half`: the first half with the second), not neighbours as in the paper; weights for the one
 * become those for the other by a permutation of their rows. J. Su et al., "RoFormer" (2021), eq. 34. `multiHeadAttention` takes them by `rotary: true`.
 *
 * @param features of a head; even
 * @throws RangeError for an odd number of features, or a base of 1 or less
 */
export const rotaryEmbedding = (features: number, options?: RotaryOptions): RotaryEmbedding =>
  new RotaryEmbedding(features, options)

/** Positions of tokens, as waves that are added to what they are. */
import { checkNumber } from '../base/arguments.ts'
import { expected, ShapeError } from '../base/errors.ts'
import { checkOptions, type DTypeOption, dtypeOption, type OptionTypes } from '../base/options.ts'
import { checkShape, extentAt, formatShape } from '../base/shape.ts'
import { gather } from '../operations/indexing.ts'
import { tensor } from '../tensor/creation.ts'
import type { Tensor, TensorLike } from '../tensor/tensor.ts'
import { dropout as dropoutLayer } from './dropout.ts'
import { inputOf } from './inputs.ts'
import { Module } from './module.ts'
import { titled } from './repr.ts'

/**
 * Positions as waves, to be added to embeddings: element (i, 2j) is sin(i / 10000^(2j/features)) and (i, 2j + 1) the
 * cosine: [length, features]. A. Vaswani et al., "Attention is all you need" (2017), section 3.5.
 */
export function sinusoidalEncoding(length: number, features: number, options?: DTypeOption): Tensor {
  const { dtype = 'float32' } = checkOptions('sinusoidalEncoding', options, dtypeOption)
  for (const extent of [length, features])
    checkNumber('sinusoidalEncoding', 'positive integers', extent, (n) => Number.isInteger(n) && n > 0)
  checkShape('sinusoidalEncoding', [length, features])
  const values = Float64Array.from({ length: length * features }, (_, i) => {
    const [position, feature] = [Math.floor(i / features), i % features]
    const angle = position / 10000 ** ((feature - (feature % 2)) / features)
    return feature % 2 === 0 ? Math.sin(angle) : Math.cos(angle)
  })
  return tensor(values, { shape: [length, features], dtype })
}

export interface SinusoidalPositionsOptions extends DTypeOption {
  /** The rate of dropout after it, in training mode; 0 unless given. */
  dropout?: number
}

const positionsOptions: OptionTypes<SinusoidalPositionsOptions> = { dropout: 'number', ...dtypeOption }

/** Positions as waves, as a layer: see {@link sinusoidalPositions}. */
export class SinusoidalPositions extends Module {
  readonly dropout: Module
  readonly #table: Tensor

  /** @internal */
  constructor(length: number, features: number, options?: SinusoidalPositionsOptions) {
    super()
    const { dropout = 0, ...dtype } = checkOptions('sinusoidalPositions', options, positionsOptions)
    for (const extent of [length, features])
      checkNumber('sinusoidalPositions', 'positive integers', extent, (n) => Number.isInteger(n) && n > 0)
    this.#table = sinusoidalEncoding(length, features, dtype)
    this.dropout = dropoutLayer(dropout)
    titled(this, 'SinusoidalPositions', { length, features })
  }

  /** x[…, n, features] and positions[n], 0, 1, … unless given, give the same shape as x. */
  forward(input: TensorLike, positions?: TensorLike): Tensor {
    const x = inputOf('sinusoidalPositions', input)
    const [length, features] = this.#table.shape as readonly [number, number]
    if (x.ndim < 2 || x.shape.at(-1) !== features || extentAt(x.shape, -2) > length)
      throw new ShapeError(
        expected('sinusoidalPositions', `an input […, at most ${length}, ${features}]`, formatShape(x.shape)),
      )
    const rows = positions === undefined ? this.#table.slice(0, extentAt(x.shape, -2)) : gather(this.#table, positions)
    return this.dropout.forward(x.add(rows))
  }
}

/**
 * A layer that adds `sinusoidalEncoding` to its input, then drops out.
 *
 * @param length the greatest number of tokens
 * @throws ShapeError from `forward` for more tokens or another width; RangeError for positions beyond the length
 */
export const sinusoidalPositions = (
  length: number,
  features: number,
  options?: SinusoidalPositionsOptions,
): SinusoidalPositions => new SinusoidalPositions(length, features, options)

/** The layer of embeddings. */

import { checkNumber } from '../base/arguments.ts'
import type { DType } from '../base/dtype.ts'
import { checkOptions, type OptionTypes } from '../base/options.ts'
import { embedding as rowsOf } from '../operations/embedding.ts'
import { concat } from '../operations/joining.ts'
import { zeros } from '../tensor/creation.ts'
import { randn } from '../tensor/random.ts'
import type { Tensor, TensorLike } from '../tensor/tensor.ts'
import { type Variable, variable } from '../tensor/variable.ts'
import { Module } from './module.ts'
import { titled } from './repr.ts'

export interface EmbeddingLayerOptions {
  /** The index of a row that starts at 0 and does not learn. */
  paddingIndex?: number
  /** Of the initial table; otherwise it follows from `setSeed`. */
  seed?: number
  /** float32 unless given. */
  dtype?: DType
}

export const embeddingOptions: OptionTypes<EmbeddingLayerOptions> = {
  paddingIndex: 'number',
  seed: 'number',
  dtype: 'dtype',
}

/** A table of `count` rows, normally distributed but for that of the padding, which is 0. */
export function tableOf(op: string, count: number, features: number, options: EmbeddingLayerOptions): Variable {
  const { paddingIndex, seed, dtype = 'float32' } = options
  for (const extent of [count, features])
    checkNumber(op, 'positive integers of rows and features', extent, (x) => Number.isInteger(x) && x > 0)
  const values = randn([count, features], { dtype, ...(seed === undefined ? {} : { seed }) })
  if (paddingIndex === undefined) return variable(values, { name: 'weight' })
  checkNumber(op, `an integer paddingIndex in [${-count}, ${count})`, paddingIndex, (i) => {
    return Number.isInteger(i) && i >= -count && i < count
  })
  const row = paddingIndex < 0 ? paddingIndex + count : paddingIndex
  // Without an index in the data, which would have to be checked before anything may read the table.
  const parts = [values.slice(0, row), zeros([1, features], { dtype }), values.slice(row + 1)]
  return variable(concat(parts), { name: 'weight' })
}

/** A table of vectors that are learned: see {@link embedding}. */
export class Embedding extends Module {
  /** [count, features]; another layer's, where both shall have the same one. */
  weight: Variable
  readonly #paddingIndex: number | null

  /** @internal */
  constructor(count: number, features: number, options?: EmbeddingLayerOptions) {
    super()
    const given = checkOptions('embedding', options, embeddingOptions)
    this.weight = tableOf('embedding', count, features, given)
    this.#paddingIndex = given.paddingIndex ?? null
    titled(this, 'Embedding', { count, features, paddingIndex: given.paddingIndex })
  }

  forward(indices: TensorLike): Tensor {
    return rowsOf(indices, this.weight, { paddingIndex: this.#paddingIndex })
  }
}

/**
 * The rows of a learned table [count, features] at integer indices: [k…] gives [k…, features]. The table starts normally
 * distributed, as in PyTorch.
 *
 * @throws RangeError for a paddingIndex outside [−count, count)
 */
export const embedding = (count: number, features: number, options?: EmbeddingLayerOptions): Embedding =>
  new Embedding(count, features, options)

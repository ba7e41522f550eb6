/** The layer of embeddings. */
import type { DType } from '../base/dtype.ts'
import { checkNumber, checkOptions, type OptionTypes } from '../base/options.ts'
import { embedding as rowsOf } from '../operations/embedding.ts'
import { randn } from '../tensor/random.ts'
import type { Tensor } from '../tensor/tensor.ts'
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

const embeddingOptions: OptionTypes<EmbeddingLayerOptions> = {
  paddingIndex: 'number',
  seed: 'number',
  dtype: 'dtype',
}

/** A table of vectors that are learned: see {@link embedding}. */
export class Embedding extends Module {
  /** [count, features] */
  readonly weight: Variable
  readonly #paddingIndex: number | null

  /** @internal */
  constructor(count: number, features: number, options?: EmbeddingLayerOptions) {
    super()
    const { paddingIndex, seed, dtype = 'float32' } = checkOptions('embedding', options, embeddingOptions)
    for (const extent of [count, features])
      checkNumber('embedding', 'positive integers of rows and features', extent, (x) => Number.isInteger(x) && x > 0)
    const values = randn([count, features], { dtype, ...(seed === undefined ? {} : { seed }) })
    this.weight = variable(values, { name: 'weight' })
    this.#paddingIndex = paddingIndex ?? null
    titled(this, 'Embedding', { count, features, paddingIndex })
    if (paddingIndex !== undefined) this.#clear(paddingIndex, count)
  }

  #clear(paddingIndex: number, count: number): void {
    checkNumber('embedding', `an integer paddingIndex in [${-count}, ${count})`, paddingIndex, (i) => {
      return Number.isInteger(i) && i >= -count && i < count
    })
    const row = paddingIndex < 0 ? paddingIndex + count : paddingIndex
    const values = this.weight.value
    this.weight.assign(values.scatterAdd([row], values.slice(row, row + 1).neg()))
  }

  forward(indices: Tensor): Tensor {
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

/** The layer of bags of embeddings. */
import { checkOptions, type OptionTypes } from '../base/options.ts'
import { embeddingBag as bagsOf, type EmbeddingBagOptions } from '../operations/embedding-bag.ts'
import type { Tensor, TensorLike } from '../tensor/tensor.ts'
import type { Variable } from '../tensor/variable.ts'
import { type EmbeddingLayerOptions, embeddingOptions, tableOf } from './embedding.ts'
import { Module } from './module.ts'
import { titled } from './repr.ts'

export interface EmbeddingBagLayerOptions
  extends EmbeddingLayerOptions,
    Pick<EmbeddingBagOptions, 'mode' | 'includeLastOffset'> {}

const layerOptions: OptionTypes<EmbeddingBagLayerOptions> = {
  ...embeddingOptions,
  mode: ['sum', 'mean', 'max'],
  includeLastOffset: 'boolean',
}

/** A table of vectors that are learned, and read in bags: see {@link embeddingBag}. */
export class EmbeddingBag extends Module {
  /** [count, features] */
  readonly weight: Variable
  readonly #options: EmbeddingBagOptions

  /** @internal */
  constructor(count: number, features: number, options?: EmbeddingBagLayerOptions) {
    super()
    const { mode, includeLastOffset, ...table } = checkOptions('embeddingBag', options, layerOptions)
    this.weight = tableOf('embeddingBag', count, features, table)
    const { paddingIndex = null } = table
    this.#options = { paddingIndex, ...(mode && { mode }), ...(includeLastOffset && { includeLastOffset }) }
    titled(this, 'EmbeddingBag', { count, features, mode, paddingIndex: table.paddingIndex, includeLastOffset })
  }

  /** Of indices [bags, k], or of indices [k] in bags that start at the offsets. */
  forward(indices: TensorLike, offsets?: TensorLike, perSampleWeights?: TensorLike): Tensor {
    const given = {
      ...(offsets !== undefined && { offsets }),
      ...(perSampleWeights !== undefined && { perSampleWeights }),
    }
    return bagsOf(indices, this.weight, { ...this.#options, ...given })
  }
}

/**
 * The means, or by `mode` the sums or greatest, of rows of a learned table [count, features] at bags of integer indices: the rows
 * of [bags, k], or parts of [k] that start at offsets, give [bags, features]. The table starts normally distributed, as in PyTorch.
 *
 * @throws RangeError for a paddingIndex outside [−count, count)
 */
export const embeddingBag = (count: number, features: number, options?: EmbeddingBagLayerOptions): EmbeddingBag =>
  new EmbeddingBag(count, features, options)

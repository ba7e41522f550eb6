/** Embeddings: rows of a table. */
import { expected, ShapeError } from '../base/errors.ts'
import { checkOptions, type OptionTypes } from '../base/options.ts'
import { extentAt, formatShape } from '../base/shape.ts'
import { checkIndices } from '../graph/ops/indexing.ts'
import { type Tensor, type TensorLike, toIntegers, toTensor, wrap } from '../tensor/tensor.ts'
import { equal, where } from './comparison.ts'
import { stopGradient } from './gradient.ts'
import { gather } from './indexing.ts'
import { paddingRow } from './padding-index.ts'
import { expandDims } from './shape.ts'

export interface EmbeddingOptions {
  /** The index of a row that no gradient reaches, for what fills sequences up; negative counts from the end. */
  paddingIndex?: number | null
}

const embeddingOptions: OptionTypes<EmbeddingOptions> = { paddingIndex: 'number or null' }

/**
 * Rows of a table: indices[k…] of table[n, features] give [k…, features]. The gradient adds up in the rows that were
 * read.
 *
 * @param indices integers
 * @throws ShapeError for a table that is not [n, features]; DTypeError for indices that are no integers; RangeError for a
 * paddingIndex outside the table, or, when evaluated, an index outside [0, n)
 *
 * @example
 * embedding([0, 2], [[1, 2], [3, 4], [5, 6]]) // [[1, 2], [5, 6]]
 * @pytorch F.embedding
 * @tensorflow tf.nn.embedding_lookup
 */
export function embedding(indices: TensorLike, table: TensorLike, options?: EmbeddingOptions): Tensor {
  const { paddingIndex = null } = checkOptions('embedding', options, embeddingOptions)
  const [rows, chosen] = [
    toTensor('embedding', table),
    wrap(checkIndices('embedding', toIntegers('embedding', indices))),
  ]
  if (rows.ndim !== 2) throw new ShapeError(expected('embedding', 'a table [n, features]', formatShape(rows.shape)))
  const found = gather(rows, chosen)
  if (paddingIndex === null) return found
  const padding = equal(chosen, paddingRow('embedding', paddingIndex, extentAt(rows.shape, 0)))
  return where(expandDims(padding, -1), stopGradient(found), found)
}

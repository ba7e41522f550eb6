/** Embeddings: rows of a table. */
import { expected, ShapeError } from '../base/errors.ts'
import { checkNumber } from '../base/options.ts'
import { formatShape } from '../base/shape.ts'
import { equal, where } from '../graph/ops/elementwise.ts'
import { gather } from '../graph/ops/indexing.ts'
import { stopGradient } from '../graph/ops/leaf.ts'
import { reshape } from '../graph/ops/movement.ts'
import { type Tensor, type TensorLike, toNode, wrap } from '../tensor/tensor.ts'

export interface EmbeddingOptions {
  /** The index of a row that no gradient reaches, for what fills sequences up; negative counts from the end. */
  paddingIndex?: number | null
}

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
export function embedding(
  indices: TensorLike,
  table: TensorLike,
  { paddingIndex = null }: EmbeddingOptions = {},
): Tensor {
  const [rows, chosen] = [toNode(table), toNode(indices, 'int32')]
  if (rows.shape.length !== 2)
    throw new ShapeError(expected('embedding', 'a table [n, features]', formatShape(rows.shape)))
  const found = gather(rows, chosen)
  if (paddingIndex === null) return wrap(found)
  const count = rows.shape[0]!
  checkNumber('embedding', `an integer paddingIndex in [${-count}, ${count})`, paddingIndex, (i) => {
    return Number.isInteger(i) && i >= -count && i < count
  })
  const padding = equal(chosen, paddingIndex < 0 ? paddingIndex + count : paddingIndex)
  return wrap(where(reshape(padding, [...chosen.shape, 1]), stopGradient(found), found))
}

/** Bags of embeddings: rows of a table reduced to one for each bag of indices. */
import { DTypeError, expected, ShapeError } from '../base/errors.ts'
import { checkOptions, type OptionTypes } from '../base/options.ts'
import { extentAt, formatShape, sameShape } from '../base/shape.ts'
import { demand } from '../graph/ops/demand.ts'
import { checkIndices } from '../graph/ops/indexing.ts'
import { literal } from '../graph/ops/leaf.ts'
import { nodeOf, type Tensor, type TensorLike, toIntegers, toTensor, wrap } from '../tensor/tensor.ts'
import { div, maximum, mul, sub } from './arithmetic.ts'
import { greater, notEqual, where } from './comparison.ts'
import { embedding } from './embedding.ts'
import { scatterAdd, slice } from './indexing.ts'
import { paddingRow } from './padding-index.ts'
import { max, sum } from './reduce.ts'
import { cumsum } from './scan.ts'
import { scatterReduce } from './scatter-reduce.ts'
import { broadcastTo, cast, expandDims } from './shape.ts'

export interface EmbeddingBagOptions {
  /** What becomes of the rows of a bag: 'mean' unless given, as in PyTorch. A bag of nothing gives zeros. */
  mode?: 'sum' | 'mean' | 'max'
  /** Of indices along one axis: where each bag starts, [bags], from 0 on and not descending. */
  offsets?: TensorLike
  /** Whether `offsets` has one more, where the last bag ends; false unless given. */
  includeLastOffset?: boolean
  /** A factor for each index, of the same shape; for 'sum' alone. */
  perSampleWeights?: TensorLike
  /** The index of a row that does not count and that no gradient reaches; negative counts from the end. */
  paddingIndex?: number | null
}

const embeddingBagOptions: OptionTypes<EmbeddingBagOptions> = {
  ...{ mode: ['sum', 'mean', 'max'], offsets: 'other', includeLastOffset: 'boolean' },
  ...{ perSampleWeights: 'other', paddingIndex: 'number or null' },
}

/** How rows of features, one for each index, are reduced to one for each bag. */
interface Bags {
  readonly sum: (rows: Tensor) => Tensor
  readonly max: (rows: Tensor) => Tensor
}

/** The rows of a matrix of indices are bags. */
const bagsOfRows = (width: number): Bags => ({
  sum: (rows) => sum(rows, 1),
  max: (rows) => (width === 0 ? sum(rows, 1) : max(rows, 1)),
})

const fullOf = (value: number, like: Tensor, shape: readonly number[]): Tensor =>
  broadcastTo(wrap(literal(value, like.dtype)), shape)

/** The bag of each of so many indices, as int32: how many bags have started, less one. */
function bagOfEach(offsets: Tensor, count: number): Tensor {
  const starts = scatterAdd(fullOf(0, offsets, [count + 1]), offsets, fullOf(1, offsets, offsets.shape))
  return sub(cumsum(slice(starts, 0, count)), 1)
}

/** Offsets that start at 0 and do not descend; that they are at most `count` is seen where they are used. */
function checkedOffsets(op: string, given: TensorLike, includeLast: boolean): Tensor {
  const offsets = wrap(checkIndices(op, toIntegers(op, given)))
  if (offsets.ndim !== 1 || (includeLast && offsets.size === 0))
    throw new ShapeError(expected(op, 'offsets along one axis', formatShape(offsets.shape)))
  const what = `${op}: expected offsets that start at 0 and do not descend`
  const steps = sub(slice(offsets, 1), slice(offsets, 0, -1))
  const started = demand(nodeOf(offsets), { low: 0, high: 0, what }, nodeOf(slice(offsets, 0, 1)))
  return wrap(demand(started, { low: 0, high: Number.MAX_VALUE, what }, nodeOf(steps)))
}

/** Bags are what lies between the offsets of a list of indices. */
function bagsBetween(op: string, count: number, { offsets, includeLastOffset = false }: EmbeddingBagOptions): Bags {
  if (offsets === undefined) throw new TypeError(expected(op, 'offsets of bags along one axis', 'none'))
  const starts = checkedOffsets(op, offsets, includeLastOffset)
  const bags = starts.size - (includeLastOffset ? 1 : 0)
  const bag = bagOfEach(starts, count)
  return {
    sum: (rows) => scatterAdd(fullOf(0, rows, [bags, extentAt(rows.shape, 1)]), bag, rows),
    max: (rows) => {
      const least = fullOf(-Infinity, rows, [bags, extentAt(rows.shape, 1)])
      return scatterReduce(least, expandDims(bag, 1), rows, 0, 'amax')
    },
  }
}

function bagsOf(op: string, indices: Tensor, options: EmbeddingBagOptions): Bags {
  if (indices.ndim === 1) return bagsBetween(op, indices.size, options)
  if (indices.ndim !== 2) throw new ShapeError(expected(op, 'indices of one or two axes', formatShape(indices.shape)))
  if (options.offsets !== undefined) throw new TypeError(expected(op, 'no offsets, as rows are the bags', 'some'))
  return bagsOfRows(extentAt(indices.shape, 1))
}

function weighted(op: string, rows: Tensor, indices: Tensor, weights: TensorLike | undefined, mode: string): Tensor {
  if (weights === undefined) return rows
  const w = toTensor(op, weights)
  if (mode !== 'sum') throw new TypeError(expected(op, "perSampleWeights with mode 'sum' alone", `'${mode}'`))
  if (!sameShape(w.shape, indices.shape))
    throw new ShapeError(expected(op, `perSampleWeights ${formatShape(indices.shape)}`, formatShape(w.shape)))
  if (w.dtype !== rows.dtype) throw new DTypeError(expected(op, `perSampleWeights of ${rows.dtype}`, w.dtype))
  return mul(rows, expandDims(w, -1))
}

/**
 * The sum, mean or greatest of the rows of a table[n, features] at each bag of indices: [bags, features]. Bags are the rows of
 * indices[bags, k], or parts of indices[k] that begin at `offsets`. The gradient adds up in the rows that were read; that of the
 * greatest is shared evenly at ties.
 *
 * @example
 * embeddingBag([0, 2, 1], [[1, 2], [3, 4], [5, 6]], { offsets: [0, 2], mode: 'sum' })   // [[6, 8], [3, 4]]
 *
 * @throws ShapeError for a table that is not [n, features], indices of other axes, or weights of another shape; TypeError for
 * indices along one axis without offsets, offsets of two axes of them, or weights in another mode than 'sum'; DTypeError for
 * indices that are no integers; RangeError for a paddingIndex outside the table, or, when evaluated, an index outside [0, n) or
 * offsets that do not start at 0, descend, or are beyond the indices
 * @pytorch F.embedding_bag
 * @tensorflow tf.nn.embedding_lookup_sparse
 */
export function embeddingBag(indices: TensorLike, table: TensorLike, options?: EmbeddingBagOptions): Tensor {
  const op = 'embeddingBag'
  const given = checkOptions(op, options, embeddingBagOptions)
  const { mode = 'mean', paddingIndex = null } = given
  const rows = toTensor(op, table)
  const chosen = wrap(checkIndices(op, toIntegers(op, indices)))
  if (rows.ndim !== 2) throw new ShapeError(expected(op, 'a table [n, features]', formatShape(rows.shape)))
  const bags = bagsOf(op, chosen, given)
  const padding = paddingIndex === null ? null : paddingRow(op, paddingIndex, extentAt(rows.shape, 0))
  const counts =
    padding === null
      ? fullOf(1, rows, [...chosen.shape, 1])
      : cast(expandDims(notEqual(chosen, padding), -1), rows.dtype)
  const without = (value: number, found: Tensor) => (padding === null ? found : where(greater(counts, 0), found, value))
  const found = embedding(chosen, rows)
  const terms = weighted(op, found, chosen, given.perSampleWeights, mode)
  if (mode === 'max') return where(greater(bags.sum(counts), 0), bags.max(without(-Infinity, terms)), 0)
  const sums = bags.sum(without(0, terms))
  return mode === 'sum' ? sums : div(sums, maximum(bags.sum(counts), 1))
}

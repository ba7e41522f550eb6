/** How the elements of tensors are spread, counted in the program that they are computed in. */
import { concat, isFinite as isFiniteAt, scatterAdd, stopGradient, where } from '../operations/index.ts'
import { full, zeros } from '../tensor/creation.ts'
import type { Tensor } from '../tensor/tensor.ts'
import type { HistogramValue } from './record.ts'

/** What is recorded of one tensor. */
export interface Counted {
  /** int32[bins + 1]: of the intervals, and of what is not finite. */
  readonly counts: Tensor
  /** float32[4]: the least, the greatest, the sum, the sum of squares. */
  readonly figures: Tensor
}

/** Records the counting of a tensor that has elements, in intervals of equal width from the least to the greatest. */
export function counted(x: Tensor, bins = 30): Counted {
  const flat = stopGradient(x).cast('float32').flatten()
  const isCounted = isFiniteAt(flat)
  const [low, high] = [where(isCounted, flat, Infinity).min(), where(isCounted, flat, -Infinity).max()]
  const values = where(isCounted, flat, 0)
  // By halves, so that no difference is too large.
  const part = values
    .mul(0.5)
    .sub(low.mul(0.5))
    .div(high.mul(0.5).sub(low.mul(0.5)))
  const isSpread = isCounted.logicalAnd(high.greater(low))
  const place = where(isSpread, part.mul(bins), 0)
    .floor()
    .clamp(0, bins - 1)
    .cast('int32')
  const counts = scatterAdd(
    zeros([bins + 1], { dtype: 'int32' }),
    where(isCounted, place, bins),
    full(flat.shape, 1, { dtype: 'int32' }),
  )
  const square = values.reshape([1, flat.size]).matmul(values.reshape([flat.size, 1]))
  const figures = concat([low.reshape([1]), high.reshape([1]), values.sum().reshape([1]), square.reshape([1])])
  return { counts, figures }
}

/** What was counted, once it is computed. */
export function histogramOf({ counts, figures }: Counted): HistogramValue {
  const all = Array.from(counts.dataSync())
  const notFinite = all.pop()!
  const bins = all.length
  const [minimum, maximum, sum, sumOfSquares] = figures.dataSync() as unknown as [number, number, number, number]
  // None of them is finite.
  if (minimum > maximum)
    return { edges: [0, 0], counts: [0], minimum: 0, maximum: 0, sum: 0, sumOfSquares: 0, notFinite }
  const isPoint = minimum === maximum
  const width = (maximum - minimum) / bins
  const edges = Array.from({ length: bins + 1 }, (_, i) => (i === bins ? maximum : minimum + i * width))
  return {
    edges: isPoint ? [minimum, maximum] : edges,
    counts: isPoint ? [all[0]!] : all,
    ...{ minimum, maximum, sum, sumOfSquares, notFinite },
  }
}

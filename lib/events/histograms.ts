/** How the elements of a tensor are spread: counted in the program, read as a plain value. */
import { isFloat } from '../base/dtype.ts'
import { elementAt } from '../base/lists.ts'
import { isFinite as isFiniteAt, less, where } from '../operations/comparison.ts'
import { stopGradient } from '../operations/gradient.ts'
import { histogram } from '../operations/histogram.ts'
import { stack } from '../operations/joining.ts'
import { logicalNot } from '../operations/logic.ts'
import { square } from '../operations/math.ts'
import { max, min, sum } from '../operations/reduce.ts'
import { cast, flatten } from '../operations/shape.ts'
import type { Tensor } from '../tensor/tensor.ts'
import type { HistogramValue } from './record.ts'

/** What is computed of a tensor for its histogram: `counts` int32[bins], `edges` [bins + 1], and figures of them. */
export interface HistogramTensors {
  readonly counts: Tensor
  readonly edges: Tensor
  /** The least, the greatest, the sum and the sum of the squares. */
  readonly figures: Tensor
  readonly notFinite: Tensor
}

/**
 * The tensors of a histogram of `bins` intervals of equal width from the least finite element to the greatest; what is not finite is counted apart.
 * @param x not empty
 */
export function histogramTensors(x: Tensor, bins: number): HistogramTensors {
  const flat = flatten(stopGradient(isFloat(x.dtype) ? x : cast(x, 'float32')))
  const areFinite = isFiniteAt(flat)
  const least = min(where(areFinite, flat, Infinity))
  // What is not finite stands at the least element, so they are taken from the first count there is.
  const values = where(areFinite, flat, where(less(least, Infinity), least, 0))
  const zeroed = where(areFinite, flat, 0)
  const figures = stack([min(values), max(values), sum(zeroed), sum(square(zeroed))])
  return { ...histogram(values, { bins }), figures, notFinite: sum(cast(logicalNot(areFinite), 'int32')) }
}

/** The value of what those tensors hold. */
export function histogramValueOf(of: Readonly<Record<keyof HistogramTensors, ArrayLike<number>>>): HistogramValue {
  const [minimum, maximum, sum, sumOfSquares] = [0, 1, 2, 3].map((i) => elementAt(of.figures, i)) as Figures
  const notFinite = elementAt(of.notFinite, 0)
  const counts = Array.from(of.counts)
  const first = counts.findIndex((count) => count > 0)
  counts[first]! -= notFinite
  return { edges: Array.from(of.edges), counts, minimum, maximum, sum, sumOfSquares, notFinite }
}

type Figures = [number, number, number, number]

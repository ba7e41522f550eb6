/** What the metrics of `metrics.streaming` have in common: samples, their weights, and sums over them. */
import { describe } from '../../base/arguments.ts'
import { DTypeError, expected, ShapeError } from '../../base/errors.ts'
import { elementAt } from '../../base/lists.ts'
import type { OptionTypes } from '../../base/options.ts'
import { formatShape, sameShape, sizeOf } from '../../base/shape.ts'
import { asFloat } from '../../losses/common.ts'
import { where } from '../../operations/comparison.ts'
import { tensor } from '../../tensor/creation.ts'
import { Tensor } from '../../tensor/tensor.ts'
import type { MetricTotals, Moments } from '../totals.ts'

export interface NameOption {
  /** What errors, histories and states call it; the name of its function unless given. */
  name?: string
}

export const nameOption: OptionTypes<NameOption> = { name: 'string' }

/** @throws TypeError for what a model of several outputs gives */
export function checkTensors(op: string, prediction: unknown, target: unknown): [prediction: Tensor, target: Tensor] {
  for (const x of [prediction, target])
    if (!(x instanceof Tensor)) throw new TypeError(expected(op, 'a tensor as prediction and as target', describe(x)))
  return [prediction as Tensor, target as Tensor]
}

/**
 * The weight of each sample, [samples] for samples of a shape: that of a row is the weight of all there is of it.
 * @throws ShapeError unless the weights have the leading axes of the samples
 */
export function flatWeights(op: string, weights: Tensor | undefined, shape: readonly number[]): Tensor | undefined {
  if (weights === undefined) return undefined
  if (!sameShape(weights.shape, shape.slice(0, weights.ndim)))
    throw new ShapeError(
      expected(op, `weights of the leading axes of ${formatShape(shape)}`, formatShape(weights.shape)),
    )
  if (weights.dtype === 'bool') throw new DTypeError(expected(op, 'weights that are numbers', weights.dtype))
  const rest = shape.slice(weights.ndim).map(() => 1)
  return asFloat(weights)
    .reshape([...weights.shape, ...rest])
    .broadcastTo(shape)
    .flatten()
}

/** Σ w: as int32 without weights, which is exact. */
export const totalWeight = (weights: Tensor | undefined, count: number): Tensor =>
  weights === undefined ? tensor(count, { dtype: 'int32' }) : weights.sum()

/** Weights[samples] that broadcast to x[samples, …]. */
const alongRows = (weights: Tensor, x: Tensor): Tensor =>
  weights.reshape([...weights.shape, ...Array.from({ length: x.ndim - 1 }, () => 1)])

/** w·x over x[samples, …]; what does not count is 0, even where it is infinite or NaN. */
export function weighed(x: Tensor, weights: Tensor | undefined): Tensor {
  if (weights === undefined) return x
  const w = alongRows(weights, x)
  return where(w.equal(0), 0, x.mul(w))
}

/** A sum that is a single number. */
export const scalarOf = ({ sums }: MetricTotals, name: string): number => elementAt(valuesOf(sums, name), 0)

/** @throws TypeError where totals are of another metric */
export function valuesOf<T>(named: Readonly<Record<string, T>>, name: string): T {
  const values = Object.hasOwn(named, name) ? named[name] : undefined
  if (values === undefined) throw new TypeError(expected('compute', `totals with ${name}`, 'those of another metric'))
  return values
}

/**
 * Moments of x[rows, columns], with weights[rows], from which variances over all data follow: see `Moments`.
 * The shift is the mean of the batch, which is within its values, so that those of a constant are exactly 0.
 */
export function momentsOf(x: Tensor, weights: Tensor | undefined): Moments {
  const rows = x.shape[0] ?? 0
  const weight = totalWeight(weights, rows)
  // Without a row there is no mean, and no least value.
  if (sizeOf(x.shape) === 0) {
    const none = x.sum(0)
    return { weight, shift: none, sum: none, squares: none }
  }
  const mean = weighed(x, weights)
    .sum(0)
    .div(where(weight.equal(0), 1, weight))
  const counted = weights === undefined ? x : where(alongRows(weights, x).equal(0), mean, x)
  const shift = mean.maximum(counted.min(0)).minimum(counted.max(0))
  const d = counted.sub(shift)
  return { weight, shift, sum: weighed(d, weights).sum(0), squares: weighed(d.square(), weights).sum(0) }
}

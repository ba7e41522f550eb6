/** Losses and metrics of batches, added up over an epoch. */
import { describe } from '../base/arguments.ts'
import { expected, ShapeError } from '../base/errors.ts'
import { elementAt } from '../base/lists.ts'
import { formatShape } from '../base/shape.ts'
import { Tensor } from '../tensor/tensor.ts'
import { byName, type MetricName, metricsByName, ofTensors } from './names.ts'

/** Gives a scalar that is a mean over the rows, or a value per row. */
export type MetricFunction<Prediction = Tensor, Target = Tensor> = (prediction: Prediction, target: Target) => Tensor

/** The name of a metric, or functions by name. */
export type Metric<Prediction = Tensor, Target = Tensor> =
  | MetricName
  | Readonly<Record<string, MetricFunction<Prediction, Target>>>

export type MetricTable = ReadonlyMap<string, MetricFunction<unknown, unknown>>

/** Means over rows. */
export interface Scores {
  loss: number
  /** With the metric `'accuracy'`. */
  accuracy?: number
  [metric: string]: number | undefined
}

/** What an epoch reports beside its metrics. */
const reserved = ['loss', 'epoch', 'step', 'steps', 'samples', 'seconds', 'validation']

export function metricTable(op: string, metrics: readonly Metric<never, never>[]): MetricTable {
  if (!Array.isArray(metrics))
    throw new TypeError(expected(op, "metrics, a list such as ['accuracy']", describe(metrics)))
  const entries = metrics.flatMap((metric: Metric<never, never>): [string, MetricFunction<unknown, unknown>][] => {
    if (typeof metric === 'object' && metric !== null)
      return Object.entries(metric) as [string, MetricFunction<unknown, unknown>][]
    const score = byName(op, 'a metric, a name or { name: function }', metric, metricsByName)
    return [[metric, ofTensors(op, `metric ${metric}`, score)]]
  })
  for (const [name, metric] of entries) {
    if (reserved.includes(name))
      throw new RangeError(expected(op, `a metric of another name than ${reserved.join(', ')}`, name))
    if (typeof metric !== 'function')
      throw new TypeError(expected(op, `a function as metric ${name}`, describe(metric)))
  }
  return new Map(entries)
}

/** Each metric as a scalar sum over the rows of a batch. */
export function metricSums(
  op: string,
  metrics: MetricTable,
  prediction: unknown,
  target: unknown,
  rows: number,
): Tensor[] {
  return [...metrics].map(([name, metric]) => {
    const value = metric(prediction, target)
    if (!(value instanceof Tensor)) throw new TypeError(expected(op, `a tensor from metric ${name}`, describe(value)))
    if (value.ndim === 0) return value.mul(rows)
    if (value.ndim === 1 && value.size === rows) return value.sum()
    throw new ShapeError(expected(op, `a scalar or ${rows} values from metric ${name}`, formatShape(value.shape)))
  })
}

/** The sums of an epoch so far: plain data, from which its means follow. */
export interface Sums {
  rows: number
  /** The loss of each batch times its rows. */
  loss: number
  metrics: number[]
}

export const noSums = (metrics: MetricTable): Sums => ({ rows: 0, loss: 0, metrics: [...metrics].map(() => 0) })

/** Adds the mean loss of a batch, and the sums of the metrics over its rows. */
export function addBatch(sums: Sums, batch: Readonly<Sums>): void {
  sums.rows += batch.rows
  sums.loss += batch.loss * batch.rows
  batch.metrics.forEach((sum, i) => {
    sums.metrics[i]! += sum
  })
}

export function meansOf(metrics: MetricTable, sums: Readonly<Sums>): Scores {
  const means = [...metrics.keys()].map((name, i) => [name, elementAt(sums.metrics, i) / sums.rows])
  return { loss: sums.loss / sums.rows, ...Object.fromEntries(means) }
}

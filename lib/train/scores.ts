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

export function metricTable(metrics: readonly Metric<never, never>[]): MetricTable {
  if (!Array.isArray(metrics))
    throw new TypeError(expected('fit', "metrics, a list such as ['accuracy']", describe(metrics)))
  const entries = metrics.flatMap((metric: Metric<never, never>): [string, MetricFunction<unknown, unknown>][] => {
    if (typeof metric === 'object' && metric !== null)
      return Object.entries(metric) as [string, MetricFunction<unknown, unknown>][]
    const score = byName('a metric, a name or { name: function }', metric, metricsByName)
    return [[metric, ofTensors(`metric ${metric}`, score)]]
  })
  for (const [name, metric] of entries) {
    if (reserved.includes(name))
      throw new RangeError(expected('fit', `a metric of another name than ${reserved.join(', ')}`, name))
    if (typeof metric !== 'function')
      throw new TypeError(expected('fit', `a function as metric ${name}`, describe(metric)))
  }
  return new Map(entries)
}

/** Each metric as a scalar sum over the rows of a batch. */
export function metricSums(metrics: MetricTable, prediction: unknown, target: unknown, rows: number): Tensor[] {
  return [...metrics].map(([name, metric]) => {
    const value = metric(prediction, target)
    if (!(value instanceof Tensor))
      throw new TypeError(expected('fit', `a tensor from metric ${name}`, describe(value)))
    if (value.ndim === 0) return value.mul(rows)
    if (value.ndim === 1 && value.size === rows) return value.sum()
    throw new ShapeError(expected('fit', `a scalar or ${rows} values from metric ${name}`, formatShape(value.shape)))
  })
}

/** The means over all rows that were added so far. */
export class RunningScores {
  #samples = 0
  #loss = 0
  readonly #sums: number[]
  readonly #names: readonly string[]

  constructor(metrics: MetricTable) {
    this.#names = [...metrics.keys()]
    this.#sums = this.#names.map(() => 0)
  }

  get samples(): number {
    return this.#samples
  }

  /** The mean loss of a batch, and the sums of the metrics over its rows. */
  add(rows: number, loss: number, sums: readonly number[]): void {
    this.#samples += rows
    this.#loss += loss * rows
    sums.forEach((sum, i) => {
      this.#sums[i]! += sum
    })
  }

  means(): Scores {
    const metrics = this.#names.map((name, i) => [name, elementAt(this.#sums, i) / this.#samples])
    return { loss: this.#loss / this.#samples, ...Object.fromEntries(metrics) }
  }
}

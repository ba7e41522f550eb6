/** Losses and metrics of batches, added up over an epoch. */
import { describe } from '../base/arguments.ts'
import type { TypedArray } from '../base/dtype.ts'
import { expected, ShapeError } from '../base/errors.ts'
import { elementAt, zipWith } from '../base/lists.ts'
import { isPlainObject } from '../base/options.ts'
import { formatShape } from '../base/shape.ts'
import { type AnyMetric, type MetricState, StreamingMetric } from '../metrics/streaming.ts'
import type { MetricParts } from '../metrics/totals.ts'
import { Tensor } from '../tensor/tensor.ts'
import { type BatchLoss, output as outputOf } from './loss.ts'
import {
  byName,
  lossesByName,
  type MetricName,
  metricsByName,
  ofTensors,
  type StreamingName,
  streamingByName,
  streamingMetric,
} from './names.ts'
import type { WatchedTensors } from './watching.ts'

/** Gives a scalar that is a mean over the rows, or a value per row. */
export type MetricFunction<Prediction = Tensor, Target = Tensor> = (prediction: Prediction, target: Target) => Tensor

/** The name of a metric, one of `metrics.streaming`, or functions by name. */
export type Metric<Prediction = Tensor, Target = Tensor> =
  | MetricName
  | StreamingName
  | AnyMetric
  | Readonly<Record<string, MetricFunction<Prediction, Target>>>

/** Of the outputs of a model, each under its name: `{ label: ['accuracy', 'rocAuc'] }`. */
export type MetricsByOutput = Readonly<Record<string, readonly Metric[]>>

/** Metrics by what they are reported as. */
export interface MetricTable {
  /** Means over rows. */
  readonly means: ReadonlyMap<string, MetricFunction<unknown, unknown>>
  /** What is no mean over rows. */
  readonly streaming: ReadonlyMap<string, AnyMetric>
}

/** Means over rows, and what other metrics give over all of them. */
export interface Scores {
  loss: number
  /** With the metric `'accuracy'`. */
  accuracy?: number
  [metric: string]: number | undefined
}

/** What an epoch reports beside its metrics. */
const reserved = ['loss', 'epoch', 'step', 'steps', 'samples', 'seconds', 'waiting', 'validation']

type Entry = [name: string, metric: MetricFunction<unknown, unknown> | AnyMetric]

function entriesOf(op: string, metric: Metric<never, never>): Entry[] {
  if (metric instanceof StreamingMetric) return [[metric.name, metric]]
  if (typeof metric === 'object' && metric !== null) return Object.entries(metric) as Entry[]
  if (typeof metric === 'string' && Object.hasOwn(metricsByName, metric))
    return [[metric, ofTensors(op, `metric ${metric}`, metricsByName[metric as MetricName])]]
  if (typeof metric === 'function')
    throw new TypeError(
      expected(op, 'a metric, a name or [{ name: function }] of yours', 'a function without a name to report it by'),
    )
  byName(op, 'a metric, a name or { name: function }', metric, { ...metricsByName, ...streamingByName })
  return [[metric, streamingMetric(metric, op)]]
}

function listed(op: string, what: string, metrics: unknown): Entry[] {
  if (!Array.isArray(metrics)) throw new TypeError(expected(op, what, describe(metrics)))
  const entries = metrics.flatMap((metric: Metric<never, never>) => entriesOf(op, metric))
  for (const [name, metric] of entries)
    if (typeof metric !== 'function' && !(metric instanceof StreamingMetric))
      throw new TypeError(expected(op, `a function as metric ${name}`, describe(metric)))
  return entries
}

/** A metric of one of several outputs, which is reported as `accuracy.label`. */
function ofOutput(op: string, output: string, [metricName, metric]: Entry): Entry {
  const name = `${metricName}.${output}`
  const both = (prediction: unknown, target: unknown) =>
    [outputOf(op, 'prediction', prediction, output), outputOf(op, 'target', target, output)] as const
  if (typeof metric === 'function')
    return [name, (prediction, target, ...rest: []) => metric(...both(prediction, target), ...rest)]
  return [
    name,
    new StreamingMetric<unknown, unknown, unknown>({
      name,
      batch: (prediction, target, weights) => metric.batch(...both(prediction, target), weights),
      compute: (totals) => metric.compute(totals),
    }),
  ]
}

export function metricTable(op: string, metrics: readonly Metric<never, never>[] | MetricsByOutput): MetricTable {
  const entries = isPlainObject(metrics)
    ? Object.entries(metrics).flatMap(([output, list]) =>
        listed(op, `a list of metrics of ${output}, such as { ${output}: ['accuracy'] }`, list).map((entry) =>
          ofOutput(op, output, entry),
        ),
      )
    : listed(op, "metrics, a list such as ['accuracy']", metrics)
  for (const [name] of entries)
    if (reserved.includes(name))
      throw new RangeError(expected(op, `a metric of another name than ${reserved.join(', ')}`, name))
  const all = [...new Map(entries)]
  const isStreaming = (entry: Entry): entry is [string, AnyMetric] => entry[1] instanceof StreamingMetric
  return {
    means: new Map(all.filter((entry) => !isStreaming(entry)) as [string, MetricFunction<unknown, unknown>][]),
    streaming: new Map(all.filter(isStreaming)),
  }
}

export const metricNames = ({ means, streaming }: MetricTable): string[] => [...means.keys(), ...streaming.keys()]

/** What a step gives: scalars, and what streaming metrics add. Where rows have no weights, they weigh 1 each. */
export interface StepResult {
  readonly loss: Tensor
  readonly terms: readonly Tensor[]
  readonly lossWeight: Tensor | undefined
  readonly sums: readonly Tensor[]
  readonly weight: Tensor | undefined
  readonly parts: readonly MetricParts[]
  /** What is made of the step for those that watch it. */
  readonly watched: readonly WatchedTensors[]
}

/** Of a prediction, its target and the weights of the rows, where they have some. */
export function stepResult(
  op: string,
  { means, streaming }: MetricTable,
  { total, terms, weight }: BatchLoss,
  {
    prediction,
    target,
    weights,
    rows,
  }: { prediction: unknown; target: unknown; weights: Tensor | undefined; rows: number },
): StepResult {
  // A weight of each row, also where the elements of a row have some.
  const inner = Array.from({ length: Math.max(0, (weights?.ndim ?? 1) - 1) }, (_, i) => i + 1)
  const ofRows = inner.length > 0 ? weights?.mean(inner) : weights
  const sums = Array.from(means, ([name, metric]) => {
    const rest = weights !== undefined && isError(name) ? [{ reduction: 'none' }] : []
    const value = (metric as (...args: unknown[]) => unknown)(prediction, target, ...rest)
    return rowSum(op, name, rest.length > 0 ? meanOfRows(value) : value, rows, ofRows)
  })
  const parts = Array.from(streaming.values(), (metric) => metric.batch(prediction, target, weights))
  return { loss: total, terms, lossWeight: weight, sums, weight: ofRows?.sum(), parts, watched: [] }
}

/** Errors give those of single elements, too, of which each row counts with its mean; also those of one output, `mse.box`. */
const isError = (name: string): boolean => Object.hasOwn(lossesByName, name.split('.', 1)[0]!)

const meanOfRows = (value: unknown): unknown =>
  value instanceof Tensor && value.ndim > 1 ? value.mean(value.shape.slice(1).map((_, i) => i + 1)) : value

/** A metric as a scalar sum over the rows of a batch. */
function rowSum(op: string, name: string, value: unknown, rows: number, weights: Tensor | undefined): Tensor {
  if (!(value instanceof Tensor)) throw new TypeError(expected(op, `a tensor from metric ${name}`, describe(value)))
  if (value.ndim === 0) return value.mul(weights === undefined ? rows : weights.sum())
  if (value.ndim === 1 && value.size === rows)
    return weights === undefined ? value.sum() : value.cast('float32').mul(weights).sum()
  throw new ShapeError(expected(op, `a scalar or ${rows} values from metric ${name}`, formatShape(value.shape)))
}

/** Sums: plain data, from which means follow. */
export interface Sums {
  rows: number
  /** What the rows weigh in the metrics, and in the loss. */
  weight: number
  lossWeight: number
  /** The loss of each batch times what its rows weigh. */
  loss: number
  terms: number[]
  metrics: number[]
}

/** The single steps of a crossing: their losses as means of theirs, their metrics as sums. */
export function batchesIn(result: StepResult, steps: number, rows: number): Sums[] {
  const numbers = (x: Tensor | undefined): TypedArray | undefined => x?.dataSync()
  const [loss, lossWeight, weight] = [result.loss, result.lossWeight, result.weight].map(numbers)
  const [terms, sums] = [result.terms, result.sums].map((list) => list.map((x) => x.dataSync()))
  return Array.from({ length: steps }, (_, i) => ({
    rows,
    weight: weight === undefined ? rows : elementAt(weight, i),
    lossWeight: lossWeight === undefined ? rows : elementAt(lossWeight, i),
    loss: elementAt(loss!, i),
    terms: terms!.map((term) => elementAt(term, i)),
    metrics: sums!.map((sum) => elementAt(sum, i)),
  }))
}

/** What a checkpoint keeps of an epoch's totals. */
export interface SavedTotals {
  readonly sums: Sums
  readonly streaming: readonly MetricState[]
}

/** All that an epoch has seen so far. */
export class Totals {
  readonly #metrics: MetricTable
  readonly #termNames: readonly string[]
  readonly #sums: Sums
  readonly #streaming: readonly AnyMetric[]

  constructor(metrics: MetricTable, termNames: readonly string[], saved?: SavedTotals) {
    this.#metrics = metrics
    this.#termNames = termNames
    const [terms, means] = [termNames, [...metrics.means]].map((list) => list.map(() => 0)) as [number[], number[]]
    this.#sums = saved?.sums ?? { rows: 0, weight: 0, lossWeight: 0, loss: 0, terms, metrics: means }
    this.#streaming = Array.from(metrics.streaming.values(), (metric) => metric.fresh())
    if (saved !== undefined) zipWith(this.#streaming, saved.streaming, (metric, state) => metric.loadState(state))
  }

  get rows(): number {
    return this.#sums.rows
  }

  /** Adds the single steps of a crossing, one by one. */
  addBatch(batch: Readonly<Sums>): void {
    const sums = this.#sums
    sums.rows += batch.rows
    sums.weight += batch.weight
    sums.lossWeight += batch.lossWeight
    sums.loss += batch.loss * batch.lossWeight
    batch.terms.forEach((term, i) => {
      sums.terms[i]! += term * batch.lossWeight
    })
    batch.metrics.forEach((sum, i) => {
      sums.metrics[i]! += sum
    })
  }

  /** Adds what a crossing gave for streaming metrics: stacked where it was of several steps by `scan`. */
  addParts(parts: readonly MetricParts[], steps: number | undefined): void {
    zipWith(this.#streaming, parts, (metric, part) => metric.add(part, steps === undefined ? {} : { steps }))
  }

  /** The means so far, without what is no mean. */
  means(): Scores {
    return meansOf(this.#metrics, this.#termNames, this.#sums)
  }

  /** The means, and what streaming metrics give. */
  async scores(): Promise<Scores> {
    const names = [...this.#metrics.streaming.keys()]
    const results = await Promise.all(this.#streaming.map((metric) => metric.result()))
    // A result that is no number, such as a confusion matrix, is there as it is.
    return { ...this.means(), ...(Object.fromEntries(names.map((name, i) => [name, results[i]])) as object) }
  }

  save(): SavedTotals {
    const { terms, metrics, ...sums } = this.#sums
    const copies = { terms: [...terms], metrics: [...metrics] }
    return { sums: { ...sums, ...copies }, streaming: this.#streaming.map((metric) => metric.state()) }
  }
}

function meansOf({ means }: MetricTable, termNames: readonly string[], sums: Readonly<Sums>): Scores {
  const terms = termNames.map((name, i) => [name, elementAt(sums.terms, i) / sums.lossWeight])
  const metrics = [...means.keys()].map((name, i) => [name, elementAt(sums.metrics, i) / sums.weight])
  return { loss: sums.loss / sums.lossWeight, ...Object.fromEntries([...terms, ...metrics]) }
}

/** Of a single step, whose loss is a mean already. */
export function stepMeans(metrics: MetricTable, termNames: readonly string[], batch: Readonly<Sums>): Scores {
  const { loss, lossWeight, terms } = batch
  const scaled = { ...batch, loss: loss * lossWeight, terms: terms.map((term) => term * lossWeight) }
  return { ...meansOf(metrics, termNames, scaled), loss }
}

/** What a predictor has done so far: counters and histograms, as plain data and as Prometheus' text. */
import { type Distribution, Histogram } from './histogram.ts'
import { histogram, type Labelled, metric, snake, textOf } from './prometheus.ts'

/** Of a predictor, since it was made. */
export interface PredictorStatistics {
  /** Calls of `predict`, and the rows in them. */
  readonly requests: number
  readonly rows: number
  /** Requests that were answered, refused as the queue was full, out of time, aborted, and failed by anything else. */
  readonly answered: number
  readonly rejected: number
  readonly timedOut: number
  readonly aborted: number
  readonly failed: number
  /** Batches that were computed, and the rows of zeros that filled them up to a prepared size. */
  readonly batches: number
  readonly padding: number
  /** Rows that wait, and that are being computed. */
  readonly queued: number
  readonly inFlight: number
  /** The snapshot that is served. */
  readonly version: number
  /** Rows per batch. */
  readonly batchRows: Distribution
  /** Milliseconds that rows have waited, that batches took to compute, and that requests took in all. */
  readonly queueMilliseconds: Distribution
  readonly computeMilliseconds: Distribution
  readonly requestMilliseconds: Distribution
}

const counterNames = [
  'requests',
  'rows',
  'answered',
  'rejected',
  'timedOut',
  'aborted',
  'failed',
  'batches',
  'padding',
] as const
export type CounterName = (typeof counterNames)[number]

const gaugeNames = ['queued', 'inFlight', 'version'] as const
/** What is so now, which the predictor says. */
export type Gauges = Readonly<Record<(typeof gaugeNames)[number], number>>

export const help: Readonly<Record<CounterName | keyof Gauges, string>> = {
  requests: 'Calls of predict.',
  rows: 'Rows in all requests.',
  answered: 'Requests that were answered.',
  rejected: 'Requests that were refused as the queue was full.',
  timedOut: 'Requests that were out of time.',
  aborted: 'Requests that were aborted by their caller.',
  failed: 'Requests that failed otherwise, such as by bad rows.',
  batches: 'Batches that were computed.',
  padding: 'Rows of padding in them.',
  queued: 'Rows that wait.',
  inFlight: 'Rows that are being computed.',
  version: 'The snapshot that is served.',
}

const secondsBounds = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
const rowsBounds = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024]

/** What a distribution is called by Prometheus and by OpenTelemetry, and how many of it here are one there: times are seconds there. */
export const distributions = {
  batchRows: { name: 'batch_rows', otel: 'batch.size', text: 'Rows per batch.', bounds: rowsBounds, unit: 1 },
  queueMilliseconds: {
    name: 'queue_seconds',
    otel: 'queue.duration',
    text: 'How long rows have waited.',
    bounds: secondsBounds,
    unit: 1000,
  },
  computeMilliseconds: {
    name: 'compute_seconds',
    otel: 'compute.duration',
    text: 'How long batches took to compute.',
    bounds: secondsBounds,
    unit: 1000,
  },
  requestMilliseconds: {
    name: 'request_seconds',
    otel: 'request.duration',
    text: 'How long requests took in all.',
    bounds: secondsBounds,
    unit: 1000,
  },
} as const
export const distributionNames = Object.keys(distributions) as (keyof typeof distributions)[]

export class Statistics {
  readonly counts: Record<CounterName, number> = Object.fromEntries(counterNames.map((name) => [name, 0])) as never
  readonly batchRows = new Histogram()
  readonly queueMilliseconds = new Histogram()
  readonly computeMilliseconds = new Histogram()
  readonly requestMilliseconds = new Histogram()

  toJSON(gauges: Gauges): PredictorStatistics {
    return {
      ...this.counts,
      ...gauges,
      batchRows: this.batchRows.toJSON(),
      queueMilliseconds: this.queueMilliseconds.toJSON(),
      computeMilliseconds: this.computeMilliseconds.toJSON(),
      requestMilliseconds: this.requestMilliseconds.toJSON(),
    }
  }
}

/** A predictor, and what is said of it. */
export interface Described extends Labelled {
  readonly statistics: Statistics
  readonly gauges: Gauges
}

/** Prometheus' text of one or several predictors. */
export function prometheusText(all: readonly Described[]): string {
  const counters = counterNames.flatMap((name) =>
    metric(`${snake(name)}_total`, help[name], 'counter', all, ({ statistics }) => statistics.counts[name]),
  )
  const gauges = gaugeNames.flatMap((name) => metric(snake(name), help[name], 'gauge', all, (x) => x.gauges[name]))
  const histograms = distributionNames.flatMap((key) => {
    const { name, text, bounds, unit } = distributions[key]
    return histogram(name, text, bounds, unit, all, ({ statistics }) => statistics[key])
  })
  return textOf([...counters, ...gauges, ...histograms])
}

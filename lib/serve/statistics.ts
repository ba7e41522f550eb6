/** What a predictor has done so far: counters and histograms, as plain data and as Prometheus' text. */
import { type Distribution, Histogram } from './histogram.ts'

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
type CounterName = (typeof counterNames)[number]

const gaugeNames = ['queued', 'inFlight', 'version'] as const
/** What is so now, which the predictor says. */
export type Gauges = Readonly<Record<(typeof gaugeNames)[number], number>>

const help: Readonly<Record<CounterName | keyof Gauges, string>> = {
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

/** One of those that a text is about, with what is said of it: `{ model: 'digits' }`. */
export interface Described {
  readonly statistics: Statistics
  readonly gauges: Gauges
  readonly labels: Readonly<Record<string, string>>
}

/**
 * Prometheus' text format 0.0.4 of one or several predictors: every metric once, with a line for each of them.
 * https://prometheus.io/docs/instrumenting/exposition_formats/
 */
export function prometheusText(all: readonly Described[]): string {
  const counters = counterNames.flatMap((name) =>
    metric(`${snake(name)}_total`, help[name], 'counter', all, ({ statistics }) => statistics.counts[name]),
  )
  const gauges = gaugeNames.flatMap((name) => metric(snake(name), help[name], 'gauge', all, (x) => x.gauges[name]))
  const histograms = [
    ...histogram('batch_rows', 'Rows per batch.', rowsBounds, 1, all, (x) => x.batchRows),
    ...histogram('queue_seconds', 'How long rows have waited.', secondsBounds, 1000, all, (x) => x.queueMilliseconds),
    ...histogram(
      'compute_seconds',
      'How long batches took to compute.',
      secondsBounds,
      1000,
      all,
      (x) => x.computeMilliseconds,
    ),
    ...histogram(
      'request_seconds',
      'How long requests took in all.',
      secondsBounds,
      1000,
      all,
      (x) => x.requestMilliseconds,
    ),
  ]
  return [...counters, ...gauges, ...histograms].map((line) => `${line}\n`).join('')
}

const snake = (name: string): string => name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)

const escaped = (text: string): string => text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')

function labelText(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`)
  return pairs.length === 0 ? '' : `{${pairs.join()}}`
}

const header = (name: string, text: string, type: string) => [
  `# HELP galvani_${name} ${text}`,
  `# TYPE galvani_${name} ${type}`,
]

const metric = (
  name: string,
  text: string,
  type: string,
  all: readonly Described[],
  valueIn: (x: Described) => number,
): string[] => [...header(name, text, type), ...all.map((x) => `galvani_${name}${labelText(x.labels)} ${valueIn(x)}`)]

/** The numbers are divided by `unit`, as Prometheus counts in seconds. */
function histogram(
  name: string,
  text: string,
  bounds: readonly number[],
  unit: number,
  all: readonly Described[],
  histogramOf: (x: Statistics) => Histogram,
): string[] {
  const lines = all.flatMap(({ statistics, labels }) => {
    const found = histogramOf(statistics)
    const counts = found.atMost(bounds.map((bound) => bound * unit))
    return [
      ...bounds.map((bound, i) => `galvani_${name}_bucket${labelText({ ...labels, le: String(bound) })} ${counts[i]}`),
      `galvani_${name}_bucket${labelText({ ...labels, le: '+Inf' })} ${found.count}`,
      `galvani_${name}_sum${labelText(labels)} ${found.sum / unit}`,
      `galvani_${name}_count${labelText(labels)} ${found.count}`,
    ]
  })
  return [...header(name, text, 'histogram'), ...lines]
}

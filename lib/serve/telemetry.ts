/**
 * What a predictor says to OpenTelemetry: its counters and distributions by a meter, a span for each `predict` by a tracer. Both are the user's, so
 * nothing is imported. https://opentelemetry.io/docs/specs/otel/
 */
import { checkFunction, checkText } from '../base/arguments.ts'
import { expected } from '../base/errors.ts'
import { checkOptions, type OptionTypes } from '../base/options.ts'
import { type CounterName, distributionNames, distributions, type Gauges, help, type Statistics } from './statistics.ts'

type Attributes = Record<string, string | number>

/** What is asked of a `Meter` of `@opentelemetry/api`, so that its types are needed by those alone who have it. */
export interface MeterLike {
  createHistogram(name: string, options: InstrumentOptions): { record(value: number, attributes?: Attributes): void }
  createObservableCounter(name: string, options: InstrumentOptions): ObservableLike
  createObservableUpDownCounter(name: string, options: InstrumentOptions): ObservableLike
  createObservableGauge(name: string, options: InstrumentOptions): ObservableLike
}

interface InstrumentOptions {
  description: string
  unit: string
  advice?: { explicitBucketBoundaries: number[] }
}

interface ObservableLike {
  addCallback(callback: ObservableCallback): void
  removeCallback(callback: ObservableCallback): void
}

type ObservableCallback = (result: { observe(value: number, attributes?: Attributes): void }) => void

/** What is asked of a `Tracer` of it. */
export interface TracerLike {
  startSpan(name: string, options: { attributes: Attributes }): SpanLike
}

export interface SpanLike {
  setAttribute(name: string, value: string | number): unknown
  setStatus(status: { code: number; message?: string }): unknown
  recordException(error: Error): unknown
  end(): unknown
}

export interface TelemetryOptions {
  /** `metrics.getMeter('my-service')`. */
  meter?: MeterLike
  /** `trace.getTracer('my-service')`. */
  tracer?: TracerLike
  /** What the model is called, as the attribute `galvani.model` of all that is said, and in the names of spans. */
  model?: string
}

const telemetryOptions: OptionTypes<TelemetryOptions> = { meter: 'other', tracer: 'other', model: 'string' }

/** @throws TypeError for options that do not fit */
export function checkTelemetry(op: string, given: TelemetryOptions): TelemetryOptions {
  const { meter, tracer, model } = checkOptions(`${op}: telemetry`, given, telemetryOptions)
  if (meter === undefined && tracer === undefined)
    throw new TypeError(expected(`${op}: telemetry`, 'a meter or a tracer of @opentelemetry/api', 'neither'))
  if (meter !== undefined) checkFunction(`${op}: telemetry`, 'a meter of @opentelemetry/api', meter.createHistogram)
  if (tracer !== undefined) checkFunction(`${op}: telemetry`, 'a tracer of @opentelemetry/api', tracer.startSpan)
  if (model !== undefined) checkText(`${op}: telemetry`, 'the name of the model', model)
  return { ...given }
}

/** How a request ends, as the attribute `galvani.outcome` has it. */
const outcomes = {
  answered: 'answered',
  rejected: 'rejected',
  timedOut: 'timed_out',
  aborted: 'aborted',
  failed: 'failed',
} as const satisfies Partial<Record<CounterName, string>>
export type OutcomeName = keyof typeof outcomes

/** Of what the counters are that have no outcome, in UCUM. */
const units = { requests: '{request}', rows: '{row}', batches: '{batch}', padding: '{row}' } as const

const prefix = 'galvani.predictor'

/** Of the status of a span that has failed. */
const errorStatus = 2

export class Telemetry {
  readonly #attributes: Attributes
  readonly #forget: (() => void)[] = []

  constructor(
    private readonly options: TelemetryOptions,
    private readonly statistics: Statistics,
    private readonly gauges: () => Gauges,
  ) {
    const { model, meter } = options
    this.#attributes = model === undefined ? {} : { 'galvani.model': model }
    if (meter !== undefined) this.#describe(meter)
  }

  #describe(meter: MeterLike): void {
    const { counts } = this.statistics
    for (const name of distributionNames) {
      const { otel, text, bounds, unit } = distributions[name]
      const made = meter.createHistogram(`${prefix}.${otel}`, {
        description: text,
        unit: unit === 1 ? '{row}' : 's',
        advice: { explicitBucketBoundaries: [...bounds] },
      })
      this.statistics[name].onAdd = (value) => quietly(() => made.record(value / unit, this.#attributes))
      this.#forget.push(() => {
        this.statistics[name].onAdd = undefined
      })
    }
    for (const name of Object.keys(units) as (keyof typeof units)[]) {
      const options = { description: help[name], unit: units[name] }
      this.#observe(meter.createObservableCounter(`${prefix}.${name}`, options), (say) => {
        if (name !== 'requests') return say(counts[name])
        for (const outcome of Object.keys(outcomes) as OutcomeName[])
          say(counts[outcome], { 'galvani.outcome': outcomes[outcome] })
      })
    }
    const rows = (name: 'queued' | 'inFlight') => ({ description: help[name], unit: '{row}' })
    const waiting = meter.createObservableUpDownCounter(`${prefix}.queued`, rows('queued'))
    this.#observe(waiting, (say) => say(this.gauges().queued))
    const computing = meter.createObservableUpDownCounter(`${prefix}.in_flight`, rows('inFlight'))
    this.#observe(computing, (say) => say(this.gauges().inFlight))
    const version = { description: help.version, unit: '1' }
    this.#observe(meter.createObservableGauge(`${prefix}.version`, version), (say) => say(this.gauges().version))
  }

  #observe(observable: ObservableLike, tell: (say: (value: number, attributes?: Attributes) => void) => void): void {
    const callback: ObservableCallback = (result) =>
      tell((value, attributes) => result.observe(value, { ...this.#attributes, ...attributes }))
    observable.addCallback(callback)
    this.#forget.push(() => observable.removeCallback(callback))
  }

  /** Begins a span in the context of whoever calls; undefined without a tracer. */
  begin(): SpanLike | undefined {
    const { tracer, model } = this.options
    const name = model === undefined ? 'predict' : `predict ${model}`
    return tracer && quietly(() => tracer.startSpan(name, { attributes: { ...this.#attributes } }))
  }

  /** Ends a span. `batchRows` is the size of the last batch that it had rows in, 0 where it came to none. */
  end(
    span: SpanLike | undefined,
    outcome: OutcomeName,
    request: { rows: number; batchRows: number },
    error?: unknown,
  ): void {
    if (span === undefined) return
    quietly(() => {
      if (request.rows > 0) span.setAttribute('galvani.rows', request.rows)
      if (request.batchRows > 0) span.setAttribute('galvani.batch.size', request.batchRows)
      span.setAttribute('galvani.version', this.gauges().version)
      span.setAttribute('galvani.outcome', outcomes[outcome])
      if (outcome !== 'answered') tellError(span, outcome, error)
      span.end()
    })
  }

  /** Says nothing any more. */
  close(): void {
    for (const forget of this.#forget.splice(0)) quietly(forget)
  }
}

function tellError(span: SpanLike, outcome: OutcomeName, error: unknown): void {
  const { name, message } = error instanceof Error ? error : { name: outcomes[outcome], message: String(error) }
  span.setAttribute('error.type', name)
  if (error instanceof Error) span.recordException(error)
  // Whoever takes a request back has wanted it so.
  if (outcome !== 'aborted') span.setStatus({ code: errorStatus, message })
}

/** What a meter or tracer throws is a warning, as no request is to blame. */
function quietly<T>(tell: () => T): T | undefined {
  try {
    return tell()
  } catch (error) {
    process.emitWarning(error instanceof Error ? error : String(error))
    return undefined
  }
}

/** A predictor: requests wait in a queue, are joined to batches, and are answered when these were computed: off the event loop, unless that takes no time. */
import { AsyncResource } from 'node:async_hooks'
import { isIdle } from '../backend/active.ts'
import { type Abortable, liveSignal, reasonOf } from '../base/abort.ts'
import { checkInteger, checkNumber } from '../base/arguments.ts'
import { expected } from '../base/errors.ts'
import { checkOptions } from '../base/options.ts'
import { startTimer } from '../base/timers.ts'
import type { Tensor } from '../tensor/tensor.ts'
import type { Variable } from '../tensor/variable.ts'
import { type AnyTrainable, checkModel, type Trainable } from '../train/options.ts'
import { Batcher } from './batcher.ts'
import { ClosedError, QueueFullError, TimeoutError } from './errors.ts'
import type { InputSpec, Row, RowValues } from './inputs.ts'
import { LatencyModel } from './latency.ts'
import { checkedOptions, type PredictorOptions, type RequestOptions, requestOptions } from './options.ts'
import type { OutputType } from './outputs.ts'
import { Waiting, WaitingQueue } from './queue.ts'
import { type Outcome, Request, type RequestRow } from './request.ts'
import { ServedModel } from './served-model.ts'
import type { SharedParameters } from './shared-parameters.ts'
import { type Described, type PredictorStatistics, prometheusText, Statistics } from './statistics.ts'
import { type OutcomeName, type SpanLike, Telemetry } from './telemetry.ts'

const op = 'predictor'

/** Batches in flight, and where whole ones wait. */
const [usualInFlight, wholeInFlight] = [2, 8]

/**
 * Milliseconds of a batch that is computed on the event loop: as long as a few requests are read in, and as handing it to another thread and back
 * takes where processors are busy; those above which it is not tried there, and above which a run is not timed again.
 */
const [quick, mostTried, longRun] = [0.1, 1, 20]

/** The least milliseconds of several runs, of which others may have had the processor; of one that takes long. */
async function leastTime(run: () => unknown): Promise<number> {
  let least = Infinity
  for (let i = 0; i < 5 && (i === 0 || least < longRun); i++) {
    const start = performance.now()
    await run()
    least = Math.min(least, performance.now() - start)
  }
  return least
}

/** What is in a predictor, for the others of this folder. */
export let servedBy: (predictor: Predictor) => ServedModel

/** Made by `predictor`. */
export class Predictor<Answer = unknown> {
  readonly #served: ServedModel
  readonly #settings: ReturnType<typeof checkedOptions>
  readonly #latency: LatencyModel
  readonly #batcher: Batcher
  readonly #queue = new WaitingQueue<RequestRow>()
  readonly #statistics = new Statistics()
  readonly #telemetry: Telemetry | undefined
  /** The context that batches are computed in: that of whoever made the predictor, and never one that a request came in. */
  readonly #scope = new AsyncResource('galvani.predictor')
  /** Sizes whose batches are quick at all lengths; those are left that the warm-up finds so. */
  readonly #quickSizes: Set<number>
  #batchesInFlight = 0
  #rowsInFlight = 0
  #turn: NodeJS.Immediate | undefined
  #timer: NodeJS.Timeout | undefined
  #outputTypes: readonly OutputType[] = []
  #isReady = false
  #closing: Promise<void> | undefined
  #drained: (() => void) | undefined

  static {
    servedBy = (predictor) => predictor.#served
  }

  /** @internal */
  constructor(model: AnyTrainable, options: PredictorOptions) {
    checkModel(op, model)
    this.#settings = checkedOptions(op, options)
    this.#served = new ServedModel(op, model, options)
    this.#latency = new LatencyModel(this.#settings.sizes)
    this.#quickSizes = new Set(this.#settings.sizes)
    this.#batcher = new Batcher(this.#settings, this.#latency)
    const { telemetry } = this.#settings
    this.#telemetry = telemetry && new Telemetry(telemetry, this.#statistics, () => this.#gauges)
  }

  /** What a row is, of each input. */
  get inputs(): readonly InputSpec[] {
    return this.#served.reader.specs
  }

  /** What the answer to a row is made of. */
  get outputs(): readonly OutputType[] {
    return this.#outputTypes
  }

  /** How many classes an answer has, and whether by name; undefined without `topK`. */
  get topClasses(): { readonly count: number; readonly named: boolean } | undefined {
    return this.#served.outputs.topClasses
  }

  /** Whether it answers: all programs are prepared, and it is not being closed. */
  get ready(): boolean {
    return this.#isReady && this.#closing === undefined
  }

  /** The snapshot that is served: 1, and one more after each swap; of one that follows another predictor, the version of that. */
  get version(): number {
    return this.#served.snapshot.version
  }

  /** @internal Prepares a program for each size and length, and has each run. */
  async warmUp(): Promise<this> {
    const { reader, outputs } = this.#served
    for (const length of reader.lengths.length === 0 ? [0] : reader.lengths)
      for (const size of this.#settings.sizes) {
        const rows = Array.from({ length: size }, () => reader.zeros(length))
        this.#outputTypes = outputs.types(await this.#served.compute(rows, size))
        // Again, as memory is touched for the first time in the first run.
        const milliseconds = await leastTime(() => this.#served.compute(rows, size))
        this.#latency.observe(size, milliseconds)
        const isQuick = milliseconds < mostTried && (await this.#isQuick(rows, size))
        if (!isQuick) this.#quickSizes.delete(size)
      }
    this.#isReady = true
    return this
  }

  async #isQuick(rows: readonly Row[], size: number): Promise<boolean> {
    try {
      return (await leastTime(() => this.#served.computeHere(rows, size))) <= quick
    } catch {
      // What has no known end, a whileLoop without maxSteps, may not run there at all.
      return false
    }
  }

  /**
   * Has rows answered, in a batch with others that wait.
   *
   * @param rows a row, or several: nested arrays, a typed array of the elements of a row or of several rows, or a tensor; of several
   * inputs a record of them
   * @returns of one row its answer, of several a list: the elements of each output as a typed array, in a record or list where the model gives
   * several; with `topK` the likeliest classes
   * @throws (rejects with) TypeError, ShapeError, RangeError for rows that are none; QueueFullError, TimeoutError; ClosedError after
   * `close`; the signal's reason. It never throws at once.
   *
   * @example
   * const { classes } = await p.predict(pixels, { timeout: 50 })
   */
  predict(rows: RowValues, options?: RequestOptions, ...surplus: []): Promise<Answer> {
    this.#statistics.counts.requests++
    const span = this.#telemetry?.begin()
    return new Promise((resolve, reject) => {
      const settle = (outcome: Outcome) => {
        // It may end before all of them are computed.
        for (const row of request.waiting) this.#queue.remove(row)
        this.#count(request, outcome, options?.signal, span)
        if ('error' in outcome) reject(outcome.error)
        else resolve((request.isSingle ? outcome.answers[0] : outcome.answers) as Answer)
      }
      // What is said to OpenTelemetry of a request is said in its caller's context.
      const settled = this.#telemetry === undefined ? settle : AsyncResource.bind(settle)
      const request = new Request(performance.now(), settled)
      try {
        this.#enqueue(request, rows, checkOptions('predict', options, requestOptions, surplus))
      } catch (error) {
        request.fail(error)
      }
    })
  }

  #count(request: Request, outcome: Outcome, signal: Abortable | undefined, span: SpanLike | undefined): void {
    const { counts, requestMilliseconds } = this.#statistics
    if ('error' in outcome) {
      const name = counterOf(outcome.error, signal)
      counts[name]++
      this.#telemetry?.end(span, name, request, outcome.error)
    } else {
      counts.answered++
      requestMilliseconds.add(performance.now() - request.since)
      this.#telemetry?.end(span, 'answered', request)
    }
  }

  #enqueue(
    request: Request,
    given: RowValues,
    { signal: givenSignal, timeout = this.#settings.timeout, priority = 0 }: RequestOptions,
  ): void {
    if (this.#closing !== undefined) throw new ClosedError('predict: the predictor is closed')
    const signal = liveSignal('predict', { signal: givenSignal })
    checkInteger('predict', 'a priority from 0 to 9', priority, 0, 9)
    if (timeout !== undefined) checkNumber('predict', 'a timeout of at least 0', timeout, (x) => x >= 0)
    const { reader } = this.#served
    const { rows, isSingle } = reader.read(given)
    this.#statistics.counts.rows += rows.length
    const why = this.#whyFull(rows.length)
    if (why !== undefined) throw new QueueFullError(why)
    request.expect(rows.length, isSingle)
    if (signal !== undefined) request.endBy(signal)
    if (timeout !== undefined && timeout < Infinity) request.endAfter(timeout)
    const rank = request.since - priority * this.#settings.patience
    for (const [place, row] of rows.entries()) {
      const waiting = new Waiting({ request, place, row }, rank, priority, String(reader.padded(row.length)))
      request.waiting.push(waiting)
      this.#queue.add(waiting)
    }
    this.#wake()
  }

  /**
   * @internal Refuses a request before anybody reads what is in it, where there is no room for a single row: it is counted then. An error would cost
   * more than the rest of a refusal, by its stack.
   * @returns why; undefined where there is room
   */
  refusal(): string | undefined {
    const why = this.#whyFull(1)
    if (why === undefined) return undefined
    this.#statistics.counts.requests++
    this.#statistics.counts.rejected++
    return why
  }

  /** Why so many rows more may not wait; undefined where they may. */
  #whyFull(rows: number): string | undefined {
    const waiting = this.#queue.size
    const { maxQueue } = this.#settings
    if (waiting + rows > maxQueue)
      return expected('predict', `room for ${rows} of at most ${maxQueue} rows that wait`, `${waiting} that do`)
    if (!this.#batcher.isInTime(waiting + rows - 1 + this.#rowsInFlight))
      return expected('predict', 'an answer within targetP99', `${waiting} rows that wait before it`)
    return undefined
  }

  /** Looks at the queue once all that came in this turn of the event loop is in it. */
  #wake(): void {
    this.#turn ??= setImmediate(() => {
      this.#turn = undefined
      this.#scope.runInAsyncScope(() => this.#dispatch())
    })
  }

  #dispatch(): void {
    clearTimeout(this.#timer)
    for (let next = this.#queue.next(); next !== null; next = this.#queue.next()) {
      const { first, size } = next
      if (this.#batchesInFlight >= this.#mostInFlight(size)) return
      const isClosing = this.#closing !== undefined
      const decision = this.#batcher.decide({
        rows: size,
        waited: isClosing ? Infinity : performance.now() - first.value.request.since,
      })
      if ('wait' in decision) {
        this.#timer = startTimer(() => this.#dispatch(), Math.ceil(decision.wait))
        return
      }
      void this.#answer(this.#queue.take(first.kind, decision.run))
    }
  }

  /** More where whole batches wait: while many requests are read in one turn of the event loop, it gives nothing to compute. */
  #mostInFlight(rows: number): number {
    const { maxInFlight } = this.#settings
    return maxInFlight ?? (rows >= this.#batcher.mostRows ? wholeInFlight : usualInFlight)
  }

  async #answer(rows: readonly RequestRow[]): Promise<void> {
    const start = performance.now()
    for (const { request } of rows) this.#statistics.queueMilliseconds.add(start - request.since)
    this.#batchesInFlight++
    this.#rowsInFlight += rows.length
    await this.#answerTogether(rows)
    this.#batchesInFlight--
    this.#rowsInFlight -= rows.length
    this.#dispatch()
    if (this.#batchesInFlight === 0 && this.#queue.size === 0) this.#drained?.()
  }

  /** Halves a batch that fails, until what is wrong with a row is that of its request alone. */
  async #answerTogether(rows: readonly RequestRow[]): Promise<void> {
    try {
      const answers = await this.#computeAnswers(rows)
      for (const [i, { request, place }] of rows.entries()) request.answer(place, answers[i])
    } catch (error) {
      if (rows.length === 1) return rows[0]!.request.fail(error)
      const middle = rows.length >> 1
      await this.#answerTogether(rows.slice(0, middle))
      await this.#answerTogether(rows.slice(middle))
    }
  }

  async #computeAnswers(rows: readonly RequestRow[]): Promise<unknown[]> {
    const size = this.#settings.sizes.find((size) => size >= rows.length)!
    const { counts, batchRows, computeMilliseconds } = this.#statistics
    const start = performance.now()
    const results = await this.#compute(
      rows.map(({ row }) => row),
      size,
    )
    const milliseconds = performance.now() - start
    this.#latency.observe(size, milliseconds)
    if (this.#telemetry !== undefined) for (const { request } of rows) request.batchRows = rows.length
    counts.batches++
    counts.padding += size - rows.length
    batchRows.add(rows.length)
    computeMilliseconds.add(milliseconds)
    return this.#served.outputs.cut(results, rows.length)
  }

  /** On the event loop where that takes no longer than to hand it over, and it has to wait for nothing. */
  #compute(rows: readonly Row[], size: number): unknown {
    return this.#quickSizes.has(size) && isIdle()
      ? this.#served.computeHere(rows, size)
      : this.#served.compute(rows, size)
  }

  /**
   * Serves from the next batch on what the model holds now, or the values that `snapshot` gave. Each batch has all its parameters of
   * one version.
   * @returns the number of the version that is served now
   * @throws TypeError while it follows another predictor, TypeError, RangeError for values that do not fit: then nothing is taken over
   */
  swap(values?: ReadonlyMap<Variable, Tensor>): number {
    this.#served.snapshot.swap(values)
    return this.version
  }

  /** What is served now, for `swap` to go back to. */
  snapshot(): ReadonlyMap<Variable, Tensor> {
    return this.#served.snapshot.values
  }

  /**
   * What predictors of the same model follow in other threads: plain data for `workerData` and `postMessage`, in shared memory, that has
   * what is served now, and from then on what each swap takes over. It is as large as the parameters three times.
   * @throws RangeError where there is no memory for it
   *
   * @example
   * const worker = new Worker('./worker.mjs', { workerData: p.share() })
   */
  share(): SharedParameters {
    return this.#served.snapshot.share()
  }

  /**
   * Serves what a predictor in another thread serves, by what its `share` gave: at once, and whenever it has swapped. It keeps no process alive,
   * and ends with `close`, or when it follows another one.
   * @returns ends it: what is served then stays
   * @throws TypeError for parameters that are not those of this model, of which it names the first; ClosedError after `close`
   *
   * @example
   * const stop = p.follow(workerData)
   */
  follow(shared: SharedParameters): () => void {
    if (this.#closing !== undefined) throw new ClosedError('follow: the predictor is closed')
    return this.#served.snapshot.follow(shared)
  }

  statistics(): PredictorStatistics {
    return this.#statistics.toJSON(this.#gauges)
  }

  /** The statistics in Prometheus' text format, with labels that are the predictor's: `{ model: 'digits' }`. */
  prometheus(labels: Readonly<Record<string, string>> = {}): string {
    return prometheusText([this.described(labels)])
  }

  /** @internal */
  described(labels: Readonly<Record<string, string>>): Described {
    return { statistics: this.#statistics, gauges: this.#gauges, labels }
  }

  get #gauges() {
    return { queued: this.#queue.size, inFlight: this.#rowsInFlight, version: this.version }
  }

  /** Takes no more requests, and settles once those that wait are answered. */
  close(): Promise<void> {
    if (this.#closing !== undefined) return this.#closing
    this.#served.snapshot.unfollow()
    this.#closing = new Promise<void>((resolve) => {
      this.#drained = resolve
    }).then(() => this.#telemetry?.close())
    // Rows wait for no others any more, and where there are none the timer for them would keep the process.
    this.#scope.runInAsyncScope(() => this.#dispatch())
    if (this.#batchesInFlight === 0 && this.#queue.size === 0) this.#drained?.()
    return this.#closing
  }
}

function counterOf(error: unknown, signal: Abortable | undefined): Exclude<OutcomeName, 'answered'> {
  if (error instanceof QueueFullError) return 'rejected'
  if (error instanceof TimeoutError) return 'timedOut'
  return signal !== undefined && typeof signal.throwIfAborted === 'function' && reasonOf(signal)?.reason === error
    ? 'aborted'
    : 'failed'
}

/**
 * Has a model answer requests of a service: rows that wait are joined to batches, filled up to sizes of which programs are
 * prepared at the beginning, and computed in evaluation mode, on a copy of the parameters that training does not touch: off the event loop, but for sizes
 * that take at most 0.1 milliseconds, while nothing else is under way.
 *
 * @returns once every program was prepared and has run
 * @throws (rejects with) TypeError, RangeError, ShapeError for options or a model that do not fit
 *
 * @example
 * const p = await predictor(model, { inputShape: [784], output: { softmax: true, topK: 3 } })
 * const { classes, values } = await p.predict(pixels)
 * await p.close()
 */
export async function predictor<Answer = unknown>(
  model: Trainable<never, unknown>,
  options: PredictorOptions,
): Promise<Predictor<Answer>> {
  return new Predictor<Answer>(model, options).warmUp()
}

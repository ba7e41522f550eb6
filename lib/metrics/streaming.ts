/** Metrics that go over data batch by batch: what a batch adds is computed in a program, and the result is exact over all of them. */
import { checkFunction, checkInteger, checkText, describe, refuseSurplus } from '../base/arguments.ts'
import { notCloned } from '../base/cloning.ts'
import { expected } from '../base/errors.ts'
import { brand } from '../base/identity.ts'
import { showAsText } from '../base/inspection.ts'
import { checkOptions, checkRecord, isPlainObject, type OptionTypes } from '../base/options.ts'
import { stopGradient } from '../operations/gradient.ts'
import { Tensor, type TensorLike, toTensor } from '../tensor/tensor.ts'
import { type Compiled, compile } from '../transforms/compile.ts'
import { Accumulator, checkParts, checkSteps, checkTotals, type MetricParts, type MetricTotals } from './totals.ts'

/** What makes a metric: what one batch adds, and what follows from all that was added. */
export interface MetricDefinition<Prediction = Tensor, Target = Tensor, Result = number> {
  /** What errors and histories call it. */
  readonly name: string
  /**
   * Called when a step is recorded, not for each batch: what one batch adds, as tensors.
   * @param weights of the samples, where they have any: [rows], or with more of the leading axes of the targets
   */
  batch(prediction: Prediction, target: Target, weights?: Tensor): MetricParts
  compute(totals: MetricTotals): Result | PromiseLike<Result>
}

export interface UpdateOptions {
  /** Of the samples: [rows], or with more of the leading axes of the targets. Each counts once unless given. */
  weights?: TensorLike
}

const updateOptions: OptionTypes<UpdateOptions> = { weights: 'other' }

export interface AddOptions {
  /** How many steps the parts are stacked of, along the first axis of each, as `scan` of a compiled step gives them. */
  steps?: number
}

const addOptions: OptionTypes<AddOptions> = { steps: 'number' }

/** What a metric has seen, as plain data: numbers, lists and typed arrays. */
export interface MetricState extends MetricTotals {
  readonly name: string
  /** How many batches were added. */
  readonly batches: number
}

/** Of any data and results. */
// biome-ignore lint/suspicious/noExplicitAny: parameters of methods, which no unknown stands for
export type AnyMetric = StreamingMetric<any, any, unknown>

/**
 * A metric over all data that it is shown, batch by batch: exact where the batches differ in size. `metrics.streaming` makes those that
 * are known; one of your own is `new StreamingMetric({ name, batch, compute })`. It is what TorchMetrics and Keras call a Metric:
 * `update` (Keras: update_state), `result` (TorchMetrics: compute), `reset`.
 *
 * @example
 * const auc = metrics.streaming.rocAuc()
 * for (const [x, y] of batches) await auc.update(model.forward(x), y)
 * console.log(await auc.result())
 *
 * @example
 * // In a compiled step of your own: what a batch adds is a result of it.
 * const step = compile((x, y) => {
 *   const logits = model.forward(x)
 *   return [optimizer.minimize(() => losses.crossEntropy(logits, y)), accuracy.batch(logits, y)]
 * })
 * const [loss, parts] = await step(images, labels)
 * accuracy.add(parts)
 */
export class StreamingMetric<Prediction = Tensor, Target = Tensor, Result = number>
  implements MetricDefinition<Prediction, Target, Result>
{
  protected readonly notCloned = notCloned('a metric: send its state()')
  readonly #definition: MetricDefinition<Prediction, Target, Result>
  readonly #name: string
  #seen: Accumulator
  #batches = 0
  /** Settles when all updates so far have ended. */
  #updates: Promise<unknown> = Promise.resolve()
  #compiled: Compiled<[Prediction, Target, Tensor | undefined], MetricParts> | undefined

  /** @throws TypeError for a definition that lacks something */
  constructor(definition: MetricDefinition<Prediction, Target, Result>, ...surplus: []) {
    refuseSurplus('StreamingMetric', 1, surplus)
    if (typeof definition !== 'object' || definition === null)
      throw new TypeError(expected('StreamingMetric', 'a definition { name, batch, compute }', describe(definition)))
    this.#name = checkText('StreamingMetric', 'a definition with a name', definition.name)
    checkFunction('StreamingMetric', 'a definition with a function batch', definition.batch)
    checkFunction('StreamingMetric', 'a definition with a function compute', definition.compute)
    this.#definition = definition
    this.#seen = new Accumulator(this.#name)
  }

  get name(): string {
    return this.#name
  }

  toString(): string {
    return `StreamingMetric ${this.#name}`
  }

  /** What one batch adds, for a compiled step that returns it: see `add`. */
  batch(prediction: Prediction, target: Target, weights?: Tensor, ...surplus: []): MetricParts {
    refuseSurplus('batch', 3, surplus)
    if (weights !== undefined && !(weights instanceof Tensor))
      throw new TypeError(expected('batch', 'a tensor as weights', describe(weights)))
    return checkParts(this.#name, this.#definition.batch(prediction, target, weights))
  }

  /** The result of any totals, such as a state that was saved. */
  async compute(totals: MetricTotals, ...surplus: []): Promise<Result> {
    refuseSurplus('compute', 1, surplus)
    return this.#definition.compute(checkTotals('compute', totals))
  }

  /** Adds what `batch` gave, as a step returned it: that of one batch, or of so many steps stacked. */
  add(parts: MetricParts, options?: AddOptions, ...surplus: []): void {
    const { steps } = checkOptions('add', options, addOptions, surplus)
    this.#seen.add(checkParts('add', parts), checkSteps('add', parts, steps))
    this.#batches += steps ?? 1
  }

  /**
   * Adds a batch, which is computed off the event loop in a program of its own. Updates that are not awaited are waited for by `result`.
   * @throws (rejects with) what the metric says of data that do not fit it; nothing is added then
   */
  async update(
    prediction: Prediction | TensorLike,
    target: Target | TensorLike,
    options?: UpdateOptions,
    ...surplus: []
  ): Promise<void> {
    const { weights } = checkOptions('update', options, updateOptions, surplus)
    const [x, y] = [operand(prediction), operand(target)] as [Prediction, Target]
    const w = weights === undefined ? undefined : toTensor('update', weights)
    this.#compiled ??= compile((x: Prediction, y: Target, w: Tensor | undefined) =>
      this.batch(x instanceof Tensor ? (stopGradient(x) as Prediction) : x, y, w),
    )
    const seen = this.#seen
    const update = this.#compiled(x, y, w).then((parts) => {
      // A reset meanwhile has forgotten it.
      if (this.#seen === seen) this.add(parts)
    })
    this.#updates = Promise.allSettled([this.#updates, update])
    return update
  }

  /**
   * From all that was added.
   * @throws (rejects with) an Error where nothing was
   */
  async result(): Promise<Result> {
    await this.#updates
    if (this.#batches === 0) throw new Error(expected(this.#name, 'at least one batch before its result', 'none'))
    return this.#definition.compute(this.#seen.totals())
  }

  /** Forgets all that was added. */
  reset(): void {
    this.#seen = new Accumulator(this.#name)
    this.#batches = 0
  }

  /** One of the same definition that has seen nothing. */
  fresh(): StreamingMetric<Prediction, Target, Result> {
    return new StreamingMetric(this.#definition)
  }

  /** All that was added, as plain data. */
  state(): MetricState {
    return { name: this.#name, batches: this.#batches, ...this.#seen.totals() }
  }

  /**
   * Goes on from what `state` gave, and forgets what was added before.
   * @throws TypeError for anything else; RangeError for the state of another metric
   */
  loadState(state: MetricState, ...surplus: []): void {
    refuseSurplus('loadState', 1, surplus)
    const { name, batches, ...totals } = checkRecord('loadState', 'a state', state)
    if (name !== this.#name) throw new RangeError(expected('loadState', `a state of ${this.#name}`, describe(name)))
    checkInteger('loadState', 'a state with a number of batches', batches, 0)
    const seen = new Accumulator(this.#name)
    seen.merge(checkTotals('loadState', totals))
    this.#seen = seen
    this.#batches = batches
  }

  /**
   * Adds what another metric of the same kind has seen, as that of another worker.
   * @throws RangeError for a metric of another name
   */
  merge(other: StreamingMetric<Prediction, Target, Result>, ...surplus: []): void {
    refuseSurplus('merge', 1, surplus)
    if (!(other instanceof StreamingMetric)) throw new TypeError(expected('merge', 'a metric', describe(other)))
    if (other.#name !== this.#name) throw new RangeError(expected('merge', `a metric ${this.#name}`, other.#name))
    this.#seen.merge(other.#seen.totals())
    this.#batches += other.#batches
  }
}

brand(StreamingMetric.prototype, 'metric')
showAsText(StreamingMetric.prototype)

/** Several tensors stay as they are; numbers become one. */
const operand = (x: unknown): unknown =>
  isPlainObject(x) || (Array.isArray(x) && x.some((each) => each instanceof Tensor))
    ? x
    : toTensor('update', x as TensorLike)

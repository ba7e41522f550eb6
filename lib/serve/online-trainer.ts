/** Learning while serving: rows with targets are trained on in the background, and what is learned is served once it is no worse. */
import { AsyncResource } from 'node:async_hooks'
import { describe, refuseSurplus } from '../base/arguments.ts'
import { expected, ShapeError } from '../base/errors.ts'
import { checkOptions } from '../base/options.ts'
import { startTimer } from '../base/timers.ts'
import { tell } from '../base/warning.ts'
import { checkPath } from '../files/file-error.ts'
import { withMode } from '../nn/module.ts'
import type { Minimizer } from '../optim/minimizer.ts'
import { type RandomStream, randomStream } from '../tensor/random.ts'
import type { StateDict } from '../tensor/state-dict.ts'
import type { Tensor } from '../tensor/tensor.ts'
import type { Variable } from '../tensor/variable.ts'
import { isSameDirectory } from '../train/checkpoints.ts'
import { trainingLoss } from '../train/loss.ts'
import { modelState } from '../train/model-state.ts'
import { type AnyTrainable, checkModel, type Trainable } from '../train/options.ts'
import { loadState } from '../train/resume.ts'
import { namesOf, parametersOf } from '../train/steps.ts'
import { type Compiled, compile } from '../transforms/compile.ts'
import { ClosedError } from './errors.ts'
import { type Example, Examples, mostHeldOut } from './examples.ts'
import type { InputSpec, InputValues, RowValues } from './inputs.ts'
import { learningText, type OnlineTrainerStatistics } from './learning-statistics.ts'
import {
  checkedOptions,
  type OnlineTrainerOptions,
  type RollbackOptions,
  type Round,
  rollbackOptions,
} from './online-options.ts'
import { type Predictor, servedBy } from './predictor.ts'
import { newestState, TrainerCheckpoints, type TrainerState } from './trainer-checkpoints.ts'

interface Version {
  readonly number: number
  readonly values: ReadonlyMap<Variable, Tensor>
  /** Undefined before the first step was recorded, as the optimizer has not met its parameters then, or where it has no state. */
  optimizer: StateDict | undefined
}

const op = 'onlineTrainer'

/** Of those that are held out: in parts, so that requests do not wait for all of them. */
const scoredAtOnce = 64

/** Losses on the rows that are held out. */
interface Scores {
  readonly served: number
  readonly learned: number
}

/** Made by `onlineTrainer`. */
export class OnlineTrainer {
  readonly #settings: ReturnType<typeof checkedOptions>
  readonly #predictor: Predictor
  readonly #model: AnyTrainable
  readonly #optimizer: Minimizer
  /** The parameters that are trained, as the optimizer knows them. */
  readonly #names: Record<string, Variable>
  readonly #examples: Examples
  /** The random numbers of steps. */
  readonly #random: RandomStream
  readonly #step: Compiled<[parts: Tensor[], target: Tensor], Tensor>
  readonly #scores: Compiled<[parts: Tensor[], target: Tensor], { served: Tensor; learned: Tensor }>
  readonly #versions: Version[] = []
  readonly #counts = { steps: 0, rounds: 0, swaps: 0, keptBack: 0, undone: 0 }
  #last: Round | null = null
  #fresh = 0
  /** The context of rounds: that of whoever made the trainer, and not of whoever happened to send the row that began one. */
  readonly #scope = new AsyncResource('galvani.trainer')
  #hasMetOptimizer = false
  #training: Promise<void> | undefined
  #isClosed = false
  /** What training ended with that no row is to blame for: it is not begun again. */
  #failure: { readonly error: unknown } | undefined
  readonly #checkpoints: TrainerCheckpoints | undefined
  /** Rows that came while a checkpoint was being read; undefined while none is. */
  #early: Example[] | undefined

  /** @internal */
  constructor(model: AnyTrainable, options: OnlineTrainerOptions) {
    checkModel(op, model)
    this.#settings = checkedOptions(op, options)
    this.#predictor = options.predictor
    this.#model = model
    this.#optimizer = options.optimizer
    const parameters = parametersOf(op, model).filter(({ trainable }) => trainable)
    this.#names = namesOf(model, parameters)
    const served = servedBy(options.predictor)
    this.#examples = new Examples(op, served, this.#settings)
    this.#random = randomStream(this.#settings.seed >>> 0)
    const { checkpoint } = this.#settings
    this.#checkpoints = checkpoint && new TrainerCheckpoints(op, checkpoint, this.#examples.specs)
    const loss = trainingLoss(op, { loss: options.loss })
    const lossOf = (parts: Tensor[], target: Tensor) =>
      loss.of(model.forward(served.inputOf(parts) as never), target, undefined).total
    const update = (parts: Tensor[], target: Tensor) =>
      withMode(model, parameters, true, () => options.optimizer.minimize(() => lossOf(parts, target), this.#names))
    this.#step = compile((parts: Tensor[], target: Tensor) => this.#random.run(() => update(parts, target)))
    this.#scores = compile((parts: Tensor[], target: Tensor) => ({
      served: served.snapshot.record(() => lossOf(parts, target)),
      learned: withMode(model, parameters, false, () => lossOf(parts, target)),
    }))
    this.#keepVersion()
  }

  /**
   * Takes rows with what they should have been answered, as copies, and begins a round of training once enough have come.
   *
   * @param rows as `predict` takes them
   * @param targets of each row one: a number for a row by itself, else a list
   * @returns how many rows that were
   * @throws TypeError, ShapeError, RangeError for what does not fit, and then none is taken; ClosedError after `close`; what a round
   * before failed with, after which no other begins
   *
   * @example
   * trainer.learn(pixels, 7)
   */
  learn(rows: RowValues, targets: InputValues, ...surplus: unknown[]): number {
    if (surplus.length > 0) throw new TypeError(expected('learn', 'rows and targets', describe(surplus[0])))
    this.#checkLearning()
    return this.#take(this.#examples.read(rows, targets).examples)
  }

  /** @internal `learn` of several rows, with their number first also where it is one. */
  learnRows(rows: RowValues, targets: InputValues): number {
    this.#checkLearning()
    const { examples, isSingle } = this.#examples.read(rows, targets)
    if (isSingle) throw new ShapeError(expected('learn', 'rows, with the number of them as first extent', 'one row'))
    return this.#take(examples)
  }

  #checkLearning(): void {
    if (this.#isClosed) throw new ClosedError('learn: the trainer is closed')
    this.#throwFailure()
  }

  #take(examples: readonly Example[]): number {
    for (const example of examples) {
      if (this.#early !== undefined) this.#early.push(example)
      else if (this.#examples.add(example)) this.#fresh++
    }
    if (this.#fresh >= this.#settings.every) this.#begin()
    return examples.length
  }

  /**
   * Settles when no round is under way.
   * @throws (rejects with) what training failed with
   */
  async idle(): Promise<void> {
    await this.#training
    this.#throwFailure()
  }

  /** Nobody waits for a round, so whoever calls next is told: a loss that does not fit the model, say. */
  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.error
  }

  #begin(): void {
    this.#training ??= this.#scope
      .runInAsyncScope(() => this.#rounds())
      .catch((error: unknown) => {
        this.#failure = { error }
      })
      .finally(() => {
        this.#training = undefined
      })
  }

  async #rounds(): Promise<void> {
    const { every, steps: given, batchSize } = this.#settings
    while (this.#fresh >= every && this.#examples.buffer.size > 0 && !this.#isClosed) {
      const steps = given ?? Math.max(1, Math.ceil(this.#fresh / batchSize))
      this.#fresh = 0
      const round = await this.#round(steps)
      this.#counts.rounds++
      this.#last = round
      if (round.outcome === 'swapped') this.#checkpoints?.changed(this.#state())
      tell(this.#settings.onRound, round)
    }
  }

  async #round(steps: number): Promise<Round> {
    let total = 0
    const { buffer } = this.#examples
    for (let i = 0; i < steps && buffer.size > 0 && !this.#isClosed; i++) total += await this.#trainStep()
    const loss = total / steps
    if (!Number.isFinite(loss)) return this.#undo(steps, loss)
    const scores = await this.#score()
    const isWorse =
      scores !== null && !(scores.learned <= scores.served + this.#settings.tolerance * Math.abs(scores.served))
    if (isWorse) this.#counts.keptBack++
    else {
      this.#counts.swaps++
      this.#predictor.swap()
      this.#keepVersion()
    }
    const outcome = isWorse ? 'kept back' : 'swapped'
    const { served = null, learned = null } = scores ?? {}
    return { steps, loss, served, learned, outcome, version: this.#predictor.version }
  }

  /** Computes something, and then rests as long as the share asks for. */
  async #inItsShare<T>(compute: () => Promise<T>): Promise<T> {
    const { share } = this.#settings
    const start = performance.now()
    const result = await compute()
    await rest(((performance.now() - start) * (1 - share)) / share)
    return result
  }

  async #trainStep(): Promise<number> {
    const examples = this.#examples.buffer.sample(this.#settings.batchSize)
    try {
      return await this.#inItsShare(async () => {
        const tensors = this.#examples.tensors(examples)
        this.#meetOptimizer(tensors)
        const loss = (await (await this.#step(...tensors)).item()) as number
        this.#counts.steps++
        return loss
      })
    } catch (error) {
      await this.#removeBad(examples, error)
      return 0
    }
  }

  /** Records the step, so that there is a state of the optimizer to go back to before its first step. */
  #meetOptimizer(tensors: [parts: Tensor[], target: Tensor]): void {
    if (this.#hasMetOptimizer) return
    this.#step.program(...tensors)
    this.#hasMetOptimizer = true
    for (const version of this.#versions) version.optimizer ??= this.#optimizerState()
  }

  #optimizerState(): StateDict | undefined {
    return this.#hasMetOptimizer ? this.#optimizer.stateDict?.(this.#names) : undefined
  }

  /** Finds by themselves those that a step cannot take: labels out of range. */
  async #removeBad(examples: readonly Example[], error: unknown): Promise<void> {
    const bad = new Set<Example>()
    const all = new Set(examples)
    for (const example of all) {
      try {
        await this.#scores(...this.#examples.tensors([example]))
      } catch {
        bad.add(example)
      }
    }
    // Where no row is to blame, or every one of several, it is the model, the loss, or what all rows are taken for.
    if (bad.size === 0 || (all.size > 1 && bad.size === all.size)) throw error
    this.#examples.remove(bad)
  }

  async #score(): Promise<Scores | null> {
    const { heldOut } = this.#examples
    if (heldOut.size === 0) return null
    const examples = heldOut.all(mostHeldOut)
    const means = { served: 0, learned: 0 }
    for (let i = 0; i < mostHeldOut; i += scoredAtOnce) {
      const part = examples.slice(i, i + scoredAtOnce)
      try {
        const { served, learned } = await this.#inItsShare(() => this.#scoreOf(part))
        means.served += served * (scoredAtOnce / mostHeldOut)
        means.learned += learned * (scoredAtOnce / mostHeldOut)
      } catch (error) {
        await this.#removeBad(part, error)
        return this.#score()
      }
    }
    return means
  }

  async #scoreOf(examples: readonly Example[]): Promise<Scores> {
    const { served, learned } = await this.#scores(...this.#examples.tensors(examples))
    return { served: (await served.item()) as number, learned: (await learned.item()) as number }
  }

  #undo(steps: number, loss: number): Round {
    this.#counts.undone++
    this.#restore(this.#versions.at(-1)!)
    const version = this.#predictor.version
    return { steps, loss, served: null, learned: null, outcome: 'undone', version }
  }

  #restore({ values, optimizer }: Version): void {
    for (const [variable, value] of values) variable.assign(value)
    if (optimizer !== undefined) this.#optimizer.loadStateDict?.(optimizer, this.#names)
  }

  #keepVersion(): void {
    const values = this.#predictor.snapshot()
    this.#versions.push({ number: this.#predictor.version, values, optimizer: this.#optimizerState() })
    // Behind the first one, which is what there was before anything was learned.
    if (this.#versions.length > this.#settings.keep + 1) this.#versions.splice(1, 1)
  }

  /**
   * Goes back to a version: it is served, and model and optimizer are what they were then. The rows that came since may be learned again, unless
   * all rows are forgotten.
   *
   * @param options `forget`: whether no row that came so far is to be trained on or held out any more; false unless given
   * @returns the number under which it is served now
   * @throws (rejects with) RangeError for a version that is not kept
   */
  async rollback(version: number, options?: RollbackOptions, ...surplus: []): Promise<number> {
    const { forget = false } = checkOptions('rollback', options, rollbackOptions, surplus)
    const found = this.#versions.find(({ number }) => number === version)
    if (found === undefined)
      throw new RangeError(
        expected('rollback', `one of the versions ${this.#versions.map(({ number }) => number).join(', ')}`, version),
      )
    // Rows that came meanwhile may have begun another one.
    while (this.#training !== undefined) await this.#training
    this.#restore(found)
    if (forget) {
      this.#examples.forget()
      this.#fresh = 0
    }
    this.#predictor.swap(found.values)
    this.#keepVersion()
    this.#checkpoints?.changed(this.#state())
    this.#checkpoints?.save()
    return this.#predictor.version
  }

  /** When the model is what is served, and no step is under way. */
  #state(): TrainerState {
    const { version } = this.#predictor
    return {
      ...{ model: modelState(this.#model), optimizer: this.#optimizerState(), version, draws: this.#random.draws },
      ...{ counts: { ...this.#counts }, fresh: this.#fresh, last: this.#last, examples: this.#examples.state() },
    }
  }

  /**
   * Goes on where a trainer was when its last checkpoint was written: model, optimizer, counters and rows are what they were then, and the
   * predictor serves it under the version of then, if that is no lower than its own. Checkpoints that are damaged are warnings, and the one before
   * is taken. Rows that `learn` is given meanwhile are added to those.
   *
   * @param directory that of the option `checkpoint` unless given
   * @returns the path of the checkpoint; null where the own directory has none, as it is a beginning then
   * @throws (rejects with) RangeError after rows were learned, for another directory without checkpoints, or one of something else; DataFormatError
   * where all are damaged; TypeError, ShapeError for another model or optimizer, and nothing is changed then
   *
   * @example
   * const trainer = onlineTrainer(model, { predictor: p, optimizer, loss: 'crossEntropy', checkpoint: { directory: 'learned' } })
   * await trainer.restore()
   */
  async restore(directory?: string, ...surplus: unknown[]): Promise<string | null> {
    refuseSurplus('restore', 1, surplus)
    const own = this.#settings.checkpoint?.directory
    if (directory === undefined && own === undefined)
      throw new TypeError(expected('restore', 'a directory, or the option checkpoint', 'neither'))
    const from = checkPath('restore', directory ?? own)
    if (this.#isClosed) throw new ClosedError('restore: the trainer is closed')
    if (this.#early !== undefined || this.#examples.counts.rows > 0 || this.#counts.rounds > 0)
      throw new RangeError(expected('restore', 'a trainer that has just been made', 'one that is under way'))
    this.#early = []
    try {
      const found = await newestState('restore', from, this.#examples.specs)
      if (found === undefined && !isSameDirectory(from, own))
        throw new RangeError(expected('restore', 'a directory with checkpoints', from))
      if (found === undefined) return null
      this.#goOn(found.state)
      this.#checkpoints?.resume(from)
      return found.path
    } finally {
      const early = this.#early
      this.#early = undefined
      this.#take(early)
    }
  }

  #goOn({ counts, fresh, last, version, draws, examples, ...state }: TrainerState): void {
    loadState({ op: 'restore', model: this.#model, optimizer: this.#optimizer }, state, this.#names)
    this.#hasMetOptimizer = state.optimizer !== undefined
    Object.assign(this.#counts, counts)
    this.#fresh = fresh
    this.#last = last
    this.#random.draws = draws
    this.#examples.load(examples)
    servedBy(this.#predictor).snapshot.swap(undefined, Math.max(version, this.#predictor.version + 1))
    this.#keepVersion()
  }

  statistics(): OnlineTrainerStatistics {
    const failure = this.#failure === undefined ? null : messageOf(this.#failure.error)
    const versions = this.#versions.map(({ number }) => number)
    const { counts, buffer } = this.#examples
    const files = this.#checkpoints?.counts ?? { checkpoints: 0, failedCheckpoints: 0 }
    return { ...counts, buffered: buffer.size, ...this.#counts, ...files, versions, last: this.#last, failure }
  }

  /** The statistics in Prometheus' text format, with labels that are the trainer's: `{ model: 'digits' }`. */
  prometheus(labels: Readonly<Record<string, string>> = {}): string {
    return learningText([{ statistics: this.statistics(), labels }])
  }

  /** What serves the model. */
  get predictor(): Predictor {
    return this.#predictor
  }

  /** What the target of a row is. */
  get target(): InputSpec {
    return this.#examples.target
  }

  /** Takes no more rows, and settles once no step is under way, and what is served is in a checkpoint if there are any. */
  async close(): Promise<void> {
    this.#isClosed = true
    await this.#training
    await this.#checkpoints?.end()
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

const rest = (milliseconds: number) =>
  milliseconds <= 0 ? undefined : new Promise<void>((resolve) => startTimer(resolve, milliseconds))

/**
 * Has a model learn while it is served: rows with targets come by `learn`, are kept in a bounded buffer, and trained on in the background at a
 * share of the machine. After each round what was learned is served if its loss on rows that are held out is no worse than that of what is served.
 *
 * @throws TypeError, RangeError for options that do not fit
 *
 * @example
 * const trainer = onlineTrainer(model, { predictor: p, optimizer: optim.adam(), loss: 'crossEntropy' })
 * trainer.learn(pixels, label)
 */
export function onlineTrainer(model: Trainable<never, Tensor>, options: OnlineTrainerOptions): OnlineTrainer {
  return new OnlineTrainer(model, options)
}

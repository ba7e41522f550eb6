/** Learning while serving: rows with targets are trained on in the background, and what is learned is served once it is no worse. */
import { checkFunction, checkInteger, checkNumber, describe } from '../base/arguments.ts'
import type { DType } from '../base/dtype.ts'
import { expected, ShapeError } from '../base/errors.ts'
import { checkOptions, type OptionTypes, requireOptions } from '../base/options.ts'
import { startTimer } from '../base/timers.ts'
import { withMode } from '../nn/module.ts'
import type { Minimizer } from '../optim/minimizer.ts'
import type { StateDict } from '../tensor/state-dict.ts'
import type { Tensor } from '../tensor/tensor.ts'
import type { Variable } from '../tensor/variable.ts'
import { type LossFunction, trainingLoss } from '../train/loss.ts'
import type { LossName } from '../train/names.ts'
import { type AnyTrainable, checkModel, checkOptimizer, type Trainable } from '../train/options.ts'
import { namesOf, parametersOf } from '../train/steps.ts'
import { type Compiled, compile } from '../transforms/compile.ts'
import { ClosedError } from './errors.ts'
import { type InputValues, inputSpecs, type Row, RowReader, type RowShape, type RowValues } from './inputs.ts'
import { Predictor, servedBy } from './predictor.ts'
import { type Example, ReplayBuffer } from './replay-buffer.ts'
import { tensorOf } from './served-model.ts'

export interface BufferOptions {
  /** Rows that are kept; 4096 unless given. */
  size?: number
  /** `reservoir`, which it is unless given, keeps each of all rows with the same probability; `recent` the last ones. */
  kind?: 'reservoir' | 'recent'
}

export interface OnlineTrainerOptions {
  /** What serves the model. */
  predictor: Predictor
  optimizer: Minimizer
  loss: LossName | LossFunction
  /** Of the target of a row; [], a number, unless given. */
  targetShape?: RowShape
  /** int32 unless given, as classes are. */
  targetDtype?: DType
  buffer?: BufferOptions
  /** A round of training begins after so many new rows; 64 unless given. */
  every?: number
  /** Steps of a round; as many as new rows make batches unless given, and at least one. */
  steps?: number
  /** Rows of a step; 32 unless given. */
  batchSize?: number
  /** The share of the time that training takes while it is under way, above 0 and up to 1; 0.25 unless given. */
  share?: number
  /** The share of rows that are never trained on but judge what was learned; 0.1 unless given. */
  holdOut?: number
  /** By how much the score may be worse, relatively, and be served all the same; 0 unless given. */
  tolerance?: number
  /** Versions that `rollback` may go back to, beside the first one, to which it always may; 8 unless given. */
  keep?: number
  /** Of which rows are held out, kept and drawn; 0 unless given. */
  seed?: number
  /** Told after each round. What it throws is a warning of the process. */
  onRound?: (round: Round) => void
}

const onlineTrainerOptions: OptionTypes<OnlineTrainerOptions> = {
  predictor: 'other',
  optimizer: 'other',
  loss: 'other',
  targetShape: 'other',
  targetDtype: 'dtype',
  buffer: 'other',
  every: 'number',
  steps: 'number',
  batchSize: 'number',
  share: 'number',
  holdOut: 'number',
  tolerance: 'number',
  keep: 'number',
  seed: 'number',
  onRound: 'function',
}

const bufferOptions: OptionTypes<BufferOptions> = { size: 'number', kind: ['reservoir', 'recent'] }

/** What came of a round. */
export interface Round {
  readonly steps: number
  /** The mean loss of its steps. */
  readonly loss: number
  /** The loss on the rows that are held out, of what is served and of what was learned; null while there are none. */
  readonly served: number | null
  readonly learned: number | null
  /**
   * `swapped`: it is served now; `kept back`: it is worse than what is served, and is trained on; `undone`: its loss was no finite number, and
   * model and optimizer are what they were when they were served last.
   */
  readonly outcome: 'swapped' | 'kept back' | 'undone'
  /** The version that is served. */
  readonly version: number
}

export interface OnlineTrainerStatistics {
  /** Rows that came, of which so many were held out, and so many were removed as no step could take them. */
  readonly rows: number
  readonly heldOut: number
  readonly removed: number
  readonly steps: number
  readonly rounds: number
  readonly swaps: number
  readonly keptBack: number
  readonly undone: number
  /** The versions that `rollback` may go back to, the one that is served last. */
  readonly versions: readonly number[]
  readonly last: Round | null
}

interface Version {
  readonly number: number
  readonly values: ReadonlyMap<Variable, Tensor>
  readonly optimizer: StateDict | undefined
}

const op = 'onlineTrainer'

/** Rows that are held out, at most. */
const mostHeldOut = 256

/** Made by `onlineTrainer`. */
export class OnlineTrainer {
  readonly #settings: ReturnType<typeof checkedOptions>
  readonly #predictor: Predictor
  readonly #optimizer: Minimizer
  readonly #parameters: readonly Variable[]
  readonly #rows: RowReader
  readonly #targets: RowReader
  readonly #buffer: ReplayBuffer
  readonly #heldOut: ReplayBuffer
  readonly #step: Compiled<[parts: Tensor[], target: Tensor], Tensor>
  readonly #scores: Compiled<[parts: Tensor[], target: Tensor], { served: Tensor; learned: Tensor }>
  readonly #versions: Version[] = []
  readonly #counts = { rows: 0, heldOut: 0, removed: 0, steps: 0, rounds: 0, swaps: 0, keptBack: 0, undone: 0 }
  #last: Round | null = null
  #fresh = 0
  #training: Promise<void> | undefined
  #isClosed = false
  /** What training ended with that no row is to blame for: it is not begun again. */
  #failure: { readonly error: unknown } | undefined

  /** @internal */
  constructor(model: AnyTrainable, options: OnlineTrainerOptions) {
    checkModel(op, model)
    const settings = checkedOptions(options)
    this.#settings = settings
    this.#predictor = options.predictor
    this.#optimizer = options.optimizer
    this.#parameters = parametersOf(op, model).filter(({ trainable }) => trainable)
    const served = servedBy(options.predictor)
    this.#rows = served.reader
    const { targetShape = [], targetDtype = 'int32' } = options
    this.#targets = new RowReader('learn', inputSpecs(op, targetShape, targetDtype), {}, true)
    this.#buffer = new ReplayBuffer(settings.size, settings.kind, settings.seed)
    this.#heldOut = new ReplayBuffer(mostHeldOut, 'recent', settings.seed)
    const loss = trainingLoss(op, { loss: options.loss })
    const lossOf = (parts: Tensor[], target: Tensor) =>
      loss.of(model.forward(served.inputOf(parts) as never), target, undefined).total
    this.#step = compile((parts: Tensor[], target: Tensor) =>
      withMode(model, this.#parameters, true, () =>
        options.optimizer.minimize(() => lossOf(parts, target), namesOf(model, this.#parameters)),
      ),
    )
    this.#scores = compile((parts: Tensor[], target: Tensor) => ({
      served: served.snapshot.record(() => lossOf(parts, target)),
      learned: withMode(model, this.#parameters, false, () => lossOf(parts, target)),
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
    if (this.#isClosed) throw new ClosedError('learn: the trainer is closed')
    this.#throwFailure()
    const given = this.#rows.read(rows)
    const wanted = this.#targets.read(targets)
    if (given.rows.length !== wanted.rows.length)
      throw new ShapeError(expected('learn', `a target for each of ${given.rows.length} rows`, wanted.rows.length))
    for (const [i, row] of given.rows.entries()) this.#add(exampleOf(row, wanted.rows[i]!), row.length)
    if (this.#fresh >= this.#settings.every) this.#begin()
    return given.rows.length
  }

  #add(example: Example, length: number): void {
    const { holdOut } = this.#settings
    const { counts, place } = { counts: this.#counts, place: this.#counts.rows++ }
    lengths.set(example, length)
    // Evenly among all rows, so that both kinds are of any time.
    const isHeldOut = Math.floor((place + 1) * holdOut) > Math.floor(place * holdOut)
    if (isHeldOut) {
      counts.heldOut++
      this.#heldOut.add(example)
      return
    }
    this.#buffer.add(example)
    this.#fresh++
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
    this.#training ??= this.#rounds()
      .catch((error: unknown) => {
        this.#failure = { error }
      })
      .finally(() => {
        this.#training = undefined
      })
  }

  async #rounds(): Promise<void> {
    const { every, steps: given, batchSize } = this.#settings
    while (this.#fresh >= every && this.#buffer.size > 0 && !this.#isClosed) {
      const steps = given ?? Math.max(1, Math.ceil(this.#fresh / batchSize))
      this.#fresh = 0
      const round = await this.#round(steps)
      this.#counts.rounds++
      this.#last = round
      this.#tell(round)
    }
  }

  #tell(round: Round): void {
    try {
      this.#settings.onRound?.(round)
    } catch (error) {
      process.emitWarning(error as Error)
    }
  }

  async #round(steps: number): Promise<Round> {
    let total = 0
    for (let i = 0; i < steps && !this.#isClosed; i++) total += await this.#trainStep()
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

  /** A step, and then as long a rest as its share asks for. */
  async #trainStep(): Promise<number> {
    const { batchSize, share } = this.#settings
    const examples = this.#buffer.sample(batchSize)
    const start = performance.now()
    try {
      const loss = await (await this.#step(...this.#tensors(examples))).item()
      this.#counts.steps++
      await rest(((performance.now() - start) * (1 - share)) / share)
      return loss as number
    } catch (error) {
      await this.#removeBad(examples, error)
      return 0
    }
  }

  /** Finds by themselves those that a step cannot take: labels out of range. */
  async #removeBad(examples: readonly Example[], error: unknown): Promise<void> {
    const bad = new Set<Example>()
    const all = new Set(examples)
    for (const example of all) {
      try {
        await this.#scores(...this.#tensors([example]))
      } catch {
        bad.add(example)
      }
    }
    // Where no row is to blame, or every one of several, it is the model, the loss, or what all rows are taken for.
    if (bad.size === 0 || (all.size > 1 && bad.size === all.size)) throw error
    this.#counts.removed += bad.size
    this.#buffer.remove(bad)
    this.#heldOut.remove(bad)
  }

  async #score(): Promise<{ served: number; learned: number } | null> {
    if (this.#heldOut.size === 0) return null
    const examples = this.#heldOut.all(mostHeldOut)
    try {
      const { served, learned } = await this.#scores(...this.#tensors(examples))
      return { served: (await served.item()) as number, learned: (await learned.item()) as number }
    } catch (error) {
      await this.#removeBad(examples, error)
      return this.#score()
    }
  }

  #undo(steps: number, loss: number): Round {
    this.#counts.undone++
    this.#restore(this.#versions.at(-1)!)
    const version = this.#predictor.version
    return { steps, loss, served: null, learned: null, outcome: 'undone', version }
  }

  #restore({ values, optimizer }: Version): void {
    for (const [variable, value] of values) variable.assign(value)
    if (optimizer !== undefined) this.#optimizer.loadStateDict?.(optimizer)
  }

  #keepVersion(): void {
    const optimizer = this.#counts.steps === 0 ? undefined : this.#optimizer.stateDict?.()
    this.#versions.push({ number: this.#predictor.version, values: this.#predictor.snapshot(), optimizer })
    // Behind the first one, which is what there was before anything was learned.
    if (this.#versions.length > this.#settings.keep + 1) this.#versions.splice(1, 1)
  }

  /** The examples as the parts that the model takes, all of one length, and their targets. */
  #tensors(examples: readonly Example[]): [Tensor[], Tensor] {
    const longest = Math.max(...examples.map((example) => lengths.get(example)!))
    const rows = examples.map((example): Row => ({ parts: example.slice(0, -1), length: lengths.get(example)! }))
    const targets = examples.map((example): Row => ({ parts: example.slice(-1), length: 0 }))
    const served = servedBy(this.#predictor)
    const target = this.#targets.join(targets, examples.length)
    return [served.tensors(rows, examples.length, longest), tensorOf(this.#targets, target, 0)]
  }

  /**
   * Goes back to a version: it is served, and model and optimizer are what they were then.
   * @returns the number under which it is served now
   * @throws (rejects with) RangeError for a version that is not kept
   */
  async rollback(version: number): Promise<number> {
    const found = this.#versions.find(({ number }) => number === version)
    if (found === undefined)
      throw new RangeError(
        expected('rollback', `one of the versions ${this.#versions.map(({ number }) => number).join(', ')}`, version),
      )
    await this.#training
    this.#restore(found)
    this.#predictor.swap(found.values)
    this.#keepVersion()
    return this.#predictor.version
  }

  statistics(): OnlineTrainerStatistics {
    return { ...this.#counts, versions: this.#versions.map(({ number }) => number), last: this.#last }
  }

  /** Takes no more rows, and settles once no step is under way. */
  async close(): Promise<void> {
    this.#isClosed = true
    await this.#training
  }
}

/** Of rows of any length, how long they are. */
const lengths = new WeakMap<Example, number>()

/** Copies, as rows may be parts of larger arrays. */
const exampleOf = (row: Row, target: Row): Example => [...row.parts, ...target.parts].map((part) => part.slice())

const rest = (milliseconds: number) =>
  milliseconds <= 0 ? undefined : new Promise<void>((resolve) => startTimer(resolve, milliseconds))

function checkedOptions(options: OnlineTrainerOptions) {
  const given = requireOptions(op, options, onlineTrainerOptions, ['predictor', 'optimizer', 'loss'])
  const {
    buffer,
    every = 64,
    steps,
    batchSize = 32,
    share = 0.25,
    holdOut = 0.1,
    tolerance = 0,
    keep = 8,
    seed = 0,
  } = given
  const { size = 4096, kind = 'reservoir' } = checkOptions(`${op}: buffer`, buffer, bufferOptions)
  if (!(given.predictor instanceof Predictor))
    throw new TypeError(expected(op, 'a predictor', describe(given.predictor)))
  checkOptimizer(op, given.optimizer)
  if (typeof given.loss !== 'string') checkFunction(op, 'a loss, a name or a function', given.loss)
  checkInteger(op, 'an integer size of the buffer of at least 1', size, 1)
  checkInteger(op, 'an integer of at least 1 as every', every, 1)
  if (steps !== undefined) checkInteger(op, 'an integer of at least 1 as steps', steps, 1)
  checkInteger(op, 'an integer batchSize of at least 1', batchSize, 1)
  checkNumber(op, 'a share above 0 and up to 1', share, (x) => x > 0 && x <= 1)
  checkNumber(op, 'a holdOut of at least 0 and below 1', holdOut, (x) => x >= 0 && x < 1)
  checkNumber(op, 'a finite tolerance of at least 0', tolerance, (x) => x >= 0 && Number.isFinite(x))
  checkInteger(op, 'an integer of at least 1 as keep', keep, 1)
  checkInteger(op, 'an integer seed', seed)
  return { size, kind, every, steps, batchSize, share, holdOut, tolerance, keep, seed, onRound: given.onRound }
}

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

/** Streams: lazy pipelines of elements, which are read, changed, shuffled and batched while they are used. */
import { type Abortable, isAbortable } from '../base/abort.ts'
import { checkFunction, checkInteger, checkNumber, describe, refuseSurplus } from '../base/arguments.ts'
import { notCloned } from '../base/cloning.ts'
import { expected } from '../base/errors.ts'
import { brand } from '../base/identity.ts'
import { showAsText } from '../base/inspection.ts'
import { checkOptions, isPlainObject, type OptionTypes } from '../base/options.ts'
import { randomStream } from '../tensor/random.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { type PipelineState, StreamIterator } from './pass.ts'
import { checkDTypes, type DTypes, type Lengths, type Stacked, type StackedPart } from './stacking.ts'
import { type Pass, type Stage, structureOf } from './stage.ts'
import { batch, unbatch } from './transforms/batch.ts'
import { cache } from './transforms/cache.ts'
import { concat, zip } from './transforms/concat.ts'
import { filter } from './transforms/filter.ts'
import { interleave } from './transforms/interleave.ts'
import { map } from './transforms/map.ts'
import { paddedBatch } from './transforms/padded.ts'
import { prefetch } from './transforms/prefetch.ts'
import { repeat } from './transforms/repeat.ts'
import { shuffle } from './transforms/shuffle.ts'
import { type Fold, kFold, split } from './transforms/split.ts'
import { skip, take } from './transforms/take.ts'

/** A value, or a promise of one. */
type Awaitable<T> = T | PromiseLike<T>

export interface OpenOptions {
  /** Which pass it is: what is shuffled comes in an order that follows from its seed and this. 0 unless given, or that of the state. */
  epoch?: number
  /** Where to go on, of a pass over the same pipeline. */
  state?: PipelineState | undefined
  /** Ends the pass: what is waited for rejects with its reason, and what is open is closed. */
  signal?: Abortable | undefined
}

export interface MapOptions {
  /** How many calls may be under way at a time; results keep their order. 1 unless given. */
  concurrency?: number
}

export interface ShuffleOptions {
  /** Of the order; otherwise it follows from `setSeed`. */
  seed?: number
}

export interface BatchOptions {
  /** Whether what is left at the end and fills no batch is left out; false unless given. */
  dropLast?: boolean
  /** Of all values, or of each part: `['float32', 'int32']` of `[x, y]`. Otherwise numbers are float32, and typed arrays and tensors what they are. */
  dtype?: DTypes
}

export interface PaddedBatchOptions extends BatchOptions {
  /** What stands where an x has ended; 0 unless given. */
  value?: number
  /** The same of targets and weights; 0 unless given. */
  targetValue?: number
  /** The length to fill up to; that of the longest of a batch unless given. */
  length?: number
  /** Lengths are rounded up to a multiple of it, so that a step meets few of them, as each is prepared by itself; 1 unless given. */
  multiple?: number
}

export interface InterleaveOptions {
  /** How many streams are read from in turn; 4 unless given. */
  cycle?: number
  /** How many elements come from one in its turn; 1 unless given. */
  block?: number
}

const openOptions: OptionTypes<OpenOptions> = { epoch: 'number', state: 'other', signal: 'other' }
const mapOptions: OptionTypes<MapOptions> = { concurrency: 'number' }
const shuffleOptions: OptionTypes<ShuffleOptions> = { seed: 'number' }
const batchOptions: OptionTypes<BatchOptions> = { dropLast: 'boolean', dtype: 'other' }
const paddedBatchOptions: OptionTypes<PaddedBatchOptions> = {
  ...batchOptions,
  value: 'number',
  targetValue: 'number',
  length: 'number',
  multiple: 'number',
}
const interleaveOptions: OptionTypes<InterleaveOptions> = { cycle: 'number', block: 'number' }

/** What a padded batch has in the place of x: the values, and how long each was. A type, as it is a batch by name of its own. */
export type Padded<T, L = Tensor> = { values: T; lengths: L }

/** The padded batch that elements become. */
export type PaddedBatch<T> = T extends readonly [
  infer X,
  ...infer Rest extends readonly [unknown] | readonly [unknown, unknown],
]
  ? [Padded<StackedPart<X>, Lengths<X>>, ...{ -readonly [K in keyof Rest]: StackedPart<Rest[K]> }]
  : Padded<StackedPart<T>, Lengths<T>>

/** An element of a batch. */
export type RowOfBatch<T> = T extends Tensor
  ? Tensor
  : T extends readonly (infer U extends string | null)[]
    ? U
    : T extends readonly unknown[] | Readonly<Record<string, unknown>>
      ? { -readonly [K in keyof T]: RowOfBatch<T[K]> }
      : unknown

/**
 * Elements that come one after the other, from a file, a generator, an array, whatever their number: a lazy pipeline, of which only what is
 * asked for is computed, in bounded memory. Its methods give new streams and leave it as it is; a pass begins with `for await`, with `open`, or in `fit`.
 *
 * For training its elements are batches: `[x, y]` or `[x, y, weights]`, each a tensor or several in a list or by name, or plain x for
 * `predict`. `batch` makes them of elements of the same form.
 *
 * A pass has a state, which is saved and gone on from: see {@link Stream.open}.
 *
 * @example
 * const stream = fromArrays(images, labels).shuffle(1000, { seed: 1 }).map(decode, { concurrency: 4 }).batch(32).prefetch(2)
 * for await (const [x, y] of stream) await step(x, y)
 */
export class Stream<T> {
  protected readonly notCloned = notCloned('a stream: make it where it is needed')
  readonly #stage: Stage<T>
  #passes = 0

  /** @internal */
  constructor(stage: Stage<T>) {
    this.#stage = stage
  }

  /** What it is made of. @internal */
  static stageOf<T>(stream: Stream<T>): Stage<T> {
    return stream.#stage
  }

  /** The number of elements in a pass; of batches, where they are batches. Infinity where there is no end, undefined where nobody knows. */
  get size(): number | undefined {
    return this.#stage.size
  }

  /** Whether its elements are batches: tensors with a first axis of rows. */
  get batched(): boolean {
    return this.#stage.batched
  }

  /** What it is made of, in the order in which elements go through it: `fromArrays(5) → shuffle(4, seed 1) → batch(2)`. */
  toString(): string {
    return structureOf(this.#stage)
  }

  /**
   * Begins a pass, or goes on where the state of one stood: with the same elements, also in another process, as long as the pipeline is made
   * in the same way. States hold no elements: what led to them is read again where it has to be (the window of a `shuffle`, what a
   * generator gave before).
   *
   * @throws TypeError for a state of another pipeline, with both printed
   *
   * @example
   * const pass = stream.open({ epoch: 3 })
   * const { value } = await pass.next()
   * const state = pass.state()
   * await pass.return()
   * const rest = stream.open({ state })
   */
  open(options?: OpenOptions, ...surplus: []): StreamIterator<T> {
    const { state, signal, epoch = state?.epoch ?? 0 } = checkOptions('open', options, openOptions, surplus)
    checkInteger('open', 'an epoch of at least 0', epoch, 0, Number.MAX_SAFE_INTEGER)
    if (signal !== undefined && !isAbortable(signal))
      throw new TypeError(expected('open', 'an AbortSignal as signal', describe(signal)))
    const pipeline = structureOf(this.#stage)
    if (state !== undefined) checkState(state, pipeline, epoch)
    const pass: Pass = { epoch, signal }
    return new StreamIterator(this.#stage.open(pass, structuredClone(state?.position)), pipeline, pass)
  }

  /** A pass: the first is of epoch 0, the next one of epoch 1, so that what is shuffled comes in another order each time. */
  [Symbol.asyncIterator](): StreamIterator<T> {
    return this.open({ epoch: this.#passes++ })
  }

  /**
   * What a function makes of each element. It may be async, and several calls may be under way at a time, of which results keep their order.
   * It runs on the event loop, and tensors in what it gives are computed before it is handed on. What is the same for each batch is
   * quicker in the model, or in `Dataset.map`, as part of the compiled step.
   *
   * @throws (a pass does) PipelineError with the number of the element, for what the function throws
   */
  map<const U>(fn: (element: T) => Awaitable<U>, options?: MapOptions, ...surplus: []): Stream<U> {
    const { concurrency = 1 } = checkOptions('map', options, mapOptions, surplus)
    checkFunction('map', 'a function of an element', fn)
    checkInteger('map', 'a concurrency of at least 1', concurrency, 1)
    return new Stream(map(this.#stage, fn, concurrency))
  }

  /** The elements of which a function says true. It may be async. */
  filter<U extends T>(fn: (element: T) => element is U, ...surplus: []): Stream<U>
  filter(fn: (element: T) => Awaitable<boolean>, ...surplus: []): Stream<T>
  filter(fn: (element: T) => Awaitable<boolean>, ...surplus: []): Stream<T> {
    refuseSurplus('filter', 1, surplus)
    checkFunction('filter', 'a function of an element', fn)
    return new Stream(filter(this.#stage, fn))
  }

  /**
   * Stacks so many elements, and what is left at the end, into tensors with a first axis of rows. An element is a number, an array of numbers, a typed array,
   * a tensor, or several in a list or record. One that is an array of two or three is `[x, y]` or `[x, y, weights]`, each
   * stacked by itself: a single vector of two or three numbers is given as a typed array. null is NaN. Texts become a list.
   *
   * @throws (a pass does) PipelineError with the number of the element, for one of another form than the first of its batch
   * @pytorch torch.utils.data.DataLoader
   */
  batch(size: number, options?: BatchOptions, ...surplus: []): Stream<Stacked<T>> {
    const { dropLast = false, dtype } = checkOptions('batch', options, batchOptions, surplus)
    checkSize('batch', size)
    if (dtype !== undefined) checkDTypes('batch', dtype)
    if (this.#stage.gathered && dtype === undefined)
      return new Stream(this.#stage.gathered(size, dropLast) as Stage<Stacked<T>>)
    return new Stream(batch(this.#stage, size, dropLast, dtype))
  }

  /**
   * `batch` of elements whose first axes are of several lengths, which are filled up to the longest in the batch; `{ values, lengths }` stands in
   * the place of x, for `forward(x, state, { lengths })` of recurrent layers. Of several sequences by name each has its lengths by name, too.
   *
   * @example
   * fromArrays([[1, 2, 3, 4], [5]], [0, 1]).paddedBatch(2) // [{ values: [[1, 2, 3, 4], [5, 0, 0, 0]], lengths: [4, 1] }, [0, 1]]
   * @pytorch torch.nn.utils.rnn.pad_sequence
   */
  paddedBatch(size: number, options?: PaddedBatchOptions, ...surplus: []): Stream<PaddedBatch<T>> {
    const given = checkOptions('paddedBatch', options, paddedBatchOptions, surplus)
    const { dropLast = false, dtype, value = 0, targetValue = 0, length, multiple = 1 } = given
    checkSize('paddedBatch', size)
    if (dtype !== undefined) checkDTypes('paddedBatch', dtype)
    if (length !== undefined) checkInteger('paddedBatch', 'a length of at least 0', length, 0)
    checkInteger('paddedBatch', 'a multiple of at least 1', multiple, 1)
    return new Stream(paddedBatch(this.#stage, { size, dropLast, dtype, value, targetValue, length, multiple }))
  }

  /** The rows of batches as elements. */
  unbatch(...surplus: []): Stream<RowOfBatch<T>> {
    refuseSurplus('unbatch', 0, surplus)
    return new Stream(unbatch(this.#stage))
  }

  /**
   * The elements in an order that follows from the seed and the epoch. A window of `size` elements is filled and given in a random order, then
   * the next one: with a size of at least the number of elements every order is as likely, with less memory an element stays near its place.
   */
  shuffle(size: number, options?: ShuffleOptions, ...surplus: []): Stream<T> {
    const seed = seedOf('shuffle', options, surplus)
    checkSize('shuffle', size)
    return new Stream(shuffle(this.#stage, size, seed))
  }

  /** So many passes as one, or without end: each is of another epoch. Of nothing it is nothing. */
  repeat(count = Infinity, ...surplus: []): Stream<T> {
    refuseSurplus('repeat', 1, surplus)
    if (count !== Infinity) checkCount('repeat', count)
    return new Stream(repeat(this.#stage, count))
  }

  /** The first elements, and no more than so many. */
  take(count: number, ...surplus: []): Stream<T> {
    refuseSurplus('take', 1, surplus)
    return new Stream(take(this.#stage, checkCount('take', count)))
  }

  /** The elements after so many. */
  skip(count: number, ...surplus: []): Stream<T> {
    refuseSurplus('skip', 1, surplus)
    return new Stream(skip(this.#stage, checkCount('skip', count)))
  }

  /** These elements, and then those of other streams. */
  concat<U = T>(...others: readonly Stream<U>[]): Stream<T | U> {
    const stages = others.map((other) => streamStage('concat', other))
    return new Stream(concat<T | U>([this.#stage, ...stages]))
  }

  /** Tuples of an element of this and one of each of the others, as long as all have some: `features.zip(labels)` gives `[x, y]`. */
  zip<const U extends readonly unknown[]>(...others: { [K in keyof U]: Stream<U[K]> }): Stream<[T, ...U]> {
    const stages = (others as readonly Stream<unknown>[]).map((other) => streamStage('zip', other))
    return new Stream(zip([this.#stage, ...stages]) as Stage<[T, ...U]>)
  }

  /**
   * The elements of the streams that a function makes of each element, from several of them in turn: rows of many files. With a cycle of 1 they
   * come one after the other.
   *
   * @example
   * fromArrays(paths).shuffle(100).interleave((path) => fromCSV(path), { cycle: 4, block: 16 })
   */
  interleave<U>(fn: (element: T) => Awaitable<Stream<U>>, options?: InterleaveOptions, ...surplus: []): Stream<U> {
    const { cycle = 4, block = 1 } = checkOptions('interleave', options, interleaveOptions, surplus)
    checkFunction('interleave', 'a function of an element', fn)
    checkInteger('interleave', 'a cycle of at least 1', cycle, 1)
    checkInteger('interleave', 'a block of at least 1', block, 1)
    const make = async (element: T) => streamStage('interleave', await fn(element))
    return new Stream(interleave(this.#stage, make, { cycle, block }))
  }

  /**
   * Keeps the elements of the first whole pass in memory, for those after it: what comes before is read once. It is always epoch 0 that is kept, so
   * what is to come in another order each time is shuffled after it. The elements themselves are handed out each time, not copies.
   */
  cache(...surplus: []): Stream<T> {
    refuseSurplus('cache', 0, surplus)
    return new Stream(cache(this.#stage))
  }

  /** Makes up to so many elements ready while those before them are used: reading and decoding go on while a step runs. 2 unless given. */
  prefetch(count = 2, ...surplus: []): Stream<T> {
    refuseSurplus('prefetch', 1, surplus)
    checkInteger('prefetch', 'a count of at least 1', count, 1)
    return new Stream(prefetch(this.#stage, count))
  }

  /**
   * Two streams that have no element in common: about the fraction of the elements, which follow from the seed and their numbers, and the others. In
   * every pass they are the same.
   * @throws TypeError for a stream that was shuffled or repeated, by which elements would come from one part into the other
   */
  split(fraction: number, options?: ShuffleOptions, ...surplus: []): [Stream<T>, Stream<T>] {
    const seed = seedOf('split', options, surplus)
    checkNumber('split', 'a fraction between 0 and 1', fraction, (x) => x > 0 && x < 1)
    const [first, second] = split(this.#stage, fraction, seed)
    return [new Stream(first), new Stream(second)]
  }

  /**
   * k folds, each of a stream of about one part in k for validation and one of the others for training; each element is in the validation of one fold.
   * @throws TypeError for a stream that was shuffled or repeated
   */
  kFold(k: number, options?: ShuffleOptions, ...surplus: []): Fold<Stream<T>>[] {
    const seed = seedOf('kFold', options, surplus)
    checkInteger('kFold', 'a number of folds of at least 2', k, 2, 2 ** 20)
    return kFold(this.#stage, k, seed).map(({ train, validation }) => ({
      train: new Stream(train),
      validation: new Stream(validation),
    }))
  }

  /** All elements of a pass of epoch 0 in a list: for small streams, and to look at some of `take`. */
  async toArray(...surplus: []): Promise<T[]> {
    refuseSurplus('toArray', 0, surplus)
    if (this.size === Infinity)
      throw new RangeError(expected('toArray', 'a stream with an end', 'an endless one; see take'))
    const elements: T[] = []
    for await (const element of this.open()) elements.push(element)
    return elements
  }
}

brand(Stream.prototype, 'stream')
showAsText(Stream.prototype)

const checkSize = (op: string, size: number): number => checkInteger(op, 'a size of at least 1', size, 1, 2 ** 31 - 1)
const checkCount = (op: string, count: number): number =>
  checkInteger(op, 'a count of at least 0', count, 0, Number.MAX_SAFE_INTEGER)

function seedOf(op: string, options: ShuffleOptions | undefined, surplus: readonly unknown[]): number {
  const { seed = randomStream().seed } = checkOptions(op, options, shuffleOptions, surplus)
  return checkNumber(op, 'an integer seed from 0 to 2³² − 1', seed, (x) => Number.isInteger(x) && x >= 0 && x < 2 ** 32)
}

function streamStage<T>(op: string, stream: Stream<T>): Stage<T> {
  if (!(stream instanceof Stream)) throw new TypeError(expected(op, 'a stream', describe(stream)))
  return Stream.stageOf(stream)
}

function checkState(state: PipelineState, pipeline: string, epoch: number): void {
  if (
    !isPlainObject(state) ||
    typeof state.pipeline !== 'string' ||
    typeof state.epoch !== 'number' ||
    state.position === undefined
  )
    throw new TypeError(expected('open', 'a state that state() of a pass gave', describe(state)))
  if (state.pipeline !== pipeline)
    throw new TypeError(
      `open: the state is of another pipeline, it differs in ${differenceOf(state.pipeline, pipeline)}\n  state: ${state.pipeline}\n  stream: ${pipeline}`,
    )
  if (state.epoch !== epoch) throw new RangeError(expected('open', `epoch ${state.epoch}, that of the state`, epoch))
}

/** The first part that two structures do not have in common. */
function differenceOf(state: string, own: string): string {
  const [a, b] = [state.split(' → '), own.split(' → ')]
  const place = a.findIndex((name, i) => name !== b[i])
  const [there = 'nothing', here = 'nothing'] = place < 0 ? [undefined, b[a.length]] : [a[place], b[place]]
  return `${there}, which is ${here} here`
}

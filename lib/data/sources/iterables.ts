/** Streams of what iterables, generators and streams of Node and the Web give. */
import { checkFunction, checkNumber, describe } from '../../base/arguments.ts'
import { expected, PipelineError } from '../../base/errors.ts'
import { checkOptions, type OptionTypes } from '../../base/options.ts'
import { turnIfDue } from '../../base/turns.ts'
import { failedAt } from '../failures.ts'
import { type Cursor, type Pass, type Stage, savedAs } from '../stage.ts'
import { Stream } from '../stream.ts'

export interface SourceOptions {
  /** Whether its elements are batches already: `[x, y]` of tensors with an axis of rows. false unless given. */
  batched?: boolean
  /** The number of elements, where it is known: `fit` shows how far it is. */
  size?: number
}

const sourceOptions: OptionTypes<SourceOptions> = { batched: 'boolean', size: 'number' }

/** What a generator function is told of the pass it is asked for. */
export interface PassInfo {
  /** Which pass it is, from 0. */
  readonly epoch: number
}

type Iterated<T> = Iterable<T> | AsyncIterable<T> | Iterator<T> | AsyncIterator<T>

/** What is asked of a stream of the Web, whose type not every project has. */
export interface WebStream<T> {
  getReader(): { read(): Promise<{ done: boolean; value?: T }>; cancel(): Promise<unknown> }
}

/** A function that opens a stream. */
type OpensStream<T> = () => AsyncIterable<T> | WebStream<T> | PromiseLike<AsyncIterable<T> | WebStream<T>>

/** How elements are got, one after the other. */
interface Reader<T> {
  next(): IteratorResult<T | PromiseLike<T>> | PromiseLike<IteratorResult<T>>
  return?(): unknown
}

const isObject = (x: unknown): x is Record<PropertyKey, unknown> => typeof x === 'object' && x !== null
const has = (x: unknown, name: PropertyKey): boolean => isObject(x) && typeof x[name] === 'function'

function readerOf(source: unknown): Reader<unknown> | undefined {
  if (has(source, 'getReader')) return webReader(source as WebStream<unknown>)
  if (has(source, Symbol.asyncIterator)) {
    const iterator = (source as AsyncIterable<unknown>)[Symbol.asyncIterator]()
    // A stream of Node answers `return` only once it has given what was asked for; it can be ended at once.
    const { destroy } = source as { destroy?: unknown }
    if (typeof destroy !== 'function') return iterator as Reader<unknown>
    return { next: () => iterator.next(), return: () => void destroy.call(source) }
  }
  if (has(source, Symbol.iterator)) return (source as Iterable<unknown>)[Symbol.iterator]()
  return has(source, 'next') ? (source as unknown as Reader<unknown>) : undefined
}

function webReader<T>(stream: WebStream<T>): Reader<T> {
  const reader = stream.getReader()
  return { next: () => reader.read() as Promise<IteratorResult<T>>, return: () => reader.cancel() }
}

class Reading<T> implements Cursor<T> {
  readonly #op: string
  readonly #begin: () => Promise<Reader<unknown>>
  #reader: Reader<unknown> | undefined
  #count = 0
  #given: number
  #isWaiting = false
  #isOpen = true

  constructor(op: string, given: number, begin: () => Promise<Reader<unknown>>) {
    this.#op = op
    this.#given = given
    this.#begin = begin
  }

  async next(): Promise<IteratorResult<T, undefined>> {
    while (this.#count < this.#given) if ((await this.#read()).done) return { done: true, value: undefined }
    const result = await this.#read()
    if (!result.done) this.#given++
    return result
  }

  position(): number {
    return this.#given
  }

  async close(): Promise<void> {
    if (!this.#isOpen) return
    this.#isOpen = false
    const closing = Promise.resolve(this.#reader?.return?.())
    // What does not answer may never do so.
    if (this.#isWaiting) closing.catch(() => {})
    else await closing
  }

  async #read(): Promise<IteratorResult<T, undefined>> {
    const due = turnIfDue()
    if (due !== undefined) await due
    this.#isWaiting = true
    try {
      this.#reader ??= await this.#begin()
      const { done, value } = await this.#reader.next()
      if (done) this.#isOpen = false
      if (done) return { done: true, value: undefined }
      const element = (await value) as T
      this.#count++
      return { done: false, value: element }
    } catch (error) {
      throw error instanceof PipelineError ? error : failedAt(this.#op, this.#count, error)
    } finally {
      this.#isWaiting = false
    }
  }
}

type Begin = (pass: Pass) => unknown

function source<T>(op: string, begin: Begin, { batched = false, size }: SourceOptions): Stream<T> {
  if (size !== undefined) checkNumber(op, 'a size of at least 0', size, (n) => n >= 0)
  const stage: Stage<T> = {
    name: op,
    parents: [],
    batched,
    reordered: false,
    size,
    open: (pass, position) =>
      new Reading(op, savedAs<number>(position) ?? 0, async () => {
        const given = await begin(pass)
        const reader = readerOf(given)
        if (reader !== undefined) return reader
        throw new PipelineError(expected(op, 'a function that gives an iterable or an iterator', describe(given)))
      }),
  }
  return new Stream(stage)
}

/** Asks for elements once, where they can be read once only. */
function onceOnly(op: string, source: unknown): Begin {
  const isOnce = has(source, 'getReader') || has(source, 'destroy') || has(source, 'next')
  let wasRead = false
  return () => {
    if (isOnce && wasRead)
      throw new PipelineError(
        expected(op, 'what can be read again in another pass: a function that opens it', 'what was read already'),
      )
    wasRead = true
    return source
  }
}

/**
 * A stream of what an iterable gives, or an async one: an array, a set, a map, an object of your own with `[Symbol.iterator]` or
 * `[Symbol.asyncIterator]`. Each pass iterates anew. What iterates but once, such as a generator that runs, gives a single pass:
 * `fromGenerator` takes the function that begins it.
 *
 * @throws TypeError for what cannot be iterated
 * @pytorch torch.utils.data.IterableDataset
 */
export function fromIterable<T>(
  iterable: Iterable<T> | AsyncIterable<T>,
  options?: SourceOptions,
  ...surplus: []
): Stream<Awaited<T>> {
  const given = checkOptions('fromIterable', options, sourceOptions, surplus)
  if (!has(iterable, Symbol.iterator) && !has(iterable, Symbol.asyncIterator))
    throw new TypeError(expected('fromIterable', 'an iterable, or an async one', describe(iterable)))
  return source('fromIterable', onceOnly('fromIterable', iterable), given)
}

/**
 * A stream of what a function gives that begins anew at each call: a generator function, or an async one, or one that gives an iterable,
 * an iterator, or a promise of one. Going on at a saved place reads, and leaves out, what comes before it.
 *
 * What it throws is an error of the pass, with the number of the element. A pass that ends early calls `return`, so that `finally` runs.
 *
 * @example
 * fromGenerator(function* ({ epoch }) {
 *   for (let i = 0; i < 1000; i++) yield [Float32Array.of(i, epoch), i % 2]
 * }).batch(10)
 * @tensorflow tf.data.Dataset.from_generator
 */
export function fromGenerator<T>(
  generator: (pass: PassInfo) => Iterated<T> | PromiseLike<Iterated<T>>,
  options?: SourceOptions,
  ...surplus: []
): Stream<Awaited<T>> {
  const given = checkOptions('fromGenerator', options, sourceOptions, surplus)
  checkFunction('fromGenerator', 'a generator function', generator)
  return source('fromGenerator', ({ epoch }) => generator({ epoch }), given)
}

/**
 * A stream of what comes out of a stream of Node (`Readable`) or of the Web (`ReadableStream`), which can be read once; a function
 * that opens one gives as many passes as are asked for. A pass that ends early destroys or cancels it.
 *
 * @throws TypeError for anything else
 *
 * @example
 * fromStream(() => fs.createReadStream('lines.txt').pipe(split())).map(parse).batch(32)
 */
export function fromStream<T>(
  stream: AsyncIterable<T> | WebStream<T>,
  options?: SourceOptions,
  ...surplus: []
): Stream<T>
export function fromStream<T>(open: OpensStream<T>, options?: SourceOptions, ...surplus: []): Stream<T>
export function fromStream<T>(
  stream: AsyncIterable<T> | WebStream<T> | OpensStream<T>,
  options?: SourceOptions,
  ...surplus: []
): Stream<T> {
  const given = checkOptions('fromStream', options, sourceOptions, surplus)
  if (typeof stream === 'function') {
    checkFunction('fromStream', 'a function that opens a stream', stream)
    return source('fromStream', () => stream(), given)
  }
  if (!has(stream, 'getReader') && !has(stream, Symbol.asyncIterator))
    throw new TypeError(
      expected('fromStream', 'a stream of Node or of the Web, or a function that opens one', describe(stream)),
    )
  return source('fromStream', onceOnly('fromStream', stream), given)
}

/** Where the batches of a training come from: rows of a data set in memory, which the step itself gathers, or the batches of a stream. */
import type { Abortable } from '../base/abort.ts'
import { describe } from '../base/arguments.ts'
import { expected, ShapeError } from '../base/errors.ts'
import { isPlainObject } from '../base/options.ts'
import { leavesOf } from '../base/tree.ts'
import type { Batch, Dataset } from '../data/dataset.ts'
import type { PipelineState, StreamIterator } from '../data/pass.ts'
import { permutation, range } from '../data/permutation.ts'
import type { Stream } from '../data/stream.ts'
import { tensor } from '../tensor/creation.ts'
import { Tensor } from '../tensor/tensor.ts'

/** A batch as a step sees it while it is recorded. */
export interface StepBatch {
  readonly x: Batch
  readonly y: Batch | undefined
  readonly weights: Batch | undefined
  readonly rows: number
}

/** What a compiled step gets: indices of rows, or a batch. */
export type Argument = Tensor | readonly Batch[]

/** Some steps that are submitted at once, with equally many rows each. */
export interface Crossing {
  /** For each step along the first axis; of one step without such an axis where `steps` is undefined. */
  readonly argument: Argument
  readonly steps: number | undefined
  /** Of each step. */
  readonly rows: number
  /** Of the stream, after it. */
  readonly state?: PipelineState
}

/** The batches of one epoch, one after the other. */
export interface Feed {
  /** How many steps it has, from its beginning; Infinity where nobody knows. */
  readonly steps: number
  /** Whether there are no further steps, as far as is known. */
  readonly isOver: boolean
  /** At most so many of the next steps; null after the last one. */
  next(most: number): Crossing | null | Promise<Crossing | null>
  /** Ends it early, or late. */
  close(): Promise<void>
}

export interface FeedOptions {
  readonly batchSize: number
  readonly dropLast: boolean
  readonly stepsPerEpoch: number | undefined
  readonly signal: Abortable | undefined
}

/** Where an epoch begins, or goes on. */
export interface Place {
  readonly epoch: number
  readonly step: number
  /** Of the order of rows; they come as they stand unless given. */
  readonly seed?: number | undefined
  /** Of a stream, after the step. */
  readonly state?: PipelineState | undefined
}

export interface Source {
  /** What has to be the same where a training is resumed. */
  readonly title: string
  load(): Promise<void>
  /** What a step records of its argument. */
  batch(argument: Argument): StepBatch
  feed(options: FeedOptions, place: Place): Promise<Feed>
  /** Closes what stays open between epochs. */
  close(): Promise<void>
}

/** The rows of a data set in memory. */
export class RowSource implements Source {
  constructor(readonly dataset: Dataset<Batch, Batch | undefined, Batch | undefined>) {}

  get title(): string {
    return `${this.dataset.size} rows`
  }

  load(): Promise<void> {
    return this.dataset.load()
  }

  batch(rows: Tensor): StepBatch {
    const [x, y, weights] = this.dataset.batch(rows) as readonly Batch[]
    return { x: x!, y, weights, rows: rows.size }
  }

  async feed({ batchSize, dropLast, stepsPerEpoch }: FeedOptions, { epoch, step, seed }: Place): Promise<Feed> {
    const { size } = this.dataset
    const all = seed === undefined ? range(size) : await permutation(size, seed, epoch)
    const whole = dropLast ? size - (size % batchSize) : size
    const rows = all.subarray(0, stepsPerEpoch === undefined ? whole : Math.min(whole, stepsPerEpoch * batchSize))
    return rowFeed(rows, batchSize, step)
  }

  async close(): Promise<void> {}
}

function rowFeed(rows: Int32Array, batchSize: number, from: number): Feed {
  let start = from * batchSize
  return {
    steps: Math.ceil(rows.length / batchSize),
    get isOver() {
      return start >= rows.length
    },
    next(most) {
      const left = rows.length - start
      if (left <= 0) return null
      const steps = Math.max(1, Math.min(most, Math.floor(left / batchSize)))
      const count = Math.min(left, steps * batchSize)
      const argument = tensor(rows.subarray(start, start + count), { shape: [steps, count / steps] })
      start += count
      return { argument, steps, rows: count / steps }
    },
    async close() {},
  }
}

/** The parts of a batch as a stream gives it: `[x, y, weights]`, `[x, y]`, or x by itself. */
function partsOf(op: string, element: unknown): readonly Batch[] {
  const parts = element instanceof Tensor || isPlainObject(element) ? [element] : element
  if (!Array.isArray(parts) || parts.length === 0 || parts.length > 3)
    throw new TypeError(expected(op, 'batches [x, y] or [x, y, weights] from the stream', describe(element)))
  return parts
}

function rowsIn(op: string, parts: readonly Batch[]): number {
  const leaves = parts.flatMap((part) => leavesOf(op, '', part).map(([, leaf]) => leaf))
  const [first] = leaves
  for (const leaf of leaves) {
    if (!(leaf instanceof Tensor))
      throw new TypeError(expected(op, 'batches of tensors from the stream', describe(leaf)))
    if (leaf.ndim === 0 || leaf.shape[0] !== (first as Tensor).shape[0])
      throw new ShapeError(expected(op, 'batches of as many rows in all their tensors from the stream', leaf))
  }
  if (first === undefined) throw new TypeError(expected(op, 'batches of tensors from the stream', 'none'))
  return (first as Tensor).shape[0]!
}

interface Read {
  readonly element: IteratorResult<unknown, undefined>
  readonly state: PipelineState
}

/** A pass over a stream that is read one batch ahead, so that it is made while a step runs. */
class Reader {
  readonly #pass: StreamIterator<unknown>
  #ahead: Promise<Read>

  constructor(pass: StreamIterator<unknown>) {
    this.#pass = pass
    this.#ahead = this.#read()
  }

  #read(): Promise<Read> {
    const read = this.#pass.next().then((element) => ({ element, state: this.#pass.state() }))
    // Its error is thrown where it is awaited.
    read.catch(() => {})
    return read
  }

  async next(): Promise<Read> {
    const read = await this.#ahead
    if (!read.element.done) this.#ahead = this.#read()
    return read
  }

  async close(): Promise<void> {
    await this.#pass.return()
  }
}

/** The batches of a stream. Where an epoch is a number of steps, passes follow on each other without regard to epochs. */
export class StreamSource implements Source {
  readonly #op: string
  readonly #stream: Stream<unknown>
  #open: Reader | undefined
  #pass = 0

  constructor(op: string, stream: Stream<unknown>) {
    this.#op = op
    this.#stream = stream
  }

  get title(): string {
    return String(this.#stream)
  }

  async load(): Promise<void> {}

  batch(argument: readonly Batch[]): StepBatch {
    const [x, y, weights] = argument
    return { x: x!, y, weights, rows: rowsIn(this.#op, argument) }
  }

  async feed({ stepsPerEpoch = Infinity, signal }: FeedOptions, { epoch, step, state }: Place): Promise<Feed> {
    const isPerEpoch = stepsPerEpoch === Infinity
    const open = (from?: PipelineState) => {
      const epochOf = from?.epoch ?? (isPerEpoch ? epoch : this.#pass)
      this.#pass = epochOf + 1
      return new Reader(this.#stream.open({ epoch: epochOf, signal, state: from }))
    }
    // Between epochs of a whole pass each there is no state: the next one begins anew.
    if (this.#open === undefined || isPerEpoch) this.#open = open(isPerEpoch && step === 0 ? undefined : state)
    let [done, isOver] = [step, step >= stepsPerEpoch]
    return {
      steps: isPerEpoch ? (this.#stream.size ?? Infinity) : stepsPerEpoch,
      get isOver() {
        return isOver
      },
      next: async () => {
        if (isOver) return null
        let { element, state } = await this.#open!.next()
        if (element.done && !isPerEpoch) {
          this.#open = open()
          ;({ element, state } = await this.#open.next())
        }
        isOver = element.done === true || ++done >= stepsPerEpoch
        if (element.done) {
          if (done === 0 || !isPerEpoch)
            throw new RangeError(expected(this.#op, 'a stream of at least one batch', 'an empty one'))
          return null
        }
        const argument = partsOf(this.#op, element.value)
        return { argument, steps: undefined, rows: rowsIn(this.#op, argument), state }
      },
      close: async () => {
        if (isPerEpoch) await this.close()
      },
    }
  }

  async close(): Promise<void> {
    const open = this.#open
    this.#open = undefined
    await open?.close()
  }
}

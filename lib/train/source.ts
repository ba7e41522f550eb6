/** Where the batches of a training come from: rows of a data set in memory, which the step itself gathers. */
import type { Batch, Dataset } from '../data/dataset.ts'
import { permutation, range } from '../data/permutation.ts'
import { tensor } from '../tensor/creation.ts'
import type { Tensor } from '../tensor/tensor.ts'

/** A batch as a step sees it while it is recorded. */
export interface StepBatch {
  readonly x: Batch
  readonly y: Batch
  readonly rows: number
}

/** Some steps that are submitted at once, with equally many rows each. */
export interface Crossing {
  /** What the compiled step gets: for each step along the first axis. */
  readonly argument: Tensor
  readonly steps: number
  /** Of each step. */
  readonly rows: number
}

/** The batches of one epoch, one after the other. */
export interface Feed {
  /** How many steps it has, from its beginning. */
  readonly steps: number
  /** Whether there are no further steps. */
  readonly isOver: boolean
  /** At most so many of the next steps; null after the last one. */
  next(most: number): Crossing | null
}

export interface FeedOptions {
  readonly batchSize: number
  readonly dropLast: boolean
  readonly stepsPerEpoch: number | undefined
}

/** The rows of a data set in memory. */
export class RowSource {
  constructor(readonly dataset: Dataset<Batch, Batch>) {}

  load(): Promise<void> {
    return this.dataset.load()
  }

  /** What a step records of its argument. */
  batch(rows: Tensor): StepBatch {
    const [x, y] = this.dataset.batch(rows)
    return { x, y, rows: rows.size }
  }

  /** All rows in their order, or shuffled, from a step on. */
  async feed(
    { batchSize, dropLast, stepsPerEpoch }: FeedOptions,
    order?: { seed: number; epoch: number },
    from = 0,
  ): Promise<Feed> {
    const { size } = this.dataset
    const all = order ? await permutation(size, order.seed, order.epoch) : range(size)
    const whole = dropLast ? size - (size % batchSize) : size
    const rows = all.subarray(0, stepsPerEpoch === undefined ? whole : Math.min(whole, stepsPerEpoch * batchSize))
    return rowFeed(rows, batchSize, from)
  }
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
  }
}

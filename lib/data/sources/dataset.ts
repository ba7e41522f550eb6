/** The rows of a data set as a stream, one by one or in whole batches. */
import { turnIfDue } from '../../base/turns.ts'
import { tensor } from '../../tensor/creation.ts'
import { randomStream } from '../../tensor/random.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { hashOf } from '../hashing.ts'
import type { Sampling } from '../sampling.ts'
import { computed, rowsOfBatch } from '../stacking.ts'
import { type Cursor, done, over, type Pass, type Stage, savedAs, sizeBy } from '../stage.ts'

export interface DatasetRows {
  /** The given rows of each part, mapped. */
  readonly batch: (rows: Tensor) => readonly unknown[]
  /** Of the random numbers that maps draw. */
  readonly seed: number
  readonly sampling: Sampling
}

/** Rows that come one by one are gathered so many at a time. */
const rowsAtOnce = 64

/** Gathers rows from a place of the pass on. What maps draw there follows from the seed, the epoch and the place. */
function gathering({ batch, seed, sampling }: DatasetRows, { epoch }: Pass) {
  let order: Promise<Int32Array> | undefined
  return async (start: number, count: number): Promise<{ batch: unknown; count: number }> => {
    order ??= sampling.rows(epoch)
    const rows = (await order).slice(start, start + count)
    const random = randomStream(hashOf(seed, epoch, start))
    const parts = random.run(() => batch(tensor(rows)))
    return { batch: await computed(parts.length === 1 ? parts[0] : parts), count: rows.length }
  }
}

export function datasetStage<T>(rows: DatasetRows): Stage<T> {
  const stage: Stage<T> = {
    name: `fromTensors(${rows.sampling.name})`,
    parents: [],
    batched: false,
    reordered: rows.sampling.reordered,
    size: rows.sampling.count,
    open: (pass, position) => rowByRow(rows, pass, savedAs<number>(position) ?? 0),
    gathered: (size, dropLast) => batches(stage, rows, size, dropLast),
  }
  return stage
}

function rowByRow<T>(rows: DatasetRows, pass: Pass, start: number): Cursor<T> {
  const gather = gathering(rows, pass)
  let next = start
  let read: ((i: number) => unknown) | undefined
  return {
    async next() {
      const due = turnIfDue()
      if (due !== undefined) await due
      if (next >= rows.sampling.count) return done
      const place = next % rowsAtOnce
      if (read === undefined || place === 0)
        read = (await rowsOfBatch('stream', (await gather(next - place, rowsAtOnce)).batch)).row
      next++
      return { done: false, value: read(place) as T }
    },
    position: () => next,
    async close() {
      read = undefined
    },
  }
}

function batches(parent: Stage<unknown>, rows: DatasetRows, size: number, dropLast: boolean): Stage<unknown> {
  const { count } = rows.sampling
  const end = dropLast ? count - (count % size) : count
  return over(parent, {
    name: `batch(${size}${dropLast ? ', dropLast' : ''})`,
    batched: true,
    size: sizeBy(end, (rows) => Math.ceil(rows / size)),
    open(pass, position) {
      const gather = gathering(rows, pass)
      let next = savedAs<number>(position) ?? 0
      return {
        async next() {
          if (next >= end) return done
          const { batch, count } = await gather(next, size)
          next += count
          return { done: false, value: batch }
        },
        position: () => next,
        async close() {},
      }
    },
  })
}

/** When a batch is computed, and of how many rows: a function of what waits and of the clock. */
import type { LatencyModel } from './latency.ts'

/** The rows that wait of the kind that is next. */
export interface Pending {
  readonly rows: number
  /** How long the first of them has waited, in milliseconds. */
  readonly waited: number
}

export type Decision =
  | { readonly run: number }
  /** Milliseconds, unless more rows come. */
  | { readonly wait: number }

export interface BatchLimits {
  readonly maxBatch: number
  /** Milliseconds that the first row of a batch may wait for others. */
  readonly maxDelay: number
  /** Sizes at which no row waits for more; ascending. */
  readonly preferredSizes: readonly number[]
  /** Milliseconds that 99 of 100 requests are to take at most; undefined where nothing is asked. */
  readonly targetP99: number | undefined
}

/** A batch and what waits behind it both have to be within a target. */
const shareOfBatch = 0.4

export class Batcher {
  constructor(
    private readonly limits: BatchLimits,
    private readonly latency: LatencyModel,
  ) {}

  /** As large as the target allows. */
  get mostRows(): number {
    const { maxBatch, targetP99 } = this.limits
    return targetP99 === undefined ? maxBatch : Math.min(maxBatch, this.latency.largestWithin(shareOfBatch * targetP99))
  }

  /** What is left of the target once the batch and one before it are computed, but no more than was allowed. */
  get delay(): number {
    const { maxDelay, targetP99 } = this.limits
    if (targetP99 === undefined) return maxDelay
    return Math.max(0, Math.min(maxDelay, targetP99 - 2 * (this.latency.predict(this.mostRows) ?? 0)))
  }

  /** What to do with what waits, where a batch may be submitted now. */
  decide({ rows, waited }: Pending): Decision {
    const most = this.mostRows
    if (rows >= most) return { run: most }
    const preferred = this.limits.preferredSizes.filter((size) => size <= rows).at(-1)
    if (preferred !== undefined) return { run: preferred }
    const left = this.delay - waited
    return left > 0 ? { wait: left } : { run: rows }
  }

  /** Whether a row that comes now, behind so many, would be answered within the target. */
  isInTime(rowsBefore: number): boolean {
    const { targetP99 } = this.limits
    if (targetP99 === undefined) return true
    const most = this.mostRows
    return this.latency.wait(rowsBefore + 1, most) + (this.latency.predict(most) ?? 0) <= targetP99
  }
}

/** Statistics of features, gathered batch by batch in float64. NaN stands for what is missing, and is left out. */
import type { TypedArray } from '../../base/dtype.ts'

/** Numbers of some features: that of element i is ⌊i / inner⌋ mod features. */
export interface Values {
  readonly data: TypedArray
  readonly inner: number
}

function each({ data, inner }: Values, features: number, see: (feature: number, x: number) => void): void {
  for (let i = 0, start = 0; start < data.length; start += inner, i = i + 1 === features ? 0 : i + 1)
    for (let j = start; j < start + inner; j++) if (!Number.isNaN(data[j]!)) see(i, data[j]!)
}

/**
 * Means and variances, by two passes over each batch, which are joined as Chan, Golub and LeVeque (1983) say: exact up to rounding however far
 * the mean lies from 0.
 */
export class Moments {
  readonly counts: Float64Array
  readonly means: Float64Array
  /** Σ(x − mean)². */
  readonly squares: Float64Array

  constructor(readonly features: number) {
    this.counts = new Float64Array(features)
    this.means = new Float64Array(features)
    this.squares = new Float64Array(features)
  }

  see(values: Values): void {
    const [counts, sums, squares] = Array.from({ length: 3 }, () => new Float64Array(this.features)) as [
      Float64Array,
      Float64Array,
      Float64Array,
    ]
    each(values, this.features, (i, x) => {
      counts[i]!++
      sums[i]! += x
    })
    const means = sums.map((sum, i) => (counts[i] === 0 ? 0 : sum / counts[i]!))
    each(values, this.features, (i, x) => {
      squares[i]! += (x - means[i]!) ** 2
    })
    for (let i = 0; i < this.features; i++) this.#join(i, counts[i]!, means[i]!, squares[i]!)
  }

  /** Of all values, not of a sample of more: divided by their number. */
  get variances(): Float64Array {
    return this.squares.map((square, i) => square / this.counts[i]!)
  }

  #join(i: number, count: number, mean: number, square: number): void {
    if (count === 0) return
    const all = this.counts[i]! + count
    const difference = mean - this.means[i]!
    this.squares[i]! += square + difference * difference * ((this.counts[i]! * count) / all)
    this.means[i]! += difference * (count / all)
    this.counts[i] = all
  }
}

/** The least and the greatest. */
export class Extremes {
  readonly counts: Float64Array
  readonly least: Float64Array
  readonly greatest: Float64Array

  constructor(readonly features: number) {
    this.counts = new Float64Array(features)
    this.least = new Float64Array(features).fill(Infinity)
    this.greatest = new Float64Array(features).fill(-Infinity)
  }

  see(values: Values): void {
    each(values, this.features, (i, x) => {
      this.counts[i]!++
      this.least[i] = Math.min(this.least[i]!, x)
      this.greatest[i] = Math.max(this.greatest[i]!, x)
    })
  }
}

/** How often each number comes. */
export class Counts {
  readonly counts: Float64Array
  readonly numbers: readonly Map<number, number>[]

  constructor(readonly features: number) {
    this.counts = new Float64Array(features)
    this.numbers = Array.from({ length: features }, () => new Map())
  }

  see(values: Values): void {
    each(values, this.features, (i, x) => {
      this.counts[i]!++
      const numbers = this.numbers[i]!
      numbers.set(x, (numbers.get(x) ?? 0) + 1)
    })
  }

  /** The most frequent number of a feature, the least one of several. */
  mostFrequent(feature: number): number {
    let [best, most] = [0, 0]
    for (const [x, count] of this.numbers[feature]!)
      if (count > most || (count === most && x < best)) [best, most] = [x, count]
    return best
  }

  /** The numbers at some shares of all of a feature, in order, with linear interpolation, as numpy's quantile. */
  quantiles(feature: number, shares: readonly number[]): number[] {
    const sorted = [...this.numbers[feature]!].sort(([a], [b]) => a - b)
    const last = this.counts[feature]! - 1
    let [place, before] = [0, 0]
    const at = (rank: number) => {
      while (before + sorted[place]![1] <= rank) before += sorted[place++]![1]
      return sorted[place]![0]
    }
    return shares.map((share) => {
      const rank = share * last
      const low = at(Math.floor(rank))
      const [kept, keptBefore] = [place, before]
      const high = at(Math.ceil(rank))
      ;[place, before] = [kept, keptBefore]
      return low + (high - low) * (rank - Math.floor(rank))
    })
  }
}

/** How numbers above 0 are spread, in memory that does not grow: the eighths of octaves of HDR histograms. */

/** A bucket is at most 1/8 wider than its lower edge. */
const perOctave = 8
/** In milliseconds: from a microsecond to eighteen minutes; in rows it is as well enough. */
const leastExponent = -10
const octaves = 31

const bucketOf = (value: number): number => {
  if (!(value > 2 ** leastExponent)) return 0
  const exponent = Math.min(Math.floor(Math.log2(value)), leastExponent + octaves - 1)
  const part = Math.min(perOctave - 1, Math.floor((value / 2 ** exponent - 1) * perOctave))
  return (exponent - leastExponent) * perOctave + Math.max(0, part)
}

const lowerEdge = (bucket: number): number =>
  2 ** (leastExponent + Math.floor(bucket / perOctave)) * (1 + (bucket % perOctave) / perOctave)

/** What a histogram says, as plain data; all 0 where nothing was counted. */
export interface Distribution {
  readonly count: number
  readonly sum: number
  readonly mean: number
  readonly minimum: number
  readonly maximum: number
  /** Percentiles, within an eighth of the value. */
  readonly p50: number
  readonly p90: number
  readonly p99: number
  readonly p999: number
}

export class Histogram {
  readonly #counts = new Float64Array(perOctave * octaves)
  #count = 0
  #sum = 0
  #minimum = Infinity
  #maximum = 0
  /** Told of each number. */
  onAdd: ((value: number) => void) | undefined

  add(value: number): void {
    this.onAdd?.(value)
    this.#counts[bucketOf(value)]!++
    this.#count++
    this.#sum += value
    if (value < this.#minimum) this.#minimum = value
    if (value > this.#maximum) this.#maximum = value
  }

  get count(): number {
    return this.#count
  }

  get sum(): number {
    return this.#sum
  }

  /** The value that a share of the numbers is at most: the upper edge of the bucket it is in. */
  percentile(share: number): number {
    let left = share * this.#count
    // What is beyond all edges is in the last one.
    for (let bucket = 0; bucket < this.#counts.length - 1; bucket++) {
      left -= this.#counts[bucket]!
      if (left <= 0 && this.#counts[bucket]! > 0) return Math.min(this.#maximum, lowerEdge(bucket + 1))
    }
    return this.#maximum
  }

  /** How many are at most each of the bounds, which ascend: whole buckets, so within an eighth of a bound. */
  atMost(bounds: readonly number[]): number[] {
    let total = 0
    let bucket = 0
    return bounds.map((bound) => {
      while (bucket < this.#counts.length && lowerEdge(bucket + 1) <= bound * (1 + 1e-9))
        total += this.#counts[bucket++]!
      return this.#maximum <= bound ? this.#count : total
    })
  }

  toJSON(): Distribution {
    const count = this.#count
    return {
      count,
      sum: this.#sum,
      mean: count === 0 ? 0 : this.#sum / count,
      minimum: count === 0 ? 0 : this.#minimum,
      maximum: this.#maximum,
      p50: this.percentile(0.5),
      p90: this.percentile(0.9),
      p99: this.percentile(0.99),
      p999: this.percentile(0.999),
    }
  }
}

/** The arena slots that are in use at one moment: disjoint intervals of bytes, found in logarithmic time. */
export class LiveSlots {
  readonly #starts: Float64Array
  /** A binary tree of maxima in an array, the root at 1; a leaf is where the slot at that start ends, or 0. */
  readonly #ends: Float64Array

  /** `starts`: where a slot may ever begin. */
  constructor(starts: Iterable<number>) {
    this.#starts = Float64Array.from(new Set(starts)).sort()
    this.#ends = new Float64Array(2 * this.#starts.length)
  }

  insert(start: number, end: number): void {
    this.#set(start, end)
  }

  remove(start: number): void {
    this.#set(start, 0)
  }

  /** True where a slot in use shares a byte with [start, end). */
  overlaps(start: number, end: number): boolean {
    let latest = 0
    let left = this.#starts.length
    let right = left + this.#countBelow(end)
    for (; left < right; left >>= 1, right >>= 1) {
      if (left & 1) latest = Math.max(latest, this.#ends[left++]!)
      if (right & 1) latest = Math.max(latest, this.#ends[--right]!)
    }
    return latest > start
  }

  #set(start: number, end: number): void {
    const ends = this.#ends
    let node = this.#starts.length + this.#countBelow(start)
    ends[node] = end
    for (node >>= 1; node >= 1; node >>= 1) ends[node] = Math.max(ends[2 * node]!, ends[2 * node + 1]!)
  }

  /** The number of starts below `x`. */
  #countBelow(x: number): number {
    let low = 0
    let high = this.#starts.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.#starts[middle]! < x) low = middle + 1
      else high = middle
    }
    return low
  }
}

/** How long a batch takes by how many rows it has, learned from those that were computed. */

/** What the last batch changes of the mean. */
const weight = 0.1

/** By sizes of which programs were prepared: a mean of the last batches of each. */
export class LatencyModel {
  readonly #milliseconds = new Map<number, number>()

  constructor(readonly sizes: readonly number[]) {}

  observe(size: number, milliseconds: number): void {
    const known = this.#milliseconds.get(size)
    this.#milliseconds.set(size, known === undefined ? milliseconds : known + weight * (milliseconds - known))
  }

  /** Of a batch of a prepared size; of one that was never seen as long as the next smaller one for each row, undefined where none was. */
  predict(size: number): number | undefined {
    const known = this.#milliseconds.get(size)
    if (known !== undefined) return known
    const smaller = this.sizes.filter((other) => other < size && this.#milliseconds.has(other)).at(-1)
    return smaller === undefined ? undefined : (this.#milliseconds.get(smaller)! * size) / smaller
  }

  /** The largest size that takes at most so long; the smallest of all where none does. */
  largestWithin(milliseconds: number): number {
    const fitting = this.sizes.filter((size) => (this.predict(size) ?? 0) <= milliseconds)
    return fitting.at(-1) ?? this.sizes[0]!
  }

  /** How long so many rows take in batches of a size. */
  wait(rows: number, size: number): number {
    return Math.ceil(rows / size) * (this.predict(size) ?? 0)
  }
}

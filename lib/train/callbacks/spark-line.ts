/** A line of small bars that says how a number went. */
const bars = '▁▂▃▄▅▆▇'
const mostBars = 8

/** How a number went from its first value on, in memory that does not grow: values are merged into means, of two, of four and so on. */
export class SparkLine {
  #means: number[] = []
  /** How many values each of the means is of, and those of the next one. */
  #each = 1
  #next: number[] = []

  add(value: number): void {
    this.#next.push(value)
    if (this.#next.length < this.#each) return
    this.#means.push(meanOf(this.#next))
    this.#next = []
    if (this.#means.length < 8 * mostBars) return
    this.#means = partsOf(this.#means, 4 * mostBars).map(meanOf)
    this.#each *= 2
  }

  /** Empty before there are two values. */
  toString(): string {
    const heights = partsOf(this.#means, mostBars).map(meanOf)
    if (heights.length < 2) return ''
    const [low, high] = [Math.min(...heights), Math.max(...heights)]
    const step = (high - low) / (bars.length - 1)
    return heights.map((height) => bars[step > 0 ? Math.round((height - low) / step) : 0]).join('')
  }
}

const meanOf = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length

/** Values in so many parts of about the same length, or each by itself where they are fewer. */
function partsOf(values: readonly number[], count: number): number[][] {
  const parts = Math.min(count, values.length)
  const start = (part: number) => Math.floor((part * values.length) / parts)
  return Array.from({ length: parts }, (_, part) => values.slice(start(part), start(part + 1)))
}

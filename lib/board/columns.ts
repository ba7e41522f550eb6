/** The points of a tag, in columns that grow, and that are thinned where they are more than are kept. */
import { decimate } from './decimate.ts'

const names = ['step', 'epoch', 'time', 'value'] as const
type Name = (typeof names)[number]
type Table = Record<Name, Float64Array>

export type Point = Readonly<Record<Name, number>>

const bytesOfPoint = names.length * Float64Array.BYTES_PER_ELEMENT
const tableOf = (capacity: number): Table => ({
  step: new Float64Array(capacity),
  epoch: new Float64Array(capacity),
  time: new Float64Array(capacity),
  value: new Float64Array(capacity),
})

export class Columns {
  #table = tableOf(16)
  #length = 0
  /** How many of them are in order from the first on. */
  #inOrder = 0
  /** Another one after each change. */
  version = 0
  /** How many were added, those that were thinned away among them. */
  total = 0

  get length(): number {
    return this.#length
  }

  /** The value of the point that was added last; NaN where there is none. */
  last = Number.NaN

  get bytes(): number {
    return this.#table.step.length * bytesOfPoint
  }

  /** Adds a point, and thins all to half of `most` where they are more: evenly over the steps, so that no part of a run fades. */
  add(point: Point, most: number): void {
    if (this.#length === this.#table.step.length) {
      if (this.#length >= most) this.thin(most)
      if (this.#length === this.#table.step.length) this.#resize(2 * this.#length)
    }
    const i = this.#length++
    for (const name of names) this.#table[name][i] = point[name]
    if (this.#inOrder === i && (i === 0 || point.step >= this.#table.step[i - 1]!)) this.#inOrder++
    this.total++
    this.version++
    this.last = point.value
  }

  /** Keeps about half of `most` points, where they are more than that. */
  thin(most: number): void {
    const table = this.settled()
    this.version++
    const half = Math.max(most >> 1, 16)
    if (this.#length > half) {
      const kept = decimate(table, 0, this.#length, half)
      for (const [to, from] of kept.entries()) for (const name of names) table[name][to] = table[name][from]!
      this.#length = this.#inOrder = kept.length
    }
    const capacity = Math.max(16, 2 ** Math.ceil(Math.log2(this.#length + 1)))
    if (capacity < this.#table.step.length) this.#resize(capacity)
  }

  #resize(capacity: number): void {
    const larger = tableOf(capacity)
    for (const name of names) larger[name].set(this.#table[name].subarray(0, this.#length))
    this.#table = larger
  }

  /** The columns by rising steps: points of the same step are in the order in which they came. They may be longer than there are points. */
  settled(): Readonly<Table> {
    if (this.#inOrder < this.#length) this.#sort()
    return this.#table
  }

  /** Merges those that came out of order, which mostly are few, into the others. */
  #sort(): void {
    const { step } = this.#table
    const late = Uint32Array.from({ length: this.#length - this.#inOrder }, (_, i) => this.#inOrder + i)
    late.sort((a, b) => step[a]! - step[b]! || a - b)
    const sorted = tableOf(step.length)
    let [i, j] = [0, 0]
    for (let to = 0; to < this.#length; to++) {
      const takesLate = j < late.length && (i === this.#inOrder || step[late[j]!]! < step[i]!)
      const from = takesLate ? late[j++]! : i++
      for (const name of names) sorted[name][to] = this.#table[name][from]!
    }
    this.#table = sorted
    this.#inOrder = this.#length
  }

  /** Drops the points after a step. */
  dropAfter(step: number): void {
    const table = this.settled()
    this.version++
    const kept = firstThat(table.step, this.#length, (x) => x > step)
    this.total -= this.#length - kept
    this.#length = this.#inOrder = kept
    this.last = kept > 0 ? table.value[kept - 1]! : Number.NaN
  }

  /** Where the points from one step to another are, with the neighbours of both. */
  range(from: number, to: number): [start: number, end: number] {
    const { step } = this.settled()
    const start = Math.max(0, firstThat(step, this.#length, (x) => x >= from) - 1)
    const behind = firstThat(step, this.#length, (x) => x > to)
    return [start, Math.min(this.#length, behind + 1)]
  }
}

/** The first index whose step passes a test that all later ones pass too. */
function firstThat(step: Float64Array, length: number, passes: (step: number) => boolean): number {
  let [low, high] = [0, length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (passes(step[middle]!)) high = middle
    else low = middle + 1
  }
  return low
}

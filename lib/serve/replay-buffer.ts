/** The rows that an online trainer learns from: as many as there is room for, of all that came or of the last ones. */

const increment = 0x9e3779b9

/** Numbers from 0 to 1 by a counter: SplitMix32, after G. Steele, D. Lea and C. Flood (2014). */
class Generator {
  constructor(public state: number) {}

  next(): number {
    this.state = (this.state + increment) | 0
    let bits = Math.imul(this.state ^ (this.state >>> 16), 0x21f0aaad)
    bits = Math.imul(bits ^ (bits >>> 15), 0x735a2d97)
    return ((bits ^ (bits >>> 15)) >>> 0) / 2 ** 32
  }
}

/** The number at a place of the sequence that belongs to a seed. */
export const numberAt = (seed: number, place: number): number =>
  new Generator((seed + Math.imul(place, increment)) | 0).next()

/** All that what is drawn next depends on, beside the examples. */
export interface BufferState {
  readonly seen: number
  readonly next: number
  readonly random: number
}

/** All of a buffer. */
export interface Kept<T> {
  readonly examples: readonly T[]
  readonly draws: BufferState
}

export class ReplayBuffer<T extends object> {
  #examples: T[] = []
  readonly #random: Generator
  #seen = 0
  #next = 0

  constructor(
    readonly capacity: number,
    /** `reservoir` keeps each of all rows with the same probability (J. Vitter 1985, algorithm R), `recent` the last ones. */
    private readonly kind: 'reservoir' | 'recent',
    seed: number,
  ) {
    this.#random = new Generator(seed | 0)
  }

  get size(): number {
    return this.#examples.length
  }

  add(example: T): void {
    this.#seen++
    if (this.#examples.length < this.capacity) {
      this.#examples.push(example)
      return
    }
    if (this.kind === 'recent') {
      this.#examples[this.#next] = example
      this.#next = (this.#next + 1) % this.capacity
      return
    }
    const place = Math.floor(this.#random.next() * this.#seen)
    if (place < this.capacity) this.#examples[place] = example
  }

  state(): Kept<T> {
    const draws = { seen: this.#seen, next: this.#next, random: this.#random.state }
    return { examples: [...this.#examples], draws }
  }

  /** Takes over what `state` gave: what is drawn next is the same then, unless the other buffer was of another capacity. */
  load({ examples, draws: { seen, next, random } }: Kept<T>): void {
    const isSame = examples.length === this.capacity
    const kept = isSame ? examples : [...examples.slice(next), ...examples.slice(0, next)].slice(-this.capacity)
    this.#examples = [...kept]
    this.#seen = seen
    this.#next = isSame ? next : 0
    this.#random.state = random
  }

  /** So many of them, at random and with repetitions. */
  sample(count: number): T[] {
    return Array.from({ length: count }, () => this.#examples[Math.floor(this.#random.next() * this.#examples.length)]!)
  }

  /** So many of them, each as often as any other, but for one time. */
  all(count: number): T[] {
    return Array.from({ length: count }, (_, i) => this.#examples[i % this.#examples.length]!)
  }

  clear(): void {
    this.#examples = []
    this.#next = 0
    this.#seen = 0
  }

  remove(bad: ReadonlySet<T>): void {
    // The oldest one first, so that what comes next is put behind the newest one.
    const byAge = [...this.#examples.slice(this.#next), ...this.#examples.slice(0, this.#next)]
    this.#examples = byAge.filter((example) => !bad.has(example))
    this.#next = 0
  }
}

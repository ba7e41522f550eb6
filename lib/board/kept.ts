/** Records that are kept as they are, in a bounded number of them: those of one tag. */
import type { RunRecord } from '../events/record.ts'

interface Item {
  readonly step: number
  /** The record as JSON, outside of the heap of objects. */
  readonly text: Buffer
}

/** What becomes of the older ones where there are too many: every second one goes, or the oldest. */
export type Keeping = 'spread' | 'newest'

/** So many bytes of the records of one tag are kept. */
const mostBytes = 2 ** 25

export class Kept {
  readonly #keeping: Keeping
  #items: Item[] = []
  /** With those that are `spread`: every how many are kept, and how many were left out since the last one that was. */
  #every = 1
  #skipped = 0
  bytes = 0

  constructor(keeping: Keeping) {
    this.#keeping = keeping
  }

  add(record: RunRecord, step: number, most: number): void {
    const text = Buffer.from(JSON.stringify(record))
    // The newest is always there: it stands in for the next one that is kept.
    if (this.#skipped > 0) this.#remove(this.#items.length - 1)
    this.#items.push({ step, text })
    this.bytes += text.length
    this.#skipped = (this.#skipped + 1) % this.#every
    while (this.#items.length > 2 && (this.#items.length > most || this.bytes > mostBytes)) this.thin()
  }

  /** Leaves out half of them, or the oldest. */
  thin(): void {
    if (this.#keeping === 'newest') {
      this.#remove(0)
      return
    }
    const last = this.#items.length - 1
    const lastForGood = this.#skipped === 0 ? last : last - 1
    if (lastForGood % 2 === 1) this.#skipped += this.#every
    this.#every *= 2
    this.#items = this.#items.filter((_, i) => i % 2 === 0 || i === last)
    this.bytes = this.#items.reduce((sum, { text }) => sum + text.length, 0)
  }

  #remove(i: number): void {
    const [removed] = this.#items.splice(i, 1)
    this.bytes -= removed?.text.length ?? 0
  }

  /** Drops those after a step. */
  dropAfter(step: number): void {
    this.#items = this.#items.filter((item) => item.step <= step)
    this.bytes = this.#items.reduce((sum, { text }) => sum + text.length, 0)
    this.#skipped = 0
  }

  get length(): number {
    return this.#items.length
  }

  /** The texts of at most so many: the newest, or spread over all with the first and the last. */
  texts(most: number): Buffer[] {
    const texts = this.#items.map(({ text }) => text)
    if (texts.length <= most) return texts
    if (this.#keeping === 'newest' || most === 1) return texts.slice(-most)
    const at = (i: number) => texts[Math.round((i * (texts.length - 1)) / (most - 1))]!
    return Array.from({ length: most }, (_, i) => at(i))
  }
}

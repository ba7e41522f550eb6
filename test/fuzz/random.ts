/** Random choices that follow from a seed and the number of a case. */

/** A bijection of 32 bits whose output bits depend on all input bits (Chris Wellons' lowbias32). */
function mix(x: number): number {
  let h = x >>> 0
  h = Math.imul(h ^ (h >>> 16), 0x21f0aaad)
  h = Math.imul(h ^ (h >>> 15), 0x735a2d97)
  return (h ^ (h >>> 15)) >>> 0
}

export class Random {
  #state: number

  constructor(seed: number, number: number) {
    this.#state = mix(mix(seed) + number)
  }

  /** 32 bits. */
  word(): number {
    this.#state = (this.#state + 0x9e3779b9) >>> 0
    return mix(this.#state)
  }

  /** An integer in [0, limit). */
  below(limit: number): number {
    return Math.floor((this.word() / 2 ** 32) * limit)
  }

  /** True one time in `n`. */
  oneIn(n: number): boolean {
    return this.below(n) === 0
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!
  }

  bytes(count: number): Uint8Array<ArrayBuffer> {
    return Uint8Array.from({ length: count }, () => this.word())
  }

  /** Numbers for a Tape. */
  tape(length: number): number[] {
    return Array.from({ length }, () => this.below(2 ** 20))
  }
}

/** Random choices read off a list of numbers, which fast-check can shorten and make smaller: past its end, all are 0. */
import fc from 'fast-check'

export class Tape {
  #position = 0
  readonly #numbers: readonly number[]

  constructor(numbers: readonly number[]) {
    this.#numbers = numbers
  }

  /** An integer in [0, limit). */
  below(limit: number): number {
    return limit > 1 ? (this.#numbers[this.#position++] ?? 0) % limit : 0
  }

  /** True one time in `n`; false on an exhausted tape. */
  oneIn(n: number): boolean {
    return this.below(n) === n - 1
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!
  }
}

export const tape: fc.Arbitrary<readonly number[]> = fc.array(fc.noBias(fc.nat(2 ** 20)), {
  minLength: 60,
  maxLength: 60,
})

/** Numbers in [0, 1) from a seed: the middle bits of a linear congruential generator (Knuth's MMIX, in 32 bits of state). */
export function uniforms(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) >>> 8) / 2 ** 24
  }
}

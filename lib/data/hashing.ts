/** Hashes that random choices of pipelines follow from. */

/** MurmurHash3's finalizer (A. Appleby), a permutation of the 32-bit integers in which every bit depends on every other. */
export function mix(x: number): number {
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b)
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35)
  return (x ^ (x >>> 16)) >>> 0
}

/** A 32-bit integer that follows from a seed and some natural numbers, all their bits and their order. */
export function hashOf(seed: number, ...numbers: readonly number[]): number {
  let hash = mix(seed ^ 0x9e3779b9)
  for (const n of numbers) hash = mix(mix(hash + (n >>> 0)) + Math.floor(n / 2 ** 32) + 1)
  return hash
}

/** A number in [0, 1) that follows from a key and a counter. */
export const fractionOf = (key: number, counter: number): number => mix(mix(counter) ^ key) / 2 ** 32

/** The same with all the bits that a number in [0, 1) has. */
export const fineFractionOf = (key: number, counter: number): number =>
  (mix(mix(counter) ^ key) * 2 ** 21 + (mix(mix(counter) ^ mix(key)) >>> 11)) / 2 ** 53

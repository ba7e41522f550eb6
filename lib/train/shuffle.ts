/** MurmurHash3's finalizer (A. Appleby), a permutation of the 32-bit integers in which every bit depends on every other. */
function mix(x: number): number {
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b)
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35)
  return (x ^ (x >>> 16)) >>> 0
}

/**
 * The integers from 0 to size − 1 in an order that depends on the seed and the epoch alone: Fisher–Yates (Durstenfeld,
 * 1964), with a hash of a counter as its random numbers.
 */
export function permutation(size: number, seed: number, epoch: number): Int32Array<ArrayBuffer> {
  const key = mix(mix(seed ^ 0x9e3779b9) + epoch)
  const order = Int32Array.from({ length: size }, (_, i) => i)
  for (let i = size - 1; i > 0; i--) {
    const j = Math.floor((mix(mix(i) ^ key) / 2 ** 32) * (i + 1))
    const chosen = order[j]!
    order[j] = order[i]!
    order[i] = chosen
  }
  return order
}

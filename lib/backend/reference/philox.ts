/** Words of random bits as a function of a key and a counter. */

export type Words = readonly [number, number, number, number]

/**
 * Philox 4x32-10: Salmon, Moraes, Dror & Shaw, "Parallel random numbers: as easy as 1, 2, 3" (SC 2011).
 * The counter encrypted under the key; all are taken, and given, as uint32.
 */
export function philox([x0, x1, x2, x3]: Words, key0: number, key1: number): Words {
  for (let round = 0; round < 10; round++) {
    const [high0, low0] = [multiplyHigh(0xd2511f53, x0), Math.imul(0xd2511f53, x0)]
    const [high1, low1] = [multiplyHigh(0xcd9e8d57, x2), Math.imul(0xcd9e8d57, x2)]
    x0 = high1 ^ x1 ^ key0
    x1 = low1
    x2 = high0 ^ x3 ^ key1
    x3 = low0
    key0 = (key0 + 0x9e3779b9) | 0
    key1 = (key1 + 0xbb67ae85) | 0
  }
  return [x0 >>> 0, x1 >>> 0, x2 >>> 0, x3 >>> 0]
}

/** The high 32 bits of the product of two uint32, from products of 16-bit halves. */
export function multiplyHigh(a: number, b: number): number {
  const [a0, a1, b0, b1] = [a & 0xffff, a >>> 16, b & 0xffff, b >>> 16]
  const middle = a1 * b0 + Math.floor((a0 * b0) / 2 ** 16)
  const carry = (middle % 2 ** 16) + a0 * b1
  return a1 * b1 + Math.floor(middle / 2 ** 16) + Math.floor(carry / 2 ** 16)
}

/** A word in (0, 1). */
export const unit = (word: number): number => (word + 0.5) * 2 ** -32

/** Plain data by what it holds: a hash of it, and whether two are equal. Numbers are equal as `Object.is` has it. */

export const mix = (hash: number, x: number): number => Math.imul((hash << 5) ^ (hash >>> 27) ^ x, 0x9e3779b1)

const real = new DataView(new ArrayBuffer(8))

/** The hash of what came before, and of a number, a text, a boolean, null, or lists and objects of them. */
export function hashData(hash: number, x: unknown): number {
  if (typeof x === 'number') return hashNumber(hash, x)
  if (typeof x === 'string') return hashText(hash, x)
  if (typeof x !== 'object' || x === null) return mix(hash, x ? 3 : 5)
  if (!Array.isArray(x)) {
    for (const key in x) hash = hashData(hash, x[key as keyof typeof x])
    return hash
  }
  hash = mix(hash, x.length)
  for (let i = 0; i < x.length; i++) hash = hashData(hash, x[i])
  return hash
}

function hashNumber(hash: number, x: number): number {
  if (Object.is(x | 0, x)) return mix(hash, x)
  real.setFloat64(0, x)
  return mix(mix(hash, real.getInt32(0)), real.getInt32(4))
}

export function hashText(hash: number, text: string): number {
  hash = mix(hash, text.length)
  for (let i = 0; i < text.length; i++) hash = mix(hash, text.charCodeAt(i))
  return hash
}

/** Whether two hold the same, objects under the same names. */
export function sameData(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Array.isArray(a)) return Array.isArray(b) && sameList(a, b)
  let count = 0
  for (const key in a) {
    if (!sameData(a[key as keyof typeof a], b[key as keyof typeof b])) return false
    count++
  }
  for (const _ in b) count--
  return count === 0
}

function sameList(a: readonly unknown[], b: readonly unknown[]): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (!sameData(a[i], b[i])) return false
  return true
}

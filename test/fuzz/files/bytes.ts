/** Bytes changed at random: cut, longer, with other numbers in them. */
import type { Random } from '../random.ts'

const special = [0, 1, 0x7f, 0x80, 0xfe, 0xff]
/** Lengths that lie: of 32 bits, of either order. */
const lengths = [0, 1, 2 ** 16, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 30]

type Change = (bytes: number[], random: Random) => void

const changes: readonly Change[] = [
  (bytes, random) => {
    bytes[random.below(bytes.length)] = random.pick(special)
  },
  (bytes, random) => {
    bytes[random.below(bytes.length)]! ^= 1 << random.below(8)
  },
  // Most formats begin with what says how long the rest is.
  (bytes, random) => {
    bytes[random.below(Math.min(bytes.length, 24))] = random.oneIn(2) ? random.below(256) : random.pick(special)
  },
  (bytes, random) => {
    const at = random.below(bytes.length)
    const length = random.pick(lengths)
    const word = [24, 16, 8, 0].map((shift) => (length >>> shift) & 255)
    for (const [i, byte] of (random.oneIn(2) ? word : word.reverse()).entries())
      if (at + i < bytes.length) bytes[at + i] = byte
  },
  (bytes, random) => {
    bytes.length = random.below(bytes.length)
  },
  (bytes, random) => {
    bytes.push(...random.bytes(1 + random.below(40)))
  },
  (bytes, random) => {
    bytes.splice(random.below(bytes.length), 1 + random.below(8))
  },
  (bytes, random) => {
    const start = random.below(bytes.length)
    bytes.splice(random.below(bytes.length), 0, ...bytes.slice(start, start + random.below(32)))
  },
  (bytes) => {
    for (const byte of bytes.slice()) bytes.push(byte)
  },
]

export function mutated(given: Uint8Array, random: Random): Uint8Array {
  const bytes = [...given]
  for (let left = random.pick([0, 1, 1, 1, 2, 3, 8]); left > 0 && bytes.length > 0; left--)
    random.pick(changes)(bytes, random)
  return Uint8Array.from(bytes)
}

/** Memory between bytes that nobody may write. */
import { arrayAt, bytesPerElement, type DType, type TypedArray } from '../../../lib/base/dtype.ts'
import type { Random } from '../random.ts'

const canary = 0xa5
const gap = 192

export interface Piece {
  readonly dtype: DType
  readonly size: number
}

export class Guarded {
  readonly arrays: readonly TypedArray[]
  readonly #bytes: Uint8Array
  /** From where to where there is none of the arrays. */
  readonly #gaps: readonly (readonly [start: number, end: number])[]

  /** Arrays one after the other, at any offset that their elements allow, with some bytes before, between and after them. */
  constructor(pieces: readonly Piece[], random: Random) {
    const gaps: [number, number][] = []
    let end = 0
    const offsets = pieces.map(({ dtype, size }) => {
      const bytes = bytesPerElement(dtype)
      const start = end + gap + random.below(gap / bytes) * bytes
      const aligned = Math.ceil(start / bytes) * bytes
      gaps.push([end, aligned])
      end = aligned + size * bytes
      return aligned
    })
    gaps.push([end, end + gap])
    this.#gaps = gaps
    const buffer = new ArrayBuffer(end + gap)
    this.#bytes = new Uint8Array(buffer).fill(canary)
    this.arrays = pieces.map(({ dtype, size }, i) => arrayAt(dtype, buffer, offsets[i]!, size))
  }

  get isIntact(): boolean {
    return this.#gaps.every(([start, end]) => {
      for (let i = start; i < end; i++) if (this.#bytes[i] !== canary) return false
      return true
    })
  }
}

const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView): Buffer =>
  Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength)

export const sameBytes = (a: ArrayBufferView, b: ArrayBufferView): boolean => bytesOf(a).equals(bytesOf(b))

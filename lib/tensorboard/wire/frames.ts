/** TFRecord: each record as its length in eight bytes, the masked CRC-32C of those, its bytes, and their masked CRC-32C. */
import { DataFormatError, expected } from '../../base/errors.ts'
import type { Source } from '../../files/source.ts'
import { maskedCrc32c } from './crc32c.ts'

const [lengthBytes, headBytes, sumBytes] = [8, 12, 4]

export function framed(data: Uint8Array): Uint8Array {
  const bytes = Buffer.alloc(headBytes + data.length + sumBytes)
  bytes.writeBigUInt64LE(BigInt(data.length))
  bytes.writeUInt32LE(maskedCrc32c(bytes.subarray(0, lengthBytes)), lengthBytes)
  bytes.set(data, headBytes)
  bytes.writeUInt32LE(maskedCrc32c(data), headBytes + data.length)
  return bytes
}

/** A record and where it stands in its file. */
export interface Frame {
  readonly start: number
  /** Where the next one starts. */
  readonly end: number
  readonly data: Uint8Array
}

/** Bytes are read so many at a time, or as many as a longer record has. */
const pieceBytes = 1 << 18

/** The bytes of a source from a position on, those that were read already without asking for them again. */
class Window {
  #bytes: Uint8Array = new Uint8Array(0)
  /** Where those stand. */
  #start = 0

  constructor(private readonly source: Source) {}

  /** undefined where the source ends before. */
  async bytes(start: number, length: number): Promise<Uint8Array | undefined> {
    if (length > this.source.size - start) return undefined
    if (start < this.#start || start + length > this.#start + this.#bytes.length) {
      this.#bytes = await this.source.read(start, Math.min(this.source.size, start + Math.max(length, pieceBytes)))
      this.#start = start
    }
    return this.#bytes.subarray(start - this.#start, start - this.#start + length)
  }
}

/**
 * The records from an offset on. One that is not there whole is the end: somebody is writing it, or was killed.
 * @param most bytes of a record
 * @throws DataFormatError for damage, and for longer records
 */
export async function* framesIn(op: string, source: Source, from: number, most: number): AsyncGenerator<Frame, void> {
  const window = new Window(source)
  const fail = (what: string, got: string, at: number) => {
    throw new DataFormatError(`${expected(op, what, got)} (${source.name}, at byte ${at})`)
  }
  for (let start = from; ; ) {
    const head = await window.bytes(start, headBytes)
    if (head === undefined) return
    if (!sumStands(head, lengthBytes)) fail('the length of a record and its CRC-32C', 'another sum', start)
    const length = Number(viewOf(head).getBigUint64(0, true))
    if (length > most) fail(`records of at most ${most} bytes`, `one of ${length}`, start)
    const end = start + headBytes + length + sumBytes
    const tail = await window.bytes(start + headBytes, length + sumBytes)
    if (tail === undefined) return
    if (!sumStands(tail, length)) fail('the bytes of a record and their CRC-32C', 'another sum', start)
    yield { start, end, data: tail.subarray(0, length) }
    start = end
  }
}

const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.length)

/** Whether the sum of the first bytes stands after them. */
const sumStands = (bytes: Uint8Array, length: number): boolean =>
  viewOf(bytes).getUint32(length, true) === maskedCrc32c(bytes.subarray(0, length))

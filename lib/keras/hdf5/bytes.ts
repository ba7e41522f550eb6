/** The bytes of an HDF5 file, read within their bounds. */
import { DataFormatError, expected } from '../../base/errors.ts'

/** An address that stands for none. */
export const undefinedAddress = 2n ** 64n - 1n

/** A file in memory. Numbers are little-endian; whatever is not in the file is refused. */
export class Bytes {
  readonly #view: DataView

  /** `name` is what messages call the file. */
  constructor(
    readonly name: string,
    readonly bytes: Uint8Array,
  ) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  get size(): number {
    return this.bytes.length
  }

  fail(what: string, got: string): never {
    throw new DataFormatError(`${expected('hdf5', what, got)} (${this.name})`)
  }

  /** @throws DataFormatError unless so many bytes are there */
  check(at: number, count: number): void {
    if (!(at >= 0 && count >= 0 && at + count <= this.size))
      this.fail(`${count} bytes at ${at}`, `a file of ${this.size}`)
  }

  uint8(at: number): number {
    this.check(at, 1)
    return this.#view.getUint8(at)
  }

  uint16(at: number): number {
    this.check(at, 2)
    return this.#view.getUint16(at, true)
  }

  uint32(at: number): number {
    this.check(at, 4)
    return this.#view.getUint32(at, true)
  }

  /** A length or an address, which is exact. */
  uint64(at: number): number {
    const value = this.#uint64(at)
    return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : this.fail('a smaller number', String(value))
  }

  /** The same, of 1, 2, 4 or 8 bytes. */
  unsigned(at: number, bytes: number): number {
    if (bytes === 8) return this.uint64(at)
    return bytes === 4 ? this.uint32(at) : bytes === 2 ? this.uint16(at) : this.uint8(at)
  }

  /** A place in the file, or null where it is said that there is none. */
  address(at: number): number | null {
    return this.#uint64(at) === undefinedAddress ? null : this.uint64(at)
  }

  slice(at: number, count: number): Uint8Array {
    this.check(at, count)
    return this.bytes.subarray(at, at + count)
  }

  text(at: number, count: number): string {
    return new TextDecoder().decode(this.slice(at, count))
  }

  /** A text up to the zero byte that ends it, which stands before `end`. */
  textUntilZero(at: number, end: number): string {
    this.check(at, end - at)
    const zero = this.bytes.indexOf(0, at)
    return this.text(at, zero < 0 || zero > end ? end - at : zero - at)
  }

  /** The four letters that a structure begins with. */
  signature(at: number, letters: string): void {
    const found = this.text(at, 4)
    if (found !== letters) this.fail(`${letters} at ${at}`, JSON.stringify(found))
  }

  #uint64(at: number): bigint {
    this.check(at, 8)
    return this.#view.getBigUint64(at, true)
  }
}

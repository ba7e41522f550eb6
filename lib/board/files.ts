/** The files of a run: read on from where they were left, as far as they are whole, whatever becomes of them meanwhile. */
import { constants } from 'node:fs'
import { type FileHandle, lstat, open } from 'node:fs/promises'
import { DataFormatError } from '../base/errors.ts'
import type { RunRecord } from '../events/record.ts'
import { type Format, formatOf } from './formats.ts'

/** What a file begins with tells whether it is still the same. */
const headBytes = 256

/** No link is followed, and no pipe waited for. */
const flags = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0)

export class RunFile {
  readonly path: string
  readonly #format: Format
  /** The bytes there were when it was last looked at, and how many of them were read. */
  size = 0
  offset = 0
  /** When it was written to last, in milliseconds since 1970. */
  modified = 0
  /** The first fault that was found in it. */
  fault: string | undefined
  #head: Buffer = Buffer.alloc(0)
  #identity = ''
  #seen = ''

  constructor(path: string) {
    this.path = path
    this.#format = formatOf(path)
  }

  /** Whether it is another one than when this was asked last. */
  async hasChanged(): Promise<boolean> {
    const { ino, size, mtimeMs } = await lstat(this.path)
    const seen = `${ino} ${size} ${mtimeMs}`
    if (seen === this.#seen) return false
    this.#seen = seen
    this.size = size
    this.modified = mtimeMs
    return true
  }

  /**
   * What was added to it, in pieces.
   * @throws Rewritten where it is another file than before, or shorter
   */
  async *read(): AsyncGenerator<readonly RunRecord[], void> {
    await this.#check()
    if (this.offset === this.size) return
    for await (const { records, end, fault } of this.#format()) {
      if (end < this.offset) throw new Rewritten()
      this.offset = end
      this.fault ??= fault
      yield records
    }
  }

  async #check(): Promise<void> {
    const file = await open(this.path, flags)
    try {
      const stats = await file.stat()
      if (!stats.isFile()) throw new DataFormatError(`${this.path} is no file`)
      const identity = `${stats.dev} ${stats.ino}`
      this.size = stats.size
      if (this.#identity !== '' && (identity !== this.#identity || stats.size < this.offset)) throw new Rewritten()
      this.#identity = identity
      const head = await readHead(file, stats.size)
      if (!head.subarray(0, this.#head.length).equals(this.#head)) throw new Rewritten()
      this.#head = head
    } finally {
      await file.close()
    }
  }
}

/** What was read of a file is no longer in it. */
export class Rewritten extends Error {}

async function readHead(file: FileHandle, size: number): Promise<Buffer> {
  const length = Math.min(headBytes, size)
  const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(length), 0, length, 0)
  return buffer.subarray(0, bytesRead)
}

/** The files of a run: read on from where they were left, as far as they are whole, whatever becomes of them meanwhile. */
import { constants } from 'node:fs'
import { type FileHandle, lstat, open } from 'node:fs/promises'
import { DataFormatError } from '../base/errors.ts'
import type { RunRecord } from '../events/record.ts'
import { recordIn } from './check-record.ts'

/** What a piece of a file holds. */
interface Piece {
  readonly records: readonly RunRecord[]
  /** Where the next one begins. */
  readonly end: number
  /** What is wrong in it, if something is. */
  readonly fault?: string
}

/** Reads an open file from a byte on, to the last record that is there whole; a piece takes a millisecond or two. */
type Format = (file: FileHandle, from: number) => AsyncGenerator<Piece, void>

/** What a file begins with tells whether it is still the same. */
const headBytes = 256

const pieceBytes = 2 ** 17
/** A record is one line. */
export const mostLineBytes = 2 ** 24

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

  constructor(path: string, format: Format = jsonLines) {
    this.path = path
    this.#format = format
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
    const file = await open(this.path, flags)
    try {
      await this.#check(file)
      if (this.offset === this.size) return
      for await (const { records, end, fault } of this.#format(file, this.offset)) {
        this.offset = end
        this.fault ??= fault
        yield records
      }
    } finally {
      await file.close()
    }
  }

  async #check(file: FileHandle): Promise<void> {
    const stats = await file.stat()
    if (!stats.isFile()) throw new DataFormatError(`${this.path} is no file`)
    const identity = `${stats.dev} ${stats.ino}`
    this.size = stats.size
    if (this.#identity !== '' && (identity !== this.#identity || stats.size < this.offset)) throw new Rewritten()
    this.#identity = identity
    const head = await readAt(file, 0, Math.min(headBytes, stats.size))
    if (!head.subarray(0, this.#head.length).equals(this.#head)) throw new Rewritten()
    this.#head = head
  }
}

/** What was read of a file is no longer in it. */
export class Rewritten extends Error {}

async function readAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(length), 0, length, position)
  return buffer.subarray(0, bytesRead)
}

const newline = 10

export async function* jsonLines(file: FileHandle, from: number): AsyncGenerator<Piece, void> {
  for (let length = pieceBytes; ; ) {
    const bytes = await readAt(file, from, length)
    const whole = bytes.lastIndexOf(newline) + 1
    if (whole > 0) {
      from += whole
      length = pieceBytes
      yield { ...recordsIn(bytes.toString('utf8', 0, whole)), end: from }
    } else if (bytes.length < length) return
    else if (length < mostLineBytes) length *= 2
    else {
      from += length
      yield { records: [], end: from, fault: `a line of more than ${mostLineBytes / 2 ** 20} MiB was left out` }
    }
  }
}

function recordsIn(text: string): { records: RunRecord[]; fault?: string } {
  const records: RunRecord[] = []
  let fault: string | undefined
  for (const line of text.split('\n')) {
    if (line.trim() === '') continue
    try {
      const record = recordIn(JSON.parse(line))
      if (record !== undefined) records.push(record)
    } catch (error) {
      fault ??= `a line was left out: ${(error as Error).message}`
    }
  }
  return fault === undefined ? { records } : { records, fault }
}

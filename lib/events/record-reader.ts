/** Reads the records that a file of JSON lines has, and later those that were added to it. */
import { isUtf8 } from 'node:buffer'
import { type FileHandle, open } from 'node:fs/promises'
import { checkInteger } from '../base/arguments.ts'
import { DataFormatError, expected } from '../base/errors.ts'
import { checkOptions, type OptionTypes } from '../base/options.ts'
import { checkPath, fileError } from '../files/file-error.ts'
import { checkedRecord } from './checked-record.ts'
import type { RunRecord } from './record.ts'

export interface RecordReaderOptions {
  /** The byte to begin at, which an earlier reader gave; 0 unless given. */
  offset?: number
  /** Lines that are longer are no records; 16 MiB unless given. */
  mostBytesPerLine?: number
  /** Whether a file that is not there is an error; false unless given. */
  mustExist?: boolean
}

const readerOptions: OptionTypes<RecordReaderOptions> = {
  offset: 'number',
  mostBytesPerLine: 'number',
  mustExist: 'boolean',
}

/** So much is read and parsed in one go, which takes a few milliseconds. */
const bytesPerRead = 2 ** 16

const lineFeed = 0x0a

/** A line that is no record: it is passed over, so that one that was damaged costs no more than itself. */
export interface DamagedLine {
  /** Of its first byte. */
  readonly offset: number
  readonly error: DataFormatError
}

/** What was found in one go. */
export interface ReadRecords {
  readonly records: readonly RunRecord[]
  readonly damaged: readonly DamagedLine[]
  /** Whether the file has begun anew, as it is shorter than what was read of it: all that came before is void. */
  readonly isNew: boolean
  /** Whether there was nothing more by then. */
  readonly isAtEnd: boolean
}

/**
 * A place in a file that grows. A last line without an end is left for later, and so is a file that is not there yet.
 *
 * @example
 * const reader = new RecordReader('runs/first/events.jsonl')
 * for (let found = await reader.read(); ; found = await reader.read()) {
 *   handle(found.records)
 *   if (found.isAtEnd) break
 * }
 */
export class RecordReader {
  readonly #path: string
  readonly #mostBytesPerLine: number
  readonly #mustExist: boolean
  #offset: number
  /** Whether it is in the midst of a line that is too long. */
  #isSkipping = false

  constructor(path: string, options?: RecordReaderOptions) {
    const {
      offset = 0,
      mostBytesPerLine = 2 ** 24,
      mustExist = false,
    } = checkOptions('RecordReader', options, readerOptions)
    this.#path = checkPath('RecordReader', path)
    this.#mustExist = mustExist
    this.#offset = checkInteger('RecordReader', 'an offset that is an integer of at least 0', offset, 0)
    this.#mostBytesPerLine = checkInteger('RecordReader', 'mostBytesPerLine of at least 1', mostBytesPerLine, 1)
  }

  /** Of the first byte that was not read yet. */
  get offset(): number {
    return this.#offset
  }

  /**
   * What comes next: some 64 KiB of lines, or one that is longer.
   * @throws (rejects with) an Error with the `code` of the file system, but where the file may not be there yet
   */
  async read(): Promise<ReadRecords> {
    let file: FileHandle
    try {
      file = await open(this.#path)
    } catch (error) {
      const isAbsent = (error as NodeJS.ErrnoException).code === 'ENOENT'
      if (!isAbsent || this.#mustExist) throw fileError('RecordReader', 'read', this.#path, error)
      return { records: [], damaged: [], ...this.#shrunkTo(0), isAtEnd: true }
    }
    try {
      const { size } = await file.stat()
      const { isNew } = this.#shrunkTo(size)
      return { ...(await this.#readLines(file, size)), isNew }
    } catch (error) {
      throw fileError('RecordReader', 'read', this.#path, error)
    } finally {
      await file.close()
    }
  }

  #shrunkTo(size: number): { isNew: boolean } {
    const isNew = size < this.#offset
    if (isNew) {
      this.#offset = 0
      this.#isSkipping = false
    }
    return { isNew }
  }

  async #readLines(file: FileHandle, size: number): Promise<Omit<ReadRecords, 'isNew'>> {
    const records: RunRecord[] = []
    const damaged: DamagedLine[] = []
    const { bytes, isAtEnd } = await this.#readWhole(file, size)
    let start = 0
    for (let end = bytes.indexOf(lineFeed); end >= 0; end = bytes.indexOf(lineFeed, start)) {
      const line = bytes.subarray(start, end)
      if (this.#isSkipping) this.#isSkipping = false
      else if (line.length > 0) this.#take(line, this.#offset + start, records, damaged)
      start = end + 1
    }
    // A line that is too long is passed over piece by piece.
    if (start === 0 && bytes.length > this.#mostBytesPerLine) {
      if (!this.#isSkipping)
        damaged.push(this.#damage(this.#offset, `lines of at most ${this.#mostBytesPerLine} bytes`, 'a longer one'))
      this.#isSkipping = true
      start = bytes.length
    }
    if (this.#isSkipping) start = bytes.length
    this.#offset += start
    return { records, damaged, isAtEnd }
  }

  /** So much that a line is whole in it, where it is not too long. */
  async #readWhole(file: FileHandle, size: number): Promise<{ bytes: Buffer; isAtEnd: boolean }> {
    const most = this.#mostBytesPerLine + 1
    for (let length = bytesPerRead; ; length *= 4) {
      const wanted = Math.min(length, Math.max(most, bytesPerRead), size - this.#offset)
      const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(wanted), 0, wanted, this.#offset)
      const bytes = buffer.subarray(0, bytesRead)
      const isAtEnd = this.#offset + bytesRead >= size
      if (isAtEnd || bytesRead < wanted || bytesRead >= most || this.#isSkipping || bytes.includes(lineFeed))
        return { bytes, isAtEnd }
    }
  }

  #take(line: Buffer, offset: number, records: RunRecord[], damaged: DamagedLine[]): void {
    if (line.length > this.#mostBytesPerLine) {
      damaged.push(this.#damage(offset, `lines of at most ${this.#mostBytesPerLine} bytes`, 'a longer one'))
      return
    }
    try {
      records.push(checkedRecord(parsed(line)))
    } catch (error) {
      if (!(error instanceof DataFormatError)) throw error
      damaged.push({ offset, error: new DataFormatError(`${error.message} (at byte ${offset} of ${this.#path})`) })
    }
  }

  #damage(offset: number, what: string, got: string): DamagedLine {
    const message = `${expected('records', what, got)} (at byte ${offset} of ${this.#path})`
    return { offset, error: new DataFormatError(message) }
  }
}

function parsed(line: Buffer): unknown {
  if (!isUtf8(line)) throw new DataFormatError(expected('records', 'text in UTF-8', 'other bytes'))
  try {
    return JSON.parse(line.toString())
  } catch {
    throw new DataFormatError(expected('records', 'a line of JSON', 'something else'))
  }
}

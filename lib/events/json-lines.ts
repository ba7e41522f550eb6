/** Records as lines of JSON in a file that grows: `events.jsonl` in the folder of a run. */

import type { FileHandle } from 'node:fs/promises'
import { mkdir, open } from 'node:fs/promises'
import { join } from 'node:path'
import { checkText } from '../base/arguments.ts'
import { checkPath, fileError } from '../files/file-error.ts'
import type { RecordSink, RunRecord } from './record.ts'

/** In the folder of a run. */
export const eventsFile = 'events.jsonl'

/** Lines wait so long for others that are written with them. */
const millisecondsBetweenWrites = 1000
/** So much is written at once. */
const bytesPerWrite = 2 ** 20
/** So much may wait: a disk that falls behind by more has failed. */
const mostWaiting = 2 ** 26

/** JSON has no numbers that are not finite: they are texts, which a reader takes for what they were where a number has to be. */
const asText = (_: string, value: unknown): unknown =>
  typeof value === 'number' && !Number.isFinite(value) ? String(value) : value

export const lineOf = (record: RunRecord): string => `${JSON.stringify(record, asText)}\n`

class JsonLines implements RecordSink {
  readonly #op: string
  readonly #folder: string
  readonly #path: string
  #waiting: string[] = []
  #size = 0
  #timer: NodeJS.Timeout | undefined
  #file: FileHandle | undefined
  /** Writes come one after the other. */
  #turn: Promise<void> = Promise.resolve()
  #failure: Error | undefined

  constructor(op: string, folder: string) {
    this.#op = op
    this.#folder = folder
    this.#path = join(folder, eventsFile)
  }

  write(record: RunRecord): void {
    this.#check()
    const line = lineOf(record)
    this.#waiting.push(line)
    this.#size += line.length
    if (this.#size > mostWaiting)
      throw new RangeError(`${this.#op}: cannot write ${this.#path} as fast as records come: too many of them wait`)
    if (this.#size >= bytesPerWrite) this.#submit()
    else this.#timer ??= setTimeout(() => this.#submit(), millisecondsBetweenWrites).unref()
  }

  async flush(): Promise<void> {
    await this.#submit()
    this.#check()
  }

  async close(): Promise<void> {
    await this.#submit()
    await this.#file?.close().catch((error) => this.#fail(error))
    this.#file = undefined
    this.#check()
  }

  /** @throws once what an earlier write met */
  #check(): void {
    const failure = this.#failure
    this.#failure = undefined
    if (failure !== undefined) throw failure
  }

  #fail(error: unknown): void {
    this.#failure ??= fileError(this.#op, 'write', this.#path, error)
  }

  /** Writes all that waits, after what is being written; it does not reject. */
  #submit(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#turn = this.#turn.then(() => this.#writeWaiting()).catch((error) => this.#fail(error))
    return this.#turn
  }

  /** Whole lines in one call of the system, so that whoever reads, also after a kill, finds no half ones but the last. */
  async #writeWaiting(): Promise<void> {
    if (this.#waiting.length === 0) return
    const bytes = Buffer.from(this.#waiting.join(''))
    this.#waiting = []
    this.#size = 0
    this.#file ??= await this.#open()
    await this.#file.appendFile(bytes)
  }

  async #open(): Promise<FileHandle> {
    await mkdir(this.#folder, { recursive: true })
    const file = await open(this.#path, 'a+')
    try {
      await endLine(file)
      return file
    } catch (error) {
      await file.close()
      throw error
    }
  }
}

/** What was killed while it wrote has left a line without an end: the next one begins on a line of its own. */
async function endLine(file: FileHandle): Promise<void> {
  const { size } = await file.stat()
  if (size === 0) return
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, size - 1)
  if (buffer[0] !== 0x0a) await file.appendFile('\n')
}

/**
 * A sink that adds records to the file in a folder, which is made where it is not there. Lines are written about every second and at the end; what
 * the file system refuses is thrown at the next record or at the end.
 *
 * @param op what messages call it
 * @throws TypeError, RangeError for a folder that is no path
 */
export const jsonLinesSink = (op: string, folder: string): RecordSink =>
  new JsonLines(op, checkPath(op, checkText(op, 'a folder', folder)))

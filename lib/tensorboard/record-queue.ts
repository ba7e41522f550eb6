/** Records on their way to event files: they wait a while and are written together, off the event loop, in the order in which they came. */
import { expected } from '../base/errors.ts'
import { EventFiles } from './event-files.ts'

/** So many bytes are written before their time. */
const bytesPerWrite = 1 << 20
/** So many may wait for a disk or an event loop that falls behind: then they are written here and now. */
const mostBytes = 1 << 26
/** So many records may still be computed. */
const mostUnderWay = 1 << 12

/** A record in its turn; without bytes while they are computed. */
interface Waiting {
  bytes?: Uint8Array
}

/** What may have records that wait when the process exits. */
const queues = new Set<RecordQueue>()

function writeAll(): void {
  for (const queue of queues) queue.writeNow()
}

export class RecordQueue {
  readonly #op: string
  readonly #files: EventFiles
  readonly #flushMilliseconds: number
  #waiting: Waiting[] = []
  #waitingBytes = 0
  readonly #underWay = new Set<Promise<void>>()
  /** When the first of those that wait came. */
  #since = 0
  #timer: NodeJS.Timeout | undefined
  #turn: Promise<void> = Promise.resolve()
  /** Of a write: what comes after it is lost. */
  #broken: { readonly error: unknown } | undefined
  /** Of a record that could not be computed: thrown once. */
  #failed: { readonly error: unknown } | undefined
  #isClosed = false

  /** @throws Error with the `code` of the file system */
  constructor(op: string, folder: string, flushSeconds: number, maxBytes: number) {
    this.#op = op
    this.#flushMilliseconds = 1000 * flushSeconds
    this.#files = new EventFiles(op, folder, maxBytes)
    if (queues.size === 0) process.on('exit', writeAll)
    queues.add(this)
  }

  get path(): string {
    return this.#files.path
  }

  /** @throws what an earlier record or write met; Error once it is closed */
  check(): void {
    const failed = this.#failed
    this.#failed = undefined
    if (this.#broken !== undefined) throw this.#broken.error
    if (failed !== undefined) throw failed.error
    if (this.#isClosed) throw new Error(expected(this.#op, 'an open writer', 'a closed one'))
  }

  /**
   * Takes the bytes of a record, or what computes them.
   * @throws what `check` does; Error where very many are still computed
   */
  add(record: Uint8Array | (() => Promise<Uint8Array>)): void {
    this.check()
    if (this.#underWay.size >= mostUnderWay)
      throw new Error(expected(this.#op, `at most ${mostUnderWay} records that are computed`, 'more: await flush()'))
    if (this.#waiting.length === 0) this.#since = performance.now()
    const waiting: Waiting = {}
    this.#waiting.push(waiting)
    if (typeof record === 'function') this.#expect(waiting, record())
    else this.#arrived(waiting, record)
    this.#writeInTime()
  }

  #arrived(waiting: Waiting, bytes: Uint8Array): void {
    waiting.bytes = bytes
    this.#waitingBytes += bytes.length
  }

  #expect(waiting: Waiting, record: Promise<Uint8Array>): void {
    const arrival = record
      .catch((error: unknown) => {
        this.#failed ??= { error }
        return new Uint8Array(0)
      })
      .then((bytes) => {
        this.#underWay.delete(arrival)
        this.#arrived(waiting, bytes)
      })
    this.#underWay.add(arrival)
  }

  #writeInTime(): void {
    const waited = performance.now() - this.#since
    // Where the event loop does not turn, no timer is called.
    if (this.#waitingBytes > mostBytes || waited > 2 * this.#flushMilliseconds + 1000) {
      this.writeNow()
      this.check()
    } else if (this.#waitingBytes > bytesPerWrite) this.#submit()
    else this.#timer ??= setTimeout(() => this.#submit(), this.#flushMilliseconds).unref()
  }

  /** Where those go that are there, up to the first that is not. */
  #place() {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const first = this.#waiting.findIndex(({ bytes }) => bytes === undefined)
    const ready = this.#waiting.splice(0, first < 0 ? this.#waiting.length : first).map(({ bytes }) => bytes!)
    for (const { length } of ready) this.#waitingBytes -= length
    this.#since = performance.now()
    return this.#files.place(ready)
  }

  /** Writes what is there after what is being written; it does not reject. */
  #submit(): Promise<void> {
    try {
      const pieces = this.#place()
      this.#turn = this.#turn
        .then(() => (this.#broken === undefined ? this.#files.write(pieces) : undefined))
        .then(() => this.#files.closeFull(pieces))
        .catch((error: unknown) => {
          this.#broken ??= { error }
        })
    } catch (error) {
      this.#broken ??= { error }
    }
    return this.#turn
  }

  /** Writes what is there here and now, beside what is being written. */
  writeNow(): void {
    try {
      if (this.#broken !== undefined) return
      const pieces = this.#place()
      this.#files.writeSync(pieces)
      this.#turn = this.#turn.then(() => this.#files.closeFull(pieces))
    } catch (error) {
      this.#broken = { error }
    }
  }

  async #writeAll(): Promise<void> {
    await Promise.all(this.#underWay)
    await this.#submit()
  }

  /** Settles when all records so far are in the file. */
  async flush(): Promise<void> {
    this.check()
    await this.#writeAll()
    this.check()
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    await this.#writeAll()
    this.#files.close()
    queues.delete(this)
    if (queues.size === 0) process.off('exit', writeAll)
    try {
      this.check()
    } finally {
      this.#isClosed = true
    }
  }
}

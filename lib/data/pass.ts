/** One pass over a stream, as users hold it. */
import { onAbort, reasonOf } from '../base/abort.ts'
import { notCloned } from '../base/cloning.ts'
import { brand } from '../base/identity.ts'
import { showAsText } from '../base/inspection.ts'
import { type Cursor, done, type Json, type Pass } from './stage.ts'

/** Where a pass over a stream stands, as plain data that JSON keeps: what to save, and to give to `open` of the same pipeline. */
export interface PipelineState {
  /** The structure of the pipeline it is of. */
  readonly pipeline: string
  readonly epoch: number
  readonly position: Json
}

/**
 * A pass over a stream. Elements come one after the other, also where `next` is called again before the last call has settled. What fails
 * ends it, and closes what is open, as leaving a `for await` loop does.
 */
export class StreamIterator<T> implements AsyncIterableIterator<T, undefined> {
  protected readonly notCloned = notCloned('a pass over a stream: send its state()')
  readonly #cursor: Cursor<T>
  readonly #pipeline: string
  readonly #pass: Pass
  /** Where the cursor stands after what was given, also while the next element is made. */
  #given: Json
  #waited = 0
  #isOpen = true
  #last: Promise<unknown> = Promise.resolve()
  #forget = () => {}
  /** Settles the element that is waited for, if there is one. */
  #settle: { readonly end: () => void; readonly fail: (reason: unknown) => void } | undefined

  /** @internal */
  constructor(cursor: Cursor<T>, pipeline: string, pass: Pass) {
    this.#cursor = cursor
    this.#pipeline = pipeline
    this.#pass = pass
    this.#given = cursor.position()
    const { signal } = pass
    if (signal === undefined) return
    this.#forget = onAbort(signal, () => {
      this.#settle?.fail(reasonOf(signal)?.reason)
      this.#close().catch(() => {})
    })
  }

  /** The milliseconds that were waited for elements so far: while they were made, and nothing was ready. */
  get waited(): number {
    return this.#waited
  }

  /** The next element; it rejects with what failed, or with the signal's reason. */
  next(): Promise<IteratorResult<T, undefined>> {
    const result = this.#last.then(() => this.#next())
    this.#last = result.catch(() => {})
    return result
  }

  /** Where the pass stands after the last element that `next` gave: what was prefetched beyond it comes again. */
  state(): PipelineState {
    return { pipeline: this.#pipeline, epoch: this.#pass.epoch, position: structuredClone(this.#given) }
  }

  toString(): string {
    return `StreamIterator of ${this.#pipeline}`
  }

  /** Ends the pass: closes files, ends generators, prefetches nothing any more. */
  async return(): Promise<IteratorResult<T, undefined>> {
    await this.#close()
    return done
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async #next(): Promise<IteratorResult<T, undefined>> {
    const start = performance.now()
    try {
      this.#pass.signal?.throwIfAborted()
      if (!this.#isOpen) return done
      const result = await this.#pulled()
      if (!this.#isOpen) return done
      this.#given = this.#cursor.position()
      if (result.done) await this.#close()
      return result
    } catch (error) {
      // What fails besides says less than what failed first.
      await this.#close().catch(() => {})
      throw error
    } finally {
      this.#waited += performance.now() - start
    }
  }

  /** The next element of the cursor, or the end once this is closed: a source may never answer. */
  async #pulled(): Promise<IteratorResult<T, undefined>> {
    try {
      return await new Promise((resolve, reject) => {
        this.#settle = { end: () => resolve(done), fail: reject }
        this.#cursor.next().then(resolve, reject)
      })
    } finally {
      this.#settle = undefined
    }
  }

  async #close(): Promise<void> {
    if (!this.#isOpen) return
    this.#isOpen = false
    this.#forget()
    this.#settle?.end()
    await this.#cursor.close()
  }
}

brand(StreamIterator.prototype, 'pass over a stream')
showAsText(StreamIterator.prototype)

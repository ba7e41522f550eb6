/**
 * Parameters in memory that threads share: one writes each version into the next of a few slots, any number of others copy the newest.
 *
 * Before it writes a slot the writer counts up what it has begun, afterwards it stores which version is whole. A reader adds 0 to the first count once
 * it has copied, and throws away what the writer may have come around to. Both sides change that count by one atomic operation, so one of them happens before the
 * other, also on processors that reorder plain accesses: H.-J. Boehm, Can seqlocks get along with programming language memory models? (2012). Nobody
 * holds a lock, so a thread may end at any time.
 */
import { types } from 'node:util'
import { describe } from '../base/arguments.ts'
import { allocateChecked } from '../base/arrays.ts'
import { arrayAt, bytesPerElement, type DType, type TypedArray } from '../base/dtype.ts'
import { expected } from '../base/errors.ts'
import { isPlainObject } from '../base/options.ts'
import { formatShape, sizeOf } from '../base/shape.ts'
import type { Pieces } from '../base/turns.ts'

/** A parameter of a model, as it lies in shared memory. */
export interface SharedParameter {
  readonly name: string
  readonly dtype: DType
  readonly shape: readonly number[]
}

/** What `share` gives and `follow` takes: plain data for `postMessage` and `workerData`. */
export interface SharedParameters {
  readonly buffer: SharedArrayBuffer
  /** In the order in which they lie there. */
  readonly parameters: readonly SharedParameter[]
}

/** A version that was copied. */
export interface ReadVersion {
  readonly version: number
  readonly arrays: readonly TypedArray[]
}

/** A writer has to come around to a slot while it is read, to spoil it: with three that takes two more versions. */
const slotCount = 3

/** Places in the control words: how many versions were begun, and how many of them are whole; both wrap. */
const [begun, whole] = [0, 1]

/** Slots, and parameters in them, begin at lines of the cache. */
const lineBytes = 64
const upToLine = (bytes: number): number => Math.ceil(bytes / lineBytes) * lineBytes

/** Copied in a millisecond or two. */
const pieceBytes = 4 * 2 ** 20

/** Where everything is. A slot has its version in its first line. */
class Layout {
  readonly #offsets: readonly number[]
  readonly #slotBytes: number

  constructor(readonly parameters: readonly SharedParameter[]) {
    let offset = lineBytes
    this.#offsets = parameters.map(({ dtype, shape }) => {
      const start = offset
      offset += upToLine(sizeOf(shape) * bytesPerElement(dtype))
      return start
    })
    this.#slotBytes = offset
  }

  get bytes(): number {
    return lineBytes + slotCount * this.#slotBytes
  }

  control(buffer: SharedArrayBuffer): Int32Array<SharedArrayBuffer> {
    return new Int32Array(buffer, 0, 2)
  }

  /** Of the version with a number among those that were begun. */
  slot(buffer: SharedArrayBuffer, count: number) {
    const start = lineBytes + ((count >>> 0) % slotCount) * this.#slotBytes
    const arrays = this.parameters.map(({ dtype, shape }, i) =>
      arrayAt(dtype, buffer as unknown as ArrayBuffer, start + this.#offsets[i]!, sizeOf(shape)),
    )
    return { version: new Float64Array(buffer, start, 1), arrays }
  }
}

function* copies(from: readonly TypedArray[], to: readonly TypedArray[]): Pieces<void> {
  let bytes = 0
  for (const [i, source] of from.entries()) {
    const step = pieceBytes / source.BYTES_PER_ELEMENT
    for (let start = 0; start < source.length; start += step) {
      const piece = source.subarray(start, start + step)
      to[i]!.set(piece, start)
      bytes += piece.byteLength
      if (bytes < pieceBytes) continue
      bytes = 0
      yield
    }
  }
}

/** The one that writes. */
export class SharedWriter {
  readonly shared: SharedParameters
  readonly #layout: Layout

  /** @throws RangeError where there is no memory for it */
  constructor(parameters: readonly SharedParameter[]) {
    this.#layout = new Layout(parameters)
    this.shared = { buffer: allocateShared(this.#layout.bytes), parameters }
  }

  /** Has the others see values under a number, once the last piece is copied. One is written at a time. */
  *write({ version, arrays }: ReadVersion): Pieces<void> {
    const { buffer } = this.shared
    const control = this.#layout.control(buffer)
    const count = (Atomics.add(control, begun, 1) + 1) | 0
    const slot = this.#layout.slot(buffer, count)
    slot.version[0] = version
    yield* copies(arrays, slot.arrays)
    Atomics.store(control, whole, count)
    Atomics.notify(control, whole)
  }
}

/** One of those that read. */
export class SharedReader {
  readonly #layout: Layout
  readonly #control: Int32Array<SharedArrayBuffer>
  /** Of the version that was read last, its number among those that were begun; 0 is none. */
  #seen = 0

  /** @throws TypeError for what is not shared, or is that of other parameters */
  constructor(
    private readonly shared: SharedParameters,
    parameters: readonly SharedParameter[],
  ) {
    this.#layout = new Layout(parameters)
    checkShared(shared, this.#layout)
    this.#control = this.#layout.control(shared.buffer)
  }

  /** The newest version, unless it is the one that was read last; null, too, where the writer was faster, and there is a newer one. */
  *read(): Pieces<ReadVersion | null> {
    const control = this.#control
    const count = Atomics.load(control, whole)
    if (count === this.#seen) return null
    this.#seen = count
    const slot = this.#layout.slot(this.shared.buffer, count)
    const arrays = this.#layout.parameters.map(({ dtype, shape }) => allocateChecked('follow', dtype, shape))
    const [version] = slot.version
    yield* copies(slot.arrays, arrays)
    const isSpoiled = ((Atomics.add(control, begun, 0) - count) | 0) >= slotCount
    return isSpoiled ? null : { version: version!, arrays }
  }

  /** Settles once there may be another version than the one that was read last, or somebody was woken; it keeps no process alive. */
  changed(): Promise<unknown> {
    const { waitAsync } = Atomics as unknown as { waitAsync?: WaitAsync }
    if (waitAsync === undefined) return new Promise((resolve) => setTimeout(resolve, pollMilliseconds).unref())
    const { async, value } = waitAsync(this.#control, whole, this.#seen)
    // Otherwise it has changed already: the event loop turns all the same, however fast versions come.
    return async ? value : new Promise((resolve) => setImmediate(resolve).unref())
  }

  /** Has whoever waits for a change look again. */
  wake(): void {
    Atomics.notify(this.#control, whole)
  }
}

/** ES2024, which is there from Node.js 16 on, and not in all other runtimes. */
type WaitAsync = (
  array: Int32Array<SharedArrayBuffer>,
  index: number,
  value: number,
) => { readonly async: boolean; readonly value: Promise<unknown> }

const pollMilliseconds = 10

function allocateShared(bytes: number): SharedArrayBuffer {
  try {
    return new SharedArrayBuffer(bytes)
  } catch {
    throw new RangeError(`share: cannot allocate ${bytes} bytes for ${slotCount} versions of the parameters`)
  }
}

const isParameter = (value: unknown): boolean => isPlainObject(value) && Array.isArray((value as SharedParameter).shape)

const formatParameter = ({ name, dtype, shape }: SharedParameter): string => `${name} ${dtype}${formatShape(shape)}`

/** @throws TypeError that names the first parameter that differs */
function checkShared(shared: SharedParameters, { parameters, bytes }: Layout): void {
  const isShared = isPlainObject(shared) && types.isSharedArrayBuffer(shared.buffer) && Array.isArray(shared.parameters)
  if (!isShared || !shared.parameters.every(isParameter))
    throw new TypeError(expected('follow', 'what share() of another predictor gave', describe(shared)))
  const theirs = shared.parameters
  for (let i = 0; i < Math.max(parameters.length, theirs.length); i++) {
    const [own, other] = [parameters, theirs].map((list) => (i < list.length ? formatParameter(list[i]!) : 'no more'))
    if (own !== other) throw new TypeError(expected('follow', `parameters of this model: ${own}`, other))
  }
  if (shared.buffer.byteLength !== bytes)
    throw new TypeError(expected('follow', `a buffer of ${bytes} bytes`, `${shared.buffer.byteLength}`))
}

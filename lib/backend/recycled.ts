/**
 * Memory of large results that the garbage collector has taken, for the next ones: fresh memory costs a page fault for each page,
 * which is far more than what most kernels take to fill it.
 *
 * Blocks are ordinary ArrayBuffers that are kept here, and users never see. Who is given one holds an array on it; once that
 * array is collected nobody has any. That is asked of the engine, as its callbacks do not come while a loop runs.
 */
import { allocateInRoom, arrayAt, bytesPerElement, type DType, type TypedArray } from '../base/dtype.ts'

/** Notes an object, and says whether it has been collected, which is said once. */
export interface Watcher {
  watch(object: object): number
  isCollected(watched: number): boolean
}

/** Below it memory comes from what the allocator has at hand, without page faults. */
const leastBytes = 2 ** 16

/** How much is kept in all, and how many blocks. Beyond that results have memory of their own. */
const mostBytes = 2 ** 26
const mostBlocks = 256

/** What is not used any more for so long is let go of. */
const idleMilliseconds = 5000

interface Lent {
  readonly block: ArrayBuffer
  readonly watched: number
}

/** An eighth more at most, so that lengths that differ a little share blocks. */
function sizeClass(bytes: number): number {
  const step = 2 ** (Math.floor(Math.log2(bytes)) - 3)
  return Math.ceil(bytes / step) * step
}

export class RecycledMemory {
  readonly #watcher: Watcher
  /** The last one was used last. */
  #free: ArrayBuffer[] = []
  #lent: Lent[] = []
  #bytes = 0
  #isUsed = false
  #timer: NodeJS.Timeout | null = null

  constructor(watcher: Watcher) {
    this.#watcher = watcher
  }

  /** An array whose elements are to be written, all of them: what stands there is of anybody's. */
  allocate(dtype: DType, size: number): TypedArray {
    const bytes = size * bytesPerElement(dtype)
    const block = bytes >= leastBytes && bytes <= mostBytes / 4 ? this.#blockOf(sizeClass(bytes)) : null
    if (block === null) return allocateInRoom(dtype, size)
    const array = arrayAt(dtype, block, 0, size)
    this.#lent.push({ block, watched: this.#watcher.watch(array) })
    this.#keepForNow()
    return array
  }

  #blockOf(bytes: number): ArrayBuffer | null {
    return this.#take(bytes) ?? this.#add(bytes)
  }

  #take(bytes: number): ArrayBuffer | null {
    if (!this.#has(bytes)) this.#collect()
    if (!this.#has(bytes) && this.#isFull(bytes) && this.#lent.length > 0) {
      collectYoung()
      this.#collect()
    }
    const found = this.#free.findLastIndex(({ byteLength }) => byteLength === bytes)
    return found === -1 ? null : (this.#free.splice(found, 1)[0] ?? null)
  }

  #has(bytes: number): boolean {
    return this.#free.some(({ byteLength }) => byteLength === bytes)
  }

  #isFull(bytes: number): boolean {
    return this.#bytes + bytes > mostBytes || this.#free.length + this.#lent.length >= mostBlocks
  }

  /** A new block, for which others that are free go; null where too much is lent. */
  #add(bytes: number): ArrayBuffer | null {
    while (this.#isFull(bytes)) {
      const oldest = this.#free.shift()
      if (oldest === undefined) return null
      this.#bytes -= oldest.byteLength
    }
    this.#bytes += bytes
    return new ArrayBuffer(bytes)
  }

  #collect(): void {
    const lent: Lent[] = []
    for (const each of this.#lent)
      if (this.#watcher.isCollected(each.watched)) this.#free.push(each.block)
      else lent.push(each)
    this.#lent = lent
  }

  /** Has the free blocks go once a while has passed without a call. */
  #keepForNow(): void {
    this.#isUsed = true
    this.#timer ??= setInterval(() => this.#letGo(), idleMilliseconds).unref()
  }

  #letGo(): void {
    if (this.#isUsed) {
      this.#isUsed = false
      return
    }
    this.#collect()
    for (const { byteLength } of this.#free) this.#bytes -= byteLength
    this.#free = []
    if (this.#lent.length > 0 || this.#timer === null) return
    clearInterval(this.#timer)
    this.#timer = null
  }
}

/** As many bytes of young ArrayBuffers have V8 collect its young objects before the next one; nobody touches them. */
const bytesToCollect = 2 ** 25

/** Young objects die by the thousand for less than what fresh memory costs. Elsewhere this may do nothing. */
function collectYoung(): void {
  new ArrayBuffer(bytesToCollect)
  new ArrayBuffer(1)
}

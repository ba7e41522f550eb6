/**
 * Buffers that are not what a run needs, or cease to be it: of another kind or length, detached, shared, resizable, taken
 * away by a getter of their list or while a thread runs on them. A call throws, or its run ends; nothing ends the process.
 */
import { MessageChannel } from 'node:worker_threads'
import type { TypedArray } from '../../../lib/base/dtype.ts'
import { addition, addon, prepare, update } from '../../support/addon.ts'
import { f32, programOf } from '../../support/run.ts'
import type { Random } from '../random.ts'
import { Fault } from './fault.ts'

const large = 2 ** 16
const rows = 2 ** 12

/** Programs, and right buffers for them. */
const programs: readonly {
  readonly program: typeof addition
  readonly sizes: readonly number[]
  readonly indices: number
}[] = [
  { program: addition, sizes: [4, 4, 4], indices: -1 },
  { program: update(large), sizes: [1, large, large], indices: -1 },
  {
    program: programOf(
      'gather',
      { rows, rowSize: 8, count: rows },
      [new Float32Array(rows * 8), new Int32Array(rows)],
      [['float32', rows * 8]],
    ),
    sizes: [rows * 8, rows, rows * 8],
    indices: 1,
  },
]

type Resizable = ArrayBuffer & { resize(bytes: number): void }
const resizable = (bytes: number): Resizable =>
  new (ArrayBuffer as unknown as new (bytes: number, options: object) => Resizable)(bytes, {
    maxByteLength: 2 * bytes + 8,
  })

const growable = (bytes: number): SharedArrayBuffer =>
  new (SharedArrayBuffer as unknown as new (bytes: number, options: object) => SharedArrayBuffer)(bytes, {
    maxByteLength: 2 * bytes,
  })

function take(buffer: ArrayBufferLike, random: Random): void {
  if (!(buffer instanceof ArrayBuffer)) return
  const { port1 } = new MessageChannel()
  const ways: (() => unknown)[] = [
    () => structuredClone(0, { transfer: [buffer] }),
    () => port1.postMessage(0, [buffer]),
    () => (buffer as Resizable).resize(random.below(buffer.byteLength + 1)),
  ]
  // Before Node 24 these take also what is marked as untransferable.
  if (Number(process.versions.node.split('.')[0]) >= 24) {
    ways.push(
      () => (buffer as unknown as { transfer(): void }).transfer(),
      () => new ReadableStream({ type: 'bytes', start: (to) => to.enqueue(new Uint8Array(buffer)) }),
    )
  }
  try {
    random.pick(ways)()
  } catch (error) {
    if (!(error instanceof Error)) throw error
  }
  port1.close()
}

/** A buffer of so many elements, or something like it. */
function bufferLike(size: number, isInteger: boolean, random: Random): unknown {
  const Type = (isInteger ? Int32Array : Float32Array) as new (
    ...args: unknown[]
  ) => Int32Array<ArrayBuffer> | Float32Array<ArrayBuffer>
  const right = new Type(size)
  if (!random.oneIn(4)) return right
  const others: (() => unknown)[] = [
    () => new Type(new ArrayBuffer(size * 4 + 64), 4 * random.below(16), size),
    () => new Type(size + random.pick([-1, 1, 100]) + 1),
    () => (isInteger ? new Float32Array(size) : new Int32Array(size)),
    () => new Float64Array(size / 2),
    () => new Uint8Array(size * 4),
    () => new DataView(right.buffer),
    () => right.buffer,
    () => Array.from(right.subarray(0, 100)),
    () => new Type(new SharedArrayBuffer(size * 4)),
    () => new Type(growable(size * 4)),
    () => new Type(resizable(size * 4), 0, size),
    () => new Type(resizable(size * 4)),
    () => {
      const memory = resizable(size * 4)
      const view = new Type(memory, 0, size)
      memory.resize(random.below(size * 4))
      return view
    },
    () => {
      take(right.buffer, random)
      return right
    },
    () => Object.defineProperty(new Type(resizable(size * 4)), 'buffer', { value: right.buffer }),
    () => Object.defineProperty(new Type(random.below(size)), 'length', { value: size }),
    () => new Proxy(right, {}),
    () => random.pick([undefined, null, 0, 'buffer', Symbol('buffer'), {}, [], 10n]),
  ]
  return random.pick(others)()
}

const buffersIn = (list: readonly unknown[]): ArrayBufferLike[] =>
  list.flatMap((item) => (ArrayBuffer.isView(item) ? [item.buffer] : []))

/** A list of buffers, one of whose getters may do something to the others. */
function listLike(list: unknown[], random: Random): unknown {
  if (random.oneIn(32))
    return random.pick<unknown>([
      undefined,
      null,
      {},
      'list',
      new Proxy(list, {}),
      Object.freeze(list),
      { ...list, length: list.length },
    ])
  if (!random.oneIn(4) || list.length === 0) return list
  const at = random.below(list.length)
  const item = list[at]
  const buffers = buffersIn(list)
  const acts: (() => void)[] = [
    () => take(random.pick(buffers), random),
    () => {
      list.length = random.below(list.length + 1)
    },
    () => list.push(item),
    () => {
      throw new RangeError('of a getter')
    },
    () => addon.drain(),
    () => {
      // A run within the binding of another one.
      addon.run(small, [f32(1, 2, 3, 4), f32(1, 2, 3, 4), new Float32Array(4)])
    },
  ]
  const act = random.pick(acts)
  let isFirst = true
  return Object.defineProperty(list, at, {
    configurable: true,
    get() {
      if (isFirst && buffers.length > 0) act()
      isFirst = false
      return item
    },
  })
}

const small = prepare(addition)

/** Until the run has ended: what JavaScript may do meanwhile. */
function disturb(list: unknown[], handle: number, random: Random): void {
  for (const buffer of buffersIn(list)) if (random.oneIn(2)) take(buffer, random)
  if (random.oneIn(4)) list.length = 0
  if (random.oneIn(4)) addon.release(handle)
  if (random.oneIn(8)) addon.setNumThreads(1 + random.below(3))
  if (random.oneIn(8)) addon.run(small, [f32(1, 2, 3, 4), f32(1, 2, 3, 4), new Float32Array(4)])
  if (random.oneIn(16)) globalThis.gc?.()
  for (let i = 0; i < 4; i++) new Float32Array(large).fill(Number.NaN)
}

const refuses = (error: unknown): boolean => error instanceof TypeError || error instanceof RangeError

/** Gives what came of it. */
export async function tryLent(random: Random): Promise<string> {
  const { program, sizes, indices } = random.pick(programs)
  const handle = prepare(program)
  const steps = random.pick<unknown>([undefined, undefined, 1, 2, 3, 0, -1, 1.5, 2 ** 24 + 1, Number.NaN, 'x', null])
  const parted = typeof steps === 'number' && steps >= 1 && steps <= 3 && random.oneIn(2) ? Math.floor(steps) : 1
  const list = sizes.map((size, i) =>
    bufferLike(i === 2 || random.oneIn(2) ? size * parted : size, i === indices, random),
  )
  // A state may be updated where it is.
  if (program.stateCount > 0 && random.oneIn(2)) list[2] = list[1]
  const given = listLike(list, random) as TypedArray[]
  const mode = random.pick(['run', 'profile', 'runAsync', 'runAsync', 'runAsync'])
  try {
    if (mode === 'run') addon.run(handle, given)
    else if (mode === 'profile') addon.profile(handle, given, new Float64Array(1))
    else await runLent(handle, given, list, steps as number, random)
    return 'lent'
  } catch (error) {
    if (!refuses(error)) throw new Fault(`${mode} threw ${String(error)}`)
    return 'not lent'
  } finally {
    addon.release(handle)
  }
}

async function runLent(
  handle: number,
  given: TypedArray[],
  list: unknown[],
  steps: number,
  random: Random,
): Promise<void> {
  let calls = 0
  await new Promise<void>((resolve) => {
    addon.runAsync(handle, given, () => resolve(void calls++), steps)
    disturb(list, handle, random)
  })
  // What would call back a second time does so by then.
  await new Promise((resolve) => setImmediate(resolve))
  if (calls !== 1) throw new Fault(`runAsync called back ${calls} times`)
}

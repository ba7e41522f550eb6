/** The addon on its own: whatever JavaScript hands to it gives an error or a result, and never ends the process. */
import { readFileSync } from 'node:fs'
import { totalmem } from 'node:os'
import { describe, expect, it } from 'vitest'
import { loadNative } from '../../lib/backend/native.ts'
import { createReferenceBackend } from '../../lib/backend/reference/index.ts'
import type { TypedArray } from '../../lib/base/dtype.ts'
import { encodeProgram } from '../../lib/program/encode.ts'
import { arenaAlignment } from '../../lib/program/program.ts'
import { addition, addon, numbering, prepare, update } from '../support/addon.ts'
import { f32, i32, programOf, u8, value } from '../support/run.ts'

/** Rows of a table. */
const gather = programOf(
  'gather',
  { rows: 3, rowSize: 2, count: 2 },
  [f32(1, 2, 3, 4, 5, 6), i32(0, 0)],
  [['float32', 4]],
)

/** A list that the types of the addon forbid. */
const wrong = (...list: unknown[]) => list as TypedArray[]

const runAsync = (handle: number, buffers: readonly TypedArray[]) =>
  new Promise<unknown>((resolve) => addon.runAsync(handle, buffers, resolve))

/** By what Linux says of the processor. Of the machines that tools/native.ts emulates it says nothing. */
function isasOfThisMachine(): string {
  if (process.arch === 'arm64') return 'neon,baseline'
  const flags = new Set(/^flags\s*:(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))![1]!.split(' '))
  const hasAll = (...wanted: string[]) => wanted.every((flag) => flags.has(flag))
  const isas = hasAll('avx2', 'fma') ? ['avx2', 'baseline'] : ['baseline']
  return (isas.length > 1 && hasAll('avx512f', 'avx512bw', 'avx512dq', 'avx512vl') ? ['avx512', ...isas] : isas).join()
}

function detached(size: number): Float32Array<ArrayBuffer> {
  const array = new Float32Array(size)
  structuredClone(array.buffer, { transfer: [array.buffer] })
  return array
}

describe('names', () => {
  it('are in the order of their numbers', () => {
    const names = addon.names()
    expect(names.opcodes[0]).toBe('matmul')
    expect(names.places).toEqual(['input', 'state', 'literal', 'result', 'arena'])
    expect(names.dtypes).toEqual(['float32', 'int32', 'uint8', 'bool', 'float64'])
  })
})

describe('prepare', () => {
  const { words, literals } = encodeProgram(addition, numbering)

  it.each([
    ['nothing', []],
    ['words alone', [words]],
    ['a list for words', [[...words], literals]],
    ['floats for words', [Float32Array.from(words), literals]],
    ['a buffer for words', [words.buffer, literals]],
    ['words for literals', [words, words]],
    ['null', [null, null]],
    ['shared words', [new Int32Array(new SharedArrayBuffer(64)), literals]],
    ['shared literals', [words, new Uint8Array(new SharedArrayBuffer(64))]],
  ])('refuses %s', (_, list) => {
    expect(() => (addon.prepare as (...list: unknown[]) => number)(...list)).toThrow(TypeError)
  })

  it('refuses words that are no program', () => {
    const cut = words.subarray(0, words.length - 1)
    const noise = Int32Array.from({ length: 200 }, (_, i) => Math.imul(i + 1, 0x9e3779b1))
    noise.set(words.subarray(0, 8))
    for (const bad of [new Int32Array(0), new Int32Array(100), cut, noise])
      expect(() => addon.prepare(bad, literals)).toThrow(expect.objectContaining({ code: 'ERR_MALFORMED_PROGRAM' }))
  })

  it('refuses detached words', () => {
    const copy = words.slice()
    structuredClone(copy.buffer, { transfer: [copy.buffer] })
    expect(() => addon.prepare(copy, literals)).toThrow(/words of a program/)
  })

  it('refuses values whose bytes of many steps would overflow: 2⁴² · 2²⁴ are none', () => {
    const drawn = programOf('random', { distribution: 'uniform' }, [i32(1, 2)], [['float32', 4]])
    const values = drawn.values.with(1, value('float32', [2 ** 20, 2 ** 20], 'result', 0))
    expect(() => prepare({ ...drawn, values })).toThrow(/at most 2147483647 elements/)
  })

  it('refuses a program beyond the memory of the machine with a RangeError', () => {
    const arenaBytes = (2 ** 31 - 1) * arenaAlignment
    expect(arenaBytes).toBeGreaterThan(totalmem())
    expect(() => prepare({ ...addition, arenaBytes })).toThrow(RangeError)
    expect(addon.run(prepare(addition), [f32(1, 2, 3, 4), f32(1, 1, 1, 1), new Float32Array(4)])).toBeUndefined()
  })
})

describe('profile', () => {
  const handle = prepare(addition)
  const buffers = () => [f32(1, 2, 3, 4), f32(10, 20, 30, 40), new Float32Array(4)] as const
  const call = (...list: unknown[]) => (addon.profile as (...list: unknown[]) => unknown)(...list)

  it('runs the program and says how long each instruction took', () => {
    const [list, times] = [buffers(), new Float64Array(1)]
    expect(addon.profile(handle, list, times)).toBeUndefined()
    expect([...list[2]]).toEqual([11, 22, 33, 44])
    expect(times[0]).toBeGreaterThan(0)
  })

  it('gives the failure of a bad index', () => {
    const list = [f32(1, 2, 3, 4, 5, 6), i32(0, 3), new Float32Array(4)]
    expect(addon.profile(prepare(gather), list, new Float64Array(1))).toEqual([0, 1, 3, 3])
  })

  it.each([
    ['nothing', undefined],
    ['an array', [0]],
    ['another type', new Float32Array(1)],
    ['too few', new Float64Array(0)],
    ['too many', new Float64Array(2)],
    ['shared memory', new Float64Array(new SharedArrayBuffer(8))],
  ])('refuses %s for times', (_, times) => {
    expect(() => call(handle, buffers(), times)).toThrow(/Float64Array of as many elements/)
  })

  it('refuses times that the list of buffers detaches', () => {
    const times = new Float64Array(1)
    const list = [...buffers()]
    const get = () => {
      structuredClone(times.buffer, { transfer: [times.buffer] })
      return list[1]
    }
    Object.defineProperty(list, 0, { get })
    expect(() => call(handle, list, times)).toThrow(/Float64Array of as many elements/)
  })

  it('refuses what run refuses', () => {
    expect(() => call(-1, buffers(), new Float64Array(1))).toThrow(/handle/)
    expect(() => call(handle, [], new Float64Array(1))).toThrow(TypeError)
    expect(() => call()).toThrow(TypeError)
  })
})

describe.each(['run', 'runAsync'] as const)('%s', (mode) => {
  const ignore = () => {}
  const call = (handle: unknown, buffers: unknown) => addon[mode](handle as number, buffers as TypedArray[], ignore)
  const handle = prepare(addition)
  const x = f32(1, 2, 3, 4)
  const y = f32(10, 20, 30, 40)

  it.each([
    ['undefined', undefined],
    ['a string', 'handle'],
    ['an object', {}],
    ['a number that was never one', 123456789],
    ['-1', -1],
    ['NaN', Number.NaN],
  ])('refuses %s as handle', (_, bad) => {
    expect(() => call(bad, [x, y, new Float32Array(4)])).toThrow(/handle/)
  })

  it('refuses a released handle', () => {
    const released = prepare(addition)
    addon.release(released)
    addon.release(released)
    expect(() => call(released, [x, y, new Float32Array(4)])).toThrow(/handle/)
  })

  it.each([
    ['nothing', undefined],
    ['an object', { length: 3 }],
    ['a typed array', x],
    ['too few', [x, y]],
    ['too many', [x, y, new Float32Array(4), new Float32Array(4)]],
    ['a proxy', new Proxy([x, y, new Float32Array(4)], {})],
  ])('refuses %s as buffers', (_, bad) => {
    expect(() => call(handle, bad)).toThrow(TypeError)
  })

  it.each([
    ['a hole', undefined],
    ['null', null],
    ['an array', [1, 2, 3, 4]],
    ['a buffer', new ArrayBuffer(16)],
    ['a DataView', new DataView(new ArrayBuffer(16))],
    ['another type', new Int32Array(4)],
    ['another type of the same length', new Float64Array(2)],
    ['a short one', new Float32Array(3)],
    ['a long one', new Float32Array(5)],
    ['a detached one', detached(4)],
    ['shared memory', new Float32Array(new SharedArrayBuffer(16))],
  ])('refuses %s as a buffer', (_, bad) => {
    for (const list of [wrong(bad, y, new Float32Array(4)), wrong(x, y, bad)])
      expect(() => call(handle, list)).toThrow(/run: expected buffer [02] to be/)
  })

  it('refuses written memory that overlaps other memory', () => {
    const memory = new Float32Array(12)
    const at = (start: number) => memory.subarray(start, start + 4)
    expect(() => call(handle, [at(0), at(4), at(0)])).toThrow(/share memory/)
    expect(() => call(handle, [at(0), at(4), at(7)])).toThrow(/share memory/)
    expect(() => call(handle, [at(8), at(4), at(6)])).toThrow(/share memory/)
    const stepping = prepare(update(4))
    expect(() => call(stepping, [at(5).subarray(0, 1), at(4), at(4)])).toThrow(/share memory/)
    expect(() => call(stepping, [f32(1), at(4), at(5)])).toThrow(/share memory/)
  })

  it('does not fall for an element whose getter takes away another', () => {
    const first = new Float32Array(4)
    const list = [first, y, new Float32Array(4)]
    Object.defineProperty(list, 1, { get: () => structuredClone(first.buffer, { transfer: [first.buffer] }) && y })
    expect(() => call(handle, list)).toThrow(/detached/)
  })

  it('passes on what a getter throws', () => {
    const list = [x, y, new Float32Array(4)]
    Object.defineProperty(list, 1, {
      get: () => {
        throw new Error('mine')
      },
    })
    expect(() => call(handle, list)).toThrow('mine')
  })
})

describe('run', () => {
  it('computes', () => {
    const out = new Float32Array(4)
    expect(addon.run(prepare(addition), [f32(1, 2, 3, 4), f32(10, 20, 30, 40), out])).toBeUndefined()
    expect(out).toEqual(f32(11, 22, 33, 44))
  })

  it('reads one buffer as two inputs', () => {
    const x = f32(1, 2, 3, 4)
    const out = new Float32Array(4)
    addon.run(prepare(addition), [x, x, out])
    expect(out).toEqual(f32(2, 4, 6, 8))
  })

  it('updates a state in place, or copies it first', () => {
    const handle = prepare(update(2))
    const state = f32(8, 16)
    addon.run(handle, [f32(0.5), state, state])
    expect(state).toEqual(f32(4, 8))
    const next = new Float32Array(2)
    addon.run(handle, [f32(0.5), state, next])
    expect(state).toEqual(f32(4, 8))
    expect(next).toEqual(f32(2, 4))
  })

  it('takes views at any offset, and resizable memory', () => {
    const memory = new Float32Array(16)
    const x = memory.subarray(1, 5).fill(1)
    const Resizable = ArrayBuffer as unknown as new (bytes: number, options: { maxByteLength: number }) => ArrayBuffer
    const y = new Float32Array(new Resizable(16, { maxByteLength: 64 })).fill(2)
    addon.run(prepare(addition), [x, y, memory.subarray(9, 13)])
    expect(memory.subarray(8, 14)).toEqual(f32(0, 3, 3, 3, 3, 0))
  })

  it('gives the instruction, position, value and limit of a bad index', () => {
    const table = f32(1, 2, 3, 4, 5, 6)
    const handle = prepare(gather)
    expect(addon.run(handle, [table, i32(0, 3), new Float32Array(4)])).toEqual([0, 1, 3, 3])
    expect(addon.run(handle, [table, i32(-1, 3), new Float32Array(4)])).toEqual([0, 0, -1, 3])
  })
})

describe('runAsync', () => {
  it('refuses what is no callback', () => {
    for (const bad of [undefined, null, 1, {}])
      expect(() => addon.runAsync(prepare(addition), [], bad as never)).toThrow(/callback/)
  })

  it('refuses memory that may shrink while it runs', () => {
    const Resizable = ArrayBuffer as unknown as new (bytes: number, options: { maxByteLength: number }) => ArrayBuffer
    const y = new Float32Array(new Resizable(16, { maxByteLength: 64 }))
    expect(() => addon.runAsync(prepare(addition), [new Float32Array(4), y, new Float32Array(4)], () => {})).toThrow(
      /resizable/,
    )
  })

  it('does not believe an object that says of itself that it does not shrink', () => {
    const Resizable = ArrayBuffer as unknown as new (bytes: number, options: { maxByteLength: number }) => ArrayBuffer
    const memory = new Resizable(16, { maxByteLength: 64 })
    Object.defineProperty(memory, 'resizable', { value: false })
    const list = [new Float32Array(4), new Float32Array(memory), new Float32Array(4)]
    expect(() => addon.runAsync(prepare(addition), list, () => {})).toThrow(/resizable/)
  })

  it('keeps the memory that it was lent, whoever transfers it', async () => {
    const size = 1_000_000
    const handle = prepare(update(size))
    const [half, state] = [f32(0.5), new Float32Array(size).fill(1024)]
    const runs = Array.from({ length: 10 }, () => runAsync(handle, [half, state, state]))
    for (const buffer of [half.buffer, state.buffer]) {
      const { port1 } = new MessageChannel()
      for (const transfer of [() => structuredClone(0, { transfer: [buffer] }), () => port1.postMessage(0, [buffer])]) {
        try {
          transfer()
        } catch (error) {
          expect(error).toMatchObject({ name: 'DataCloneError' })
        }
      }
      port1.close()
    }
    expect([half.length, state.length]).toEqual([1, size])
    await Promise.all(runs)
    expect(new Set(state)).toEqual(new Set([1]))
  })

  // Under the sanitizers it is a fault to take them for words.
  it('gathers rows of four bytes from and to any address', () => {
    const [table, out] = [Uint8Array.from({ length: 13 }, (_, i) => i).subarray(1), new Uint8Array(11).subarray(3)]
    const rows = programOf('gather', { rows: 3, rowSize: 4, count: 2 }, [table, i32(0, 0)], [['uint8', 8]])
    addon.run(prepare(rows), [table, i32(2, 0), out])
    expect([...out]).toEqual([9, 10, 11, 12, 1, 2, 3, 4])
  })

  it('reports a bad index', async () => {
    const buffers = [f32(1, 2, 3, 4, 5, 6), i32(7, 0), new Float32Array(4)]
    expect(await runAsync(prepare(gather), buffers)).toEqual([0, 0, 7, 3])
  })

  it('runs in the order of submission, synchronous runs included', async () => {
    const size = 200_000
    const handle = prepare(update(size))
    const half = f32(0.5)
    const state = new Float32Array(size).fill(1024)
    const ended: number[] = []
    const runs = [0, 1, 2, 3].map((i) => runAsync(handle, [half, state, state]).then(() => ended.push(i)))
    addon.run(handle, [half, state, state])
    expect(state[size - 1]).toBe(32)
    expect(ended).toEqual([])
    await Promise.all(runs)
    expect(ended).toEqual([0, 1, 2, 3])
  })

  it('runs several steps, each with its part of the longer inputs and results', async () => {
    const table = f32(1, 2, 3, 4, 5, 6)
    const out = new Float32Array(12)
    const steps = (list: TypedArray[], count: unknown) =>
      new Promise<unknown>((resolve) => addon.runAsync(prepare(gather), list, resolve, count as number))
    expect(await steps([table, i32(0, 1, 2, 0, 1, 1), out], 3)).toBeUndefined()
    expect(out).toEqual(f32(1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 3, 4))
    expect(await steps([table, i32(0, 1, 2, 9, 1, 1), out.fill(0)], 3)).toEqual([0, 1, 9, 3])
    expect(out).toEqual(f32(1, 2, 3, 4, 0, 0, 0, 0, 0, 0, 0, 0))
    const state = f32(1024)
    await new Promise((resolve) => addon.runAsync(prepare(update(1)), [f32(0.5), state, state], resolve, 10))
    expect(state).toEqual(f32(1))
    const old = f32(1024)
    await new Promise((resolve) => addon.runAsync(prepare(update(1)), [f32(0.5, 0.75), old, state], resolve, 2))
    expect([old, state]).toEqual([f32(1024), f32(128)])
  })

  it('refuses parts that do not fit, and numbers of steps that are none', () => {
    const submit = (list: TypedArray[], count: unknown) => () =>
      addon.runAsync(prepare(gather), list, () => {}, count as number)
    const table = f32(1, 2, 3, 4, 5, 6)
    const indices = i32(0, 1, 2, 0, 1, 1)
    expect(submit([table, indices, new Float32Array(4)], 3)).toThrow(/buffer 2 to be 48 bytes long, got 16/)
    expect(submit([table, indices, new Float32Array(12)], 2)).toThrow(/buffer 1 to be 8 bytes long, got 24/)
    const memory = new Float32Array(40)
    expect(submit([memory.subarray(0, 6), indices, memory.subarray(5, 17)], 3)).toThrow(/share memory/)
    expect(submit([memory.subarray(0, 18), indices, memory.subarray(17, 29)], 3)).toThrow(/share memory/)
    const longState = f32(1, 2)
    expect(() => addon.runAsync(prepare(update(1)), [f32(1), longState, longState], () => {}, 2)).toThrow(/buffer 1/)
    for (const bad of [0, -1, 1.5, Number.NaN, 2 ** 24 + 1, Infinity, '2', null, {}])
      expect(submit([table, i32(0, 1), new Float32Array(4)], bad)).toThrow(RangeError)
  })

  it('is over after drain', () => {
    const state = new Float32Array(100_000).fill(1)
    addon.runAsync(prepare(update(state.length)), [f32(1), state, state], () => {})
    addon.drain()
    expect(state.every((x) => x === 0)).toBe(true)
  })

  it('holds its program and its buffers until it ends', async () => {
    const size = 100_000
    const handle = prepare(update(size))
    const runs: Promise<unknown>[] = []
    for (let i = 0; i < 50; i++) {
      const state = new Float32Array(size)
      const list = [f32(0.5), state, state]
      runs.push(runAsync(handle, list))
      list.length = 0
    }
    addon.release(handle)
    for (let i = 0; i < 200; i++) new Float32Array(size).fill(i)
    expect(await Promise.all(runs)).toEqual(new Array(50).fill(undefined))
  })
})

describe('the settings', () => {
  it('choose an instruction set for the programs that follow', () => {
    const { isa, supportedIsas } = addon.info()
    expect(supportedIsas).toContain(isa)
    expect(supportedIsas).toContain('baseline')
    for (const name of supportedIsas) {
      addon.setIsa(name)
      expect(addon.info().isa).toBe(name)
    }
    addon.setIsa(isa)
  })

  it.skipIf(process.platform !== 'linux')('know the instruction sets of the machine', () => {
    expect(addon.info().supportedIsas.join()).toBe(process.env.GALVANI_TEST_ISAS ?? isasOfThisMachine())
  })

  it.each([['sse9'], ['AVX2'], ['baseline ']])('refuse the instruction set %j', (name) => {
    expect(() => addon.setIsa(name)).toThrow(/setIsa: expected an instruction set of this machine \(.*baseline\), got /)
  })

  it('take a number of threads', () => {
    const { threads } = addon.info()
    for (const bad of [0, -1, 65, 1.5, Number.NaN, '2', undefined])
      expect(() => addon.setNumThreads(bad as number)).toThrow(RangeError)
    addon.setNumThreads(3)
    expect(addon.info().threads).toBe(3)
    addon.setNumThreads(threads)
  })

  it('do not change the bits', () => {
    const { threads } = addon.info()
    const rows = 300
    const product = programOf(
      'matmul',
      {
        ...{ batch: 1, m: rows, n: rows, k: rows, activation: 'tanh', slope: 0, precision: 'float32' },
        a: { offset: 0, batchStride: rows * rows, leadingDimension: rows, transpose: false },
        b: { offset: 0, batchStride: rows * rows, leadingDimension: rows, transpose: true },
      },
      [new Float32Array(rows * rows), new Float32Array(rows * rows)],
      [['float32', rows * rows]],
    )
    const handle = prepare(product)
    const x = Float32Array.from({ length: rows * rows }, (_, i) => Math.sin(i))
    const outs = [1, 2, 4].map((count) => {
      addon.setNumThreads(count)
      const out = new Float32Array(rows * rows)
      addon.run(handle, [x, x, out])
      return out
    })
    addon.setNumThreads(threads)
    expect(outs[1]).toEqual(outs[0])
    expect(outs[2]).toEqual(outs[0])
  })
})

describe('the backend', () => {
  it('speaks of a bad index as the reference does', () => {
    const labels = programOf(
      'softmaxCrossEntropy',
      { rows: 2, columns: 3 },
      [f32(0, 0, 0, 0, 0, 0), i32(0, 0)],
      [['float32', 2]],
    )
    const messages = [loadNative(), createReferenceBackend()].map((backend) => [
      messageOf(() => backend.prepare(gather).run([f32(1, 2, 3, 4, 5, 6), i32(0, 9), new Float32Array(4)])),
      messageOf(() => backend.prepare(labels).run([new Float32Array(6), i32(2, 3), new Float32Array(2)])),
    ])
    expect(messages[0]).toEqual([
      'RangeError: gather: expected indices in [0, 3), got 9 at position 1',
      'RangeError: softmaxCrossEntropy: expected labels in [0, 3), got 3 at row 1',
    ])
    expect(messages[1]).toEqual(messages[0])
  })

  it('rejects with it, too', async () => {
    const executable = loadNative().prepare(gather)
    const run = executable.runAsync([f32(1, 2, 3, 4, 5, 6), i32(0, 9), new Float32Array(4)])
    await expect(run).rejects.toThrow(new RangeError('gather: expected indices in [0, 3), got 9 at position 1'))
  })

  it('does not run what was disposed of', () => {
    const executable = loadNative().prepare(addition)
    executable.dispose()
    expect(() => executable.run([new Float32Array(4), new Float32Array(4), new Float32Array(4)])).toThrow(/released/)
  })
})

function messageOf(action: () => void): string {
  try {
    action()
  } catch (error) {
    return String(error)
  }
  return 'no error'
}

it('takes bytes as uint8 and bool alike', () => {
  const pattern = { offset: 0, strides: [1] }
  const code = [{ op: 'cast', dtype: 'uint8', to: 'bool', args: [0] }] as const
  const toBool = programOf(
    'elementwise',
    { shape: [4], operands: [pattern], code, results: [1] },
    [u8(0, 0, 0, 0)],
    [['bool', 4]],
  )
  const out = new Uint8Array(4)
  addon.run(prepare(toBool), [u8(0, 1, 2, 255), out])
  expect(out).toEqual(u8(0, 1, 1, 1))
})

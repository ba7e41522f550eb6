/** The addon in processes and workers of its own: how it starts, what it obeys, and how it ends. */
import { execFile } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { Worker } from 'node:worker_threads'
import { describe, expect, it } from 'vitest'
import { encodeProgram } from '../../lib/program/encode.ts'
import type { InstructionParams, Opcode } from '../../lib/program/instructions.ts'
import type { Program } from '../../lib/program/program.ts'
import { addition, addon, numbering, prepare, update } from '../support/addon.ts'
import { f32, instruction, program, programOf, value } from '../support/run.ts'

const moduleOf = (name: string) => new URL(`../../lib/backend/${name}.ts`, import.meta.url)

/** What a process prints that runs `code`, an ES module, with the backend's module as `native`, and `loadAddon`. */
async function inProcess(code: string, env: Record<string, string> = {}): Promise<string> {
  const imports = `import * as native from '${moduleOf('native')}'; import { loadAddon } from '${moduleOf('addon-search')}'`
  const source = `${imports}\n${code}`
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--expose-gc', '--import', 'tsx', '--input-type=module', '--eval', source],
    { env: { ...process.env, ...env } },
  )
  return stdout.trim()
}

/** A program of one instruction that reads indices, its second input. */
const indexed = <K extends Opcode>(opcode: K, params: InstructionParams[K], sizes: readonly number[], out: number) =>
  programOf(
    opcode,
    params,
    sizes.map((size, i) => (i === 1 ? new Int32Array(size) : new Float32Array(size))),
    [['float32', out]],
  )

const printError = `try { native.loadNative(); console.log('loaded') } catch (error) { console.log(String(error)) }`

describe('a process', () => {
  it.each(addon.info().supportedIsas)('runs on %s where GALVANI_ISA says so', async (isa) => {
    const code = `console.log(native.loadNative().info().isa)`
    expect(await inProcess(code, { GALVANI_ISA: isa })).toBe(isa)
  })

  it('does not start with a wrong GALVANI_ISA', async () => {
    const got = await inProcess(printError, { GALVANI_ISA: 'avx1024' })
    expect(got).toBe(
      `RangeError: GALVANI_ISA: expected an instruction set of this machine (${addon.info().supportedIsas.join(', ')}), got avx1024`,
    )
  })

  it('takes its number of threads from GALVANI_NUM_THREADS or setNumThreads, and says from which', async () => {
    const code = `
      const backend = native.loadNative()
      const print = () => console.log(backend.info().threads, backend.info().threadsFrom)
      print()
      backend.setNumThreads(2)
      print()`
    expect(await inProcess(code, { GALVANI_NUM_THREADS: '3' })).toBe('3 GALVANI_NUM_THREADS\n2 setNumThreads')
    expect(await inProcess(printError, { GALVANI_NUM_THREADS: 'many' })).toBe(
      'RangeError: GALVANI_NUM_THREADS: expected a number from 1 to 64, got many',
    )
  })

  it('has no more threads than processors, and says whether a quota makes them fewer', async () => {
    const code = `console.log(native.loadNative().info().threads, native.loadNative().info().threadsFrom)`
    const [threads, ...from] = (await inProcess(code, { GALVANI_NUM_THREADS: '' })).split(' ')
    expect(Number(threads)).toBeGreaterThanOrEqual(1)
    expect(Number(threads)).toBeLessThanOrEqual(Math.min(availableParallelism(), 64))
    expect(['affinity', 'cgroup quota']).toContain(from.join(' '))
  })

  const prelude = `
    const addon = loadAddon()
    addon.configure()
    const words = Int32Array.of(${encodeProgram(update(4_000_000), numbering).words})
    const handle = addon.prepare(words, new Uint8Array(0))
    const state = new Float32Array(4_000_000)
    const submit = (callback) => addon.runAsync(handle, [Float32Array.of(1), state, state], callback)`

  it('stays alive while a run is under way, and ends when none is', async () => {
    expect(await inProcess(`${prelude}; submit(() => submit(() => console.log('ended')))`)).toBe('ended')
  })

  it('may exit while runs are under way', async () => {
    const code = `${prelude}
      for (let i = 0; i < 20; i++) submit(() => console.log('too late'))
      console.log('exits')
      process.exit(0)`
    expect(await inProcess(code)).toBe('exits')
  })

  it('cannot be brought to free what a run reads, by code that gets hold of a buffer', async () => {
    const code = `
      const g = await import('${new URL('../../lib/index.ts', import.meta.url)}')
      const slice = Float32Array.prototype.slice
      const found = []
      Float32Array.prototype.slice = function (...bounds) {
        found.push(this)
        return slice.apply(this, bounds)
      }
      const x = g.ones([1024, 1024])
      await x.data()
      const sum = x.matmul(x).sum().item()
      for (const { buffer } of found) {
        try {
          structuredClone(buffer, { transfer: [buffer] })
        } catch {}
      }
      const lengths = found.map(({ length }) => length)
      gc()
      console.log(await sum, ...lengths)`
    expect(await inProcess(code)).toBe(`${2 ** 30} ${2 ** 20}`)
  })

  it('may exit in the callback of a run while others are under way', async () => {
    const code = `${prelude}
      process.on('exit', (code) => console.log('exits with', code))
      submit(() => { process.exitCode = 3; process.exit() })
      for (let i = 0; i < 20; i++) submit(() => console.log('too late'))`
    await expect(inProcess(code)).rejects.toMatchObject({ code: 3, signal: null, stdout: 'exits with 3\n' })
  })

  // What reads indices checks them first, and again where it uses them.
  const rows = 2 ** 10
  const flips: readonly (readonly [name: string, program: Program])[] = [
    ['gather of rows', indexed('gather', { rows, rowSize: 4, count: 2 ** 20 }, [rows * 4, 2 ** 20], 2 ** 22)],
    ['gather of elements', indexed('gather', { rows, rowSize: 1, count: 2 ** 20 }, [rows, 2 ** 20], 2 ** 20)],
    ['scatterAdd', indexed('scatterAdd', { rows, rowSize: 4, count: 2 ** 20 }, [rows * 4, 2 ** 20, 2 ** 22], rows * 4)],
    ['takeAlongAxis', indexed('takeAlongAxis', { outer: 1, rows, count: 2 ** 20, inner: 1 }, [rows, 2 ** 20], 2 ** 20)],
    [
      'takeAlongAxis of columns',
      indexed('takeAlongAxis', { outer: 1, rows, count: 2 ** 18, inner: 4 }, [rows * 4, 2 ** 20], 2 ** 20),
    ],
    [
      'scatterAlongAxis',
      indexed(
        'scatterAlongAxis',
        { outer: 1, rows, count: 2 ** 20, inner: 1, accumulate: true },
        [rows, 2 ** 20, 2 ** 20],
        rows,
      ),
    ],
    [
      'softmaxCrossEntropy',
      indexed('softmaxCrossEntropy', { rows: 2 ** 14, columns: 128 }, [2 ** 21, 2 ** 14], 2 ** 14),
    ],
  ]

  it.each(flips)('survives indices that change while %s runs', async (_, program) => {
    const { words } = encodeProgram(program, numbering)
    const sizes = program.values.map(({ shape }) => shape[0])
    const code = `
      const addon = loadAddon()
      addon.configure()
      const handle = addon.prepare(Int32Array.of(${words}), new Uint8Array(0))
      const buffers = [${sizes}].map((size, i) => i === 1 ? new Int32Array(size) : new Float32Array(size))
      const indices = buffers[1]
      let left = 200
      for (let run = 0; run < 200; run++) addon.runAsync(handle, buffers, () => left--)
      while (left > 0) {
        const start = Math.floor(Math.random() * indices.length)
        for (const end = performance.now() + 4; performance.now() < end;) {
          for (const index of [0x7fffffff, 0])
            for (let i = 0; i < 1000; i++) indices[(start + i * 37) % indices.length] = index
        }
        await new Promise((resolve) => setImmediate(resolve))
      }
      console.log('survived')`
    expect(await inProcess(code)).toBe('survived')
  })

  it('lets go of programs that nobody holds any more', async () => {
    const code = `
      import { setImmediate } from 'node:timers/promises'
      const backend = native.loadNative()
      const literals = [new Float32Array(2 ** 21)]
      const values = [{ dtype: 'float32', shape: [2 ** 21], place: { kind: 'literal', index: 0 } }]
      const program = { values, instructions: [], literals, inputCount: 0, stateCount: 0, resultCount: 0, arenaBytes: 0 }
      for (let i = 0; i < 40; i++) {
        backend.prepare(program)
        gc()
        await setImmediate()
      }
      console.log(process.memoryUsage().rss / 2 ** 20)`
    expect(Number(await inProcess(code))).toBeLessThan(40 * 8)
  })
})

describe('workers', () => {
  const code = `
    const { parentPort, workerData } = require('node:worker_threads')
    const addon = require(workerData.file)
    addon.configure()
    const handle = addon.prepare(workerData.words, new Uint8Array(0))
    const state = new Float32Array(workerData.size).fill(1024)
    const run = (left) => {
      if (left === 0) return parentPort.postMessage(state[0])
      addon.runAsync(handle, [Float32Array.of(0.5), state, state], () => run(left - 1))
    }
    run(workerData.runs)
    if (workerData.reports) parentPort.postMessage('started')`
  const file = process.env.GALVANI_ADDON ?? fileURLToPath(new URL('../../build/Release/galvani.node', import.meta.url))

  function start(size: number, runs: number, reports: boolean): Worker {
    const { words } = encodeProgram(update(size), numbering)
    return new Worker(code, { eval: true, workerData: { file, words, size, runs, reports } })
  }

  it('run at once', async () => {
    const workers = [1, 2, 3, 4].map((runs) => start(50_000, runs, false))
    const first = (worker: Worker) =>
      new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject))
    expect(await Promise.all(workers.map(first))).toEqual([512, 256, 128, 64])
    await Promise.all(workers.map((worker) => worker.terminate()))
  })

  it('may be terminated while runs are under way', async () => {
    for (let i = 0; i < 5; i++) {
      const worker = start(1_000_000, Number.POSITIVE_INFINITY, true)
      await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject))
      expect(await worker.terminate()).toBe(1)
    }
    expect(addon.run(prepare(addition), [f32(1, 2, 3, 4), f32(1, 1, 1, 1), new Float32Array(4)])).toBeUndefined()
  })

  const size = 2 ** 24
  /** x negated 2¹⁶ times, to and fro between two places of the arena. */
  const long = program({
    values: Array.from({ length: 2 ** 16 }, (_, i) =>
      i === 0 ? value('float32', [size], 'input', 0) : value('float32', [size], 'arena', (i % 2) * 4 * size),
    ),
    instructions: Array.from({ length: 2 ** 16 - 1 }, (_, i) => {
      const operands = [{ offset: 0, strides: [1] }]
      const code = [{ op: 'neg', dtype: 'float32', args: [0] }] as const
      return instruction('elementwise', { shape: [size], operands, code, results: [1] }, [i], [i + 1])
    }),
    inputCount: 1,
    arenaBytes: 8 * size,
  })

  /** Each would take an hour or so. */
  it.each([
    ['steps', update(size), '[Float32Array.of(0), state, state], () => {}, 2 ** 18'],
    ['instructions', long, '[state], () => {}'],
  ])('may be terminated in the middle of a run of many %s', { timeout: 120_000 }, async (_, program, run) => {
    const code = `
      const { parentPort, workerData } = require('node:worker_threads')
      const addon = require(workerData.file)
      addon.configure()
      const state = new Float32Array(${size})
      addon.runAsync(addon.prepare(workerData.words, new Uint8Array(0)), ${run})
      parentPort.postMessage('started')`
    const { words } = encodeProgram(program, numbering)
    const worker = new Worker(code, { eval: true, workerData: { file, words } })
    await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject))
    await setTimeout(100)
    expect(await worker.terminate()).toBe(1)
  })

  it('may be the only ones that load the addon', async () => {
    const workerCode = JSON.stringify(code)
    const source = `
      import { Worker } from 'node:worker_threads'
      const words = Int32Array.of(${encodeProgram(update(300_000), numbering).words})
      for (let i = 0; i < 3; i++) {
        const workerData = { file: ${JSON.stringify(file)}, words, size: 300_000, runs: 3, reports: false }
        const worker = new Worker(${workerCode}, { eval: true, execArgv: [], workerData })
        const [message] = await Promise.all([
          new Promise((resolve) => worker.once('message', resolve)),
          new Promise((resolve) => worker.once('exit', resolve)),
        ])
        console.log(message)
      }`
    expect(await inProcess(source)).toBe('128\n128\n128')
  })

  it('leave next to nothing behind, also where the main thread does not load the addon', {
    timeout: 120_000,
  }, async () => {
    const source = `
      import { Worker } from 'node:worker_threads'
      const code = 'require(require("node:worker_threads").workerData).configure()'
      async function work(count) {
        for (let i = 0; i < count; i++) {
          const worker = new Worker(code, { eval: true, execArgv: [], workerData: ${JSON.stringify(file)} })
          await new Promise((resolve, reject) => worker.once('exit', resolve).once('error', reject))
        }
        gc()
        return process.memoryUsage().rss / 1024
      }
      const before = await work(40)
      console.log((await work(100) - before) / 100)`
    // Kilobytes for each: what an addon that is loaded anew leaves is 80, and what a busy machine has not given back yet up to 30.
    expect(Number(await inProcess(source))).toBeLessThan(50)
  })
})

/** The library inside its host: worker threads, memory, the event loop, libuv's pool, the end of the process. */
import { execFile } from 'node:child_process'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { Worker } from 'node:worker_threads'
import { afterEach, expect, test } from 'vitest'
import * as g from '../../lib/index.ts'
import { trainedWeights, trainingStep } from '../support/mlp.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

afterEach(() => {
  g.setNumThreads(2)
})

const workerUrl = new URL('../support/train-worker.ts', import.meta.url)

function startWorker(): Worker {
  const load = `import('tsx/esm/api').then(({ register }) => { register(); return import(${JSON.stringify(workerUrl.href)}) })`
  return new Worker(load, { eval: true })
}

const weightsFrom = (worker: Worker): Promise<number[][]> =>
  new Promise((resolve, reject) => {
    worker.once('message', resolve)
    worker.once('error', reject)
  })

test('four workers train at once and get the weights they would have had alone', { timeout: 60_000 }, async () => {
  const alone = trainedWeights(30)
  const together = await Promise.all(Array.from({ length: 4 }, () => weightsFrom(startWorker())))
  for (const weights of together) expect(weights).toEqual(alone)
})

test('a worker that is terminated while it trains takes nobody with it', { timeout: 60_000 }, async () => {
  const worker = startWorker()
  await new Promise((resolve) => setTimeout(resolve, 500))
  await worker.terminate()
  expect(Number.isFinite(trainingStep(16).sync())).toBe(true)
})

test('the same bits on one thread and on two, sync and async', async () => {
  g.setNumThreads(1)
  const one = trainedWeights(10)
  g.setNumThreads(2)
  expect(trainedWeights(10)).toEqual(one)
  const step = trainingStep(128, [256, 128, 10])
  for (let i = 0; i < 10; i++) await step.async()
  expect(step.weights()).toEqual(one)
})

/** Megabytes of the process and of its array buffers. */
const memory = () => {
  const { rss, arrayBuffers } = process.memoryUsage()
  return { rss: rss / 2 ** 20, arrayBuffers: arrayBuffers / 2 ** 20 }
}

async function growth(run: () => Promise<void>): Promise<{ rss: number; arrayBuffers: number }> {
  await run()
  const before = memory()
  for (let i = 0; i < 4; i++) await run()
  const after = memory()
  return { rss: after.rss - before.rss, arrayBuffers: after.arrayBuffers - before.arrayBuffers }
}

test('memory is steady over 10,000 steps in a synchronous loop', { timeout: 120_000 }, async () => {
  const step = trainingStep(32)
  const grown = await growth(async () => {
    for (let i = 0; i < 2500; i++) step.sync()
  })
  // A step handles some 40 kB: 10,000 steps that leak would be 400 MB.
  expect(grown.rss).toBeLessThan(64)
  expect(grown.arrayBuffers).toBeLessThan(32)
})

test('memory is steady over 10,000 asynchronous steps', { timeout: 120_000 }, async () => {
  const step = trainingStep(32)
  const grown = await growth(async () => {
    for (let i = 0; i < 2500; i++) await step.async()
  })
  expect(grown.rss).toBeLessThan(64)
  expect(grown.arrayBuffers).toBeLessThan(32)
})

test('the event loop stays free while training', { timeout: 60_000 }, async () => {
  const step = trainingStep(1024, [784, 512, 10])
  await step.async()
  const delay = monitorEventLoopDelay({ resolution: 1 })
  delay.enable()
  for (let i = 0; i < 100; i++) await step.async()
  delay.disable()
  const p99 = delay.percentile(99) / 1e6
  console.log(`event-loop delay p99 while training: ${p99.toFixed(1)} ms`)
  expect(p99).toBeLessThan(20)
})

const run = async (code: string, env: NodeJS.ProcessEnv = {}): Promise<string> => {
  const args = ['--import', 'tsx', '--input-type=module', '-e', code]
  const { stdout } = await promisify(execFile)(process.execPath, args, {
    cwd: root,
    env: { ...process.env, ...env },
    timeout: 30_000,
  })
  return stdout.trim()
}

const load = `const g = await import('./lib/index.ts');`

test('asynchronous work does not need libuv’s pool', { timeout: 40_000 }, async () => {
  const code = `${load} import { pbkdf2 } from 'node:crypto';
    let busy = true; pbkdf2('x', 'y', 3e6, 64, 'sha512', () => { busy = false });
    const x = await g.randn([100, 100]).matmul(g.randn([100, 100])).data(); console.log(x.length, busy); process.exit()`
  expect(await run(code, { UV_THREADPOOL_SIZE: '1' })).toBe('10000 true')
})

test('the process lives while work is under way, and ends by itself afterwards', { timeout: 40_000 }, async () => {
  const code = `${load} g.randn([300, 300]).matmul(g.randn([300, 300])).sum().item().then(() => console.log('done'))`
  expect(await run(code)).toBe('done')
})

test.each(g.backendInfo().supportedIsas)('GALVANI_ISA=%s is what runs', { timeout: 40_000 }, async (isa) => {
  expect(
    await run(`${load} console.log(g.backendInfo().isa, g.tensor([1, 2]).exp().sum().itemSync() > 10)`, {
      GALVANI_ISA: isa,
    }),
  ).toBe(`${isa} true`)
})

test('an unknown GALVANI_ISA is an error, not a fallback', { timeout: 40_000 }, async () => {
  await expect(run(`${load} g.backendInfo()`, { GALVANI_ISA: 'avx1024' })).rejects.toThrow(/avx1024/)
})

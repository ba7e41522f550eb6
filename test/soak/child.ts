/** What a service does for weeks: each case is some rounds of one kind of work, after which nothing may be left. */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import * as g from '../../lib/index.ts'
import { encodeProgram } from '../../lib/program/encode.ts'
import { tryCases } from '../fuzz/child.ts'
import { Random } from '../fuzz/random.ts'
import { numbering, update } from '../support/addon.ts'
import { growthOf } from './usage.ts'

process.on('warning', () => {})

const model = (random: Random, width = 1 + random.below(64)) =>
  g.nn.sequential(g.nn.linear(8, width), g.nn.relu(), g.nn.linear(width, 3))

const rows = (count: number) =>
  g.data.fromTensors(g.randn([count, 8]), g.tensor(Int32Array.from({ length: count }, (_, i) => i % 3)))

/** Compiled steps, whose results some ask for and some do not, at once and after another. */
function steps(random: Random) {
  const [learner, optimizer] = [model(random), g.optim.adam()]
  const step = g.compile((x: g.Tensor, y: g.Tensor) =>
    optimizer.minimize(() => g.losses.crossEntropy(learner.forward(x), y)),
  )
  const [x, y] = [g.randn([16, 8]), g.zeros([16], { dtype: 'int32' })]
  return async () => {
    for (let i = 0; i < 200; i++) {
      step.sync(x, y)
      await (await step(x, y)).item()
      await Promise.all([step(x, y), step(x, y)])
    }
  }
}

/** Models that come, are trained for a moment, and go; some are given up on in the middle. */
function fits(random: Random) {
  return async () => {
    for (let i = 0; i < 8; i++) {
      const abort = new AbortController()
      const signal = abort.signal
      const callbacks = { onBatchEnd: () => void (i % 4 === 3 && abort.abort()) }
      const training = g.fit(model(random), rows(64), {
        epochs: 3,
        loss: 'crossEntropy',
        optimizer: g.optim.adam(),
        signal,
        callbacks,
      })
      await training.catch((error) => {
        if (!signal.aborted) throw error
      })
    }
  }
}

/** Shapes and numbers that are others at each call. */
function shapes(random: Random) {
  const f = g.compile((x: g.Tensor, factor: number) => x.mul(factor).sum(0).exp())
  return async () => {
    for (let i = 0; i < 300; i++) {
      const x = g.ones([1 + random.below(500), 1 + random.below(8)])
      f.sync(x, 1).dataSync()
      await (await f(g.ones([3]), random.word() / 2 ** 32)).data()
      x.add(random.word()).matmul(x.transpose()).sum().itemSync()
    }
  }
}

const addonFile =
  process.env.GALVANI_ADDON ?? fileURLToPath(new URL('../../build/Release/galvani.node', import.meta.url))
const workerCode = `
  const { parentPort, workerData } = require('node:worker_threads')
  const addon = require(workerData.file)
  addon.configure()
  const handle = addon.prepare(workerData.words, new Uint8Array(0))
  const state = new Float32Array(workerData.size).fill(1)
  const run = () => addon.runAsync(handle, [Float32Array.of(0.5), state, state], run)
  run()
  parentPort.postMessage('started')`

/** Workers that are ended in the middle of their work. */
function workers() {
  const size = 100_000
  const { words } = encodeProgram(update(size), numbering)
  return async () => {
    for (let i = 0; i < 6; i++) {
      const worker = new Worker(workerCode, { eval: true, execArgv: [], workerData: { file: addonFile, words, size } })
      await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject))
      await worker.terminate()
    }
  }
}

/** By the number of the case. */
const works: readonly (readonly [name: string, make: (random: Random) => () => void | Promise<void>])[] = [
  ['steps', steps],
  ['fits', fits],
  ['shapes', shapes],
  ['workers', workers],
]

/** The longest delay of the event loop beside the beginning, the steps and the end of a fit. */
async function longestDelay(random: Random): Promise<number> {
  const width = 256 << random.below(3)
  const learner = g.nn.sequential(g.nn.linear(784, width), g.nn.relu(), g.nn.linear(width, 10))
  const labels = g.tensor(Int32Array.from({ length: 4096 }, (_, i) => i % 10))
  const data = g.data.fromTensors(g.randn([4096, 784]), labels)
  const delay = monitorEventLoopDelay({ resolution: 1 })
  delay.enable()
  await new Promise((resolve) => setTimeout(resolve, 20))
  await g.fit(learner, data, { batchSize: 256, loss: 'crossEntropy', optimizer: g.optim.adam() })
  await new Promise((resolve) => setTimeout(resolve, 20))
  delay.disable()
  return delay.max / 1e6
}

/** Nobody's machine is so busy. */
const longestAllowed = 2000

await tryCases(async (seed, number) => {
  const random = new Random(seed, number)
  g.setSeed(random.word())
  const work = works[number % (works.length + 1)]
  if (work === undefined) {
    const delay = await longestDelay(random)
    if (delay > longestAllowed) throw new Error(`fit kept the event loop for ${delay.toFixed(0)} ms`)
    return `fit beside the event loop, ${delay <= 50 ? 'never more than 50 ms' : 'once more than 50 ms'} late`
  }
  const [name, make] = work
  const growth = await growthOf(make(random))
  if (growth !== undefined) throw new Error(`${name} leave memory behind, round by round: ${growth}`)
  return name
})

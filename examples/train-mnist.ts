// Trains a multilayer perceptron on MNIST or Fashion-MNIST and reports on it: `npm start`, `npm start -- --help`.

import { monitorEventLoopDelay } from 'node:perf_hooks'
import * as g from '../lib/index.ts'
import { isProgram, parseOptions } from './support/options.ts'
import { createReport, formatPercent, printTable } from './support/report.ts'

const loaders = { mnist: g.datasets.mnist, 'fashion-mnist': g.datasets.fashionMnist }

/** Pixels from 0 to 1; they stay uint8 until the compiled step casts them. */
const scaled = ({ images, labels }: { images: g.Tensor; labels: g.Tensor }) =>
  g.data.fromTensors(images, labels).map((x, y) => [x.cast('float32').div(255), y])

export const createModel = () =>
  g.nn.sequential(
    g.nn.flatten(),
    g.nn.linear(784, 256),
    g.nn.relu(),
    g.nn.linear(256, 128),
    g.nn.relu(),
    g.nn.linear(128, 10),
  )

async function main(): Promise<void> {
  const { data, dir, epochs, batchSize, learningRate, seed, threads, backend } = parseOptions()
  if (backend) g.setBackend(backend)
  if (threads) g.setNumThreads(threads)
  g.setSeed(seed)
  const { train, test } = await loaders[data]({ dir })
  const model = createModel()

  const interrupt = new AbortController()
  process.once('SIGINT', () => {
    process.exitCode = 130
    interrupt.abort()
  })
  const report = createReport(epochs)
  const delay = monitorEventLoopDelay({ resolution: 1 })
  delay.enable()
  try {
    const history = await g.fit(model, scaled(train), {
      epochs,
      batchSize,
      loss: g.losses.crossEntropy,
      optimizer: g.optim.adam({ learningRate }),
      metrics: ['accuracy'],
      validation: scaled(test),
      seed,
      signal: interrupt.signal,
      callbacks: report.callbacks,
    })
    delay.disable()
    summarize(history, delay.percentile(99) / 1e6)
  } catch (error) {
    if (!interrupt.signal.aborted) throw error
  } finally {
    report.close()
  }
}

function summarize({ epochs }: g.History, delay: number): void {
  const { backend, isa, threads } = g.backendInfo()
  const seconds = epochs.reduce((sum, epoch) => sum + epoch.seconds, 0) / epochs.length
  printTable([
    ['test accuracy', formatPercent(epochs.at(-1)?.validation?.accuracy)],
    ['seconds per epoch', seconds.toFixed(2)],
    ['backend', `${backend} (${isa}, ${threads === 1 ? '1 thread' : `${threads} threads`})`],
    ['event-loop delay p99', `${delay.toFixed(1)} ms (of a timer that fires every 1 ms)`],
  ])
}

if (isProgram(import.meta.url))
  main().catch((error: unknown) => {
    if (!(error instanceof g.DatasetNotFoundError || error instanceof g.DataFormatError)) throw error
    console.error(error.message)
    process.exitCode = 1
  })

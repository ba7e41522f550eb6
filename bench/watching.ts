/** What recording a training costs: epochs of Fashion-MNIST without it, with its numbers, and with all there is, in turn. */
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createHistogram, monitorEventLoopDelay } from 'node:perf_hooks'
import { board, recordRun } from '../lib/board/index.ts'
import type { ObserveOptions } from '../lib/events/observe.ts'
import * as g from '../lib/index.ts'
import { tensorBoard } from '../lib/tensorboard/index.ts'
import { printTable } from './harness.ts'

const rounds = Number(process.env.ROUNDS ?? 50)

const everything: ObserveOptions = {
  ...{
    histograms: 'epoch',
    images: 8,
    imageShape: [28, 28],
    confusion: true,
    examples: 16,
    graph: true,
    program: true,
  },
  text: 'summary',
}

/** Callbacks for a folder of their own. */
const variants: Record<string, (folder: string) => g.Callbacks[]> = {
  nothing: () => [],
  scalars: (folder) => [recordRun(folder)],
  everything: (folder) => [recordRun(folder, everything)],
  'scalars, TensorBoard': (folder) => [tensorBoard(folder)],
  'everything, TensorBoard': (folder) => [tensorBoard(folder, everything)],
  'everything, with its page': (folder) => [board({ folder, name: 'run', port: 0, onOpen: () => {}, ...everything })],
  'nothing, again': () => [],
}

type Data = Awaited<ReturnType<typeof loadData>>

async function loadData() {
  const { train, test } = await g.datasets.fashionMnist()
  const flat = ({ images, labels }: typeof train) =>
    g.data.fromTensors(images, labels).map((x, y) => [x.cast('float32').div(255).reshape([-1, 784]), y])
  return { train: flat(train), test: flat(test) }
}

/** A training that is asked for an epoch at a time, and how long each took. */
class Training {
  readonly #events: AsyncGenerator<g.TrainEvent, unknown, void>
  readonly times: number[] = []
  readonly processor: number[] = []
  readonly delays = createHistogram()

  constructor({ train, test }: Data, callbacks: g.Callbacks[]) {
    g.setSeed(1)
    const layers = [g.nn.linear(784, 256), g.nn.relu(), g.nn.linear(256, 128), g.nn.relu(), g.nn.linear(128, 10)]
    this.#events = g.train(g.nn.sequential(...layers), train, {
      ...{ epochs: rounds + 1, batchSize: 128, loss: 'crossEntropy', metrics: ['accuracy'], seed: 1 },
      ...{ optimizer: g.optim.adam(), validation: test, callbacks },
    })
  }

  async epoch(): Promise<void> {
    const delay = monitorEventLoopDelay({ resolution: 1 })
    delay.enable()
    const [start, used] = [performance.now(), process.cpuUsage()]
    for (;;) {
      const { value, done } = await this.#events.next()
      if (done || (value as g.TrainEvent).type === 'epochEnd') break
    }
    const { user, system } = process.cpuUsage(used)
    this.times.push(performance.now() - start)
    this.processor.push((user + system) / 1000)
    delay.disable()
    this.delays.record(Math.max(1, Math.round(delay.percentile(99))))
  }

  async end(): Promise<void> {
    for await (const _ of this.#events);
  }
}

const quantile = (numbers: readonly number[], part: number): number =>
  numbers.toSorted((a, b) => a - b)[Math.floor(part * (numbers.length - 1))]!

export async function benchWatching(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'galvani-watching-'))
  try {
    const data = await loadData()
    const trainings = Object.entries(variants).map(
      ([name, callbacks]) => [name, new Training(data, callbacks(join(folder, name)))] as const,
    )
    // The first epochs have what is made once: programs, the graph, the profile.
    for (let round = 0; round <= rounds; round++) for (const [, training] of trainings) await training.epoch()
    for (const [, training] of trainings) await training.end()
    const base = trainings[0]![1]
    const rows = trainings.map(([name, { times, processor, delays }]) => {
      const [later, first] = [times.slice(1), times[0]!]
      // Of neighbours in time, so that what else the machine does cancels out.
      const ratios = later.map((ms, i) => ms / base.times[i + 1]!)
      const cpu = quantile(processor.slice(1), 0.1) / quantile(base.processor.slice(1), 0.1)
      const [median, least] = [quantile(later, 0.5), quantile(later, 0.1)]
      const wall = { 'first ms': first, 'median ms': median, 'tenth ms': least }
      const ratio = {
        ratio: quantile(ratios, 0.5),
        'of tenths': least / quantile(base.times.slice(1), 0.1),
        'of cpu': cpu,
      }
      return { recorded: name, ...wall, ...ratio, 'delay p99 ms': delays.percentile(50) / 1e6 }
    })
    printTable(`an epoch of Fashion-MNIST and its validation, the median of ${rounds} in turn; ratios to nothing`, rows)
    const size = async (name: string) => (await stat(join(folder, name, 'events.jsonl'))).size / 2 ** 10
    console.log(
      `a file has ${(await size('scalars')).toFixed(0)} KiB of scalars, ${(await size('everything')).toFixed(0)} KiB of everything`,
    )
  } finally {
    await rm(folder, { recursive: true })
  }
}

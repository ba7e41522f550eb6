/** Training steps of the MLP 784-256-128-10 with Adam on resident data: forward, loss, backward, update. */
import * as g from '../lib/index.ts'
import { medianMicroseconds, printTable } from './harness.ts'
import { measureMachine } from './machine.ts'

/** One step of the MLP on rows of its own. */
export function trainingStep(batch: number, around: (optimizer: g.optim.Optimizer) => g.optim.Optimizer = (x) => x) {
  g.setSeed(1)
  const model = g.nn.sequential(
    g.nn.linear(784, 256),
    g.nn.relu(),
    g.nn.linear(256, 128),
    g.nn.relu(),
    g.nn.linear(128, 10),
  )
  const optimizer = around(g.optim.adam({ learningRate: 0.001 }))
  const [x] = g.evaluateSync(g.uniform([batch, 784]))
  const labels = g.tensor(Int32Array.from({ length: batch }, (_, i) => i % 10))
  const step = g.compile((x: g.Tensor, y: g.Tensor) =>
    optimizer.minimize(() => g.losses.crossEntropy(model.forward(x), y)),
  )
  return { sync: () => step.sync(x!, labels), async: () => step(x!, labels) }
}

export async function benchTrain(): Promise<void> {
  const rows = []
  for (const batch of [32, 128, 1024]) {
    for (const threads of [1, 2]) {
      g.setNumThreads(threads)
      const step = trainingStep(batch)
      const µs = await medianMicroseconds(step.sync, 1000)
      rows.push({ batch, threads, µs, 'µs async': await medianMicroseconds(step.async, 1000), 'steps/s': 1e6 / µs })
    }
  }
  printTable('a step of the MLP 784-256-128-10 with Adam', rows)
  const { forkJoinNanoseconds, lineNanoseconds } = measureMachine()
  console.log(
    `between two threads: ${forkJoinNanoseconds} ns to hand over work and back, ${lineNanoseconds} ns more for a cache line of the other`,
  )
}

const around: Record<string, (optimizer: g.optim.Optimizer) => g.optim.Optimizer> = {
  'Adam alone': (optimizer) => optimizer,
  clipByGlobalNorm: (optimizer) => g.optim.chain(g.optim.clipByGlobalNorm(1), optimizer),
  clipByValue: (optimizer) => g.optim.chain(g.optim.clipByValue(1), optimizer),
  ema: (optimizer) => g.optim.ema(optimizer),
  'accumulate, of 4': (optimizer) => g.optim.accumulate(optimizer, 4),
  lossScale: (optimizer) => g.optim.lossScale(optimizer),
}

/** The time that one in twenty of the calls undercuts, in microseconds: what a busy neighbour does to the rest cancels out. */
export function quickest(calls: readonly (() => unknown)[], rounds: number): number[] {
  const times = calls.map((): number[] => [])
  for (let round = 0; round < rounds; round++)
    for (const [i, call] of calls.entries()) {
      call()
      const begin = performance.now()
      call()
      call()
      times[i]!.push((1000 * (performance.now() - begin)) / 2)
    }
  return times.map((each) => each.sort((a, b) => a - b)[Math.floor(each.length / 20)]!)
}

/** What stands around an optimizer, in turn with the optimizer alone. */
export async function benchAround(): Promise<void> {
  const rows = []
  for (const threads of [1, 2]) {
    g.setNumThreads(threads)
    const found = quickest(
      Object.values(around).map((each) => trainingStep(128, each).sync),
      400,
    )
    for (const [i, name] of Object.keys(around).entries())
      rows.push({ step: name, threads, µs: found[i]!, ratio: found[i]! / found[0]! })
  }
  printTable('a step of that MLP at batch 128 with what stands around Adam', rows)
}

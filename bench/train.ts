/** Training steps of the MLP 784-256-128-10 with Adam on resident data: forward, loss, backward, update. */
import * as g from '../lib/index.ts'
import { medianMicroseconds, printTable } from './harness.ts'

/** One step of the MLP on rows of its own. */
export function trainingStep(batch: number) {
  g.setSeed(1)
  const model = g.nn.sequential(
    g.nn.linear(784, 256),
    g.nn.relu(),
    g.nn.linear(256, 128),
    g.nn.relu(),
    g.nn.linear(128, 10),
  )
  const optimizer = g.optim.adam({ learningRate: 0.001 })
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
}

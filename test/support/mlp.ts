/** A training step of a small network from a fixed start, for tests of what surrounds it. */
import * as g from '../../lib/index.ts'

export function trainingStep(batch: number, widths: readonly [number, number, number] = [64, 32, 10]) {
  g.setSeed(7)
  const [inputs, hidden, outputs] = widths
  const model = g.nn.sequential(g.nn.linear(inputs, hidden), g.nn.relu(), g.nn.linear(hidden, outputs))
  const optimizer = g.optim.adam({ learningRate: 0.01 })
  const [x] = g.evaluateSync(g.randn([batch, inputs], { seed: 3 }))
  const y = g.tensor(Int32Array.from({ length: batch }, (_, i) => i % outputs))
  const step = g.compile((x: g.Tensor, y: g.Tensor) =>
    optimizer.minimize(() => g.losses.crossEntropy(model.forward(x), y)),
  )
  return {
    sync: () => step.sync(x!, y).itemSync(),
    async: () => step(x!, y),
    weights: () => model.parameters().map((parameter) => Array.from(parameter.dataSync())),
  }
}

/** The weights after some steps. */
export function trainedWeights(steps: number, batch = 128): number[][] {
  const step = trainingStep(batch, [256, 128, 10])
  for (let i = 0; i < steps; i++) step.sync()
  return step.weights()
}

/** Training steps whose matrix products are of float32 or of bf16, in turn. */
import { CharGpt } from '../examples/char-gpt.ts'
import * as g from '../lib/index.ts'
import { printTable } from './harness.ts'
import { quickest } from './train.ts'

type Forward = () => { readonly forward: () => g.Tensor; readonly labels: g.Tensor }

/** A step with Adam on rows of its own. */
export function step(make: Forward, precision: g.Precision): () => unknown {
  g.setSeed(1)
  const { forward, labels } = make()
  const optimizer = g.optim.adam({ learningRate: 0.001 })
  const compiled = g.compile(() =>
    optimizer.minimize(() => g.losses.crossEntropy(g.withPrecision(precision, forward), labels)),
  )
  return () => compiled.sync()
}

const classes = (shape: readonly number[], count: number) =>
  g.variable(g.randint(shape, 0, count), { trainable: false })

export function wideMlp() {
  const layers = [g.nn.linear(784, 1024), g.nn.relu(), g.nn.linear(1024, 1024), g.nn.relu(), g.nn.linear(1024, 10)]
  const model = g.nn.sequential(...layers)
  const x = g.variable(g.uniform([256, 784]), { trainable: false })
  return { forward: () => model.forward(x), labels: classes([256], 10) }
}

export function gpt() {
  const model = new CharGpt(96, { layers: 4, features: 128, context: 64 })
  const tokens = classes([16, 64], 96)
  return { forward: () => model.forward(tokens).reshape([16 * 64, 96]), labels: classes([16 * 64], 96) }
}

export async function benchPrecision(): Promise<void> {
  const models = { 'MLP 784-1024-1024-10, 256 rows': wideMlp, 'GPT of 4 layers of 128, 16 × 64 characters': gpt }
  const rows = []
  for (const [model, make] of Object.entries(models))
    for (const threads of [1, 2]) {
      g.setNumThreads(threads)
      const [float32, bf16] = quickest([step(make, 'float32'), step(make, 'bf16')], 150) as [number, number]
      rows.push({ model, threads, float32, bf16, ratio: bf16 / float32 })
    }
  printTable('µs of a step with Adam, of products of float32 and of bf16', rows)
}

/**
 * Writes runs with everything that `galvani/tensorboard` writes into a folder, and what they say as expected.json: for check.py, which reads them by
 * TensorBoard's own modules, and photograph.ts, which opens them in a browser.
 *
 * npx tsx tools/testing/tensorboard/write.ts FOLDER
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as g from '../../../lib/index.ts'
import { summaryWriter } from '../../../lib/tensorboard/index.ts'

const folder = process.argv[2]!
mkdirSync(folder, { recursive: true })
g.setSeed(7)

const expected: Record<string, unknown> = {}
const values = (x: g.Tensor) => x.array()
const steps = 20

for (const [name, learningRate] of [
  ['slow', 0.05],
  ['fast', 0.2],
] as const) {
  const writer = summaryWriter(join(folder, name))
  const scalars: number[] = []
  const weights: unknown[] = []
  writer.hparams({ learningRate, optimizer: name === 'fast' ? 'adam' : 'sgd', nesterov: true }, [
    'loss/validation',
    'accuracy',
  ])
  for (let step = 0; step < steps; step++) {
    const loss = Math.exp(-learningRate * step) + 0.02 * Math.sin(step)
    scalars.push(loss)
    writer.scalars(
      { 'loss/train': loss, 'loss/validation': 1.1 * loss, accuracy: 1 - loss / 2 },
      { step, time: 1.7e12 + step },
    )
    const weight = g
      .randn([64, 32])
      .mul(0.5 + step / 10)
      .add(step / 20)
    weights.push(await values(weight))
    writer.histogram('layers.0/weight', weight, { step, bins: 20 })
  }
  writer.histogram('with NaN', g.tensor([1, 2, Number.NaN, Infinity, 4]), { bins: 3 })
  const colors = g.uniform([3, 16, 24, 3])
  const digits = g.randint([10, 8, 8, 1], 0, 256).cast('uint8')
  writer.image('colors', colors, { step: 3 })
  writer.image('digits', digits, { step: 4, maxImages: 4 })
  writer.text('notes', `# Run ${name}\n\nLearning rate **${learningRate}**, <b>ü</b>`, { step: 1 })
  const labels = g.bernoulli([500], { probability: 0.4 })
  const predictions = g.clamp(labels.mul(0.3).add(g.uniform([500]).mul(0.7)), 0, 1)
  writer.prCurve('digit 7', labels, predictions, { step: 1, thresholds: 51 })
  const matrix = g.randn([60, 8])
  const classes = Array.from({ length: 60 }, (_, i) => i % 3)
  await writer.embedding(matrix.add(g.tensor(classes).reshape([60, 1]).mul(2)), {
    labels: { class: classes.map((i) => `class ${i}`), row: classes.map((_, i) => i) },
    images: g.uniform([60, 8, 8, 1]),
    name: 'rows',
  })
  await writer.embedding(matrix, { name: 'plain', labels: classes })
  const profile = g.inspect((x: g.Tensor) => x.matmul(x).relu().sum(), g.randn([64, 64]), { profile: true })
  await writer.trace(profile)
  const model = g.nn.sequential(g.nn.linear(784, 128), g.nn.relu(), g.nn.linear(128, 10))
  writer.graph(model, g.zeros([32, 784]))
  await writer.close()
  expected[name] = {
    scalars,
    weights,
    colors: await values(colors),
    digits: await values(digits),
    labels: await values(labels),
    predictions: await values(predictions),
    learningRate,
    graph: ['input', '0/weight', '0/bias', '2/weight', '2/bias', 'output'],
  }
}

writeFileSync(join(folder, 'expected.json'), JSON.stringify(expected))

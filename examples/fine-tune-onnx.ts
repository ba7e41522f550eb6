// Takes over a network from a file of ONNX, trains it on, and writes it again: it comes knowing digits as they are, and learns to read them
// lying on their side. Without a file of yours it makes one first: `npx tsx examples/fine-tune-onnx.ts`, `--help`.

import { existsSync } from 'node:fs'
import { Command } from 'commander'
import * as g from '../lib/index.ts'
import * as onnx from '../lib/onnx/index.ts'
import { count, isProgram, seed as seedOption } from './support/options.ts'

interface Options {
  dir?: string
  model: string
  out: string
  rows: number
  epochs: number
  seed: number
}

const command = new Command('npx tsx examples/fine-tune-onnx.ts')
  .description('Train an imported ONNX model on, and export it again.')
  .option('--dir <folder>', 'the folder of the IDX files of MNIST, gzipped or not')
  .option(
    '--model <path>',
    'what to begin with: it takes [n, 1, 28, 28], and gives logits of ten classes',
    'digits.onnx',
  )
  .option('--out <path>', 'where it is written in the end', 'lying-digits.onnx')
  .option('--rows <n>', 'how many images to train on, and a fourth as many to test on', count, 8000)
  .option('--epochs <n>', 'passes over them', count, 2)
  .option('--seed <n>', 'of all that is random', seedOption, 1)

const createCnn = () =>
  g.nn.sequential(
    g.nn.conv2d(1, 8, 3, { padding: 1 }),
    g.nn.batchNorm2d(8),
    g.nn.relu(),
    g.nn.maxPool2d(2),
    g.nn.conv2d(8, 16, 3, { padding: 1 }),
    g.nn.relu(),
    g.nn.maxPool2d(2),
    g.nn.flatten(),
    g.nn.dropout(0.2),
    g.nn.linear(16 * 49, 10),
  )

/** Images and labels as the network takes them, as they are or turned so that rows are columns. */
function digits(
  { images, labels }: { images: g.Tensor; labels: g.Tensor },
  rows: number,
  areTurned: boolean,
): g.Dataset {
  return g.data
    .fromTensors(images, labels)
    .slice(0, rows)
    .map((x, y) => {
      const pixels = x.cast('float32').div(255)
      return [(areTurned ? pixels.permute([0, 2, 1]) : pixels).expandDims(1), y]
    })
}

async function main({ dir, model: path, out, rows, epochs, seed }: Options): Promise<void> {
  g.setSeed(seed)
  const { train, test } = await g.datasets.mnist({ dir })
  const settings = { epochs, batchSize: 64, loss: 'crossEntropy', metrics: ['accuracy'], seed } as const
  if (!existsSync(path)) {
    const cnn = createCnn()
    await g.fit(cnn, digits(train, rows, false), { ...settings, optimizer: g.optim.adam({ learningRate: 2e-3 }) })
    await onnx.export(cnn, g.zeros([1, 1, 28, 28]), path, { outputNames: ['logits'] })
    console.log(`made ${path}`)
  }
  const model = await onnx.load(path)
  const lying = digits(test, rows / 4, true)
  const accuracyOf = async (m: onnx.OnnxModel) =>
    (await g.evaluate(m, lying, { loss: 'crossEntropy', metrics: ['accuracy'] })).accuracy ?? 0
  console.log(`${path}: ${Object.keys(model.namedParameters()).join(', ')}`)
  console.log(`of lying digits it knows ${percent(await accuracyOf(model))}`)
  await g.fit(model, digits(train, rows, true), {
    ...settings,
    optimizer: g.optim.adam({ learningRate: 1e-3 }),
  })
  console.log(`trained on, ${percent(await accuracyOf(model))}`)
  await onnx.export(model, g.zeros([1, 1, 28, 28]), out, { metadata: { trainedOn: 'lying digits' } })
  const again = await onnx.load(out)
  console.log(`${out}, read in again: ${percent(await accuracyOf(again))}, ${again.info.metadata.trainedOn}`)
}

const percent = (share: number): string => `${(100 * share).toFixed(1)}%`

if (isProgram(import.meta.url)) await main(command.parse().opts<Options>())

// Trains a convolutional network on Fashion-MNIST, with images that are flipped and shifted at random and a learning rate that goes up and
// down once, and shows what it takes for what: `npx tsx examples/fashion-cnn.ts`, `--help`.

import { Command } from 'commander'
import * as g from '../lib/index.ts'
import { tensorBoard } from '../lib/tensorboard/index.ts'
import { count, isProgram, seed as seedOption } from './support/options.ts'
import { createReport, formatPercent, printTable } from './support/report.ts'

interface Options {
  dir?: string
  epochs: number
  rows: number
  channels: number
  batchSize: number
  seed: number
  tensorboard?: string
}

const command = new Command('npx tsx examples/fashion-cnn.ts')
  .description('Train a convolutional network on Fashion-MNIST.')
  .option('--dir <folder>', 'the folder of its IDX files, gzipped or not')
  .option('--epochs <n>', 'passes over the training set', count, 15)
  .option('--rows <n>', 'how many images to train on, and a sixth as many to test on', count, 60_000)
  .option('--channels <n>', 'of the first convolution; the next ones have twice as many each', count, 32)
  .option('--batch-size <n>', 'images per step', count, 128)
  .option('--seed <n>', 'of all that is random', seedOption, 1)
  .option('--tensorboard <folder>', 'where the run is recorded for `tensorboard --logdir`')

const classes = ['T-shirt', 'trouser', 'pullover', 'dress', 'coat', 'sandal', 'shirt', 'sneaker', 'bag', 'boot']
const size = 28

/** The mean and the standard deviation of the pixels of the training set, from 0 to 1. */
const [mean, deviation] = [0.286, 0.353]

/** uint8[n, 28, 28] as [n, 1, 28, 28]. */
const ofOneChannel = (images: g.Tensor): g.Tensor => images.reshape([images.size / size ** 2, 1, size, size])

/** What TensorBoard shows beside loss and accuracy. */
const recorded = {
  histograms: 'epoch',
  graph: true,
  confusion: true,
  examples: 16,
  labels: classes,
  images: 8,
} as const

/** Pixels with mean 0 and variance 1. */
const standardized = (images: g.Tensor): g.Tensor => images.cast('float32').div(255).sub(mean).div(deviation)

/** Each image is shifted by at most a pixel, down or up, left or right, and half of them are turned the other way round. */
const augmented = g.nn.sequential(g.data.augment.randomCrop({ padding: 1 }), g.data.augment.randomHorizontalFlip())

const block = (from: number, to: number) =>
  g.nn.sequential(
    g.nn.conv2d(from, to, 3, { padding: 1, bias: false }),
    g.nn.batchNorm2d(to),
    g.nn.relu(),
    g.nn.maxPool2d(2),
  )

export const createModel = (channels: number) =>
  g.nn.sequential(
    block(1, channels),
    block(channels, 2 * channels),
    block(2 * channels, 4 * channels),
    g.nn.flatten(),
    g.nn.dropout(0.2),
    g.nn.linear(4 * channels * 9, classes.length),
  )

async function main({ dir, epochs, rows, channels, batchSize, seed, tensorboard }: Options): Promise<void> {
  g.setSeed(seed)
  const { train, test } = await g.datasets.fashionMnist({ dir })
  const trainData = g.data.fromTensors(train.images, train.labels).slice(0, rows)
  const testData = g.data
    .fromTensors(test.images, test.labels)
    .slice(0, Math.ceil(rows / 6))
    .map((x, y) => [standardized(ofOneChannel(x)), y])
  const model = createModel(channels)
  const steps = epochs * Math.ceil(trainData.size / batchSize)
  const report = createReport(epochs)
  const history = await g.fit(
    model,
    trainData.map((x, y) => [standardized(augmented.forward(ofOneChannel(x))), y]),
    {
      epochs,
      batchSize,
      loss: 'crossEntropy',
      optimizer: g.optim.adamw({ learningRate: g.schedules.oneCycle({ peak: 0.006, steps }) }),
      metrics: ['accuracy'],
      validation: testData,
      seed,
      callbacks: [report.callbacks, ...(tensorboard === undefined ? [] : [tensorBoard(tensorboard, recorded)])],
    },
  )
  report.close()
  const seconds = history.epochs.reduce((sum, epoch) => sum + epoch.seconds, 0) / epochs
  printTable([
    [
      'parameters',
      model
        .parameters()
        .reduce((sum, { size }) => sum + size, 0)
        .toString(),
    ],
    ['test accuracy', formatPercent(history.epochs.at(-1)?.validation?.accuracy)],
    ['seconds per epoch', seconds.toFixed(1)],
  ])
  printMatrix(await confusionOf(model, testData))
}

/** What is what for the model, of the data in batches. */
async function confusionOf(model: g.nn.Module, data: g.data.Dataset): Promise<number[][]> {
  const matrix = g.metrics.streaming.confusionMatrix()
  const predict = g.compile((x: g.Tensor) => model.forward(x))
  model.eval()
  for (let start = 0; start < data.size; start += 500) {
    const [x, y] = data.batch(g.arange(start, Math.min(data.size, start + 500), { dtype: 'int32' }))
    await matrix.update(await predict(x), y)
  }
  return matrix.result()
}

/** A row for each class of the labels, a column for each that was found. */
function printMatrix(matrix: number[][]): void {
  const cells = (row: readonly (string | number)[]) => row.map((x) => String(x).padStart(9)).join('')
  console.log(`\n${' '.repeat(9)}${cells(classes)}`)
  matrix.forEach((row, i) => {
    console.log(cells([classes[i]!, ...row]))
  })
}

if (isProgram(import.meta.url))
  main(command.parse().opts<Options>()).catch((error: unknown) => {
    if (!(error instanceof g.DatasetNotFoundError)) throw error
    console.error(error.message)
    process.exitCode = 1
  })

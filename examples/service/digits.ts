/** The model of the service: a small convolutional network, trained on MNIST at the first start and read from its file at all others. */
import { existsSync } from 'node:fs'
import * as g from '../../lib/index.ts'
import { type Predictor, predictor } from '../../lib/serve/index.ts'
import { createReport } from '../support/report.ts'

export const side = 28

/** Takes uint8[n, 784], pixels as they are drawn, and gives the logits of the ten digits. */
export class Digits extends g.nn.Module {
  private readonly layers = g.nn.sequential(
    // These two change images in training mode alone: people draw less evenly than MNIST's digits lie.
    g.data.augment.randomCrop({ padding: 1 }),
    g.data.augment.randomRotation(10),
    g.nn.conv2d(1, 8, 3, { padding: 1 }),
    g.nn.relu(),
    g.nn.maxPool2d(2),
    g.nn.conv2d(8, 16, 3, { padding: 1 }),
    g.nn.relu(),
    g.nn.maxPool2d(2),
    g.nn.flatten(),
    g.nn.linear(16 * (side / 4) ** 2, 10),
  )

  forward(pixels: g.Tensor): g.Tensor {
    return this.layers.forward(pixels.cast('float32').div(255).unflatten(1, [1, side, side]))
  }
}

/** Answers with the probabilities of the ten digits. */
export const predictorOf = (model: Digits): Promise<Predictor> =>
  predictor(model, {
    inputShape: [side ** 2],
    inputDtype: 'uint8',
    output: { softmax: true },
    maxBatch: 16,
    timeout: 2000,
  })

export interface FirstTraining {
  /** Images to learn from, and passes over them. */
  readonly rows: number
  readonly epochs: number
  readonly signal: AbortSignal
}

type Mnist = Awaited<ReturnType<typeof g.datasets.mnist>>

const rowsOf = ({ images, labels }: Mnist['train']) => g.data.fromTensors(images.flatten(1), labels)

/**
 * The model that a file holds; where there is no such file, one that is trained now and written to it.
 * @throws (rejects with) Error for a file of another model; the signal's reason
 */
export async function trainedDigits(path: string, mnist: Mnist, training: FirstTraining): Promise<Digits> {
  const model = new Digits()
  if (existsSync(path)) {
    model.loadStateDict(await g.load(path))
    console.log(`The model is that of ${path}`)
    return model
  }
  await train(model, mnist, training)
  await g.save(path, model)
  console.log(`The model is saved as ${path}`)
  return model
}

async function train(model: Digits, mnist: Mnist, { rows, epochs, signal }: FirstTraining): Promise<void> {
  console.log('There is no model yet: it is trained on MNIST')
  const data = rowsOf(mnist.train).slice(0, rows)
  const heldOut = rowsOf(mnist.test).slice(0, Math.ceil(rows / 6))
  const batchSize = 64
  const steps = epochs * Math.ceil(data.size / batchSize)
  const report = createReport(epochs)
  try {
    await g.fit(model, data, {
      epochs,
      batchSize,
      loss: 'crossEntropy',
      optimizer: g.optim.adam({ learningRate: g.schedules.oneCycle({ peak: 0.006, steps }) }),
      metrics: ['accuracy'],
      validation: heldOut,
      seed: 1,
      signal,
      callbacks: report.callbacks,
    })
  } finally {
    report.close()
  }
}

// Learns to draw digits: a variational autoencoder (D. Kingma & M. Welling: Auto-encoding variational Bayes, 2014), whose encoder says of an
// image where it lies among all images, about, and whose decoder draws what lies there: `npx tsx examples/vae.ts`, `--help`.

import { Command, Option } from 'commander'
import * as g from '../lib/index.ts'
import { count, isProgram, seed as seedOption } from './support/options.ts'

interface Options {
  data: 'mnist' | 'fashion-mnist'
  dir?: string
  epochs: number
  images: number
  latent: number
  seed: number
}

const command = new Command('npx tsx examples/vae.ts')
  .description('Train a variational autoencoder on MNIST or Fashion-MNIST, and have it draw.')
  .addOption(new Option('--data <name>', 'the data set').choices(['mnist', 'fashion-mnist']).default('mnist'))
  .option('--dir <folder>', 'the folder of its IDX files, gzipped or not')
  .option('--epochs <n>', 'passes over the images', count, 10)
  .option('--images <n>', 'how many images to learn from', count, 60_000)
  .option('--latent <n>', 'numbers that say where an image lies', count, 16)
  .option('--seed <n>', 'of all that is random', seedOption, 1)

const loaders = { mnist: g.datasets.mnist, 'fashion-mnist': g.datasets.fashionMnist }
const pixels = 784

/** What is drawn, as logits of pixels, and the normal distribution of where the image lies. */
interface Output {
  readonly [name: string]: g.Tensor
  readonly logits: g.Tensor
  readonly mean: g.Tensor
  readonly logVariance: g.Tensor
}

export class Autoencoder extends g.nn.Module<g.Tensor, Output> {
  readonly encoder: g.nn.Module
  readonly mean: g.nn.Linear
  readonly logVariance: g.nn.Linear
  readonly decoder: g.nn.Module

  constructor(latent: number) {
    super()
    this.encoder = g.nn.sequential(g.nn.linear(pixels, 400), g.nn.relu())
    this.mean = g.nn.linear(400, latent)
    this.logVariance = g.nn.linear(400, latent)
    this.decoder = g.nn.sequential(g.nn.linear(latent, 400), g.nn.relu(), g.nn.linear(400, pixels))
  }

  forward(images: g.Tensor): Output {
    const hidden = this.encoder.forward(images)
    const [mean, logVariance] = [this.mean.forward(hidden), this.logVariance.forward(hidden)]
    // A gradient goes through the mean and the deviation, not through what is random.
    const place = this.training ? mean.add(logVariance.mul(0.5).exp().mul(g.randn(mean.shape))) : mean
    return { logits: this.decoder.forward(place), mean, logVariance }
  }
}

/** Nats for each image: to draw it, and to say where it lies beyond what is known of all (eq. 7, and appendix B). */
function evidence({ logits, mean, logVariance }: Output, images: g.Tensor): g.Tensor {
  const drawing = g.losses.binaryCrossEntropy(logits, images).mul(pixels)
  const place = mean.square().add(logVariance.exp()).sub(logVariance).sub(1).mul(0.5).sum(1).mean()
  return drawing.add(place)
}

/** Images beside each other, in characters that are the darker the more ink there is. */
function printImages(images: Float32Array, columns: number): void {
  const shades = ' .:-=+*#%@'
  for (let row = 0; row < 28; row += 2) {
    const line = Array.from({ length: columns * 28 }, (_, i) => {
      const place = Math.floor(i / 28) * pixels + row * 28 + (i % 28)
      const ink = (images[place]! + images[place + 28]!) / 2
      return shades[Math.min(9, Math.floor(ink * 10))]!
    })
    console.log(line.join(''))
  }
}

async function main({ data, dir, epochs, images, latent, seed }: Options): Promise<void> {
  g.setSeed(seed)
  const { train, test } = await loaders[data]({ ...(dir !== undefined && { dir }) })
  const rowsOf = (set: g.Tensor) => set.reshape([-1, pixels]).cast('float32').div(255)
  const learned = rowsOf(train.images.slice(0, Math.min(images, train.images.shape[0]!)))
  const held = rowsOf(test.images)
  const model = new Autoencoder(latent)
  console.log(model.summary([128, pixels]))
  await g.fit(model, g.data.fromTensors(learned, learned), {
    epochs,
    batchSize: 128,
    loss: evidence,
    optimizer: g.optim.adam({ learningRate: 1e-3 }),
    validation: g.data.fromTensors(held, held),
    seed,
    callbacks: {
      onEpochEnd: ({ epoch, loss, validation, seconds }) =>
        console.log(
          `epoch ${epoch + 1}: ${loss.toFixed(1)} nats, ${validation!.loss.toFixed(1)} of images that it has not seen, ${seconds.toFixed(1)} s`,
        ),
    },
  })
  const drawn = model.decoder.forward(g.randn([5, latent])).sigmoid()
  printImages((await drawn.data()) as Float32Array, 5)
}

if (isProgram(import.meta.url)) await main(command.parse().opts<Options>())

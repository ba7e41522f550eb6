/** A perceptron that learns made-up digits, always from the same start. */
import { createHash } from 'node:crypto'
import '../../../lib/operations/methods.ts'
import { crossEntropy } from '../../../lib/losses/index.ts'
import { type Sequential, sequential } from '../../../lib/nn/containers.ts'
import { flatten, relu } from '../../../lib/nn/layers.ts'
import { linear } from '../../../lib/nn/linear.ts'
import { adam } from '../../../lib/optim/adam.ts'
import { tensor } from '../../../lib/tensor/creation.ts'
import { uniform } from '../../../lib/tensor/random.ts'
import type { Tensor } from '../../../lib/tensor/tensor.ts'
import { type Compiled, compile } from '../../../lib/transforms/compile.ts'

export interface Training {
  readonly model: Sequential
  readonly step: Compiled<[Tensor, Tensor], Tensor>
  readonly images: Tensor
  readonly labels: Tensor
}

/** `widths`: 784-256-128-10, unless given. */
export function training(batch = 128, widths: readonly number[] = [784, 256, 128, 10]): Training {
  const layers = widths.slice(1).flatMap((width, i) => [linear(widths[i]!, width, { seed: i + 1 }), relu()])
  const model = sequential(flatten(), ...layers.slice(0, -1))
  const optimizer = adam()
  const step = compile((x: Tensor, y: Tensor) =>
    optimizer.minimize(() => crossEntropy(model.forward(x.cast('float32').div(255)), y)),
  )
  const images = uniform([batch, widths[0]!], { seed: 7, max: 256 }).cast('uint8')
  const labels = Int32Array.from({ length: batch }, (_, i) => (i * 7) % widths.at(-1)!)
  return { model, step, images: tensor(images.dataSync(), { shape: images.shape }), labels: tensor(labels) }
}

/** Stands for every bit of the parameters. */
export function digest({ model }: Training): string {
  const hash = createHash('sha256')
  for (const parameter of model.parameters()) hash.update(parameter.dataSync())
  return hash.digest('hex')
}

export function trainSync(steps: number, batch?: number, widths?: readonly number[]): string {
  const run = training(batch, widths)
  for (let i = 0; i < steps; i++) run.step.sync(run.images, run.labels)
  return digest(run)
}

export async function trainAsync(steps: number, batch?: number, widths?: readonly number[]): Promise<string> {
  const run = training(batch, widths)
  for (let i = 0; i < steps; i++) await run.step(run.images, run.labels)
  return digest(run)
}

/** What is measured: kernels, and steps of training of small models. */
import * as losses from '../../losses/index.ts'
import * as nn from '../../nn/index.ts'
import { conv2d } from '../../operations/convolution.ts'
import { adam } from '../../optim/adam.ts'
import { tensor } from '../../tensor/creation.ts'
import { randn } from '../../tensor/random.ts'
import type { Tensor } from '../../tensor/tensor.ts'

export interface Workload {
  readonly kind: 'kernel' | 'training step'
  readonly title: string
  readonly inputs: readonly Tensor[]
  readonly run: (...inputs: Tensor[]) => Tensor | Promise<Tensor>
}

const kernel = (
  title: string,
  shapes: readonly (readonly number[])[],
  run: (...inputs: Tensor[]) => Tensor,
): Workload => ({
  kind: 'kernel',
  title,
  inputs: shapes.map((shape, i) => randn([...shape], { seed: i })),
  run,
})

const product = (m: number, k: number, n: number) =>
  kernel(
    `matmul [${m}, ${k}] × [${k}, ${n}]`,
    [
      [m, k],
      [k, n],
    ],
    (a, b) => a!.matmul(b!),
  )

/** A step of Adam on classes, of whatever model. */
function step(title: string, model: nn.Module, shape: readonly number[], classes: number): Workload {
  const optimizer = adam({ learningRate: 1e-3 })
  const labels = tensor(Int32Array.from({ length: shape[0]! }, (_, i) => i % classes))
  return {
    kind: 'training step',
    title,
    inputs: [randn([...shape], { seed: 1 }), labels],
    run: (x, y) => optimizer.minimize(() => losses.crossEntropy(model.forward(x!), y!), model.parameters()),
  }
}

const mlp = () => nn.sequential(nn.linear(784, 128), nn.relu(), nn.linear(128, 10))

const cnn = () =>
  nn.sequential(
    nn.conv2d(1, 16, 3),
    nn.relu(),
    nn.maxPool2d(2),
    nn.conv2d(16, 32, 3),
    nn.relu(),
    nn.maxPool2d(2),
    nn.flatten(),
    nn.linear(800, 10),
  )

export const workloads = (): readonly Workload[] => [
  product(1024, 1024, 1024),
  product(256, 256, 256),
  product(128, 784, 128),
  product(1, 784, 128),
  kernel(
    'conv2d [16, 16, 28, 28], 32 of 3 × 3',
    [
      [16, 16, 28, 28],
      [32, 16, 3, 3],
    ],
    (x, weight) => conv2d(x!, weight!),
  ),
  kernel('add of 1,000,000', [[1e6], [1e6]], (x, y) => x!.add(y!)),
  kernel('exp of 1,000,000', [[1e6]], (x) => x!.exp()),
  kernel('sum of 1,000,000', [[1e6]], (x) => x!.sum()),
  kernel('softmax of [1,000, 1,000]', [[1000, 1000]], (x) => x!.softmax(-1)),
  step('784-128-10, batch 32', mlp(), [32, 784], 10),
  step('784-128-10, batch 256', mlp(), [256, 784], 10),
  step('two convolutions, batch 32', cnn(), [32, 1, 28, 28], 10),
]

import { readFileSync } from 'node:fs'
import { beforeEach, describe, expect, test } from 'vitest'
import * as g from '../../lib/index.ts'
import { expectClose } from '../support/close.ts'

/** Losses and final parameters by PyTorch in float64; make_fixtures.py says what is trained. */
const golden = JSON.parse(readFileSync(new URL('../fixtures/golden-training.json', import.meta.url), 'utf8'))
const { sizes, rows, batchSize, steps } = golden as { sizes: number[]; rows: number; batchSize: number; steps: number }

type DType = 'float32' | 'float64'

const matrix = (count: number, width: number, element: (i: number, j: number) => number) =>
  Array.from({ length: count }, (_, i) => Array.from({ length: width }, (_, j) => element(i, j)))

function createModel(dtype: DType) {
  const layers = sizes.slice(1).map((out, layer) => {
    const linear = g.nn.linear(sizes[layer]!, out, { dtype })
    const weight = matrix(sizes[layer]!, out, (i, j) => 0.5 * Math.sin(1 + 7 * i + 3 * j + i * j + 11 * layer))
    linear.weight.assign(g.tensor(weight, { dtype }).transpose())
    linear.bias!.assign(
      g.tensor(
        Array.from({ length: out }, (_, j) => 0.1 * Math.cos(j + layer)),
        { dtype },
      ),
    )
    return linear
  })
  return g.nn.sequential(layers[0]!, g.nn.relu(), layers[1]!, g.nn.relu(), layers[2]!)
}

const inputs = (dtype: DType) =>
  g.tensor(
    matrix(rows, sizes[0]!, (n, k) => Math.cos(0.7 * n * (k + 1) + k)),
    { dtype },
  )
const labels = () => g.tensor(Int32Array.from({ length: rows }, (_, n) => (3 * n + Math.floor(n / 4)) % sizes.at(-1)!))

const optimizers = {
  adam: () => g.optim.adam({ learningRate: golden.adam.learningRate }),
  sgd: () => g.optim.sgd({ learningRate: golden.sgd.learningRate }),
  momentum: () => g.optim.sgd({ learningRate: golden.momentum.learningRate, momentum: golden.momentum.momentum }),
}

/** Takes step s on its rows; gives the loss before the update. */
type Trainer = (model: g.nn.Module, optimizer: g.optim.Optimizer) => (x: g.Tensor, y: g.Tensor) => Promise<g.Tensor>

const trainers: Record<string, Trainer> = {
  minimize: (model, optimizer) => async (x, y) => optimizer.minimize(() => g.losses.crossEntropy(model.forward(x), y)),
  minimizeAsync: (model, optimizer) => (x, y) =>
    optimizer.minimizeAsync(() => g.losses.crossEntropy(model.forward(x), y), model.parameters()),
  compile: (model, optimizer) =>
    g.compile((x: g.Tensor, y: g.Tensor) => optimizer.minimize(() => g.losses.crossEntropy(model.forward(x), y))),
  'compile(…).sync': (model, optimizer) => {
    const step = g.compile((x: g.Tensor, y: g.Tensor) =>
      optimizer.minimize(() => g.losses.crossEntropy(model.forward(x), y)),
    )
    return async (x, y) => step.sync(x, y)
  },
}

async function lossCurve(
  trainer: Trainer,
  model: g.nn.Module,
  optimizer: g.optim.Optimizer,
  dtype: DType,
): Promise<number[]> {
  const [x, y] = [inputs(dtype), labels()]
  const step = trainer(model, optimizer)
  const losses: number[] = []
  for (let s = 0; s < steps; s++) {
    const first = (s * batchSize) % rows
    losses.push(await (await step(x.slice(first, first + batchSize), y.slice(first, first + batchSize))).item())
  }
  return losses
}

function expectFinal(model: g.nn.Module, dtype: DType, name: keyof typeof optimizers, tolerance: number): void {
  expectClose(g.losses.crossEntropy(model.forward(inputs(dtype)), labels()), golden[name].finalLoss, tolerance)
  expectClose(
    model.parameters().map((parameter) => parameter.norm().itemSync()),
    golden[name].finalNorms,
    tolerance,
  )
}

const cases = (['native', 'reference'] as const).flatMap((backend) =>
  (
    [
      ['float32', 1e-5],
      ['float64', 1e-12],
    ] as const
  ).map(([dtype, tolerance]) => ({ backend, dtype, tolerance })),
)
const names = Object.keys(optimizers) as (keyof typeof optimizers)[]

describe.each(cases)('20 steps on $backend in $dtype follow PyTorch', ({ backend, dtype, tolerance }) => {
  beforeEach(() => g.setBackend(backend))

  describe.each(Object.entries(trainers))('by %s', (_, trainer) => {
    test.each(names)('%s', async (name) => {
      const model = createModel(dtype)
      expectClose(await lossCurve(trainer, model, optimizers[name](), dtype), golden[name].losses, tolerance)
      expectFinal(model, dtype, name, tolerance)
    })
  })

  test.each(names)('by fit: %s', async (name) => {
    const model = createModel(dtype)
    const { epochs } = await g.fit(model, g.data.fromTensors(inputs(dtype), labels()), {
      epochs: (steps * batchSize) / rows,
      batchSize,
      shuffle: false,
      loss: g.losses.crossEntropy,
      optimizer: optimizers[name](),
    })
    const stepsPerEpoch = rows / batchSize
    const means = epochs.map((_, epoch) => {
      const losses = golden[name].losses.slice(epoch * stepsPerEpoch, (epoch + 1) * stepsPerEpoch)
      return losses.reduce((sum: number, loss: number) => sum + loss, 0) / stepsPerEpoch
    })
    expect(means).toHaveLength(5)
    expectClose(
      epochs.map(({ loss }) => loss),
      means,
      tolerance,
    )
    expectFinal(model, dtype, name, tolerance)
  })
})

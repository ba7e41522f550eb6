import { beforeEach, describe, expect, test } from 'vitest'
import * as g from '../../lib/index.ts'
import { expectClose } from '../support/close.ts'
import { clouds, int32, options } from '../support/training.ts'

beforeEach(() => g.setSeed(1))

/** A model that gives its input times a weight, and one step of training it by the gradient alone. */
async function stepOf(data: unknown, change: Partial<g.FitOptions>) {
  const w = g.variable(
    [
      [1, 0],
      [0, 1],
    ],
    { name: 'w' },
  )
  const model = { forward: (x: g.Tensor) => x.matmul(w), parameters: () => [w] }
  const optimizer = g.optim.sgd({ learningRate: 1 })
  const { epochs } = await g.fit(model, data as g.Dataset, {
    batchSize: 100,
    loss: 'mse',
    optimizer,
    shuffle: false,
    ...change,
  })
  return { ...epochs[0]!, w: w.arraySync() as number[][] } as unknown as g.Scores & { w: number[][] }
}

const x = [
  [1, 2],
  [0.5, -1],
  [2, 0.3],
]
const y = [
  [0, 1],
  [1, 1],
  [-1, 0],
]
const labels = int32([0, 1, 1])

/** Rows as often as they weigh. */
const repeated = <T>(rows: T[], counts: number[]): T[] => rows.flatMap((row, i) => Array<T>(counts[i]!).fill(row))

describe('rows that weigh differently', () => {
  test('are as good as rows that come as often, in loss, gradient and metrics', async () => {
    const weights = g.tensor([1, 3, 2])
    const metrics = ['mae', 'mse'] as const
    const weighed = await stepOf(g.data.fromTensors(x, y, weights), { metrics })
    const often = await stepOf(g.data.fromTensors(repeated(x, [1, 3, 2]), repeated(y, [1, 3, 2])), { metrics })
    expectClose(weighed.w.flat(), often.w.flat(), 1e-5)
    for (const name of ['loss', 'mae', 'mse'] as const) expectClose(weighed[name]!, often[name]!, 1e-5)
  })

  test('over batches of other sizes the mean is that of all rows', async () => {
    const data = g.data.fromTensors(x, y, g.tensor([1, 0, 2]))
    const frozen = { optimizer: g.optim.sgd({ learningRate: 0 }) }
    const whole = await stepOf(data, frozen)
    const parts = await stepOf(data, { ...frozen, batchSize: 2 })
    expectClose(parts.loss, whole.loss, 1e-6)
    expectClose((await stepOf(data, { ...frozen, batchSize: 1 })).loss, whole.loss, 1e-6)
  })

  test('a loss of your own gets the weights', async () => {
    const own = (p: g.Tensor, t: g.Tensor, weights: g.Tensor) =>
      p.sub(t).square().mean(1).mul(weights).sum().div(weights.sum())
    const data = g.data.fromTensors(x, y, g.tensor([1, 3, 2]))
    const a = await stepOf(data, { loss: own as never })
    expectClose(a.w.flat(), (await stepOf(data, {})).w.flat(), 1e-6)
  })

  test('classWeights are those of crossEntropy, as a list or by class', async () => {
    const data = g.data.fromTensors(x, labels)
    const weights = g.tensor([1, 5])
    const expected = await stepOf(data, {
      loss: (p: g.Tensor, t: g.Tensor) => g.losses.crossEntropy(p, t, { classWeights: weights }),
    })
    for (const classWeights of [[1, 5], { 1: 5 }, weights]) {
      const found = await stepOf(data, { loss: 'crossEntropy', classWeights })
      expectClose(found.w.flat(), expected.w.flat(), 1e-6)
      expectClose(found.loss, expected.loss, 1e-6)
    }
    // Both at once multiply.
    const both = await stepOf(g.data.fromTensors(x, labels, g.tensor([2, 1, 0])), {
      loss: 'crossEntropy',
      classWeights: { 1: 5 },
    })
    const times = await stepOf(g.data.fromTensors(x, labels, g.tensor([2, 5, 0])), { loss: 'crossEntropy' })
    expectClose(both.w.flat(), times.w.flat(), 1e-6)
  })

  test.each([
    [{ classWeights: [[1]] }, 'fit: expected classWeights of shape [classes], got rank 2'],
    [{ classWeights: { a: 1 } }, 'fit: expected classWeights by class, from 0 on, got "a"'],
    [{ classWeights: { 1: -1 } }, 'fit: expected finite classWeights of at least 0, got -1'],
    [{ classWeights: [1, -1, 1] }, 'fit: expected finite classWeights of at least 0, got -1'],
    [{ classWeights: [1, NaN, 1] }, 'fit: expected finite classWeights of at least 0, got NaN'],
    [{ lossWeights: { a: 1 } }, 'fit: expected losses by name for lossWeights, got a single loss'],
    [{ classWeights: [1, 2, 3], loss: 'mse' }, 'fit: expected classes as int32'],
  ])('%o', async (change, message) => {
    const data = 'loss' in change ? g.data.fromTensors(x, y) : clouds(9, 1)
    await expect(
      g.fit(g.nn.linear(2, 2 + Number(!('loss' in change))), data as g.Dataset, options(change as never)),
    ).rejects.toThrow(message)
  })
})

describe('losses by name', () => {
  class Two extends g.nn.Module<g.Tensor, { label: g.Tensor; box: g.Tensor }> {
    label = g.nn.linear(2, 3, { seed: 1 })
    box = g.nn.linear(2, 2, { seed: 2 })
    forward(x: g.Tensor) {
      return { label: this.label.forward(x), box: this.box.forward(x) }
    }
  }
  const data = () => g.data.fromTensors(g.tensor(x), { label: labels, box: g.tensor(y) })

  test('are those of the outputs, added by their weights, and reported by name', async () => {
    const run = async (loss: unknown, more: object = {}) => {
      const model = new Two()
      const optimizer = g.optim.sgd({ learningRate: 0.1 })
      const { epochs } = await g.fit(model, data(), {
        loss: loss as never,
        optimizer,
        epochs: 2,
        validation: data(),
        shuffle: false,
        ...more,
      })
      return { values: model.parameters().map((v) => v.arraySync()), epochs }
    }
    const named = await run({ label: 'crossEntropy', box: g.losses.meanSquaredError }, { lossWeights: { box: 0.25 } })
    const own = await run((p: Record<string, g.Tensor>, t: Record<string, g.Tensor>) =>
      g.losses.crossEntropy(p.label!, t.label!).add(g.losses.meanSquaredError(p.box!, t.box!).mul(0.25)),
    )
    expect(named.values).toEqual(own.values)
    const [first] = named.epochs
    expect(Object.keys(first!)).toEqual(['epoch', 'loss', 'loss.label', 'loss.box', 'seconds', 'validation'])
    expectClose(first!.loss, first!['loss.label']! + 0.25 * first!['loss.box']!, 1e-6)
    expectClose(first!.loss, own.epochs[0]!.loss, 1e-6)
    expect(first!.validation!['loss.box']).toBeGreaterThan(0)
  })

  test.each([
    [{ loss: {} }, 'fit: expected at least one loss, got none'],
    [{ loss: { label: 'nothing' } }, 'got nothing'],
    [{ loss: { label: 'crossEntropy' }, lossWeights: { box: 1 } }, 'fit: expected lossWeights of label, got box'],
    [
      { loss: { label: 'crossEntropy' }, classWeights: [1] },
      'fit: expected a single loss for classWeights, got losses by name',
    ],
    [
      { loss: { other: 'mse' } },
      'fit: expected a prediction with other for the losses and metrics of that name, got one with',
    ],
  ])('%o', async (change, message) => {
    const failure = g.fit(new Two(), data(), {
      optimizer: g.optim.sgd({ learningRate: 1 }),
      ...(change as { loss: never }),
    })
    await expect(failure).rejects.toThrow(message)
  })
})

test('metrics that are no means over rows are exact over batches, in training and validation, and gone on with', async () => {
  const auc = g.metrics.streaming.rootMeanSquaredError({ name: 'root' })
  const infos: g.BatchInfo[] = []
  const run = (batchSize: number) =>
    g.fit(g.nn.linear(2, 1), g.data.fromTensors(g.randn([10, 2], { seed: 1 }), g.randn([10, 1], { seed: 2 })), {
      ...options({
        loss: 'mse',
        metrics: ['rmse', auc, 'mse'],
        optimizer: g.optim.sgd({ learningRate: 0 }),
        batchSize,
      }),
      validation: g.data.fromTensors(g.randn([7, 2], { seed: 1 }), g.randn([7, 1], { seed: 2 })),
      callbacks: { onBatchEnd: (info) => infos.push(info) },
    })
  for (const batchSize of [3, 10]) {
    g.setSeed(1)
    const { epochs } = await run(batchSize)
    for (const scores of [epochs[0]!, epochs[0]!.validation!]) {
      expectClose(scores.rmse!, Math.sqrt(scores.loss), 1e-6)
      expect(scores.root).toBe(scores.rmse)
      expectClose(scores.mse!, scores.loss, 1e-6)
    }
  }
  expect(infos[0]).not.toHaveProperty('rmse')
})

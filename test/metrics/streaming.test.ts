/** Metrics over all data: how batches are added up, saved and merged. */
import { beforeEach, describe, expect, test } from 'vitest'
import * as g from '../../lib/index.ts'
import { streamingMetric } from '../../lib/train/names.ts'
import { backendNames } from '../support/backends.ts'
import { expectClose } from '../support/close.ts'

const { streaming, StreamingMetric } = g.metrics

/** Predictions and targets far from 0, where sums of squares would cancel. */
const prediction = g.randn([100, 3], { seed: 1 }).add(1e4)
const target = prediction.add(g.randn([100, 3], { seed: 2 }).mul(0.3))
const weights = g.uniform([100], { seed: 3 })
const cuts = [0, 33, 90, 91, 100]

type Metric = g.metrics.StreamingMetric<g.Tensor, g.Tensor, unknown>

async function inBatches(metric: Metric, w?: g.Tensor): Promise<unknown> {
  for (const [i, end] of cuts.slice(1).entries()) {
    const part = (x: g.Tensor) => x.slice(cuts[i]!, end)
    await metric.update(part(prediction), part(target), w === undefined ? {} : { weights: part(w) })
  }
  return metric.result()
}

describe.each(backendNames)('on the %s backend', (backend) => {
  beforeEach(() => g.setBackend(backend))

  test.each(['mse', 'mae', 'rmse', 'mape', 'r2', 'explainedVariance', 'cosineSimilarity', 'huber'] as const)(
    '%s of unequal batches is that of all rows',
    async (name) => {
      for (const w of [undefined, weights]) {
        // A mean per batch cannot be weighed row by row.
        if (name === 'huber' && w !== undefined) continue
        const [parts, whole] = [streamingMetric(name), streamingMetric(name)]
        await whole.update(prediction, target, w === undefined ? {} : { weights: w })
        expectClose((await inBatches(parts, w)) as number, (await whole.result()) as number, 2e-6)
      }
    },
  )

  test('a row of weight 2 counts as two, and one of weight 0 as none', async () => {
    const [x, y] = [g.tensor([1, 2, Number.NaN]), g.tensor([2, 4, 0])]
    for (const name of ['mse', 'mae', 'r2', 'explainedVariance'] as const) {
      const [weighed, repeated] = [streamingMetric(name), streamingMetric(name)]
      await weighed.update(x, y, { weights: [2, 1, 0] })
      await repeated.update([1, 1, 2], [2, 2, 4])
      expectClose((await weighed.result()) as number, (await repeated.result()) as number)
    }
  })

  test('steps of a compiled function, one by one or stacked', async () => {
    const [single, stacked] = [streaming.r2(), streaming.r2()]
    const step = g.compile((x: g.Tensor, y: g.Tensor) => single.batch(x, y))
    const rows = (x: g.Tensor) => x.slice(0, 96).reshape([8, 12, 3])
    for (let i = 0; i < 8; i++) single.add(await step(rows(prediction).gather(i), rows(target).gather(i)))
    stacked.add(await step.scan(rows(prediction), rows(target)), { steps: 8 })
    expect(stacked.state()).toEqual(single.state())
    expect(() => stacked.add({ sums: { error: g.ones([3, 3]) } }, { steps: 8 })).toThrow(g.ShapeError)
  })
})

describe('what a metric has seen', () => {
  test('is saved, loaded and merged as plain data', async () => {
    const [first, second, all] = [
      streaming.explainedVariance(),
      streaming.explainedVariance(),
      streaming.explainedVariance(),
    ]
    await first.update(prediction.slice(0, 40), target.slice(0, 40))
    await second.update(prediction.slice(40), target.slice(40))
    await inBatches(all)
    const loaded = streaming.explainedVariance()
    loaded.loadState(structuredClone(first.state()))
    expect(loaded.state()).toEqual(first.state())
    loaded.merge(second)
    expectClose((await loaded.result()) as number, (await all.result()) as number, 1e-6)
    expect(() => streaming.r2().loadState(first.state())).toThrow('loadState: expected a state of r2')
    expect(() => streaming.r2().merge(first)).toThrow('merge: expected a metric r2, got explainedVariance')
    expect(() => loaded.loadState({ ...first.state(), sums: { error: [1] } } as never)).toThrow(TypeError)
  })

  test('is nothing at first and after reset', async () => {
    const metric = streaming.meanSquaredError()
    await expect(metric.result()).rejects.toThrow('meanSquaredError: expected at least one batch before its result')
    const update = metric.update([1, 2], [1, 4])
    metric.reset()
    await update
    await expect(metric.result()).rejects.toThrow('at least one batch')
    metric.update([1, 2], [1, 3])
    expect(await metric.result()).toBe(0.5)
    expect(await metric.fresh().update([0], [3])).toBeUndefined()
    expect(await metric.result()).toBe(0.5)
  })

  test('stays as it is where a batch does not fit', async () => {
    const metric = streaming.meanSquaredError()
    await metric.update([[1, 2]], [[1, 3]])
    await expect(metric.update([[1]], [[1]])).rejects.toThrow(
      'meanSquaredError: expected error of 2 elements, as in the batches before, got 1',
    )
    await expect(metric.update([1, 2], [1])).rejects.toThrow('meanSquaredError: expected targets of shape [2], got [1]')
    await expect(metric.update([1, 2], [1, 1], { weights: [1] })).rejects.toThrow(
      'expected weights of the leading axes',
    )
    expect(await metric.result()).toBe(0.5)
  })
})

test('a metric of one’s own: sums, extremes, moments and rows', async () => {
  const metric = new StreamingMetric({
    name: 'own',
    batch: (x: g.Tensor, y: g.Tensor) => ({
      sums: { count: g.tensor(x.size, { dtype: 'int32' }) },
      max: { max: x.max() },
      min: { min: x.min() },
      moments: { x: streaming.moments(x) },
      rows: { y },
    }),
    compute: ({ sums, max, min, moments, rows }) => ({
      count: sums.count![0],
      max: max.max![0],
      min: min.min![0],
      mean: moments.x!.mean[0],
      squares: moments.x!.squares[0],
      rows: [...rows.y!.values],
    }),
  })
  await metric.update([1, 2, 3], [7, 8, 9])
  await metric.update([6], [10])
  expect(await metric.result()).toEqual({ count: 4, max: 6, min: 1, mean: 3, squares: 14, rows: [7, 8, 9, 10] })
})

test('several outputs', async () => {
  const metric = streaming.mean((x: { a: g.Tensor; b: g.Tensor }, y: g.Tensor) => x.a.add(x.b).sub(y).abs())
  await metric.update({ a: g.tensor([1, 2]), b: g.tensor([3, 4]) }, [4, 5])
  await metric.update({ a: g.tensor([1]), b: g.tensor([3]) }, [6])
  expect(await metric.result()).toBe(1)
  await expect(metric.update([1], [2])).rejects.toThrow()
})

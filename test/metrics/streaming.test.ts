/** Metrics over all data: how batches are added up, saved and merged. */
import { readFileSync } from 'node:fs'
import { beforeEach, describe, expect, test } from 'vitest'
import * as g from '../../lib/index.ts'
import { streamingByName, streamingMetric } from '../../lib/train/names.ts'
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

describe('classes', () => {
  const logits = g.randn([60, 3], { seed: 4 })
  const labels = g.randint([60], 0, 3, { seed: 5 })

  test.each(backendNames)('what a batch adds is exact and the same on every backend: %s', async (backend) => {
    g.setBackend(backend)
    const matrix = streaming.confusionMatrix()
    for (const [start, end] of [
      [0, 7],
      [7, 59],
      [59, 60],
    ] as const)
      await matrix.update(logits.slice(start, end), labels.slice(start, end))
    expect(await matrix.result()).toEqual(g.metrics.confusionMatrix(logits, labels).arraySync())
    const accuracy = streaming.accuracy()
    await accuracy.update(logits, labels)
    expect(accuracy.state().sums.cases).toEqual(Float64Array.of(60))
    expectClose(await accuracy.result(), g.metrics.accuracy(logits, labels).itemSync())
  })

  test('a label or prediction that is no class is a RangeError, and adds nothing', async () => {
    const { accuracy, confusionMatrix, precision, rocAuc, logLoss, topKAccuracy, perplexity } = streaming
    for (const make of [accuracy, confusionMatrix, precision, rocAuc, logLoss, topKAccuracy, perplexity])
      for (const wrong of [3, -1, 2 ** 30]) {
        const metric: Metric = make()
        await metric.update(logits, labels)
        const before = await metric.result()
        await expect(metric.update(logits.slice(0, 1), g.tensor(Int32Array.of(wrong)))).rejects.toThrow(RangeError)
        expect(await metric.result()).toEqual(before)
      }
    const matrix = confusionMatrix({ from: 'labels', classes: 3 })
    for (const wrong of [3, -1])
      await expect(matrix.update(g.tensor(Int32Array.of(wrong)), g.tensor(Int32Array.of(1)))).rejects.toThrow(
        RangeError,
      )
  })

  test('labels and options that do not fit', async () => {
    const metric = streaming.precision()
    await expect(metric.update(logits, labels.slice(1))).rejects.toThrow(
      'precision: expected labels of shape [60] (classes) or [60, 3] (rows), got [59]',
    )
    await expect(metric.update(logits, labels.cast('float32'))).rejects.toThrow(g.DTypeError)
    await expect(metric.update({ a: logits } as never, labels)).rejects.toThrow(
      'precision: expected a tensor as prediction and as target, got an object',
    )
    for (const ignoring of [
      streaming.iou({ task: 'multilabel', ignoreIndex: 0 }),
      streaming.rocAuc({ task: 'multilabel', ignoreIndex: 0 }),
      streaming.logLoss({ task: 'multiclass', ignoreIndex: 0 }),
      streaming.logLoss({ ignoreIndex: 0 }),
    ])
      await expect((ignoring as Metric).update(logits, labels.oneHot(3))).rejects.toThrow('with an ignoreIndex')
    expect(() => streaming.precision({ average: 'mean' as 'macro' })).toThrow("precision: expected average 'macro'")
    expect(() => streaming.precision({ threshold: 2 })).toThrow('precision: expected a threshold from 0 to 1, got 2')
    expect(() => streaming.rocAuc({ thresholds: 1 })).toThrow('rocAuc: expected an integer of thresholds')
    expect(() => streaming.confusionMatrix({ task: 'multilabel' })).toThrow(RangeError)
    expect(() => streaming.fBeta({ beta: -1 })).toThrow('fBeta: expected a finite beta of at least 0, got -1')
    expect(() => streaming.topKAccuracy({ k: 0 })).toThrow('topKAccuracy: expected a positive integer k, got 0')
  })

  test('classes along another axis, as images have them', async () => {
    const [first, last] = [streaming.iou({ axis: 1, average: 'none' }), streaming.iou({ average: 'none' })]
    const images = g.randn([2, 3, 4, 5], { seed: 6 })
    const truth = g.randint([2, 4, 5], 0, 3, { seed: 7 })
    await first.update(images, truth)
    await last.update(images.transpose([0, 2, 3, 1]), truth)
    expect(await first.result()).toEqual(await last.result())
    expect(await first.result()).toHaveLength(3)
  })

  test('tokens with padding', async () => {
    const tokens = g.tensor(
      [
        [0, 1, -1],
        [2, -1, -1],
      ],
      { dtype: 'int32' },
    )
    const scores = g.randn([2, 3, 3], { seed: 8 })
    const perplexity = streaming.perplexity({ ignoreIndex: -1 })
    await perplexity.update(scores, tokens, { weights: [1, 1] })
    const loss = g.losses.crossEntropy(scores, tokens, { ignoreIndex: -1 }).itemSync()
    expectClose(await perplexity.result(), Math.exp(loss))
  })
})

describe('areas under curves', () => {
  const size = 3000
  const bits = g.bernoulli([size], { probability: 0.3, seed: 9 })
  const scores = bits.add(g.randn([size], { seed: 10 }))

  test.each(['rocAuc', 'prAuc'] as const)(
    '%s: bins come near the exact area, and nearer the more there are',
    async (name) => {
      const areaOf = async (options: object) => {
        const metric = streaming[name](options)
        for (let i = 0; i < size; i += 700) await metric.update(scores.slice(i, i + 700), bits.slice(i, i + 700))
        return (await metric.result()) as number
      }
      const exact = await areaOf({})
      const [few, many] = [await areaOf({ thresholds: 20 }), await areaOf({ thresholds: 2000 })]
      expect(exact).toBeGreaterThan(0.5)
      expect(Math.abs(many - exact)).toBeLessThan(5e-4)
      expect(Math.abs(few - exact)).toBeLessThan(0.06)
      expect(Math.abs(few - exact)).toBeGreaterThan(Math.abs(many - exact))
    },
  )

  test('are NaN of scores that are NaN, but for those that do not count', async () => {
    for (const name of ['rocAuc', 'prAuc'] as const)
      for (const options of [{}, { thresholds: 8 }]) {
        const metric = streaming[name](options)
        await metric.update([1, 2, Number.NaN], [0, 1, 1], { weights: [1, 1, 0] })
        expect(await metric.result()).toBe(1)
        const more = streaming[name](options)
        await more.update([1, 2, Number.NaN], [0, 1, 1])
        expect(await more.result()).toBeNaN()
      }
  })

  test('do not hold up the event loop', async () => {
    const metric = streaming.rocAuc()
    const many = g.uniform([400_000], { seed: 11 })
    await metric.update(many, many.greater(0.5))
    let turns = 0
    const timer = setInterval(() => turns++, 1)
    expect(await metric.result()).toBe(1)
    clearInterval(timer)
    expect(turns).toBeGreaterThan(2)
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

describe('the table of docs/metrics.md', () => {
  const document = readFileSync(new URL('../../docs/metrics.md', import.meta.url), 'utf8')
  const rows = [...document.matchAll(/^\| (`[\w`, ]+`|) +\| `streaming\.(\w+)`/gm)].map(([, names, maker]) => ({
    names: [...names!.matchAll(/`(\w+)`/g)].map((match) => match[1]!),
    maker: maker as keyof typeof streaming,
  }))

  test('has all metrics, under the names that training knows', () => {
    const makers = Object.keys(streaming).filter((name) => name !== 'moments')
    expect(rows.map(({ maker }) => maker).sort()).toEqual(makers.sort())
    const names = rows.flatMap(({ names, maker }) => names.map((name) => [name, streaming[maker]] as const))
    expect(Object.fromEntries(names)).toEqual({ ...streamingByName, accuracy: streaming.accuracy })
  })
})

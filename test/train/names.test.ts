/** Losses and metrics by name, and the last batch. */
import { readFileSync } from 'node:fs'
import { beforeEach, describe, expect, test } from 'vitest'
import * as g from '../../lib/index.ts'
import { lossesByName, metricsByName } from '../../lib/train/names.ts'
import { backendNames } from '../support/backends.ts'

const document = readFileSync(new URL('../../docs/training.md', import.meta.url), 'utf8')

/** [names, function, as] of each row of the table. */
const rows = [...document.matchAll(/^\| (`.*?) +\| `(\w+)\.(\w+)`.*?\| (metric|both) +\|$/gm)].map(
  ([, names, family, name, as]) => ({
    names: [...names!.matchAll(/`(\w+)`/g)].map((match) => match[1]!),
    family: family as 'losses' | 'metrics',
    name: name!,
    as: as!,
  }),
)

type Functions = Record<string, (x: g.Tensor, y: g.Tensor) => g.Tensor>

const families = { losses: g.losses, metrics: g.metrics } as unknown as Record<'losses' | 'metrics', Functions>

describe('the table of docs/training.md', () => {
  test('has all names and no others', () => {
    expect(rows.flatMap(({ names }) => names).sort()).toEqual(Object.keys(metricsByName).sort())
    const both = rows.filter(({ as }) => as === 'both').flatMap(({ names }) => names)
    expect(both.sort()).toEqual(Object.keys(lossesByName).sort())
  })

  test.each(rows.flatMap(({ names, ...row }) => names.map((name) => [name, row] as const)))('%s', (name, row) => {
    const fn = families[row.family][row.name]!
    const x = g.randn([6, 7], { seed: 1 })
    const isOfClasses = /accuracy|topK|crossEntropy|nll|negative/.test(name) && name !== 'binaryAccuracy'
    const y = isOfClasses ? g.tensor(Int32Array.of(0, 1, 2, 3, 4, 5)) : g.uniform([6, 7], { seed: 2 })
    const named = metricsByName[name as keyof typeof metricsByName](x, y)
    expect(named.cast('float32').mean().itemSync()).toBeCloseTo(fn(x, y).itemSync(), 6)
    if (row.as === 'both') expect(Object.hasOwn(lossesByName, name)).toBe(true)
  })
})

describe.each(backendNames)('fit on the %s backend', (backend) => {
  beforeEach(() => {
    g.setSeed(1)
    g.setBackend(backend)
  })

  const data = (size: number) => {
    const x = g.randn([size, 2], { seed: 3 })
    return g.data.fromTensors(x, x.sum(1, { keepDims: true }))
  }
  const create = () => g.nn.linear(2, 1, { seed: 1 })
  const optimizer = () => g.optim.sgd({ learningRate: 0.1 })

  test('takes names for functions, and reports metrics under the names that were asked for', async () => {
    const [a, b] = [create(), create()]
    const named = await g.fit(a, data(10), {
      loss: 'mse',
      metrics: ['mae', 'meanSquaredError'],
      optimizer: optimizer(),
      seed: 1,
    })
    const { meanSquaredError, meanAbsoluteError } = g.losses
    const metrics = [{ mae: meanAbsoluteError, meanSquaredError }]
    const given = await g.fit(b, data(10), { loss: meanSquaredError, metrics, optimizer: optimizer(), seed: 1 })
    const { seconds: _, ...first } = named.epochs[0]!
    const { seconds: __, ...second } = given.epochs[0]!
    expect(first).toEqual(second)
    expect(Object.keys(first).sort()).toEqual(['epoch', 'loss', 'mae', 'meanSquaredError'])
    expect(first.meanSquaredError).toBeCloseTo(first.loss, 6)
    expect(a.weight.dataSync()).toEqual(b.weight.dataSync())
  })

  test('dropLast leaves out the rows that fill no batch, others in each epoch', async () => {
    const infos: g.BatchInfo[] = []
    const seen = new Set<number>()
    const rows = Array.from({ length: 11 }, (_, i) => [i, 1])
    const dataset = g.data.fromTensors(rows, g.zeros([11, 1]))
    await g.fit(create(), dataset, {
      loss: 'mse',
      batchSize: 4,
      dropLast: true,
      epochs: 4,
      metrics: [{ sum: (_, y) => y.mean() }],
      optimizer: g.optim.sgd({ learningRate: 0 }),
      callbacks: { onBatchEnd: (info) => infos.push(info), onEpochEnd: ({ loss }) => seen.add(loss) },
    })
    expect(infos.at(-1)).toMatchObject({ step: 2, steps: 2, samples: 8 })
    expect(seen.size).toBeGreaterThan(1)
  })

  test('dropLast scores all of the validation set', async () => {
    const validation = g.data.fromTensors(
      [
        [0, 0],
        [0, 0],
        [0, 0],
      ],
      [[0], [0], [3]],
    )
    const { epochs } = await g.fit(g.nn.linear(2, 1, { bias: false }), data(4), {
      loss: 'mse',
      batchSize: 2,
      dropLast: true,
      optimizer: optimizer(),
      validation,
    })
    expect(epochs[0]!.validation!.loss).toBeCloseTo(3, 5)
  })
})

describe('batch normalization and a batch of one row', () => {
  const create = () => g.nn.sequential(g.nn.linear(2, 3), g.nn.batchNorm1d(3), g.nn.linear(3, 1))
  const data = (size: number) => g.data.fromTensors(g.randn([size, 2], { seed: 1 }), g.zeros([size, 1]))
  const options = (more: Partial<g.FitOptions>): g.FitOptions => ({
    loss: 'mse',
    optimizer: g.optim.sgd({ learningRate: 0.1 }),
    ...more,
  })
  beforeEach(() => g.setBackend('native'))

  test.each([
    ['a last one', 33, 32],
    ['batches of one', 4, 1],
    ['a single row', 1, 32],
  ])('%s is an error before anything is trained', async (_, rows, batchSize) => {
    const model = create()
    const before = model.parameters().map((x) => x.dataSync())
    const failure = g.fit(model, data(rows), options({ batchSize }))
    await expect(failure).rejects.toThrow(
      new g.ShapeError(
        `fit: expected more than one row in each batch for batch normalization, got ${rows} rows in batches of ${batchSize}, of which one has a single row; see dropLast`,
      ),
    )
    expect(model.parameters().map((x) => x.dataSync())).toEqual(before)
    expect((model[1] as g.nn.BatchNorm).runningMean.dataSync()).toEqual(new Float32Array(3))
  })

  test('is left out with dropLast, or taken by a normalization that is frozen or has more values per channel', async () => {
    await g.fit(create(), data(33), options({ dropLast: true }))
    await g.fit(create().freeze('1'), data(33), options({}))
    const images = g.nn.sequential(g.nn.conv2d(1, 2, 1), g.nn.batchNorm2d(2), g.nn.flatten(), g.nn.linear(8, 1))
    const dataset = g.data.fromTensors(g.randn([5, 1, 2, 2]), g.zeros([5, 1]))
    await g.fit(images, dataset, options({ batchSize: 2 }))
  })

  test('does not change what is drawn', async () => {
    const run = async (rows: number) => {
      const model = g.nn.sequential(g.nn.dropout(0.5), g.nn.linear(2, 1, { seed: 1 }))
      await g.fit(
        model,
        data(5).slice(0, rows),
        options({ batchSize: 4, seed: 1, shuffle: false, dropLast: rows === 4 }),
      )
      return (model[1] as g.nn.Linear).weight.dataSync()
    }
    expect(await run(4)).not.toEqual(await run(5))
    expect(await run(5)).toEqual(await run(5))
  })
})

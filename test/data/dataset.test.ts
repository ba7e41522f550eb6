import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { permutation } from '../../lib/data/permutation.ts'
import * as g from '../../lib/index.ts'
import { turnsUntil } from '../support/turns.ts'
import { encodeIdx } from './encode-idx.ts'

const x = () =>
  g.tensor([
    [0, 1],
    [2, 3],
    [4, 5],
    [6, 7],
  ])
const y = () => g.tensor([0, 1, 2, 3], { dtype: 'int32' })
const batch = (dataset: g.Dataset, rows: number[]) => dataset.batch(rows).map((t) => t.arraySync())

describe('fromTensors', () => {
  test('gives rows by their indices', () => {
    const dataset = g.data.fromTensors(x(), y())
    expect(dataset.size).toBe(4)
    expect(batch(dataset, [2, 0, 2])).toEqual([
      [
        [4, 5],
        [0, 1],
        [4, 5],
      ],
      [2, 0, 2],
    ])
    expect(dataset.batch(g.tensor([1], { dtype: 'int32' })).map(({ shape }) => shape)).toEqual([[1, 2], [1]])
  })

  test('takes nested arrays', () => {
    expect(batch(g.data.fromTensors([[1, 2]], [[3]]), [0])).toEqual([[[1, 2]], [[3]]])
  })

  test('wants a target for every row', () => {
    expect(() => g.data.fromTensors(x(), g.zeros([3]))).toThrow(
      new g.ShapeError('fromTensors: expected x[rows, …] and y[rows, …] of as many rows, got x [4, 2] and y [3]'),
    )
    expect(() => g.data.fromTensors(1, 1)).toThrow(g.ShapeError)
  })

  test('an index outside the rows is a RangeError', () => {
    for (const index of [4, -1])
      expect(() => g.data.fromTensors(x(), y()).batch([index])[0].dataSync()).toThrow(RangeError)
  })

  test('load computes what is not computed yet', async () => {
    const inputs = x().mul(2)
    const dataset = g.data.fromTensors(inputs, y())
    await dataset.load()
    expect(inputs.graph().split('\n')).toHaveLength(1)
    expect(batch(dataset, [1])).toEqual([[[4, 6]], [1]])
  })
})

describe('map', () => {
  test('is applied to batches, one map after the other', () => {
    const dataset = g.data.fromTensors(x(), y())
    const mapped = dataset.map((x, y) => [x.add(1), y]).map((x, y) => [x.mul(10), y.oneHot(4)])
    expect(batch(mapped, [1])).toEqual([[[30, 40]], [[0, 1, 0, 0]]])
    expect(batch(dataset, [1])).toEqual([[[2, 3]], [1]])
  })

  test('bytes stay bytes until they are mapped', () => {
    const dataset = g.data.fromTensors(g.tensor(Uint8Array.of(0, 51, 255, 102), { shape: [2, 2] }), [0, 1])
    expect(dataset.batch([0])[0].dtype).toBe('uint8')
    const [scaled] = dataset.map((x, y) => [x.cast('float32').div(255), y]).batch([1])
    expect(scaled.dtype).toBe('float32')
    expect(scaled.dataSync()).toEqual(Float32Array.of(1, 102 / 255))
  })

  test('has to return two tensors of as many rows', () => {
    const dataset = g.data.fromTensors(x(), y())
    const map = (fn: (x: g.Tensor, y: g.Tensor) => unknown) => dataset.map(fn as g.data.BatchMap).batch([0, 1, 2])
    expect(() => map((x) => x)).toThrow(
      new TypeError('map: expected a function that returns [x, y], two tensors, got Tensor float32[3, 2]'),
    )
    expect(() => map((x) => [x, 3])).toThrow(TypeError)
    expect(() => map((x, y) => [x.sum(0), y])).toThrow(g.ShapeError)
    expect(() => map((x, y) => [x.reshape([6, 1]), y])).toThrow(
      'map: expected x and y of 3 rows, as many as it was given, got x [6, 1] and y [3]',
    )
    expect(() => dataset.map(undefined as unknown as g.data.BatchMap)).toThrow(TypeError)
  })
})

describe('slice and split', () => {
  test('take ranges of rows, with the maps', () => {
    const dataset = g.data.fromTensors(x(), y()).map((x, y) => [x.neg(), y])
    expect(dataset.slice(1, 3).size).toBe(2)
    expect(batch(dataset.slice(1, 3), [1])).toEqual([[[-4, -5]], [2]])
    expect(batch(dataset.slice(-1), [0])).toEqual([[[-6, -7]], [3]])
    const [first, rest] = dataset.split(3)
    expect([first.size, rest.size]).toEqual([3, 1])
    expect(batch(rest, [0])).toEqual([[[-6, -7]], [3]])
    expect(dataset.split(4)[1].size).toBe(0)
  })

  test.each([-1, 5, 1.5, Number.NaN])('split(%d) is a RangeError', (count) => {
    expect(() => g.data.fromTensors(x(), y()).split(count)).toThrow(
      new RangeError(`split: expected an integer from 0 to 4, got ${count}`),
    )
  })
})

describe('permutation', () => {
  test('has every index once, in an order of the seed and the epoch', async () => {
    const order = await permutation(1000, 3, 2)
    expect(Array.from(order.toSorted())).toEqual(Array.from({ length: 1000 }, (_, i) => i))
    expect(await permutation(1000, 3, 2)).toEqual(order)
    expect(await permutation(1000, 4, 2)).not.toEqual(order)
    expect(await permutation(1000, 3, 3)).not.toEqual(order)
    expect(Array.from(await permutation(0, 1, 1))).toEqual([])
  })

  test('of many rows is made while the event loop turns', async () => {
    const size = 400_001
    const made = permutation(size, 3, 0)
    expect(await turnsUntil(made)).toBeGreaterThan(4)
    const order = await made
    // As it is made in one go.
    expect(order.reduce((hash, x) => (Math.imul(hash, 31) + x) | 0, 7)).toBe(1716445017)
  })

  test('favours no order: each of the 24 of four comes about as often', async () => {
    const counts = new Map<string, number>()
    for (let epoch = 0; epoch < 24_000; epoch++) {
      const order = (await permutation(4, 1, epoch)).join()
      counts.set(order, (counts.get(order) ?? 0) + 1)
    }
    expect(counts.size).toBe(24)
    // χ² of 23 degrees of freedom exceeds 60 once in 30,000 times.
    const chiSquared = [...counts.values()].reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0)
    expect(chiSquared).toBeLessThan(60)
  })
})

describe('datasets', () => {
  let dir: string
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'galvani-datasets-'))
    for (const [split, count] of [
      ['train', 3],
      ['t10k', 2],
    ] as const) {
      const pixels = Array.from({ length: count * 784 }, (_, i) => i % 256)
      await writeFile(join(dir, `${split}-images-idx3-ubyte`), encodeIdx([count, 28, 28], pixels))
      await writeFile(join(dir, `${split}-labels-idx1-ubyte`), encodeIdx([count], [9, 1, 4].slice(0, count)))
    }
  })
  afterEach(() => rm(dir, { recursive: true }))

  test.each(['mnist', 'fashionMnist'] as const)('%s gives tensors', async (name) => {
    const { train, test } = await g.datasets[name]({ dir })
    expect([train, test].map(({ images, labels }) => [images.dtype, images.shape, labels.dtype, labels.shape])).toEqual(
      [
        ['uint8', [3, 28, 28], 'int32', [3]],
        ['uint8', [2, 28, 28], 'int32', [2]],
      ],
    )
    expect(train.labels.arraySync()).toEqual([9, 1, 4])
    expect(Array.from(train.images.dataSync().slice(784, 787))).toEqual([16, 17, 18])
  })

  test('a folder without the files is a DatasetNotFoundError', async () => {
    await expect(g.datasets.fashionMnist({ dir: join(dir, 'nothing') })).rejects.toThrow(g.DatasetNotFoundError)
  })
})

/** Data sets without targets, with weights, parts of them, and their rows as streams. */
import { describe, expect, test } from 'vitest'
import * as g from '../../lib/index.ts'

const numbers = (size: number) => Float32Array.from({ length: size }, (_, i) => i)
const whole = (size: number) =>
  g.data.fromTensors(
    numbers(size),
    Int32Array.from(numbers(size), (x) => x % 3),
  )
const rowsOf = (dataset: g.Dataset<g.Tensor, never> | g.Dataset): number[] =>
  Array.from(dataset.batch(Int32Array.from(numbers(dataset.size)))[0].dataSync())

async function drawn(stream: g.Stream<[g.Tensor, g.Tensor]>, epoch = 0): Promise<number[]> {
  const all: number[] = []
  for await (const [x] of stream.open({ epoch })) all.push(...x.dataSync())
  return all
}

describe('a data set', () => {
  test('without targets is x alone, and maps may make some', () => {
    const alone = g.data.fromTensors({ image: g.ones([2, 3]), label: Int32Array.of(1, 0) })
    const [{ image, label }, ...rest] = alone.batch([1])
    expect([image.shape, label.arraySync(), rest]).toEqual([[1, 3], [0], []])
    const [x, y] = alone.map(({ image, label }) => [image.mul(2), label]).batch([0])
    expect([x.arraySync(), y.arraySync()]).toEqual([[[2, 2, 2]], [1]])
    const [doubled] = g.data
      .fromTensors([1, 2])
      .map((x) => x.mul(2))
      .batch([1])
    expect(doubled.arraySync()).toEqual([4])
    expect(() => g.data.fromTensors([g.ones([2])] as never)).toThrow(
      'fromTensors: expected x and y one after the other, or x by itself, got a list of tensors',
    )
  })

  test('has weights, which no map leaves out', () => {
    const weighted = g.data.fromTensors([1, 2], [3, 4], [0.5, 1])
    expect(weighted.batch([1]).map((x) => x.arraySync())).toEqual([[2], [4], [1]])
    const mapped = weighted.map((x, y, weights) => [x, y, weights.mul(2)])
    expect(mapped.batch([0]).map((x) => x.arraySync())).toEqual([[1], [3], [1]])
    expect(() => weighted.map((x, y) => [x, y]).batch([0])).toThrow(
      'map: expected a function that returns [x, y, weights], three tensors, got an array',
    )
    expect(() => g.data.fromTensors([1], [1], [1, 2])).toThrow(g.ShapeError)
  })

  test('selects rows of rows of rows', () => {
    const part = whole(10).select([9, 2, 2, 5]).slice(1).select([2, 0])
    expect(rowsOf(part)).toEqual([5, 2])
    expect(() => whole(3).select([[1]])).toThrow(g.ShapeError)
    expect(() => rowsOf(whole(3).select([3]))).toThrow(RangeError)
  })

  test('is split by a fraction, at random too', () => {
    const [train, test] = whole(10).split(0.75)
    expect([rowsOf(train), rowsOf(test)]).toEqual([
      [0, 1, 2, 3, 4, 5, 6, 7],
      [8, 9],
    ])
    const parts = whole(10).split(0.7, { shuffle: true, seed: 4 }).map(rowsOf)
    expect(parts.flat()).not.toEqual(Array.from(numbers(10)))
    expect(parts.flat().toSorted((a, b) => a - b)).toEqual(Array.from(numbers(10)))
    expect(whole(10).split(0.7, { shuffle: true, seed: 4 }).map(rowsOf)).toEqual(parts)
  })

  test('has folds', () => {
    for (const options of [{}, { shuffle: true, seed: 2 }]) {
      const folds = whole(10).kFold(3, options)
      expect(folds.map(({ validation }) => validation.size)).toEqual([3, 3, 4])
      const validated = folds.flatMap(({ validation }) => rowsOf(validation))
      expect(validated.toSorted((a, b) => a - b)).toEqual(Array.from(numbers(10)))
      for (const { train, validation } of folds)
        expect([...rowsOf(train), ...rowsOf(validation)].toSorted((a, b) => a - b)).toEqual(Array.from(numbers(10)))
    }
    expect(() => whole(2).kFold(3)).toThrow(new RangeError('kFold: expected a number of folds from 2 to 2, got 3'))
  })
})

describe('rows of a data set as a stream', () => {
  test('come one by one, and in batches that are gathered', async () => {
    const dataset = whole(150).map((x, y) => [x.mul(2), y])
    const one = await dataset.stream().toArray()
    expect(one.length).toBe(150)
    expect(one.map(([x]) => x.itemSync())).toEqual(Array.from(numbers(150), (x) => x * 2))
    const batched = dataset.stream().batch(64)
    expect([batched.size, batched.batched, String(batched)]).toEqual([3, true, 'fromTensors(150) → batch(64)'])
    const again = dataset.stream().prefetch(1).batch(64)
    const shapes = async (stream: typeof batched) => (await stream.toArray()).map(([x, y]) => [x.arraySync(), y.dtype])
    expect(await shapes(again as typeof batched)).toEqual(await shapes(batched))
    expect(await drawn(dataset.stream().batch(64, { dropLast: true }))).toHaveLength(128)
    let count = 0
    for await (const [x] of dataset) count += x.size
    expect(count).toBe(150)
    const [x] = await g.data.fromTensors([1, 2]).stream().batch(2).toArray()
    expect(x!.arraySync()).toEqual([1, 2])
  })

  test('are shuffled as a whole, by seed and epoch, and gone on with', async () => {
    const make = () => whole(100).stream({ shuffle: true, seed: 7 }).batch(16)
    const [first, second] = [await drawn(make(), 0), await drawn(make(), 1)]
    expect(first).not.toEqual(second)
    expect(first.toSorted((a, b) => a - b)).toEqual(Array.from(numbers(100)))
    const pass = make().open({ epoch: 1 })
    await pass.next()
    const rest: number[] = []
    for await (const [x] of make().open({ state: JSON.parse(JSON.stringify(pass.state())) })) rest.push(...x.dataSync())
    expect(rest).toEqual(second.slice(16))
  })

  test('are drawn by weights', async () => {
    const weights = [0, 1, 3]
    const stream = g.data.fromTensors([0, 1, 2], [0, 0, 0]).stream({ weights, count: 4000, seed: 1 }).batch(500)
    const all = await drawn(stream)
    expect(all.length).toBe(4000)
    expect(all.filter((x) => x === 0)).toEqual([])
    // The standard deviation of the count is 27.
    expect(Math.abs(all.filter((x) => x === 2).length - 3000)).toBeLessThan(110)
    expect(await drawn(stream)).toEqual(all)
    expect(await drawn(stream, 1)).not.toEqual(all)
    expect(() => whole(3).stream({ weights: [1, 2] })).toThrow(
      new g.ShapeError('stream: expected 3 weights, one for each row, got 2'),
    )
    for (const wrong of [
      [1, -1, 1],
      [0, 0, 0],
      [1, Number.NaN, 1],
    ])
      expect(() => whole(3).stream({ weights: wrong })).toThrow(RangeError)
    expect(() => whole(3).stream({ shuffle: true, balanced: true })).toThrow(TypeError)
    expect(() => whole(3).stream({ count: 3 })).toThrow(TypeError)
  })

  test('are balanced by class', async () => {
    const labels = Int32Array.from(numbers(1000), (x) => Number(x >= 950))
    const stream = g.data.fromTensors(numbers(1000), labels).stream({ balanced: true, seed: 1 }).batch(100)
    const all = await drawn(stream)
    expect(Math.abs(all.filter((x) => x >= 950).length - 500)).toBeLessThan(70)
    expect(() => g.data.fromTensors([1], [0.5]).stream({ balanced: true })).toThrow(
      'stream: expected integer labels y[rows] to balance classes, got Tensor float32[1]',
    )
  })

  test('draw other random numbers in each batch', async () => {
    const noise = g.data.fromTensors(g.zeros([40]), g.zeros([40])).map((x, y) => [x.add(g.randn([x.size])), y])
    const drawnNoise = await drawn(noise.stream({ seed: 1 }).batch(8))
    expect(new Set(drawnNoise).size).toBe(40)
  })

  test('draw the same random numbers wherever a pass begins', async () => {
    const noisy = () =>
      whole(40)
        .map((x, y) => [x.add(g.randn([x.size])), y])
        .stream({ shuffle: true, seed: 3 })
    for (const make of [
      () => noisy().batch(16),
      () =>
        noisy()
          .filter(() => true)
          .batch(16),
    ]) {
      const pass = make().open({ epoch: 1 })
      const [first] = (await pass.next()).value!
      const restored = make().open({ state: pass.state() })
      const rest = (await restored.next()).value![0].arraySync()
      expect(rest).toEqual((await pass.next()).value![0].arraySync())
      expect((await make().open({ epoch: 1 }).next()).value![0].arraySync()).toEqual(first.arraySync())
      expect((await make().open({ epoch: 2 }).next()).value![0].arraySync()).not.toEqual(first.arraySync())
    }
  })
})

import { describe, expect, test } from 'vitest'
import { hashOf, mix } from '../../lib/data/hashing.ts'
import * as g from '../../lib/index.ts'

const { discretize, fillMissing, hashing, minMax, oneHot, standardize, vocabulary } = g.data.preprocessing

const N = Number.NaN

/** Numbers far from 0, of which naive sums of squares would lose all digits. */
const far = (rows: number, features: number): Float32Array =>
  Float32Array.from({ length: rows * features }, (_, i) => 4096 * ((i % features) + 1) + (hashOf(1, i) % 1024) / 256)

function expectedMoments(values: Float32Array, features: number): [number[], number[]] {
  const columns = Array.from({ length: features }, (_, f) => values.filter((_, i) => i % features === f))
  const means = columns.map((column) => column.reduce((a, b) => a + b, 0) / column.length)
  const squares = columns.map((column, f) => column.reduce((a, b) => a + (b - means[f]!) ** 2, 0) / column.length)
  return [means, squares.map(Math.sqrt)]
}

describe('standardize', () => {
  test('takes mean and deviation exactly, from a tensor, a data set, and streams of any batches', async () => {
    const values = far(1000, 3)
    const [means, deviations] = expectedMoments(values, 3)
    const x = g.tensor(values, { shape: [1000, 3] })
    const rows = Array.from({ length: 1000 }, (_, i) => values.slice(i * 3, i * 3 + 3))
    const data = [
      x,
      g.data.fromTensors(x, g.zeros([1000])),
      g.data.fromArrays(rows),
      g.data.fromArrays(rows).batch(7),
      g.data.fromArrays(rows, rows).shuffle(500).batch(33),
    ]
    for (const each of data) {
      const scale = await standardize(3).fit(each as g.Tensor)
      expect(Array.from(scale.mean.dataSync())).toEqual(Array.from(Float32Array.from(means)))
      for (const [i, std] of scale.std.dataSync().entries()) expect(std).toBeCloseTo(deviations[i]!, 5)
    }
    const scale = await standardize(3).fit(x)
    const y = scale.forward(x)
    expect(y.mean(0).abs().max().itemSync()).toBeLessThan(1e-3)
    expect(y.square().mean(0).sub(1).abs().max().itemSync()).toBeLessThan(1e-3)
    expect(scale.inverse(y).sub(x).abs().max().itemSync()).toBeLessThan(2e-3)
  })

  test('of another axis, with missing numbers, and of one that is the same everywhere', async () => {
    const x = g.tensor([[[1, 3], [5, 5]], [[N, N], [5, 5]]]) // biome-ignore format: channels
    const scale = await standardize(2, { axis: 1 }).fit(x)
    expect([scale.mean.arraySync(), scale.std.arraySync()]).toEqual([
      [2, 5],
      [1, 1],
    ])
    expect(scale.forward(x).arraySync()).toEqual([[[-1, 1], [0, 0]], [[N, N], [0, 0]]]) // biome-ignore format: channels
  })

  test('is saved with a model, and not trained', async () => {
    const make = () => g.nn.sequential(standardize(2), g.nn.linear(2, 1))
    const scale = standardize(2)
    await scale.fit(g.tensor([[1, 2], [3, 6]])) // biome-ignore format: rows
    const [first, second] = [g.nn.sequential(scale, g.nn.linear(2, 1)), make()]
    second.loadStateDict(first.stateDict())
    expect(second.forward(g.ones([1, 2])).arraySync()).toEqual(first.forward(g.ones([1, 2])).arraySync())
    expect(Object.keys(first.stateDict())).toEqual(['0.mean', '0.std', '1.weight', '1.bias'])
    expect(Object.keys(first.namedParameters())).toEqual(['1.weight', '1.bias'])
  })

  test('of what a function selects, and says what is wrong', async () => {
    const stream = g.data.fromColumns({ age: [1, 3], name: ['a', 'b'] }).batch(2)
    const scale = await standardize(1).fit(stream, ({ age }) => age.expandDims(-1))
    expect(scale.mean.arraySync()).toEqual([2])
    await expect(standardize(1).fit(stream)).rejects.toThrow(
      'standardize.fit: expected x as one tensor, or a function that selects one, got an object',
    )
    await expect(standardize(2).fit(g.ones([3, 3]))).rejects.toThrow(
      'standardize: expected 2 features at axis -1, got [3, 3]',
    )
    await expect(standardize(1).fit(g.tensor([[N]]))).rejects.toThrow(
      'a number for each feature, got none for feature 0',
    )
    await expect(standardize(1).fit(g.zeros([0, 1]))).rejects.toThrow(RangeError)
    await expect(standardize(1).fit(3 as never)).rejects.toThrow(TypeError)
    expect(() => standardize(2).forward([1, 2, 3])).toThrow(g.ShapeError)
  })
})

describe('minMax', () => {
  test('between bounds, clipped, and back', async () => {
    const x = g.tensor([[1, 7], [3, 7], [N, 7], [5, 7]]) // biome-ignore format: rows
    const scale = await minMax(2, { min: -1, max: 1 }).fit(x)
    expect(scale.forward(x).arraySync()).toEqual([[-1, -1], [0, -1], [N, -1], [1, -1]]) // biome-ignore format: rows
    expect(scale.inverse(scale.forward(x)).arraySync()).toEqual(x.arraySync())
    const clipped = await minMax(2, { clip: true }).fit(x)
    expect(clipped.forward([[0, 7], [9, 7]]).arraySync()).toEqual([[0, 0], [1, 0]]) // biome-ignore format: rows
    expect(() => minMax(2, { min: 1, max: 1 })).toThrow(RangeError)
  })
})

describe('fillMissing', () => {
  const x = () => g.tensor([[1, N], [2, 4], [2, 6], [9, 4]]) // biome-ignore format: rows

  test.each([
    ['mean', [3.5, 14 / 3]],
    ['median', [2, 4]],
    ['mostFrequent', [2, 4]],
    ['constant', [0, 0]],
  ] as const)('%s', async (strategy, expected) => {
    const fill = await fillMissing(2, { strategy }).fit(x())
    expect(fill.fill.arraySync()).toEqual(Array.from(Float32Array.from(expected)))
    expect(fill.forward([[N, 1], [N, N]]).arraySync()).toEqual([[expected[0], 1], Array.from(Float32Array.from(expected))]) // biome-ignore format: rows
  })

  test('says where it did', () => {
    const fill = fillMissing(2, { strategy: 'constant', value: -1, indicator: true })
    expect(fill.forward([[N, 3]]).arraySync()).toEqual([[-1, 3, 1, 0]])
  })
})

describe('categories', () => {
  test('buckets by boundaries, of quantiles and of widths', async () => {
    expect(
      discretize(1, { boundaries: [0, 1, 2] })
        .forward([[-1], [0], [0.5], [2], [9], [N]])
        .arraySync(),
    ).toEqual([[0], [1], [1], [3], [3], [0]])
    const x = g.tensor(
      Float32Array.from({ length: 101 }, (_, i) => i * i),
      { shape: [101, 1] },
    )
    const quantiles = await discretize(1, { bins: 4 }).fit(x)
    expect(quantiles.boundaries.arraySync()).toEqual([[625, 2500, 5625]])
    const widths = await discretize(1, { bins: 4, strategy: 'uniform' }).fit(x)
    expect(widths.boundaries.arraySync()).toEqual([[2500, 5000, 7500]])
    // numpy.quantile([1, 2, 2, 10], [1/3, 2/3]) is [2, 2], and of [1, 2, 4, 8] it is [2, 4].
    const two = await discretize(2, { bins: 3 }).fit(g.tensor([[1, 1], [2, 2], [2, 4], [10, 8]])) // biome-ignore format: rows
    expect(two.boundaries.arraySync()).toEqual([[2, 2], [2, 4]]) // biome-ignore format: rows
    expect(two.forward([[2, 3]]).dtype).toBe('int32')
    expect(() => discretize(1, { boundaries: [1, 1] })).toThrow(RangeError)
    expect(() => discretize(2, { boundaries: [[1], [1, 2]] })).toThrow(g.ShapeError)
  })

  test('rows of classes', () => {
    const x = g.tensor([[0, 2], [2, 2]], { dtype: 'int32' }) // biome-ignore format: rows
    expect(oneHot(3).forward(x).shape).toEqual([2, 2, 3])
    expect(oneHot(3, { mode: 'multiHot' }).forward(x).arraySync()).toEqual([[1, 0, 1], [0, 0, 1]]) // biome-ignore format: rows
    expect(oneHot(3, { mode: 'count' }).forward(x).arraySync()).toEqual([[1, 0, 1], [0, 0, 2]]) // biome-ignore format: rows
  })

  test('bins by hash are the same in the program and outside, and even', () => {
    const values = Int32Array.from({ length: 5000 }, (_, i) => (i - 100) * 7)
    const bins = hashing(10, { seed: 3 }).forward(g.tensor(values)).dataSync()
    const floorMod = (x: number) => ((x % 10) + 10) % 10
    expect(Array.from(bins)).toEqual(Array.from(values, (x) => floorMod(mix((x ^ mix(3)) >>> 0) | 0)))
    const counts = Array.from({ length: 10 }, (_, bin) => bins.filter((x) => x === bin).length)
    // The standard deviation of a count is 21.
    for (const count of counts) expect(Math.abs(count - 500)).toBeLessThan(90)
    const texts = hashing(1000).lookup([['cat', 'dog'], ['cat', null]]).arraySync() as number[][] // biome-ignore format: rows
    expect(texts[0]![0]).toBe(texts[1]![0])
    expect(new Set(texts.flat()).size).toBe(3)
    expect(() => hashing(3).forward([0.5])).toThrow(g.DTypeError)
    expect(() => hashing(3).lookup(3 as never)).toThrow(TypeError)
  })
})

describe('vocabulary', () => {
  test('has the most frequent words first, and looks them up', async () => {
    const words = await vocabulary(4).fit(['b', 'a', ['c', 'c', null], 'b', 'ä', 'd'])
    expect(words.words()).toEqual(['b', 'c', 'a'])
    expect(words.lookup([['a', 'b'], ['zebra', null]]).arraySync()).toEqual([[3, 1], [0, 0]]) // biome-ignore format: rows
    expect(words.lookup('c').arraySync()).toBe(2)
    expect(words.decode([1, 0, 3])).toEqual(['b', null, 'a'])
    const padded = await vocabulary(10, { padding: true, minCount: 2 }).fit(
      g.data.fromColumns({ a: ['x', 'y', 'y'] }),
      ({ a }) => a,
    )
    expect([padded.words(), padded.lookup(['y', 'x']).arraySync()]).toEqual([['y'], [2, 1]])
  })

  test('is saved with the model, whatever its characters', async () => {
    const words = ['naïve', '犬', ' ', '\n']
    const make = (known: string[]) => g.nn.sequential(vocabulary(8, { words: known }), g.nn.embedding(8, 2))
    const [first, second] = [make(words), make([])]
    second.loadStateDict(first.stateDict())
    const [vocabularyOfSecond] = [...second.modules()].filter((x) => x instanceof g.data.preprocessing.Vocabulary)
    expect((vocabularyOfSecond as g.data.preprocessing.Vocabulary).words()).toEqual(words)
    const indices = (vocabularyOfSecond as g.data.preprocessing.Vocabulary).lookup(words)
    expect(indices.arraySync()).toEqual([1, 2, 3, 4])
    expect(second.forward(indices).arraySync()).toEqual(first.forward(indices).arraySync())
    expect(Object.keys(first.namedParameters())).toEqual(['1.weight'])
  })

  test('says what does not fit', async () => {
    await expect(vocabulary(4, { bytes: 3 }).fit(['long'])).rejects.toThrow(
      'words of at most 3 bytes (bytes may say more), got 5',
    )
    expect(() => vocabulary(4, { words: ['a', 'a'] })).toThrow(RangeError)
    expect(() => vocabulary(2, { words: ['a', 'b'] })).toThrow(RangeError)
    expect(() => vocabulary(4, { words: ['a\u0000b'] })).toThrow(TypeError)
    await expect(vocabulary(4).fit([3] as never)).rejects.toThrow(TypeError)
    expect(() => vocabulary(4).lookup([['a'], ['a', 'b']])).toThrow(g.ShapeError)
    expect(vocabulary(4).words()).toEqual([])
  })
})

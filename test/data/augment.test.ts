import { afterEach, describe, expect, test } from 'vitest'
import * as g from '../../lib/index.ts'
import { backendNames } from '../support/backends.ts'

const {
  colourJitter,
  cutout,
  mixup,
  randomCrop,
  randomErasing,
  randomHorizontalFlip,
  randomRotation,
  randomVerticalFlip,
} = g.data.augment

/** Images whose pixels are all different: 1, 2, 3, … */
const numbered = (...shape: number[]) => g.arange(1, shape.reduce((a, b) => a * b) + 1).reshape(shape)

/** Colours from 0 to 1. */
const colours = (n: number) => g.uniform([n, 3, 4, 5], { seed: 5 })

const all: Readonly<Record<string, () => g.nn.Module>> = {
  randomCrop: () => randomCrop({ padding: 1 }),
  randomHorizontalFlip: () => randomHorizontalFlip(),
  randomVerticalFlip: () => randomVerticalFlip(),
  randomRotation: () => randomRotation(30),
  randomErasing: () => randomErasing(),
  cutout: () => cutout(2),
  colourJitter: () => colourJitter({ brightness: 0.3, contrast: 0.3, saturation: 0.3, hue: 0.2 }),
}

const bits = (x: g.Tensor) => Array.from(x.dataSync())
const drawn = (module: g.nn.Module, x: g.Tensor, seed = 1) => bits(g.randomStream(seed).run(() => module.forward(x)))

afterEach(() => g.setBackend(backendNames.at(-1)!))

describe.each(Object.entries(all))('%s', (_, make) => {
  test('is of a seed, the same on every backend up to rounding, and another one each time', () => {
    const results = backendNames.map((backend) => {
      g.setBackend(backend)
      expect(drawn(make(), colours(4))).toEqual(drawn(make(), colours(4)))
      expect(drawn(make(), colours(4), 2)).not.toEqual(drawn(make(), colours(4)))
      return drawn(make(), colours(4))
    })
    for (const result of results) for (const [i, x] of result.entries()) expect(x).toBeCloseTo(results[0]![i]!, 5)
  })

  test('changes each run of a compiled function, and nothing in evaluation mode', () => {
    const [module, x] = [make(), colours(4)]
    const run = g.compile((x: g.Tensor) => module.forward(x))
    expect(bits(run.sync(x))).not.toEqual(bits(run.sync(x)))
    module.eval()
    expect(bits(module.forward(x))).toEqual(bits(x))
    expect(module.forward(g.zeros([0, 3, 4, 5])).shape).toEqual([0, 3, 4, 5])
  })

  test('has no gradient, and refuses what are no images', () => {
    const w = g.variable(colours(2))
    expect(() => g.gradients(make().forward(w.mul(2)).sum(), [w])).toThrow(g.GradientError)
    expect(() => make().forward(g.ones([2, 2]))).toThrow('images [n, channels, height, width] or [n, height, width]')
  })
})

describe('what becomes of images', () => {
  test('crops are parts of the image with zeros around it, each place as likely', () => {
    const x = g.concat(Array.from({ length: 900 }, () => numbered(1, 1, 2, 2)))
    const counts = new Map<string, number>()
    for (const image of randomCrop({ padding: 1 }).forward(x).arraySync() as number[][][][])
      counts.set(JSON.stringify(image[0]), (counts.get(JSON.stringify(image[0])) ?? 0) + 1)
    const padded = [[0, 0, 0, 0], [0, 1, 2, 0], [0, 3, 4, 0], [0, 0, 0, 0]] // biome-ignore format: rows
    const expected = [0, 1, 2].flatMap((y) =>
      [0, 1, 2].map((x) => JSON.stringify([padded[y]!.slice(x, x + 2), padded[y + 1]!.slice(x, x + 2)])),
    )
    expect([...counts.keys()].sort()).toEqual([...new Set(expected)].sort())
    // Of 900 in 9 places 100 each are expected, with a standard deviation of 9.4.
    for (const key of expected) expect(Math.abs(counts.get(key)! - 100)).toBeLessThan(45)
  })

  test('smaller crops, all channels alike, of bytes', () => {
    const x = numbered(1, 1, 5, 6).cast('uint8')
    const y = randomCrop({ size: [2, 3] }).forward(g.concat([x, x], 1))
    expect([y.shape, y.dtype]).toEqual([[1, 2, 2, 3], 'uint8'])
    const [first, second] = (y.arraySync() as number[][][][])[0]!
    expect(first).toEqual(second)
    const [[a, b, c], [d]] = first as [number[], number[]]
    expect([b! - a!, c! - a!, d! - a!]).toEqual([1, 2, 6])
    expect(() => randomCrop({ size: 7 }).forward(x)).toThrow(g.ShapeError)
    expect(
      randomCrop({ padding: 2, fill: 7 })
        .forward(g.zeros([20, 3, 3]))
        .max()
        .itemSync(),
    ).toBe(7)
  })

  test('flips turn whole images, half of them', () => {
    const x = g.concat(Array.from({ length: 400 }, () => numbered(1, 1, 2, 2)))
    const firsts = (module: g.nn.Module) => bits(module.forward(x).slice([0, 0, 0, 0], [400, 1, 1, 1]))
    for (const [module, other] of [
      [randomHorizontalFlip(), 2],
      [randomVerticalFlip(), 3],
    ] as const) {
      const found = firsts(module)
      expect(new Set(found)).toEqual(new Set([1, other]))
      // The standard deviation is 10.
      expect(Math.abs(found.filter((first) => first === 1).length - 200)).toBeLessThan(50)
    }
    expect(bits(randomHorizontalFlip({ probability: 1 }).forward(numbered(1, 2, 2)))).toEqual([2, 1, 4, 3])
  })

  test('rotations keep the middle, and turn by angles up to the greatest', () => {
    const x = g.zeros([200, 1, 9, 9]).add(g.arange(9).sub(4).reshape([1, 1, 1, 9]))
    const y = randomRotation(90).forward(x)
    expect(y.select(2, 4).select(2, 4).abs().max().itemSync()).toBeLessThan(1e-5)
    // A pixel below the middle shows how far to the side it came from: 2·sin of the angle.
    const sines = bits(y.select(2, 6).select(2, 4)).map((x) => x / 2)
    const angles = sines.map((x) => (Math.asin(Math.max(-1, Math.min(1, x))) * 180) / Math.PI)
    expect(Math.max(...angles)).toBeGreaterThan(75)
    expect(Math.min(...angles)).toBeLessThan(-75)
    const small = bits(randomRotation(10).forward(x).select(2, 6).select(2, 4))
    for (const x of small) expect(Math.abs(x / 2)).toBeLessThan(Math.sin((10.1 * Math.PI) / 180))
    const tall = g.ones([50, 1, 12, 4])
    expect(randomRotation(45, { fill: 5 }).forward(tall).max().itemSync()).toBeGreaterThan(2)
    expect(() => randomRotation(10).forward(g.ones([1, 2, 2]).cast('uint8'))).toThrow(g.DTypeError)
  })

  test('what is erased is a rectangle of the share that was asked for', () => {
    const y = randomErasing({ probability: 1, scale: [0.2, 0.3], ratio: [0.5, 2] }).forward(g.ones([300, 1, 20, 20]))
    const shares = bits(y.mean([1, 2, 3])).map((kept) => 1 - kept)
    for (const share of shares) expect(share > 0.15 && share < 0.36).toBe(true)
    const [rows, columns] = [3, 2].map((axis) => y.min(axis).sum(-1).reshape([300]).neg().add(20))
    const area = rows!.mul(columns!).div(400)
    for (const [i, share] of bits(area).entries()) expect(share).toBeCloseTo(shares[i]!, 5)
    const some = randomErasing({ value: 9 })
      .forward(g.ones([400, 1, 8, 8]))
      .max([1, 2, 3])
    expect(Math.abs(bits(some).filter((x) => x === 9).length - 200)).toBeLessThan(50)
    const squares = bits(
      cutout(4)
        .forward(g.ones([200, 8, 8]))
        .sum([1, 2])
        .neg()
        .add(64),
    )
    expect(Math.max(...squares)).toBe(16)
    expect(Math.min(...squares)).toBe(4)
  })

  test('colours', () => {
    const x = colours(50)
    const means = (y: g.Tensor) => bits(y.mean([1, 2, 3]))
    const bright = g.randomStream(3).run(() => colourJitter({ brightness: 0.2, max: 2 }).forward(x))
    for (const [i, mean] of means(bright).entries()) expect(Math.abs(mean / means(x)[i]! - 1)).toBeLessThan(0.201)
    const grey = (y: g.Tensor) => y.mul(g.tensor([0.299, 0.587, 0.114], { shape: [1, 3, 1, 1] })).sum(1)
    const dull = colourJitter({ saturation: 1, max: 3 }).forward(x.add(1))
    expect(
      grey(dull)
        .sub(grey(x.add(1)))
        .abs()
        .max()
        .itemSync(),
    ).toBeLessThan(1e-5)
    const turned = colourJitter({ hue: 0.5, max: 3 }).forward(x.add(1))
    expect(turned.mean(1).sub(x.add(1).mean(1)).abs().max().itemSync()).toBeLessThan(1e-5)
    const length = (y: g.Tensor) => y.square().sum(1)
    expect(
      length(turned)
        .sub(length(x.add(1)))
        .abs()
        .max()
        .itemSync(),
    ).toBeLessThan(1e-4)
    const flat = g.full([1, 1, 2, 2], 0.5)
    expect(colourJitter({ contrast: 1 }).forward(flat).sub(flat).abs().max().itemSync()).toBeLessThan(1e-6)
    expect(() => colourJitter({ hue: 0.1 }).forward(flat)).toThrow(g.ShapeError)
    expect(colourJitter({ brightness: 1 }).forward(x).max().itemSync()).toBeLessThanOrEqual(1)
  })

  test('mixup mixes x and y by the same shares', () => {
    const labels = g.tensor(Int32Array.from({ length: 300 }, (_, i) => i % 3))
    const x = labels.cast('float32').reshape([300, 1])
    const [mixed, rows] = mixup({ alpha: 1, classes: 3 }).forward([x, labels])
    expect(bits(rows.sum(1)).every((sum) => Math.abs(sum - 1) < 1e-6)).toBe(true)
    expect(
      rows
        .mul([0, 1, 2])
        .sum(1)
        .sub(mixed.reshape([300]))
        .abs()
        .max()
        .itemSync(),
    ).toBeLessThan(1e-5)
    expect(bits(rows).filter((share) => share > 0.1 && share < 0.9).length).toBeGreaterThan(100)
    const still = mixup({ classes: 3 })
    still.eval()
    expect(still.forward([x, labels]).map(({ shape }) => shape)).toEqual([
      [300, 1],
      [300, 3],
    ])
    expect(() => mixup().forward([x, labels])).toThrow(g.DTypeError)
    expect(() => mixup({ classes: 3 }).forward([x, g.zeros([2], { dtype: 'int32' })])).toThrow(g.ShapeError)
  })
})

test('training with augmentations is of a seed, and validation sees the images as they are', async () => {
  const images = g.uniform([24, 1, 6, 6], { seed: 2 })
  const labels = g.tensor(Int32Array.from({ length: 24 }, (_, i) => i % 2))
  const augmented = () => {
    const changed = g.nn.sequential(randomCrop({ padding: 2 }), randomHorizontalFlip())
    return g.data.fromTensors(images, labels).map((x, y) => [changed.forward(x), y])
  }
  const train = async (data: g.Dataset, validation: g.Dataset, learningRate: number) => {
    const model = g.nn.sequential(g.nn.flatten(), g.nn.linear(36, 2))
    g.randomStream(1).run(() => model.parameters().forEach((w) => void w.assign(g.randn(w.shape, { seed: 3 }))))
    const { epochs } = await g.fit(model, data, {
      epochs: 2,
      batchSize: 8,
      loss: 'crossEntropy',
      optimizer: g.optim.sgd({ learningRate }),
      validation,
      seed: 4,
    })
    return epochs.map(({ loss, validation }) => [loss, validation!.loss])
  }
  const plain = g.data.fromTensors(images, labels)
  expect(await train(augmented(), plain, 0.1)).toEqual(await train(augmented(), plain, 0.1))
  const [first, second] = await train(augmented(), augmented(), 0)
  expect(first![0]).not.toBe(second![0])
  expect([first![1], second![1]]).toEqual((await train(plain, plain, 0)).map(([, loss]) => loss))
})

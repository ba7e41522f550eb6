/** Places that are computed as a ratio of integers: they are those of exact arithmetic, on every backend. */
import { beforeAll, describe, expect, test } from 'vitest'
import * as g from '../../lib/index.ts'
import { backendNames } from '../support/backends.ts'

const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i)

/** Integers until 300 and some beyond. */
const counts = [...range(300), 1000, 1023, 4097].slice(1)

describe.each(backendNames)('%s', (name) => {
  beforeAll(() => g.setBackend(name))

  describe('histogram', () => {
    test('of 0, 1, …, n in n intervals: one in each, and two in the last', () => {
      for (const n of counts) {
        const { counts, edges } = g.histogram(g.arange(n + 1), { bins: n })
        expect(Array.from(counts.dataSync()), `n = ${n}`).toEqual(range(n).map((i) => (i === n - 1 ? 2 : 1)))
        expect(Array.from(edges.dataSync()), `n = ${n}`).toEqual(range(n + 1))
      }
    })

    test('of int32, and of a range that is given', () => {
      for (const n of [22, 49, 98, 103]) {
        const x = g.arange(-n, n + 1, { dtype: 'int32' })
        const { counts } = g.histogram(x, { bins: 2 * n, range: [-n, n] })
        expect(Array.from(counts.dataSync())).toEqual(range(2 * n).map((i) => (i === 2 * n - 1 ? 2 : 1)))
      }
    })

    test.each([
      [3, [0, 1]],
      [10, [0, 1]],
      [49, [-0.3, 0.7]],
      [97, [1e-8, 1]],
      [7, [-3e38, 3e38]],
      [5, [1e-45, 3e-44]],
      [1000, [16777210, 16777300]],
    ] as const)('in %d intervals of %j: by the edges that it gives', (bins, bounds) => {
      const all = g.histogram([], { bins, range: bounds }).edges
      // Every edge, what is next to it on both sides, and what is not inside.
      const near = Array.from(all.dataSync()).flatMap((x) => [
        x,
        Math.fround(x * (1 + 2 ** -23)),
        Math.fround(x * (1 - 2 ** -23)),
      ])
      const x = [...near, NaN, Infinity, -Infinity]
      const { counts, edges } = g.histogram(x, { bins, range: bounds })
      const e = Array.from(edges.dataSync())
      expect([e[0], e[bins]]).toEqual(bounds.map(Math.fround))
      const wanted = range(bins).map(
        (i) => x.filter((v) => v >= e[i]! && (v < e[i + 1]! || (i === bins - 1 && v <= e[bins]!))).length,
      )
      expect(Array.from(counts.dataSync())).toEqual(wanted)
    })
  })

  test('upsample to a size takes element ⌊i·n / out⌋', () => {
    for (const n of [1, 3, 7, 10, 45, 49, 100])
      for (const out of [1, 3, 33, 45, 49, 90, 98, 103, 147]) {
        const x = g.arange(n).reshape([1, 1, 1, n])
        const wanted = range(out).map((i) => Math.floor((i * n) / out))
        expect(Array.from(g.upsample(x, { size: [1, out] }).dataSync()), `${n} to ${out}`).toEqual(wanted)
        const tall = g.upsample(x.reshape([1, 1, n, 1]), { size: [out, 1] })
        expect(Array.from(tall.dataSync()), `${n} to ${out}`).toEqual(wanted)
      }
  })

  test('upsample by a scale takes element ⌊i / scale⌋', () => {
    for (const scale of [1, 2, 3, 7, 49, 98, 103, 0.5, 1.5, 2.25]) {
      const x = g.arange(12).reshape([1, 1, 12, 1])
      const wanted = range(Math.floor(12 * scale)).map((i) => Math.min(11, Math.floor(i / scale)))
      expect(Array.from(g.upsample(x, { scale: [scale, 1] }).dataSync()), `scale ${scale}`).toEqual(wanted)
    }
  })

  test('bilinear places that are elements are those elements, whatever stands before them', () => {
    // Odd multiples: the middle of every 49 places lies on an element.
    const x = g.arange(5).reshape([1, 1, 1, 5])
    const y = Array.from(g.upsample(x, { size: [1, 245], mode: 'bilinear' }).dataSync())
    expect(range(5).map((i) => y[49 * i + 24])).toEqual(range(5))
    const corners = g.upsample(x, { size: [1, 4 * 49 + 1], mode: 'bilinear', alignCorners: true }).dataSync()
    expect(range(5).map((i) => corners[49 * i])).toEqual(range(5))
  })

  test.each(['float32', 'int32'] as const)('linspace of %s has the integers that lie in it', (dtype) => {
    for (const n of [3, 7, 49, 98, 103, 107]) {
      const x = g.linspace(0, 3, 3 * n + 1, { dtype }).dataSync()
      expect(range(4).map((i) => x[i * n])).toEqual(range(4))
      const down = g.linspace(2, -1, 3 * n + 1, { dtype }).dataSync()
      expect(range(4).map((i) => down[i * n])).toEqual([2, 1, 0, -1])
    }
  })

  test('adaptive pooling has the windows of exact bounds', () => {
    for (const [n, out] of [
      [45, 33],
      [49, 27],
      [10, 7],
      [3, 5],
    ] as const) {
      const x = g.arange(n).reshape([1, 1, n])
      const [first, last] = [
        range(out).map((i) => Math.floor((i * n) / out)),
        range(out).map((i) => Math.ceil(((i + 1) * n) / out) - 1),
      ]
      expect(Array.from(g.adaptiveMaxPool1d(x, out).dataSync())).toEqual(last)
      const means = first.map((a, i) => (a + last[i]!) / 2)
      expect(Array.from(g.adaptiveAvgPool1d(x, out).dataSync())).toEqual(means)
    }
  })
})

describe('linspace', () => {
  test('of no elements', () => expect(g.linspace(0, 1, 0).shape).toEqual([0]))
  test('of one is the start', () => expect(g.linspace(3, 5, 1).arraySync()).toEqual([3]))
  test('between bounds as far apart as numbers are', () => {
    const x = g.linspace(-(2 ** 1023), 2 ** 1023, 5, { dtype: 'float64' }).reshape([5])
    g.setBackend('reference')
    expect(x.arraySync()).toEqual([-(2 ** 1023), -(2 ** 1022), 0, 2 ** 1022, 2 ** 1023])
  })
  test.each([
    [() => g.linspace(0, Infinity), 'linspace: expected finite bounds, got 0 and Infinity'],
    [() => g.linspace(0, 1, -1), 'linspace: expected a count that is a natural number, got -1'],
    [() => g.linspace(0, 1, 2.5), 'linspace: expected a count that is a natural number, got 2.5'],
  ])('%s is refused', (call, message) => expect(call).toThrow(new RangeError(message)))
})

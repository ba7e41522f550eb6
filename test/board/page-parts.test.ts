/** What the page computes: series, figures, places of boxes. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { madeUpGraph } from './support/made-up-runs.ts'
import { pageModule } from './support/page-module.ts'

const { appendPoint, ascending, columnsOf, extremesOf, nearest, noPoints, smoothed, stepsBetween, thinned, xOf } =
  await pageModule('series.js')
const { averagePrecision, densities, quantileOf } = await pageModule('figures.js')
const { layered } = await pageModule('layout.js')
const { boxesOf, edgesOf, itemsOf, modelGraph, openAtFirst, whole } = await pageModule('scopes.js')
const { duration, percent, short, withUnit } = await pageModule('format.js')

const columns = (value: (number | null)[]) =>
  columnsOf({
    step: value.map((_, i) => i),
    epoch: value.map(() => null),
    time: value.map((_, i) => 1000 * i),
    value,
    total: value.length,
    at: 0,
  })

describe('series', () => {
  test('smoothing is an average that begins at the first value, as TensorBoard has it', () => {
    // value, weight 0.5: (0.5 · 4 + 0) / 0.5; (0.5 · 2 + 0.5 · 8) / 0.75 …
    expect(smoothed([4, 8, null, 0], 0.5)).toEqual([
      4,
      (0.25 * 4 + 0.5 * 8) / 0.75,
      null,
      (0.125 * 4 + 0.25 * 8) / 0.875,
    ])
    for (const value of smoothed(new Array(50).fill(3), 0.97)) expect(value).toBeCloseTo(3, 12)
  })

  test('thinning keeps the first, the last, and every extreme of what it parts', () => {
    const value: (number | null)[] = Array.from({ length: 10_000 }, (_, i) => Math.sin(i / 300))
    ;[value[4321], value[777], value[5]] = [50, -50, null]
    const few = thinned(columns(value), 400)
    expect(few.step.length).toBeLessThanOrEqual(400)
    expect(few.value).toContain(50)
    expect(few.value).toContain(-50)
    expect([few.step[0], few.step.at(-1), few.total]).toEqual([0, 9999, 10_000])
    expect(few.step).toEqual([...few.step].sort((a, b) => a - b))
    expect(few.step.map((i: number) => value[i])).toEqual(few.value)
    expect(thinned(few, 400)).toBe(few)
  })

  test('a point of an event that the series was read after is there already', () => {
    const read = { ...noPoints(), at: 7 }
    expect(appendPoint(read, { step: 1, time: 5 }, 0.5, 7)).toBe(false)
    expect(appendPoint(read, { step: 2, time: 6 }, Number.NaN, 8)).toBe(true)
    expect(read).toMatchObject({ step: [2], value: [null], epoch: [null], total: 1 })
  })

  test('x is a step, an epoch, seconds since the start, or seconds', () => {
    const some = columns([1, 2])
    expect(xOf(some, 'step')).toEqual([0, 1])
    expect(xOf(some, 'epoch')).toEqual([null, null])
    expect(xOf(some, 'relative', -2000)).toEqual([2, 3])
    expect(xOf(some, 'wall')).toEqual([0, 1])
    expect(ascending([1, 2, 1.5, null], [10, 20, 15, 0])).toEqual({ x: [1, 1.5, 2], y: [10, 15, 20] })
  })

  test('the nearest point, and the steps of a range with those beside it', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.integer({ min: -50, max: 50 }), { minLength: 1 }),
        fc.integer({ min: -60, max: 60 }),
        (numbers, x) => {
          const xs = numbers.sort((a, b) => a - b)
          expect(Math.abs(xs[nearest(xs, x)]! - x)).toBe(Math.min(...xs.map((at) => Math.abs(at - x))))
        },
      ),
    )
    const some = columns([1, 1, 1, 1, 1])
    expect(stepsBetween(some, xOf(some, 'step'), 1.5, 2.5)).toEqual([1, 3])
    expect(stepsBetween(some, xOf(some, 'step'), 2.1, 2.2)).toEqual([1, 4])
    expect(extremesOf(columns([null, 3, 1, 2]))).toMatchObject({
      first: { step: 1, value: 3 },
      lowest: { step: 2, value: 1 },
      last: { step: 3, value: 2 },
    })
  })
})

describe('figures', () => {
  const histogram = { edges: [0, 1, 2, 4], counts: [10, 0, 30] }

  test('quantiles take elements to be spread evenly over their bin', () => {
    expect(quantileOf(histogram, 0.125)).toBe(0.5)
    expect(quantileOf(histogram, 0.25)).toBe(1)
    expect(quantileOf(histogram, 0.625)).toBe(3)
    expect(quantileOf({ edges: [0, 1], counts: [0] }, 0.5)).toBeNaN()
  })

  test('densities keep the count, also of elements that are all the same', () => {
    expect([...densities(histogram, 0, 4, 4)]).toEqual([10, 0, 15, 15])
    expect([...densities({ edges: [2, 2], counts: [7] }, 0, 4, 4)]).toEqual([0, 0, 7, 0])
  })

  test('the average precision of a perfect classifier is 1', () => {
    expect(averagePrecision({ precision: [0.5, 1, 1], recall: [1, 1, 0] })).toBe(1)
    expect(averagePrecision({ precision: [0.5, 1], recall: [1, 0.5] })).toBe(0.75)
  })

  test('numbers are as short as they can be read', () => {
    expect([0, 0.12345, -0.5, 1234.56, 123456, 3e-7, 1e12, Number.NaN, null].map(short)).toEqual([
      '0',
      '0.1235',
      '−0.5',
      '1235',
      '123\u2009456',
      '3e−7',
      '1e12',
      '–',
      '–',
    ])
    expect([duration(3200), duration(75_000), duration(7.3e6)]).toEqual(['3.2 s', '1 min 15 s', '2 h 1 min'])
    expect([percent(0.0123), percent(0.5), withUnit(2_500_000, 'B')]).toEqual([
      '1.2\u202f%',
      '50\u202f%',
      '2.5\u202fMB',
    ])
  })
})

describe('the graph', () => {
  const graph = modelGraph(madeUpGraph(3))

  test('has layers within layers, the parameters of which are counted', () => {
    expect([...graph.scopes.keys()]).toEqual([whole, 'layers', 'layers.0', 'layers.1', 'layers.2'])
    expect(graph.scopes.get('layers.2').parameters).toBe(10 * 128 + 10)
    expect(itemsOf(graph, 'layers.0', false).map(({ label }: { label: string }) => label)).toEqual([
      'transpose',
      'matmul',
      'add',
    ])
  })

  test('shows what is open, and shapes on the lines between', () => {
    expect(boxesOf(graph, new Set([whole]), 'layers.0/matmul')).toEqual(['scope layers'])
    expect(boxesOf(graph, new Set([whole, 'layers', 'layers.0']), 'layers.0/matmul')).toEqual([
      'scope layers',
      'scope layers.0',
      'node layers.0/matmul',
    ])
    const edges = edgesOf(graph, new Set([whole]), false)
    expect(edges).toContainEqual({ from: 'node input', to: 'scope layers', shapes: ['64×784'] })
    expect(edges).toContainEqual({ from: 'scope layers', to: 'node output', shapes: ['64×10'] })
    expect([...openAtFirst(graph, 5)]).toEqual([whole])
    expect([...openAtFirst(graph, 50)].length).toBe(5)
  })

  test('boxes stand below what they read and never over one another', () => {
    const arrows = fc.array(fc.tuple(fc.nat(14), fc.nat(14)), { maxLength: 40 })
    fc.assert(
      fc.property(arrows, (pairs) => {
        const boxes = Array.from({ length: 15 }, (_, i) => ({ id: `${i}`, width: 20 + ((i * 37) % 90), height: 30 }))
        const downward = pairs.filter(([a, b]) => a < b).map(([a, b]) => ({ from: `${a}`, to: `${b}` }))
        const { places, bends, width, height } = layered(boxes, downward)
        for (const { from, to } of downward) expect(places.get(from).y + 30).toBeLessThan(places.get(to).y)
        for (const a of boxes)
          for (const b of boxes) {
            const [p, q] = [places.get(a.id), places.get(b.id)]
            const isApart = p.x + a.width <= q.x || q.x + b.width <= p.x || p.y + 30 <= q.y || q.y + 30 <= p.y
            expect(a === b || isApart).toBe(true)
            expect(p.x >= 0 && p.y >= 0 && p.x + a.width <= width && p.y + 30 <= height).toBe(true)
          }
        expect(bends.size).toBe(downward.length)
      }),
    )
  })

  test('circles between groups are laid out too', () => {
    const boxes = ['a', 'b'].map((id) => ({ id, width: 10, height: 10 }))
    const { places } = layered(boxes, [
      { from: 'a', to: 'b' },
      { from: 'b', to: 'a' },
      { from: 'b', to: 'b' },
    ])
    expect(places.get('a').y).toBeLessThan(places.get('b').y)
  })
})

/** Which numbers stand beside an axis, and which points are drawn. */
import { expect, test } from 'vitest'
import { scaleOf, tickTexts } from '../../lib/plot/scale.ts'
import { thinned } from '../../lib/plot/thin.ts'

const linear = { label: '', isLog: false }
const textsOf = (low: number, high: number, axis: Parameters<typeof scaleOf>[1] = linear, count = 5) =>
  tickTexts(scaleOf([low, high], axis, count))

test.each([
  [0, 1, ['0.0', '0.2', '0.4', '0.6', '0.8', '1.0']],
  [0.1, 0.35, ['0.10', '0.15', '0.20', '0.25', '0.30', '0.35']],
  [-3, 3, ['-3', '-2', '-1', '0', '1', '2', '3']],
  [0, 4e7, ['0', '1e7', '2e7', '3e7', '4e7']],
  [1e-5, 3e-5, ['1e-5', '1.5e-5', '2e-5', '2.5e-5', '3e-5']],
  [5, 5, ['3', '4', '5', '6', '7']],
])('ticks from %d to %d are round numbers', (low, high, texts) => expect(textsOf(low, high)).toEqual(texts))

test('of what is counted there are none between integers', () =>
  expect(textsOf(1, 3, { ...linear, isWhole: true })).toEqual(['1', '2', '3']))

test('of a logarithmic axis they are powers of ten, or what is between two of them', () => {
  const log = { label: '', isLog: true }
  expect(textsOf(1e-4, 10, log, 6)).toEqual(['1e-4', '0.001', '0.01', '0.1', '1', '10'])
  expect(textsOf(1e-8, 1e8, log, 5)).toEqual(['1e-8', '1e-4', '1', '10000', '1e8'])
  expect(textsOf(2, 6, log)).toEqual(['2', '3', '4', '5', '6'])
})

test.each([
  [-Number.MAX_VALUE, Number.MAX_VALUE],
  [0, 5e-324],
  [1e16, 1e16 + 2],
  [Number.MAX_VALUE, Number.MAX_VALUE],
])('a scale from %d to %d places both within it', (low, high) => {
  for (const isLog of low > 0 ? [false, true] : [false]) {
    const scale = scaleOf([low, high], { label: '', isLog }, 5)
    for (const place of [low, high].map(scale.place)) {
      expect(place).toBeGreaterThanOrEqual(0)
      expect(place).toBeLessThanOrEqual(1)
    }
    expect(scale.ticks.length).toBeGreaterThan(0)
    expect(scale.ticks.length).toBeLessThan(20)
    for (const text of tickTexts(scale)) expect(text.length).toBeLessThan(25)
  }
})

test('of a long series the extremes and gaps of each part stay, in their order', () => {
  const points = Array.from({ length: 1000 }, (_, x) => ({ x, y: Math.sin(x) }))
  for (const [x, y] of [
    [7, 9],
    [555, -9],
    [0, Number.NaN],
    [800, Number.NaN],
  ])
    points[x!] = { x: x!, y: y! }
  const kept = thinned(points, 10)
  expect(kept.length).toBeLessThanOrEqual(50)
  for (const x of [0, 7, 555, 800, 999]) expect(kept).toContain(points[x])
  expect(kept.map(({ x }) => x)).toEqual(kept.map(({ x }) => x).toSorted((a, b) => a - b))
  expect(thinned(points.slice(0, 40), 10)).toHaveLength(40)
})

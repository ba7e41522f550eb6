/** Histograms that a program counts are those that a loop counts. */
import { describe, expect, test } from 'vitest'
import { counted, histogramOf } from '../../lib/events/counting.ts'
import * as g from '../../lib/index.ts'
import { backendNames } from '../support/backends.ts'

const bins = 30
const { fround } = Math

/** By the same rounded steps, one element after the other. */
function oracle(values: readonly number[]) {
  const finite = values.filter(Number.isFinite)
  const notFinite = values.length - finite.length
  const zeros = { minimum: 0, maximum: 0, sum: 0, sumOfSquares: 0 }
  if (finite.length === 0) return { edges: [0, 0], counts: [0], ...zeros, notFinite }
  const [minimum, maximum] = [Math.min(...finite), Math.max(...finite)]
  const sum = finite.reduce((a, b) => a + b, 0)
  const sumOfSquares = finite.reduce((a, b) => a + b * b, 0)
  const figures = { minimum, maximum, sum, sumOfSquares, notFinite }
  if (minimum === maximum) return { edges: [minimum, maximum], counts: [finite.length], ...figures }
  const counts = Array(bins).fill(0)
  const range = fround(fround(maximum / 2) - fround(minimum / 2))
  for (const x of finite) {
    const part = fround(fround(fround(x / 2) - fround(minimum / 2)) / range)
    counts[Math.min(bins - 1, Math.floor(fround(part * bins)))]++
  }
  const edges = Array.from({ length: bins + 1 }, (_, i) => minimum + (i * (maximum - minimum)) / bins)
  return { edges, counts, ...figures }
}

const normal = Array.from(g.randn([5000], { seed: 1 }).dataSync())
const cases: Record<string, number[]> = {
  'normal ones': normal,
  'some that are not finite': [1, Number.NaN, 2, Infinity, 3, -Infinity, Number.NaN],
  'none that is finite': [Number.NaN, Infinity],
  'one number': [0.1],
  'equal ones': [3, 3, 3],
  'zeros of both signs': [0, -0],
  'the widest range': [-3.4e38, 3.4e38, 0, 1],
  'denormal ones': [1e-45, 3e-45, 7e-45, 0],
  'far from 0': normal.map((x) => 1e6 + x),
  'even distances': Array.from({ length: 301 }, (_, i) => i),
}

describe.each(backendNames)('on the %s backend', (backend) => {
  test.each(Object.entries(cases))('%s', (_, list) => {
    g.setBackend(backend)
    const values = list.map(fround)
    const count = g.compile((x: g.Tensor) => counted(x))
    const found = histogramOf(count.sync(g.tensor(values)))
    const { edges, sum, sumOfSquares, ...rest } = oracle(values)
    expect(found).toMatchObject(rest)
    expect(found.counts.reduce((a, b) => a + b) + found.notFinite).toBe(values.length)
    const magnitude = values.filter(Number.isFinite).reduce((a, b) => a + Math.abs(b), 0)
    expect(Math.abs(found.sum - sum)).toBeLessThanOrEqual(1e-6 * magnitude)
    if (sumOfSquares < 3e38)
      expect(Math.abs(found.sumOfSquares - sumOfSquares)).toBeLessThanOrEqual(1e-5 * sumOfSquares + 1e-40)
    else expect(found.sumOfSquares).toBe(Infinity)
    expect(found.edges.length).toBe(edges.length)
    for (const [i, edge] of edges.entries())
      expect(Math.abs(found.edges[i]! - edge)).toBeLessThanOrEqual(1e-15 * (rest.maximum - rest.minimum))
  })

  test('of tensors of several dimensions', () => {
    g.setBackend(backend)
    const x = g.randn([3, 4, 5], { seed: 2 })
    const found = histogramOf(g.compile((x: g.Tensor) => counted(x)).sync(x))
    expect(found).toMatchObject({ counts: oracle(Array.from(x.dataSync())).counts })
  })
})

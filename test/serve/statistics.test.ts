/** Histograms against sorted lists, and the text that Prometheus reads. */
import { expect, test } from 'vitest'
import { Histogram } from '../../lib/serve/histogram.ts'
import { prometheusText, Statistics } from '../../lib/serve/statistics.ts'
import { uniforms } from '../support/tape.ts'

/** From e⁻⁴ to e⁴. */
function numbers(seed: number, count: number): number[] {
  const next = uniforms(seed)
  return Array.from({ length: count }, () => Math.exp(8 * next() - 4))
}

test('percentiles are within an eighth of those of a sorted list', () => {
  const values = numbers(7, 20000)
  const histogram = new Histogram()
  for (const value of values) histogram.add(value)
  const sorted = values.toSorted((a, b) => a - b)
  for (const share of [0.01, 0.5, 0.9, 0.99, 0.999, 1]) {
    const exact = sorted[Math.ceil(share * sorted.length) - 1]!
    expect(histogram.percentile(share)).toBeGreaterThanOrEqual(exact * (1 - 1e-12))
    expect(histogram.percentile(share)).toBeLessThanOrEqual(exact * 1.126)
  }
  const { count, sum, minimum, maximum } = histogram.toJSON()
  expect([count, minimum, maximum]).toEqual([values.length, sorted[0], sorted.at(-1)])
  expect(sum).toBeCloseTo(
    values.reduce((a, b) => a + b),
    4,
  )
})

test('of nothing all is 0, and what is out of range counts', () => {
  const histogram = new Histogram()
  expect(histogram.toJSON()).toMatchObject({ count: 0, mean: 0, minimum: 0, maximum: 0, p99: 0 })
  for (const value of [0, 1e-9, 1e12]) histogram.add(value)
  expect(histogram.count).toBe(3)
  expect(histogram.percentile(1)).toBe(1e12)
  expect(histogram.percentile(0.1)).toBeLessThan(0.002)
})

test('the text of Prometheus has every metric once, and a line for each predictor', () => {
  const make = (label: string) => {
    const statistics = new Statistics()
    statistics.counts.requests = 3
    for (const rows of [1, 8, 8]) statistics.batchRows.add(rows)
    statistics.computeMilliseconds.add(2)
    return { statistics, gauges: { queued: 1, inFlight: 2, version: 3 }, labels: { model: label } }
  }
  const text = prometheusText([make('a'), make('b "quoted"\n\\')])
  const lines = text.split('\n')
  expect(lines.at(-1)).toBe('')
  const types = lines.filter((line) => line.startsWith('# TYPE'))
  expect(new Set(types).size).toBe(types.length)
  expect(lines).toContain('galvani_requests_total{model="a"} 3')
  expect(lines).toContain('galvani_requests_total{model="b \\"quoted\\"\\n\\\\"} 3')
  expect(lines).toContain('galvani_in_flight{model="a"} 2')
  expect(lines).toContain('galvani_batch_rows_bucket{model="a",le="8"} 3')
  expect(lines).toContain('galvani_batch_rows_sum{model="a"} 17')
  expect(lines).toContain('galvani_compute_seconds_sum{model="a"} 0.002')
  expect(lines).toContain('galvani_compute_seconds_bucket{model="a",le="+Inf"} 1')
  for (const line of lines.slice(0, -1))
    expect(line).toMatch(/^(# (HELP|TYPE) galvani_\w+ .+|galvani_\w+(\{.*\})? -?[\d.e+-]+)$/)
})

test('counts of buckets never fall from bound to bound, and end at all', () => {
  const histogram = new Histogram()
  for (const x of numbers(3, 500)) histogram.add(x)
  const bounds = [0.001, 0.01, 0.1, 0.5, 1, 2, 4, 10, 100, 1e6]
  const counts = histogram.atMost(bounds)
  expect(counts).toEqual(counts.toSorted((a, b) => a - b))
  expect(counts.at(-1)).toBe(500)
})

/** Metrics over all data against scikit-learn's, on the values of metrics.json, in batches of unequal sizes. */
import { readFileSync } from 'node:fs'
import { beforeEach, describe, expect, test } from 'vitest'
import * as g from '../../lib/index.ts'
import { backendNames } from '../support/backends.ts'

type Value = number | 'NaN' | readonly Value[]

interface Case {
  readonly metric: keyof typeof g.metrics.streaming
  readonly prediction: string
  readonly target: string
  readonly weights?: string
  readonly options: object
  readonly value: Value
}

interface Input {
  readonly shape: number[]
  readonly dtype: 'int32' | 'float32'
  readonly data: number[]
}

const { inputs, cases }: { inputs: Record<string, Input>; cases: readonly Case[] } = JSON.parse(
  readFileSync(new URL('../fixtures/metrics.json', import.meta.url), 'utf8'),
)

const inputOf = (name: string): g.Tensor => {
  const { shape, dtype, data } = inputs[name]!
  return g.tensor(data, { shape, dtype })
}

type Metric = g.metrics.StreamingMetric<g.Tensor, g.Tensor, unknown>

const makers = g.metrics.streaming as unknown as Record<string, (options: object) => Metric>

const cuts = [0, 20, 40, 41, 47]

/** Of batches of 20, 20, 1 and 6 rows. */
async function resultOf({ metric, prediction, target, weights, options }: Case): Promise<unknown> {
  const streaming = makers[metric]!(options)
  const [x, y] = [inputOf(prediction), inputOf(target)]
  const w = weights === undefined ? undefined : inputOf(weights)
  const updates = cuts.slice(1).map((end, i) => {
    const part = (t: g.Tensor) => t.slice(cuts[i]!, end)
    return streaming.update(part(x), part(y), w === undefined ? {} : { weights: part(w) })
  })
  await Promise.all(updates)
  return streaming.result()
}

/** Differences of numbers near 1000 in float32, whose squares are summed. */
const toleranceOf = ({ prediction, target }: Case): number =>
  prediction === 'predictedFar' || target === 'constant' ? 2e-5 : 2e-6

function expectValue(found: unknown, wanted: Value, tolerance: number): void {
  if (Array.isArray(wanted)) {
    expect(found).toHaveLength(wanted.length)
    for (const [i, value] of wanted.entries()) expectValue((found as unknown[])[i], value, tolerance)
  } else if (wanted === 'NaN') expect(found).toBeNaN()
  else {
    const text = `expected ${wanted}, got ${found}`
    expect(typeof found, text).toBe('number')
    expect(Math.abs((found as number) - (wanted as number)), text).toBeLessThanOrEqual(
      tolerance * Math.max(1, Math.abs(wanted as number)),
    )
  }
}

describe.each(backendNames)('on the %s backend', (backend) => {
  beforeEach(() => g.setBackend(backend))

  test.each([...new Set(cases.map(({ metric }) => metric))])('%s agrees with scikit-learn', async (metric) => {
    const of = cases.filter((each) => each.metric === metric)
    expect(of.length).toBeGreaterThan(2)
    for (const each of of) {
      const { prediction, target, weights = 'no weights', options } = each
      const what = `${metric} of ${prediction}, ${target}, ${weights}, ${JSON.stringify(options)}`
      try {
        expectValue(await resultOf(each), each.value, toleranceOf(each))
      } catch (error) {
        throw new Error(`${what}: ${(error as Error).message}`)
      }
    }
  })
})

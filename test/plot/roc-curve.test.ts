/** The curve that is drawn is that of all thresholds. */
import { expect, test } from 'vitest'
import * as g from '../../lib/index.ts'
import { ratesOf } from '../../lib/plot/roc-curve.ts'

/** By counting at each threshold. */
function ratesByCounting(scores: readonly number[], yes: readonly number[]): Map<string, number> {
  const share = (threshold: number, kind: number) => {
    const all = scores.filter((_, i) => yes[i] === kind)
    return all.filter((score) => score >= threshold).length / all.length
  }
  const rates = [...new Set(scores)].map((threshold): [number, number] => [share(threshold, 0), share(threshold, 1)])
  return new Map(rates.map(([x, y]) => [`${Math.fround(x)},${Math.fround(y)}`, y]))
}

test.each([
  ['all different', 1e6],
  ['with many ties', 12],
  ['of few kinds', 2],
])('scores %s', async (_, kinds) => {
  const yes = (await g.uniform([700], { seed: 1 }).greater(0.9).cast('int32').array()) as number[]
  const noise = (await g.uniform([700], { seed: 2 }).array()) as number[]
  const scores = noise.map((x, i) => Math.floor((x + yes[i]! / 3) * kinds) / kinds).map(Math.fround)
  const order = g.argsort(scores, { descending: true })
  const { truePositives, falsePositives } = ratesOf(
    g.tensor(scores).gather(order),
    g.tensor(yes).cast('int32').gather(order),
  )
  const [x, y] = [await falsePositives.data(), await truePositives.data()]
  const all = ratesByCounting(scores, yes)
  const drawn = Array.from(x, (rate, i) => `${rate},${y[i]}`)
  expect(drawn.filter((point) => !all.has(point))).toEqual([])
  // Each step of true positives is met: there are fewer of them than thresholds.
  for (const rate of new Set(all.values())) expect(Array.from(y)).toContain(Math.fround(rate))
  expect(drawn.at(-1)).toBe('1,1')
})

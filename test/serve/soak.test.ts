/**
 * A service under everything at once: each request is answered once, by its own row and one version. Some seconds in npm test,
 * GALVANI_TEST_MINUTES in npm run test:long, or GALVANI_TEST_SOAK_MINUTES where that is given.
 */
import { expect, test } from 'vitest'
import { type Soak, soak } from './support/soak.ts'

const minutes = Number(process.env.GALVANI_TEST_SOAK_MINUTES ?? process.env.GALVANI_TEST_MINUTES ?? 0)
const isLong = minutes >= 1
const options = isLong
  ? { rounds: Math.round(minutes), milliseconds: 60_000, swapEvery: 1000 }
  : { rounds: 3, milliseconds: 1000, swapEvery: 100 }

const mebibyte = 2 ** 20

test('a service answers each request once, whatever else comes', { timeout: 60_000 * (minutes + 5) }, async () => {
  const seed = Number(process.env.GALVANI_TEST_SEED ?? 1)
  const done = await soak({ seed, ...options })
  if (isLong) console.log(figures(done))
  expect(done.faults).toEqual([])
  expectSums(done)
  expectVariety(done)
  expectSteadyMemory(done)
  const { slopesSeen, server, exit } = done
  expect(server.slopes).toEqual(expect.arrayContaining([...slopesSeen]))
  expect(server.resources).toEqual([])
  expect(exit).toEqual({ code: 0, signal: null })
})

/** What the statistics say is what all who asked have seen; of those that went away either may be. */
function expectSums({ outcomes, server: { statistics, own } }: Soak): void {
  for (const [name, { requests, answered, rejected, timedOut, aborted, failed, queued, inFlight }] of Object.entries(
    statistics,
  )) {
    expect(answered + rejected + timedOut + aborted + failed, name).toBe(requests)
    expect([queued, inFlight], name).toEqual([0, 0])
  }
  const seen = (name: string) => outcomes[name] ?? 0
  const { marked, late, alike } = statistics as Record<'marked' | 'late' | 'alike', (typeof statistics)[string]>
  expect(late).toMatchObject({
    answered: seen('late 200'),
    timedOut: seen('late 504'),
    requests: late.answered + late.timedOut,
  })
  expect(alike).toMatchObject({
    answered: seen('alike 200'),
    rejected: seen('alike 429'),
    requests: alike.answered + alike.rejected,
  })
  const least = {
    answered: seen('marked 200') + own.answered,
    rejected: seen('marked 429') + seen('bad 429') + own.rejected,
    aborted: own.aborted,
  }
  const names = Object.keys(least) as (keyof typeof least)[]
  const gone = names.map((name) => marked[name] - least[name])
  expect(Math.min(...gone)).toBeGreaterThanOrEqual(0)
  expect(gone.reduce((sum, x) => sum + x)).toBeLessThanOrEqual(seen('gone'))
  expect(marked.timedOut).toBe(own.timedOut)
  expect(marked.failed).toBeGreaterThanOrEqual(own.failed)
  expect(marked.failed).toBeLessThanOrEqual(own.failed + seen('bad 400'))
}

/** Nothing of the above holds just because nothing happened. */
function expectVariety({ outcomes, versionSeen, slopesSeen, server: { own, statistics, training } }: Soak): void {
  const names = ['marked 200', 'alike 200', 'late 504', 'bad 400', 'metrics 200', 'gone', 'stalled 408']
  expect(Object.keys(outcomes)).toEqual(expect.arrayContaining(names))
  for (const name of ['answered', 'aborted', 'failed'] as const) expect(own[name], name).toBeGreaterThan(0)
  expect(versionSeen).toBeGreaterThan(2)
  expect(slopesSeen.size).toBeGreaterThan(2)
  expect(training.swaps).toBeGreaterThan(2)
  expect(statistics.marked!.batchRows.maximum).toBeGreaterThan(4)
}

function expectSteadyMemory({ quiet, rss }: Soak): void {
  const [first, last] = [quiet[1] ?? quiet[0]!, quiet.at(-1)!]
  for (const kind of ['heapUsed', 'external', 'arrayBuffers'] as const)
    expect((last[kind] - first[kind]) / mebibyte, kind).toBeLessThan(2)
  // The first minute is for warming up, so there have to be three of them. It may well be less: systems take back what nobody touches.
  if (isLong && rss.length > 2) expect(rss.at(-1)! / rss[1]!).toBeLessThan(1.05)
}

const figures = ({ outcomes, rates, latency, rss, quiet, versionSeen, server }: Soak): string =>
  JSON.stringify(
    {
      ...{ outcomes, rates, latency, versionSeen, own: server.own, training: { ...server.training, last: undefined } },
      rssMiB: rss.map((x) => (x / mebibyte).toFixed(1)),
      heapMiB: quiet.map(({ heapUsed }) => (heapUsed / mebibyte).toFixed(2)),
      statistics: server.statistics,
    },
    null,
    1,
  )

import { expect, test } from 'vitest'
import { cases, Tally } from '../suite.ts'
import { run } from './index.ts'

test('mutated programs are refused or run, by both verifiers and backends alike', { timeout: 300_000 }, async () => {
  const tally = new Tally()
  await run(Number(process.env.GALVANI_TEST_SEED ?? 4), cases(5000), tally)
  expect(tally.faults).toEqual([])
  for (const [outcome, least] of [
    ['refused', 2000],
    ['ran', 300],
    ['compared', 80],
    ['lent', 20],
    ['not lent', 20],
  ] as const)
    expect(tally.counts.get(outcome), outcome).toBeGreaterThan(least)
})

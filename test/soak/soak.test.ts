import { expect, test } from 'vitest'
import { cases, Tally } from '../fuzz/suite.ts'
import { run } from './index.ts'

test('what a service does leaves no memory behind', { timeout: 600_000 }, async () => {
  const tally = new Tally()
  await run(Number(process.env.GALVANI_TEST_SEED ?? 1), cases(5), tally)
  expect(tally.faults).toEqual([])
  expect([...tally.counts.keys()].map((name) => name.replace(/,.*/, ''))).toEqual([
    ...['steps', 'fits', 'shapes', 'workers'],
    'fit beside the event loop',
  ])
})

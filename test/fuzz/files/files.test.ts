import { expect, test } from 'vitest'
import { cases, Tally } from '../suite.ts'
import { formats } from './formats.ts'
import { run } from './index.ts'

/** Of each format, about; `npm run test:long` tries more. */
const count = Number(process.env.GALVANI_TEST_FILES ?? 1500)

test('damaged files are read or refused', { timeout: 200 * count }, async () => {
  const tally = new Tally()
  await run(Number(process.env.GALVANI_TEST_SEED ?? 1), cases(count * formats.length), tally)
  expect(tally.faults).toEqual([])
  for (const { name } of formats) {
    expect(tally.counts.get(`read ${name}`), name).toBeGreaterThan(count / 10)
    expect(tally.counts.get(`refused ${name}`), name).toBeGreaterThan(count / 10)
  }
})

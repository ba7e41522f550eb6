import { expect, test } from 'vitest'
import { Random } from '../fuzz/random.ts'
import { digestsAfterKills, train } from '../support/killed.ts'

/** How many, of which npm run test:long wants more. */
const kills = Number(process.env.GALVANI_TEST_KILLS ?? 12)

test(`a training that is killed ${kills} times ends with the bits of one that is not`, {
  timeout: 20_000 + kills * 10_000,
}, async () => {
  const random = new Random(Number(process.env.GALVANI_TEST_SEED ?? 1), 0)
  const { digest } = await train(undefined)
  expect(digest).toMatch(/^[0-9a-f]{64}$/)
  const { digests, left } = await digestsAfterKills(kills, () => {
    const when = random.pick(['KILL_AT_RENAME', 'KILL_AFTER_RENAME'])
    if (random.oneIn(2)) return { env: Object.fromEntries([[when, String(1 + random.below(6))]]) }
    return { milliseconds: random.below(400) }
  })
  expect(new Set(digests)).toEqual(new Set([digest]))
  // What killed processes left is gone, and no more is kept than was asked for.
  expect(left.filter((name) => !/^(best|step-\d{10})\.safetensors$/.test(name))).toEqual([])
  expect(left.length).toBeLessThanOrEqual(3 * digests.length)
})

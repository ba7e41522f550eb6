/** tools/testing/repeat.ts: a command under one seed after another, until the time is over or it fails. */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const file = fileURLToPath(new URL('../../tools/testing/repeat.ts', import.meta.url))

function repeat(seconds: number, code: string) {
  const args = ['--import', 'tsx', file, String(seconds / 60), 'node', '-e', code]
  const { status, stdout } = spawnSync(process.execPath, args, { encoding: 'utf8' })
  return { status, stdout }
}

test('runs at least once, without what a good run prints', () => {
  const { status, stdout } = repeat(0, "console.log('noise')")
  expect(status).toBe(0)
  expect(stdout).toMatch(/^GALVANI_TEST_SEED=\d+: passed\n$/)
})

test('takes other seeds until the time is over', () => {
  const { status, stdout } = repeat(2, '')
  expect(status).toBe(0)
  const seeds = stdout.match(/\d+/g)!
  expect(seeds.length).toBeGreaterThan(1)
  expect(new Set(seeds).size).toBe(seeds.length)
})

test('ends at the first failure, with its seed and all that it printed', () => {
  const { status, stdout } = repeat(60, "console.log('seed', process.env.GALVANI_TEST_SEED); process.exit(3)")
  expect(status).toBe(1)
  expect(stdout).toMatch(/^GALVANI_TEST_SEED=(\d+): failed\nseed \1\n\n$/)
})

import { expect, test } from 'vitest'
import { keepers } from './kept.ts'

test('no public function keeps a list or options of its caller', { timeout: 300_000 }, async () => {
  const { found, tried } = await keepers()
  expect(found).toEqual([])
  expect(tried).toBeGreaterThan(2000)
})

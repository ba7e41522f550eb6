/** Training happens off the event loop: looks at the clock, so that npm test runs it alone. */
import { expect, test } from 'vitest'
import { report } from './host/process.ts'

test('the event loop is free while training', { timeout: 120_000 }, async () => {
  const [{ p99, ticks }] = (await report<{ p99: number; ticks: number }>('event-loop')) as [
    { p99: number; ticks: number },
  ]
  console.log(`event-loop delay p99 while training: ${p99.toFixed(2)} ms`)
  expect(p99).toBeLessThan(20)
  expect(ticks).toBeGreaterThan(10)
})

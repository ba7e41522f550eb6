/** Training leaves no memory behind. npm run test:long takes more steps. */
import { expect, test } from 'vitest'
import { report } from './host/process.ts'

const minutes = Number(process.env.GALVANI_TEST_MINUTES ?? 0)
const steps = 10_000 * (1 + minutes)

test(`memory is steady over ${steps} steps`, { timeout: 60_000 * (3 + minutes) }, async () => {
  const growths = await report<[string, Record<string, number>]>('memory', [String(steps)])
  console.log(`growth over ${steps} steps in MiB: ${JSON.stringify(Object.fromEntries(growths))}`)
  const loops = ['sync', 'async', 'overlapping', 'uncompiled', 'numbers', 'shapes', 'optimizer']
  expect(growths.map(([name]) => name)).toEqual(loops)
  for (const [name, { rss, heapUsed, external, arrayBuffers }] of growths) {
    // The heap breathes by some MiB; a leak of one small buffer a step would be more than that.
    // Preparing programs all the time leaves a larger heap of V8; scratch memory for each of them would be 200 MiB.
    expect(rss, `${name}: rss`).toBeLessThan(name === 'shapes' ? 100 : 32)
    expect(heapUsed, `${name}: heapUsed`).toBeLessThan(1)
    expect(external, `${name}: external`).toBeLessThan(1)
    expect(arrayBuffers, `${name}: arrayBuffers`).toBeLessThan(1)
  }
})

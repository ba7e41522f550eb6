/** Event files of TensorBoard: damaged ones, and events that are damaged within records that are whole. */
import assert from 'node:assert'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as g from '../../../lib/index.ts'
import { readEvents, recordsOf } from '../../../lib/tensorboard/index.ts'
import { framed } from '../../../lib/tensorboard/wire/frames.ts'
import { mutated } from './bytes.ts'
import type { Format } from './format.ts'

const files = ['old', 'new'].map(
  (name) => new Uint8Array(readFileSync(new URL(`../../fixtures/tensorboard/${name}.tfevents`, import.meta.url))),
)

/** The bytes of each event. */
const events: Uint8Array[] = []
for (const file of files)
  for await (const { start, end } of readEvents(file)) events.push(file.slice(start + 12, end - 4))

async function checkEvents(from: string | Uint8Array, size: number): Promise<void> {
  let before = 0
  for await (const event of readEvents(from, { maxEventBytes: 1 << 16 })) {
    assert.equal(event.start, before)
    assert(event.end > event.start && event.end <= size)
    before = event.end
    for (const record of recordsOf(event)) {
      assert(JSON.stringify(record).length > 0)
      if (record.type !== 'histogram') continue
      const { counts, edges } = record.value
      assert.equal(edges.length, counts.length + 1)
      assert([...counts, ...edges].every(Number.isFinite))
    }
  }
  assert.deepEqual(Object.keys(Object.prototype), [])
}

export const tensorboard: Format = {
  name: 'tensorboard',
  sample: (random) => random.pick(files),
  async read(bytes, random, folder) {
    const parts = [1, 2].map(() => framed(mutated(random.pick(events), random)))
    const given = random.oneIn(2) ? bytes : Buffer.concat(parts)
    const path = join(folder, 'events.out.tfevents.1')
    if (random.oneIn(8)) writeFileSync(path, given)
    else return checkEvents(given, given.length)
    await checkEvents(path, given.length)
  },
  refuses: (error) =>
    error instanceof g.DataFormatError && /^readEvents: expected .+, got .+ \(.+, at byte \d+\)$/s.test(error.message),
}

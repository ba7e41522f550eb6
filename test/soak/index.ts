/** Memory, workers and the event loop over a long time: a suite of `npm run fuzz`, whose cases are rounds of work. */
import { fileURLToPath } from 'node:url'
import { again, type Run } from '../fuzz/suite.ts'
import { watch } from '../fuzz/watch.ts'

const script = fileURLToPath(new URL('child.ts', import.meta.url))

export const run: Run = (seed, budget, report) =>
  watch({ script, seed, again: (number) => again('soak', seed, number), hangs: 300_000 }, budget, report)

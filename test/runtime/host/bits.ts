import { setBackend, setNumThreads } from '../../../lib/backend/active.ts'
import { trainAsync, trainSync } from './training.ts'

setBackend('native')
const digests: Record<string, string> = { untrained: trainSync(0) }
for (const threads of [1, 2]) {
  setNumThreads(threads)
  digests[`sync on ${threads}`] = trainSync(20)
  digests[`async on ${threads}`] = await trainAsync(20)
}
console.log(JSON.stringify(digests))

/** Four workers train at once; each gets what it gets alone. */
import { isMainThread, parentPort, type Worker } from 'node:worker_threads'
import { setBackend } from '../../../lib/backend/active.ts'
import { trainAsync, trainSync } from './training.ts'
import { startWorker } from './worker.ts'

setBackend('native')

async function digestOf(worker: Worker): Promise<string[]> {
  return new Promise((resolve, reject) => {
    worker.once('message', resolve)
    worker.once('error', reject)
  })
}

if (isMainThread) {
  const alone = trainSync(20)
  const workers = Array.from({ length: 4 }, () => startWorker(import.meta.url))
  const digests = await Promise.all([...workers.map(digestOf), trainAsync(20)])
  console.log(JSON.stringify({ alone, digests: digests.flat() }))
} else {
  parentPort!.postMessage([trainSync(20), await trainAsync(20)])
}

/** A process, and a worker in it, that follow the parameters of another thread and have nothing else to do: both end. */
import { isMainThread, workerData } from 'node:worker_threads'
import { predictor, type SharedParameters } from '../../../lib/serve/index.ts'
import { Versioned } from '../../support/versioned.ts'
import { startWorker } from './worker.ts'

const isPolling = isMainThread ? process.argv[2] === 'polling' : workerData.isPolling
if (isPolling) Reflect.deleteProperty(Atomics, 'waitAsync')

async function follow(shared?: SharedParameters): Promise<SharedParameters> {
  const p = await predictor(new Versioned(4), { inputShape: [1], maxBatch: 1 })
  if (shared !== undefined) p.follow(shared)
  return p.share()
}

if (isMainThread) {
  const shared = await follow()
  await follow(shared)
  startWorker(import.meta.url, { isPolling, shared }).once('exit', (code) => console.log(`worker ${code}`))
} else await follow(workerData.shared)

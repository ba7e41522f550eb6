/** What is under way when a process or a worker ends, by the name of the case. */
import { isMainThread, parentPort, type Worker, workerData } from 'node:worker_threads'
import { setBackend } from '../../../lib/backend/active.ts'
import { training } from './training.ts'
import { startWorker } from './worker.ts'

setBackend('native')
const name = isMainThread ? process.argv[2] : workerData

/** Runs that take a while, none of them awaited. */
function start(count: number): Promise<unknown>[] {
  const { step, images, labels } = training()
  return Array.from({ length: count }, () => step(images, labels))
}

async function endWorker(end: (worker: Worker) => Promise<unknown>): Promise<void> {
  const worker = startWorker(import.meta.url, 'busy')
  await new Promise((resolve) => worker.once('message', resolve))
  await end(worker)
}

const cases: Record<string, () => unknown> = {
  /** Everything was awaited. */
  idle: () => Promise.all(start(3)),
  /** The process stays until what is under way has ended. */
  unawaited() {
    for (const run of start(5)) run.then(() => console.log('settled'))
  },
  exit() {
    start(200)
    process.exit(7)
  },
  async terminate() {
    for (let i = 0; i < 3; i++) await endWorker((worker) => worker.terminate())
    await Promise.all(start(2))
  },
  throw() {
    start(200)
    throw new Error('thrown on purpose')
  },
  busy() {
    start(500)
    parentPort!.postMessage('started')
  },
}

await cases[name]!()
if (isMainThread) console.log('end')

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

/** A worker that does what the case says, once it has begun. */
async function beginWorker(name: string): Promise<Worker> {
  const worker = startWorker(import.meta.url, name)
  await new Promise((resolve) => worker.once('message', resolve))
  return worker
}

/**
 * With which code a worker ends that does what the case says. Who listens does so from the beginning: the worker's
 * last words can arrive in one turn with its first.
 */
function codeOfWorker(name: string): Promise<number> {
  const worker = startWorker(import.meta.url, name)
  worker.once('error', ({ message }) => console.log(message))
  return new Promise((resolve) => worker.once('exit', resolve))
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
  'exit after a run'() {
    const runs = start(200)
    runs[1]!.then(() => process.exit(8))
    for (const run of runs.slice(20)) run.then(() => console.log('too late'))
  },
  'exit in a listener'() {
    process.once('exit', () => start(20))
    start(200)
    process.exit(9)
  },
  async 'exit with workers'() {
    await Promise.all([beginWorker('busy'), beginWorker('busy'), ...start(1)])
    start(200)
    process.exit(10)
  },
  async terminate() {
    for (let i = 0; i < 3; i++) console.log(await (await beginWorker('busy')).terminate())
    await Promise.all(start(2))
  },
  async 'exits of workers'() {
    for (const name of ['worker exits', 'worker exits after a run', 'worker throws']) {
      console.log(await codeOfWorker(name))
      await Promise.all(start(2))
    }
  },
  throw() {
    start(200)
    throw new Error('thrown on purpose')
  },
  busy() {
    start(500)
    parentPort!.postMessage('started')
  },
  'worker exits'() {
    cases.busy!()
    process.exit(11)
  },
  'worker exits after a run'() {
    parentPort!.postMessage('started')
    const runs = start(200)
    runs[1]!.then(() => process.exit(12))
    for (const run of runs.slice(20)) run.then(() => console.log('too late'))
  },
  'worker throws'() {
    cases.busy!()
    throw new Error('thrown in a worker')
  },
}

await cases[name]!()
if (isMainThread) console.log('end')

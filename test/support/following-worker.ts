/** Serves `Versioned` in a worker, by the parameters of another thread, and says what of its answers was seen when it is asked. */
import { parentPort, workerData } from 'node:worker_threads'
import { predictor } from '../../lib/serve/index.ts'
import { Versioned } from './versioned.ts'

const { shared, size } = workerData
const p = await predictor<Float32Array>(new Versioned(size), { inputShape: [1], maxBatch: 2 })
p.follow(shared)

const seen = { answers: 0, mixed: 0, backwards: 0, versions: 0, newest: 0 }

async function askOn(): Promise<void> {
  for (;;) {
    const [least, most] = (await p.predict([0])) as unknown as [number, number]
    seen.answers++
    if (least !== most) seen.mixed++
    if (most < seen.newest) seen.backwards++
    if (most > seen.newest) seen.versions++
    seen.newest = most
    await new Promise(setImmediate)
  }
}

parentPort!.on('message', () => parentPort!.postMessage({ ...seen, version: p.version }))
parentPort!.postMessage('ready')
void askOn()

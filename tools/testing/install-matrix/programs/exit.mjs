/** Reports, then ends with runs under way, here and in a worker. */
import { isMainThread, parentPort, Worker } from 'node:worker_threads'
import * as g from 'galvani'
import { main } from './train.cjs'

/** Seconds of work. */
function begin() {
  const x = g.ones([1024, 1024])
  for (let i = 0; i < 100; i++) x.mul(i).matmul(x).data()
}

if (isMainThread) {
  await main(g)
  await new Promise((resolve) => new Worker(new URL(import.meta.url)).once('message', resolve))
  begin()
  process.exit()
} else {
  begin()
  parentPort.postMessage('begun')
}

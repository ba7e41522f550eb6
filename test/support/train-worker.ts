/** Trains in a worker thread and sends its weights home. */
import { parentPort } from 'node:worker_threads'
import { trainedWeights } from './mlp.ts'

parentPort!.postMessage(trainedWeights(30))

/** Trains in as many workers as the argument says and in the main thread, all at once; each reports. */
import { isMainThread, Worker } from 'node:worker_threads'
import * as g from 'galvani'
import { main } from './train.cjs'

if (isMainThread) for (let i = Number(process.argv[2]); i > 0; i--) new Worker(new URL(import.meta.url))
main(g)

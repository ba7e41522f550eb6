/** Steps while every thread of libuv's pool is blocked. Wants UV_THREADPOOL_SIZE=1, and the name of a fifo. */
import { closeSync, constants, open, openSync } from 'node:fs'
import { setBackend } from '../../../lib/backend/active.ts'
import { training } from './training.ts'

setBackend('native')
const fifo = process.argv[2]!
let isOpen = false
open(fifo, 'r', () => {
  isOpen = true
})
const { step, images, labels } = training()
for (let i = 0; i < 5; i++) await step(images, labels)
console.log(JSON.stringify({ blocked: !isOpen }))
// The other end lets the pool go, so that the process can end.
closeSync(openSync(fifo, constants.O_WRONLY | constants.O_NONBLOCK))

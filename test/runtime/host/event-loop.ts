/** The delay of the event loop while a perceptron of real size is trained. */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setBackend } from '../../../lib/backend/active.ts'
import { training } from './training.ts'

setBackend('native')
const { step, images, labels } = training()
for (let i = 0; i < 10; i++) await step(images, labels)
const delay = monitorEventLoopDelay({ resolution: 1 })
delay.enable()
let ticks = 0
const timer = setInterval(() => ticks++, 1)
for (let i = 0; i < 300; i++) await step(images, labels)
clearInterval(timer)
delay.disable()
console.log(JSON.stringify({ p99: delay.percentile(99) / 1e6, ticks }))

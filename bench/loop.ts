/**
 * How long a server in the same process has to wait while models are made, trained and read: an HTTP server is asked every few
 * milliseconds, and the turns of the event loop are timed. On a busy machine a turn may be long because the thread waits for
 * a processor, which Linux tells from what it does itself: running, or blocked by a lock or for memory.
 */
import { Agent, createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { loadavg } from 'node:os'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout } from 'node:timers/promises'
import * as g from '../lib/index.ts'
import { printTable } from './harness.ts'
import { mainThreadTimes } from './thread-time.ts'

interface Turn {
  readonly all: number
  readonly ran: number
  readonly waited: number
}

const nothing: Turn = { all: 0, ran: 0, waited: 0 }

/** What a turn took of the event loop by itself. */
const own = ({ all, waited }: Turn): number => all - waited

/** Looks at the clock once a millisecond, where the loop turns that often. */
function watchTurns() {
  const read = mainThreadTimes()
  let [start, [ran, waited]] = [performance.now(), read()]
  let [longest, worst] = [nothing, nothing]
  const timer = setInterval(() => {
    const [now, [ranNow, waitedNow]] = [performance.now(), read()]
    const turn = { all: now - start, ran: ranNow - ran, waited: waitedNow - waited }
    if (turn.all > longest.all) longest = turn
    if (own(turn) > own(worst)) worst = turn
    ;[start, ran, waited] = [now, ranNow, waitedNow]
  }, 1)
  return () => {
    clearInterval(timer)
    return { longest, worst }
  }
}

/** A server, and how long its answers took since they were asked for the last time. */
async function startServer() {
  const server = createServer((_, response) => response.end('here'))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const agent = new Agent({ keepAlive: true })
  const answers: number[] = []
  const ask = () =>
    new Promise<void>((resolve, reject) => {
      const start = performance.now()
      const sent = request({ port, host: '127.0.0.1', agent }, (response) => {
        response.resume().on('end', () => {
          answers.push(performance.now() - start)
          resolve()
        })
      })
      sent.on('error', reject).end()
    })
  let isOpen = true
  const asking = (async () => {
    for (; isOpen; await setTimeout(3)) await ask()
  })()
  const close = async () => {
    isOpen = false
    await asking
    agent.destroy()
    server.close()
  }
  return { answers: () => answers.splice(0), close }
}

type Server = Awaited<ReturnType<typeof startServer>>

async function measure<T>(rows: Record<string, string | number>[], server: Server, what: string, fn: () => T) {
  await setTimeout(30)
  server.answers()
  const delay = monitorEventLoopDelay({ resolution: 1 })
  delay.enable()
  const stop = watchTurns()
  const start = performance.now()
  const result = await fn()
  const ms = performance.now() - start
  await setTimeout(20)
  const { longest, worst } = stop()
  delay.disable()
  rows.push({
    what,
    ms,
    'longest turn': longest.all,
    'longest but for waits': own(worst),
    'delay p99': delay.percentile(99) / 1e6,
    'longest answer': Math.max(0, ...server.answers()),
  })
  return result
}

const perceptron = () =>
  g.nn.sequential(g.nn.linear(784, 2048), g.nn.relu(), g.nn.linear(2048, 2048), g.nn.relu(), g.nn.linear(2048, 10))

export async function benchLoop(): Promise<void> {
  const server = await startServer()
  const rows: Record<string, string | number>[] = []
  const step = <T>(what: string, fn: () => T) => measure(rows, server, what, fn)
  const count = 10_240
  const labels = Int32Array.from({ length: count }, (_, i) => i % 10)
  const data = g.data.fromTensors(g.uniform([count, 784]), g.tensor(labels))
  await g.evaluate(g.ones([1]).add(1))
  const fit = (model: g.nn.Module) =>
    g.fit(model, data, { loss: 'crossEntropy', optimizer: g.optim.adam(), batchSize: 1024, metrics: ['accuracy'] })
  await step('nothing', () => setTimeout(500))
  await step('load the data', () => data.load())
  const model = await step('make 784-2048-2048-10', perceptron)
  await step('fit it, 10 steps of 1024', () => fit(model))
  await step('make and fit two at once', () => Promise.all([fit(perceptron()), fit(perceptron())]))
  await step('minimizeAsync, first step', () => {
    const w = g.variable(g.randn([2048, 2048]))
    return g.optim.adam().minimizeAsync(() => w.square().mean())
  })
  await step('data() of all weights', () => Promise.all(model.parameters().map((w) => w.data())))
  const [big] = await g.evaluate(g.uniform([2000, 2000]))
  await step('array() [2000, 2000]', () => big.array())
  await step('array() [2000000, 2]', () => big.reshape([2_000_000, 2]).array())
  await step('tensor(10 000 000 numbers)', () => g.tensor(new Float32Array(10_000_000)))
  await server.close()
  printTable(`event loop beside an HTTP server, ms; load ${loadavg()[0]?.toFixed(1)}`, rows)
}

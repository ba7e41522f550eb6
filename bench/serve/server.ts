/** A server of one side, in a process of its own, and what is measured inside it. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { Predictor } from '../../lib/serve/index.ts'
import { mainThreadTimes } from '../thread-time.ts'
import { answerParent } from './child.ts'
import { type Learner, rowOf } from './learner.ts'
import { createSide, type SideOptions } from './sides.ts'

export type ServerQuestion =
  | { readonly start: SideOptions }
  /** Milliseconds of a training step by itself, and whether to train from now on. */
  | { readonly stepTime: true }
  | { readonly train: boolean }
  /** Rows a second without HTTP. */
  | { readonly predict: PredictLoad }
  | { readonly watch: true }
  | { readonly watched: true }

export interface PredictLoad {
  readonly seconds: number
  /** Of a call. */
  readonly rows: number
  /** Calls that are under way. */
  readonly calls: number
}

/** Since it was told to watch. */
export interface Watched {
  /** Of the turns of the event loop, in milliseconds beyond the one that its timer takes. */
  readonly delay99: number
  /** Of processors that the process used, and of one that the thread of the event loop did. */
  readonly processors: number
  readonly loop: number
  /** Rows of a batch in the mean; 0 where nothing is known of batches. */
  readonly batchRows: number
  /** Training steps. */
  readonly steps: number
}

const resolution = 1
const delay = monitorEventLoopDelay({ resolution })
const mainThread = mainThreadTimes()
let served: Predictor | undefined
let learner: Learner | undefined

async function start(options: SideOptions): Promise<number> {
  const side = await createSide(options)
  ;({ predictor: served, learner } = side)
  const server = createServer(side.handle)
  await new Promise<void>((resolve) => server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, resolve))
  return (server.address() as AddressInfo).port
}

async function predict({ seconds, rows, calls }: PredictLoad): Promise<number> {
  const row = rowOf(served!.inputs[0]!.shape as readonly number[], rows)
  const start = performance.now()
  let answered = 0
  const ask = async () => {
    for (; performance.now() - start < 1000 * seconds; answered += rows) await served!.predict(row)
  }
  await Promise.all(Array.from({ length: calls }, ask))
  return (1000 * answered) / (performance.now() - start)
}

function counts() {
  const { count, sum } = served?.statistics().batchRows ?? { count: 0, sum: 0 }
  return { time: performance.now(), loop: mainThread()[0], rows: sum, batches: count, steps: learner?.steps ?? 0 }
}

let [before, used] = [counts(), process.cpuUsage()]

function watch(): void {
  delay.enable()
  delay.reset()
  ;[before, used] = [counts(), process.cpuUsage()]
}

function watched(): Watched {
  delay.disable()
  const { user, system } = process.cpuUsage(used)
  const now = counts()
  const milliseconds = now.time - before.time
  return {
    delay99: Math.max(0, delay.percentile(99) / 1e6 - resolution),
    processors: (user + system) / 1000 / milliseconds,
    loop: (now.loop - before.loop) / milliseconds,
    batchRows: (now.rows - before.rows) / Math.max(1, now.batches - before.batches),
    steps: now.steps - before.steps,
  }
}

answerParent((question: ServerQuestion) => {
  if ('start' in question) return start(question.start)
  if ('stepTime' in question) return learner!.stepTime()
  if ('train' in question) return learner!.train(question.train)
  if ('predict' in question) return predict(question.predict)
  return 'watch' in question ? watch() : watched()
})

/**
 * The server of the soak, in a process of its own: models behind HTTP, one swapped again and again and one that learns, with calls in the
 * process beside those that come over the network. It tells its parent what it sees, and once it is closed what it has done.
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import * as g from '../../../lib/index.ts'
import { handler } from '../../../lib/serve/http/index.ts'
import {
  onlineTrainer,
  type Predictor,
  type PredictorStatistics,
  predictor,
  QueueFullError,
  type RequestOptions,
  type RowValues,
  TimeoutError,
} from '../../../lib/serve/index.ts'
import { Random } from '../../fuzz/random.ts'
import { Alike, Marked } from './soak-models.ts'
import { markedVersion, rowNumbers, rowOf } from './soak-rows.ts'

/** What a process needs of memory. */
export type Usage = Pick<NodeJS.MemoryUsage, 'rss' | 'heapUsed' | 'external' | 'arrayBuffers'>

/** How calls ended, by the names of the statistics. */
export type Outcomes = Record<'answered' | 'rejected' | 'timedOut' | 'aborted' | 'failed', number>

/** What the server says. */
export type Message =
  | { readonly kind: 'ready'; readonly port: number }
  | { readonly kind: 'report'; readonly rss: number }
  /** Without anything under way, and of what nobody holds any more. */
  | { readonly kind: 'quiet'; readonly usage: Usage }
  | {
      readonly kind: 'closed'
      readonly statistics: Readonly<Record<string, PredictorStatistics>>
      /** Of the calls in the process of the model that is swapped. */
      readonly own: Outcomes
      /** All slopes that were ever served. */
      readonly slopes: readonly number[]
      readonly training: ReturnType<ReturnType<typeof onlineTrainer>['statistics']>
      readonly faults: readonly string[]
      /** What keeps the process, beside the pipes to its parent. */
      readonly resources: readonly string[]
    }

/** What it is told. */
export type Order = 'work' | 'rest' | 'close'

const faults: string[] = []
const fault = (text: string) => void (faults.length < 20 && faults.push(text))
process.on('unhandledRejection', (error) => fault(`nobody waits for ${(error as Error).stack}`))
process.on('warning', (warning) => fault(`a warning: ${warning.stack}`))

const say = (message: Message) => process.send!(message)

const random = new Random(Number(process.argv[2]), 0)
const marked = new Marked()
const alike = new Alike()
const inputShape = [2]
const predictors = {
  marked: await predictor<Float32Array[]>(marked, { inputShape, maxBatch: 32, maxQueue: 256, finiteOnly: true }),
  // Whose requests are out of time, as never so many come meanwhile.
  late: await predictor(marked, { inputShape, maxBatch: 512, sizes: [], maxDelay: 60_000, timeout: 15 }),
  alike: await predictor(alike, { inputShape, maxBatch: 16, maxQueue: 256 }),
}

/** The version by version of the swapped model, which says its number. */
function swap(): void {
  marked.mark(predictors.marked.version + 1)
  for (const each of [predictors.marked, predictors.late]) each.swap()
}

const slopes = new Set<number>([0])
const trainer = onlineTrainer(alike, {
  predictor: predictors.alike as Predictor,
  optimizer: g.optim.sgd({ learningRate: 256 }),
  loss: (prediction: g.Tensor, target: g.Tensor) =>
    g.losses.meanSquaredError(g.split(prediction, [2, 4], 1)[1], g.concat([target, target, target, target], 1)),
  targetShape: [1],
  targetDtype: 'float32',
  onRound: ({ outcome, version }) => {
    if (outcome === 'swapped') keepSlope()
    if (outcome === 'undone') fault(`a round of training was undone at version ${version}`)
  },
})

function keepSlope(): void {
  const values = [...predictors.alike.snapshot().values()].map((value) => value.max().itemSync() as number)
  if (new Set(values).size > 1) fault(`slopes that were learned alike are ${values}`)
  slopes.add(values[0]!)
}

let learned = 0
/** Rows of a slope that is another one from time to time, so that there is always something to learn. */
function learn(): void {
  const slope = 1 + (Math.floor(learned / 2000) % 5)
  const rows = Array.from({ length: 4 }, () => rowOf(learned++))
  trainer.learn(
    rows,
    rows.map(([, mark]) => [slope * mark]),
  )
  const { versions } = trainer.statistics()
  if (random.oneIn(200)) trainer.rollback(versions[0]!).then(keepSlope, (error) => fault(`rollback: ${error.stack}`))
}

const own: Outcomes = { answered: 0, rejected: 0, timedOut: 0, aborted: 0, failed: 0 }
const underWay = new Set<Promise<void>>()
let nextRow = 0

/** A call in the process, which is to end in one of some ways. */
function call(
  allowed: readonly (keyof Outcomes)[],
  options?: RequestOptions,
  bad: { rows: unknown } | null = null,
): void {
  const first = rowNumbers + nextRow
  const count = 1 + random.below(4)
  nextRow = (nextRow + count) % (rowNumbers - 4)
  const version = predictors.marked.version
  const rows = Array.from({ length: count }, (_, i) => rowOf(first + i))
  const ended = predictors.marked.predict(bad === null ? rows : (bad.rows as RowValues), options).then(
    (answers) => {
      checkAnswers(first, count, answers, version)
      return 'answered' as const
    },
    (error) => {
      if (error instanceof QueueFullError) return 'rejected'
      if (error instanceof TimeoutError) return 'timedOut'
      return error === taken ? 'aborted' : 'failed'
    },
  )
  const counted: Promise<void> = ended.then((outcome) => {
    own[outcome]++
    if (outcome !== 'rejected' && !allowed.includes(outcome)) fault(`a call that was to be ${allowed} is ${outcome}`)
    underWay.delete(counted)
  })
  underWay.add(counted)
}

/** No row is of a version before the one that was served when it came. */
function checkAnswers(first: number, count: number, answers: readonly Float32Array[], least: number): void {
  if (answers.length !== count) fault(`${answers.length} answers to ${count} rows`)
  for (const [i, answer] of answers.entries()) {
    const version = markedVersion(first + i, answer)
    if (typeof version === 'string') fault(version)
    else if (version < least || version > predictors.marked.version) fault(`version ${version} served as ${least}`)
  }
}

const taken = new Error('taken back')
const badRows: readonly unknown[] = [[1], [[1, 2, 3]], [], [Number.NaN, 1], [Infinity, 0], 'row', null, { x: [1, 2] }]

/** Each call in one of the ways in which a caller may use it, or misuse it. */
const calls: readonly (() => void)[] = [
  () => call(['answered']),
  () => call(['answered'], { priority: random.below(10) }),
  () => call(['failed'], {}, { rows: random.pick(badRows) }),
  () => call(['aborted'], { signal: AbortSignal.abort(taken) }),
  () => call(['answered', 'timedOut'], { timeout: random.below(4) }),
  () => {
    // One signal of several calls, at once or after some turns.
    const controller = new AbortController()
    const options = { signal: controller.signal, timeout: 1e9 }
    for (let i = 0; i < 3; i++) call(['answered', 'aborted'], options)
    if (random.oneIn(2)) controller.abort(taken)
    else setTimeout(() => controller.abort(taken), random.below(6))
  },
]

/** Sockets that are closed are let go of some turns later. */
async function resourcesLeft(): Promise<string[]> {
  let left: string[] = []
  for (const end = performance.now() + 2000; performance.now() < end; ) {
    left = process.getActiveResourcesInfo().filter((name) => name !== 'PipeWrap')
    if (left.length === 0) break
    await new Promise((resolve) => setImmediate(resolve))
  }
  return left
}

let timers: NodeJS.Timeout[] = []
let turn = 0
const orders: Record<Order, () => void | Promise<void>> = {
  work() {
    timers = [
      setInterval(swap, Number(process.argv[3])),
      setInterval(() => calls[turn++ % calls.length]!(), 5),
      setInterval(learn, 5),
      setInterval(() => say({ kind: 'report', rss: process.memoryUsage.rss() }), 250),
    ]
  },
  async rest() {
    for (const timer of timers) clearInterval(timer)
    await Promise.all([...underWay, trainer.idle()])
    for (let i = 0; i < 4; i++) {
      globalThis.gc!()
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    say({ kind: 'quiet', usage: process.memoryUsage() })
  },
  async close() {
    for (let i = 0; i < 50; i++) call(['answered'])
    await Promise.all([trainer.close(), ...Object.values(predictors).map((each) => each.close())])
    await Promise.all(underWay)
    server.close()
    server.closeAllConnections()
    const statistics = Object.fromEntries(Object.entries(predictors).map(([name, each]) => [name, each.statistics()]))
    const training = trainer.statistics()
    say({ kind: 'closed', statistics, own, slopes: [...slopes], training, faults, resources: await resourcesLeft() })
    // It ends by itself from here on, if nothing keeps it.
    process.disconnect()
  },
}

// A connection that waits for its next request is not closed: one that is sent at that moment would be nobody's fault.
const server = createServer(
  { keepAliveTimeout: 0 },
  handler({ models: predictors, maxBody: 65_536, maxRows: 16, bodyTimeout: 500 }),
)
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
process.on('message', (order: Order) => void orders[order]())
say({ kind: 'ready', port: (server.address() as AddressInfo).port })

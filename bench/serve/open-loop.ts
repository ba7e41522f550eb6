/**
 * Load on a server, from a process of its own. In the open loop requests are sent when they are meant to be, and timed from then, however long others
 * take; so a server that stands still for a second is charged with all that came in that second, and the client with its own lag, which is
 * told. In the closed loop a connection sends its next request once it has its answer: that many requests are as many as a server can answer.
 */

import { answerParent } from './child.ts'
import { ConnectionPool, type Status } from './connection.ts'
import { quantile } from './numbers.ts'
import { type Arrivals, intendedTimes } from './schedule.ts'

export interface Load {
  /** Of the processes of a server. */
  readonly ports: readonly number[]
  /** The bytes of a request. */
  readonly request: Uint8Array
  readonly connections: number
  readonly seconds: number
  /** Requests a second that are meant to be sent; the closed loop where none are said. */
  readonly rate?: number
  /** poisson unless given. */
  readonly arrivals?: Arrivals
  readonly seed?: number
  /** Milliseconds in which an answer is of use. */
  readonly timeout: number
}

/** Milliseconds. */
export interface Times {
  readonly p50: number
  readonly p99: number
  readonly p999: number
  readonly most: number
}

export interface LoadResult {
  /** Requests that were sent, and how they ended: answered in time, later, refused with 429 or 503, otherwise. */
  readonly sent: number
  readonly answered: number
  readonly late: number
  readonly rejected: number
  readonly failed: number
  /** Answered in time, for each second. */
  readonly perSecond: number
  /** From the intended start to the answer. */
  readonly answerTimes: Times
  readonly rejectionTimes: Times
  /** From the intended start to when it was sent. */
  readonly lag: Times
  /** Requests that have waited for a connection, as all were in use. */
  readonly waited: number
  /** Of a processor that the client used. */
  readonly processor: number
}

const timesOf = (times: readonly number[]): Times => ({
  p50: quantile(times, 0.5),
  p99: quantile(times, 0.99),
  p999: quantile(times, 0.999),
  most: quantile(times, 1),
})

class Tally {
  readonly answers: number[] = []
  readonly rejections: number[] = []
  readonly lags: number[] = []
  sent = 0
  late = 0
  failed = 0

  constructor(private readonly timeout: number) {}

  get ended(): number {
    return this.answers.length + this.rejections.length + this.late + this.failed
  }

  add(status: Status, milliseconds: number): void {
    if (status === 429 || status === 503) this.rejections.push(milliseconds)
    else if (status !== 200) this.failed++
    else if (milliseconds > this.timeout) this.late++
    else this.answers.push(milliseconds)
  }

  result(seconds: number, { waited }: ConnectionPool, processor: number): LoadResult {
    const { sent, late, failed, answers, rejections } = this
    return {
      ...{ sent, late, failed, answered: answers.length, rejected: rejections.length, waited, processor },
      perSecond: answers.length / seconds,
      answerTimes: timesOf(answers),
      rejectionTimes: timesOf(rejections),
      lag: timesOf(this.lags),
    }
  }
}

/** Milliseconds that the client sleeps at most before it looks whether an answer is there, and below which it does not sleep. */
const [longestNap, shortestNap] = [0.05, 0.02]

const alarm = new Int32Array(new SharedArrayBuffer(4))

/** Timers of Node count in milliseconds, in which a dozen requests may be due: between the turns of the loop the thread sleeps by itself. */
function openLoop(pool: ConnectionPool, times: Float64Array, { request, timeout }: Load): Promise<Tally> {
  const tally = new Tally(timeout)
  const start = performance.now()
  const end = (times.at(-1) ?? 0) + timeout
  const send = (intended: number) => {
    tally.lags.push(performance.now() - start - intended)
    pool.send(request, (status) => tally.add(status, performance.now() - start - intended))
  }
  return new Promise((resolve) => {
    const turn = () => {
      const left = (times[tally.sent] ?? Infinity) - (performance.now() - start)
      if (left > shortestNap) Atomics.wait(alarm, 0, 0, Math.min(left, longestNap))
      const now = performance.now() - start
      while (times[tally.sent]! <= now) send(times[tally.sent++]!)
      if (tally.sent < times.length || (tally.ended < tally.sent && now < end)) setImmediate(turn)
      else resolve(tally)
    }
    turn()
  })
}

/** What is still under way at the end is not counted. */
function closedLoop(pool: ConnectionPool, { request, timeout, connections, seconds }: Load): Promise<Tally> {
  const tally = new Tally(timeout)
  let isOver = false
  const send = () => {
    const start = performance.now()
    tally.sent++
    pool.send(request, (status) => {
      if (isOver) return
      tally.add(status, performance.now() - start)
      send()
    })
  }
  for (let i = 0; i < connections; i++) send()
  return new Promise((resolve) => {
    setTimeout(() => {
      isOver = true
      resolve(tally)
    }, 1000 * seconds)
  })
}

async function run(load: Load): Promise<LoadResult> {
  const { ports, connections, rate, seconds, arrivals = 'poisson', seed = 1 } = load
  const pool = await (await new ConnectionPool(ports).open(connections)).warm(load.request)
  const [start, before] = [performance.now(), process.cpuUsage()]
  const tally = await (rate === undefined
    ? closedLoop(pool, load)
    : openLoop(pool, intendedTimes(rate, seconds, arrivals, seed), load))
  const { user, system } = process.cpuUsage(before)
  const processor = (user + system) / 1000 / (performance.now() - start)
  pool.close()
  return tally.result(seconds, pool, processor)
}

answerParent(run)

/** Has a server answer for some time what everybody sends it at once, and holds it to an answer for each, the right one, and no more. */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { Histogram } from '../../../lib/serve/histogram.ts'
import { Random } from '../../fuzz/random.ts'
import { Connection, type Receiver } from './soak-connection.ts'
import { type Asked, Requests } from './soak-requests.ts'
import type { Message, Order, Usage } from './soak-server.ts'

export interface SoakOptions {
  readonly seed: number
  /** Rounds, each of which finds out how much the server can take and then asks four fifths of it. */
  readonly rounds: number
  /** Of a round. */
  readonly milliseconds: number
  /** Milliseconds from one swap to the next. */
  readonly swapEvery: number
}

type Closed = Extract<Message, { kind: 'closed' }>

export interface Soak {
  /** What was wrong, in words. */
  readonly faults: readonly string[]
  /** How requests ended, by their names and the status: `marked 200`; `gone` of those whose client went away, of which nothing is known. */
  readonly outcomes: Readonly<Record<string, number>>
  /** Of each round what the server could take and what was asked, in requests a second. */
  readonly rates: readonly { readonly most: number; readonly asked: number }[]
  /** Milliseconds of those at four fifths, from when they were to be sent. */
  readonly latency: { readonly p50: number; readonly p99: number; readonly p999: number }
  /** The mean memory of each round. */
  readonly rss: readonly number[]
  /** Behind each round, without anything under way. */
  readonly quiet: readonly Usage[]
  readonly slopesSeen: ReadonlySet<number>
  readonly versionSeen: number
  readonly server: Closed
  /** How the process ended once nothing was left for it to do. */
  readonly exit: { readonly code: number | null; readonly signal: string | null }
}

/** As many as are never all in use at four fifths, unless the machine stands still. */
const connections = 16
/** Answers that may be waited for on one of them. */
const pipelined = 4

/** Longer than anything takes on a busy machine. */
const patience = 60_000

const script = fileURLToPath(new URL('soak-server.ts', import.meta.url))

class Server {
  readonly #child
  readonly rss: number[] = []
  #errors = ''

  constructor(options: SoakOptions) {
    this.#child = fork(script, [String(options.seed), String(options.swapEvery)], {
      execArgv: ['--expose-gc', '--import', 'tsx'],
      stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
    })
    this.#child.stderr!.setEncoding('utf8').on('data', (text) => (this.#errors = (this.#errors + text).slice(-4000)))
    this.#child.on('message', (message: Message) => {
      if (message.kind === 'report') this.rss.push(message.rss)
    })
  }

  tell(order: Order): void {
    this.#child.send(order)
  }

  /** The next message of a kind. */
  async hear<Kind extends Message['kind']>(kind: Kind): Promise<Extract<Message, { kind: Kind }>> {
    return new Promise((resolve, reject) => {
      const end = () => {
        clearTimeout(timer)
        this.#child.off('message', onMessage).off('exit', onExit)
      }
      const onMessage = (message: Message) => {
        if (message.kind !== kind) return
        end()
        resolve(message as never)
      }
      const onExit = (code: number | null, signal: string | null) => {
        end()
        reject(new Error(`the server ended with ${code ?? signal}:\n${this.#errors}`))
      }
      const timer = setTimeout(() => {
        end()
        this.#child.kill('SIGKILL')
        reject(new Error(`the server did not say ${kind}:\n${this.#errors}`))
      }, patience)
      this.#child.on('message', onMessage).on('exit', onExit)
    })
  }

  /** How it ends by itself, or does not. */
  async ended(): Promise<Soak['exit']> {
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), patience)
    if (this.#child.exitCode === null) await once(this.#child, 'exit')
    clearTimeout(timer)
    return { code: this.#child.exitCode, signal: this.#child.signalCode }
  }
}

/** All that is asked over the network. */
class Clients {
  readonly faults: string[] = []
  readonly outcomes: Record<string, number> = {}
  readonly latency = new Histogram()
  readonly requests: Requests
  readonly #pool: Connection[]
  readonly #leaving = new Set<Connection>()
  readonly #waiting = new Set<Asked>()

  constructor(
    private readonly port: number,
    private readonly random: Random,
  ) {
    this.requests = new Requests(random)
    this.#pool = Array.from({ length: connections }, () => this.#connection())
  }

  #connection = () => new Connection(this.port, (text) => this.#fault(text))

  #fault(text: string): void {
    if (this.faults.length < 20) this.faults.push(text)
  }

  #count(name: string): void {
    this.outcomes[name] = (this.outcomes[name] ?? 0) + 1
  }

  /** What is to come of a request: one answer, which is judged. */
  #receiver(asked: Asked, answered: () => void): Receiver {
    const { name, judge } = asked
    this.#waiting.add(asked)
    return (answer) => {
      this.#waiting.delete(asked)
      if (answer === null) this.#fault(`a request was not answered: ${name}`)
      else {
        this.#count(`${name} ${answer.status}`)
        const fault = judge(answer)
        if (fault !== undefined) this.#fault(fault)
      }
      answered()
    }
  }

  /** One on the connection that has the fewest under way; false where all have as many as they may. */
  #ask(since: number): boolean {
    const connection = this.#pool.reduce((best, other) => (other.waiting < best.waiting ? other : best))
    if (connection.waiting === pipelined) return false
    const asked = this.requests.next()
    connection.send(
      asked.bytes,
      this.#receiver(asked, () => this.latency.add(performance.now() - since)),
    )
    return true
  }

  /** Goes away in the midst of a request, or of its answer. */
  #leave(): void {
    const connection = this.#connection()
    const { bytes } = this.requests.json('marked')
    this.#count('gone')
    this.#leaving.add(connection)
    const sent = this.random.oneIn(2) ? bytes : bytes.subarray(0, 1 + this.random.below(bytes.length))
    connection.send(sent, () => this.#leaving.delete(connection))
    setTimeout(() => connection.leave(), this.random.below(8))
  }

  /** Sends a part of a body, and no more of it. */
  #stall(): void {
    const connection = this.#connection()
    const { bytes } = this.requests.json('marked')
    const judge = ({ status, head }: { status: number; head: string }) =>
      status === 408 ? undefined : `half a request is ${head}`
    connection.send(
      bytes.subarray(0, -10),
      this.#receiver({ name: 'stalled', bytes, judge }, () => {}),
    )
  }

  /** Requests a second that are answered where each connection asks again at once. */
  async most(milliseconds: number): Promise<number> {
    const start = performance.now()
    let count = 0
    const again = (connection: Connection): void => {
      if (performance.now() - start > milliseconds) return
      const asked = this.requests.next()
      connection.send(
        asked.bytes,
        this.#receiver(asked, () => {
          count++
          again(connection)
        }),
      )
    }
    for (const connection of this.#pool) for (let i = 0; i < pipelined; i++) again(connection)
    await this.#idle()
    return (1000 * count) / (performance.now() - start)
  }

  /**
   * So many requests a second, whether answers come or not; those for which there is no room are not sent. It goes on beyond its time until
   * there were some of each kind, and until others have been swapped in.
   */
  async steadily(rate: number, milliseconds: number): Promise<number> {
    const start = performance.now()
    const due = (i: number) => start + (1000 * i) / rate
    const isEnough = this.#variety()
    let sent = 0
    for (let i = 0; due(i) < start + milliseconds || !isEnough(); ) {
      for (; due(i) <= performance.now(); i++) {
        if (this.#ask(due(i))) sent++
        if (i % 20 === 0) this.#leave()
        if (i % 500 === 0) this.#stall()
      }
      if (performance.now() > start + milliseconds + patience)
        throw new Error('nothing is swapped, or nothing answered')
      await new Promise((resolve) => setTimeout(resolve, 1))
    }
    const seconds = (performance.now() - start) / 1000
    await this.#idle()
    return sent / seconds
  }

  #variety(): () => boolean {
    const { count, seen } = this.requests
    const [version, slopes] = [seen.version, seen.slopes.size]
    return () => this.requests.count >= count + 200 && seen.version > version && seen.slopes.size > slopes
  }

  /** Waits for all answers. */
  async #idle(): Promise<void> {
    const end = performance.now() + patience
    while (this.#waiting.size > 0 || this.#leaving.size > 0) {
      if (performance.now() > end)
        throw new Error(
          `not answered: ${[...this.#waiting].map(({ bytes }) => String(bytes).slice(0, 300)).join('\n')}\n${this.faults.join('\n')}`,
        )
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }
}

/** @throws where the server does not do its part at all */
export async function soak(options: SoakOptions): Promise<Soak> {
  const server = new Server(options)
  const { port } = await server.hear('ready')
  const clients = new Clients(port, new Random(options.seed, 1))
  const [rates, rss, quiet] = [[] as { most: number; asked: number }[], [] as number[], [] as Usage[]]
  for (let round = 0; round < options.rounds; round++) {
    server.tell('work')
    server.rss.length = 0
    const most = await clients.most(options.milliseconds / 10)
    const asked = await clients.steadily(0.8 * most, 0.9 * options.milliseconds)
    rates.push({ most, asked })
    rss.push(server.rss.reduce((sum, x) => sum + x) / server.rss.length)
    const heard = server.hear('quiet')
    server.tell('rest')
    quiet.push((await heard).usage)
  }
  const heard = server.hear('closed')
  server.tell('close')
  const closed = await heard
  const { p50, p99, p999 } = clients.latency.toJSON()
  const { outcomes, requests, faults } = clients
  return {
    faults: [...faults, ...closed.faults],
    ...{ outcomes, rates, rss, quiet, latency: { p50, p99, p999 } },
    ...{ slopesSeen: requests.seen.slopes, versionSeen: requests.seen.version },
    ...{ server: closed, exit: await server.ended() },
  }
}

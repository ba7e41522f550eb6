/** The client and the servers of a part: which run where, and loads of them. */
import { mkdtemp, rm } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import * as g from '../../lib/index.ts'
import * as onnx from '../../lib/onnx/index.ts'
import { type NetName, nets } from '../nets.ts'
import { median } from './numbers.ts'
import type { Load, LoadResult } from './open-loop.ts'
import { buildPrograms, canPin, Peer } from './processes.ts'
import { type Format, requestOf } from './requests.ts'
import type { ServerQuestion, Watched } from './server.ts'
import type { SideName } from './sides.ts'

/** Milliseconds in which an answer is of use. */
export const timeout = 1000

/** Connections of the closed loop, and of the open one at most. */
const [busyConnections, openConnections] = [64, 512]

export type Measured = LoadResult & Watched

/** A server, or several processes over which connections are dealt out, as those that share a port do, for requests of one format. */
export class Served {
  constructor(
    readonly peers: readonly Peer[],
    private readonly client: Peer,
    private readonly ports: readonly number[],
    private readonly request: Uint8Array,
  ) {}

  /** What all connections get that ask again as soon as they are answered. */
  saturate(seconds: number, connections = busyConnections): Promise<Measured> {
    return this.#load({ connections, seconds })
  }

  /** Requests at a rate, from as many clients that know nothing of each other. */
  open(rate: number, seconds: number, connections = openConnections): Promise<Measured> {
    return this.#load({ rate, seconds, connections })
  }

  async #load(load: Pick<Load, 'rate' | 'seconds' | 'connections'>): Promise<Measured> {
    for (const peer of this.peers) await peer.ask({ watch: true } satisfies ServerQuestion)
    const result = await this.client.ask<LoadResult>({ ...load, ports: this.ports, request: this.request, timeout })
    const all: Watched[] = []
    for (const peer of this.peers) all.push(await peer.ask<Watched>({ watched: true } satisfies ServerQuestion))
    return { ...result, ...all[0]!, delay99: Math.max(...all.map(({ delay99 }) => delay99)) }
  }

  /** Of the first process. */
  ask<T>(question: ServerQuestion): Promise<T> {
    return this.peers[0]!.ask(question)
  }
}

export interface ServedOptions {
  readonly side: SideName
  readonly net: NetName
  readonly format?: Format
  /** That compute, in each process; 1 unless given. */
  readonly threads?: number
  /** Processes; 1 unless given. */
  readonly workers?: number
  readonly targetP99?: number
}

/** Has it answer for a second. */
async function checkAnswers(served: Served, name: string): Promise<Served> {
  const { failed, answered } = await served.saturate(1)
  if (failed > 0 || answered === 0) throw new Error(`bench: ${name} answered ${answered} requests, failed ${failed}`)
  return served
}

export class Stage {
  readonly #peers: Peer[] = []

  private constructor(
    private readonly folder: string,
    private readonly program: Awaited<ReturnType<typeof buildPrograms>>,
    private readonly client: Peer,
  ) {}

  /** @param isPinned whether the client has a processor, the last one, to which it is kept: servers use that one, too */
  static async open(isPinned: boolean): Promise<Stage> {
    const program = await buildPrograms()
    const last = availableParallelism() - 1
    const client = Peer.start(program('client'), isPinned && canPin ? { processor: last } : {})
    const stage = new Stage(await mkdtemp(join(tmpdir(), 'galvani-bench-serve-')), program, client)
    for (const net of Object.keys(nets) as NetName[])
      await onnx.export(nets[net].create(), g.randn([2, ...nets[net].shape]), stage.#file(net))
    return stage
  }

  readonly #file = (net: NetName): string => join(this.folder, `${net}.onnx`)

  /** Starts a server, and has it answer for a second. */
  async serve({ side, net, format = 'binary', threads = 1, workers = 1, ...target }: ServedOptions): Promise<Served> {
    const peers = Array.from({ length: workers }, () => Peer.start(this.program('server')))
    this.#peers.push(...peers)
    const start: ServerQuestion = { start: { side, net, file: this.#file(net), threads, ...target } }
    const ports = await Promise.all(peers.map((peer) => peer.ask<number>(start)))
    const served = new Served(peers, this.client, ports, requestOf(nets[net].shape, format))
    return checkAnswers(served, side)
  }

  /** One that somebody else has started, of which nothing is measured inside. */
  async attach(port: number, net: NetName, format: Format = 'binary'): Promise<Served> {
    const served = new Served([], this.client, [port], requestOf(nets[net].shape, format))
    return checkAnswers(served, `the server at port ${port}`)
  }

  /** Starts one after the other. */
  async serveAll(all: readonly ServedOptions[]): Promise<Served[]> {
    const served: Served[] = []
    for (const options of all) served.push(await this.serve(options))
    return served
  }

  /** Ends the servers, so that others may be measured. */
  async clear(): Promise<void> {
    for (const peer of this.#peers.splice(0)) await peer.end()
  }

  async close(): Promise<void> {
    await this.clear()
    await this.client.end()
    await rm(this.folder, { recursive: true })
  }
}

/** Each of several, in turn, so often: of each the results of its rounds. */
export async function inRounds<T, R>(
  rounds: number,
  all: readonly T[],
  measure: (one: T, round: number) => Promise<R>,
): Promise<R[][]> {
  const results: R[][] = all.map(() => [])
  for (let round = 0; round < rounds; round++)
    for (const [i, one] of all.entries()) results[i]!.push(await measure(one, round))
  return results
}

/** The median over rounds of a figure. */
export const medianOf = <R>(results: readonly R[], figure: (result: R) => number): number => median(results.map(figure))

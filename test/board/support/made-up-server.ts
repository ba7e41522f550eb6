/** A server of runs in memory, that speaks what lib/board/protocol.ts says: what the page is tried with where no files are wanted. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { contentSecurityPolicy, pageAround, pageFiles } from '../../../lib/board/assets.ts'
import type { ControlRequest, ExportedRun, RunSummary, Series } from '../../../lib/board/protocol.ts'
import type { RunRecord } from '../../../lib/events/record.ts'

type Scalars = Extract<RunRecord, { type: 'scalars' }>

export class MadeUpServer {
  readonly runs = new Map<string, RunRecord[]>()
  /** All that was written, in order: the id of an event is its number. */
  readonly #log: { run: string; record: RunRecord }[] = []
  readonly #streams = new Set<ServerResponse>()
  readonly controlled: ControlRequest[] = []
  #server: Server | null = null
  port = 0

  add(run: string, records: readonly RunRecord[]): void {
    this.runs.set(run, [...records])
  }

  /** As one that a run writes while it is watched. */
  write(run: string, ...records: RunRecord[]): void {
    const known = this.runs.get(run) ?? []
    this.runs.set(run, known)
    for (const record of records) {
      known.push(record)
      this.#log.push({ run, record })
    }
    for (const stream of this.#streams) {
      send(stream, 'records', { run, records, more: large(records) }, `0:${this.#log.length}`)
      send(stream, 'runs', [this.summary(run)])
    }
  }

  async start(): Promise<string> {
    this.#server = createServer((request, response) => this.#answer(request, response))
    await new Promise<void>((done) => this.#server!.listen(this.port, '127.0.0.1', done))
    this.port = (this.#server.address() as AddressInfo).port
    return `http://127.0.0.1:${this.port}/`
  }

  async stop(): Promise<void> {
    const server = this.#server!
    const closed = new Promise((done) => server.close(done))
    server.closeAllConnections()
    this.#streams.clear()
    await closed
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams: query } = new URL(request.url!, 'http://localhost')
    const json = (value: unknown, status = 200) => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value))
    }
    const runs = query.getAll('run')
    if (pathname === '/api/runs') return json([...this.runs.keys()].map((run) => this.summary(run)))
    if (pathname === '/api/series')
      return json(runs.map((run) => this.series(run, query.get('tag')!, Number(query.get('points')), range(query))))
    if (pathname === '/api/records') return json(this.records(runs[0]!, query.get('type')!, query.get('tag')))
    if (pathname === '/api/stream') return this.#stream(request, response)
    if (pathname === '/api/export')
      return void response.writeHead(200, { 'content-type': 'text/html' }).end(this.#file(runs))
    if (pathname === '/api/control') {
      const chunks: Buffer[] = []
      for await (const chunk of request) chunks.push(chunk)
      const asked: ControlRequest = JSON.parse(Buffer.concat(chunks).toString())
      if (request.headers['x-galvani-token'] !== 'secret') return json({ error: 'wrong token' }, 403)
      this.controlled.push(asked)
      return json({ done: `${asked.action} was asked for` })
    }
    const file = pageFiles().get(pathname === '/' ? 'index.html' : pathname.slice(1))
    if (file === undefined) return json({ error: 'not found' }, 404)
    response
      .writeHead(200, { 'content-type': file.type, 'content-security-policy': contentSecurityPolicy })
      .end(file.text)
  }

  #stream(request: IncomingMessage, response: ServerResponse): void {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
    const from = Number(`${request.headers['last-event-id'] ?? `0:${this.#log.length}`}`.slice(2))
    send(response, 'beat', {}, `0:${this.#log.length}`)
    for (const [i, { run, record }] of this.#log.slice(from).entries())
      send(response, 'records', { run, records: [record], more: large([record]) }, `0:${from + i + 1}`)
    this.#streams.add(response)
    response.on('close', () => this.#streams.delete(response))
  }

  #file(runs: readonly string[]): string {
    const [before, after] = pageAround()
    return before + JSON.stringify(runs.map((run) => this.exported(run))).replaceAll('<', '\\u003c') + after
  }

  exported(run: string): ExportedRun {
    const summary = this.summary(run)
    const series = summary.tags.scalars.map((tag) => this.series(run, tag, 2000))
    return { summary, series, records: this.runs.get(run)!.filter(({ type }) => type !== 'scalars') }
  }

  summary(run: string): RunSummary {
    const records = this.runs.get(run) ?? []
    const of = <Type extends RunRecord['type']>(type: Type) =>
      records.filter((record): record is Extract<RunRecord, { type: Type }> => record.type === type)
    const scalars = of('scalars')
    const last: Record<string, number> = Object.assign({}, ...scalars.map(({ values }) => values))
    const tags = (list: readonly { tag: string }[]) => [...new Set(list.map(({ tag }) => tag))]
    const end = of('end').at(-1)
    const newest = scalars.at(-1)
    return {
      id: run,
      run: of('run')[0],
      hyperparameters: of('hyperparameters')[0]?.values,
      started: scalars[0]?.time,
      updated: newest?.time,
      state: end?.state ?? 'running',
      ...(end?.message !== undefined && { message: end.message }),
      read: 1,
      last,
      step: newest?.step ?? 0,
      ...(newest?.epoch !== undefined && { epoch: newest.epoch }),
      tags: {
        scalars: Object.keys(last),
        histogram: tags(of('histogram')),
        images: tags(of('images')),
        text: tags(of('text')),
        prCurve: tags(of('prCurve')),
      },
      has: (['confusion', 'examples', 'graph', 'program', 'system'] as const).filter((type) => of(type).length > 0),
      controls: of('run')[0]?.controls === true,
    } as RunSummary
  }

  series(
    run: string,
    tag: string,
    points: number,
    [from, to]: readonly [number, number] = [-Infinity, Infinity],
  ): Series {
    const all = (this.runs.get(run) ?? []).filter(
      (record): record is Scalars =>
        record.type === 'scalars' && tag in record.values && record.step >= from && record.step <= to,
    )
    const kept = decimated(all, (record) => record.values[tag]!, points)
    return {
      ...{ run, tag },
      step: kept.map(({ step }) => step),
      epoch: kept.map(({ epoch }) => epoch ?? null),
      time: kept.map(({ time }) => time),
      value: kept.map(({ values }) => (Number.isFinite(values[tag]) ? values[tag]! : null)),
      total: all.length,
      at: this.#log.length,
    }
  }

  records(run: string, type: string, tag: string | null): RunRecord[] {
    const known = this.runs.get(run) ?? []
    return known
      .filter((record) => record.type === type && (tag === null || ('tag' in record && record.tag === tag)))
      .slice(-200)
  }
}

const range = (query: URLSearchParams): [number, number] => [
  Number(query.get('from') ?? -Infinity),
  Number(query.get('to') ?? Infinity),
]

/** Types that are asked for by whoever shows them. */
const large = (records: readonly RunRecord[]) =>
  records.map(({ type }) => type).filter((type) => !['scalars', 'system', 'text', 'end'].includes(type))

function send(stream: ServerResponse, event: string, data: unknown, id?: string): void {
  stream.write(`${id === undefined ? '' : `id: ${id}\n`}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`)
}

/** The first, the lowest, the highest and the last of each part. */
function decimated<Item>(all: readonly Item[], value: (item: Item) => number, points: number): Item[] {
  if (all.length <= points) return [...all]
  const parts = Math.max(1, Math.floor(points / 4))
  return Array.from({ length: parts }, (_, i) => {
    const part = all.slice(Math.floor((i * all.length) / parts), Math.floor(((i + 1) * all.length) / parts))
    const order = part.map((_, i) => i).sort((a, b) => value(part[a]!) - value(part[b]!))
    return [...new Set([0, order[0]!, order.at(-1)!, part.length - 1])].sort((a, b) => a - b).map((i) => part[i]!)
  }).flat()
}

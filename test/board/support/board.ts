/** Boards of folders that are made up, and raw requests to them. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { type IncomingHttpHeaders, request } from 'node:http'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, afterEach } from 'vitest'
import { type OpenBoard, type OpenBoardOptions, openBoard } from '../../../lib/board/server.ts'
import { lineOf } from '../../../lib/events/json-lines.ts'
import type { RunRecord } from '../../../lib/events/record.ts'

const scratch = mkdtempSync(join(tmpdir(), 'galvani-board-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

let made = 0

/** A folder of runs: of each the records in its file of JSON lines. */
export function runsFolder(runs: Readonly<Record<string, readonly RunRecord[]>> = {}): string {
  const folder = join(scratch, `runs-${made++}`)
  mkdirSync(folder)
  for (const [id, records] of Object.entries(runs)) writeRun(folder, id, records)
  return folder
}

export const fileOf = (folder: string, id: string): string => join(folder, id, 'events.jsonl')

export function writeRun(folder: string, id: string, records: readonly RunRecord[], flag = 'w'): void {
  mkdirSync(dirname(fileOf(folder, id)), { recursive: true })
  writeFileSync(fileOf(folder, id), records.map(lineOf).join(''), { flag })
}

export const addTo = (folder: string, id: string, records: readonly RunRecord[]): void =>
  writeRun(folder, id, records, 'a')

export const scalar = (step: number, value: number, tag = 'loss'): RunRecord => ({
  type: 'scalars',
  step,
  epoch: step / 10,
  time: 1.7e12 + step,
  values: { [tag]: value },
})

const boards: OpenBoard[] = []
afterEach(async () => {
  for (const board of boards.splice(0)) await board.close()
})

export async function boardOf(folder: string, options: OpenBoardOptions = {}): Promise<OpenBoard> {
  const board = await openBoard('board', folder, { port: 0, ...options })
  boards.push(board)
  return board
}

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

interface Asked {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Buffer
}

/** Asks with exactly this path and these headers. */
export function ask(port: number, path: string, { method = 'GET', headers = {}, body }: Asked = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port, path, method, headers, agent: false }, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk) => (text += chunk))
      response.on('end', () => resolve({ status: response.statusCode!, headers: response.headers, text }))
      response.on('error', reject)
    })
    asked.on('error', reject)
    asked.end(body)
  })
}

export async function json<T = unknown>(port: number, path: string): Promise<T> {
  const { status, text } = await ask(port, path)
  if (status !== 200) throw new Error(`${path}: ${status} ${text}`)
  return JSON.parse(text)
}

/** Asks again until what comes passes; fails after ten seconds with what came last. */
export async function until<T>(get: () => Promise<T> | T, passes: (value: T) => boolean): Promise<T> {
  for (let left = 400; ; left--) {
    const value = await get()
    if (passes(value)) return value
    if (left === 0) throw new Error(`never came: ${JSON.stringify(value).slice(0, 2000)}`)
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
}

export interface SentEvent {
  readonly name: string
  readonly id: string
  // biome-ignore lint/suspicious/noExplicitAny: of each event another one
  readonly data: any
}

/** An open stream, and what came along it so far. */
export interface OpenStream {
  readonly events: SentEvent[]
  readonly status: number
  readonly headers: IncomingHttpHeaders
  close(): void
  /** Reads no more, until it is called again. */
  pause(): void
  resume(): void
  readonly isOver: boolean
}

export function stream(port: number, lastEventId?: string): Promise<OpenStream> {
  return new Promise((resolve, reject) => {
    const headers = lastEventId === undefined ? {} : { 'last-event-id': lastEventId }
    const asked = request({ host: '127.0.0.1', port, path: '/api/stream', headers, agent: false }, (response) => {
      const events: SentEvent[] = []
      let [text, isOver] = ['', false]
      response.setEncoding('utf8')
      response.on('data', (chunk) => {
        const blocks = (text + chunk).split('\n\n')
        text = blocks.pop()!
        events.push(...blocks.flatMap((block) => eventIn(block) ?? []))
      })
      response.on('close', () => (isOver = true))
      response.on('error', () => {})
      resolve({
        events,
        status: response.statusCode!,
        headers: response.headers,
        close: () => asked.destroy(),
        pause: () => response.pause(),
        resume: () => response.resume(),
        get isOver() {
          return isOver
        },
      })
    })
    asked.on('error', reject)
    asked.end()
  })
}

function eventIn(block: string): SentEvent | undefined {
  const field = (name: string) =>
    block
      .split('\n')
      .find((line) => line.startsWith(`${name}: `))
      ?.slice(name.length + 2)
  const name = field('event')
  return name === undefined ? undefined : { name, id: field('id') ?? '', data: JSON.parse(field('data')!) }
}

/** Server-sent events: one list of what happened, along which each page goes at its own speed. */
import { randomBytes } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { StreamEvents } from './protocol.ts'

/** What a page may have missed and is still sent: beyond that it has to ask for everything again. */
const mostEvents = 4096
const mostBytes = 2 ** 23
/** Of a page that reads slowly so much waits in its connection. */
const mostWaiting = 2 ** 18

const millisecondsBetweenBeats = 5000
/** A page that has read nothing for so many beats is gone. */
const mostBeatsWaited = 12

const mostPages = 64

interface Page {
  readonly response: ServerResponse
  /** The number of the event that comes next. */
  next: number
  waited: number
}

export class Stream {
  /** Another server's events are others, whatever their numbers. */
  readonly #server = randomBytes(6).toString('hex')
  #events: string[] = []
  #bytes = 0
  /** The number of the last event. */
  #number = 0
  readonly #pages = new Set<Page>()
  readonly #beats: NodeJS.Timeout

  constructor() {
    this.#beats = setInterval(() => this.#beat(), millisecondsBetweenBeats).unref()
  }

  get number(): number {
    return this.#number
  }

  /** What is kept for pages that come back, and what waits in the connections of those that are there. */
  get bytes(): { readonly kept: number; readonly waiting: number } {
    const waiting = [...this.#pages].reduce((sum, { response }) => sum + response.writableLength, 0)
    return { kept: this.#bytes, waiting }
  }

  publish<Name extends keyof StreamEvents>(name: Name, data: StreamEvents[Name]): void {
    const text = `event: ${name}\nid: ${this.#server}:${++this.#number}\ndata: ${JSON.stringify(data)}\n\n`
    this.#events.push(text)
    this.#bytes += text.length
    while (this.#events.length > mostEvents || (this.#bytes > mostBytes && this.#events.length > 1))
      this.#bytes -= this.#events.shift()!.length
    for (const page of this.#pages) this.#send(page)
  }

  /** Answers with the stream; false where there are too many. */
  open(request: IncomingMessage, response: ServerResponse): boolean {
    if (this.#pages.size >= mostPages) return false
    const page: Page = { response, next: this.#placeOf(request.headers['last-event-id']), waited: 0 }
    response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' })
    response.write('retry: 1000\n\n')
    response.on('drain', () => this.#send(page))
    response.on('close', () => this.#pages.delete(page))
    this.#pages.add(page)
    this.#send(page)
    return true
  }

  /** Where a page goes on; before all events there are, if nobody knows. */
  #placeOf(id: string | string[] | undefined): number {
    if (id === undefined) return this.#number + 1
    const [, server, number] = /^([0-9a-f]+):(\d{1,15})$/.exec(String(id)) ?? []
    return server === this.#server && Number(number) <= this.#number ? Number(number) + 1 : -1
  }

  #send(page: Page): void {
    const { response } = page
    const first = this.#number - this.#events.length + 1
    if (page.next < first && response.writableLength < mostWaiting) {
      response.write(`event: stale\nid: ${this.#server}:${this.#number}\ndata: {}\n\n`)
      page.next = this.#number + 1
    }
    while (page.next <= this.#number && response.writableLength < mostWaiting)
      response.write(this.#events[page.next++ - first]!)
  }

  #beat(): void {
    const beat = `event: beat\ndata: ${JSON.stringify({ time: Date.now() } satisfies StreamEvents['beat'])}\n\n`
    for (const page of this.#pages) {
      if (page.response.writableLength < mostWaiting) {
        page.waited = 0
        page.response.write(beat)
      } else if (++page.waited >= mostBeatsWaited) page.response.destroy()
    }
  }

  close(): void {
    clearInterval(this.#beats)
    for (const { response } of this.#pages) response.end()
    this.#pages.clear()
  }
}

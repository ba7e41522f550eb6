/** A client's connection: HTTP/1.1 as far as answers with a length need it, with as little work for each as may be. */
import { connect, type Socket } from 'node:net'

/** Of an answer; 0 where the connection was lost before it. */
export type Status = number

/** What comes is looked at at once, so all connections read into the same memory. */
const buffer = Buffer.alloc(2 ** 16)

export class Connection {
  readonly #socket: Socket
  #onAnswer: ((status: Status) => void) | undefined
  #head = ''
  #status = 0
  /** Bytes of the body that are still to come. */
  #left = 0
  #isClosed = false
  readonly opened: Promise<void>

  constructor(port: number) {
    const onread = { buffer, callback: (size: number) => this.#read(size) }
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true, onread })
    this.opened = new Promise((resolve, reject) => {
      this.#socket.once('connect', resolve)
      this.#socket.once('error', reject)
    })
    this.#socket.on('error', () => {})
    this.#socket.once('close', () => {
      this.#isClosed = true
      this.#end(0)
    })
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  /** Sends a request; the next one has to wait for the answer. */
  send(request: Uint8Array, onAnswer: (status: Status) => void): void {
    this.#onAnswer = onAnswer
    if (this.#isClosed) this.#end(0)
    else this.#socket.write(request)
  }

  close(): void {
    this.#socket.destroy()
  }

  #read(size: number): boolean {
    if (this.#left > 0) this.#left -= size
    else this.#readHead(size)
    if (this.#left === 0 && this.#head === '') this.#end(this.#status)
    return true
  }

  #readHead(size: number): void {
    const text = this.#head + buffer.toString('latin1', 0, size)
    const end = text.indexOf('\r\n\r\n')
    this.#head = end === -1 ? text : ''
    if (end === -1) return
    const head = text.slice(0, end)
    this.#status = Number(head.slice(9, 12))
    this.#left = Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? 0) - (text.length - end - 4)
    if (/\r\nconnection: close/i.test(head)) this.#isClosed = true
  }

  #end(status: Status): void {
    const onAnswer = this.#onAnswer
    this.#onAnswer = undefined
    onAnswer?.(status)
  }
}

type Waiting = readonly [request: Uint8Array, onAnswer: (status: Status) => void]

/** Connections that are kept open, and opened again where the server closes one. A request for which none is idle waits. */
export class ConnectionPool {
  readonly #idle: Connection[] = []
  readonly #all = new Set<Connection>()
  readonly #waiting: Waiting[] = []
  #isClosed = false
  /** How many requests have waited for a connection. */
  waited = 0

  #opened = 0

  /** @param ports of one server, over which connections are dealt out evenly */
  constructor(private readonly ports: readonly number[]) {}

  async open(count: number): Promise<this> {
    // Not more at once than a server lets wait to be accepted.
    for (let left = count; left > 0; left -= 100)
      await Promise.all(Array.from({ length: Math.min(left, 100) }, () => this.#open().opened))
    this.#idle.push(...this.#all)
    return this
  }

  /** Has each of them answered once: a server does much for a connection that is new, as it is to no client that stays. */
  async warm(request: Uint8Array): Promise<this> {
    const all = [...this.#all]
    for (let i = 0; i < all.length; i += 64)
      await Promise.all(
        all.slice(i, i + 64).map((connection) => new Promise((resolve) => connection.send(request, resolve))),
      )
    return this
  }

  #open(): Connection {
    const connection = new Connection(this.ports[this.#opened++ % this.ports.length]!)
    this.#all.add(connection)
    return connection
  }

  send(...request: Waiting): void {
    const connection = this.#idle.pop()
    if (connection === undefined) {
      this.waited++
      this.#waiting.push(request)
    } else this.#sendBy(connection, ...request)
  }

  #sendBy(connection: Connection, ...[request, onAnswer]: Waiting): void {
    connection.send(request, (status) => {
      if (connection.isClosed) this.#replace(connection)
      else this.#free(connection)
      onAnswer(status)
    })
  }

  #free(connection: Connection): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#idle.push(connection)
    else this.#sendBy(connection, ...next)
  }

  #replace(closed: Connection): void {
    this.#all.delete(closed)
    closed.close()
    if (this.#isClosed) return
    const other = this.#open()
    other.opened.then(
      () => this.#free(other),
      () => {},
    )
  }

  close(): void {
    this.#isClosed = true
    for (const connection of this.#all) connection.close()
  }
}

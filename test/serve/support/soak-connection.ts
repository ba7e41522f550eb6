/** One HTTP connection that holds the server to it: an answer for each request, in their order, and not a byte more. */
import { connect, type Socket } from 'node:net'

export interface Answer {
  readonly status: number
  readonly head: string
  readonly body: Buffer
}

/** Called once: with the answer, or null where there will be none as the connection is closed. */
export type Receiver = (answer: Answer | null) => void

const none = Buffer.alloc(0)

export class Connection {
  readonly #socket: Socket
  readonly #waiting: Receiver[] = []
  #received: Buffer = none

  constructor(
    port: number,
    private readonly fault: (text: string) => void,
  ) {
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true })
    this.#socket.on('data', (chunk) => this.#take(chunk))
    // What comes of it is seen by its closing.
    this.#socket.on('error', () => {})
    this.#socket.on('close', () => this.#end())
  }

  /** How many answers are still to come. */
  get waiting(): number {
    return this.#waiting.length
  }

  /** Sends a request, or the beginning of one; those before it may still be under way. */
  send(bytes: Uint8Array, receive: Receiver): void {
    // One that is closed says so no second time.
    if (this.#socket.closed) receive(null)
    else {
      this.#waiting.push(receive)
      this.#socket.write(bytes)
    }
  }

  /** Goes away, whatever is under way. */
  leave(): void {
    this.#socket.resetAndDestroy()
  }

  #take(chunk: Buffer): void {
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk])
    for (let answer = this.#next(); answer !== undefined; answer = this.#next()) {
      const receive = this.#waiting.shift()
      if (receive === undefined) this.fault(`an answer that nobody waits for: ${answer.head}`)
      else receive(answer)
    }
  }

  /** The answer that has come as a whole. One without a length ends with the connection. */
  #next(): Answer | undefined {
    const end = this.#received.indexOf('\r\n\r\n')
    if (end === -1) return undefined
    const head = this.#received.toString('latin1', 0, end)
    const body = end + 4
    const length = Number(/^content-length: (\d+)/im.exec(head)?.[1] ?? 0)
    if (this.#received.length < body + length) return undefined
    const answer = {
      status: Number(head.slice(9, 12)),
      head,
      body: Buffer.from(this.#received.subarray(body, body + length)),
    }
    this.#received = this.#received.subarray(body + length)
    return answer
  }

  #end(): void {
    if (this.#received.length > 0) this.fault(`a part of an answer: ${this.#received.toString('latin1')}`)
    for (const receive of this.#waiting.splice(0)) receive(null)
  }
}

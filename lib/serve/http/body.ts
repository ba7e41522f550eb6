/** The bodies of requests, within limits of size and time, each and all. */
import type { IncomingMessage } from 'node:http'
import type { Deadlines } from '../../base/deadlines.ts'
import { expected } from '../../base/errors.ts'
import { invalid } from '../protocol/faults.ts'
import { HttpError } from './reply.ts'

export interface BodyLimits {
  /** Bytes. */
  readonly maxBody: number
  /** Of each body from the first byte to the last one. */
  readonly bodyTimes: Deadlines
  /** Of all bodies that are on their way. */
  readonly room: Room
}

/** Room for so many bytes. */
export class Room {
  #taken = 0

  constructor(private readonly bytes: number) {}

  /** Takes more, if there is as much. */
  take(bytes: number): boolean {
    if (this.#taken + bytes > this.bytes) return false
    this.#taken += bytes
    return true
  }

  give(bytes: number): void {
    this.#taken -= bytes
  }
}

/**
 * @throws (rejects with) HttpError 413 for a body that is too long, 408 for one that takes too long, 503 where there is no room for it, 415 for
 * one that is compressed; Error where somebody has read it
 */
export async function readBody(request: IncomingMessage, limits: BodyLimits): Promise<Buffer> {
  const { 'content-length': announced, 'content-encoding': encoding = 'identity' } = request.headers
  if (encoding !== 'identity') throw new HttpError(415, `a body without Content-Encoding is expected, got ${encoding}`)
  if (announced !== undefined && Number(announced) > limits.maxBody) throw tooLong(limits.maxBody)
  if (request.readableEnded)
    throw new Error(expected('handler', 'a request whose body nobody has read', 'one behind a parser of bodies'))
  return receive(request, limits)
}

function receive(request: IncomingMessage, { maxBody, bodyTimes, room }: BodyLimits): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    let isOver = false
    const end = () => {
      isOver = true
      bodyTimes.remove(deadline)
      room.give(size)
    }
    const fail = (error: Error) => {
      if (isOver) return
      end()
      // What else comes is not read: the connection is closed after the answer.
      request.pause()
      reject(error)
    }
    const expire = () => fail(new HttpError(408, `the body took more than ${bodyTimes.milliseconds} ms`, close))
    const breakOff = () => isOver || fail(invalid('the request was broken off'))
    const deadline = bodyTimes.add(expire)
    request.on('data', (chunk: Buffer) => {
      if (isOver) return
      if (size + chunk.length > maxBody) return fail(tooLong(maxBody))
      if (!room.take(chunk.length)) return fail(noRoom())
      size += chunk.length
      chunks.push(chunk)
    })
    request.on('end', () => {
      if (isOver) return
      end()
      resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, size))
    })
    // Listeners stay where they are, as the request is over with its body: what is told after that is an error of nobody.
    request.on('error', breakOff)
    request.on('close', breakOff)
  })
}

const close = { connection: 'close' }

const tooLong = (maxBody: number) => new HttpError(413, `a body of at most ${maxBody} bytes is expected`, close)

const noRoom = () =>
  new HttpError(503, 'there is no room for another body at the moment', { ...close, 'retry-after': '1' })

const utf8 = new TextDecoder('utf-8', { fatal: true })

/** @throws RequestError for what is no JSON object */
export function jsonOf(bytes: Uint8Array): Record<string, unknown> {
  let value: unknown
  try {
    value = JSON.parse(utf8.decode(bytes))
  } catch (error) {
    throw invalid(`a JSON object in UTF-8 is expected: ${(error as Error).message}`)
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalid('a JSON object is expected')
  return value as Record<string, unknown>
}

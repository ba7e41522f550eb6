/** The body of a request, within limits of size and time. */
import type { IncomingMessage } from 'node:http'
import { startTimer } from '../../base/timers.ts'
import { invalid } from '../protocol/faults.ts'
import { HttpError } from './reply.ts'

export interface BodyLimits {
  /** Bytes. */
  readonly maxBody: number
  /** Milliseconds from the first byte to the last one. */
  readonly bodyTimeout: number
}

/** @throws (rejects with) HttpError 413 for a body that is too long, 408 for one that takes too long, 415 for one that is compressed */
export function readBody(request: IncomingMessage, { maxBody, bodyTimeout }: BodyLimits): Promise<Buffer> {
  const { 'content-length': announced, 'content-encoding': encoding = 'identity' } = request.headers
  if (encoding !== 'identity') throw new HttpError(415, `a body without Content-Encoding is expected, got ${encoding}`)
  if (announced !== undefined && Number(announced) > maxBody) throw tooLong(maxBody)
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    const timer = startTimer(
      () => end(new HttpError(408, `the body took more than ${bodyTimeout} ms`, close)),
      bodyTimeout,
    )
    const end = (error?: Error) => {
      clearTimeout(timer)
      request.off('data', onData)
      if (error === undefined) return resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks))
      // What else comes is not read: the connection is closed after the answer.
      request.pause()
      reject(error)
    }
    const onData = (chunk: Buffer) => {
      size += chunk.length
      if (size > maxBody) return end(tooLong(maxBody))
      chunks.push(chunk)
    }
    request.on('data', onData)
    request.once('end', () => end())
    request.once('error', end)
    request.once('aborted', () => end(new HttpError(400, 'the request was aborted')))
  })
}

const close = { connection: 'close' }

const tooLong = (maxBody: number) => new HttpError(413, `a body of at most ${maxBody} bytes is expected`, close)

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

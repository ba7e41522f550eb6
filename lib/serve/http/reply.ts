/** What is answered to a request over HTTP, and the faults that are of HTTP alone. */
import type { ServerResponse } from 'node:http'
import { warnOf } from '../../base/warning.ts'
import { type Fault, faultOf } from '../protocol/faults.ts'

/** A fault of the client with a status of HTTP. */
export class HttpError extends Error {
  override name = 'HttpError'

  constructor(
    readonly status: number,
    message: string,
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(message)
  }
}

export interface Reply {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | Uint8Array
}

const json = { 'content-type': 'application/json' }

export const jsonReply = (value: unknown, status = 200): Reply => ({
  status,
  headers: json,
  body: JSON.stringify(value),
})

export const textReply = (body: string, type: string): Reply => ({
  status: 200,
  headers: { 'content-type': type },
  body,
})

const statuses: Readonly<Record<Fault, number>> = {
  invalid: 400,
  notFound: 404,
  tooLarge: 413,
  full: 429,
  gone: 499,
  internal: 500,
  closed: 503,
  late: 504,
}

/** In the form of the Open Inference Protocol: `{ "error": … }`. */
export function errorReply(error: unknown): Reply {
  if (error instanceof HttpError)
    return { status: error.status, headers: { ...json, ...error.headers }, body: errorBody(error.message) }
  const { fault, message } = faultOf(error)
  // Not told the client, but whoever runs the service.
  if (fault === 'internal') warnOf(error)
  return faultReply(fault, message)
}

/** A second is long enough for a queue to be worked off, and short enough not to leave it idle. */
const jsonForLater = { ...json, 'retry-after': '1' }

export const faultReply = (fault: Fault, message: string): Reply => ({
  status: statuses[fault],
  headers: fault === 'full' ? jsonForLater : json,
  body: errorBody(message),
})

/** What came may be in a message. */
const longestMessage = 1000

const errorBody = (message: string): string => JSON.stringify({ error: message.slice(0, longestMessage) })

/** Sends it, unless the client is gone. */
export function send(response: ServerResponse, { status, headers, body }: Reply, isHead = false): void {
  if (response.headersSent || response.destroyed) return
  const length = Buffer.byteLength(body)
  // A list is written as it is, where an object would be read field by field.
  const fields = ['content-length', String(length), 'x-content-type-options', 'nosniff']
  for (const name in headers) fields.push(name, headers[name]!)
  response.writeHead(status, fields)
  if (isHead) response.end()
  else if (length > mostAtOnce) response.end(body)
  else sendAtOnce(response, body)
}

/** Bytes that are copied for it. */
const mostAtOnce = 2 ** 14

/**
 * Writes head and body as one text, which costs Node far less than to gather a head, bytes and an end: bytes as a text of as many letters, and before
 * the end is said, which would be gathered with it.
 */
function sendAtOnce(response: ServerResponse, body: string | Uint8Array): void {
  if (typeof body === 'string') response.write(body)
  else response.write(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('latin1'), 'latin1')
  // Not at the end of the turn.
  response.socket?.uncork()
  response.end()
}

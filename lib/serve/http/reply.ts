/** What is answered to a request over HTTP, and the faults that have a status of their own. */
import type { ServerResponse } from 'node:http'
import { ClosedError, QueueFullError, TimeoutError } from '../errors.ts'

/** A fault that is the client's, or a state that it may wait out. */
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

export const jsonReply = (value: unknown, status = 200): Reply => ({
  status,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(value),
})

export const textReply = (body: string, type: string): Reply => ({
  status: 200,
  headers: { 'content-type': type },
  body,
})

/** In the form of the Open Inference Protocol: `{ "error": … }`. Rows that are refused are the client's fault, all else is ours and not told. */
export function errorReply(error: unknown): Reply {
  const { status, message, headers } = faultOf(error)
  const reply = jsonReply({ error: message }, status)
  return { ...reply, headers: { ...reply.headers, ...headers } }
}

function faultOf(error: unknown): { status: number; message: string; headers?: Readonly<Record<string, string>> } {
  if (error instanceof HttpError) return error
  // A second is long enough for a queue to be worked off, and short enough not to leave it idle.
  if (error instanceof QueueFullError) return { status: 429, message: error.message, headers: { 'retry-after': '1' } }
  if (error instanceof TimeoutError) return { status: 504, message: error.message }
  if (error instanceof ClosedError) return { status: 503, message: error.message }
  if (isRefusal(error)) return { status: 400, message: error.message }
  return { status: 500, message: 'internal error' }
}

/** What the library refuses: `predictor: expected …`; another TypeError is a fault of somebody's code. */
const isRefusal = (error: unknown): error is Error =>
  (error instanceof TypeError || error instanceof RangeError) && /^\w+: /.test(error.message)

/** Sends it, unless the client is gone. */
export function send(response: ServerResponse, { status, headers, body }: Reply, isHead = false): void {
  if (response.headersSent || response.destroyed) return
  const bytes = typeof body === 'string' ? Buffer.from(body) : body
  response.writeHead(status, {
    ...headers,
    'content-length': String(bytes.byteLength),
    'x-content-type-options': 'nosniff',
  })
  response.end(isHead ? undefined : bytes)
}

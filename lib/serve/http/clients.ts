/** What one client may hold: on a connection one answer at a time, which it has to take in time, and of the memory for bodies what is left. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { startTimer } from '../../base/timers.ts'

/**
 * Of requests that a client sends without waiting for answers (HTTP pipelining) each waits until the answer before it is taken. They come in one piece, and
 * all of their answers would have to be kept otherwise.
 * @returns undefined where nothing has to be waited for
 */
export function turnOf(request: IncomingMessage, response: ServerResponse): Promise<void> | undefined {
  // The requests of HTTP/2 are answered in any order; of HTTP/1 the response whose turn it is has the connection.
  if (request.httpVersionMajor !== 1 || response.socket !== null) return undefined
  return new Promise((resolve) => {
    response.once('socket', () => resolve())
    // The connection may end before.
    request.once('close', resolve)
  })
}

/** Ends the connection of a client that has not taken an answer, which is written, in so many milliseconds. */
export function endUnlessTaken(response: ServerResponse, milliseconds: number): void {
  // The system has taken it.
  if (response.writableLength === 0 || response.destroyed) return
  const timer = startTimer(() => response.destroy(), milliseconds)
  timer.unref()
  response.once('close', () => clearTimeout(timer))
}

/** Begins to listen, or says why not. */
import type { Server } from 'node:net'

/** @throws (rejects with) an Error with the `code` of the system, in words that say what to do where the port is in use */
export function listen(
  op: string,
  server: Server,
  where: { port: number; host: string; exclusive?: boolean },
): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => reject(listenError(op, where, error)))
    server.listen(where, resolve)
  })
}

export function listenError(
  op: string,
  { port, host }: { port: number; host: string },
  cause: NodeJS.ErrnoException,
): Error {
  const { code, message } = cause
  const text =
    code === 'EADDRINUSE'
      ? `${op}: port ${port} is in use: give another one, or 0 for any that is free`
      : `${op}: cannot listen on ${host}, port ${port}: ${message}`
  return Object.assign(new Error(text, { cause }), { code })
}

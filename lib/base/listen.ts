/** Begins to listen, or says why not. */
import type { Server } from 'node:net'

/** @throws (rejects with) an Error with the `code` of the system, in words that say what to do where the port is in use */
export function listen(
  op: string,
  server: Server,
  where: { port: number; host: string; exclusive?: boolean },
): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const message =
        error.code === 'EADDRINUSE'
          ? `${op}: port ${where.port} is in use: give another one, or 0 for any that is free`
          : `${op}: cannot listen on ${where.host}, port ${where.port}: ${error.message}`
      reject(Object.assign(new Error(message, { cause: error }), { code: error.code }))
    })
    server.listen(where, resolve)
  })
}

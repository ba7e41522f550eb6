/** Waiting for what an AbortSignal may end. */
import type { Abortable } from './options.ts'

/**
 * What `value` becomes, or the signal's reason, whichever comes first: code of the user's may never settle. What it throws
 * after that is nobody's.
 */
export async function unlessAborted<T>(signal: Abortable | undefined, value: T | PromiseLike<T>): Promise<T> {
  if (signal === undefined) return value
  let stop = () => {}
  const aborted = new Promise<never>((_, reject) => {
    stop = () => {
      try {
        signal.throwIfAborted()
      } catch (reason) {
        reject(reason)
      }
    }
  })
  signal.addEventListener?.('abort', stop)
  stop()
  try {
    return await Promise.race([aborted, value])
  } finally {
    signal.removeEventListener?.('abort', stop)
  }
}

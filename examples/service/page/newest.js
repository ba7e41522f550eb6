// One request at a time, and of several that would come after it the newest alone.

/**
 * While a request is under way the newest value waits for it, though not for long: then the request is aborted, as its answer is of no more use.
 * @template T
 * @param {(value: T, signal: AbortSignal) => Promise<void>} send that does not reject
 * @param {number} [patience] in milliseconds
 */
export function newestWins(send, patience = 150) {
  /** @type {T | undefined} */
  let waiting
  /** @type {AbortController | undefined} */
  let sent
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer

  async function sendWaiting() {
    while (waiting !== undefined) {
      const value = waiting
      waiting = undefined
      sent = new AbortController()
      await send(value, sent.signal)
      clearTimeout(timer)
      timer = undefined
    }
    sent = undefined
  }

  return {
    /** @param {T} value */
    send(value) {
      waiting = value
      if (sent === undefined) void sendWaiting()
      else timer ??= setTimeout(() => sent?.abort(), patience)
    },
    /** Nothing of what was sent is wanted any more. */
    cancel() {
      waiting = undefined
      sent?.abort()
    },
  }
}

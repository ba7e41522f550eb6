/** What Linux tells of a thread by itself. */
import { openSync, readSync } from 'node:fs'

/** Milliseconds that the main thread has run, and that it has waited for a processor; zeros where that is not known. */
export function mainThreadTimes(): () => readonly [ran: number, waited: number] {
  try {
    const file = openSync(`/proc/self/task/${process.pid}/schedstat`, 'r')
    const text = Buffer.alloc(128)
    return () => {
      const [ran = 0, waited = 0] = text
        .toString('latin1', 0, readSync(file, text, 0, 128, 0))
        .split(' ')
        .map(Number)
      return [ran / 1e6, waited / 1e6]
    }
  } catch {
    return () => [0, 0]
  }
}

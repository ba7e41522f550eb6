/**
 * The side of a process that tries cases: it notes the number of a case before it begins, so that whoever watches it
 * (watch.ts) knows which one ended the process, or did not end. Arguments: a file for the number, a seed, the first case, how
 * many, and until when.
 */
import { openSync, writeSync } from 'node:fs'
import { numbersOf } from './suite.ts'

/** What it prints, a line of JSON each. */
export type Message =
  | { readonly counts: Record<string, number>; readonly isDone?: true }
  | { readonly fault: string; readonly number: number }

const casesOfLine = 1000

/** How a case ended, or how often each of its parts did. */
export type Outcome = string | Readonly<Record<string, number>>

/** Tries the cases that the arguments ask for. What `tryCase` gives is counted; what it throws is a fault. */
export async function tryCases(tryCase: (seed: number, number: number) => Promise<Outcome>): Promise<void> {
  const [path, ...given] = process.argv.slice(2)
  const [seed, first, cases, until] = given.map(Number) as [number, number, number, number]
  const file = openSync(path!, 'r+')
  const note = new Float64Array(1)
  let counts: Record<string, number> = {}
  // At once, as the process may end any time. The last line says that it is done.
  const say = (message: Message) => writeSync(1, `${JSON.stringify(message)}\n`)
  for (const number of numbersOf({ first, cases, until })) {
    if ((number - first) % casesOfLine === 0) {
      say({ counts })
      counts = {}
    }
    note[0] = number
    writeSync(file, note, 0, 8, 0)
    try {
      const outcome = await tryCase(seed, number)
      for (const [name, times] of typeof outcome === 'string' ? [[outcome, 1] as const] : Object.entries(outcome))
        counts[name] = (counts[name] ?? 0) + times
    } catch (error) {
      say({ fault: error instanceof Error ? (error.stack ?? error.message) : String(error), number })
    }
  }
  say({ counts, isDone: true })
}

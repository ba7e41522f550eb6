/** Files that records are in: JSON lines, and TensorBoard's event files. */
import { eventsFile } from '../events/json-lines.ts'
import type { RunRecord } from '../events/record.ts'
import { RecordReader } from '../events/record-reader.ts'
import { isEventFile, readEvents, recordsOf } from '../tensorboard/index.ts'

/** What a piece of a file holds: a millisecond or two of work. */
export interface Piece {
  readonly records: readonly RunRecord[]
  /** Where the next one begins. */
  readonly end: number
  /** What is wrong in it, if something is. */
  readonly fault?: string | undefined
}

/** Reads a file on from where the last call left it, to the last record that is there whole. */
export type Format = () => AsyncGenerator<Piece, void>

/**
 * Of the files in a folder those that have the records of a run. Where there are lines of JSON, event files beside them have the same in
 * other words.
 */
export function recordFilesIn(names: readonly string[]): string[] {
  return names.includes(eventsFile) ? [eventsFile] : names.filter(isEventFile).sort()
}

export const formatOf = (path: string): Format => (isEventFile(path) ? eventFile(path) : jsonLines(path))

function jsonLines(path: string): Format {
  const reader = new RecordReader(path)
  return async function* () {
    for (let isAtEnd = false; !isAtEnd; ) {
      const found = await reader.read()
      isAtEnd = found.isAtEnd
      yield { records: found.records, end: reader.offset, fault: found.damaged[0]?.error.message }
    }
  }
}

/** Some two hundred scalars, each of which is an event. */
const pieceBytes = 2 ** 13

function eventFile(path: string): Format {
  const options = { maxEventBytes: 2 ** 24, plugins: new Map<string, string>() }
  let from = 0
  return async function* () {
    let records: RunRecord[] = []
    let end = from
    let failure: { readonly error: unknown } | undefined
    try {
      for await (const event of readEvents(path, { ...options, from })) {
        records.push(...recordsOf(event))
        end = event.end
        if (end - from < pieceBytes) continue
        from = end
        yield { records, end }
        records = []
      }
    } catch (error) {
      failure = { error }
    }
    // What stands before damage is whole.
    from = end
    yield { records, end }
    if (failure !== undefined) throw failure.error
  }
}

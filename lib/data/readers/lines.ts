/** Text files line by line, and JSON lines. */
import { checkOptions, type OptionTypes } from '../../base/options.ts'
import { checkPath } from '../../files/file-error.ts'
import { openSource } from '../../files/source.ts'
import type { Stream } from '../stream.ts'
import { blocksOf, type Encoding, encodings, linesOf } from './blocks.ts'
import { failIn, type ReadGroups, streamOfGroups } from './groups.ts'

export interface LinesOptions {
  /** How the text is coded; UTF-8 unless given. */
  encoding?: Encoding
}

const linesOptions: OptionTypes<LinesOptions> = { encoding: encodings }

/** Where a block begins, and how many lines are before it. */
interface Place {
  readonly byte: number
  readonly line: number
  readonly [name: string]: number
}

/** What a function makes of the lines of each block; it is told the number of the first, from 1 on. */
function readLines<T>(
  op: string,
  path: string,
  encoding: Encoding,
  parse: (lines: string[], first: number) => T[],
): ReadGroups<T> {
  return async function* (start) {
    const { byte, line: before } = (start ?? { byte: 0, line: 0 }) as Place
    const source = await openSource(op, path)
    try {
      let line = before
      for await (const block of blocksOf(op, source, { encoding, start: byte })) {
        const lines = linesOf(block.text)
        yield { start: { byte: block.start, line }, elements: parse(lines, line + 1) }
        line += lines.length
      }
    } finally {
      await source.close()
    }
  }
}

/**
 * A stream of the lines of a text file, without what ends them (`\n` or `\r\n`). It is read in blocks while it is used, from wherever a
 * saved state stands.
 *
 * @throws TypeError for what is no path; (a pass does) DataFormatError for text of another encoding, Error with the `code` of the file system
 * @tensorflow tf.data.TextLineDataset
 */
export function fromLines(path: string, options?: LinesOptions, ...surplus: []): Stream<string> {
  const { encoding = 'utf-8' } = checkOptions('fromLines', options, linesOptions, surplus)
  const file = checkPath('fromLines', path)
  return streamOfGroups(
    'fromLines',
    file,
    undefined,
    readLines('fromLines', file, encoding, (lines) => lines),
  )
}

/**
 * A stream of what the lines of a file are as JSON (`.jsonl`, `.ndjson`): mostly records. Lines of nothing but spaces are passed over.
 *
 * @throws TypeError for what is no path; (a pass does) DataFormatError with the number of the line that is no JSON, Error with the `code` of
 * the file system
 *
 * @example
 * fromJSONLines('reviews.jsonl').map(({ text, stars }) => [encode(text), stars]).paddedBatch(32)
 */
export function fromJSONLines<T = unknown>(path: string, options?: LinesOptions, ...surplus: []): Stream<T> {
  const { encoding = 'utf-8' } = checkOptions('fromJSONLines', options, linesOptions, surplus)
  const file = checkPath('fromJSONLines', path)
  const parse = (lines: string[], first: number): T[] =>
    lines.flatMap((line, i) => (line.trim() === '' ? [] : [parseLine(line, first + i, file) as T]))
  return streamOfGroups('fromJSONLines', file, undefined, readLines('fromJSONLines', file, encoding, parse))
}

function parseLine(line: string, number: number, path: string): unknown {
  try {
    return JSON.parse(line)
  } catch (error) {
    return failIn('fromJSONLines', 'JSON', (error as Error).message, path, `line ${number}`)
  }
}

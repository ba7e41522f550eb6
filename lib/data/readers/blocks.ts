/** Text files in blocks of whole records, each of which may be read by itself. */
import type { Source } from '../../files/source.ts'
import { failIn } from './groups.ts'

/** What is read at a time: some milliseconds of work. */
const blockBytes = 2 ** 16
/** A record of so many bytes has an end that is missing. */
const mostRecordBytes = 2 ** 26

const newline = '\n'.charCodeAt(0)

export interface Block {
  /** Where it begins in the file. */
  readonly start: number
  readonly text: string
}

/** How text is coded: `latin1` is what Windows calls 1252. */
export type Encoding = 'utf-8' | 'latin1'

export const encodings = ['utf-8', 'latin1'] as const satisfies readonly Encoding[]

export interface BlockOptions {
  readonly encoding: Encoding
  /** Newlines between two of these end no record. */
  readonly quote?: number | undefined
  readonly start?: number | undefined
}

/** The blocks of a file from a place on where one began, which are the same then; a byte order mark at its beginning is left out. */
export async function* blocksOf(op: string, source: Source, options: BlockOptions): AsyncGenerator<Block, void> {
  const { encoding, quote } = options
  let { start = 0 } = options
  for (let length = blockBytes; start < source.size; ) {
    const end = Math.min(source.size, start + length)
    const bytes = await source.read(start, end)
    const whole = wholeRecords(bytes, quote)
    if (whole === 0 && bytes.length > mostRecordBytes)
      failIn(op, `records of at most ${mostRecordBytes} bytes`, 'a longer one', source.name, `byte ${start}`)
    // A record that is longer than a block is looked for in a longer one.
    if (whole === 0 && end < source.size) length *= 2
    else {
      const own = end === source.size ? bytes : bytes.subarray(0, whole)
      const text = decoded(op, source, own, encoding, start)
      yield { start, text: start === 0 && text.startsWith('\ufeff') ? text.slice(1) : text }
      start += own.length
      length = blockBytes
    }
  }
}

/** How many bytes at the beginning are whole records: to the last newline that is not between quotes. */
function wholeRecords(bytes: Uint8Array, quote: number | undefined): number {
  if (quote === undefined || !bytes.includes(quote)) return bytes.lastIndexOf(newline) + 1
  let length = 0
  let isQuoted = false
  for (let i = 0; i < bytes.length; i++) {
    if (bytes[i] === quote) isQuoted = !isQuoted
    else if (bytes[i] === newline && !isQuoted) length = i + 1
  }
  return length
}

function decoded(op: string, { name }: Source, bytes: Uint8Array, encoding: Encoding, start: number): string {
  try {
    return new TextDecoder(encoding, { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return failIn(op, 'text in UTF-8 (or { encoding: "latin1" })', 'other bytes', name, `from byte ${start} on`)
  }
}

/** The lines of a text, without what ends them; the last one may have no end. */
export function linesOf(text: string): string[] {
  const lines = text.split('\n')
  if (lines.at(-1) === '') lines.pop()
  return text.includes('\r') ? lines.map((line) => (line.endsWith('\r') ? line.slice(0, -1) : line)) : lines
}

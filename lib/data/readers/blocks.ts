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

/** The blocks of a file from a place on where one began; a byte order mark at its beginning is left out. */
export async function* blocksOf(op: string, source: Source, options: BlockOptions): AsyncGenerator<Block, void> {
  const { encoding, quote } = options
  let { start = 0 } = options
  let rest: Uint8Array = new Uint8Array(0)
  for (let read = start; read < source.size; ) {
    // A record that is longer than a block has more read at a time, the longer it is.
    const end = Math.min(source.size, read + Math.max(blockBytes, rest.length))
    const bytes = joined(rest, await source.read(read, end))
    read = end
    const whole = wholeRecords(bytes, quote)
    if (whole === 0 && bytes.length > mostRecordBytes)
      failIn(op, `records of at most ${mostRecordBytes} bytes`, 'a longer one', source.name, `byte ${start}`)
    const length = end === source.size ? bytes.length : whole
    if (length > 0) {
      const text = decoded(op, source, bytes.subarray(0, length), encoding, start)
      yield { start, text: start === 0 && text.startsWith('\ufeff') ? text.slice(1) : text }
    }
    start += length
    rest = bytes.subarray(length)
  }
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  if (a.length === 0) return b
  const both = new Uint8Array(a.length + b.length)
  both.set(a)
  both.set(b, a.length)
  return both
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

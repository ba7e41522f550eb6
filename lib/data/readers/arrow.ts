/** Arrow files and streams row by row, by the package apache-arrow. */
import { open } from 'node:fs/promises'
import { checkOptions } from '../../base/options.ts'
import { missingPackage } from '../../base/peer.ts'
import { checkPath } from '../../files/file-error.ts'
import { openSource } from '../../files/source.ts'
import type { Stream } from '../stream.ts'
import { failIn, type ReadGroups, streamOfGroups } from './groups.ts'
import { checkAreThere, checkColumns, plainValue, type TableOptions, type TableRow, tableOptions } from './parquet.ts'

/** So many rows are made at a time. */
const rowsPerGroup = 4096

/**
 * A stream of the rows of an Arrow file (`.arrow`, `.feather`) or stream, as records by the names of the columns: numbers, truths, texts, lists, null. One record
 * batch is in memory at a time. Integers of 64 bits are numbers.
 *
 * It takes the package `apache-arrow`. pandas calls it `read_feather`.
 *
 * @throws TypeError for bad options; (a pass does) MissingPackageError with the command that installs it, DataFormatError for what is no such file, columns
 * that are not there, and integers beyond 2⁵³; Error with the `code` of the file system
 */
export function fromArrow<R extends TableRow = TableRow>(
  path: string,
  options?: TableOptions,
  ...surplus: []
): Stream<R> {
  const columns = checkColumns('fromArrow', checkOptions('fromArrow', options, tableOptions, surplus))
  const file = checkPath('fromArrow', path)
  return streamOfGroups('fromArrow', file, columns && JSON.stringify(columns), readRows(file, columns) as ReadGroups<R>)
}

/** Which record batch, and which of its rows. */
interface Place {
  readonly batch: number
  readonly row: number
  readonly [name: string]: number
}

/** What is asked of a column. */
interface Column {
  get(row: number): unknown
}

function readRows(path: string, asked: readonly string[] | undefined): ReadGroups<TableRow> {
  return async function* (start) {
    const arrow = await import('apache-arrow').catch(missingPackage('fromArrow', 'apache-arrow'))
    await checkEnd(path)
    const file = await open(path)
    const from = (start ?? { batch: 0, row: 0 }) as Place
    try {
      const reader = await orRefused(path, async () => (await arrow.RecordBatchReader.from(file)).open())
      const names =
        reader.schema?.fields.map(({ name }) => name) ?? failIn('fromArrow', 'an Arrow file', 'no schema', path)
      checkAreThere('fromArrow', path, names, asked)
      for (let batch = 0; ; batch++) {
        const next = await orRefused(path, async () => reader.next())
        if (next.done) return
        if (batch < from.batch) continue
        const columns = (asked ?? names).map((name) => [name, next.value.getChild(name) as Column] as const)
        const rows = next.value.numRows
        for (let row = batch === from.batch ? from.row : 0; row < rows; row += rowsPerGroup) {
          const end = Math.min(row + rowsPerGroup, rows)
          yield { start: { batch, row }, elements: await orRefused(path, async () => rowsAt(path, columns, row, end)) }
        }
      }
    } finally {
      await file.close()
    }
  }
}

/** What ends a stream. A file has its own end, which apache-arrow looks for. */
const endOfStream = Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0)
const magic = Buffer.from('ARROW1')

/** A stream that was cut between two messages would pass for a shorter one. */
async function checkEnd(path: string): Promise<void> {
  const source = await openSource('fromArrow', path)
  try {
    if (source.size < endOfStream.length) failIn('fromArrow', 'an Arrow file', `${source.size} bytes`, path)
    const [first, last] = [
      await source.read(0, magic.length),
      await source.read(source.size - endOfStream.length, source.size),
    ]
    if (!magic.equals(first) && Buffer.compare(last, endOfStream) !== 0)
      failIn('fromArrow', 'an Arrow file, or a stream with its end', 'another one', path)
  } finally {
    await source.close()
  }
}

/** Whatever apache-arrow throws is about the file. */
async function orRefused<T>(path: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (error) {
    if ((error as Error).name === 'DataFormatError') throw error
    return failIn('fromArrow', 'an Arrow file', (error as Error).message, path)
  }
}

function rowsAt(path: string, columns: readonly (readonly [string, Column])[], start: number, end: number): TableRow[] {
  const rows: TableRow[] = []
  for (let i = start; i < end; i++) {
    const row: TableRow = {}
    for (const [name, column] of columns) row[name] = plainValue('fromArrow', path, name, listed(column.get(i)))
    rows.push(row)
  }
  return rows
}

/** Lists and records of Arrow, which are views, as those of JavaScript. */
function listed(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value) || value instanceof Date) return value
  if (Symbol.iterator in value && 'get' in value) return Array.from(value as Iterable<unknown>, listed)
  if (!('toJSON' in value) || typeof value.toJSON !== 'function') return value
  return Object.fromEntries(Object.entries(value.toJSON() as object).map(([name, each]) => [name, listed(each)]))
}

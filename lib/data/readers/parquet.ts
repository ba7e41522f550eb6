/** Parquet files row by row, by the package hyparquet. */
import type { FileMetaData } from 'hyparquet'
import { checkList, checkText } from '../../base/arguments.ts'
import { expected } from '../../base/errors.ts'
import { checkOptions, isPlainObject, type OptionTypes } from '../../base/options.ts'
import { missingPackage } from '../../base/peer.ts'
import { checkPath } from '../../files/file-error.ts'
import { openSource, type Source } from '../../files/source.ts'
import type { Stream } from '../stream.ts'
import { failIn, type ReadGroups, streamOfGroups } from './groups.ts'

/** A row of a table by the names of its columns. */
export type TableRow = Record<string, unknown>

export interface TableOptions {
  /** The columns that rows have; all unless given. No others are read. */
  columns?: readonly string[]
}

export const tableOptions: OptionTypes<TableOptions> = { columns: 'other' }

/** So many rows are made at a time. */
const rowsPerGroup = 4096

/** The columns that are asked for, as a copy. */
export function checkColumns(op: string, { columns }: TableOptions): readonly string[] | undefined {
  if (columns === undefined) return undefined
  const names = checkList(op, 'columns as a list of texts', columns).map((name) =>
    checkText(op, 'texts in columns', name),
  )
  if (names.length === 0) throw new RangeError(expected(op, 'names in columns', 'none'))
  return names
}

/** @throws DataFormatError for columns that a file has not */
export function checkAreThere(
  op: string,
  path: string,
  names: readonly string[],
  asked: readonly string[] | undefined,
): void {
  const missing = (asked ?? []).filter((name) => !names.includes(name))
  if (missing.length > 0) failIn(op, `the columns ${missing.join(', ')}`, `only ${names.join(', ')}`, path)
  if (names.includes('__proto__')) failIn(op, 'names of columns other than __proto__', 'it', path)
}

/**
 * A stream of the rows of a Parquet file, as records by the names of the columns: numbers, truths, texts, dates, lists, null. One row group is in
 * memory at a time, column by column. Integers of 64 bits are numbers.
 *
 * It takes the package `hyparquet`, and `hyparquet-compressors` for files that are compressed by something else than Snappy.
 *
 * pandas calls it `read_parquet`.
 *
 * @throws TypeError for bad options; (a pass does) MissingPackageError with the command that installs what is missing, DataFormatError for what is no
 * such file, columns that are not there, and integers beyond 2⁵³; Error with the `code` of the file system
 *
 * @example
 * fromParquet<{ x: number; y: number }>('rows.parquet', { columns: ['x', 'y'] }).map(({ x, y }) => [[x], [y]]).batch(32)
 */
export function fromParquet<R extends TableRow = TableRow>(
  path: string,
  options?: TableOptions,
  ...surplus: []
): Stream<R> {
  const columns = checkColumns('fromParquet', checkOptions('fromParquet', options, tableOptions, surplus))
  const file = checkPath('fromParquet', path)
  return streamOfGroups(
    'fromParquet',
    file,
    columns && JSON.stringify(columns),
    readRows(file, columns) as ReadGroups<R>,
  )
}

/** Which row group, and which of its rows. */
interface Place {
  readonly group: number
  readonly row: number
  readonly [name: string]: number
}

function readRows(path: string, asked: readonly string[] | undefined): ReadGroups<TableRow> {
  return async function* (start) {
    const hyparquet = await import('hyparquet').catch(missingPackage('fromParquet', 'hyparquet'))
    const source = await openSource('fromParquet', path)
    try {
      const file = { byteLength: source.size, slice: (from: number, to = source.size) => slice(source, from, to) }
      const metadata = await orRefused(path, hyparquet.parquetMetadataAsync(file))
      const names = hyparquet.parquetSchema(metadata).children.map(({ element }) => element.name)
      checkAreThere('fromParquet', path, names, asked)
      const compressors = needsCompressors(metadata)
        ? (await import('hyparquet-compressors').catch(missingPackage('fromParquet', 'hyparquet-compressors')))
            .compressors
        : undefined
      const from = (start ?? { group: 0, row: 0 }) as Place
      let rowStart = 0
      for (const [group, { num_rows }] of metadata.row_groups.entries()) {
        const rowEnd = rowStart + Number(num_rows)
        if (group >= from.group) {
          const data = new Map<string, unknown[]>((asked ?? names).map((name) => [name, []]))
          const onChunk = ({ columnName, columnData }: { columnName: string; columnData: ArrayLike<unknown> }) => {
            const column = data.get(columnName)
            if (column !== undefined) for (let i = 0; i < columnData.length; i++) column.push(columnData[i])
          }
          const columns = { columns: [...data.keys()], ...(compressors === undefined ? {} : { compressors }) }
          await orRefused(path, hyparquet.parquetRead({ file, metadata, rowStart, rowEnd, onChunk, ...columns }))
          for (const column of data.values())
            if (column.length !== rowEnd - rowStart)
              failIn('fromParquet', `${rowEnd - rowStart} rows in a row group`, `${column.length}`, path)
          for (let row = group === from.group ? from.row : 0; row < rowEnd - rowStart; row += rowsPerGroup) {
            const end = Math.min(row + rowsPerGroup, rowEnd - rowStart)
            yield { start: { group, row }, elements: rowsAt(path, data, row, end) }
          }
        }
        rowStart = rowEnd
      }
    } finally {
      await source.close()
    }
  }
}

async function slice(source: Source, start: number, end: number): Promise<ArrayBuffer> {
  const from = start < 0 ? source.size + start : start
  if (!(from >= 0 && from <= end && end <= source.size))
    failIn('fromParquet', 'parts of a file', `bytes ${from} to ${end} of ${source.size}`, source.name)
  const bytes = await source.read(from, end)
  return bytes.buffer as ArrayBuffer
}

/** Whatever hyparquet throws is about the file. */
async function orRefused<T>(path: string, reading: Promise<T>): Promise<T> {
  try {
    return await reading
  } catch (error) {
    const { name, message, code } = error as NodeJS.ErrnoException
    if (code !== undefined || name === 'DataFormatError') throw error
    return failIn('fromParquet', 'a Parquet file', message, path)
  }
}

/** hyparquet itself expands Snappy. */
const needsCompressors = ({ row_groups }: FileMetaData): boolean =>
  row_groups.some(({ columns }) =>
    columns.some(({ meta_data }) => meta_data !== undefined && !['UNCOMPRESSED', 'SNAPPY'].includes(meta_data.codec)),
  )

function rowsAt(path: string, data: ReadonlyMap<string, readonly unknown[]>, start: number, end: number): TableRow[] {
  const columns = [...data]
  const rows: TableRow[] = []
  for (let i = start; i < end; i++) {
    const row: TableRow = {}
    for (const [name, column] of columns) row[name] = plainValue('fromParquet', path, name, column[i])
    rows.push(row)
  }
  return rows
}

/** Integers of 64 bits as numbers, and what is not there as null. */
export function plainValue(op: string, path: string, name: string, value: unknown): unknown {
  if (value === undefined) return null
  if (typeof value === 'bigint') {
    const number = Number(value)
    return Number.isSafeInteger(number) ? number : failIn(op, `integers that are exact as ${name}`, `${value}`, path)
  }
  if (Array.isArray(value)) return value.map((each) => plainValue(op, path, name, each))
  if (!isPlainObject(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, plainValue(op, path, name, each)]))
}

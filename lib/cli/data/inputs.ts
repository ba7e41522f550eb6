/** Rows for predictions: of files, and of stdin, one after the other, with as much in memory as is under way. */
import { createReadStream } from 'node:fs'
import { extname } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { missingPackage } from '../../base/peer.ts'
import { loadNpy } from '../../files/npy.ts'
import type { TableConfig } from '../config/schema.ts'
import { typeOfFile } from '../config/schema.ts'
import { CommandError, exitCodes } from '../exit.ts'
import { type Row, RowError } from './rows.ts'
import { readTable } from './tables.ts'

/** What is read of a row: columns by name, or numbers alone. */
export interface InputRow {
  readonly row: Row
  /** From 1 on, in its file. */
  readonly number: number
  readonly file: string
}

export type InputFormat = 'csv' | 'jsonl'

/** How the table of the training was written, which its others are too. */
export type TableFormat = Pick<TableConfig, 'delimiter' | 'quote' | 'header' | 'trim'>

const images = new Set(['.jpg', '.jpeg', '.png', '.webp', '.gif', '.tif', '.tiff', '.avif'])

/** The name of the only value of a row that has none. */
export const whole = 'x'

export interface InputOptions {
  /** Of stdin, and of files whose names do not say it. */
  readonly format: InputFormat | undefined
  readonly table: TableFormat
  /** Of an image: [channels, height, width]. */
  readonly shape: readonly number[]
}

export async function* rowsOfInputs(paths: readonly string[], options: InputOptions): AsyncGenerator<InputRow> {
  for (const path of paths) {
    const file = path === '-' ? 'stdin' : path
    let number = 0
    for await (const row of rowsOfInput(path, options)) yield { row, number: ++number, file }
  }
}

function rowsOfInput(path: string, options: InputOptions): AsyncIterable<Row> {
  const extension = extname(path).toLowerCase()
  if (images.has(extension)) return imageRow(path, options.shape)
  if (extension === '.npy') return rowsOfArray(path)
  const type = path === '-' ? undefined : typeOfFile(path)
  if (type === 'parquet' || type === 'arrow') return readTable({ type, path, target: '' }, path)
  const format = options.format ?? (type === 'csv' ? 'csv' : type === 'jsonLines' ? 'jsonl' : undefined)
  if (format === undefined)
    throw new CommandError(`expected a format for ${path === '-' ? 'stdin' : path}, got none`, {
      help: '--format csv or --format jsonl',
      code: exitCodes.usage,
    })
  const stream = path === '-' ? process.stdin : createReadStream(path)
  return format === 'csv' ? rowsOfCSV(stream, path, options.table) : rowsOfJSON(stream, path)
}

/** Fields as texts: what they are of, the columns of the training say. */
async function* rowsOfCSV(stream: Readable, path: string, table: TableFormat): AsyncGenerator<Row> {
  const { parse } = await import('csv-parse')
  const { delimiter = path.endsWith('.tsv') ? '\t' : ',', quote = '"', header = true, trim = false } = table
  const named =
    header === true ? true : header === false ? (first: string[]) => first.map((_, i) => String(i)) : [...header]
  const parser = parse({
    ...{ delimiter, quote, trim, bom: true, skip_empty_lines: true },
    columns: named as true,
  })
  // Errors of one end the other, and the reader.
  stream.on('error', (error) => parser.destroy(error))
  stream.pipe(parser)
  try {
    for await (const row of parser) yield row as Row
  } catch (error) {
    throw inputError(error, path)
  } finally {
    stream.unpipe(parser)
    stream.destroy()
  }
}

async function* rowsOfJSON(stream: Readable, path: string): AsyncGenerator<Row> {
  const lines = createInterface({ input: stream, crlfDelay: Infinity })
  const failed = new Promise<never>((_, fail) => stream.once('error', (error) => fail(inputError(error, path))))
  failed.catch(() => {})
  let number = 0
  const iterator = lines[Symbol.asyncIterator]()
  for (;;) {
    const { done, value } = await Promise.race([iterator.next(), failed])
    if (done) return
    number++
    if (value.trim() === '') continue
    yield rowOfJSON(value, path, number)
  }
}

function rowOfJSON(line: string, path: string, number: number): Row {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    throw new RowError('expected a line of JSON, got another text', path === '-' ? 'stdin' : path, number)
  }
  if (Array.isArray(value)) return { [whole]: value }
  if (typeof value === 'object' && value !== null) return value as Row
  throw new RowError('expected an object or an array', path === '-' ? 'stdin' : path, number)
}

function inputError(error: unknown, path: string): unknown {
  const { code, message } = error as NodeJS.ErrnoException
  if (code === 'ENOENT') return new CommandError(`there is no file ${path}`, { code: exitCodes.usage, cause: error })
  if (code?.startsWith('CSV_') || code?.startsWith('INVALID_'))
    return new CommandError(message, { where: path === '-' ? 'stdin' : path, cause: error })
  return error
}

async function* rowsOfArray(path: string): AsyncGenerator<Row> {
  const array = await loadNpy(path)
  const data = await array.data()
  const width = array.size / Math.max(1, array.shape[0] ?? 1)
  for (let i = 0; i < (array.shape[0] ?? 0); i++)
    yield { [whole]: Array.from(data.subarray(i * width, (i + 1) * width)) }
}

async function* imageRow(path: string, shape: readonly number[]): AsyncGenerator<Row> {
  const [channels = 3, height = 0, width = 0] = shape
  const { default: sharp } = await import('sharp').catch(missingPackage('predict', 'sharp'))
  const scaled = sharp(path).rotate().removeAlpha().resize(width, height, { fit: 'cover' })
  const coloured = channels === 1 ? scaled.greyscale() : scaled.toColourspace('srgb')
  const { data, info } = await coloured
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true })
    .catch((error) => {
      throw new CommandError(`expected an image, got ${(error as Error).message}`, { where: path, cause: error })
    })
  const size = height * width
  const planes = Array.from({ length: channels * size }, (_, i) => {
    const channel = Math.min(Math.floor(i / size), info.channels - 1)
    return data[(i % size) * info.channels + channel]!
  })
  yield { [whole]: planes }
}

/** CSV and TSV files, row by row. */
import { checkList, checkText, describe } from '../../base/arguments.ts'
import { expected } from '../../base/errors.ts'
import { checkOptions, checkRecord, type OptionTypes } from '../../base/options.ts'
import { checkPath } from '../../files/file-error.ts'
import { openSource, type Source } from '../../files/source.ts'
import type { Stream } from '../stream.ts'
import { blocksOf, type Encoding, encodings, linesOf } from './blocks.ts'
import { type ColumnType, columnTypes, fieldAs, inferredType } from './columns.ts'
import { failIn, type ReadGroups, streamOfGroups } from './groups.ts'

/** A field of a row; null where it is missing. */
export type Field = number | boolean | string | null

export type Row = Record<string, Field>

export interface CSVOptions {
  /** What is between fields, one character: a comma unless given, in files that end in `.tsv` a tab. */
  delimiter?: string
  /** What is around fields that have delimiters or line ends in them, where it stands twice for itself; `"` unless given, null for nothing. */
  quote?: string | null
  /** Whether the first row has the names of the columns (true unless given); or their names, where no row has them. false calls them 0, 1, …. */
  header?: boolean | readonly string[]
  /** The columns that rows have, in this order; all unless given. */
  columns?: readonly string[]
  /** What columns hold, by name. Otherwise that what the first rows have fits. */
  types?: Readonly<Record<string, ColumnType>>
  /** Texts that stand for what is missing, which is null (a batch has NaN in its place): nothing, NA, N/A, NaN, nan, null and NULL unless given. */
  missing?: readonly string[]
  /** Whether spaces around fields are left out; false unless given. */
  trim?: boolean
  /** How the text is coded; UTF-8 unless given. */
  encoding?: Encoding
}

const csvOptions: OptionTypes<CSVOptions> = {
  delimiter: 'string',
  quote: 'string or null',
  header: 'other',
  columns: 'other',
  types: 'other',
  missing: 'other',
  trim: 'boolean',
  encoding: encodings,
}

const usualMissing = ['', 'NA', 'N/A', 'NaN', 'nan', 'null', 'NULL']

/** Options that are checked and have defaults. */
interface Format {
  readonly path: string
  readonly delimiter: string
  readonly quote: string | null
  readonly header: boolean | readonly string[]
  readonly columns: readonly string[] | undefined
  readonly types: Readonly<Record<string, ColumnType>>
  readonly missing: ReadonlySet<string>
  readonly trim: boolean
  readonly encoding: Encoding
}

/** A column that rows have. */
interface Column {
  readonly name: string
  /** The place of its field in a row of the file. */
  readonly place: number
  readonly type: ColumnType
}

/** What a file has: columns, and where its rows begin. */
interface Layout {
  /** How many fields a row has. */
  readonly width: number
  readonly columns: readonly Column[]
}

/**
 * A stream of the rows of a CSV or TSV file, as records by the names of the columns: numbers, texts, truths, null where something is missing. It is read in
 * blocks while it is used, however large it is, from wherever a saved state stands.
 *
 * What a column holds follows from `types`, or from the rows in the first 64 KiB: numbers where all are, else true and false, else texts. A
 * later field that does not fit is an error with its row, so that nothing is wrong silently. TypeScript is told what rows are: `fromCSV<{ x: number }>(…)`.
 *
 * pandas calls it `read_csv`.
 *
 * @throws TypeError, RangeError for bad options; (a pass does) DataFormatError for an empty file, columns that are not there, rows of another length,
 * fields that do not fit and quotes without an end, with the number of the row; Error with the `code` of the file system
 *
 * @example
 * fromCSV<{ rooms: number; area: number; price: number }>('houses.csv', { types: { zip: 'string' } })
 *   .map(({ rooms, area, price }) => [[rooms, area], [price]])
 *   .shuffle(10_000)
 *   .batch(64)
 * @tensorflow tf.data.experimental.make_csv_dataset
 */
export function fromCSV<R extends Row = Row>(path: string, options?: CSVOptions, ...surplus: []): Stream<R> {
  const given = checkOptions('fromCSV', options, csvOptions, surplus)
  const format = formatOf(checkPath('fromCSV', path), given)
  const { delimiter, quote, header, columns } = format
  const text = JSON.stringify([delimiter, quote, header, ...(columns === undefined ? [] : [columns])])
  return streamOfGroups('fromCSV', path, text, readRows(format) as ReadGroups<R>)
}

function formatOf(path: string, given: CSVOptions): Format {
  const { delimiter = path.endsWith('.tsv') ? '\t' : ',', quote = '"', header = true, trim = false } = given
  const { encoding = 'utf-8', types = {} } = given
  checkCharacter('a delimiter', delimiter)
  if (quote !== null) checkCharacter('a quote', quote)
  if (quote === delimiter)
    throw new RangeError(expected('fromCSV', 'a quote other than the delimiter', describe(quote)))
  for (const [name, type] of Object.entries(checkRecord('fromCSV', 'types by name', types)))
    if (!columnTypes.includes(type))
      throw new TypeError(expected('fromCSV', `a type of ${name} (${columnTypes.join(', ')})`, describe(type)))
  return {
    path,
    delimiter,
    quote,
    header: typeof header === 'boolean' ? header : checkNames('header', header),
    columns: given.columns === undefined ? undefined : checkNames('columns', given.columns),
    types: { ...types },
    missing: new Set(given.missing === undefined ? usualMissing : checkTexts('missing', given.missing)),
    trim,
    encoding,
  }
}

/** One of ASCII, which is one byte in all encodings, and no part of a number or a line end. */
function checkCharacter(what: string, text: string): void {
  if (!/^[\t\x20-\x7e]$/.test(text))
    throw new RangeError(expected('fromCSV', `${what} of one ASCII character`, describe(text)))
}

const checkTexts = (name: string, texts: readonly string[]): readonly string[] =>
  checkList('fromCSV', `${name} as a list of texts`, texts).map((text) =>
    checkText('fromCSV', `texts in ${name}`, text),
  )

function checkNames(option: string, names: readonly string[]): readonly string[] {
  const list = checkTexts(option, names)
  if (list.length === 0) throw new RangeError(expected('fromCSV', `names in ${option}`, 'none'))
  const other = list.find((name, i) => list.indexOf(name) !== i || name === '__proto__')
  if (other !== undefined) throw new RangeError(expected('fromCSV', `${option} of different names`, describe(other)))
  return list
}

/** Where a block begins, and how many rows are before it. */
interface Place {
  readonly byte: number
  readonly row: number
  readonly [name: string]: number
}

function readRows(format: Format): ReadGroups<Row> {
  return async function* (start) {
    const source = await openSource('fromCSV', format.path)
    try {
      const layout = await layoutOf(format, source)
      const { byte, row: before } = (start ?? { byte: 0, row: 0 }) as Place
      const { encoding, quote } = format
      let row = before
      for await (const block of blocksOf('fromCSV', source, { encoding, quote: quote?.charCodeAt(0), start: byte })) {
        const headers = block.start === 0 && format.header === true ? 1 : 0
        const records = (await recordsOf(format, block.text, row - headers)).slice(headers)
        const elements = records.map((fields, i) => rowOf(format, layout, fields, row + 1 + i))
        yield { start: { byte: block.start, row }, elements }
        row += records.length
      }
    } finally {
      await source.close()
    }
  }
}

/** The columns of a file by its first block, whatever place is read from. */
async function layoutOf(format: Format, source: Source): Promise<Layout> {
  const { header, encoding, quote, types, columns, path } = format
  const first = await blocksOf('fromCSV', source, { encoding, quote: quote?.charCodeAt(0) }).next()
  const records = first.done ? [] : await recordsOf(format, first.value.text, header === true ? -1 : 0)
  const [top] = header === true ? records.splice(0, 1) : records
  if (top === undefined) failIn('fromCSV', header === true ? 'a row of names' : 'rows', 'an empty file', path)
  const names = namesIn(format, top!)
  const asked = columns ?? names
  const missing = [...new Set([...asked, ...Object.keys(types)])].filter((name) => !names.includes(name))
  if (missing.length > 0) failIn('fromCSV', `the columns ${missing.join(', ')}`, `only ${names.join(', ')}`, path)
  return {
    width: names.length,
    columns: asked.map((name) => {
      const place = names.indexOf(name)
      const type =
        types[name] ??
        inferredType(
          records.map((fields) => fields[place] ?? ''),
          format.missing,
        )
      return { name, place, type }
    }),
  }
}

function namesIn({ header, path }: Format, top: readonly string[]): readonly string[] {
  if (header === false) return top.map((_, i) => String(i))
  const names = header === true ? top : header
  const twice = names.find((name, i) => names.indexOf(name) !== i)
  if (twice !== undefined) failIn('fromCSV', 'each name of a column once', `two ${JSON.stringify(twice)}`, path)
  if (names.includes('__proto__')) failIn('fromCSV', 'names of columns other than __proto__', 'it', path)
  return names
}

/** The fields of the records in a text, after so many rows; those of nothing are left out. Without quotes it is cut where delimiters are, which is quick. */
async function recordsOf(format: Format, text: string, before: number): Promise<string[][]> {
  const { delimiter, quote, trim } = format
  const isPlain = (quote === null || !text.includes(quote)) && (text.includes('\n') || !text.includes('\r'))
  if (!isPlain) return quotedRecords(format, text, before)
  const records: string[][] = []
  for (const line of linesOf(text)) if (line !== '') records.push(line.split(delimiter))
  return trim ? records.map((fields) => fields.map((field) => field.trim())) : records
}

async function quotedRecords(format: Format, text: string, before: number): Promise<string[][]> {
  const { delimiter, quote, trim, path } = format
  const { CsvError, parse } = await import('csv-parse/sync')
  try {
    return parse(text, {
      delimiter,
      quote,
      escape: quote ?? '"',
      trim,
      relax_column_count: true,
      skip_empty_lines: true,
    })
  } catch (error) {
    if (!(error instanceof CsvError)) throw error
    const { records = 0 } = error as { records?: number }
    return failIn(
      'fromCSV',
      'fields with quotes around them or without any, or { quote: null }',
      reason(error.code),
      path,
      `row ${before + records + 1}`,
    )
  }
}

/** What csv-parse says of quotes that are wrong. */
function reason(code: string): string {
  if (code === 'CSV_QUOTE_NOT_CLOSED') return 'a quote without an end'
  return code === 'CSV_INVALID_CLOSING_QUOTE' || code === 'INVALID_OPENING_QUOTE' ? 'a quote inside a field' : code
}

function rowOf(format: Format, { width, columns }: Layout, fields: readonly string[], number: number): Row {
  if (fields.length !== width) failIn('fromCSV', `${width} fields`, `${fields.length}`, format.path, `row ${number}`)
  const row: Row = {}
  for (const { name, place, type } of columns) {
    const text = fields[place]!
    const value = format.missing.has(text) ? null : fieldAs(text, type)
    if (value === undefined)
      failIn(
        'fromCSV',
        `${nameOf(type)} as ${name}, or { types: { … } }`,
        JSON.stringify(text),
        format.path,
        `row ${number}`,
      )
    row[name] = value!
  }
  return row
}

const nameOf = (type: ColumnType): string =>
  ({ number: 'a number', integer: 'an integer', boolean: 'true or false', string: 'a text' })[type]

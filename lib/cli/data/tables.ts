/** Tables of files, whole in memory: what their columns hold, and their rows as tensors. */
import { type Dataset, fromTensors } from '../../data/dataset.ts'
import { fromArrow } from '../../data/readers/arrow.ts'
import { type CSVOptions, fromCSV } from '../../data/readers/csv.ts'
import { fromJSONLines } from '../../data/readers/lines.ts'
import { fromParquet } from '../../data/readers/parquet.ts'
import type { Stream } from '../../data/stream.ts'
import { tensor } from '../../tensor/creation.ts'
import type { TableConfig } from '../config/schema.ts'
import { CommandError } from '../exit.ts'
import { type CategoryColumn, type Column, type TableDescription, type Target, widthOf } from './description.ts'
import { nameOf, type Row, RowEncoder, RowError, TargetEncoder } from './rows.ts'

/** More are no categories: they are names, or texts. */
const mostCategories = 1000

/** The rows of a file, one after the other, of the columns that are asked for. */
export function readTable(config: TableConfig, path: string, columns?: readonly string[]): Stream<Row> {
  const chosen = columns === undefined ? {} : { columns }
  if (config.type === 'csv') {
    const { delimiter, quote, header, types, trim, encoding } = config
    const given = Object.entries({ delimiter, quote, header, types, trim, encoding })
    const options = Object.fromEntries(given.filter(([, value]) => value !== undefined)) as CSVOptions
    return fromCSV(path, { ...options, ...chosen })
  }
  if (config.type === 'parquet') return fromParquet(path, chosen)
  if (config.type === 'arrow') return fromArrow(path, chosen)
  return fromJSONLines<Row>(path, config.encoding === undefined ? {} : { encoding: config.encoding as 'utf-8' })
}

const targetsOf = ({ target }: TableConfig): readonly string[] => (typeof target === 'string' ? [target] : target)

/** All rows, with the numbers they have in the file. @throws CommandError for an empty file */
export async function rowsOf(config: TableConfig, path: string, columns?: readonly string[]): Promise<Row[]> {
  const rows: Row[] = []
  for await (const row of readTable(config, path, columns)) {
    if (typeof row !== 'object' || row === null || Array.isArray(row))
      throw new RowError('expected an object of columns', config.path, rows.length + 1)
    rows.push(row)
  }
  if (rows.length === 0) throw new CommandError('expected at least one row of data, got none', { where: config.path })
  return rows
}

export interface Table {
  readonly rows: readonly Row[]
  readonly description: TableDescription
}

/** @param isOfClasses whether the loss is one of classes; undefined where it does not say */
export async function loadTable(config: TableConfig, path: string, isOfClasses?: boolean): Promise<Table> {
  const targets = targetsOf(config)
  const asked = config.features && [...config.features, ...targets]
  const rows = await rowsOf(config, path, config.type === 'jsonLines' ? undefined : asked)
  const there = [...new Set(rows.flatMap((row) => Object.keys(row)))]
  const missing = [...targets, ...(config.features ?? []), ...(config.categories ?? [])].filter(
    (name) => !there.includes(name),
  )
  if (missing.length > 0)
    throw new CommandError(`expected the columns ${missing.join(', ')}, got ${there.join(', ')}`, {
      where: config.path,
    })
  const features = config.features ?? there.filter((name) => !targets.includes(name))
  if (features.length === 0)
    throw new CommandError(`expected columns beside ${targets.join(', ')} to learn from, got none`, {
      where: config.path,
    })
  const columns = features.map((name) => columnOf(config, name, rows))
  const ordered = [
    ...columns.filter(({ type }) => type !== 'category'),
    ...columns.filter(({ type }) => type === 'category'),
  ]
  const width = ordered.reduce((sum, column) => sum + widthOf(column), 0)
  const target = targetOf(config, rows, isOfClasses)
  return { rows, description: { kind: 'table', columns: ordered, input: { shape: [width], dtype: 'float32' }, target } }
}

function columnOf(config: TableConfig, name: string, rows: readonly Row[]): Column {
  const values = rows.map((row) => row[name]).filter((value) => value !== null && value !== undefined)
  const hasMissing = values.length < rows.length || config.missing !== undefined
  if (values.length === 0)
    throw new CommandError(`expected some values in the column ${name}, got none`, {
      where: config.path,
      help: 'leave it out: data.features lists the columns to learn from',
    })
  const isNumber = (value: unknown) => typeof value === 'number' || typeof value === 'boolean'
  if (!config.categories?.includes(name)) {
    if (values.every(isNumber)) return { name, type: 'number', hasMissing }
    if (Array.isArray(values[0])) return { name, type: 'vector', length: values[0].length }
  }
  return categoriesOf(config, name, values)
}

function categoriesOf({ path }: TableConfig, name: string, values: readonly unknown[]): CategoryColumn {
  const categories = inOrder(values)
  if (categories.length > mostCategories)
    throw new CommandError(
      `expected at most ${mostCategories} categories in the column ${name}, got ${categories.length}`,
      {
        where: path,
        help: 'leave it out: data.features lists the columns to learn from',
      },
    )
  return { name, type: 'category', categories }
}

/** The texts of values, each once: numbers by their size, others by their letters. */
function inOrder(values: readonly unknown[]): string[] {
  const names = [...new Set(values.map(nameOf))]
  const isOfNumbers = values.every((value) => typeof value === 'number')
  return isOfNumbers ? names.sort((a, b) => Number(a) - Number(b)) : names.sort()
}

function targetOf(config: TableConfig, rows: readonly Row[], isOfClasses: boolean | undefined): Target {
  const columns = targetsOf(config)
  const [column = ''] = columns
  const values = rows.map((row) => row[column])
  const isText = values.some((value) => typeof value === 'string' || typeof value === 'boolean')
  const asked = config.task === undefined ? isOfClasses : config.task === 'classification'
  if (!(asked ?? isText)) return { type: 'numbers', columns }
  if (columns.length > 1)
    throw new CommandError(`expected one column of classes as target, got ${columns.join(', ')}`, {
      where: config.path,
    })
  const missing = values.findIndex((value) => value === null || value === undefined)
  if (missing >= 0) throw new RowError(`expected a class as ${column}, got none`, config.path, missing + 1)
  const names = inOrder(values)
  if (names.length < 2)
    throw new CommandError(`expected at least two classes in the column ${column}, got ${names.join()}`, {
      where: config.path,
    })
  return { type: 'classes', column, names }
}

/** Rows as a data set: float32 [n, width], and classes int32 [n] or numbers float32 [n, targets]. */
export function tableSet(rows: readonly Row[], description: TableDescription, file: string): Dataset {
  const { target } = description
  const features = new RowEncoder(description, file)
  const targets = new TargetEncoder(target, file)
  const x = new Float32Array(rows.length * features.width)
  for (const [i, row] of rows.entries()) features.write(row, i + 1, x, i * features.width)
  const y = rows.flatMap((row, i) => targets.of(row, i + 1))
  return fromTensors(
    tensor(x, { shape: [rows.length, features.width] }),
    target.type === 'classes'
      ? tensor(Int32Array.from(y))
      : tensor(Float32Array.from(y), { shape: [rows.length, target.columns.length] }),
  )
}

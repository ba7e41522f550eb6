/** Rows of a table as numbers for a model, by what is known of its columns. */
import { CommandError } from '../exit.ts'
import { type Column, type TableDescription, type Target, widthOf } from './description.ts'

export type Row = Readonly<Record<string, unknown>>

/** A value as the text that categories and classes are known by. */
export const nameOf = (value: unknown): string => String(value)

/** What a row has that does not fit. */
export class RowError extends CommandError {
  override name = 'RowError'

  constructor(message: string, file: string, row: number, help?: string) {
    super(message, { where: `${file}, row ${row}`, ...(help === undefined ? {} : { help }) })
  }
}

/** What stands in files of texts where there is no number. */
const missingTexts = new Set(['', 'NA', 'N/A', 'NaN', 'nan', 'null', 'NULL'])

const shownValue = (value: unknown): string => (value === undefined ? 'none' : (JSON.stringify(value) ?? String(value)))

/** Writes the features of rows into an array. */
export class RowEncoder {
  readonly width: number
  readonly #columns: readonly { readonly column: Column; readonly places: ReadonlyMap<string, number> }[]

  /** @param file its name, for messages */
  constructor(
    { columns }: TableDescription,
    private readonly file: string,
  ) {
    this.width = columns.reduce((sum, column) => sum + widthOf(column), 0)
    this.#columns = columns.map((column) => ({
      column,
      places: new Map(column.type === 'category' ? column.categories.map((name, i) => [name, i]) : []),
    }))
  }

  /**
   * @param number of the row, from 1 on
   * @param to where it is written, from `at` on: it has zeros there
   */
  write(row: Row, number: number, to: Float32Array, at: number): void {
    for (const { column, places } of this.#columns) {
      this.#writeValue(column, places, row[column.name], number, to, at)
      at += widthOf(column)
    }
  }

  #writeValue(
    column: Column,
    places: ReadonlyMap<string, number>,
    value: unknown,
    ...[number, to, at]: [number, Float32Array, number]
  ): void {
    if (column.type === 'category') {
      // A category that training has not seen is none of them.
      const place = value === null || value === undefined ? undefined : places.get(nameOf(value))
      if (place !== undefined) to[at + place] = 1
    } else if (column.type === 'vector') to.set(this.#vector(column.name, column.length, value, number), at)
    else to[at] = this.#number(column.name, column.hasMissing, value, number)
  }

  #number(name: string, hasMissing: boolean, value: unknown, number: number): number {
    if (typeof value === 'number') return value
    if (typeof value === 'boolean' || value === 'true' || value === 'false') return Number(String(value) === 'true')
    if (value === null || value === undefined || missingTexts.has(String(value))) {
      if (hasMissing) return Number.NaN
      const help = 'no row of the training lacked it, so the model does not know what to take in its place'
      throw new RowError(`expected a number as ${name}, got none`, this.file, number, help)
    }
    const parsed = typeof value === 'string' ? Number(value) : Number.NaN
    if (Number.isNaN(parsed))
      throw new RowError(`expected a number as ${name}, got ${shownValue(value)}`, this.file, number)
    return parsed
  }

  #vector(name: string, length: number, value: unknown, number: number): readonly number[] {
    const isRight =
      Array.isArray(value) && value.length === length && value.every((x): x is number => typeof x === 'number')
    if (!isRight)
      throw new RowError(`expected ${length} numbers as ${name}, got ${shownValue(value)}`, this.file, number)
    return value
  }
}

/** Gives the targets of rows. */
export class TargetEncoder {
  readonly #places: ReadonlyMap<string, number>

  constructor(
    private readonly target: Target,
    private readonly file: string,
  ) {
    this.#places = new Map(target.type === 'classes' ? target.names.map((name, i) => [name, i]) : [])
  }

  /** The place of its class, or its numbers. */
  of(row: Row, number: number): readonly number[] {
    if (this.target.type === 'classes') return [this.#classOf(row[this.target.column], this.target.column, number)]
    return this.target.columns.map((name) => {
      const value = row[name]
      const parsed = typeof value === 'string' && value !== '' ? Number(value) : value
      if (typeof parsed === 'number' && !Number.isNaN(parsed)) return parsed
      throw new RowError(`expected a number as ${name}, got ${shownValue(value)}`, this.file, number)
    })
  }

  #classOf(value: unknown, column: string, number: number): number {
    const place = value === null || value === undefined ? undefined : this.#places.get(nameOf(value))
    if (place !== undefined) return place
    const known = [...this.#places.keys()]
    const shown = known.length > 8 ? `${known.slice(0, 8).join(', ')}, …` : known.join(', ')
    throw new RowError(`expected ${column} to be one of ${shown}, got ${shownValue(value)}`, this.file, number)
  }
}

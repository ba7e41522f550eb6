/** Rows without names of columns, as numbers for a model. */
import { whole } from './inputs.ts'
import { type Row, RowError } from './rows.ts'

/** The numbers of a row: nested lists, or columns in their order. */
export function valuesOf(row: Row, length: number, number: number, file: string): readonly number[] {
  const given = whole in row ? row[whole] : Object.values(row)
  const flat = (Array.isArray(given) ? given : [given]).flat(Infinity)
  const numbers = flat.map((value) => (typeof value === 'string' && value !== '' ? Number(value) : value))
  if (numbers.length !== length) throw new RowError(`expected ${length} numbers, got ${numbers.length}`, file, number)
  const wrong = numbers.findIndex((value) => typeof value !== 'number' || Number.isNaN(value))
  if (wrong >= 0) throw new RowError(`expected numbers, got ${JSON.stringify(flat[wrong])}`, file, number)
  return numbers as readonly number[]
}

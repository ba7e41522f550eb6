/** What the fields of a column of a text file are. */

/** `number` takes whatever is one, `integer` those that are exact. */
export type ColumnType = 'number' | 'integer' | 'boolean' | 'string'

export const columnTypes = ['number', 'integer', 'boolean', 'string'] as const satisfies readonly ColumnType[]

const number = /^\s*[-+]?(\d+\.?\d*([eE][-+]?\d+)?|\.\d+([eE][-+]?\d+)?|inf|infinity)\s*$/i
const truths: Readonly<Record<string, boolean>> = {
  true: true,
  false: false,
  True: true,
  False: false,
  TRUE: true,
  FALSE: false,
}

/** The value of a field; undefined where it is of another type. */
export function fieldAs(text: string, type: ColumnType): number | boolean | string | undefined {
  if (type === 'string') return text
  if (type === 'boolean') return Object.hasOwn(truths, text) ? truths[text] : undefined
  const value = numberIn(text)
  return type === 'integer' && !Number.isSafeInteger(value) ? undefined : value
}

function numberIn(text: string): number | undefined {
  if (!number.test(text)) return undefined
  return /inf/i.test(text) ? (text.trim().startsWith('-') ? -Infinity : Infinity) : Number(text)
}

/** The first type that all fields are of which are not missing; a column of which all are missing holds numbers. */
export function inferredType(fields: readonly string[], missing: ReadonlySet<string>): ColumnType {
  const given = fields.filter((field) => !missing.has(field))
  const types = ['number', 'boolean'] as const
  return types.find((type) => given.every((field) => fieldAs(field, type) !== undefined)) ?? 'string'
}

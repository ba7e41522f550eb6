/** What a shared library tells of itself in any format, and how the formats' tables of names are read. */

export interface Binary {
  /** The processor, as `process.arch` names it. */
  readonly arch: string
  /** The libraries that are loaded with it. */
  readonly needs: readonly string[]
  /** The names that others find in it. */
  readonly exports: readonly string[]
  /** The names that it finds elsewhere. */
  readonly imports: readonly string[]
}

/** The text at an offset, up to a zero. */
export const textAt = (file: Buffer, offset: number): string => file.toString('latin1', offset, file.indexOf(0, offset))

/** The name of a number in a table. */
export function named<T>(table: Readonly<Record<number, T>>, what: string, number: number): T {
  const name = table[number]
  if (name === undefined) throw new Error(`expected a known ${what}, got ${number}`)
  return name
}

/** Nested records as columns of a table. */

/** The values in a record by the path that leads to them: `validation.loss`. */
export function columnsOf(info: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const columns = Object.entries(info).flatMap(([name, value]): [string, unknown][] => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return [[name, value]]
    return Object.entries(columnsOf(value as Record<string, unknown>)).map(([key, x]) => [`${name}.${key}`, x])
  })
  return Object.fromEntries(columns)
}

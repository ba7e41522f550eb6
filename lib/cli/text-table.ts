/** Tables of text: columns of equal width, numbers to the right. */

export function tableOf(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const all = [head, ...rows]
  const widths = head.map((_, i) => Math.max(...all.map((row) => (row[i] ?? '').length)))
  const isNumbers = head.map((_, i) => rows.length > 0 && rows.every((row) => /^[-−\d.,%]*$/.test(row[i] ?? '')))
  const lineOf = (row: readonly string[]) =>
    row.map((cell, i) => (isNumbers[i] ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!))).join('  ')
  return all.map((row) => lineOf(row).trimEnd())
}

export const countText = (count: number): string => count.toLocaleString('en')

/** `1.23 MB`. */
export function bytesText(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  const power = bytes < 1000 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(bytes) / 3))
  return power === 0 ? `${bytes} B` : `${(bytes / 1000 ** power).toPrecision(3)} ${units[power]}`
}

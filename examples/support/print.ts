import type { NestedArray } from '../../lib/index.ts'

let sections = 0

/** A heading, what the section shows, and its numbers: each a scalar, a row or a matrix with its name before it. */
export function printSection(title: string, text: string, numbers: Record<string, NestedArray>): void {
  const heading = `${++sections}. ${title}`
  console.log(`\n${heading}\n${'-'.repeat(heading.length)}\n${text}\n`)
  const width = Math.max(...Object.keys(numbers).map((name) => name.length)) + 2
  for (const [name, value] of Object.entries(numbers)) {
    const isMatrix = Array.isArray(value) && Array.isArray(value[0])
    const rows = (isMatrix ? value : [value]).map(formatRow)
    console.log(`  ${name.padEnd(width)}${rows.join(`\n  ${' '.repeat(width)}`)}`)
  }
}

const formatRow = (row: NestedArray): string =>
  [row]
    .flat()
    .map((value) => formatNumber(Number(value)))
    .join('')

/** Nine characters, and of the usual sizes five digits, rounded: those before the point and 4, 3, … after it. */
export function formatNumber(value: number): string {
  const size = Math.abs(value)
  const digitsBefore = size < 10 ? 1 : 1 + Math.floor(Math.log10(size))
  const text = size !== 0 && (size < 1e-3 || size >= 1e4) ? value.toExponential(1) : value.toFixed(5 - digitsBefore)
  return text.padStart(9)
}

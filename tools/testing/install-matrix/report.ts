/** What is said of the rows that ran, and where docs/platforms.md has it. */
import { cpus } from 'node:os'
import type { Outcome } from './row.ts'

export interface Result extends Outcome {
  readonly group: string
  readonly title: string
}

export const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`
const seconds = (duration: number): string => `${duration.toFixed(1)} s`

/** The machine and the package. */
function heading({ report, bytes }: Result, tarballBytes: number): string {
  const machine = `${process.platform} ${process.arch}, ${cpus().length} processors (${cpus()[0]!.model.trim()}, ${report.isa})`
  const sizes = `tarball ${megabytes(tarballBytes)}, installed ${megabytes(bytes)}`
  return `${new Date().toISOString().slice(0, 10)}, ${machine}, Node ${process.version} where none is named; ${sizes}.`
}

export const lineOf = ({ group, title, note, installSeconds, runSeconds }: Result): string =>
  `| ${group} | ${title}${note ? ` (${note})` : ''} | ${seconds(installSeconds)} | ${seconds(runSeconds)} |`

/** A table of markdown. */
export const tableOf = (results: readonly Result[], tarballBytes: number): string =>
  [
    heading(results[0]!, tarballBytes),
    '',
    '| | | install | first run |',
    '| --- | --- | --- | --- |',
    ...results.map(lineOf),
  ].join('\n')

const [begin, end] = ['<!-- install matrix -->', '<!-- end of the install matrix -->']

/** The text of a page with this table in place of the last one. */
export function withTable(page: string, table: string): string {
  const [before, rest] = page.split(begin)
  const after = rest?.split(end)[1]
  if (after === undefined) throw new Error(`install-matrix: expected ${begin} and ${end} in the page, got none`)
  return `${before}${begin}\n\n${table}\n\n${end}${after}`
}

/** Writes the README's table of peers from what `npm run bench:peers -- --json bench/peers/results.json` has measured. */
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { type Results, resultSource, resultTable } from '../bench/peers/results.ts'

const inRoot = (path: string) => fileURLToPath(new URL(`../${path}`, import.meta.url))
const [begin, end] = ['<!-- By `npm run docs:peers` -->', '<!-- End -->']

export const readme = (): string => readFileSync(inRoot('README.md'), 'utf8')

/** The README with its part between the two comments made anew. */
export function withTable(text: string): string {
  const results = JSON.parse(readFileSync(inRoot('bench/peers/results.json'), 'utf8')) as Results
  const [before, rest = ''] = text.split(begin)
  const [, after] = rest.split(end)
  if (before === undefined || after === undefined)
    throw new Error(`docs:peers: expected ${begin} and ${end} in README.md, got a text without them`)
  return `${before}${begin}\n\n${resultSource(results)}\n\n${resultTable(results)}\n\n${end}${after}`
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href)
  writeFileSync(inRoot('README.md'), withTable(readme()))

/**
 * Every row of every operation exported, run by onnxruntime, and compared. What cannot be is listed in export-exceptions.ts with the
 * reason; a row that is listed and can, or is not and cannot, fails.
 */
import { describe, expect, test } from 'vitest'
import { exportModel } from '../../lib/onnx/export/index.ts'
import { cases } from '../operations/cases.ts'
import { leavesOf, type OpCase, outputsOf, titleOf } from '../support/cases.ts'
import { difference, hasRuntime, install, runOnnx } from '../support/onnx-runtime.ts'
import { exceptions } from './export-exceptions.ts'

/** What keeps a row from being exported and giving the same values; null where nothing does. */
async function faultOf(row: OpCase): Promise<string | null> {
  const xs = leavesOf(row)
  try {
    const bytes = await exportModel(row.f, xs, { dynamicBatch: false })
    const { outputs } = await runOnnx(bytes, xs)
    const found = [...outputs.values()]
    return outputsOf(row, xs).reduce<string | null>((fault, y, i) => fault ?? difference(found[i]!, y), null)
  } catch (error) {
    return (error as Error).message
  }
}

const operations = Object.entries(cases)

/** The titles of rows; of several with the same one the second is `… #2`. */
function titlesOf(rows: readonly OpCase[]): string[] {
  const counts = new Map<string, number>()
  return rows.map(titleOf).map((title) => {
    const count = (counts.get(title) ?? 0) + 1
    counts.set(title, count)
    return count === 1 ? title : `${title} #${count}`
  })
}

test('every exception is of rows that there are', () => {
  const titles = new Map<string, readonly string[]>(operations.map(([name, rows]) => [name, titlesOf(rows)]))
  const lost = Object.entries(exceptions).flatMap(([name, list]) =>
    list.flatMap(({ rows }) => (rows === 'all' ? [] : rows)).filter((title) => !titles.get(name)?.includes(title)),
  )
  expect([lost, Object.keys(exceptions).filter((name) => !titles.has(name))]).toEqual([[], []])
})

describe.skipIf(!hasRuntime)('onnxruntime gives what the library does', () => {
  test.each(operations)('%s', { meta: { install }, timeout: 120_000 }, async (name, rows) => {
    const exceptional = exceptions[name] ?? []
    const surprises: string[] = []
    const titles = titlesOf(rows)
    for (const [place, row] of rows.entries()) {
      const fault = await faultOf(row)
      const title = titles[place]!
      const exception = exceptional.find(({ rows: listed }) => listed === 'all' || listed.includes(title))
      if (exception === undefined && fault !== null) surprises.push(`${title}: ${fault}`)
      if (exception !== undefined && !(fault ?? '').includes(exception.fault))
        surprises.push(`${title}: expected ${exception.fault}, got ${fault ?? 'the same values'}`)
    }
    expect(surprises).toEqual([])
  })
})

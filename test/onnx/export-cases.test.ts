/**
 * Every row of every operation exported, run by onnxruntime, and read in again, and compared. What cannot be is listed in export-exceptions.ts with the
 * reason; a row that is listed and can, or is not and cannot, fails.
 */
import { describe, expect, test } from 'vitest'
import * as g from '../../lib/index.ts'
import * as onnx from '../../lib/onnx/index.ts'
import { cases } from '../operations/cases.ts'
import { leavesOf, type OpCase, outputsOf, titleOf } from '../support/cases.ts'
import { difference, hasRuntime, install, type RuntimeTensor, runOnnx } from '../support/onnx-runtime.ts'
import { type Exception, exceptions } from './export-exceptions.ts'

/** Outputs, in their order, of a model for tensors in the order of its inputs. */
type Run = (bytes: Uint8Array, xs: readonly g.Tensor[]) => Promise<readonly RuntimeTensor[]>

const byRuntime: Run = async (bytes, xs) => [...(await runOnnx(bytes, xs)).outputs.values()]

const readIn: Run = async (bytes, xs) => {
  const model = await onnx.load(bytes)
  const given = Object.fromEntries(model.inputs.map(({ name }, i) => [name, xs[i]!]))
  const found = model.forward(given)
  const outputs: g.Tensor[] = found instanceof g.Tensor ? [found] : Object.values(found)
  return outputs.map((y) => ({ type: y.dtype, dims: y.shape, data: y.dataSync() }))
}

/** The greatest finite one of the sums that a row says it is made of; 0 where it has none. */
function greatestSum({ contract }: OpCase, xs: readonly g.Tensor[]): number {
  if (contract === undefined || !('magnitude' in contract) || contract.magnitude === undefined) return 0
  const sums = [contract.magnitude(...xs)].flat().flatMap((each) => [...each.dataSync()].map(Number))
  return sums.reduce((greatest, sum) => (Number.isFinite(sum) ? Math.max(greatest, sum) : greatest), 0)
}

/** What keeps a row from being exported and giving the same values; null where nothing does. */
async function faultOf(row: OpCase, run: Run): Promise<string | null> {
  const xs = leavesOf(row)
  try {
    const found = await run(await onnx.export(row.f, xs, { dynamicBatch: false }), xs)
    const greatest = greatestSum(row, xs)
    return outputsOf(row, xs).reduce<string | null>((fault, y, i) => fault ?? difference(found[i]!, y, greatest), null)
  } catch (error) {
    return (error as Error).message
  }
}

/** All rows take a minute; in `npm test` it is those of each operation that are listed, and every third of the others. */
const takesAll = process.env.GALVANI_TEST_ONNX === 'all'

/** Compares the rows of an operation, of which those that differ are listed. */
async function expectSame(name: string, rows: readonly OpCase[], run: Run, isListed: (each: Exception) => boolean) {
  const listedHere = (exceptions[name] ?? []).filter(isListed)
  const titles = titlesOf(rows)
  const surprises: string[] = []
  for (const [place, row] of rows.entries()) {
    const title = titles[place]!
    const exception = listedHere.find(({ rows: listed }) => listed === 'all' || listed.includes(title))
    if (!takesAll && exception === undefined && place % 3 !== 0) continue
    const fault = await faultOf(row, run)
    if (exception === undefined && fault !== null) surprises.push(`${title}: ${fault}`)
    if (exception !== undefined && !(fault ?? '').includes(exception.fault))
      surprises.push(`${title}: expected ${exception.fault}, got ${fault ?? 'the same values'}`)
  }
  expect(surprises).toEqual([])
}

/** Products of bf16 are written as products of float32, which ONNX has, and so give other values. */
const operations = Object.entries(cases).map(
  ([name, rows]) => [name, (rows as readonly OpCase[]).filter(({ note }) => !note?.startsWith('bf16'))] as const,
)

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
  test.each(operations)('%s', { meta: { install }, timeout: 120_000 }, (name, rows) =>
    expectSame(name, rows, byRuntime, () => true),
  )
})

describe('what is read in again gives what was exported', () => {
  test.each(operations)('%s', { timeout: 120_000 }, (name, rows) =>
    expectSame(name, rows, readIn, ({ ofRuntime = false }) => !ofRuntime),
  )
})

/**
 * What a runtime makes of an addon, as one program for any of them: on each instruction set all rows of the operation cases, against
 * the reference, and XOR. GALVANI_ADDON names the addon, GALVANI_REPORT the file that the report goes to.
 */
import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { loadNative } from '../../../lib/backend/native.ts'
import { createReferenceBackend } from '../../../lib/backend/reference/index.ts'
import type { TypedArray } from '../../../lib/base/dtype.ts'
import * as g from '../../../lib/index.ts'
import { cases } from '../../../test/operations/cases.ts'
import {
  expectationOf,
  expectWithin,
  forwardPrograms,
  gradientPrograms,
  type OpCase,
  titleOf,
} from '../../../test/support/cases.ts'
import { runEveryWay } from '../../../test/support/every-way.ts'
// @ts-expect-error: JavaScript without declarations, for projects that know no TypeScript
import { trainXor } from '../xor/train.cjs'
import type { XorReport } from '../xor.ts'

export interface IsaReport {
  readonly rows: number
  /** What went wrong in which rows. */
  readonly faults: readonly string[]
  /** A digest of all results, those of gradients too. */
  readonly bits: string
  readonly xor: XorReport
}

export interface CheckReport {
  readonly runtime: string
  readonly threads: number
  readonly isas: Readonly<Record<string, IsaReport>>
}

/** What is written: the report, or what ended it. */
export type Checked = CheckReport | { readonly error: string }

const native = loadNative()
const reference = createReferenceBackend()
const rows = Object.entries(cases).flatMap(([operation, ofOperation]) =>
  ofOperation.map((row) => ({ name: `${operation} ${titleOf(row)}`, row, expectation: expectationOf(reference, row) })),
)

/** The bits of an array, of every NaN the same ones: processors differ in those. */
function bytesOf(array: TypedArray): Uint8Array {
  const { buffer, byteOffset, byteLength } =
    array instanceof Float32Array ? array.map((x) => (Number.isNaN(x) ? NaN : x)) : array
  return new Uint8Array(buffer, byteOffset, byteLength)
}

/** All results of a row. */
async function resultsOf(row: OpCase, expectation: ReturnType<typeof expectationOf>): Promise<TypedArray[]> {
  const all: TypedArray[] = []
  for (const forward of forwardPrograms(row)) {
    const results = await runEveryWay(native, forward)
    expectWithin(results, expectation, forward.program)
    all.push(...results)
  }
  if (row.differentiable)
    for (const gradient of gradientPrograms(row)) all.push(...(await runEveryWay(native, gradient)))
  return all
}

async function checkIsa(isa: string): Promise<IsaReport> {
  native.setIsa(isa)
  const faults: string[] = []
  const hash = createHash('sha256')
  for (const { name, row, expectation } of rows)
    try {
      for (const result of await resultsOf(row, expectation)) hash.update(bytesOf(result))
    } catch (error) {
      faults.push(`${name}: ${error instanceof Error ? error.message : error}`)
    }
  return { rows: rows.length, faults, bits: hash.digest('hex').slice(0, 16), xor: await trainXor(g) }
}

async function check(): Promise<CheckReport> {
  const { threads, supportedIsas = [] } = native.info()
  const isas: Record<string, IsaReport> = {}
  for (const isa of supportedIsas) isas[isa] = await checkIsa(isa)
  const { bun, node } = process.versions
  return { runtime: bun ? `Bun ${bun}` : `Node ${node}`, threads, isas }
}

const write = (checked: Checked) => writeFileSync(process.env.GALVANI_REPORT!, JSON.stringify(checked))
check().then(write, (error) => write({ error: String(error?.stack ?? error) }))

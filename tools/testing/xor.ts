/** The program that tests of an installed package share: it trains XOR, and reports as `xor/train.cjs` says. */
import { cpSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export interface XorReport {
  readonly backend: string
  readonly isa: string
  /** What the network says of 00, 01, 10 and 11. */
  readonly outputs: string
  readonly loss: number
  /** A digest of the losses of all epochs and of the trained parameters. */
  readonly bits: string
}

/** Puts the program into the folder of a project: `xor.cjs`, `xor.mjs`, and what they share. */
export const copyXor = (folder: string): void =>
  cpSync(fileURLToPath(new URL('xor', import.meta.url)), folder, { recursive: true })

/**
 * What the program reported; where it did not train to the end by the native core, an error.
 *
 * @param text all that it printed, or the file that it wrote.
 */
export function checkXor(text: string): XorReport {
  const line = text.split('\n').find((line) => line.startsWith('{'))
  if (line === undefined) throw new Error(`xor: expected a report, got ${text.trim() || 'nothing'}`)
  const report: XorReport = JSON.parse(line)
  if (report.backend === 'native' && report.outputs === '0110' && report.loss < 1e-3) return report
  throw new Error(`xor: expected a network trained by the native backend, got ${line}`)
}

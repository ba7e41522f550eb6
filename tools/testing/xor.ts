/** The program that tests of an installed package share: it trains XOR, and reports as `xor/train.cjs` says. */
import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
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
export function copyXor(folder: string): void {
  for (const file of ['xor.cjs', 'xor.mjs', 'train.cjs'])
    copyFileSync(fileURLToPath(new URL(`xor/${file}`, import.meta.url)), join(folder, file))
}

/**
 * What the program reported, once or more with the same bits; where it did not train to the end by the native core, an error.
 *
 * @param text all that it printed, or the file that it wrote.
 */
export function checkXor(text: string): XorReport {
  const lines = text.split('\n').filter((line) => line.startsWith('{'))
  const [report, ...others] = lines.map(checkLine)
  if (report === undefined) throw new Error(`xor: expected a report, got ${text.trim() || 'nothing'}`)
  if (others.every(({ bits }) => bits === report.bits)) return report
  throw new Error(`xor: expected the same bits, got\n${lines.join('\n')}`)
}

function checkLine(line: string): XorReport {
  const report: XorReport = JSON.parse(line)
  if (report.backend === 'native' && report.outputs === '0110' && report.loss > 0 && report.loss < 1e-3) return report
  throw new Error(`xor: expected a network trained by the native backend, got ${line}`)
}

/**
 * prebuilt/index.ts TARGET: runs check.ts on the prebuilt addon of a target in a runtime for its system, and expects what it expects,
 * the bits of linux-x64 on the same instruction sets included, where that has run. Last line: `N passed, N failed`.
 */
import { spawnSync } from 'node:child_process'
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'tsdown'
import { addonOf, targetNamed } from '../../package/targets.ts'
import type { Checked, CheckReport } from './check.ts'
import { type Run, runs } from './runs.ts'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const scratch = join(root, 'build', 'testing')
const reportOf = (target: string): string => join(scratch, `${target}.json`)

/** One file for runtimes that know no TypeScript. */
async function bundle(): Promise<string> {
  await build({
    config: false,
    entry: [fileURLToPath(new URL('check.ts', import.meta.url))],
    format: 'cjs',
    platform: 'node',
    outDir: scratch,
    clean: false,
    dts: false,
    logLevel: 'error',
  })
  return join(scratch, 'check.cjs')
}

function runCheck({ target, command, path = (file) => file, env = () => ({}), prepare }: Run, script: string): Checked {
  const report = reportOf(target)
  rmSync(report, { force: true })
  prepare?.(scratch)
  const [file, ...args] = command(scratch)
  const addon = path(join(root, addonOf(targetNamed(target))))
  // A file, as pipes do not work in Wine.
  const errors = join(scratch, `${target}.errors.txt`)
  const stderr = openSync(errors, 'w')
  const { status, signal, error } = spawnSync(file, [...args, path(script)], {
    stdio: ['ignore', 'ignore', stderr],
    env: { ...process.env, ...env(scratch), GALVANI_ADDON: addon, GALVANI_REPORT: path(report) },
  })
  closeSync(stderr)
  process.stderr.write(readFileSync(errors))
  if (existsSync(report)) return JSON.parse(readFileSync(report, 'utf8'))
  return { error: `${file} ended with ${error?.message ?? signal ?? status} and without a report` }
}

/** What is wrong with the report of a target, given that of linux-x64. */
function faultsIn(report: CheckReport, native?: CheckReport): string[] {
  return Object.entries(report.isas).flatMap(([isa, { faults, bits, xor }]) => {
    const same = native?.isas[isa]
    return [
      ...faults.map((fault) => `${isa}: ${fault}`),
      ...(xor.backend === 'native' && xor.isa === isa && xor.outputs === '0110'
        ? []
        : [`${isa}: XOR: ${JSON.stringify(xor)}`]),
      ...(same && same.bits !== bits ? [`${isa}: expected the bits ${same.bits} of linux-x64, got ${bits}`] : []),
      ...(same && same.xor.bits !== xor.bits ? [`${isa}: expected XOR's bits ${same.xor.bits}, got ${xor.bits}`] : []),
    ]
  })
}

const readReport = (target: string): CheckReport | undefined => {
  const checked: Checked | undefined =
    existsSync(reportOf(target)) && JSON.parse(readFileSync(reportOf(target), 'utf8'))
  return checked && 'isas' in checked ? checked : undefined
}

const [name] = process.argv.slice(2)
const run = runs.find(({ target }) => target === name)
if (run === undefined) throw new Error(`prebuilt: expected ${runs.map(({ target }) => target).join(', ')}, got ${name}`)
mkdirSync(scratch, { recursive: true })
const start = performance.now()
const checked = runCheck(run, await bundle())
const faults = 'error' in checked ? [checked.error] : faultsIn(checked, readReport('linux-x64'))
for (const fault of faults) console.log(`FAILED ${fault}`)
if ('isas' in checked)
  for (const [isa, { rows, bits, xor }] of Object.entries(checked.isas))
    console.log(
      `${run.target}, ${checked.runtime}, ${checked.threads} threads, ${isa}: ${rows} rows (${bits}), XOR to ${xor.loss} (${xor.bits})`,
    )
console.log(`${((performance.now() - start) / 1000).toFixed(0)} s`)
process.exitCode = faults.length > 0 ? 1 : 0

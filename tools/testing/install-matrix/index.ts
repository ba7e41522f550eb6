/**
 * npm run install-matrix: installs the package in every way of the rows and trains XOR there, without a network, scripts and a compiler, and
 * prints how long that took. Fails where another backend takes over, where bits differ, or where the package is larger than it may be.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Command } from 'commander'
import { limits } from '../../package/gates.ts'
import { groups } from './groups.ts'
import { isNamespaced } from './machine.ts'
import { lineOf, type Result, tableOf, withTable } from './report.ts'
import { type Outcome, type Setting, train, usual } from './row.ts'
import { toolbox } from './toolbox.ts'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const { name, version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const page = join(root, 'docs', 'platforms.md')

const command = new Command('npm run install-matrix --')
  .description('Install the package in many ways, and train XOR in each.')
  .argument('[regexp]', 'the rows, by GROUP: TITLE', '')
  .option('--tarball <file>', 'the package', join(root, 'build', 'package', `${name}-${version}.tgz`))
  .option('--write', 'put the table of all rows into docs/platforms.md')
  .parse()
const options = command.opts<{ tarball: string; write?: true }>()
const pattern = new RegExp(command.args[0] ?? '')
if (options.write && command.args.length > 0) command.error('install-matrix: --write expects all rows, got a regexp')
if (!toolbox.isHere()) command.error(`install-matrix: the tools are missing: ${toolbox.installer} ${toolbox.package}`)
const tarball = resolve(options.tarball)
if (!existsSync(tarball)) command.error(`install-matrix: ${tarball} is missing: npm run package`)

/** Gives an empty folder that goes afterwards. */
function inScratch<T>(action: (setting: Setting) => T): T {
  const folder = mkdtempSync(join(tmpdir(), 'galvani-install-'))
  try {
    return action({ tarball, folder })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

console.log(isNamespaced ? 'Without a network.' : 'Without a registry: this system permits no network namespace.')
const { report: expected } = inScratch((setting) => train(usual(setting), ['node', 'xor.cjs']))
console.log(`${expected.isa}: ${expected.bits}`)

/** A row passes where the bits are those of the usual way, and the package is as small as promised. */
function check({ report, bytes }: Outcome): void {
  if (report.isa !== expected.isa || report.bits !== expected.bits)
    throw new Error(`expected ${expected.bits} on ${expected.isa}, got ${report.bits} on ${report.isa}`)
  const { unpacked } = limits['the package']
  if (bytes > unpacked) throw new Error(`expected at most ${unpacked} bytes, got ${bytes}`)
}

const results: Result[] = []
let failed = 0
for (const [group, makeRows] of Object.entries(groups))
  for (const { title, run } of makeRows().filter(({ title }) => pattern.test(`${group}: ${title}`)))
    try {
      const outcome = inScratch(run)
      check(outcome)
      results.push({ group, title, ...outcome })
      console.log(lineOf(results.at(-1)!))
    } catch (error) {
      failed++
      console.log(`${group}: ${title} failed: ${error instanceof Error ? error.message : error}`)
    }

if (options.write && failed === 0) {
  writeFileSync(page, withTable(readFileSync(page, 'utf8'), tableOf(results, statSync(tarball).size)))
  execFileSync('biome', ['format', '--write', page])
}
console.log(`\n${results.length} passed, ${failed} failed`)
process.exitCode = failed > 0 ? 1 : 0

/**
 * npm run fuzz: goes over the suites of test/fuzz and test/soak until the minutes are over, from a random seed on, which it
 * prints. Ends with exit code 1 where it found a fault.
 */
import { randomInt } from 'node:crypto'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { Command, InvalidArgumentError } from 'commander'
import type { Run } from '../test/fuzz/suite.ts'
import { fuzz } from './testing/fuzz.ts'

const tests = fileURLToPath(new URL('../test/', import.meta.url))

/** The module of each suite, by name: a new folder of test/fuzz is a new suite. */
function suiteFiles(): Map<string, string> {
  const names = readdirSync(join(tests, 'fuzz')).map((name) => [name, join(tests, 'fuzz', name)] as const)
  const files = [...names, ['soak', join(tests, 'soak')] as const].map(
    ([name, folder]) => [name, join(folder, 'index.ts')] as const,
  )
  return new Map(files.filter(([, file]) => existsSync(file)))
}

const number = (least: number, isWhole: boolean) => (text: string) => {
  const value = text.trim() === '' ? Number.NaN : Number(text)
  if (!(value >= least && value < 2 ** 32 && (!isWhole || Number.isInteger(value))))
    throw new InvalidArgumentError(`Expected a ${isWhole ? 'whole ' : ''}number from ${least} on.`)
  return value
}

const files = suiteFiles()
const known = [...files.keys()].join(', ')

function suite(name: string, before: readonly string[] | undefined): string[] {
  if (!files.has(name)) throw new InvalidArgumentError(`Expected one of ${known}.`)
  return [...(before ?? []), name]
}

interface Options {
  minutes: number
  suite?: string[]
  seed: number
  case?: number
}

const command = new Command('npm run fuzz --')
  .description('Attack the library with what it should refuse or survive.')
  .option('--minutes <n>', 'how long, in all', number(0, false), 5)
  .option('--suite <name>', `${known}; more than once for several; all unless given`, suite)
  .option('--seed <n>', 'of the first round; a random one unless given', number(0, true))
  .option('--case <n>', 'one case of one suite, alone', number(0, true))
  .parse()
const options = command.opts<Options>()
const names = options.suite ?? [...files.keys()]
if (options.case !== undefined && names.length > 1) command.error('error: --case is one of a --suite')

const runOf = async (name: string): Promise<Run> => (await import(pathToFileURL(files.get(name)!).href)).run
const suites = new Map(await Promise.all(names.map(async (name) => [name, await runOf(name)] as const)))
const { minutes, seed = randomInt(2 ** 32) } = options
const isWell = await fuzz({ suites, minutes, seed, case: options.case, print: console.log })
process.exit(isWell ? 0 : 1)

/** `galvani train`: trains what a configuration says. */
import { existsSync } from 'node:fs'
import { basename, extname, join, resolve } from 'node:path'
import type { Command } from 'commander'
import '../../operations/methods.ts'
import { backendInfo } from '../../backend/active.ts'
import { portOf, seedOf } from '../arguments.ts'
import { checkConfig, loadConfig } from '../config/load.ts'
import { type Override, overrideOf, withOverrides } from '../config/overrides.ts'
import { CommandError, exitCodes } from '../exit.ts'
import { reporterOf } from '../reporter/reporter.ts'
import { freeFolder, newestFolder, type Run, readRun } from '../run/folder.ts'
import { trainRun } from '../run/train.ts'

interface Options {
  readonly set?: readonly string[]
  readonly out?: string
  readonly resume?: string | true
  readonly seed?: number
  readonly board?: number | true
  readonly tensorboard?: string
  readonly json?: true
  readonly quiet?: true
}

const collected = (value: string, before: readonly string[] = []): readonly string[] => [...before, value]

export function configure(command: Command): void {
  command
    .argument('[config]', 'a configuration: .json, .ts or .mjs')
    .option('--set <key=value>', 'put a value into the configuration, as JSON; may be repeated', collected)
    .option('--out <folder>', 'the folder of the run; runs/<name> unless given')
    .option('--resume [run]', 'go on with a run: the newest of the configuration, or the folder that is named')
    .option('--seed <number>', 'of all random numbers; that of the configuration, or 0, unless given', seedOf)
    .option('--board [port]', 'serve the page of the run meanwhile, with buttons', portOf)
    .option('--tensorboard <folder>', 'write event files of TensorBoard to a folder in this one, too')
    .option('--json', 'say what happens as JSON lines')
    .option('--quiet', 'say nothing but errors')
    .action(async (config: string | undefined, options: Options) => {
      const reporter = await reporterOf(options)
      // A setting of the environment that is wrong is no fault of the configuration.
      backendInfo()
      const { run, resume } = await requested(config, options)
      const { board, tensorboard } = options
      const watch = { ...(board === undefined ? {} : { board }), ...(tensorboard === undefined ? {} : { tensorboard }) }
      process.exitCode = await trainRun({ run, resume, reporter, watch })
    })
}

interface Requested {
  readonly run: Omit<Run, 'data'>
  readonly resume: boolean
}

async function requested(path: string | undefined, options: Options): Promise<Requested> {
  const overrides = [
    ...(options.set ?? []).map(overrideOf),
    ...(options.seed === undefined ? [] : [{ key: 'seed', value: options.seed }]),
  ]
  if (typeof options.resume === 'string') return resumed(options.resume, overrides)
  if (path === undefined)
    throw new CommandError('expected a configuration, got none', {
      help: 'galvani new <folder> makes a project with one',
      code: exitCodes.usage,
    })
  const { config, file } = await loadConfig(path, overrides)
  const name = config.name ?? basename(file, extname(file)).replace(/\.config$/, '')
  if (options.resume === undefined) {
    const folder = resolve(options.out ?? (await freeFolder('runs', name)))
    return { run: { folder, config, configFile: file, overrides }, resume: false }
  }
  const folder = options.out ?? (await newestFolder('runs', name))
  if (folder === undefined)
    throw new CommandError(`expected a run ${join('runs', name)} to resume, got none`, { code: exitCodes.usage })
  return { run: { folder: resolve(folder), config, configFile: file, overrides }, resume: true }
}

/** The run as it was, but for what is set now. */
async function resumed(path: string, overrides: readonly Override[]): Promise<Requested> {
  if (!existsSync(path)) throw new CommandError(`there is no run ${path}`, { code: exitCodes.usage })
  const run = await readRun(path)
  const config = checkConfig(path, withOverrides(run.config, overrides))
  return { run: { ...run, config, overrides: [...run.overrides, ...overrides] }, resume: true }
}

/** The folder of a run: what it was told, what its data are, and what it has learnt. */
import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, stat } from 'node:fs/promises'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { isPlainObject } from '../../base/options.ts'
import { version } from '../../base/version.ts'
import { writeAtomically } from '../../files/atomic.ts'
import { load } from '../../files/safetensors.ts'
import { checkpointsIn } from '../../train/checkpoints.ts'
import { restoreCheckpoint } from '../../train/own-checkpoints.ts'
import { checkConfig, loadConfig } from '../config/load.ts'
import type { Override } from '../config/overrides.ts'
import type { TrainConfig } from '../config/schema.ts'
import type { DataDescription } from '../data/description.ts'
import { CommandError, exitCodes } from '../exit.ts'
import { buildModel, type Pipeline } from '../model/build.ts'
import { withDefaults, withLoss } from './defaults.ts'

/** The names of the files of a run. */
export const runFiles = {
  /** The configuration as used. */
  config: 'config.json',
  /** What else it takes to make the model again: the data's description, and where the configuration came from. */
  run: 'run.json',
  model: 'model.safetensors',
  events: 'events.jsonl',
  checkpoints: 'checkpoints',
} as const

interface RunRecord {
  readonly galvani: string
  /** Relative to the folder of the run. */
  readonly configFile: string
  readonly overrides: readonly Override[]
  /** Whether config.json is all of it: functions stand in the file that it came from alone. */
  readonly isPlain: boolean
  readonly data: DataDescription
}

export interface Run {
  readonly folder: string
  readonly config: TrainConfig
  /** Of the configuration, absolute. */
  readonly configFile: string
  readonly overrides: readonly Override[]
  readonly data: DataDescription
}

async function* bytesOf(value: unknown): AsyncGenerator<Uint8Array> {
  yield new TextEncoder().encode(`${JSON.stringify(value, shownFunctions, 2)}\n`)
}

/** What JSON has no word for is said, and made again from its file. */
const shownFunctions = (_: string, value: unknown): unknown =>
  typeof value === 'function'
    ? `(function ${value.name})`
    : isOwn(value)
      ? `(${(value as object).constructor.name})`
      : value

const isOwn = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !isPlainObject(value)

/** Whether all of a configuration is in its JSON. */
const isPlain = (value: unknown): boolean =>
  typeof value !== 'function' &&
  !isOwn(value) &&
  (typeof value !== 'object' || value === null || Object.values(value).every(isPlain))

export async function writeRun(run: Run): Promise<void> {
  const { folder, config, configFile, overrides, data } = run
  await mkdir(folder, { recursive: true })
  const record: RunRecord = {
    ...{ galvani: version, configFile: relative(folder, configFile), overrides },
    ...{ isPlain: isPlain(config), data },
  }
  await writeAtomically('train', join(folder, runFiles.config), bytesOf(config))
  await writeAtomically('train', join(folder, runFiles.run), bytesOf(record))
}

const jsonIn = async (path: string): Promise<unknown> => JSON.parse(await readFile(path, 'utf8'))

export const isRun = (folder: string): boolean => existsSync(join(folder, runFiles.run))

/** @throws CommandError for a folder that is none of a run */
export async function readRun(path: string): Promise<Run> {
  const folder = resolve(path)
  if (!isRun(folder)) throw noRun(path)
  const record = (await jsonIn(join(folder, runFiles.run))) as RunRecord
  const { overrides, data } = record
  const file = resolve(folder, record.configFile)
  const config = record.isPlain
    ? checkConfig(join(path, runFiles.config), await jsonIn(join(folder, runFiles.config)))
    : withLoss(withDefaults((await loadConfig(file, overrides)).config), data.target)
  return { folder, config, configFile: file, overrides, data }
}

const noRun = (path: string) =>
  new CommandError(`expected the folder of a run, got ${path}`, {
    help: 'galvani train makes one, and says which: runs/<name>',
    code: exitCodes.usage,
  })

/** A name in `parent` that is free: `iris`, `iris-2`, … */
export async function freeFolder(parent: string, name: string): Promise<string> {
  const taken = new Set(await namesIn(parent))
  for (let i = 1; ; i++) {
    const candidate = i === 1 ? name : `${name}-${i}`
    if (!taken.has(candidate)) return join(parent, candidate)
  }
}

/** The newest of the runs of a name, or undefined. */
export async function newestFolder(parent: string, name: string): Promise<string | undefined> {
  const isOfName = (each: string) =>
    each === name || (each.startsWith(`${name}-`) && /^\d+$/.test(each.slice(name.length + 1)))
  const folders = (await namesIn(parent)).filter(isOfName).map((each) => join(parent, each))
  const dated = await Promise.all(
    folders.filter(isRun).map(async (folder) => ({ folder, time: (await stat(join(folder, runFiles.run))).mtimeMs })),
  )
  return dated.sort((a, b) => b.time - a.time)[0]?.folder
}

const namesIn = (folder: string): Promise<string[]> => readdir(folder).catch(() => [])

export const checkpointsOf = ({ folder }: Pick<Run, 'folder'>): string => join(folder, runFiles.checkpoints)

/** The folder of the run that a file belongs to. */
function runOf(file: string): string | undefined {
  return [dirname(file), dirname(dirname(file))].find(isRun)
}

export interface LoadedRun {
  readonly run: Run
  readonly pipeline: Pipeline
  /** The file that its parameters are of. */
  readonly weights: string
}

/** Whether a path is a run, or of a file of one. */
export const isOfRun = (path: string): boolean => isRun(resolve(path)) || runOf(resolve(path)) !== undefined

/**
 * The model of a run, with its parameters: those of the file that is named, else of model.safetensors, else of the newest checkpoint.
 * @param path of the folder, or of a file in it
 */
export async function loadRun(path: string): Promise<LoadedRun> {
  const isFolder = isRun(resolve(path))
  const folder = isFolder ? resolve(path) : runOf(resolve(path))
  if (folder === undefined) throw noRun(path)
  const run = await readRun(folder)
  const { pipeline } = await buildModel(run.config, placeOf(run), run.data)
  const weights = isFolder ? await weightsOf(run) : resolve(path)
  if (basename(dirname(weights)) === runFiles.checkpoints) await restoreCheckpoint(weights, { model: pipeline })
  else pipeline.load(await load(weights))
  pipeline.eval()
  return { run, pipeline, weights }
}

async function weightsOf(run: Run): Promise<string> {
  const model = join(run.folder, runFiles.model)
  if (existsSync(model)) return model
  const [newest] = await checkpointsIn('galvani', checkpointsOf(run))
  if (newest !== undefined) return newest
  throw new CommandError(`expected a model or a checkpoint in ${run.folder}, got none`, {
    help: 'the training has not come as far yet',
  })
}

/** Of the configuration: what paths in it are relative to, and what messages call it. */
export const placeOf = ({ configFile }: Pick<Run, 'configFile'>) => ({
  folder: dirname(configFile),
  file: relative(process.cwd(), configFile) || configFile,
})

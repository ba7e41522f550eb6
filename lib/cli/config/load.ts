/** Configurations of files: JSON, and modules that export one. */
import { readFile } from 'node:fs/promises'
import { dirname, extname, resolve } from 'node:path'
import { CommandError, exitCodes } from '../exit.ts'
import { importModule, isTypeScript } from '../typescript/import.ts'
import { ConfigError } from './diagnostics.ts'
import { type Override, withOverrides } from './overrides.ts'
import { completed, faultsIn, type TrainConfig } from './schema.ts'

/** A configuration that was checked. */
export interface LoadedConfig {
  readonly config: TrainConfig
  /** The absolute path of the file. */
  readonly file: string
  /** What paths in it are relative to. */
  readonly folder: string
  readonly overrides: readonly Override[]
}

/**
 * @param path as it was typed
 * @throws CommandError for a file that is not there or not of its format; ConfigError with all that is wrong in it
 */
export async function loadConfig(path: string, overrides: readonly Override[] = []): Promise<LoadedConfig> {
  const file = resolve(path)
  const config = withOverrides(await contentOf(path, file), overrides)
  return { config: checkConfig(path, config), file, folder: dirname(file), overrides }
}

/** @throws ConfigError with all that is wrong in it */
export function checkConfig(path: string, config: unknown): TrainConfig {
  const faults = faultsIn(config)
  if (faults.length > 0) throw new ConfigError(path, faults)
  return completed(config as TrainConfig)
}

async function contentOf(path: string, file: string): Promise<unknown> {
  const extension = extname(file)
  if (extension === '.json') return parsed(path, await textOf(path, file))
  if (!isTypeScript(file) && !['.mjs', '.js', '.cjs'].includes(extension))
    throw new CommandError(`expected a configuration (.json, .ts, .mjs), got ${path}`, { code: exitCodes.usage })
  await textOf(path, file)
  const { default: exported } = await importModule(path, file)
  if (exported === undefined)
    throw new CommandError('expected a configuration as default export, got none', {
      where: path,
      help: 'export default { data: …, model: … }',
      code: exitCodes.usage,
    })
  return typeof exported === 'function' ? exported() : exported
}

async function textOf(path: string, file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    const message = code === 'ENOENT' ? `there is no file ${path}` : `${path} cannot be read (${code})`
    const help = code === 'ENOENT' ? 'galvani new <folder> makes a project with one' : undefined
    throw new CommandError(message, { code: exitCodes.usage, cause: error, ...(help === undefined ? {} : { help }) })
  }
}

function parsed(path: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    const { message } = error as Error
    const place = /position (\d+)/.exec(message)?.[1]
    const before = text.slice(0, place === undefined ? text.length : Number(place)).split('\n')
    throw new CommandError(`expected JSON, got ${message.replace(/ (in JSON )?at position.*/, '')}`, {
      where: `${path}:${before.length}:${before.at(-1)!.length + 1}`,
      code: exitCodes.usage,
      cause: error,
    })
  }
}

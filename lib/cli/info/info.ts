/** What something is, by what it looks like. */
import { existsSync, statSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { basename, extname, join } from 'node:path'
import { typeOfFile } from '../config/schema.ts'
import { CommandError, exitCodes } from '../exit.ts'
import { isRun } from '../run/folder.ts'

/** The same twice: for people, and as plain data. */
export interface Info {
  readonly lines: readonly string[]
  readonly json: Readonly<Record<string, unknown>>
}

/** @throws CommandError for what nothing is known of */
export async function infoOf(path: string | undefined): Promise<Info> {
  if (path === undefined) return (await import('./machine.ts')).machineInfo()
  if (!existsSync(path)) throw new CommandError(`there is no ${path}`, { code: exitCodes.usage })
  if (statSync(path).isDirectory()) return infoOfFolder(path)
  const extension = extname(path).toLowerCase()
  const ofTensors = ['.safetensors', '.npy', '.npz', '.pt', '.pth', '.bin']
  if (ofTensors.includes(extension) || path.endsWith('.safetensors.index.json'))
    return (await import('./tensors.ts')).tensorsInfo(path)
  if (['.onnx', '.keras', '.h5'].includes(extension)) return (await import('./models.ts')).modelInfo(path)
  if (typeOfFile(path) !== undefined) return (await import('./tables.ts')).tableInfo(path)
  if (extension === '.json' && (await isOfTensorflow(path))) return (await import('./models.ts')).modelInfo(path)
  if (['.json', '.ts', '.mts', '.mjs', '.js', '.cjs'].includes(extension))
    return (await import('./runs.ts')).configInfo(path)
  throw new CommandError(`expected a run, a model, data or a configuration, got ${path}`, {
    help: 'galvani info --help shows what is known',
    code: exitCodes.usage,
  })
}

async function infoOfFolder(path: string): Promise<Info> {
  if (isRun(path)) return (await import('./runs.ts')).runInfo(path)
  if (existsSync(join(path, 'model.json'))) return (await import('./models.ts')).modelInfo(path)
  return (await import('./tables.ts')).imageFolderInfo(path)
}

const isOfTensorflow = async (path: string): Promise<boolean> =>
  basename(path) === 'model.json' && (await readFile(path, 'utf8')).includes('"modelTopology"')

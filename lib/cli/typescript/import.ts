/** Modules of the user's, in TypeScript too. */
import { register } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { packageRoot } from '../../base/package-root.ts'
import { CommandError } from '../exit.ts'
import type { HookData } from './hooks.ts'

export const isTypeScript = (path: string): boolean => /\.m?ts$/.test(path)

let isReady = false

/** In the thread of hooks stands no code of this thread: they are a file of their own. */
function prepare(): void {
  const { bun, deno } = process.versions
  if (isReady || bun !== undefined || deno !== undefined) return
  isReady = true
  const from = pathToFileURL(join(packageRoot() ?? '', 'dist', 'cli-typescript.cjs')).href
  const isNative = Boolean((process.features as { typescript?: unknown }).typescript)
  const data: HookData = { from, isNative }
  register(from, { data })
}

/**
 * What a module exports.
 * @param path as it was typed
 * @throws CommandError for one that does not load, with what it threw
 */
export async function importModule(path: string, file: string): Promise<Readonly<Record<string, unknown>>> {
  prepare()
  try {
    return await import(pathToFileURL(file).href)
  } catch (error) {
    throw new CommandError(error instanceof Error ? error.message : String(error), { where: path, cause: error })
  }
}

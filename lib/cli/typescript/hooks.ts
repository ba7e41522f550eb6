/**
 * Hooks for the modules of a user: `galvani` is the package that runs, installed there or not, and Node 20 loads TypeScript, of which the
 * types are taken out while lines stay where they are.
 */
import { readFile } from 'node:fs/promises'
import type { InitializeHook, LoadHook, ResolveHook } from 'node:module'
import { fileURLToPath } from 'node:url'
import { transform } from 'sucrase'

export interface HookData {
  /** The URL of a file in the package. */
  readonly from: string
  /** Whether Node loads TypeScript by itself. */
  readonly isNative: boolean
}

const extension = /\.m?ts$/

let given: HookData

export const initialize: InitializeHook<HookData> = (data) => {
  given = data
}

export const load: LoadHook = async (url, context, nextLoad) => {
  const { protocol, pathname } = new URL(url)
  if (given.isNative || protocol !== 'file:' || !extension.test(pathname)) return nextLoad(url, context)
  const file = fileURLToPath(url)
  const { code } = transform(await readFile(file, 'utf8'), {
    transforms: ['typescript'],
    disableESTransforms: true,
    filePath: file,
  })
  return { format: 'module', source: code, shortCircuit: true }
}

/** `./model.js` may be model.ts, as TypeScript has it. */
export const resolve: ResolveHook = async (specifier, context, nextResolve) => {
  if (/^galvani(\/|$)/.test(specifier)) return nextResolve(specifier, { ...context, parentURL: given.from })
  try {
    return await nextResolve(specifier, context)
  } catch (error) {
    const isRelative = /^\.{1,2}\/.*\.m?js$/.test(specifier) && extension.test(context.parentURL ?? '')
    if (!isRelative || (error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error
    return nextResolve(specifier.replace(/js$/, 'ts'), context)
  }
}

/** Where the addon is looked for, in order, and what is said where it is not found. docs/platforms.md tells users. */
import { existsSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join, resolve } from 'node:path'
import { expected } from '../base/errors.ts'
import { packageRoot } from '../base/package-root.ts'
import { type Addon, missingIn } from './addon.ts'
import { mismatchOf, withBytes } from './library-file.ts'
import { prebuiltFor, thisMachine } from './machine.ts'

/** A file that was tried: the addon, or why it is none, as the rest of a sentence that begins with its path. */
export interface Attempt {
  readonly path: string
  readonly addon?: Addon
  readonly failure?: string
  readonly cause?: unknown
}

export interface Search {
  /** In order. The last one has the addon, where one was found. */
  readonly tried: readonly Attempt[]
  /** What GALVANI_ADDON holds, which has no replacement. */
  readonly named?: string
  /** The folder of the package, unless it was bundled into something else. */
  readonly root?: string
}

/** There is no addon that loads here. */
export class NativeLoadError extends Error {
  override name = 'NativeLoadError'
  readonly tried: readonly Attempt[]
  constructor(message: string, tried: readonly Attempt[]) {
    super(message, { cause: tried.findLast(({ cause }) => cause !== undefined)?.cause })
    this.tried = tried
  }
}

export const notThere = 'is not there'

/** What `galvani build` makes, and node-gyp in a checkout. */
export const builtFile = (root: string): string => join(root, 'build', 'Release', 'galvani.node')

const prebuiltFile = (root: string): string => join(root, 'prebuilds', prebuiltFor(thisMachine), 'galvani.node')

/** Node-API 8, or a runtime that does not tell its version. */
const hasNodeApi = (version: string | undefined): boolean => version === undefined || Number(version) >= 8

/** What is known of a file before the system is asked to load it, as a wrong one may take the process with it. */
function failureBefore(path: string): string | undefined {
  const stat = statSync(path, { throwIfNoEntry: false })
  if (stat === undefined) return notThere
  if (!stat.isFile()) return 'is no file'
  // Any other file would be run as JavaScript.
  if (!path.endsWith('.node')) return 'does not end in .node'
  if (!hasNodeApi(process.versions.napi)) return `asks for Node-API 8, where this process has ${process.versions.napi}`
  return withBytes(path, (bytes) => mismatchOf(bytes, thisMachine))
}

function lackOf(exports: unknown): string | undefined {
  const missing = missingIn(exports)
  if (missing.length === 0) return undefined
  const rest = missing.length > 4 ? ` and ${missing.length - 4} more` : ''
  return `is of another version or of something else, and lacks ${missing.slice(0, 4).join(', ')}${rest}`
}

function attempt(path: string): Attempt {
  const failed = (cause: unknown): Attempt => {
    const reason = cause instanceof Error ? cause.message : String(cause)
    return { path, failure: `does not load on ${process.platform} ${process.arch} (${reason})`, cause }
  }
  try {
    const failure = failureBefore(path)
    if (failure !== undefined) return { path, failure }
    // By a function that is made here, so that no bundler looks for the file.
    const exports: unknown = createRequire(path)(path)
    const lack = lackOf(exports)
    return lack === undefined ? { path, addon: exports as Addon } : { path, failure: lack }
  } catch (cause) {
    return failed(cause)
  }
}

/** Tries one place after the other, until one has the addon. */
export function findAddon(): Search {
  const root = packageRoot()
  const named = process.env.GALVANI_ADDON
  if (named) return { tried: [attempt(resolve(named))], named, root }
  if (root === undefined) return { tried: [] }
  const tried = [attempt(builtFile(root))]
  if (tried[0]?.addon === undefined) tried.push(attempt(prebuiltFile(root)))
  return { tried, root }
}

/** Deno reads modules that its programs may not read. */
const bundled =
  'galvani is bundled, or may not read its own folder (--allow-read of Deno), where its addon is: mark galvani as external (esbuild ' +
  '--external:galvani, externals of webpack, serverExternalPackages of Next), or name the file of the addon by GALVANI_ADDON'

/** What can be done: in a checkout by who works on it, else by who uses the package. */
function remedyIn(root: string): string {
  if (existsSync(join(root, 'lib', 'index.ts')))
    return 'build it with a C++17 compiler, make and Python 3: npm run build:native'
  return 'build it with a C++17 compiler: npx galvani build; more is said by: npx galvani doctor'
}

const listOf = (tried: readonly Attempt[]): string => tried.map(({ path, failure }) => `${path} ${failure}`).join('; ')

/**
 * The addon: the file that GALVANI_ADDON names, what was built in the folder of the package, or what was prebuilt for this machine.
 *
 * @throws NativeLoadError where none loads; RangeError where GALVANI_ADDON names something else.
 */
export function loadAddon(): Addon {
  const { tried, named, root } = findAddon()
  const found = tried.at(-1)
  const others = tried.filter(({ failure }) => failure !== undefined && failure !== notThere)
  if (found?.addon === undefined) {
    if (named !== undefined) {
      const got = `${named}, which ${found?.failure}`
      throw new RangeError(expected('GALVANI_ADDON', "the file of galvani's addon", got), { cause: found?.cause })
    }
    throw new NativeLoadError(root === undefined ? bundled : `${listOf(tried)}; ${remedyIn(root)}`, tried)
  }
  if (root !== undefined && others.length > 0)
    process.emitWarning(`galvani: ${listOf(others)}; ${found.path} takes over; ${remedyIn(root)}`)
  return found.addon
}

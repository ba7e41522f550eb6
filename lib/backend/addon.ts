/** The addon: what it exports, where its file is, and what can be done where there is none. */
import { existsSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join, resolve } from 'node:path'
import { expected } from '../base/errors.ts'
import { packageRoot } from '../base/package-root.ts'
import { opcodes } from '../program/instructions.ts'
import { microOpNames } from '../program/micro-ops.ts'
import type { Numbering } from '../program/parameters.ts'
import { activations, distributions, reductions } from '../program/vocabulary.ts'
import type { BackendInfo, Buffers } from './backend.ts'

/** An index in the data that is out of range. */
export type Failure = readonly [instruction: number, position: number, value: number, limit: number]

/**
 * The exports of native/binding/addon.cc. A handle stands for a prepared program. The memory of the buffers stays where it is
 * until an asynchronous run has ended: what it was lent is never transferred again (before Node 24, not by structuredClone
 * and postMessage), and it is private to the library.
 */
export interface Addon {
  names(): Readonly<Record<keyof Numbering, readonly string[]>>
  configure(): void
  prepare(words: Int32Array, literals: Uint8Array): number
  run(handle: number, buffers: Buffers): Failure | undefined
  /** A number for `abort`, where the run is one that may be aborted. */
  runAsync(
    handle: number,
    buffers: Buffers,
    callback: (failure: Failure | undefined) => void,
    steps?: number,
    mayAbort?: boolean,
  ): number | undefined
  /** Has a run fail before its next instruction, unless it has begun to write states. */
  abort(run: number): void
  /** `run`, which also fills in how long each instruction took. */
  profile(handle: number, buffers: Buffers, nanoseconds: Float64Array): Failure | undefined
  release(handle: number): void
  drain(): void
  info(): Omit<BackendInfo, 'backend'>
  setIsa(name: string): void
  setNumThreads(threads: number): void
}

const functions: Readonly<Record<keyof Addon, true>> = {
  ...{ names: true, configure: true, prepare: true, run: true, runAsync: true, abort: true, profile: true },
  ...{ release: true, drain: true, info: true, setIsa: true, setNumThreads: true },
}

/** The names that a program may mention. float64 is none of them: it is computed by the reference backend alone. */
const vocabulary: Readonly<Record<keyof Numbering, readonly string[]>> = {
  opcodes,
  microOps: microOpNames,
  dtypes: ['float32', 'int32', 'uint8', 'bool'],
  places: ['input', 'state', 'literal', 'result', 'arena'],
  reductions,
  activations,
  distributions,
}

/** There is no addon to load, or it cannot be loaded here. */
export class NativeLoadError extends Error {
  override name = 'NativeLoadError'
}

const tools = 'a C++17 compiler, make and Python 3'

/** What can be done about an addon that is missing: in a checkout by who works on it, else by who uses the package. */
function remedyIn(root: string): string {
  if (existsSync(join(root, 'lib', 'index.ts'))) return `build it with ${tools}: npm run build:native`
  return (
    `the install script of the package builds it with ${tools}, where scripts are allowed: npm rebuild galvani ` +
    '--ignore-scripts=false, or pnpm approve-builds; where the package was copied, its folder build has to come along'
  )
}

const bundled =
  'galvani is bundled, but its addon is in the folder of the package: mark galvani as external (esbuild ' +
  '--external:galvani, externals of webpack, serverExternalPackages of Next), or name the file of the addon by GALVANI_ADDON'

interface AddonFile {
  readonly path: string
  fail(what: string, cause?: unknown): never
}

/** What was named has no replacement: a wrong setting is an error. */
function namedFile(given: string): AddonFile {
  const path = resolve(given)
  const fail = (what: string, cause?: unknown): never => {
    throw new RangeError(expected('GALVANI_ADDON', "the file of galvani's addon", `${given}, which ${what}`), { cause })
  }
  if (!statSync(path, { throwIfNoEntry: false })?.isFile()) return fail('is no file')
  // Any other file would be run as JavaScript.
  if (!path.endsWith('.node')) return fail('does not end in .node')
  return { path, fail }
}

function builtFile(): AddonFile {
  const root = packageRoot()
  if (root === undefined) throw new NativeLoadError(bundled)
  const candidates = ['Release', 'Debug'].map((kind) => join(root, 'build', kind, 'galvani.node'))
  const path = candidates.find(existsSync)
  if (path === undefined) throw new NativeLoadError(`the addon was not built (no ${candidates[0]}); ${remedyIn(root)}`)
  const fail = (what: string, cause?: unknown): never => {
    throw new NativeLoadError(`${path} ${what}; ${remedyIn(root)}`, { cause })
  }
  return { path, fail }
}

function load({ path, fail }: AddonFile): unknown {
  try {
    return createRequire(path)(path)
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    return fail(`does not load on ${process.platform} ${process.arch} (${reason})`, cause)
  }
}

/** The functions and names that an addon of another version, or of something else, does not have. */
function missingIn(exports: unknown): string[] {
  const addon = Object(exports) as Partial<Addon>
  const missing = Object.keys(functions).filter((name) => typeof addon[name as keyof Addon] !== 'function')
  if (missing.length > 0) return missing
  const names = (exports as Addon).names()
  return Object.entries(vocabulary).flatMap(([kind, needed]) =>
    needed.filter((name) => !names[kind as keyof Numbering]?.includes(name)),
  )
}

/**
 * Loads the addon as it is, or the file that GALVANI_ADDON names.
 *
 * @throws NativeLoadError where there is none that loads; RangeError where GALVANI_ADDON names something else.
 */
export function loadAddon(): Addon {
  const file = process.env.GALVANI_ADDON ? namedFile(process.env.GALVANI_ADDON) : builtFile()
  const exports = load(file)
  const missing = missingIn(exports)
  if (missing.length > 0) file.fail(`is of another version or of something else, and lacks ${missing.join(', ')}`)
  return exports as Addon
}

/** The numbers of the addon's names. */
export function numberingOf(addon: Addon): Numbering {
  const names = addon.names()
  const numbersOf = (kind: keyof Numbering) => new Map(names[kind].map((name, number) => [name, number]))
  return {
    opcodes: numbersOf('opcodes'),
    microOps: numbersOf('microOps'),
    dtypes: numbersOf('dtypes'),
    places: numbersOf('places'),
    reductions: numbersOf('reductions'),
    activations: numbersOf('activations'),
    distributions: numbersOf('distributions'),
  }
}

/** The native backend: loads the addon, matches its names to numbers, and hands it encoded programs. */
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { ProgramError } from '../base/errors.ts'
import { packageRoot } from '../base/package-root.ts'
import { encodeProgram } from '../program/encode.ts'
import { opcodes } from '../program/instructions.ts'
import { microOpNames } from '../program/micro-ops.ts'
import type { Numbering } from '../program/parameters.ts'
import type { Program } from '../program/program.ts'
import { activations, distributions, reductions } from '../program/vocabulary.ts'
import type { Backend, BackendInfo, Buffers, Executable } from './backend.ts'
import { rangeError } from './failure.ts'

/** An index in the data that is out of range. */
type Failure = readonly [instruction: number, position: number, value: number, limit: number]

/**
 * The exports of native/binding/addon.cc. A handle stands for a prepared program. The memory of the buffers must stay
 * where it is until an asynchronous run has ended: they are private to the library.
 */
export interface Addon {
  names(): Readonly<Record<keyof Numbering, readonly string[]>>
  configure(): void
  prepare(words: Int32Array, literals: Uint8Array): number
  run(handle: number, buffers: Buffers): Failure | undefined
  runAsync(handle: number, buffers: Buffers, callback: (failure: Failure | undefined) => void, steps?: number): void
  /** `run`, which also fills in how long each instruction took. */
  profile(handle: number, buffers: Buffers, nanoseconds: Float64Array): Failure | undefined
  release(handle: number): void
  drain(): void
  info(): Omit<BackendInfo, 'backend'>
  setIsa(name: string): void
  setNumThreads(threads: number): void
}

/** There is no addon to load, or it cannot be loaded here. */
export class NativeLoadError extends Error {
  override name = 'NativeLoadError'
}

export interface NativeBackend extends Backend {
  /** Chooses the instruction set of programs that are prepared from here on. */
  setIsa(name: string): void
}

const remedy = 'build it with a C++17 compiler and Python 3: npm run build:native'

function rootFolder(): string {
  const root = packageRoot()
  if (root === undefined) throw new NativeLoadError('no folder above this module is that of the package galvani')
  return root
}

function addonFile(): string {
  const forced = process.env.GALVANI_ADDON
  const candidates = forced
    ? [forced]
    : ['Release', 'Debug'].map((kind) => join(rootFolder(), 'build', kind, 'galvani.node'))
  const file = candidates.find(existsSync)
  if (file === undefined) throw new NativeLoadError(`the addon was not built (no ${candidates[0]}); ${remedy}`)
  return file
}

/** Loads the addon as it is, or the file that GALVANI_ADDON names. */
export function loadAddon(): Addon {
  const file = addonFile()
  try {
    return createRequire(import.meta.url)(file) as Addon
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new NativeLoadError(`${file} does not load, perhaps built elsewhere; ${remedy} (${reason})`, { cause })
  }
}

function numbersOf(names: readonly string[], needed: readonly string[]): ReadonlyMap<string, number> {
  const missing = needed.filter((name) => !names.includes(name))
  if (missing.length > 0)
    throw new NativeLoadError(`the addon is of another version and lacks ${missing.join(', ')}; ${remedy}`)
  return new Map(names.map((name, number) => [name, number]))
}

/** The numbers of the addon's names. float64 has none: it is computed by the reference backend alone. */
export function numberingOf(addon: Addon): Numbering {
  const names = addon.names()
  return {
    opcodes: numbersOf(names.opcodes, opcodes),
    microOps: numbersOf(names.microOps, microOpNames),
    dtypes: numbersOf(names.dtypes, ['float32', 'int32', 'uint8', 'bool']),
    places: numbersOf(names.places, ['input', 'state', 'literal', 'result', 'arena']),
    reductions: numbersOf(names.reductions, reductions),
    activations: numbersOf(names.activations, activations),
    distributions: numbersOf(names.distributions, distributions),
  }
}

/**
 * Loads the addon and makes a backend of it.
 * @throws NativeLoadError where it does not load; RangeError for a wrong GALVANI_ISA or GALVANI_NUM_THREADS.
 */
export function loadNative(): NativeBackend {
  const addon = loadAddon()
  const numbering = numberingOf(addon)
  addon.configure()
  // An executable that nobody holds any more lets go of its memory like any other value.
  const forgotten = new FinalizationRegistry<number>((handle) => addon.release(handle))
  return {
    prepare(program) {
      const executable = new NativeExecutable(addon, program, prepareHandle(addon, program, numbering))
      forgotten.register(executable, executable.handle)
      return executable
    },
    drain: () => addon.drain(),
    setNumThreads: (threads) => addon.setNumThreads(threads),
    setIsa: (name) => addon.setIsa(name),
    info: () => ({ backend: 'native', ...addon.info() }),
  }
}

function prepareHandle(addon: Addon, program: Program, numbering: Numbering): number {
  const { words, literals } = encodeProgram(program, numbering)
  try {
    return addon.prepare(words, literals)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ERR_MALFORMED_PROGRAM')
      throw new ProgramError(error.message)
    throw error
  }
}

class NativeExecutable implements Executable {
  readonly handle: number
  readonly #addon: Addon
  readonly #program: Program

  constructor(addon: Addon, program: Program, handle: number) {
    this.#addon = addon
    this.#program = program
    this.handle = handle
  }

  run(buffers: Buffers): void {
    const failure = this.#addon.run(this.handle, buffers)
    if (failure !== undefined) throw rangeError(this.#program, ...failure)
  }

  runAsync(buffers: Buffers, steps = 1): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (failure: Failure | undefined) => {
        if (failure === undefined) resolve()
        else reject(rangeError(this.#program, ...failure))
      }
      this.#addon.runAsync(this.handle, buffers, settle, steps)
    })
  }

  profile(buffers: Buffers): Float64Array {
    const nanoseconds = new Float64Array(this.#program.instructions.length)
    const failure = this.#addon.profile(this.handle, buffers, nanoseconds)
    if (failure !== undefined) throw rangeError(this.#program, ...failure)
    return nanoseconds
  }

  dispose(): void {
    this.#addon.release(this.handle)
  }
}

/** The addon: what it exports, and whether something is it. */
import { dtypes } from '../base/dtype.ts'
import { opcodes } from '../program/instructions.ts'
import { microOpNames } from '../program/micro-ops.ts'
import type { Numbering } from '../program/parameters.ts'
import { activations, distributions, precisions, reductions } from '../program/vocabulary.ts'
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
  isIdle(): boolean
  info(): Omit<BackendInfo, 'backend'>
  setIsa(name: string): void
  setNumThreads(threads: number): void
}

const functions: Readonly<Record<keyof Addon, true>> = {
  ...{ names: true, configure: true, prepare: true, run: true, runAsync: true, abort: true, profile: true },
  ...{ release: true, drain: true, isIdle: true, info: true, setIsa: true, setNumThreads: true },
}

/** The names that a program may mention. */
const vocabulary: Readonly<Record<keyof Numbering, readonly string[]>> = {
  opcodes,
  microOps: microOpNames,
  dtypes,
  places: ['input', 'state', 'literal', 'result', 'arena'],
  reductions,
  activations,
  precisions,
  distributions,
}

/** The functions and names that an addon of another version, or of something else, does not have. */
export function missingIn(exports: unknown): string[] {
  const addon = Object(exports) as Partial<Addon>
  const missing = Object.keys(functions).filter((name) => typeof addon[name as keyof Addon] !== 'function')
  if (missing.length > 0) return missing
  const names = (exports as Addon).names()
  return Object.entries(vocabulary).flatMap(([kind, needed]) =>
    needed.filter((name) => !names[kind as keyof Numbering]?.includes(name)),
  )
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
    precisions: numbersOf('precisions'),
    distributions: numbersOf('distributions'),
  }
}

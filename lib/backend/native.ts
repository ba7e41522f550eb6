/** The native backend: hands encoded programs to the addon. */
import { type Abortable, onAbort, reasonOf } from '../base/abort.ts'
import { ProgramError } from '../base/errors.ts'
import { encodeProgram } from '../program/encode.ts'
import type { Numbering } from '../program/parameters.ts'
import type { Program } from '../program/program.ts'
import { type Addon, type Failure, numberingOf } from './addon.ts'
import { loadAddon } from './addon-search.ts'
import type { Backend, Buffers, Executable } from './backend.ts'
import { instructionAt, rangeError } from './failure.ts'

export interface NativeBackend extends Backend {
  /** Chooses the instruction set of programs that are prepared from here on. */
  setIsa(name: string): void
}

/**
 * Loads the addon and makes a backend of it.
 * @throws NativeLoadError where it does not load; RangeError for a wrong GALVANI_ADDON, GALVANI_ISA or GALVANI_NUM_THREADS.
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
    isIdle: () => addon.isIdle(),
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

const errorOf = (program: Program, [number, ...fault]: Failure): RangeError =>
  rangeError(instructionAt(program, number), ...fault)

/** In place of the instruction of a failure: the run was ended. */
const aborted = -1

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
    if (failure !== undefined) throw errorOf(this.#program, failure)
  }

  runAsync(buffers: Buffers, steps = 1, signal?: Abortable): Promise<void> {
    return new Promise((resolve, reject) => {
      let forget = () => {}
      const settle = (failure: Failure | undefined) => {
        forget()
        if (failure === undefined) resolve()
        else if (failure[0] === aborted) reject(signal && reasonOf(signal)?.reason)
        else reject(errorOf(this.#program, failure))
      }
      const run = this.#addon.runAsync(this.handle, buffers, settle, steps, signal !== undefined)
      if (signal === undefined || run === undefined) return
      const abort = () => this.#addon.abort(run)
      forget = onAbort(signal, abort)
      // A run that waited for others may have been aborted meanwhile.
      if (reasonOf(signal) !== null) abort()
    })
  }

  profile(buffers: Buffers): Float64Array {
    const nanoseconds = new Float64Array(this.#program.instructions.length)
    const failure = this.#addon.profile(this.handle, buffers, nanoseconds)
    if (failure !== undefined) throw errorOf(this.#program, failure)
    return nanoseconds
  }

  dispose(): void {
    this.#addon.release(this.handle)
  }
}

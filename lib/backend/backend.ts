/** What a backend is: it prepares programs and runs them. It knows no tensor, no graph and no gradient. */
import type { Abortable } from '../base/abort.ts'
import type { TypedArray } from '../base/dtype.ts'
import type { Program } from '../program/program.ts'

/**
 * The buffers of one run, each exactly as long as its value: inputs, then the states as they are read, then the states
 * as they are written, then results. Where a state's two buffers differ, the old one is copied to the new one first;
 * the program then updates the new one in place.
 */
export type Buffers = readonly TypedArray[]

export interface Executable {
  /** Runs here and now, after everything that was submitted before. Throws RangeError where an index in the data is out of range. */
  run(buffers: Buffers): void
  /**
   * Runs off the event loop, after everything that was submitted before. The buffers must not change until it settles.
   * With several steps the program runs so many times, one after the other, and states carry over from step to step.
   * Results are then `steps` times as long as their values; so are inputs that differ from step to step, a part for
   * each. It ends with the first step that fails, which changes no state. Once the signal is aborted it ends as if the next
   * instruction failed, unless the step has begun to write states, and rejects with the reason.
   */
  runAsync(buffers: Buffers, steps?: number, signal?: Abortable): Promise<void>
  /** `run`, and the nanoseconds that each instruction took. */
  profile(buffers: Buffers): Float64Array
  /** Lets go of what the executable holds. It must not run again. */
  dispose(): void
}

export interface BackendInfo {
  backend: 'native' | 'reference'
  /** The instruction set of the kernels: 'avx512' or 'avx2' (x64), 'neon' (arm64), 'baseline' (any); 'javascript' for the reference. */
  isa: string
  /** The instruction sets this machine can run, best first. */
  supportedIsas: readonly string[]
  /** How many threads a program may use, the caller's included; 1 for the reference. */
  threads: number
  threadsFrom: ThreadsFrom
}

/**
 * Where the number of threads comes from: `setNumThreads`; the variable `GALVANI_NUM_THREADS`; the CPU quota of the control
 * groups that the process is in, as containers have them (`cpu.max` or `cpu.cfs_quota_us`), rounded up; the processors that
 * the process may use, of which a quota never makes more; or the reference backend, which has one thread.
 */
export type ThreadsFrom = 'setNumThreads' | 'GALVANI_NUM_THREADS' | 'cgroup quota' | 'affinity' | 'reference'

export interface Backend {
  /** Validates the program and resolves its kernels; throws where it is malformed. */
  prepare(program: Program): Executable
  /** Blocks until every run that was submitted has ended. */
  drain(): void
  /** Whether every run has, so that one that is to take place here and now waits for none. */
  isIdle(): boolean
  setNumThreads(threads: number): void
  info(): BackendInfo
}

/**
 * Which backend runs a program: the native one where it loads, the reference where native is missing, and for float64 in
 * instructions that have no native kernels of it.
 */
import { checkText } from '../base/arguments.ts'
import { expected } from '../base/errors.ts'
import type { Program } from '../program/program.ts'
import { hasNativeKernels } from '../program/signatures.ts'
import { NativeLoadError } from './addon-search.ts'
import type { Backend, BackendInfo } from './backend.ts'
import { loadNative } from './native.ts'
import { createReferenceBackend } from './reference/index.ts'

export type BackendName = 'native' | 'reference'

const loaders: Record<BackendName, () => Backend> = {
  native: () => loadNative(),
  reference: () => createReferenceBackend(),
}
const loaded = new Map<BackendName, Backend>()
let chosen: BackendName | null = null

function load(name: BackendName): Backend {
  let backend = loaded.get(name)
  if (backend === undefined) {
    backend = loaders[name]()
    loaded.set(name, backend)
  }
  return backend
}

function defaultBackend(): BackendName {
  try {
    load('native')
    return 'native'
  } catch (error) {
    // A wrong setting is an error: only a missing binary has a replacement.
    if (!(error instanceof NativeLoadError)) throw error
    process.emitWarning(
      `galvani: the native backend did not load, the slow reference backend takes over: ${error.message}`,
    )
    return 'reference'
  }
}

export function activeBackend(): Backend {
  chosen ??= defaultBackend()
  return load(chosen)
}

/** The backend of a program: the rows of the schema say which instructions compute float64 by the reference alone. */
export function backendOf(program: Program): Backend {
  const active = activeBackend()
  return hasNativeKernels(program) ? active : load('reference')
}

/** Whether runs may be under way on more than one backend. */
export const hasSeveralBackends = (): boolean => loaded.size > 1

/** Blocks until no backend but this one has anything under way. */
export function drainOthers(backend: Backend): void {
  if (!hasSeveralBackends()) return
  for (const other of loaded.values()) if (other !== backend) other.drain()
}

/** Whether every run that was submitted has ended. */
export const isIdle = (): boolean => [...loaded.values()].every((backend) => backend.isIdle())

/** Blocks until every run that was submitted has ended. */
export function drainAll(): void {
  for (const backend of loaded.values()) backend.drain()
}

/**
 * Chooses the backend of what is evaluated from now on: `'native'`, the default, or `'reference'`, the TypeScript
 * one. Programs with convolutions, pooling, normalization or attention of float64 always run on the reference backend.
 *
 * @throws Error where the native addon does not load, with what to do about it; RangeError for another name.
 */
export function setBackend(name: BackendName): void {
  if (!Object.hasOwn(loaders, checkText('setBackend', "'native' or 'reference'", name)))
    throw new RangeError(expected('setBackend', "'native' or 'reference'", name))
  load(name)
  chosen = name
}

/**
 * The name of the backend in use, its instruction set, its number of threads, and where that number comes from.
 *
 * @example
 * g.backendInfo()  // { backend: 'native', isa: 'avx2', supportedIsas: ['avx2', 'baseline'], threads: 1, threadsFrom: 'cgroup quota' }
 */
export const backendInfo = (): BackendInfo => activeBackend().info()

/**
 * How many threads a program may use, the caller's included: an integer from 1 to 64. Results do not depend on it. Unless it is
 * set, here or by `GALVANI_NUM_THREADS`, it is the number of processors that the process may use, or its CPU quota, rounded
 * up, where that is less: a container of half a processor has one thread. `backendInfo().threadsFrom` says which it is.
 */
export function setNumThreads(threads: number): void {
  if (!Number.isInteger(threads) || threads < 1 || threads > 64)
    throw new RangeError(expected('setNumThreads', 'an integer from 1 to 64', threads))
  activeBackend().setNumThreads(threads)
}

/** The limits of this machine, measured by a small C++ program that CMake builds. */
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

export interface MachinePeak {
  readonly isa: string
  /** How often a core turns: additions that wait for each other. */
  readonly gigahertz: number
  /** Fused multiply-adds on one core, counted as two operations. */
  readonly gflops: number
  /** Bytes read and written by a copy in memory on one core. */
  readonly copyGBs: number
  /** Between two threads: to hand over work and to know that it is done, and to read a line that the other has written. */
  readonly forkJoinNanoseconds: number
  readonly lineNanoseconds: number
}

export function measureMachine(): MachinePeak {
  const root = fileURLToPath(new URL('..', import.meta.url))
  const cmake = (...args: string[]) =>
    execFileSync('cmake', args, { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] })
  cmake('--preset', 'release')
  cmake('--build', '--preset', 'release', '--target', 'galvani_machine')
  return JSON.parse(execFileSync(`${root}/build-cmake/release/galvani_machine`, { encoding: 'utf8' }))
}

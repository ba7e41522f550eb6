/** What a prebuilt addon is chosen by: the system, the processor and, on Linux, the C library of this process. */
import { readFileSync } from 'node:fs'

export type Libc = 'glibc' | 'musl'

export interface Machine {
  readonly platform: string
  readonly arch: string
  /** Asked for where it decides alone, as it takes a look at what is mapped. */
  libc(): Libc | undefined
}

/** The folder of prebuilds that is for a machine: `linux-x64-musl`. */
export const prebuiltFor = ({ platform, arch, libc }: Machine): string =>
  `${platform}-${arch}${platform === 'linux' && libc() === 'musl' ? '-musl' : ''}`

const names = {
  // Its one file is loader and library. Some distributions have it under the name libc.so.
  musl: /\/(ld-musl-[^/]+|libc\.musl-[^/]+|libc\.so)$/,
  glibc: /\/(ld-linux[^/]*|libc\.so\.6|libc-2[^/]+)$/,
}

/** The C library among the paths of files that a process has mapped. */
export function libcAmong(paths: readonly string[]): Libc | undefined {
  if (paths.some((path) => names.musl.test(path))) return 'musl'
  return paths.some((path) => names.glibc.test(path)) ? 'glibc' : undefined
}

/** Takes a third of a millisecond, where a report takes thirty. */
const mappedFiles = (): string[] =>
  readFileSync('/proc/self/maps', 'utf8')
    .split('\n')
    .map((line) => line.replace(/^[^/]*| +\(deleted\)$/g, ''))

interface Report {
  readonly header?: { readonly glibcVersionRuntime?: string }
  readonly sharedObjects?: readonly string[]
}

/** What Node says of its process; other runtimes say less, or nothing. Without `excludeNetwork` it may ask name servers for minutes. */
function reportOfProcess(): Report {
  const report = process.report as (NodeJS.ProcessReport & { excludeNetwork?: boolean }) | undefined
  if (typeof report?.getReport !== 'function') return {}
  const { excludeNetwork } = report
  try {
    report.excludeNetwork = true
    return report.getReport() ?? {}
  } catch {
    return {}
  } finally {
    report.excludeNetwork = excludeNetwork
  }
}

/** The version of glibc that runs, where it is one. */
export const glibcVersion = (): string | undefined => reportOfProcess().header?.glibcVersionRuntime

function libcOfProcess(): Libc | undefined {
  if (process.platform !== 'linux') return undefined
  try {
    return libcAmong(mappedFiles())
  } catch {
    // No /proc, or a runtime that grants no access to it.
    const { header, sharedObjects = [] } = reportOfProcess()
    return header?.glibcVersionRuntime ? 'glibc' : libcAmong(sharedObjects)
  }
}

let libc: Libc | undefined | null = null

/** The machine of this process. */
export const thisMachine: Machine = {
  platform: process.platform,
  arch: process.arch,
  libc: () => {
    if (libc === null) libc = libcOfProcess()
    return libc
  },
}

/** What runs on this machine, or why it does not. */
import { findAddon } from '../../backend/addon-search.ts'
import type { BackendInfo } from '../../backend/backend.ts'
import { glibcVersion, thisMachine } from '../../backend/machine.ts'
import { version } from '../../base/version.ts'
import { compilerInstall, findCompiler } from './compiler.ts'
import { trainXor } from './xor.ts'

export interface Diagnosis {
  readonly version: string
  readonly platform: string
  readonly arch: string
  /** The C library and its version, as far as the system tells them. */
  readonly libc: string | null
  readonly runtime: string
  readonly nodeApi: string | null
  /** The files that were tried for the addon, in order, and why each is none; null for the one that was loaded. */
  readonly tried: readonly { readonly path: string; readonly failure: string | null }[]
  /** What the native backend says of itself, once it has trained; null where it does not run. */
  readonly native: BackendInfo | null
  /** Why an addon that loaded does not run. */
  readonly failure: string | null
  readonly trainedInMilliseconds: number | null
  /** What `galvani build` would call. */
  readonly compiler: string | null
}

function runtimeOfProcess(): string {
  const { bun, deno, electron, node } = process.versions
  if (bun) return `Bun ${bun}`
  if (deno) return `Deno ${deno}`
  return electron ? `Electron ${electron} (Node ${node})` : `Node ${node}`
}

function libcOfProcess(): string | null {
  const libc = thisMachine.libc()
  return libc === 'glibc' ? `glibc ${glibcVersion() ?? ''}`.trim() : (libc ?? null)
}

type Run = Pick<Diagnosis, 'native' | 'failure' | 'trainedInMilliseconds'>

const notRunning = (failure: string): Run => ({ native: null, failure, trainedInMilliseconds: null })

/** What an addon is worth is what it computes. */
async function runNative(): Promise<Run> {
  try {
    const { native, milliseconds } = await trainXor()
    return { native, failure: null, trainedInMilliseconds: milliseconds }
  } catch (error) {
    return notRunning(error instanceof Error ? error.message : String(error))
  }
}

export async function diagnose(): Promise<Diagnosis> {
  const { tried } = findAddon()
  const found = tried.at(-1)?.addon !== undefined
  return {
    version,
    platform: process.platform,
    arch: process.arch,
    libc: libcOfProcess(),
    runtime: runtimeOfProcess(),
    nodeApi: process.versions.napi ?? null,
    tried: tried.map(({ path, failure = null }) => ({ path, failure })),
    ...(found ? await runNative() : notRunning('no addon loads')),
    compiler: findCompiler()?.version ?? null,
  }
}

/** For people: a line for each fact. */
export function textOf(diagnosis: Diagnosis): string {
  const { native, tried, compiler } = diagnosis
  const rows: [title: string, text: string][] = [
    ['galvani', diagnosis.version],
    ['system', [`${diagnosis.platform} ${diagnosis.arch}`, diagnosis.libc].filter(Boolean).join(', ')],
    ['runtime', `${diagnosis.runtime}, Node-API ${diagnosis.nodeApi ?? 'of unknown version'}`],
    ...tried.map(({ path, failure }, i): [string, string] => [i === 0 ? 'addon' : '', `${path} ${failure ?? 'loads'}`]),
    ['native', native ? nativeLine(diagnosis) : `does not run: ${diagnosis.failure}`],
    ['compiler', compiler ?? `none, which galvani build needs: ${compilerInstall()}`],
  ]
  if (tried.at(-1)?.failure !== null) rows.push(['help', 'galvani build compiles an addon for this machine'])
  return rows.map(([title, text]) => `${title.padEnd(10)}${text}`).join('\n')
}

function nativeLine({ native, trainedInMilliseconds }: Diagnosis): string {
  const { isa, supportedIsas, threads, threadsFrom } = native!
  const number = `${threads} ${threads === 1 ? 'thread' : 'threads'} (${threadsFrom})`
  return `${isa} of ${supportedIsas.join(', ')}; ${number}; learnt XOR in ${trainedInMilliseconds} ms`
}

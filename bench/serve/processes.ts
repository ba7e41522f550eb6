/** Processes of a bench, of which their parent asks one question after the other. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { build } from 'tsdown'
import { packageRoot } from '../../lib/base/package-root.ts'
import type { Answer } from './child.ts'

export interface PeerOptions {
  /** The one processor that it may use, where the system can be told so. */
  readonly processor?: number
  readonly environment?: NodeJS.ProcessEnv
  readonly flags?: readonly string[]
}

/**
 * Builds the programs of the processes as the package is built: `tsx` gives each function its name anew, every time it is made, which would be
 * measured with.
 */
export async function buildPrograms(): Promise<(program: 'server' | 'client') => string> {
  const outDir = join(packageRoot()!, 'build', 'bench')
  const entry = { server: 'bench/serve/server.ts', client: 'bench/serve/open-loop.ts' }
  await build({
    config: false,
    entry,
    outDir,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    dts: false,
    logLevel: 'error',
  })
  return (program) => join(outDir, `${program}.mjs`)
}

/** Whether processes can be kept to a processor. */
export const canPin = spawnSync('taskset', ['--version']).status === 0

export class Peer {
  readonly #ended: Promise<never>

  /** @param program that calls `answerParent` */
  constructor(private readonly program: ChildProcess) {
    this.#ended = once(program, 'exit').then(([code]) => {
      throw new Error(`bench: a process ended with ${code} before it answered`)
    })
    this.#ended.catch(() => {})
  }

  static start(file: string, { processor, environment = {}, flags = [] }: PeerOptions = {}): Peer {
    const node = [process.execPath, ...flags, file]
    const [command, ...args] = processor !== undefined && canPin ? ['taskset', '-c', String(processor), ...node] : node
    const program = spawn(command!, args, {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      serialization: 'advanced',
      env: { ...process.env, ...environment },
    })
    return new Peer(program)
  }

  async ask<T>(question: unknown): Promise<T> {
    const answered = once(this.program, 'message')
    this.program.send(question as object)
    const [told] = (await Promise.race([answered, this.#ended])) as [Answer]
    if ('error' in told) throw new Error(`bench: ${told.error}`)
    return told.answer as T
  }

  async end(): Promise<void> {
    if (this.program.connected) this.program.disconnect()
    await this.#ended.catch(() => {})
  }
}

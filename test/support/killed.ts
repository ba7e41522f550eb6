/** Trainings that are killed and begun again until they reach their end. */
import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const script = fileURLToPath(new URL('./resumed-training.ts', import.meta.url))

export interface Ending {
  /** What it said at its end; undefined where it was killed. */
  readonly digest: string | undefined
  readonly wasReady: boolean
}

/** Runs the training, and kills it so many milliseconds after it has begun. */
export function train(directory: string | undefined, milliseconds?: number, env: Record<string, string> = {}) {
  return new Promise<Ending>((resolve, reject) => {
    const args = ['--import', 'tsx', script, ...(directory === undefined ? [] : [directory])]
    const child = spawn(process.execPath, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
    let [output, errors] = ['', '']
    let timer: NodeJS.Timeout | undefined
    child.stderr.on('data', (chunk) => (errors += chunk))
    child.stdout.on('data', (chunk) => {
      output += chunk
      if (milliseconds !== undefined && output.includes('ready'))
        timer ??= setTimeout(() => child.kill('SIGKILL'), milliseconds)
    })
    child.on('close', (code, signal) => {
      clearTimeout(timer)
      if (signal !== 'SIGKILL' && code !== 0) reject(new Error(`the training ended with ${code ?? signal}:\n${errors}`))
      else resolve({ digest: /digest (\w+)/.exec(output)?.[1], wasReady: output.includes('ready') })
    })
  })
}

/**
 * Kills trainings at moments that `next` gives until so many were, each begun again from what it left; returns the digests of those that
 * reached their end, of which there is at least one.
 */
export async function digestsAfterKills(
  kills: number,
  next: (i: number) => { milliseconds?: number; env?: Record<string, string> },
): Promise<{ digests: string[]; left: string[] }> {
  const digests: string[] = []
  const left: string[] = []
  let directory = mkdtempSync(join(tmpdir(), 'galvani-killed-'))
  const end = () => {
    left.push(...readdirSync(directory))
    rmSync(directory, { recursive: true })
    directory = mkdtempSync(join(tmpdir(), 'galvani-killed-'))
  }
  for (let killed = 0; killed < kills; ) {
    const { milliseconds, env } = next(killed)
    const { digest } = await train(directory, milliseconds, env)
    if (digest === undefined) killed++
    else {
      digests.push(digest)
      end()
    }
  }
  const { digest } = await train(directory)
  digests.push(digest!)
  end()
  rmSync(directory, { recursive: true })
  return { digests, left }
}

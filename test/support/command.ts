/** The command `galvani` of dist in folders of its own, and what it says. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll } from 'vitest'
import { buildUnlessThere } from './dist.ts'
import { root } from './root.ts'

export const command = join(root, 'dist/cli.cjs')

export interface Outcome {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly out: string
  readonly errors: string
}

export interface Call {
  readonly cwd: string
  readonly input?: string
  readonly env?: Readonly<Record<string, string>>
}

const { NO_COLOR: _, FORCE_COLOR: __, GALVANI_DEBUG: ___, ...env } = process.env

export function start(args: readonly string[], call: Call): ChildProcess {
  return spawn(process.execPath, [command, ...args], { cwd: call.cwd, env: { ...env, ...call.env } })
}

/** Runs it to its end. */
export async function galvani(args: readonly string[], call: Call): Promise<Outcome> {
  const child = start(args, call)
  let [out, errors] = ['', '']
  child.stdout!.setEncoding('utf8').on('data', (text) => (out += text))
  child.stderr!.setEncoding('utf8').on('data', (text) => (errors += text))
  child.stdin!.on('error', () => {})
  child.stdin!.end(call.input ?? '')
  return new Promise((done) => child.on('close', (code, signal) => done({ code, signal, out, errors })))
}

/** Settles when a condition holds. */
export async function until(what: string, holds: () => boolean, milliseconds = 20_000): Promise<void> {
  const end = performance.now() + milliseconds
  while (!holds()) {
    if (performance.now() > end) throw new Error(`${what} did not come about`)
    await new Promise((done) => setTimeout(done, 20))
  }
}

/** A folder for the tests of a file, with files in it. */
export function workFolder(): { readonly path: string; write(name: string, content: unknown): string } {
  const path = mkdtempSync(join(tmpdir(), 'galvani-command-'))
  beforeAll(buildUnlessThere)
  afterAll(() => rmSync(path, { recursive: true, force: true }))
  return {
    path,
    write(name, content) {
      const file = join(path, name)
      mkdirSync(dirname(file), { recursive: true })
      writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content))
      return file
    },
  }
}

/** Flowers of three kinds that are easily told apart, with a category, and a missing number. */
export function flowers(count = 120): string {
  const kinds = ['iris', 'rose', 'tulip']
  const rows = Array.from({ length: count }, (_, i) => {
    const k = i % 3
    const noise = (j: number) => Math.sin(12.9898 * (i + 1) + 78.233 * j) / 2
    const length = i === 7 ? '' : (3 * k + noise(1)).toFixed(3)
    return `${length},${(5 - 2 * k + noise(2)).toFixed(3)},${i % 2 ? 'wet' : 'dry'},${kinds[k]}`
  })
  return `length,width,soil,kind\n${rows.join('\n')}\n`
}

export const flowersConfig = {
  data: { path: 'flowers.csv', target: 'kind' },
  model: [{ type: 'linear', outFeatures: 16 }, 'relu', 'linear'],
  optimizer: { type: 'adam', learningRate: 0.05 },
  metrics: ['accuracy'],
  validation: 0.25,
  epochs: 8,
}

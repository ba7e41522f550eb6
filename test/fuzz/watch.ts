/** Tries cases in a process of its own, which they may end or keep for ever. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Message } from './child.ts'
import type { Budget, Report } from './suite.ts'

export interface Watch {
  /** The module that calls `tryCases`. */
  readonly script: string
  readonly seed: number
  /** How a case is run again. */
  readonly again: (number: number) => string
  /** The longest that a case may take on a busy machine, in milliseconds. */
  readonly hangs?: number
}

const longest = 60_000
/** A process begins by compiling what it tries, and others may have the processors. */
const longestStart = 300_000

/** A process with many cases behind it has a fresh one follow it, whose memory is that of a few. */
const casesOfProcess = 200_000

/** Goes on behind a case that ends the process or does not end; each is a fault. */
export async function watch(options: Watch, { first, cases, until }: Budget, report: Report): Promise<void> {
  const end = first + cases
  for (let next = first; next < end && (next === first || Date.now() < until); ) {
    const count = Math.min(end - next, casesOfProcess)
    const bad = await watchProcess(options, { first: next, cases: count, until }, report)
    next = bad === null ? next + count : bad + 1
  }
}

/** The case that ended the process, or null. */
async function watchProcess(options: Watch, budget: Budget, report: Report): Promise<number | null> {
  const { script, seed, again, hangs = longest } = options
  const folder = mkdtempSync(join(tmpdir(), 'galvani-fuzz-'))
  const note = join(folder, 'case')
  writeFileSync(note, new Uint8Array(Float64Array.of(-1).buffer))
  const numberNow = () => new Float64Array(new Uint8Array(readFileSync(note)).buffer)[0]!
  const numbers = [seed, budget.first, budget.cases, budget.until].map(String)
  const child = spawn(process.execPath, ['--expose-gc', '--import', 'tsx', script, note, ...numbers], {
    // Where tsx is found, wherever this process has gone.
    cwd: dirname(script),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let errors = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors = (errors + text).slice(-4000)
  })
  let isDone = false
  createInterface(child.stdout).on('line', (line) => {
    const message = JSON.parse(line) as Message
    if ('fault' in message) {
      report.count('fault')
      report.fault(message.fault, again(message.number))
      return
    }
    for (const [outcome, times] of Object.entries(message.counts)) report.count(outcome, times)
    isDone ||= message.isDone ?? false
  })
  const stop = killAfter(child, hangs, numberNow)
  const ending = await new Promise<string>((resolve) => {
    child.on('close', (code, signal) => resolve(stop() ?? `it ended the process (${signal ?? `exit code ${code}`})`))
  })
  const number = numberNow()
  rmSync(folder, { recursive: true, force: true })
  if (isDone) return null
  report.count('ended the process')
  report.fault(`${ending}\n${errors}`, number < 0 ? '(before the first case)' : again(number))
  return Math.max(number, budget.first)
}

/** Kills a process that stays so long at one case. The function that it gives ends this, and says whether it did so. */
function killAfter(child: ChildProcess, milliseconds: number, numberNow: () => number): () => string | undefined {
  let [last, since, ending] = [Number.NaN, Date.now(), undefined as string | undefined]
  const timer = setInterval(() => {
    const number = numberNow()
    if (number !== last) [last, since] = [number, Date.now()]
    const limit = number < 0 ? longestStart : milliseconds
    if (Date.now() - since < limit) return
    ending = `it does not end, or not within ${limit / 1000} s`
    child.kill('SIGKILL')
  }, milliseconds / 20)
  return () => {
    clearInterval(timer)
    return ending
  }
}

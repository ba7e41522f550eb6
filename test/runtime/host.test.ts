/** How the library behaves in its process: each case is a process of its own, of the scripts in the folder host. */
import { execFile, execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'

interface Outcome {
  code: number | null
  lines: string[]
  errors: string
}

function run(script: string, args: readonly string[] = [], env: NodeJS.ProcessEnv = {}): Promise<Outcome> {
  const file = fileURLToPath(new URL(`host/${script}.ts`, import.meta.url))
  const options = { env: { ...process.env, ...env }, timeout: 120_000 }
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      ['--expose-gc', '--import', 'tsx', file, ...args],
      options,
      (_, out, errors) => {
        resolve({ code: child.exitCode, lines: out.split('\n').filter(Boolean), errors })
      },
    )
  })
}

async function report<T>(...args: Parameters<typeof run>): Promise<T[]> {
  const { code, lines, errors } = await run(...args)
  if (code !== 0) throw new Error(`exit code ${code}\n${errors}`)
  return lines.map((line) => JSON.parse(line))
}

describe('the same bits', { timeout: 120_000 }, () => {
  test('on one thread and on two, sync and async', async () => {
    const [digests] = await report<Record<string, string>>('bits')
    const { untrained, ...trained } = digests!
    expect(Object.keys(trained)).toEqual(['sync on 1', 'async on 1', 'sync on 2', 'async on 2'])
    expect(new Set(Object.values(trained)).size).toBe(1)
    expect(Object.values(trained)).not.toContain(untrained)
  })

  test('in four workers that train at once, as alone', async () => {
    const [{ alone, digests }] = (await report<{ alone: string; digests: string[] }>('workers')) as [
      { alone: string; digests: string[] },
    ]
    expect(digests).toEqual(Array(9).fill(alone))
  })
})

test('memory is steady over 10,000 steps', { timeout: 180_000 }, async () => {
  const growths = await report<[string, Record<string, number>]>('memory')
  console.log(`growth over 10,000 steps in MiB: ${JSON.stringify(Object.fromEntries(growths))}`)
  expect(growths.map(([name]) => name)).toEqual(['sync', 'async', 'overlapping', 'uncompiled', 'optimizer'])
  for (const [name, { rss, heapUsed, external, arrayBuffers }] of growths) {
    // The heap breathes by some MiB; a leak of one small buffer a step would be more than that.
    expect(rss, `${name}: rss`).toBeLessThan(32)
    expect(heapUsed, `${name}: heapUsed`).toBeLessThan(1)
    expect(external, `${name}: external`).toBeLessThan(1)
    expect(arrayBuffers, `${name}: arrayBuffers`).toBeLessThan(1)
  }
})

test('the event loop is free while training', { timeout: 120_000 }, async () => {
  const [{ p99, ticks }] = (await report<{ p99: number; ticks: number }>('event-loop')) as [
    { p99: number; ticks: number },
  ]
  console.log(`event-loop delay p99 while training: ${p99.toFixed(2)} ms`)
  expect(p99).toBeLessThan(20)
  expect(ticks).toBeGreaterThan(10)
})

test("libuv's pool is not needed", { timeout: 120_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'galvani-'))
  const fifo = join(folder, 'fifo')
  execFileSync('mkfifo', [fifo])
  expect(await report('thread-pool', [fifo], { UV_THREADPOOL_SIZE: '1' })).toEqual([{ blocked: true }])
  rmSync(folder, { recursive: true })
})

describe('a process ends', { timeout: 120_000 }, () => {
  test.each([
    ['by itself when all work was awaited', 'idle', 0, ['end']],
    ['by itself after work that nobody awaits', 'unawaited', 0, ['end', ...Array(5).fill('settled')]],
    ['at once on process.exit', 'exit', 7, []],
    ['well after workers were terminated at work', 'terminate', 0, ['end']],
    ['by an error that nobody catches', 'throw', 1, []],
  ])('%s', async (_, name, code, lines) => {
    expect(await run('exit', [name])).toMatchObject({ code, lines })
  })
})

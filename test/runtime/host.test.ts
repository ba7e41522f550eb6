/** How the library behaves in its process: each case is a process of its own, of the scripts in the folder host. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { report, run } from './host/process.ts'

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
    ['at once on process.exit after one of several runs', 'exit after a run', 8, ['end']],
    ['well where a listener of its exit submits more', 'exit in a listener', 9, []],
    ['at once on process.exit, with its workers', 'exit with workers', 10, []],
    ['well after workers were terminated at work', 'terminate', 0, ['1', '1', '1', 'end']],
    [
      'well after workers ended themselves at work',
      'exits of workers',
      0,
      ['11', '12', 'thrown in a worker', '1', 'end'],
    ],
    ['by an error that nobody catches', 'throw', 1, []],
  ])('%s', async (_, name, code, lines) => {
    expect(await run('exit', [name])).toMatchObject({ code, lines })
  })

  test.each(['waiting', 'polling'])('by itself where it follows the parameters of a predictor, %s', async (how) => {
    expect(await run('follow', [how])).toMatchObject({ code: 0, lines: ['worker 0'] })
  })
})

/** A training with its page: what it shows, what it may be told, and when it ends. */
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { board } from '../../lib/board/index.ts'
import type { RunSummary, Series } from '../../lib/board/protocol.ts'
import * as g from '../../lib/index.ts'
import { clouds } from '../support/training.ts'
import { ask, boardOf, json, runsFolder, stream, until } from './support/board.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'galvani-board-callback-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const model = () => g.nn.sequential(g.nn.linear(2, 8), (x: g.Tensor) => x.relu(), g.nn.linear(8, 3))

const train = (callbacks: readonly g.Callbacks[], options: Partial<g.FitOptions> = {}) =>
  g.fit(model(), clouds(60, 1), {
    ...{ epochs: 3, batchSize: 10, loss: 'crossEntropy', seed: 1, optimizer: g.optim.adam({ learningRate: 0.01 }) },
    callbacks,
    ...options,
  })

const partsOf = (url: string) => ({
  port: Number(new URL(url).port),
  token: new URL(url).searchParams.get('token') ?? '',
})

/** Trains, and does something with the page in the midst of it. */
async function during(
  options: Parameters<typeof board>[0],
  look: (page: { port: number; token: string; url: string }, context: g.TrainingContext) => Promise<void>,
  more: Partial<g.FitOptions> = {},
) {
  let url = ''
  let hasLooked = false
  const callbacks = [
    board({ folder, name: 'run', port: 0, onOpen: (given) => (url = given), ...options }),
    {
      async onEpochEnd({ epoch }: { epoch: number }, context: g.TrainingContext) {
        if (epoch !== 1) return
        await look({ ...partsOf(url), url }, context)
        hasLooked = true
      },
    },
  ]
  const history = await train(callbacks, more)
  expect(hasLooked).toBe(true)
  return { history, ...partsOf(url) }
}

const control = async (port: number, token: string, request: object) => {
  const headers = { 'content-type': 'application/json', 'x-galvani-token': token }
  const { status, text } = await ask(port, '/api/control', {
    method: 'POST',
    headers,
    body: JSON.stringify({ run: 'run', ...request }),
  })
  return { status, ...JSON.parse(text) } as { status: number; done?: string; error?: string }
}

describe('the page of a training', () => {
  test('shows it and the other runs while it goes on, and ends with it', async () => {
    const { port, history } = await during({ hyperparameters: { width: 8 } }, async ({ port, url }) => {
      expect(url).toBe(`http://127.0.0.1:${port}/`)
      const [run] = await until(
        () => json<RunSummary[]>(port, '/api/runs'),
        ([run]) => run?.tags.scalars.includes('loss/train') ?? false,
      )
      expect(run).toMatchObject({ id: 'run', state: 'running', controls: false, hyperparameters: { width: 8 } })
      const [series] = await json<Series[]>(port, '/api/series?run=run&tag=loss/train')
      expect(series!.step.length).toBeGreaterThan(0)
    })
    expect(history.epochs).toHaveLength(3)
    expect(readdirSync(join(folder, 'run'))).toEqual(['events.jsonl'])
    expect(existsSync(join(folder, '.galvani-board-token'))).toBe(false)
    await expect(ask(port, '/')).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  })

  test('is told the end before it ends', async () => {
    let page: Awaited<ReturnType<typeof stream>> | undefined
    await during({}, async ({ port }) => {
      page = await stream(port)
    })
    await until(
      () => page!.isOver,
      (isOver) => isOver,
    )
    const states = page!.events.filter(({ name }) => name === 'runs').flatMap(({ data }) => data)
    expect(states.at(-1)).toMatchObject({ id: 'run', state: 'ended', step: 18 })
  })

  test('ends where the training fails, too', async () => {
    let port = 0
    const failing = during({}, async (page) => {
      port = page.port
      throw new Error('enough')
    })
    await expect(failing).rejects.toThrow('enough')
    await expect(ask(port, '/')).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    const later = await boardOf(folder)
    const [run] = await until(
      () => json<RunSummary[]>(later.port, '/api/runs'),
      ([run]) => run?.read === 1,
    )
    expect(run).toMatchObject({ state: 'failed', message: 'enough' })
  })

  test('has any free port where the usual one is in use, and refuses one that was asked for', async () => {
    const other = await boardOf(runsFolder(), { port: 6007 }).catch(() => undefined)
    await during({ port: undefined as never }, async ({ port }) => expect(port).not.toBe(6007))
    const { port } = other ?? (await boardOf(runsFolder()))
    await expect(train([board({ folder, port })])).rejects.toThrow(`board: port ${port} is in use`)
  })

  test('of a run without a name is by its time, and goes on where the name is the same', async () => {
    await train([board({ folder, port: 0, onOpen: () => {} })])
    expect(readdirSync(folder)).toEqual([expect.stringMatching(/^\d{4}(-\d\d){5}$/)])
  })

  test.each(['', '..', '../other', 'a/../..', '.hidden', 'a/.hidden', '/absolute', '.', 'a\0'])(
    'name %j is refused',
    (name) => expect(() => board({ folder, name })).toThrow(RangeError),
  )

  test('options that do not fit are refused at the call', () => {
    expect(() => board({ folder, port: 70_000 })).toThrow('board: expected a port from 0 to 65535, got 70000')
    expect(() => board({ folder, memory: 1 })).toThrow('board: expected a memory of at least 1048576 bytes, got 1')
    expect(() => board({ control: true } as never)).toThrow('unknown option control; did you mean controls?')
    expect(() => board({ every: 'never' as never })).toThrow('every')
  })
})

describe('controls', () => {
  test('stop the training', async () => {
    const { history } = await during(
      { controls: true },
      async ({ port, token }) => {
        const { done } = await control(port, token, { action: 'stop' })
        expect(done).toContain('ends after the steps under way')
      },
      { epochs: 50 },
    )
    expect(history.epochs).toHaveLength(2)
  })

  test('set the learning rate, which the page shows', async () => {
    const optimizer = g.optim.sgd({ learningRate: 0.5 })
    await during(
      { controls: true },
      async ({ port, token }) => {
        const summary = async () => (await json<RunSummary[]>(port, '/api/runs'))[0]!
        await until(summary, (run) => run?.learningRate === 0.5)
        expect(await summary()).toMatchObject({ controls: true })
        const { done } = await control(port, token, { action: 'learningRate', value: 0.25 })
        expect(done).toBe('The learning rate is 0.25 from the next steps on; it was 0.5.')
        expect(await summary()).toMatchObject({ learningRate: 0.25 })
      },
      { optimizer },
    )
    expect(optimizer.learningRate).toBe(0.25)
  })

  test('leave a schedule alone, and say so', async () => {
    const optimizer = g.optim.sgd({ learningRate: g.schedules.exponential({ start: 0.5, gamma: 0.9 }) })
    await during(
      { controls: true },
      async ({ port, token }) => {
        const summary = async () => (await json<RunSummary[]>(port, '/api/runs'))[0]!
        expect(await until(summary, (run) => run !== undefined)).not.toHaveProperty('learningRate')
        const { status, error } = await control(port, token, { action: 'learningRate', value: 0.25 })
        expect([status, error]).toEqual([409, expect.stringContaining('follows a schedule')])
      },
      { optimizer },
    )
  })

  test('have a checkpoint written', async () => {
    const directory = join(folder, 'checkpoints')
    await during(
      { controls: true },
      async ({ port, token }) => {
        const { done } = await control(port, token, { action: 'checkpoint' })
        expect(done).toContain(directory)
      },
      { checkpoint: { directory, every: { epochs: 100 }, keep: 9 } },
    )
    expect(readdirSync(directory).sort()).toEqual(['step-0000000012.safetensors', 'step-0000000018.safetensors'])
  })

  test('say where there are no checkpoints', async () => {
    await during({ controls: true }, async ({ port, token }) => {
      const { status, error } = await control(port, token, { action: 'checkpoint' })
      expect([status, error]).toEqual([409, expect.stringContaining('has the option checkpoint')])
    })
  })

  test('are of the run alone that goes on here, and only while it does', async () => {
    await train([board({ folder, name: 'old', port: 0, onOpen: () => {} })])
    await during({ controls: true }, async ({ port, token }) => {
      expect((await control(port, token, { run: 'old', action: 'stop' })).status).toBe(409)
      expect((await control(port, 'wrong', { action: 'stop' })).status).toBe(403)
    })
  })
})

describe('a process', () => {
  const script = fileURLToPath(new URL('./support/train-with-board.ts', import.meta.url))

  /** Runs a training in a process of its own, and gives how it ended, or what it is asked while its page stays open. */
  function run(options: object, atEnd?: (url: string) => Promise<void>) {
    return new Promise<{ code: number | null; errors: string }>((resolve, reject) => {
      const child = spawn(process.execPath, [
        '--import',
        'tsx',
        script,
        JSON.stringify({ folder, port: 0, ...options }),
      ])
      let [out, errors] = ['', '']
      child.stderr.on('data', (chunk) => (errors += chunk))
      child.stdout.on('data', (chunk) => {
        out += chunk
        const url = /^board: (.*)$/m.exec(errors)?.[1]
        if (out.includes('done') && atEnd !== undefined)
          atEnd(url!)
            .catch(reject)
            .finally(() => child.kill())
      })
      child.on('close', (code) => resolve({ code, errors }))
    })
  }

  test('ends with its training, and says the address of the page', async () => {
    expect(await run({})).toMatchObject({
      code: 0,
      errors: expect.stringMatching(/^board: http:\/\/127\.0\.0\.1:\d+\/$/m),
    })
  })

  test('ends where its training fails', async () => {
    expect(await run({ fails: true })).toMatchObject({ code: 1, errors: expect.stringContaining('enough') })
  })

  test('stays, where the page is to stay open, which the next training uses too', async () => {
    let runs: RunSummary[] = []
    const { code, errors } = await run({ keepOpen: true, trainings: 2 }, async (url) => {
      const { port } = partsOf(url)
      runs = await until(
        () => json<RunSummary[]>(port, '/api/runs'),
        (runs) => runs.length === 2 && runs.every(({ state }) => state === 'ended'),
      )
    })
    expect(code).toBe(null)
    expect(runs.map(({ id }) => id)).toEqual(['run 0', 'run 1'])
    const urls = errors.match(/^board: .*$/gm)!
    expect([urls.length, urls[0] === urls[1]]).toEqual([2, true])
  })
})

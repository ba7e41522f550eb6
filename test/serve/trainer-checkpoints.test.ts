/** What was learned outlives the process: checkpoints of an online trainer, and trainers that go on from them. */
import { mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import * as g from '../../lib/index.ts'
import {
  type OnlineTrainer,
  type OnlineTrainerOptions,
  onlineTrainer,
  type Predictor,
  predictor,
  type Round,
} from '../../lib/serve/index.ts'

let directory: string
const open: (Predictor | OnlineTrainer)[] = []
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'galvani-trainer-'))
})
afterEach(async () => {
  await Promise.all(open.splice(0).map((each) => each.close()))
  await rm(directory, { recursive: true, force: true })
})

interface Made {
  p: Predictor<Float32Array>
  trainer: OnlineTrainer
  rounds: Round[]
}

/** A process: its model, its optimizer, its trainer. The model has what draws random numbers, and what is not trained. */
async function start(options: Partial<OnlineTrainerOptions> = {}, width = 4): Promise<Made> {
  g.setSeed(1)
  const frozen = g.nn.linear(2, 2).freeze()
  const model = g.nn.sequential(frozen, g.nn.linear(2, width), g.nn.tanh(), g.nn.dropout(0.1), g.nn.linear(width, 1))
  const p = await predictor<Float32Array>(model, { inputShape: [2], maxBatch: 2 })
  const rounds: Round[] = []
  const trainer = onlineTrainer(model, {
    predictor: p,
    optimizer: g.optim.adam({ learningRate: 0.01 }),
    loss: 'mse',
    targetShape: [1],
    targetDtype: 'float32',
    every: 16,
    steps: 4,
    batchSize: 8,
    share: 1,
    // Whatever was learned is served.
    tolerance: 1e9,
    buffer: { size: 24 },
    checkpoint: { directory },
    onRound: (round) => rounds.push(round),
    ...options,
  })
  open.push(trainer, p)
  return { p, trainer, rounds }
}

/** A round of rows, two of which are held out, that are others for each `turn`. */
async function learn({ trainer }: Made, turn: number): Promise<void> {
  const angles = Array.from({ length: 20 }, (_, i) => i + turn)
  trainer.learn(
    angles.map((angle) => [Math.sin(angle), Math.cos(3 * angle)]),
    angles.map((angle) => [2 * Math.sin(angle)]),
  )
  await trainer.idle()
}

/** Rounds for the turns, each of which has a file before the next one begins: training does not wait for them. */
async function learnAndWrite(made: Made, turns: number, every = 1): Promise<void> {
  for (let turn = 0; turn < turns; turn++) {
    await learn(made, turn)
    const written = Math.floor((turn + 1) / every)
    await vi.waitFor(() => expect(made.trainer.statistics().checkpoints).toBe(written), { timeout: 60_000 })
  }
}

const answersOf = async ({ p }: Made) => [...(await p.predict([0.5, 1])), ...(await p.predict([-1, 2]))]

const files = async () => (await readdir(directory)).toSorted()

/** The warnings of the process until it is stopped. */
function warnings() {
  const messages: string[] = []
  const listen = ({ message }: Error) => void messages.push(message)
  process.on('warning', listen)
  return {
    messages,
    /** They come in a later turn. */
    async stop() {
      await new Promise((resolve) => setImmediate(resolve))
      process.off('warning', listen)
      return messages
    },
  }
}

describe('a trainer that goes on', () => {
  test.each([{}, { buffer: { size: 24, kind: 'recent' as const } }])(
    'gives the same answers, and learns as if it had not ended: %j',
    async (options) => {
      const first = await start(options)
      await learn(first, 0)
      await learn(first, 1)
      await first.trainer.close()
      const before = await answersOf(first)
      const statistics = first.trainer.statistics()

      const second = await start(options)
      expect(await answersOf(second)).not.toEqual(before)
      expect(await second.trainer.restore()).toBe(join(directory, 'step-0000000008.safetensors'))
      expect(await answersOf(second)).toEqual(before)
      expect(second.p.version).toBe(first.p.version)
      expect(second.trainer.statistics()).toEqual({ ...statistics, checkpoints: 0, versions: [1, 3] })
      await learn(second, 2)

      const whole = await start({ ...options, checkpoint: undefined } as never)
      for (const turn of [0, 1, 2]) await learn(whole, turn)
      expect(await answersOf(second)).toEqual(await answersOf(whole))
      expect(second.rounds).toEqual(whole.rounds.slice(2))
    },
  )

  test('without its rows has what was learned, and begins with none', async () => {
    const checkpoint = { directory, rows: false }
    const first = await start({ checkpoint, holdOut: 0 })
    await learn(first, 0)
    await first.trainer.close()
    const second = await start({ checkpoint, holdOut: 0 })
    await second.trainer.restore()
    expect(await answersOf(second)).toEqual(await answersOf(first))
    expect(second.trainer.statistics()).toMatchObject({ rows: 20, steps: 4, buffered: 0 })
    await learn(second, 1)
    expect(second.rounds).toMatchObject([{ outcome: 'swapped', version: 3 }])
  })

  test('takes rows that come while it reads', async () => {
    const first = await start({ holdOut: 0 })
    await learn(first, 0)
    await first.trainer.close()
    const second = await start({ holdOut: 0 })
    const restored = second.trainer.restore()
    await learn(second, 1)
    expect(second.rounds).toEqual([])
    await restored
    await second.trainer.idle()
    const whole = await start({ holdOut: 0, checkpoint: undefined } as never)
    await learn(whole, 0)
    await learn(whole, 1)
    expect(await answersOf(second)).toEqual(await answersOf(whole))
  })

  test('begins where there is nothing, and is told of a directory that is not its own', async () => {
    const made = await start()
    expect(await made.trainer.restore()).toBe(null)
    await expect(made.trainer.restore(join(directory, 'none'))).rejects.toThrow('a directory with checkpoints')
    await learn(made, 0)
    await expect(made.trainer.restore()).rejects.toThrow('a trainer that has just been made')
    const without = await start({ checkpoint: undefined } as never)
    await expect(without.trainer.restore()).rejects.toThrow('the option checkpoint')
  })
})

describe('files', () => {
  test('are as many as was asked for, after every so many rounds, and one at the end', async () => {
    const made = await start({ checkpoint: { directory, every: 2, keep: 2 } })
    await learnAndWrite(made, 7, 2)
    await made.trainer.close()
    expect(await files()).toEqual(['step-0000000024.safetensors', 'step-0000000028.safetensors'])
    expect(made.trainer.statistics()).toMatchObject({ checkpoints: 4, failedCheckpoints: 0, swaps: 7 })
  })

  test('have what a rollback went back to', async () => {
    const first = await start()
    const before = await answersOf(first)
    await learn(first, 0)
    await first.trainer.rollback(1)
    await first.trainer.close()
    const second = await start()
    await second.trainer.restore()
    expect(await answersOf(second)).toEqual(before)
    expect(second.p.version).toBe(3)
  })

  test('that are damaged are warnings, and the one before is taken; the next ones take their place', async () => {
    const first = await start()
    await learnAndWrite(first, 3)
    await first.trainer.close()
    const [oldest, middle, newest] = (await files()).map((name) => join(directory, name))
    await truncate(newest!, (await readFile(newest!)).length - 7)
    await writeFile(middle!, '')
    await writeFile(join(directory, '.galvani-0123456789abcdef.tmp'), 'half a file')
    const warned = warnings()
    const second = await start({ checkpoint: { directory, keep: 1 } })
    expect(await second.trainer.restore()).toBe(oldest)
    const messages = await warned.stop()
    expect(messages).toHaveLength(2)
    expect(messages[0]).toContain(newest)
    expect(messages[1]).toContain(middle)
    await learn(second, 1)
    await second.trainer.close()
    // The one of 12 steps is the damaged one, and has not been come to yet.
    expect(await files()).toEqual(['step-0000000008.safetensors', 'step-0000000012.safetensors'])
    const third = await start({ checkpoint: { directory, keep: 1 } })
    expect(await third.trainer.restore()).toBe(middle)
    expect(await answersOf(third)).toEqual(await answersOf(second))
  })

  test('that are all damaged are an error that says so', async () => {
    const first = await start()
    await learn(first, 0)
    await first.trainer.close()
    for (const name of await files()) await writeFile(join(directory, name), 'no safetensors')
    const second = await start()
    await expect(second.trainer.restore()).rejects.toThrow(g.DataFormatError)
    await expect(second.trainer.restore()).rejects.toThrow('1 damaged')
  })

  test('of something else, and of another model, are refused, and nothing is changed', async () => {
    const first = await start()
    await learn(first, 0)
    await first.trainer.close()
    const wider = await start({}, 5)
    const before = await answersOf(wider)
    await expect(wider.trainer.restore()).rejects.toThrow(/weight/)
    const other = await start({ optimizer: g.optim.sgd({ learningRate: 0.1, momentum: 0.9 }) })
    const untouched = await answersOf(other)
    await expect(other.trainer.restore()).rejects.toThrow(TypeError)
    expect([await answersOf(wider), await answersOf(other)]).toEqual([before, untouched])
    const scalar = await start({ targetShape: [], checkpoint: { directory } })
    await expect(scalar.trainer.restore()).rejects.toThrow('a checkpoint of a trainer on rows of')
    const [name] = await files()
    await g.saveCheckpoint(join(directory, name!), { counts: {}, model: {} })
    await expect(scalar.trainer.restore()).rejects.toThrow('a checkpoint of an online trainer')
  })

  test('that cannot be written are warnings, and training goes on', async () => {
    const file = join(directory, 'file')
    await writeFile(file, '')
    const warned = warnings()
    const made = await start({ checkpoint: { directory: join(file, 'below') } })
    await learn(made, 0)
    await learn(made, 1)
    await made.trainer.close()
    const messages = await warned.stop()
    expect(made.trainer.statistics()).toMatchObject({ rounds: 2, swaps: 2, checkpoints: 0, failure: null })
    expect(made.trainer.statistics().failedCheckpoints).toBeGreaterThan(0)
    expect(messages.length).toBe(made.trainer.statistics().failedCheckpoints)
    expect(messages[0]).toContain(file)
  })

  test('of another training are not overwritten: that is a warning', async () => {
    const first = await start()
    await learn(first, 0)
    await first.trainer.close()
    const warned = warnings()
    const second = await start()
    await learn(second, 1)
    await second.trainer.close()
    expect((await warned.stop())[0]).toContain('a directory without checkpoints, or to resume from it')
    expect(await files()).toEqual(['step-0000000004.safetensors'])
    const third = await start()
    await third.trainer.restore()
    expect(await answersOf(third)).toEqual(await answersOf(first))
  })

  test('of options that do not fit', async () => {
    const refused = (checkpoint: object) => expect(start({ checkpoint } as never)).rejects
    await refused({}).toThrow('directory')
    await refused({ directory: '' }).toThrow('a path')
    await refused({ directory, keep: 0 }).toThrow('keep')
    await refused({ directory, every: 1.5 }).toThrow('every')
    await refused({ directory, row: true }).toThrow('rows')
  })
})

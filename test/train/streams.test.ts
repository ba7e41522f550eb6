import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, describe, expect, test, vi } from 'vitest'
import * as g from '../../lib/index.ts'
import { classifier, clouds, column, counter, options, valuesOf } from '../support/training.ts'

beforeEach(() => g.setSeed(1))

/** Batches of one row, x = 1, 2, …, that a generator makes. */
function counted(count: number, { onEnd = () => {}, wait = 0, failAt = -1 } = {}) {
  return g.data.fromGenerator(
    async function* () {
      try {
        for (let i = 1; i <= count; i++) {
          if (i === failAt) throw new Error('no more')
          if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait))
          yield [column([i]), column([1])] as [g.Tensor, g.Tensor]
        }
      } finally {
        onEnd()
      }
    },
    { batched: true } as never,
  )
}

test('types take padded batches, and pairs that are readonly, as they are', () => {
  type Padded = { values: g.Tensor; lengths: g.Tensor }
  class Reader extends g.nn.Module<Padded> {
    readonly lstm = g.nn.lstm(1, 2, { batchFirst: true })
    forward({ values, lengths }: Padded) {
      return this.lstm.forward(values, null, { lengths }).output.sum(1)
    }
  }
  const elements = g.data.fromArrays([[[1]], [[2], [3]]], [[1, 2], [2, 3]]) // biome-ignore format: rows
  const options = { loss: 'mse', optimizer: g.optim.adam() } as const
  const used = () => [
    g.fit(new Reader(), elements.paddedBatch(2), options),
    g.fit(g.nn.linear(2, 1), elements.map(([, y]) => [y, y] as const).batch(2), options),
    g.fit(g.nn.linear(2, 1), elements.batch(2).map(([, y]) => [y, y] as const), options), // biome-ignore format: like the others
    g.predict(new Reader(), elements.paddedBatch(2)),
  ]
  expect(used).toBeTypeOf('function')
})

describe('a stream', () => {
  test('trains and validates as the same rows in memory do', async () => {
    const run = async (data: g.TrainingData, validation: g.TrainingData, more: Partial<g.FitOptions> = {}) => {
      g.setSeed(1)
      const model = classifier()
      const { epochs } = await g.fit(
        model,
        data,
        options({ epochs: 3, seed: 2, metrics: ['accuracy'], validation, ...more }),
      )
      return { values: valuesOf(model), epochs: epochs.map(({ seconds, waiting, ...info }) => info) }
    }
    const [train, held] = [clouds(47, 1), clouds(20, 2)]
    const rows = await run(train, held, { shuffle: false, batchSize: 10 })
    const batched = run(train.stream().batch(10), held.stream().batch(10))
    expect(await batched).toEqual(rows)
    // Rows are batched as the options say.
    expect(await run(train.stream(), held.stream(), { batchSize: 10 })).toEqual(rows)
  })

  test('says the share of time that steps waited for it', async () => {
    const { model, loss, optimizer } = counter()
    const slow = await g.fit(model, counted(6, { wait: 50 }).batch(1), { loss, optimizer })
    expect(slow.epochs[0]!.waiting).toBeGreaterThan(0.5)
    expect(slow.epochs[0]!.waiting).toBeLessThanOrEqual(1)
    const { epochs } = await g.fit(model, g.data.fromTensors([[1]], [[1]]), { loss, optimizer })
    expect(epochs[0]).not.toHaveProperty('waiting')
  })

  test('goes on from epoch to epoch where these are numbers of steps, and begins again at its end', async () => {
    const { w, model, loss, optimizer } = counter()
    const losses: number[] = []
    const seen: g.BatchInfo[] = []
    const data = g.data.fromArrays([[1], [2], [4]], [[1], [1], [1]]).batch(1)
    await g.fit(model, data, {
      ...{
        epochs: 3,
        stepsPerEpoch: 2,
        loss: (p) => loss(p),
        optimizer,
        metrics: [{ x: (p) => p.mul(0).add(1).mean() }],
      },
      callbacks: { onEpochEnd: () => losses.push(w.itemSync()), onBatchEnd: (info) => seen.push(info) },
    })
    // 1 + 2, 4 + 1, 2 + 4
    expect(losses).toEqual([-3, -8, -14])
    expect(seen.at(-1)).toMatchObject({ step: 2, steps: 2 })
    await g.fit(model, data.repeat(), { epochs: 1, stepsPerEpoch: 6, loss, optimizer })
    expect(w.itemSync()).toBe(-28)
  })

  test('whose length nobody knows has Infinity steps, and an event after the last one', async () => {
    const { model, loss, optimizer } = counter()
    const seen: g.BatchInfo[] = []
    const data = g.data
      .fromArrays([[1], [2], [4]], [[1], [1], [1]])
      .filter(() => true)
      .batch(1)
    await g.fit(model, data, { loss, optimizer, callbacks: { onBatchEnd: (info) => seen.push(info) } })
    expect(seen.at(-1)).toMatchObject({ step: 3, steps: Infinity, samples: 3 })
  })

  test('is gone on with from a checkpoint, in another order each epoch', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'galvani-streams-'))
    const enough = new Error('enough')
    const run = async (more: Partial<g.FitOptions>, stepsPerEpoch?: number) => {
      g.setSeed(4)
      const model = g.nn.sequential(g.nn.linear(2, 8), g.nn.dropout(0.3), g.nn.linear(8, 3))
      const data = clouds(60, 1).stream().shuffle(25, { seed: 3 }).batch(7)
      await g.fit(model, data, options({ epochs: 4, seed: 3, ...(stepsPerEpoch ? { stepsPerEpoch } : {}), ...more }))
      return valuesOf(model)
    }
    try {
      for (const steps of [undefined, 4]) {
        const options = {
          ...{
            checkpoint: { directory: join(directory, String(steps)), every: { steps: 2 } },
            sliceMilliseconds: 0.01,
          },
          resume: join(directory, String(steps)),
        }
        const whole = await run({}, steps)
        for (const at of [0, 2]) {
          const callbacks: g.Callbacks = {
            onStepEnd({ epoch, step }) {
              if (epoch === at && step === 3) throw enough
            },
          }
          await expect(run({ ...options, callbacks }, steps)).rejects.toBe(enough)
        }
        expect(await run(options, steps)).toEqual(whole)
      }
    } finally {
      rmSync(directory, { recursive: true })
    }
  })
})

describe('a stream that ends badly', () => {
  test('a generator that throws ends training; what was trained stays', async () => {
    const { w, model, loss, optimizer } = counter()
    await expect(g.fit(model, counted(9, { failAt: 4 }).batch(1), { loss, optimizer })).rejects.toThrow('no more')
    expect(w.itemSync()).toBe(-6)
  })

  test('a loop that is left closes the generator', async () => {
    const { model, loss, optimizer } = counter()
    let ended = 0
    const data = counted(1000, { wait: 1, onEnd: () => ended++ }).batch(1)
    for await (const { type } of g.train(model, data, { loss, optimizer, everyStep: true }))
      if (type === 'stepEnd') break
    await vi.waitFor(() => expect(ended).toBe(1))
    const abort = new AbortController()
    const training = g.fit(model, data, { loss, optimizer, signal: abort.signal })
    setTimeout(() => abort.abort('stop'), 20)
    await expect(training).rejects.toBe('stop')
    await vi.waitFor(() => expect(ended).toBe(2))
  })

  test.each([
    [
      'of nothing',
      () => g.data.fromArrays([], []).batch(2),
      'fit: expected a stream of at least one batch, got an empty one',
    ],
    ['of texts', () => g.data.fromArrays(['a', 'b']).batch(2), 'fit: expected batches'],
  ])('%s', async (_, data, message) => {
    await expect(g.fit(classifier(), data() as never, options())).rejects.toThrow(message)
  })

  test.each([
    [{ shuffle: true }, 'fit: expected a stream that is shuffled by its shuffle, got the option shuffle'],
    [{ batchSize: 3 }, 'fit: expected batches as the stream gives them, got batchSize or dropLast'],
    [{ validationSplit: 0.1 }, 'fit: expected rows in memory for a validationSplit, got a stream: see its split'],
  ])('options of rows in memory: %o', async (change, message) => {
    const data = clouds(9, 1).stream().batch(3)
    await expect(g.fit(classifier(), data, options(change))).rejects.toThrow(message)
  })

  test('no end, and no steps', async () => {
    const data = clouds(9, 1).stream().batch(3).repeat()
    await expect(g.fit(classifier(), data, options())).rejects.toThrow(
      'fit: expected stepsPerEpoch for a stream without end',
    )
    await expect(g.fit(classifier(), clouds(9, 1), options({ validation: data }))).rejects.toThrow(
      'fit: expected a stream with an end to validate on',
    )
  })
})

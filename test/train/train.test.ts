import { beforeEach, describe, expect, test } from 'vitest'
import * as g from '../../lib/index.ts'
import { expectClose } from '../support/close.ts'
import { classifier, clouds, column, counter, options, valuesOf } from '../support/training.ts'

beforeEach(() => g.setSeed(1))

const rows = (count: number) => g.data.fromTensors(g.ones([count, 1]), g.ones([count, 1]))

async function eventsOf(events: AsyncIterable<g.TrainEvent>): Promise<g.TrainEvent[]> {
  const found = []
  for await (const event of events) found.push(event)
  return found
}

describe('train', () => {
  test('gives what happens, in order, with what the hooks are told', async () => {
    const { model, loss, optimizer } = counter()
    const events = await eventsOf(
      g.train(model, rows(4), { epochs: 2, batchSize: 2, loss, optimizer, validation: rows(1), everyStep: true }),
    )
    const epoch = ['epochBegin', 'stepEnd', 'stepEnd', 'batchEnd', 'validationEnd', 'epochEnd']
    const types = events.map(({ type }) => type)
    // Where a crossing was of one step there may be a batchEnd after it, too, on a slow machine.
    expect(types.filter((type, i) => type !== 'batchEnd' || types[i + 1] !== 'stepEnd')).toEqual([
      'trainBegin',
      ...epoch,
      ...epoch,
      'trainEnd',
    ])
    const ofType = (type: string) => events.filter((event) => event.type === type)
    expect(ofType('stepEnd').map((event) => ({ ...event }))).toMatchObject(
      [0, -1, -2, -3].map((loss, i) => ({ epoch: i >> 1, step: 1 + (i & 1), samples: 2, loss })),
    )
    expect(ofType('epochEnd')).toMatchObject([
      { epoch: 0, loss: -0.5, validation: { loss: -2 } },
      { epoch: 1, loss: -2.5, validation: { loss: -4 } },
    ])
    expect(ofType('validationEnd')).toMatchObject([
      { epoch: 0, loss: -2 },
      { epoch: 1, loss: -4 },
    ])
    expect(ofType('trainBegin')).toEqual([{ type: 'trainBegin', epochs: 2, epoch: 0 }])
  })

  test('is the same training as by fit', async () => {
    const train = async (how: (model: g.nn.Module, options: g.FitOptions) => Promise<unknown>) => {
      g.setSeed(3)
      const model = g.nn.sequential(g.nn.dropout(0.1), g.nn.linear(2, 8), g.nn.dropout(0.3), g.nn.linear(8, 3))
      await how(model, options({ epochs: 3, batchSize: 7, seed: 5 }))
      return valuesOf(model)
    }
    const byFit = await train((model, options) => g.fit(model, clouds(60, 1), options))
    expect(await train((model, options) => eventsOf(g.train(model, clouds(60, 1), options)))).toEqual(byFit)
    const slices = { sliceMilliseconds: 0.01 }
    expect(await train((model, options) => g.fit(model, clouds(60, 1), { ...options, ...slices }))).toEqual(byFit)
  })

  test('left by break, nothing is under way, and training may go on', async () => {
    const { w, model, loss, optimizer } = counter()
    for await (const event of g.train(model, rows(1000), { epochs: 100, batchSize: 1, loss, optimizer }))
      if (event.type === 'batchEnd') break
    const steps = -w.itemSync()
    expect(steps).toBeGreaterThan(0)
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(w.itemSync()).toBe(-steps)
    await g.fit(model, rows(3), { batchSize: 1, loss, optimizer })
    expect(w.itemSync()).toBe(-steps - 3)
  })

  test('returns the history, and throws at the call what is wrong with options', async () => {
    const { model, loss, optimizer } = counter()
    const events = g.train(model, rows(2), { epochs: 2, loss, optimizer })
    let last = await events.next()
    while (!last.done) last = await events.next()
    expect((last.value as g.History).epochs.map(({ epoch }) => epoch)).toEqual([0, 1])
    expect(() => g.train(model, rows(2), { loss, optimizer, everyStep: 1 } as never)).toThrow(
      'train: expected everyStep to be a boolean, got 1',
    )
  })

  test('an error in the loop that reads it ends it', async () => {
    const { w, model, loss, optimizer } = counter()
    const read = async () => {
      for await (const { type } of g.train(model, rows(50), { epochs: 9, batchSize: 1, loss, optimizer }))
        if (type === 'batchEnd') throw new Error('mine')
    }
    await expect(read()).rejects.toThrow('mine')
    const steps = w.itemSync()
    await new Promise((resolve) => setTimeout(resolve, 10))
    expect(w.itemSync()).toBe(steps)
  })
})

describe('callbacks in a list', () => {
  test('are all called, in its order, with every hook', async () => {
    const { model, loss, optimizer } = counter()
    const log: string[] = []
    const hooks = ['TrainBegin', 'EpochBegin', 'StepEnd', 'BatchEnd', 'ValidationEnd', 'EpochEnd', 'TrainEnd']
    const named = (name: string) =>
      Object.fromEntries(hooks.map((hook) => [`on${hook}`, () => log.push(`${name} ${hook}`)])) as g.Callbacks
    const callbacks = [named('a'), named('b')]
    await g.fit(model, rows(2), { loss, optimizer, validation: rows(1), callbacks })
    expect(log).toEqual(hooks.flatMap((hook) => [`a ${hook}`, `b ${hook}`]))
  })

  test('onStepEnd comes for each step, with its own loss and rows', async () => {
    const { model, loss, optimizer } = counter()
    const seen: g.StepInfo[] = []
    await g.fit(model, rows(203), {
      ...{ batchSize: 2, loss, optimizer, shuffle: false, metrics: [{ one: (p) => p.mul(0).add(1).reshape([-1]) }] },
      callbacks: { onStepEnd: (info) => seen.push(info) },
    })
    expect(seen).toEqual(
      Array.from({ length: 102 }, (_, i) => ({ epoch: 0, step: i + 1, samples: i < 101 ? 2 : 1, loss: 0 - i, one: 1 })),
    )
  })

  test('stop ends training without an error, at an epoch', async () => {
    const { w, model, loss, optimizer } = counter()
    const callbacks: g.Callbacks = { onEpochEnd: ({ epoch }, context) => epoch === 1 && context.stop() }
    const { epochs } = await g.fit(model, rows(2), { epochs: 9, loss, optimizer, callbacks })
    expect([epochs.length, w.itemSync()]).toEqual([2, -2])
  })

  test('stop within an epoch ends it with the steps that were submitted', async () => {
    const { w, model, loss, optimizer } = counter()
    let ended = 0
    const { epochs } = await g.fit(model, rows(100_000), {
      ...{ epochs: 9, batchSize: 1, loss, optimizer, validation: rows(1) },
      callbacks: [{ onStepEnd: ({ step }, context) => step === 1 && context.stop(), onTrainEnd: () => ended++ }],
    })
    const steps = -w.itemSync()
    expect(steps).toBeLessThan(1000)
    expect([epochs.length, ended]).toEqual([1, 1])
    // All of them are in the means, and the validation is scored.
    expectClose(epochs[0]!.loss, (1 - steps) / 2)
    expect(epochs[0]!.validation!.loss).toBe(-steps)
  })

  test('stop before the first step of an epoch ends training without that epoch', async () => {
    const { w, model, loss, optimizer } = counter()
    const callbacks: g.Callbacks = { onEpochBegin: ({ epoch }, context) => epoch === 1 && context.stop() }
    const { epochs } = await g.fit(model, rows(2), { epochs: 9, loss, optimizer, callbacks, validation: rows(1) })
    expect([epochs.length, w.itemSync()]).toEqual([1, -1])
  })

  test('tell the model, the optimizer, and the history so far', async () => {
    const { model, loss, optimizer } = counter()
    const lengths: number[] = []
    const callbacks: g.Callbacks = {
      onEpochEnd(_, context) {
        expect([context.model, context.optimizer, context.validates]).toEqual([model, optimizer, false])
        lengths.push(context.history.epochs.length)
        context.history.epochs.pop()
      },
    }
    const { epochs } = await g.fit(model, rows(2), { epochs: 2, loss, optimizer, callbacks: [callbacks] })
    expect([lengths, epochs.length]).toEqual([[1, 2], 2])
  })

  describe('onTrainClose is called once, last of all', () => {
    const log: string[] = []
    const closing = (more: g.Callbacks = {}): g.Callbacks => ({
      onTrainEnd: () => log.push('end'),
      onTrainClose: (info) => log.push('error' in info ? `closed: ${info.error}` : 'closed'),
      ...more,
    })
    const run = (callbacks: g.Callbacks | g.Callbacks[], more: Partial<g.FitOptions> = {}) => {
      const { model, loss, optimizer } = counter()
      log.length = 0
      return g.train(model, rows(2), { epochs: 2, loss, optimizer, callbacks, ...more })
    }
    const toEnd = async (events: ReturnType<typeof run>) => {
      for await (const _ of events);
    }

    test('where training came to its end', async () => {
      await toEnd(run(closing()))
      expect(log).toEqual(['end', 'closed'])
    })

    test('where it was left', async () => {
      for await (const event of run(closing())) if (event.type === 'epochEnd') break
      expect(log).toEqual(['closed'])
    })

    test('where it failed, with what it failed with', async () => {
      const failing = closing({ onEpochEnd: () => Promise.reject(new Error('of a hook')) })
      await expect(toEnd(run([failing, closing()]))).rejects.toThrow('of a hook')
      expect(log).toEqual(['closed: Error: of a hook', 'closed: Error: of a hook'])
    })

    test('where it did not begin', async () => {
      await expect(toEnd(run(closing(), { signal: AbortSignal.abort('no time') }))).rejects.toBe('no time')
      expect(log).toEqual(['closed: no time'])
    })

    test('and of every one, though the first throws, which counts where nothing else failed', async () => {
      const throwing: g.Callbacks = { onTrainClose: () => Promise.reject(new Error('of closing')) }
      await expect(toEnd(run([throwing, closing()]))).rejects.toThrow('of closing')
      expect(log).toEqual(['end', 'closed'])
      const failing = closing({ onEpochBegin: () => Promise.reject(new Error('of a hook')) })
      await expect(toEnd(run([throwing, failing]))).rejects.toThrow('of a hook')
    })
  })

  test.each([
    [[null], 'fit: expected callbacks, an object of functions or a list of such, got null'],
    [[{}, { onEpoch: () => {} }], 'fit: callbacks: unknown option onEpoch; did you mean onEpochEnd?'],
    [[{ onTrainEnd: 1 }], 'fit: callbacks: expected onTrainEnd to be a function, got 1'],
  ])('of another kind are refused: %o', async (callbacks, message) => {
    await expect(g.fit(classifier(), clouds(9, 1), options({ callbacks } as never))).rejects.toThrow(message)
  })
})

describe('parts of the data', () => {
  test('validationSplit keeps the last rows for validation', async () => {
    const { w, model, loss, optimizer } = counter()
    const data = g.data.fromTensors(column([1, 2, 3, 4, 50]), g.ones([5, 1]))
    const { epochs } = await g.fit(model, data, { batchSize: 1, loss, optimizer, validationSplit: 0.2 })
    expect(w.itemSync()).toBe(-10)
    expect(epochs[0]!.validation!.loss).toBe(-500)
  })

  test('validation.every scores after every so many epochs and the last one', async () => {
    const { model, loss, optimizer } = counter()
    const scored = async (options: Partial<g.FitOptions>) => {
      const { epochs } = await g.fit(model, rows(4), { epochs: 5, loss, optimizer, ...options })
      return epochs.filter(({ validation }) => validation !== undefined).map(({ epoch }) => epoch)
    }
    expect(await scored({ validation: { data: rows(1), every: 2 } })).toEqual([1, 3, 4])
    expect(await scored({ validation: { every: 3 }, validationSplit: 0.5 })).toEqual([2, 4])
    expect(await scored({ validation: { data: rows(2) } })).toEqual([0, 1, 2, 3, 4])
  })

  test('stepsPerEpoch ends an epoch sooner', async () => {
    const { w, model, loss, optimizer } = counter()
    const seen: g.BatchInfo[] = []
    const callbacks = { onBatchEnd: (info: g.BatchInfo) => seen.push(info) }
    await g.fit(model, rows(9), { epochs: 2, batchSize: 2, stepsPerEpoch: 3, loss, optimizer, callbacks })
    expect(w.itemSync()).toBe(-6)
    expect(seen.at(-1)).toMatchObject({ epoch: 1, step: 3, steps: 3, samples: 6 })
  })

  test.each([
    [{ validationSplit: 0 }, 'fit: expected a validationSplit above 0 and below 1, got 0'],
    [{ validationSplit: 0.01 }, 'fit: expected a validationSplit that leaves rows on both sides, got 0 of 9 rows'],
    [
      { validationSplit: 0.5, validation: clouds(3, 1) },
      'fit: expected a validation set or a validationSplit, got both',
    ],
    [{ validation: { every: 2 } }, 'fit: expected data in validation, or a validationSplit, got neither'],
    [{ validation: { every: 0, data: clouds(3, 1) } }, 'fit: expected an integer of at least 1 as every, got 0'],
    [{ validation: { often: 2 } }, 'fit: validation: unknown option often; the options are data, every'],
    [
      { stepsPerEpoch: 4, batchSize: 3 },
      'fit: expected an integer from 1 to the 3 batches of the data as stepsPerEpoch, got 4',
    ],
    [{ sliceMilliseconds: 0 }, 'fit: expected sliceMilliseconds above 0 and at most 1,000, got 0'],
  ])('%o is refused', async (change, message) => {
    await expect(g.fit(classifier(), clouds(9, 1), options(change as never))).rejects.toThrow(message)
  })
})

test('a history as CSV: names that are missing in some epochs, and in need of quotation marks', async () => {
  const { model, loss, optimizer } = counter()
  const history = await g.fit(model, rows(2), {
    ...{ epochs: 2, loss, optimizer, validation: { data: rows(1), every: 2 } },
    metrics: [{ 'a, "b"': (p) => p.mean().div(3) }],
  })
  history.epochs.forEach((info) => {
    info.seconds = 0.5
  })
  expect(history.toCSV().split('\n')).toEqual([
    'epoch,loss,"a, ""b""",seconds,validation.loss,"validation.a, ""b"""',
    '0,0,0,0.5,,',
    `1,-1,${Math.fround(2 * Math.fround(-1 / 3)) / 2},0.5,-2,${Math.fround(-2 / 3)}`,
    '',
  ])
})

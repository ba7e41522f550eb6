import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import * as g from '../../lib/index.ts'
import { classifier, clouds, counter, options, valuesOf } from '../support/training.ts'

beforeEach(() => g.setSeed(1))

const rows = (count: number) => g.data.fromTensors(g.ones([count, 1]), g.ones([count, 1]))

/** Trains with a metric that has a given value in each epoch. */
async function follow(values: number[], callbacks: g.Callbacks | g.Callbacks[], more: Partial<g.FitOptions> = {}) {
  const { w, model, loss, optimizer } = counter()
  const value = g.variable(0, { trainable: false })
  const next: g.Callbacks = { onEpochBegin: ({ epoch }) => value.assign(values[epoch]!) }
  const history = await g.fit(model, rows(1), {
    ...{ epochs: values.length, loss, optimizer, metrics: [{ error: () => value.add(0) }] },
    callbacks: [next].concat(callbacks),
    ...more,
  })
  return { w, optimizer, epochs: history.epochs.length }
}

describe('earlyStopping', () => {
  const stopping = (more: g.callbacks.EarlyStoppingOptions = {}) =>
    g.callbacks.earlyStopping({ monitor: 'error', ...more })

  test.each([
    ['after the first epoch that is no better', {}, [3, 2, 2, 1], 3],
    ['not while it gets better', {}, [4, 3, 2, 1], 4],
    ['after `patience` of them, counted from the best', { patience: 2 }, [3, 4, 2, 3, 3, 1], 5],
    ['where more is better', { mode: 'max' as const }, [1, 2, 1, 5], 3],
    ['only better by more than minDelta counts', { minDelta: 0.5 }, [3, 2.6, 1], 2],
    ['NaN is worse than any number, and no best', { patience: 2 }, [Number.NaN, 5, 6, 7, 1], 4],
  ])('%s', async (_, more, values, epochs) => {
    expect((await follow(values, stopping(more))).epochs).toBe(epochs)
  })

  test('restores the best values, also where training went on to its end', async () => {
    // One step of −1 each epoch.
    for (const patience of [1, 9]) {
      const { w } = await follow([3, 1, 2, 2], stopping({ patience, restoreBest: true }))
      expect(w.itemSync()).toBe(-2)
    }
    expect((await follow([3, 1, 2, 2], stopping())).w.itemSync()).toBe(-3)
  })

  test('restores all of a module, running statistics too', async () => {
    const model = g.nn.sequential(g.nn.linear(2, 4), g.nn.batchNorm1d(4), g.nn.linear(4, 3))
    let best: g.StateDict = {}
    const keep: g.Callbacks = {
      onEpochEnd: ({ epoch }) => {
        if (epoch === 0) best = model.stateDict()
      },
    }
    const callbacks = [keep, g.callbacks.earlyStopping({ monitor: 'loss', mode: 'max', restoreBest: true })]
    await g.fit(model, clouds(60, 1), options({ epochs: 5, callbacks }))
    const values = (state: g.StateDict) => Object.entries(state).map(([name, x]) => [name, x.arraySync()])
    expect(values(model.stateDict())).toEqual(values(best))
  })

  test('begins anew with each training', async () => {
    const stopper = stopping({ patience: 2 })
    expect((await follow([1, 2, 3, 4], stopper)).epochs).toBe(3)
    expect((await follow([5, 6, 7, 8], stopper)).epochs).toBe(3)
  })

  test('follows the validation loss unless told otherwise, in the epochs that have one', async () => {
    const { model, loss, optimizer } = counter()
    const { epochs } = await g.fit(model, rows(1), {
      ...{ epochs: 9, loss, optimizer, validation: { data: g.data.fromTensors([[-1]], [[1]]), every: 2 } },
      callbacks: g.callbacks.earlyStopping(),
    })
    expect(epochs.length).toBe(4)
  })

  test('an unknown score, and a name that does not say what is better', async () => {
    const failure = expect(follow([1], g.callbacks.earlyStopping({ monitor: 'validation.loss' }))).rejects
    await failure.toThrow('earlyStopping: expected a monitor among epoch, loss, error, seconds, got validation.loss')
    const { model, loss, optimizer } = counter()
    const validation = g.data.fromTensors([[-1]], [[1]])
    const callbacks = g.callbacks.earlyStopping({ monitor: 'val_loss' })
    await expect(g.fit(model, rows(1), { loss, optimizer, validation, callbacks })).rejects.toThrow(
      'got val_loss; did you mean validation.loss?',
    )
    expect(() => g.callbacks.earlyStopping({ monitor: 'own' })).toThrow(
      "earlyStopping: expected a mode, 'min' or 'max', for own, got undefined",
    )
    expect(() => stopping({ patience: 0 })).toThrow('earlyStopping: expected an integer patience of at least 1, got 0')
  })
})

describe('learning rates', () => {
  test('learningRateSchedule sets that of an epoch before it', async () => {
    const { w } = await follow(
      [0, 0, 0],
      g.callbacks.learningRateSchedule((epoch, rate) => rate * 10 ** epoch),
    )
    expect(w.itemSync()).toBe(-(1 + 10 + 1000))
  })

  test('reduceLROnPlateau lowers it, waits, and stops at the least', async () => {
    const reduce = (more: g.callbacks.ReduceLROnPlateauOptions) =>
      g.callbacks.reduceLROnPlateau({ monitor: 'error', factor: 0.5, patience: 2, ...more })
    const rates: number[] = []
    const log: g.Callbacks = {
      onEpochEnd: (_, { optimizer }) => rates.push((optimizer as g.optim.Optimizer).learningRate),
    }
    await follow([1, 1, 1, 1, 1, 0.5, 1, 1], [reduce({}), log])
    expect(rates).toEqual([1, 1, 0.5, 0.5, 0.25, 0.25, 0.25, 0.125])
    rates.length = 0
    await follow([1, 1, 1, 1, 1, 1, 1], [reduce({ cooldown: 2, minLearningRate: 0.4 }), log])
    expect(rates).toEqual([1, 1, 0.5, 0.5, 0.5, 0.5, 0.4])
  })

  test('need an optimizer that has one', async () => {
    const { model, loss, optimizer } = counter()
    const own: g.optim.Minimizer = { minimize: (...args) => optimizer.minimize(...args) }
    const callbacks = g.callbacks.learningRateSchedule(() => 1)
    await expect(g.fit(model, rows(1), { loss, optimizer: own, callbacks })).rejects.toThrow(
      'learningRateSchedule: expected an optimizer whose learningRate is a number, got undefined',
    )
    await g.fit(model, rows(1), { loss, optimizer: own })
  })
})

describe('loggers', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'galvani-loggers-'))
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  test('have all epochs in their files after each of them, and nothing else', async () => {
    const [csv, json] = [join(folder, 'a.csv'), join(folder, 'a.jsonl')]
    const lines: number[] = []
    const count: g.Callbacks = { onEpochEnd: () => lines.push(readFileSync(csv, 'utf8').trim().split('\n').length) }
    const history = await g.fit(
      classifier(),
      clouds(30, 1),
      options({ epochs: 3, callbacks: [g.callbacks.csvLogger(csv), g.callbacks.jsonLogger(json), count] }),
    )
    expect(lines).toEqual([2, 3, 4])
    expect(readFileSync(csv, 'utf8')).toBe(history.toCSV())
    const text = readFileSync(json, 'utf8').trim().split('\n')
    expect(text.map((line) => JSON.parse(line))).toEqual(history.epochs)
    expect(readdirSync(folder).sort()).toEqual(['a.csv', 'a.jsonl'])
  })

  test('keep a link', async () => {
    const [csv, link] = [join(folder, 'a.csv'), join(folder, 'link')]
    writeFileSync(csv, 'old')
    symlinkSync(csv, link)
    await g.fit(classifier(), clouds(30, 1), options({ epochs: 1, callbacks: g.callbacks.csvLogger(link) }))
    expect(readlinkSync(link)).toBe(csv)
    expect(readFileSync(csv, 'utf8')).toMatch(/^epoch,/)
  })

  test('a folder that is not there ends training, and its state is kept', async () => {
    const model = classifier()
    const before = valuesOf(model)
    const callbacks = g.callbacks.csvLogger(join(folder, 'none', 'a.csv'))
    await expect(g.fit(model, clouds(30, 1), options({ epochs: 3, callbacks }))).rejects.toThrow('ENOENT')
    expect(valuesOf(model)).not.toEqual(before)
  })
})

/** What is recorded of a training, and that it stays what it is. */
import { setImmediate } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { type ObserveOptions, observe } from '../../lib/events/observe.ts'
import * as g from '../../lib/index.ts'
import { KeptRecords } from '../support/kept-records.ts'
import { classifier, clouds, options } from '../support/training.ts'

async function observed(given: ObserveOptions, more: Partial<g.FitOptions> = {}) {
  g.setSeed(1)
  const sink = new KeptRecords()
  const model = classifier()
  const settings = { epochs: 3, batchSize: 30, seed: 1, metrics: ['accuracy'], ...more } as const
  const history = await g.fit(model, clouds(90, 1), options({ ...settings, callbacks: observe(sink, given) }))
  return { sink, model, history }
}

describe('a run', () => {
  test('begins with what it is and what was chosen, and ends', async () => {
    const { sink } = await observed({ name: 'first', hyperparameters: { width: 16, batchSize: 'mine' } })
    expect(sink.records[0]).toEqual({ type: 'run', name: 'first', epochs: 3, parameters: 99 })
    expect(sink.records[1]).toEqual({
      type: 'hyperparameters',
      values: expect.objectContaining({ width: 16, batchSize: 'mine', optimizer: 'adam', learningRate: 0.02, seed: 1 }),
    })
    expect(sink.records.at(-1)).toEqual({ type: 'end', time: expect.any(Number), state: 'ended' })
    expect(sink.closed).toBe(1)
  })

  test('that is stopped says so', async () => {
    const sink = new KeptRecords()
    const stop: g.Callbacks = { onEpochEnd: (_, context) => context.stop() }
    await g.fit(classifier(), clouds(60, 1), options({ epochs: 9, callbacks: [observe(sink), stop] }))
    expect(sink.records.at(-1)).toMatchObject({ type: 'end', state: 'stopped' })
    expect(sink.closed).toBe(1)
  })

  test('that is left says so', async () => {
    const sink = new KeptRecords()
    for await (const { type } of g.train(classifier(), clouds(60, 1), options({ epochs: 9, callbacks: observe(sink) })))
      if (type === 'epochEnd') break
    expect(sink.records.at(-1)).toMatchObject({ type: 'end', state: 'stopped' })
    expect(sink.closed).toBe(1)
  })

  test('that is aborted says so', async () => {
    const sink = new KeptRecords()
    const controller = new AbortController()
    const abort: g.Callbacks = { onEpochEnd: () => controller.abort(new Error('enough')) }
    const settings = options({ epochs: 9, signal: controller.signal, callbacks: [observe(sink), abort] })
    await expect(g.fit(classifier(), clouds(60, 1), settings)).rejects.toThrow('enough')
    expect(sink.records.at(-1)).toMatchObject({ type: 'end', state: 'stopped', message: 'enough' })
    expect(sink.closed).toBe(1)
  })

  test('that fails says so, with its last loss', async () => {
    const sink = new KeptRecords()
    const data = g.data.fromTensors(g.tensor([[1], [Number.NaN]]), g.tensor([[1], [1]]))
    const settings = options({ epochs: 2, loss: 'mse', callbacks: observe(sink) })
    await expect(g.fit(g.nn.linear(1, 1), data, settings)).rejects.toThrow('loss is NaN')
    expect(sink.valuesOf('loss/train')).toEqual([Number.NaN])
    expect(sink.records.at(-1)).toMatchObject({ state: 'failed', message: expect.stringContaining('loss is NaN') })
    expect(sink.closed).toBe(1)
  })

  test('that fails before it begins says so too', async () => {
    const sink = new KeptRecords()
    const settings = options({ resume: '/nowhere/at/all', callbacks: observe(sink, { name: 'lost' }) })
    await expect(g.fit(classifier(), clouds(60, 1), settings)).rejects.toThrow('checkpoints')
    expect(sink.records.map(({ type }) => type)).toEqual(['run', 'hyperparameters', 'end'])
    expect(sink.records.at(-1)).toMatchObject({ state: 'failed' })
    expect(sink.closed).toBe(1)
  })

  test('whose other callback throws is failed, and all sinks are closed', async () => {
    const sinks = [new KeptRecords(), new KeptRecords()]
    const thrower: g.Callbacks = {
      onEpochEnd() {
        throw new Error('mine')
      },
    }
    const settings = options({ callbacks: [observe(sinks), thrower] })
    await expect(g.fit(classifier(), clouds(60, 1), settings)).rejects.toThrow('mine')
    for (const sink of sinks) expect(sink.records.at(-1)).toMatchObject({ state: 'failed', message: 'mine' })
    expect(sinks.map(({ closed }) => closed)).toEqual([1, 1])
  })

  test('ends with the error of a sink, and closes the others', async () => {
    const [sink, bad] = [new KeptRecords(), new KeptRecords()]
    bad.close = async () => {
      throw new Error('disk full')
    }
    await expect(g.fit(classifier(), clouds(60, 1), options({ callbacks: observe([bad, sink]) }))).rejects.toThrow(
      'disk full',
    )
    expect(sink.closed).toBe(1)
  })

  test('may follow another with the same callbacks', async () => {
    const sink = new KeptRecords()
    const callbacks = observe(sink)
    for (let i = 0; i < 2; i++) await g.fit(classifier(), clouds(60, 1), options({ callbacks }))
    expect(sink.of('run').length).toBe(2)
    expect(sink.of('end').length).toBe(2)
    expect(sink.closed).toBe(2)
  })
})

describe('numbers', () => {
  test('after each epoch are those of the history', async () => {
    const { sink, history } = await observed({ every: 'epoch' }, { validationSplit: 0.2 })
    expect(sink.of('scalars').length).toBe(3)
    for (const [i, { epoch, step, values }] of sink.of('scalars').entries()) {
      const { loss, accuracy, validation } = history.epochs[i]!
      expect([epoch, step]).toEqual([i + 1, 3 * (i + 1)])
      expect(values).toMatchObject({
        'loss/train': loss,
        'accuracy/train': accuracy,
        'loss/validation': validation!.loss,
        'accuracy/validation': validation!.accuracy,
        'training/learningRate': 0.02,
        'training/gradientNorm': expect.any(Number),
        'training/samplesPerSecond': expect.any(Number),
      })
    }
  })

  test('after each step are those of the steps', async () => {
    const steps: number[] = []
    const sink = new KeptRecords()
    const follow: g.Callbacks = { onStepEnd: ({ loss }) => void steps.push(loss) }
    const callbacks = [observe(sink, { every: 'step' }), follow]
    await g.fit(classifier(), clouds(90, 1), options({ epochs: 2, batchSize: 20, seed: 1, callbacks }))
    expect(steps.length).toBe(10)
    expect(sink.valuesOf('loss/train')).toEqual(steps)
    const places = sink
      .of('scalars')
      .filter(({ values }) => 'loss/train' in values)
      .map(({ step, epoch }) => [step, epoch])
    expect(places).toEqual(Array.from({ length: 10 }, (_, i) => [i + 1, (i + 1) / 5]))
  })

  test('of batches have the mean of the epoch as their mean', async () => {
    const sink = new KeptRecords()
    const settings = options({
      epochs: 1,
      batchSize: 1,
      callbacks: [observe(sink), { onStepEnd: () => setImmediate() }],
    })
    const { epochs } = await g.fit(classifier(), clouds(3000, 1), { ...settings, sliceMilliseconds: 1 })
    const found = sink.of('scalars').filter(({ values }) => 'loss/train' in values)
    expect(found.length).toBeGreaterThan(1)
    let [sum, last] = [0, 0]
    for (const { step, values } of found) {
      sum += values['loss/train']! * (step - last)
      last = step
    }
    expect(last).toBe(3000)
    expect(sum / last).toBeCloseTo(epochs[0]!.loss, 10)
  })

  test('have the rate of a schedule at each step', async () => {
    const schedule = g.schedules.exponential({ start: 0.1, gamma: 0.5 })
    const { sink } = await observed(
      { every: 'step' },
      { epochs: 1, optimizer: g.optim.sgd({ learningRate: schedule }) },
    )
    const rates = sink.valuesOf('training/learningRate')
    expect(rates.length).toBe(3)
    for (const [i, rate] of rates.entries()) expect(rate).toBeCloseTo(0.1 * 0.5 ** i, 6)
  })

  test('have what is no mean after the epoch, and nothing that is no number', async () => {
    const { sink } = await observed({}, { metrics: ['accuracy', 'confusionMatrix'], epochs: 1 })
    for (const { values } of sink.of('scalars'))
      for (const value of Object.values(values)) expect(value).toEqual(expect.any(Number))
  })
})

describe('the norm of the gradients', () => {
  const around: Record<string, (optimizer: g.optim.Optimizer) => g.optim.Optimizer> = {
    'of an optimizer': (optimizer) => optimizer,
    'before they are clipped': (optimizer) => g.optim.chain(g.optim.clipByGlobalNorm(1e-3), optimizer),
    'of each batch, where they are accumulated': (optimizer) => g.optim.accumulate(optimizer, 2),
    'without the scale of the loss': (optimizer) => g.optim.lossScale(optimizer),
  }

  test.each(Object.entries(around))('%s is the one that is computed', async (_, wrap) => {
    const build = () => {
      g.setSeed(4)
      return classifier()
    }
    const [x, y] = clouds(40, 2).batch(g.tensor(Int32Array.from({ length: 40 }, (_, i) => i))) as [g.Tensor, g.Tensor]
    const expected = g.optim.globalNorm(
      (() => {
        const model = build()
        return g.gradients(g.losses.crossEntropy(model.forward(x), y), model.parameters()) as g.Tensor[]
      })(),
    )
    const sink = new KeptRecords()
    const optimizer = wrap(g.optim.adam({ learningRate: 0.01 }))
    await g.fit(build(), g.data.fromTensors(x, y), options({ optimizer, batchSize: 40, callbacks: observe(sink) }))
    expect(sink.valuesOf('training/gradientNorm')[0]).toBeCloseTo(expected.itemSync(), 5)
  })

  test('is not there unless it is asked for, nor of an optimizer that is none of optim', async () => {
    const { sink } = await observed({ gradientNorm: false })
    expect(sink.valuesOf('training/gradientNorm')).toEqual([])
    const inner = g.optim.sgd({ learningRate: 0.1 })
    const own = { minimize: inner.minimize.bind(inner) as typeof inner.minimize }
    const { sink: other } = await observed({}, { optimizer: own })
    expect(other.valuesOf('training/gradientNorm')).toEqual([])
    expect(other.valuesOf('loss/train').length).toBeGreaterThan(0)
  })
})

describe('the system', () => {
  test('is recorded at the end, and not unless asked for', async () => {
    const { sink } = await observed({})
    const [system] = sink.of('system')
    expect(system!.rss).toBeGreaterThan(1e6)
    expect(system!.eventLoopDelay).toBeGreaterThanOrEqual(0)
    expect(system!.processors).toBeGreaterThan(0)
    expect(system!.threads).toBe(g.backendInfo().threads)
    expect((await observed({ system: false })).sink.of('system')).toEqual([])
  })
})

describe('options', () => {
  const sink = new KeptRecords()
  test.each([
    ['no sink', () => observe(undefined as never), /sinks of records/],
    ['a sink without close', () => observe({ write() {}, async flush() {} } as never), /sinks of records/],
    ['an unknown one', () => observe(sink, { histogram: 1 } as never), /unknown option/],
    ['another every', () => observe(sink, { every: 'day' as never }), /every/],
    [
      'a hyperparameter that is a list',
      () => observe(sink, { hyperparameters: { a: [1] as never } }),
      /hyperparameter a/,
    ],
    ['hyperparameters in a list', () => observe(sink, { hyperparameters: [] as never }), /by name/],
    ['two of them', () => observe(sink, {}, ...([{}] as unknown as [])), /nothing after/],
  ])('%s is an error', (_, make, message) => {
    expect(make).toThrow(message)
  })
})

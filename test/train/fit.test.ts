import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import * as g from '../../lib/index.ts'
import { expectClose } from '../support/close.ts'
import { classifier, clouds, column, counter, int32, options, valuesOf } from '../support/training.ts'

beforeEach(() => g.setSeed(1))
afterEach(() => g.setBackend('native'))

describe.each(['native', 'reference'] as const)('fit on %s', (backend) => {
  beforeEach(() => g.setBackend(backend))

  test('learns a small classification problem', async () => {
    const model = classifier()
    const { epochs } = await g.fit(
      model,
      clouds(300, 1),
      options({ epochs: 12, metrics: ['accuracy'], validation: clouds(150, 2) }),
    )
    expect(epochs).toHaveLength(12)
    expect(epochs[0]!.accuracy).toBeLessThan(epochs[11]!.accuracy!)
    expect(epochs[11]!.loss).toBeLessThan(0.2)
    expect(epochs[11]!.validation!.accuracy).toBeGreaterThan(0.95)
    expect(epochs[11]!.validation!.loss).toBeLessThan(0.2)
  })

  test('learns XOR, where no straight line would do', async () => {
    const data = g.data.fromTensors(
      [
        [0, 0],
        [0, 1],
        [1, 0],
        [1, 1],
      ],
      [[0], [1], [1], [0]],
    )
    const model = g.nn.sequential(g.nn.linear(2, 8, { seed: 3 }), g.nn.tanh(), g.nn.linear(8, 1, { seed: 4 }))
    await g.fit(model, data, {
      epochs: 300,
      batchSize: 4,
      loss: g.losses.binaryCrossEntropy,
      optimizer: g.optim.adam({ learningRate: 0.05 }),
    })
    const probabilities = model
      .forward(
        g.tensor([
          [0, 0],
          [0, 1],
          [1, 0],
          [1, 1],
        ]),
      )
      .sigmoid()
    expectClose(probabilities, [0, 1, 1, 0], 0.1)
  })

  test('gives the same numbers for the same seeds', async () => {
    const train = async (seed: number, globalSeed: number) => {
      g.setSeed(globalSeed)
      const model = classifier()
      const { epochs } = await g.fit(model, clouds(50, 1), options({ epochs: 2, batchSize: 8, seed }))
      return { losses: epochs.map(({ loss }) => loss), values: valuesOf(model) }
    }
    const first = await train(1, 1)
    expect(await train(1, 1)).toEqual(first)
    expect(await train(2, 1)).not.toEqual(first)
    expect(await train(1, 2)).not.toEqual(first)
  })

  test('several trainings at once are as good as one after the other', async () => {
    const train = async (seed: number) => {
      const model = g.nn.sequential(g.nn.linear(2, 8, { seed }), g.nn.relu(), g.nn.linear(8, 3, { seed: seed + 10 }))
      const { epochs } = await g.fit(model, clouds(60, seed), options({ epochs: 3, batchSize: 8, seed }))
      return { losses: epochs.map(({ loss }) => loss), values: valuesOf(model) }
    }
    const alone = [await train(1), await train(2), await train(3)]
    expect(await Promise.all([train(1), train(2), train(3)])).toEqual(alone)
  })

  test('random numbers of trainings at once are those of each alone, whatever else draws', async () => {
    const train = async (seed: number) => {
      const noisy = clouds(60, seed).map((x, y) => [x.add(g.randn(x.shape, { std: 0.1 })), y])
      const model = g.nn.linear(2, 3, { seed })
      const { epochs } = await g.fit(model, noisy, options({ epochs: 3, batchSize: 8, seed, validation: noisy }))
      return { losses: epochs.map(({ loss, validation }) => [loss, validation!.loss]), values: valuesOf(model) }
    }
    const alone = [await train(1), await train(2)]
    g.randn([3]).dataSync()
    expect(await Promise.all([train(1), train(2)])).toEqual(alone)
    expect(alone[0]!.losses[0]).not.toEqual(alone[1]!.losses[0])
  })

  test('two trainings at once go on side by side', async () => {
    const log: number[] = []
    const train = (seed: number) =>
      g.fit(
        classifier(),
        clouds(200, seed),
        options({ epochs: 8, batchSize: 4, seed, callbacks: { onEpochEnd: () => log.push(seed) } }),
      )
    await Promise.all([train(1), train(2)])
    const firstToEnd = log.at(-1) === 1 ? 2 : 1
    const doneByThen = log.slice(0, log.lastIndexOf(firstToEnd)).filter((seed) => seed !== firstToEnd).length
    expect(doneByThen).toBeGreaterThanOrEqual(4)
  })

  test('a label out of range is a RangeError, and its step changes nothing', async () => {
    const model = classifier()
    const before = valuesOf(model)
    const data = g.data.fromTensors(g.zeros([4, 2]), int32([0, 1, 3, 2]))
    const failure = expect(g.fit(model, data, options({ shuffle: false }))).rejects
    await failure.toThrow(new RangeError('softmaxCrossEntropy: expected labels in [0, 3), got 3 at row 2'))
    expect(valuesOf(model)).toEqual(before)
  })
})

describe('an epoch', () => {
  test('sees every row once, and weighs a smaller last batch by its rows', async () => {
    const { w, model, loss, optimizer } = counter()
    const x = [1, 2, 4, 8, 16, 32, 64]
    const seen: g.BatchInfo[] = []
    const { epochs } = await g.fit(model, g.data.fromTensors(column(x), column(x)), {
      batchSize: 3,
      loss,
      optimizer,
      metrics: [
        { target: (_, y) => y.mean(), rows: (_, y) => y.reshape([-1]), large: (_, y) => y.greater(5).reshape([-1]) },
      ],
      callbacks: { onBatchEnd: (info) => seen.push(info) },
      shuffle: false,
    })
    // sgd subtracts the mean of each batch: 7/3, 56/3 and 64.
    expectClose(w, [-85])
    // The loss of a batch is its mean times the weight that the batches before have made.
    const batchLosses = [0, (56 / 3) * (-7 / 3), 64 * -21]
    expectClose(epochs[0]!.loss, (3 * batchLosses[0]! + 3 * batchLosses[1]! + batchLosses[2]!) / 7)
    expectClose([epochs[0]!.target!, epochs[0]!.rows!, epochs[0]!.large!], [127 / 7, 127 / 7, 4 / 7])
    expect(seen.at(-1)).toEqual({
      ...pick(epochs[0]!, ['epoch', 'loss', 'target', 'rows', 'large']),
      step: 3,
      steps: 3,
      samples: 7,
    })
  })

  test.each([
    [1, 5],
    [4, 2],
    [5, 1],
    [100, 1],
  ])('of 5 rows in batches of %i has %i steps', async (batchSize, steps) => {
    const { w, model, loss, optimizer } = counter()
    let last: g.BatchInfo | undefined
    const callbacks = { onBatchEnd: (info: g.BatchInfo) => (last = info) }
    await g.fit(model, g.data.fromTensors(g.ones([5, 1]), g.ones([5, 1])), { batchSize, loss, optimizer, callbacks })
    expect(last).toMatchObject({ epoch: 0, step: steps, steps, samples: 5 })
    expect(w.itemSync()).toBe(-steps)
  })

  test('comes in another order each time, unless shuffle is false', async () => {
    const order = async (more: Partial<g.FitOptions>) => {
      const { w, model } = counter()
      const { epochs } = await g.fit(model, g.data.fromTensors(column([1, 2, 3, 4, 5, 6, 7, 8]), g.ones([8, 1])), {
        epochs: 3,
        batchSize: 1,
        loss: g.losses.meanSquaredError,
        optimizer: g.optim.sgd({ learningRate: 0.01 }),
        ...more,
      })
      return [...epochs.map(({ loss }) => loss), w.itemSync()]
    }
    const plain = await order({ shuffle: false })
    expect(await order({ shuffle: false, seed: 5 })).toEqual(plain)
    const shuffled = await order({ seed: 5 })
    expect(shuffled).not.toEqual(plain)
    expect(await order({ seed: 5 })).toEqual(shuffled)
    expect(await order({ seed: 6 })).not.toEqual(shuffled)
  })

  test('none at all is allowed', async () => {
    const model = classifier()
    const before = valuesOf(model)
    expect(await g.fit(model, clouds(6, 1), options({ epochs: 0 }))).toEqual({ epochs: [] })
    expect(valuesOf(model)).toEqual(before)
  })

  test('maps each batch inside the step, and leaves frozen variables alone', async () => {
    const { w, model, loss, optimizer } = counter()
    const frozen = g.variable([[3]], { trainable: false })
    const data = g.data.fromTensors(g.tensor(Uint8Array.of(10, 20), { shape: [2, 1] }), g.zeros([2, 1]))
    let maps = 0
    const mapped = data.map((x, y) => {
      maps++
      return [x.cast('float32').div(10), y]
    })
    const scaled = { forward: (x: g.Tensor) => model.forward(x).mul(frozen), parameters: () => [w, frozen] }
    await g.fit(scaled, mapped, { epochs: 4, batchSize: 2, loss, optimizer })
    expectClose(w, [-4 * 1.5 * 3])
    expect(maps).toBe(1)
    expect(frozen.itemSync()).toBe(3)
  })
})

const pick = <T extends object, K extends keyof T>(from: T, keys: K[]) =>
  Object.fromEntries(keys.map((key) => [key, from[key]]))

describe('validation', () => {
  test('scores rows that are not trained on, after each epoch', async () => {
    const { model, loss, optimizer } = counter()
    const { epochs } = await g.fit(model, g.data.fromTensors(g.ones([4, 1]), g.ones([4, 1])), {
      epochs: 2,
      batchSize: 2,
      loss,
      optimizer,
      metrics: [{ sum: (prediction, y) => prediction.add(y).reshape([-1]) }],
      validation: g.data.fromTensors(column([1, 2, 6]), column([0, 0, 3])),
    })
    // w is −2 after the first epoch, −4 after the second; the mean of x is 3, that of y is 1.
    expectClose(
      epochs.map(({ validation }) => validation!.loss),
      [-6, -12],
    )
    expectClose(
      epochs.map(({ validation }) => validation!.sum!),
      [-5, -11],
    )
    expect(Object.keys(epochs[0]!.validation!)).toEqual(['loss', 'sum'])
  })

  test('without metrics has a loss alone, and there is none unless asked for', async () => {
    const { epochs } = await g.fit(classifier(), clouds(9, 1), options())
    expect(Object.keys(epochs[0]!).sort()).toEqual(['epoch', 'loss', 'seconds'])
    expect(epochs[0]!.seconds).toBeGreaterThan(0)
  })
})

describe('callbacks', () => {
  test('are awaited: epochs from 0, steps from 1', async () => {
    const log: string[] = []
    const later = async (text: string) => {
      await new Promise((resolve) => setTimeout(resolve, 5))
      log.push(text)
    }
    const { epochs } = await g.fit(
      classifier(),
      clouds(9, 1),
      options({
        epochs: 2,
        batchSize: 9,
        metrics: ['accuracy'],
        validation: clouds(3, 2),
        callbacks: {
          onBatchEnd: ({ epoch, step, steps, samples }) => later(`batch ${epoch} ${step}/${steps} ${samples}`),
          onEpochEnd: ({ epoch, validation }) => later(`epoch ${epoch} ${Object.keys(validation!)}`),
        },
      }),
    )
    expect(log).toEqual(['batch 0 1/1 9', 'epoch 0 loss,accuracy', 'batch 1 1/1 9', 'epoch 1 loss,accuracy'])
    expect(epochs.map(({ epoch }) => epoch)).toEqual([0, 1])
  })

  test('onBatchEnd comes about every 50 ms and at the last step, with the means so far', async () => {
    const clock = vi.spyOn(performance, 'now')
    let now = 0
    clock.mockImplementation(() => (now += 10))
    try {
      const { model, loss, optimizer } = counter()
      const steps: number[] = []
      await g.fit(model, g.data.fromTensors(g.ones([12, 1]), g.ones([12, 1])), {
        batchSize: 1,
        loss,
        optimizer,
        callbacks: {
          onBatchEnd({ step, samples, loss }) {
            steps.push(step)
            expect(samples).toBe(step)
            // The losses of the steps are 0, −1, −2, …
            expectClose(loss, (1 - step) / 2)
          },
        },
      })
      // At this pace each step is a crossing of its own, which looks at the clock three times.
      expect(steps).toEqual([2, 4, 6, 8, 10, 12])
    } finally {
      clock.mockRestore()
    }
  })

  test.each(['onBatchEnd', 'onEpochEnd'] as const)('what %s throws ends training', async (name) => {
    const model = classifier()
    const callbacks = { [name]: async () => Promise.reject(new Error('enough')) }
    await expect(g.fit(model, clouds(90, 1), options({ epochs: 3, callbacks }))).rejects.toThrow('enough')
    expect(
      valuesOf(model)
        .flatMap((x) => Array.from(x))
        .every(Number.isFinite),
    ).toBe(true)
  })

  test('may change the learning rate', async () => {
    const { w, model, loss, optimizer } = counter()
    await g.fit(model, g.data.fromTensors(g.ones([2, 1]), g.ones([2, 1])), {
      epochs: 3,
      loss,
      optimizer,
      callbacks: {
        onEpochEnd({ epoch }) {
          optimizer.learningRate = 10 ** (epoch + 1)
        },
      },
    })
    expect(w.itemSync()).toBe(-111)
  })
})

describe('signal', () => {
  test('aborted before: nothing is touched', async () => {
    const model = classifier()
    const before = valuesOf(model)
    const reason = new Error('never mind')
    await expect(g.fit(model, clouds(9, 1), options({ signal: AbortSignal.abort(reason) }))).rejects.toBe(reason)
    expect(valuesOf(model)).toEqual(before)
  })

  test('aborted while training: rejects with the reason, nothing is under way, and training may go on', async () => {
    const { w, model, loss, optimizer } = counter()
    const abort = new AbortController()
    const data = g.data.fromTensors(g.ones([1000, 1]), g.ones([1000, 1]))
    const training = g.fit(model, data, { epochs: 1000, batchSize: 1, loss, optimizer, signal: abort.signal })
    const reason = new Error('enough')
    setTimeout(() => abort.abort(reason), 20)
    await expect(training).rejects.toBe(reason)
    const steps = -w.itemSync()
    expect(steps).toBeGreaterThan(0)
    expect(steps).toBeLessThan(1_000_000)
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(w.itemSync()).toBe(-steps)
    await g.fit(model, data.slice(0, 3), { batchSize: 1, loss, optimizer })
    expect(w.itemSync()).toBe(-steps - 3)
  })

  test('aborted by a callback: no further epoch begins', async () => {
    const { w, model, loss, optimizer } = counter()
    const abort = new AbortController()
    const callbacks = { onEpochEnd: ({ epoch }: g.EpochInfo) => epoch === 1 && abort.abort('stop') }
    const data = g.data.fromTensors(g.ones([2, 1]), g.ones([2, 1]))
    await expect(g.fit(model, data, { epochs: 9, loss, optimizer, callbacks, signal: abort.signal })).rejects.toBe(
      'stop',
    )
    expect(w.itemSync()).toBe(-2)
  })

  const never = () => new Promise<never>(() => {})
  const twoRows = () => g.data.fromTensors(g.ones([2, 1]), g.ones([2, 1]))

  test.each(['onBatchEnd', 'onEpochEnd'] as const)('aborted while %s never settles', async (name) => {
    const { model, loss, optimizer } = counter()
    for (const delay of [null, 1]) {
      const abort = new AbortController()
      const reason = new Error('enough')
      const callback = () => {
        if (delay === null) abort.abort(reason)
        else setTimeout(() => abort.abort(reason), delay)
        return never()
      }
      const training = g.fit(model, twoRows(), {
        ...{ epochs: 9, loss, optimizer, signal: abort.signal },
        callbacks: { [name]: callback },
      })
      await expect(training).rejects.toBe(reason)
    }
  })

  test('aborted while a data set never is there', async () => {
    const { model, loss, optimizer } = counter()
    for (const which of ['dataset', 'validation']) {
      const [dataset, validation] = [twoRows(), twoRows()]
      ;(which === 'dataset' ? dataset : validation).load = never
      const abort = new AbortController()
      const training = g.fit(model, dataset, { loss, optimizer, validation, signal: abort.signal })
      setTimeout(() => abort.abort('stop'), 1)
      await expect(training).rejects.toBe('stop')
    }
  })

  test('what a callback throws after that is nobody’s, and no listener is left', async () => {
    const { model, loss, optimizer } = counter()
    const abort = new AbortController()
    let fail = (_: unknown) => {}
    const callbacks = { onEpochEnd: () => new Promise((_, reject) => (fail = reject)) }
    const training = g.fit(model, twoRows(), { loss, optimizer, signal: abort.signal, callbacks })
    setTimeout(() => abort.abort('stop'), 1)
    await expect(training).rejects.toBe('stop')
    fail(new Error('late'))
    const { signal } = new AbortController()
    const listeners = new Set<unknown>()
    signal.addEventListener = (_: string, listener: unknown) => void listeners.add(listener)
    signal.removeEventListener = (_: string, listener: unknown) => void listeners.delete(listener)
    let most = 0
    const counting = { onBatchEnd: () => Promise.resolve().then(() => (most = Math.max(most, listeners.size))) }
    await g.fit(model, twoRows(), { epochs: 3, loss, optimizer, signal, callbacks: counting })
    expect([most, listeners.size]).toEqual([1, 0])
  })

  test('a signal of another kind is asked between the steps', async () => {
    const { model, loss, optimizer } = counter()
    let asked = 0
    const signal = {
      throwIfAborted() {
        if (++asked === 5) throw new Error('fifth')
      },
    }
    await expect(g.fit(model, twoRows(), { epochs: 9, loss, optimizer, signal })).rejects.toThrow('fifth')
  })

  test('aborted while validating', async () => {
    const { model, loss, optimizer } = counter()
    const abort = new AbortController()
    const data = g.data.fromTensors(g.ones([2, 1]), g.ones([2, 1]))
    let maps = 0
    const validation = data.map((x, y) => {
      maps++
      abort.abort('stop')
      return [x, y]
    })
    const training = g.fit(model, data, { batchSize: 1, loss, optimizer, validation, signal: abort.signal })
    await expect(training).rejects.toBe('stop')
    expect(maps).toBe(1)
  })
})

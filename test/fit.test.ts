import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import * as g from '../lib/index.ts'
import { pipeline } from '../lib/train/pipeline.ts'
import { expectClose } from './support/close.ts'

beforeEach(() => g.setSeed(1))
afterEach(() => g.setBackend('native'))

const int32 = (values: number[]) => g.tensor(values, { dtype: 'int32' })

/** Points of three clouds around the corners of a triangle, with the number of the cloud. */
function clouds(rows: number, seed: number): g.Dataset {
  const labels = Array.from({ length: rows }, (_, i) => i % 3)
  const corners = g
    .tensor([
      [2, 0],
      [-1, 1.7],
      [-1, -1.7],
    ])
    .gather(int32(labels))
  return g.data.fromTensors(corners.add(g.randn([rows, 2], { seed, std: 0.6 })), int32(labels))
}

const classifier = () => g.nn.sequential(g.nn.linear(2, 16), g.nn.tanh(), g.nn.linear(16, 3))

/** Options for training a classifier; the rest is up to the test. */
const options = (more: Partial<g.FitOptions> = {}): g.FitOptions => ({
  loss: g.losses.crossEntropy,
  optimizer: g.optim.adam({ learningRate: 0.02 }),
  ...more,
})

const valuesOf = (model: g.nn.Module) => model.parameters().map((parameter) => parameter.dataSync())

/** A model of one weight whose loss is its prediction: training by sgd only counts the rows it sees. */
function counter() {
  const w = g.variable([[0]], { name: 'w' })
  const model = { forward: (x: g.Tensor) => x.matmul(w), parameters: () => [w] }
  const loss = (prediction: g.Tensor) => prediction.mean()
  return { w, model, loss, optimizer: g.optim.sgd({ learningRate: 1 }) }
}

const column = (values: number[]) => g.tensor(values.map((value) => [value]))

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
      // Each step looks at the clock once, and each callback once more.
      expect(steps).toEqual([5, 10, 12])
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

describe('a loss that is not finite', () => {
  test.each([
    ['NaN', Number.NaN],
    ['Infinity', Infinity],
  ])('%s stops training with the step and a hint', async (text, value) => {
    const { model, optimizer } = counter()
    const w = g.variable([[1]])
    const x = column([1, 1, value, 1, 1, 1])
    const failure = g.fit({ ...model, forward: (x) => x.matmul(w), parameters: () => [w] }, g.data.fromTensors(x, x), {
      batchSize: 2,
      shuffle: false,
      loss: (prediction) => prediction.square().mean(),
      optimizer,
    })
    await expect(failure).rejects.toThrow(
      new RegExp(`^fit: loss is ${text} at epoch 1, step 2; try a lower learning rate`),
    )
  })

  test('in a later epoch', async () => {
    const w = g.variable([[1]])
    const model = { forward: (x: g.Tensor) => x.matmul(w), parameters: () => [w] }
    const failure = g.fit(model, g.data.fromTensors([[1]], [[0]]), {
      epochs: 50,
      loss: g.losses.meanSquaredError,
      optimizer: g.optim.sgd({ learningRate: 1e10 }),
    })
    await expect(failure).rejects.toThrow(/^fit: loss is Infinity at epoch 3, step 1;/)
  })
})

describe('bad input', () => {
  const bad = (change: object) => options(change as Partial<g.FitOptions>)
  test.each([
    ['batchSize 0', { batchSize: 0 }, RangeError, 'fit: expected a batchSize that is an integer of at least 1, got 0'],
    [
      'batchSize 1.5',
      { batchSize: 1.5 },
      RangeError,
      'fit: expected a batchSize that is an integer of at least 1, got 1.5',
    ],
    [
      "batchSize '8'",
      { batchSize: '8' },
      TypeError,
      'fit: expected a batchSize that is an integer of at least 1, got string',
    ],
    ['epochs -1', { epochs: -1 }, RangeError, 'fit: expected an integer of epochs of at least 0, got -1'],
    ['epochs NaN', { epochs: Number.NaN }, RangeError, 'fit: expected an integer of epochs of at least 0, got NaN'],
    ['no loss', { loss: undefined }, TypeError, 'fit: expected a loss, such as losses.crossEntropy, got undefined'],
    [
      'no optimizer',
      { optimizer: undefined },
      TypeError,
      'fit: expected an optimizer, such as optim.adam(), got undefined',
    ],
    ['a seed below 0', { seed: -1 }, RangeError, 'fit: expected an integer seed from 0 to 2³² − 1, got -1'],
    [
      'an unknown metric',
      { metrics: ['precision'] },
      RangeError,
      "fit: expected a metric, 'accuracy' or { name: function }, got precision",
    ],
    [
      'metrics that are no list',
      { metrics: 'accuracy' },
      TypeError,
      "fit: expected metrics, a list such as ['accuracy'], got string",
    ],
    [
      'a metric that is no function',
      { metrics: [{ error: 1 }] },
      TypeError,
      'fit: expected a function as metric error, got number',
    ],
    [
      'a metric of a reserved name',
      { metrics: [{ loss: () => g.tensor(1) }] },
      RangeError,
      'fit: expected a metric of another name than loss',
    ],
    [
      'a metric of a wrong shape',
      { metrics: [{ raw: (p: g.Tensor) => p }] },
      g.ShapeError,
      'fit: expected a scalar or 9 values from metric raw, got [9, 3]',
    ],
    [
      'a metric that gives a number',
      { metrics: [{ one: () => 1 }] },
      TypeError,
      'fit: expected a tensor from metric one, got number',
    ],
    [
      'an empty validation set',
      { validation: clouds(3, 1).slice(0, 0) },
      RangeError,
      'fit: expected a validation set of at least one row, got an empty one',
    ],
    [
      'a validation set that is none',
      { validation: [1] },
      TypeError,
      'fit: expected a validation set made by data.fromTensors, got object',
    ],
    [
      'a loss per row',
      { loss: (x: g.Tensor, y: g.Tensor) => g.losses.crossEntropy(x, y, { reduction: 'none' }) },
      g.ShapeError,
      'minimize: expected a scalar loss, got [9]',
    ],
    [
      'a loss without the model',
      { loss: () => g.tensor(1) },
      g.GradientError,
      'minimize: the loss does not depend on Variable weight float32[2, 16]',
    ],
  ])('%s', async (_, change, type, message) => {
    const failure = g.fit(classifier(), clouds(9, 1), bad(change))
    await expect(failure).rejects.toThrow(message)
    await expect(failure).rejects.toBeInstanceOf(type)
  })

  test('options are needed', async () => {
    await expect(g.fit(classifier(), clouds(9, 1), undefined as unknown as g.FitOptions)).rejects.toThrow(
      'fit: expected a loss',
    )
  })

  test('a model needs forward and parameters', async () => {
    for (const model of [null, {}, { forward: () => g.tensor(1) }])
      await expect(g.fit(model as unknown as g.nn.Module, clouds(9, 1), options())).rejects.toThrow(
        /^fit: expected a model with a method/,
      )
  })

  test('a data set has to be one, and not empty', async () => {
    const tensors = [g.zeros([2, 2]), g.zeros([2])] as unknown as g.Dataset
    await expect(g.fit(classifier(), tensors, options())).rejects.toThrow(
      'fit: expected a data set made by data.fromTensors, got object',
    )
    await expect(g.fit(classifier(), clouds(9, 1).slice(0, 0), options())).rejects.toThrow(
      new RangeError('fit: expected a data set of at least one row, got an empty one'),
    )
  })

  test('a model of another width says what it wanted', async () => {
    const model = g.nn.sequential(g.nn.linear(3, 3))
    await expect(g.fit(model, clouds(9, 1), options())).rejects.toThrow(
      'linear: expected an input of shape […, 3], got [9, 2]',
    )
  })

  test('a model that fails in the last, smaller batch rejects once, and leaves nothing under way', async () => {
    const { w, loss, optimizer } = counter()
    const model = { forward: (x: g.Tensor) => x.reshape([2, 1]).matmul(w), parameters: () => [w] }
    const data = g.data.fromTensors(g.ones([5, 1]), g.ones([5, 1]))
    await expect(g.fit(model, data, { batchSize: 2, loss, optimizer })).rejects.toThrow(/^reshape: /)
    expect(w.itemSync()).toBe(-2)
  })
})

describe('pipeline', () => {
  test('keeps two under way, and receives in order', async () => {
    const log: string[] = []
    const finish = new Map<number, () => void>()
    const submit = (item: number) => {
      log.push(`submit ${item}`)
      return new Promise<number>((resolve) => finish.set(item, () => resolve(item * 10)))
    }
    const done = pipeline([1, 2, 3], submit, async (result, item) => {
      log.push(`receive ${item} ${result}`)
    })
    for (const item of [2, 1, 3]) {
      await vi.waitFor(() => expect(finish.has(item)).toBe(true))
      finish.get(item)!()
    }
    await done
    expect(log).toEqual(['submit 1', 'submit 2', 'receive 1 10', 'submit 3', 'receive 2 20', 'receive 3 30'])
  })

  test('waits for what is under way before it rejects', async () => {
    let ended = false
    const submit = async (item: number) => {
      if (item === 1) throw new Error('first')
      await new Promise((resolve) => setTimeout(resolve, 10))
      ended = true
      throw new Error('second')
    }
    await expect(pipeline([1, 2, 3], submit, async () => {})).rejects.toThrow('first')
    expect(ended).toBe(true)
  })
})

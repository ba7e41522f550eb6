import { beforeEach, describe, expect, test } from 'vitest'
import * as g from '../../lib/index.ts'
import { classifier, clouds, column, counter, options } from '../support/training.ts'

beforeEach(() => g.setSeed(1))

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
    ["batchSize '8'", { batchSize: '8' }, TypeError, 'fit: expected batchSize to be a number, got "8"'],
    ['epochs -1', { epochs: -1 }, RangeError, 'fit: expected an integer of epochs of at least 0, got -1'],
    ['epochs NaN', { epochs: Number.NaN }, RangeError, 'fit: expected an integer of epochs of at least 0, got NaN'],
    ['an unknown loss', { loss: 'crossentropi' }, RangeError, /, got crossentropi; did you mean crossEntropy\?$/],
    ['a loss of Keras', { loss: 'sparse_categorical_crossentropy' }, RangeError, /did you mean crossEntropy\?$/],
    ['another unknown metric', { metrics: ['acuracy'] }, RangeError, /, got acuracy; did you mean accuracy\?$/],
    ['a loss of another type', { loss: 3 }, TypeError, 'fit: expected a loss, such as losses.crossEntropy, got 3'],
    [
      'no whole batch',
      { dropLast: true, batchSize: 10 },
      RangeError,
      'fit: expected a whole batch of 10 rows with dropLast, got 9 rows',
    ],
    ['no loss', { loss: undefined }, TypeError, 'fit: expected a loss, such as losses.crossEntropy, got undefined'],
    [
      'no optimizer',
      { optimizer: undefined },
      TypeError,
      'fit: expected an optimizer, such as optim.adam(), got undefined',
    ],
    ['a seed below 0', { seed: -1 }, RangeError, 'fit: expected an integer seed from 0 to 2³² − 1, got -1'],
    [
      'a seed of 33 bits',
      { seed: 2 ** 32 },
      RangeError,
      'fit: expected an integer seed from 0 to 2³² − 1, got 4294967296',
    ],
    [
      'an unknown metric',
      { metrics: ['xyzzyx'] },
      RangeError,
      /^fit: expected a metric, a name or \{ name: function \} \(accuracy, .*\), got xyzzyx$/,
    ],
    [
      'metrics that are no list',
      { metrics: 'accuracy' },
      TypeError,
      'fit: expected metrics, a list such as [\'accuracy\'], got "accuracy"',
    ],
    [
      'a metric that is no function',
      { metrics: [{ error: 1 }] },
      TypeError,
      'fit: expected a function as metric error, got 1',
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
    ['a name of others', { batch_size: 8 }, TypeError, 'fit: unknown option batch_size; did you mean batchSize?'],
    [
      'an unknown callback',
      { callbacks: { onEpoch: () => {} } },
      TypeError,
      'fit: callbacks: unknown option onEpoch; did you mean onEpochEnd?',
    ],
    [
      'a callback of a class that is no function',
      {
        callbacks: new (class Log {
          onEpochEnd = 1
        })(),
      },
      TypeError,
      'fit: callbacks: expected onEpochEnd to be a function, got 1',
    ],
    [
      'a metric that gives a number',
      { metrics: [{ one: () => 1 }] },
      TypeError,
      'fit: expected a tensor from metric one, got 1',
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
      'fit: expected a validation set made by data.fromTensors, or a stream, got an array',
    ],
    [
      'a validation set that is 0',
      { validation: 0 },
      TypeError,
      'fit: expected a validation set made by data.fromTensors, or a stream, got 0',
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
      'minimize: the loss does not depend on Variable weight float32[16, 2]',
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
      'fit: expected a data set made by data.fromTensors, or a stream, got an array',
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

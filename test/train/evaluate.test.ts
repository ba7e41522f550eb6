import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import * as g from '../../lib/index.ts'
import { expectClose } from '../support/close.ts'
import { classifier, clouds, column, counter, options, valuesOf } from '../support/training.ts'

beforeEach(() => g.setSeed(1))

describe('evaluate', () => {
  test('gives what fit gives for its validation set, of rows and of streams, and changes nothing', async () => {
    const model = g.nn.sequential(g.nn.linear(2, 8), g.nn.batchNorm1d(8), g.nn.dropout(0.5), g.nn.linear(8, 3))
    const held = clouds(50, 2)
    const scored = {
      loss: 'crossEntropy' as const,
      metrics: ['accuracy' as const, g.metrics.streaming.mean((p) => p.sum(1), { name: 'sum' })],
    }
    const { epochs } = await g.fit(model, clouds(60, 1), {
      ...scored,
      epochs: 2,
      optimizer: g.optim.adam(),
      validation: held,
    })
    const before = Object.values(model.stateDict()).map((x) => x.arraySync())
    const scores = await g.evaluate(model, held, { ...scored, batchSize: 32 })
    expect(scores).toEqual(epochs[1]!.validation)
    expectClose((await g.evaluate(model, held, { ...scored, batchSize: 7 })).loss, scores.loss, 1e-5)
    expect(await g.evaluate(model, held.stream().batch(32), scored)).toEqual(scores)
    expect(Object.values(model.stateDict()).map((x) => x.arraySync())).toEqual(before)
    expect(model.training).toBe(true)
  })

  test('of tensors is what it was', async () => {
    const [x, y] = await g.evaluate(g.tensor([1]).add(1), g.tensor(2).mul(2))
    expect([x.arraySync(), y.itemSync()]).toEqual([[2], 4])
    await expect(g.evaluate(g.tensor(1), { signal: AbortSignal.abort(new Error('no')) })).rejects.toThrow('no')
    await expect(g.evaluate(3 as never)).rejects.toThrow('evaluate: expected tensors, each an argument, got 3')
  })

  test.each([
    [{ loss: 'crossEntropy', epochs: 1 }, 'evaluate: unknown option epochs'],
    [{ loss: 'nothing' }, 'evaluate: expected a loss, a name or a function'],
    [{}, 'evaluate: expected a loss, such as losses.crossEntropy, got undefined'],
    [{ loss: 'mse', batchSize: 0 }, 'evaluate: expected a batchSize that is an integer of at least 1, got 0'],
  ])('%o is refused', async (options, message) => {
    await expect(g.evaluate(classifier(), clouds(9, 1), options as never)).rejects.toThrow(message)
  })

  test('a model alone, data that are none, and a signal', async () => {
    const [model, loss] = [classifier(), 'crossEntropy' as const]
    await expect(g.evaluate(model as never)).rejects.toThrow('evaluate: expected a data set made by')
    await expect(g.evaluate(model, clouds(9, 1), { loss, signal: AbortSignal.abort('stop') })).rejects.toBe('stop')
  })
})

describe('predict', () => {
  test('gives a row for each row, whatever the batches, in evaluation mode', async () => {
    const model = g.nn.sequential(g.nn.linear(2, 8), g.nn.dropout(0.5), g.nn.linear(8, 3))
    const data = clouds(50, 1)
    const [x] = data.batch([...Array(50).keys()])
    const expected = model.eval().forward(x).arraySync() as number[][]
    model.train()
    for (const batchSize of [1, 7, 50, 64]) {
      const found = await g.predict(model, data, { batchSize })
      expectClose((found.arraySync() as number[][]).flat(), expected.flat(), 1e-5)
    }
    const alone = await g.predict(model, g.data.fromTensors(x))
    expectClose((alone.arraySync() as number[][]).flat(), expected.flat(), 1e-5)
    expectClose(((await g.predict(model, x)).arraySync() as number[][]).flat(), expected.flat(), 1e-5)
    const single = await g.predict(model, [[1, 2]])
    expect(single.shape).toEqual([1, 3])
    expect(model.training).toBe(true)
  })

  test('gives several tensors as the model does, and takes several', async () => {
    const model = {
      forward: ({ a, b }: { a: g.Tensor; b: g.Tensor }) => ({ sum: a.add(b), pair: [a, b] }),
      parameters: () => [],
    }
    const [a, b] = [column([1, 2, 3]), column([4, 5, 6])]
    const found = await g.predict(model, g.data.fromTensors({ a, b }), { batchSize: 2 })
    expect(found.sum.arraySync()).toEqual([[5], [7], [9]])
    expect(found.pair[1]!.arraySync()).toEqual([[4], [5], [6]])
    const listed = { forward: ([a, b]: readonly g.Tensor[]) => a!.mul(b!), parameters: () => [] }
    expect((await g.predict(listed, [a, b] as never)).arraySync()).toEqual([[4], [10], [18]])
  })

  test('of a stream is an iterator, which may be left', async () => {
    const model = { forward: (x: g.Tensor) => x.mul(2), parameters: () => [] }
    const seen: unknown[] = []
    const stream = g.data.fromArrays([[1], [2], [3]], [[0], [0], [0]]).batch(2)
    for await (const y of g.predict(model, stream)) seen.push(y.arraySync())
    expect(seen).toEqual([[[2], [4]], [[6]]])
    for await (const _ of g.predict(model, stream.repeat())) if (seen.push(0) === 9) break
    expect(seen).toHaveLength(9)
  })

  test('refuses models that give something else', async () => {
    const of = (forward: (x: g.Tensor) => unknown) => g.predict({ forward, parameters: () => [] } as never, [[1], [2]])
    await expect(of((x) => x.sum())).rejects.toThrow('predict: expected 2 rows from the model, as many as it got, got')
    await expect(of(() => 1)).rejects.toThrow('predict: expected a model that gives tensors, got 1')
    expect(() => g.predict(classifier(), clouds(3, 1), { size: 2 } as never)).toThrow('predict: unknown option size')
    await expect(g.predict(classifier(), clouds(3, 1), { signal: AbortSignal.abort('stop') })).rejects.toBe('stop')
  })
})

describe('helpers for debugging', () => {
  test('lrFinder raises the rate until the loss is far from its least, and leaves the model as it was', async () => {
    const model = classifier()
    const before = valuesOf(model)
    const { learningRates, losses, suggestion } = await g.lrFinder(model, clouds(90, 1), {
      ...{ loss: 'crossEntropy', optimizer: (learningRate) => g.optim.sgd({ learningRate }), seed: 1 },
      ...{ from: 1e-3, to: 1e4, steps: 60 },
    })
    expect(valuesOf(model)).toEqual(before)
    expect(learningRates[0]).toBeCloseTo(1e-3)
    expect(learningRates[1]! / learningRates[0]!).toBeCloseTo(1e7 ** (1 / 59), 5)
    expect(losses.length).toBe(learningRates.length)
    expect(losses.length).toBeLessThan(60)
    expect(suggestion).toBeGreaterThan(0.01)
    expect(suggestion).toBeLessThan(10)
  })

  test('overfitOneBatch gets a model that can learn near 0, and leaves it as it was', async () => {
    const model = classifier()
    const before = valuesOf(model)
    const data = g.data.fromTensors(
      g.randn([20, 2], { seed: 1 }),
      g.randint([20], 0, 3, { seed: 2 } as never).cast('int32'),
    )
    const losses = await g.overfitOneBatch(model, data, {
      ...{
        loss: 'crossEntropy',
        optimizer: () => g.optim.adam({ learningRate: 0.1 }),
        batchSize: 4,
        steps: 80,
        seed: 1,
      },
    })
    expect(losses).toHaveLength(80)
    expect(losses.at(-1)!).toBeLessThan(0.05)
    expect(valuesOf(model)).toEqual(before)
  })

  test('refuse what they cannot use', async () => {
    const of = (change: object) =>
      g.lrFinder(classifier(), clouds(9, 1), { loss: 'crossEntropy', optimizer: () => g.optim.adam(), ...change })
    await expect(of({ optimizer: g.optim.adam() })).rejects.toThrow('lrFinder: expected optimizer to be a function')
    await expect(of({ from: 1, to: 0.1 })).rejects.toThrow(
      'lrFinder: expected a learning rate above from as to, got 0.1',
    )
    await expect(of({ steps: 1 })).rejects.toThrow('lrFinder: expected an integer of steps of at least 2, got 1')
  })
})

test('modelCheckpoint saves the model of the best epoch, or of each', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'galvani-models-'))
  try {
    const { w, model, loss, optimizer } = counter()
    const value = g.variable(0, { trainable: false })
    const values = [3, 1, 2, 4]
    await g.fit(model, g.data.fromTensors([[1]], [[1]]), {
      ...{ epochs: 4, loss, optimizer, metrics: [{ error: () => value.add(0) }] },
      callbacks: [
        { onEpochBegin: ({ epoch }) => value.assign(values[epoch]!) },
        g.callbacks.modelCheckpoint(join(folder, 'best.safetensors'), { monitor: 'error' }),
        g.callbacks.modelCheckpoint(join(folder, 'epoch-{epoch}.safetensors'), { bestOnly: false }),
      ],
    })
    expect(readdirSync(folder).sort()).toEqual([
      'best.safetensors',
      ...[1, 2, 3, 4].map((i) => `epoch-${i}.safetensors`),
    ])
    expect((await g.load(join(folder, 'best.safetensors')))[0]!.itemSync()).toBe(-2)
    expect((await g.load(join(folder, 'epoch-4.safetensors')))[0]!.itemSync()).toBe(w.itemSync())
  } finally {
    rmSync(folder, { recursive: true })
  }
  await g.fit(classifier(), clouds(9, 1), options())
})

/** Models of several inputs and outputs, and the data sets and training that they need. */
import { beforeEach, describe, expect, expectTypeOf, test } from 'vitest'
import * as g from '../../lib/index.ts'
import { backendNames } from '../support/backends.ts'
import { expectClose } from '../support/close.ts'

interface Inputs {
  readonly [name: string]: g.Tensor
  readonly image: g.Tensor
  readonly text: g.Tensor
}

type Outputs = { label: g.Tensor; score: g.Tensor }

/** Two inputs and two outputs, by name. */
class Model extends g.nn.Module<Inputs, Outputs> {
  readonly image = g.nn.linear(3, 4, { seed: 1 })
  readonly text = g.nn.embedding(5, 4, { seed: 2 })
  readonly heads = { label: g.nn.linear(4, 2, { seed: 3 }), score: g.nn.linear(4, 1, { seed: 4 }) }

  forward({ image, text }: Inputs): Outputs {
    const both = this.image.forward(image).add(this.text.forward(text)).tanh()
    return { label: this.heads.label.forward(both), score: this.heads.score.forward(both) }
  }
}

const rows = 12
const inputs = () => ({
  image: g.randn([rows, 3], { seed: 5 }),
  text: g.tensor(Int32Array.from({ length: rows }, (_, i) => i % 5)),
})
const targets = () => ({
  label: g.tensor(Int32Array.from({ length: rows }, (_, i) => (i % 5) & 1)),
  score: inputs().image.sum(1, { keepDims: true }),
})

const loss = (prediction: Outputs, target: Outputs) =>
  g.losses.crossEntropy(prediction.label, target.label).add(g.losses.meanSquaredError(prediction.score, target.score))

describe.each(backendNames)('fit on the %s backend', (backend) => {
  beforeEach(() => {
    g.setSeed(1)
    g.setBackend(backend)
  })

  test('trains a model of records on a data set of records, with metrics and validation', async () => {
    const dataset = g.data.fromTensors(inputs(), targets())
    expectTypeOf(dataset.batch([0])[0].image).toEqualTypeOf<g.Tensor>()
    const model = new Model()
    const { epochs } = await g.fit(model, dataset, {
      epochs: 60,
      batchSize: 5,
      loss,
      metrics: [{ right: (p, y) => g.metrics.accuracy(p.label, y.label) }],
      optimizer: g.optim.adam({ learningRate: 0.05 }),
      validation: dataset,
    })
    expect(epochs.at(-1)!.loss).toBeLessThan(0.3 * epochs[0]!.loss)
    expect(epochs.at(-1)!.validation!.right).toBeGreaterThan(0.8)
    expect(Object.keys(model.namedParameters())).toContain('heads.score.bias')
  })

  test('metrics of outputs by their names are those of the outputs by themselves, over all rows', async () => {
    const dataset = g.data.fromTensors(inputs(), targets(), g.linspace(0, 1, rows))
    const model = new Model()
    const scores = await g.evaluate(model, dataset, {
      batchSize: 5,
      loss,
      metrics: {
        label: ['accuracy', 'rocAuc', 'confusionMatrix', { one: (p, y) => g.metrics.accuracy(p, y) }],
        score: ['mse', g.metrics.streaming.r2({ name: 'fit' })],
      },
    })
    const { label, score } = model.forward(inputs())
    const apart = async (
      metric: g.metrics.StreamingMetric<g.Tensor, g.Tensor, unknown>,
      prediction: g.Tensor,
      target: g.Tensor,
    ) => {
      await metric.update(prediction, target, { weights: g.linspace(0, 1, rows) })
      return metric.result()
    }
    const { accuracy, rocAuc, confusionMatrix, mse, r2 } = {
      ...g.metrics.streaming,
      mse: g.metrics.streaming.meanSquaredError,
    }
    expectClose(scores['accuracy.label']!, (await apart(accuracy(), label, targets().label)) as number)
    expectClose(scores['rocAuc.label']!, (await apart(rocAuc(), label, targets().label)) as number)
    expectClose(
      (scores['confusionMatrix.label'] as unknown as number[][]).flat(),
      ((await apart(confusionMatrix(), label, targets().label)) as number[][]).flat(),
    )
    expectClose(scores['mse.score']!, (await apart(mse(), score, targets().score)) as number)
    expectClose(scores['fit.score']!, (await apart(r2(), score, targets().score)) as number)
    expect(scores['one.label']).toBeTypeOf('number')
  })

  test('and those of a training, and of its validation set', async () => {
    const dataset = g.data.fromTensors(inputs(), targets())
    const { epochs } = await g.fit(new Model(), dataset, {
      epochs: 40,
      batchSize: 5,
      loss: { label: 'crossEntropy', score: 'mse' },
      metrics: { label: ['accuracy', 'rocAuc'], score: ['mae'] },
      optimizer: g.optim.adam({ learningRate: 0.05 }),
      validationSplit: 0.25,
      callbacks: g.callbacks.earlyStopping({ monitor: 'validation.mae.score', patience: 40 }),
    })
    const last = epochs.at(-1)!
    expect(Object.keys(last.validation!)).toEqual(
      expect.arrayContaining(['accuracy.label', 'rocAuc.label', 'mae.score']),
    )
    expect(last['accuracy.label']).toBeGreaterThan(0.8)
    expect(last['mae.score']).toBeLessThan(0.5 * epochs[0]!['mae.score']!)
  })

  test('and of lists; a map and a slice keep their form', async () => {
    const { image, text } = inputs()
    const dataset = g.data
      .fromTensors([image, text], targets().score)
      .map(([a, b], y) => [[a.mul(2), b] as const, y])
      .slice(0, 10)
    expect(dataset.size).toBe(10)
    const [[first, second]] = dataset.batch([1, 2])
    expectClose(first.dataSync(), image.slice(1, 3).mul(2).dataSync())
    expect(second.arraySync()).toEqual([1, 2])
    const table = g.nn.embedding(5, 1)
    const linear = g.nn.linear(3, 1)
    const model = {
      table,
      linear,
      forward: ([a, b]: readonly [g.Tensor, g.Tensor]) => linear.forward(a).add(table.forward(b)),
      parameters: () => [...linear.parameters(), ...table.parameters()],
    }
    const options = { epochs: 40, loss: 'mse', optimizer: g.optim.adam({ learningRate: 0.1 }) } as const
    const { epochs } = await g.fit(model, dataset, options)
    expect(epochs.at(-1)!.loss).toBeLessThan(0.1)
  })

  test('a sequence may begin and end with such a layer', () => {
    const join: (x: { a: g.Tensor; b: g.Tensor }) => g.Tensor = ({ a, b }) => g.concat([a, b], 1)
    const part = (x: g.Tensor): [g.Tensor, g.Tensor] => [x.slice([0, 0], [2, 1]), x.neg()]
    const model = g.nn.sequential(join, g.nn.linear(3, 2), part)
    const [first, second] = model.forward({ a: g.ones([2, 1]), b: g.ones([2, 2]) })
    expect([first.shape, second.shape]).toEqual([
      [2, 1],
      [2, 2],
    ])
  })
})

describe('what does not fit', () => {
  test('rows that differ in number are named', () => {
    const { image, text } = inputs()
    expect(() => g.data.fromTensors({ image, text: text.slice(0, 3) }, image)).toThrow(
      new g.ShapeError(
        'fromTensors: expected x[rows, …] and y[rows, …] of as many rows, got x.image [12, 3], x.text [3] and y [12, 3]',
      ),
    )
    expect(() => g.data.fromTensors({}, image)).toThrow(g.ShapeError)
    expect(() => g.data.fromTensors([image, g.tensor(1)], image)).toThrow(/x\.0 \[12, 3\], x\.1 \[\] and y/)
  })

  test('a loss or a metric by name needs single tensors', async () => {
    const dataset = g.data.fromTensors(inputs(), targets())
    const optimizer = g.optim.sgd({ learningRate: 0.1 })
    await expect(g.fit(new Model(), dataset, { loss: 'mse', optimizer })).rejects.toThrow(
      new TypeError(
        'fit: expected a tensor as prediction and as target for loss mse, got several: give those of each output by its name, or a function',
      ),
    )
    await expect(g.fit(new Model(), dataset, { loss, metrics: ['mae'], optimizer })).rejects.toThrow(/for metric mae/)
  })

  test('metrics by output name outputs that there are, and are lists', async () => {
    const options = { loss, optimizer: g.optim.sgd({ learningRate: 0.1 }) }
    const fit = (metrics: object) =>
      g.fit(new Model(), g.data.fromTensors(inputs(), targets()), { ...options, metrics } as never)
    await expect(fit({ lable: ['accuracy'] })).rejects.toThrow(
      new TypeError(
        'fit: expected a prediction with lable for the losses and metrics of that name, got one with label, score',
      ),
    )
    await expect(fit({ label: 'accuracy' })).rejects.toThrow(
      new TypeError(`fit: expected a list of metrics of label, such as { label: ['accuracy'] }, got "accuracy"`),
    )
    await expect(fit([() => g.tensor(0)])).rejects.toThrow(/a metric, a name or \[{ name: function }\] of yours/)
  })

  test('a validation set that is nothing of the kind', async () => {
    const options = { loss, optimizer: g.optim.sgd({ learningRate: 0.1 }), validation: 0 } as never
    const dataset = g.data.fromTensors(inputs(), targets())
    await expect(g.fit(new Model(), dataset, options)).rejects.toThrow(/fit: expected a validation set/)
  })

  test('types hold model, data and loss together', () => {
    const dataset = g.data.fromTensors(g.zeros([2, 3]), g.zeros([2, 1]))
    const optimizer = g.optim.sgd({ learningRate: 0.1 })
    const refused = async () => {
      // @ts-expect-error the model wants an image and a text
      await g.fit(new Model(), dataset, { loss: () => g.tensor(0), optimizer })
      // @ts-expect-error the loss gets what the model gives
      await g.fit(g.nn.linear(3, 1), dataset, { loss: (p: Outputs) => p.score.mean(), optimizer })
      // @ts-expect-error a module of tensors takes no record
      g.nn.relu().forward({ x: g.zeros([1]) })
    }
    expect(refused).toBeTypeOf('function')
    expectTypeOf(new Model().forward).returns.toEqualTypeOf<Outputs>()
    expectTypeOf(g.nn.linear(1, 1).forward).returns.toEqualTypeOf<g.Tensor>()
    expectTypeOf(dataset).toEqualTypeOf<g.Dataset>()
    expectTypeOf(g.data.fromTensors([[1, 2]], [1])).toEqualTypeOf<g.Dataset>()
    expectTypeOf(g.data.fromTensors(Float32Array.of(1), Int32Array.of(1))).toEqualTypeOf<g.Dataset>()
  })
})

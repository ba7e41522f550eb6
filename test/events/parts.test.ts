/** Histograms, pictures, predictions, graphs and programs that are recorded are those of the model and its data. */
import { PNG } from 'pngjs'
import { describe, expect, test } from 'vitest'
import { type ObserveOptions, observe } from '../../lib/events/observe.ts'
import type { GraphNodeValue, ImageValue } from '../../lib/events/record.ts'
import * as g from '../../lib/index.ts'
import { inspectInTurns } from '../../lib/transforms/inspect.ts'
import { KeptRecords } from '../support/kept-records.ts'
import { classifier, clouds } from '../support/training.ts'
import { turnsUntil } from '../support/turns.ts'

async function recorded(model: object, data: g.TrainingData, given: ObserveOptions, more: Partial<g.FitOptions> = {}) {
  const sink = new KeptRecords()
  const settings = { loss: 'crossEntropy', optimizer: g.optim.adam({ learningRate: 0.02 }), ...more } as const
  await g.fit(model as g.Trainable, data, { ...settings, callbacks: observe(sink, given) })
  return sink
}

describe('histograms', () => {
  test('are of weights, gradients and activations by their paths', async () => {
    const model = classifier()
    const sink = await recorded(model, clouds(60, 1), { histograms: 'epoch' }, { epochs: 1, batchSize: 20 })
    const found = new Map(sink.of('histogram').map(({ tag, value }) => [tag, value]))
    const names = ['0.weight', '0.bias', '2.weight', '2.bias']
    const kinds = ['weights', 'gradients'].flatMap((kind) => names.map((name) => `${kind}/${name}`))
    expect([...found.keys()]).toEqual([...kinds, 'activations/0', 'activations/1', 'activations/2'])
    const [x, y] = clouds(60, 1).batch(g.tensor(Int32Array.from({ length: 20 }, (_, i) => i))) as [g.Tensor, g.Tensor]
    const parameters = model.namedParameters()
    const layers = model.children() as unknown as g.Trainable[]
    const outputs = [layers[0]!.forward(x), layers[1]!.forward(layers[0]!.forward(x)), model.forward(x)]
    const list = g.gradients(g.losses.crossEntropy(model.forward(x), y), Object.values(parameters))
    const expected = new Map<string, g.Tensor>([
      ...names.map((name): [string, g.Tensor] => [`weights/${name}`, parameters[name]!]),
      ...names.map((name, i): [string, g.Tensor] => [`gradients/${name}`, list[i]!]),
      ...outputs.map((x, i): [string, g.Tensor] => [`activations/${i}`, x]),
    ])
    for (const [tag, tensor] of expected) {
      const value = found.get(tag)!
      expect(
        value.counts.reduce((a, b) => a + b),
        tag,
      ).toBe(tensor.size)
      expect(value.minimum, tag).toBeCloseTo(tensor.min().itemSync(), 6)
      expect(value.maximum, tag).toBeCloseTo(tensor.max().itemSync(), 6)
      expect(value.sum, tag).toBeCloseTo(tensor.sum().itemSync(), 4)
      expect(value.sumOfSquares, tag).toBeCloseTo(tensor.square().sum().itemSync(), 4)
    }
  })

  test.each([
    [false, 5, []],
    ['epoch', 3, [1, 2, 3]],
    [2, 5, [2, 4, 5]],
  ] as const)('%s: of %i epochs those after %j', async (histograms, epochs, after) => {
    const sink = await recorded(classifier(), clouds(30, 1), { histograms }, { epochs })
    expect([...new Set(sink.of('histogram').map(({ epoch }) => epoch))]).toEqual([...after])
  })

  test('are of a model that is no module, too', async () => {
    const w = g.variable(g.zeros([2, 3]))
    const model = { forward: (x: g.Tensor) => x.matmul(w), parameters: () => [w] }
    const sink = await recorded(model, clouds(30, 1), { histograms: 'epoch' })
    expect(sink.of('histogram').map(({ tag }) => tag)).toEqual(['weights/0', 'gradients/0'])
  })

  test('are of the first batch of a stream', async () => {
    const label = (i: number) => g.tensor(i % 3, { dtype: 'int32' })
    const stream = g.data.fromGenerator(function* () {
      for (let i = 0; i < 40; i++) yield [[i / 40, 1 - i / 40], label(i)]
    })
    const sink = await recorded(classifier(), stream.batch(8) as never, {
      histograms: 'epoch',
      graph: true,
      text: 'summary',
    })
    const [first] = sink.of('histogram').filter(({ tag }) => tag === 'activations/0')
    expect(first!.value.counts.reduce((a, b) => a + b)).toBe(8 * 16)
    expect(sink.of('graph').length).toBe(1)
    expect(sink.of('text').length).toBe(1)
  })

  test('are counted a few at a time', async () => {
    const model = g.nn.sequential(...Array.from({ length: 40 }, () => g.nn.linear(2, 2)), g.nn.linear(2, 3))
    const plain = await turnsUntil(recorded(model, clouds(30, 1), {}))
    const counted = await turnsUntil(recorded(model, clouds(30, 1), { histograms: 'epoch' }))
    // 82 weights and as many gradients, 41 activations; four in a program.
    expect(counted).toBeGreaterThan(plain + 25)
  })
})

describe('predictions of the validation set', () => {
  test('are counted by classes, and the worst come first', async () => {
    const [data, validation] = [clouds(60, 1), clouds(45, 2)]
    const model = classifier()
    const labels = ['a', 'b', 'c']
    const sink = await recorded(
      model,
      data,
      { confusion: true, examples: 4, labels },
      { epochs: 2, validation, batchSize: 7 },
    )
    expect(sink.of('confusion').length).toBe(2)
    const rows = g.tensor(Int32Array.from({ length: 45 }, (_, i) => i))
    const [x, y] = validation.batch(rows) as [g.Tensor, g.Tensor]
    const logits = model.eval().forward(x)
    const [truth, predicted] = [y, logits.argmax(1)].map((x) => Array.from(x.dataSync())) as [number[], number[]]
    const counts = Array.from({ length: 3 }, () => [0, 0, 0])
    for (const [i, label] of truth.entries()) counts[label]![predicted[i]!]!++
    expect(sink.of('confusion')[1]).toMatchObject({ labels, counts, step: 18, epoch: 2 })
    const probabilities = logits.softmax(1).arraySync() as number[][]
    const worst = truth
      .map((label, row) => ({ row, label, predicted: predicted[row]!, probability: probabilities[row]![label]! }))
      .filter(({ label, predicted }) => label !== predicted)
      .sort((a, b) => a.probability - b.probability)
      .slice(0, 4)
    const { examples } = sink.of('examples')[1]!
    expect(examples.map(({ row, label, predicted }) => ({ row, label, predicted }))).toEqual(
      worst.map(({ row, label, predicted }) => ({ row, label, predicted })),
    )
    for (const [i, { probability }] of examples.entries()) expect(probability).toBeCloseTo(worst[i]!.probability, 5)
  })

  test('of one-hot labels are the same', async () => {
    const [x, y] = clouds(45, 2).batch(g.tensor(Int32Array.from({ length: 45 }, (_, i) => i))) as [g.Tensor, g.Tensor]
    const given = { confusion: true }
    const found = await Promise.all(
      [y, g.oneHot(y, 3)].map(async (y) => {
        g.setSeed(3)
        const data = g.data.fromTensors(x, y)
        return (await recorded(classifier(), data, given, { validation: data, seed: 1 })).of('confusion')[0]!.counts
      }),
    )
    expect(found[0]).toEqual(found[1])
  })

  test.each<[string, () => Promise<unknown>, RegExp]>([
    [
      'a regression',
      () => {
        const data = g.data.fromTensors(g.randn([10, 2]), g.randn([10, 1]))
        return recorded(g.nn.linear(2, 1), data, { confusion: true }, { loss: 'mse', validation: data })
      },
      /observe: expected a number for each class of each row/,
    ],
    [
      'too few labels',
      () => recorded(classifier(), clouds(30, 1), { confusion: true, labels: ['a'] }, { validation: clouds(30, 2) }),
      /observe: expected a label for each of 3 classes, got 1/,
    ],
    [
      'too many classes',
      () => {
        const data = g.data.fromTensors(g.randn([10, 2]), g.zeros([10], { dtype: 'int32' }))
        return recorded(g.nn.linear(2, 300), data, { confusion: true }, { validation: data })
      },
      /at most 256 classes/,
    ],
  ])('%s is an error', async (_, run, message) => {
    await expect(run()).rejects.toThrow(message)
  })
})

const pixelsIn = ({ png, width, height }: ImageValue): number[] => {
  const found = PNG.sync.read(Buffer.from(png, 'base64'))
  expect([found.width, found.height]).toEqual([width, height])
  return Array.from(found.data)
}

/** As PNG.js gives them, with alpha. */
const rgba = (pixels: readonly number[], channels: number): number[] =>
  Array.from({ length: pixels.length / channels }, (_, i) => pixels.slice(i * channels, (i + 1) * channels)).flatMap(
    (pixel) => (channels === 4 ? pixel : channels === 3 ? [...pixel, 255] : [pixel[0]!, pixel[0]!, pixel[0]!, 255]),
  )

describe('pictures', () => {
  const bytes = Array.from({ length: 2 * 6 * 5 * 4 }, (_, i) => (i * 37) % 256)
  const ofBytes = (shape: number[]) => {
    const size = shape.reduce((a, b) => a * b)
    return g.tensor(Uint8Array.from(bytes.slice(0, size)), { shape })
  }
  const first = (x: g.Tensor, given: ObserveOptions = {}) => {
    const model = {
      w: g.variable(g.zeros([3])),
      forward(x: g.Tensor) {
        return x.cast('float32').reshape([x.shape[0]!, -1]).mean(1, { keepDims: true }).mul(0).add(this.w)
      },
      parameters() {
        return [this.w]
      },
    }
    const data = g.data.fromTensors(x, g.zeros([x.shape[0]!], { dtype: 'int32' }))
    return recorded(model, data, { images: 2, ...given }).then(
      (sink) => sink.of('images') as unknown as [{ tag: string; images: ImageValue[] }],
    )
  }

  test.each([
    [[2, 6, 5], 1],
    [[2, 6, 5, 1], 1],
    [[2, 6, 5, 3], 3],
    [[2, 6, 5, 4], 4],
  ] as const)('of bytes of shape %j are those bytes', async (shape, channels) => {
    const [{ tag, images }] = await first(ofBytes([...shape]))
    expect(tag).toBe('inputs')
    expect(images.map(({ width, height, channels }) => [width, height, channels])).toEqual(
      Array(2).fill([5, 6, channels]),
    )
    const size = 30 * channels
    for (const [i, image] of images.entries())
      expect(pixelsIn(image)).toEqual(rgba(bytes.slice(i * size, (i + 1) * size), channels))
  })

  test('with the channels first are turned', async () => {
    const x = ofBytes([2, 3, 4, 5])
    const [{ images }] = await first(x)
    expect(pixelsIn(images[1]!)).toEqual(rgba(Array.from(x.transpose([0, 2, 3, 1]).dataSync()).slice(60, 120), 3))
  })

  test.each([
    ['from 0 to 1', [0, 0.5, 1, 0.25], [0, 128, 255, 64]],
    ['bytes', [0, 100, 255, 7], [0, 100, 255, 7]],
    ['others', [-1, 0, 1, 0.5], [0, 128, 255, 191]],
    ['equal ones', [-2, -2, -2, -2], [0, 0, 0, 0]],
  ])('of floats %s', async (_, values, expected) => {
    const [{ images }] = await first(g.tensor(values, { shape: [1, 2, 2] }))
    expect(pixelsIn(images[0]!)).toEqual(rgba(expected, 1))
  })

  test('of rows of numbers have the shape that is given', async () => {
    const [{ images }] = await first(ofBytes([2, 20]), { imageShape: [4, 5] })
    expect(pixelsIn(images[0]!)).toEqual(rgba(bytes.slice(0, 20), 1))
    expect(await first(ofBytes([2, 20]))).toEqual([])
    await expect(first(ofBytes([2, 20]), { imageShape: [3, 5] })).rejects.toThrow(/rows of 15 numbers/)
  })

  test('that are large are thinned out', async () => {
    const [{ images }] = await first(g.zeros([1, 600, 300]))
    expect([images[0]!.height, images[0]!.width]).toEqual([200, 150])
  })

  test('of a function come after each epoch', async () => {
    const seen: number[] = []
    const images = ({ epoch }: { epoch: number }) => {
      seen.push(epoch)
      return { mine: g.full([3, 2, 2], epoch) }
    }
    const sink = await recorded(classifier(), clouds(30, 1), { images }, { epochs: 2 })
    expect(seen).toEqual([0, 1])
    expect(sink.of('images').map(({ tag, epoch, images }) => [tag, epoch, images.length])).toEqual([
      ['mine', 1, 3],
      ['mine', 2, 3],
    ])
    const bad = (images: unknown) => recorded(classifier(), clouds(30, 1), { images: (() => images) as never })
    await expect(bad([])).rejects.toThrow(/tensors by name from images/)
    await expect(bad({ a: 1 })).rejects.toThrow(/a tensor as a from images, got 1/)
    await expect(bad({ a: g.zeros([3]) })).rejects.toThrow(/pictures as a/)
  })

  test('of the worst examples are their inputs', async () => {
    const x = ofBytes([2, 4, 5])
    const data = g.data.fromTensors(x, g.tensor(Int32Array.of(0, 1)))
    const model = g.nn.sequential(g.nn.flatten(), (x) => x.cast('float32').div(255), g.nn.linear(20, 3))
    const bias = (model.children().at(-1) as unknown as g.nn.Linear).bias!
    bias.assign(g.tensor([-50, -50, 50]))
    const sink = await recorded(
      model,
      data,
      { examples: 5 },
      { validation: data, optimizer: g.optim.sgd({ learningRate: 0 }) },
    )
    const { examples } = sink.of('examples')[0]!
    expect(examples.map(({ predicted }) => predicted)).toEqual([2, 2])
    for (const { row, image } of examples)
      expect(pixelsIn(image!)).toEqual(rgba(bytes.slice(20 * row, 20 * row + 20), 1))
  })
})

describe('graphs', () => {
  const graphOf = async (model: object, data: object) =>
    (await recorded(model, data as g.Dataset, { graph: true }, { batchSize: 4 })).of('graph')[0]!.nodes
  const scopes = (nodes: readonly GraphNodeValue[]) => [
    ...new Set(nodes.map(({ name }) => name.split('/').slice(0, -1).join('/'))),
  ]

  test('of a perceptron', async () => {
    const nodes = await graphOf(classifier(), clouds(30, 1))
    const lines = nodes.map(({ name, op, inputs, dtype, shape }) => `${name}: ${op}(${inputs}) ${dtype}[${shape}]`)
    expect(lines).toEqual([
      'input: input() float32[4,2]',
      '0/weight: parameter() float32[16,2]',
      '0/permute: permute(0/weight) float32[2,16]',
      '0/matmul: matmul(input,0/permute) float32[4,16]',
      '0/bias: parameter() float32[16]',
      '0/add: add(0/matmul,0/bias) float32[4,16]',
      '1/tanh: tanh(0/add) float32[4,16]',
      '2/weight: parameter() float32[3,16]',
      '2/permute: permute(2/weight) float32[16,3]',
      '2/matmul: matmul(1/tanh,2/permute) float32[4,3]',
      '2/bias: parameter() float32[3]',
      '2/add: add(2/matmul,2/bias) float32[4,3]',
      'output: output(2/add) float32[4,3]',
    ])
  })

  test('of a convolutional network', async () => {
    const model = g.nn.sequential(
      g.nn.conv2d(1, 4, 3),
      g.nn.batchNorm2d(4),
      g.nn.maxPool2d(2),
      g.nn.flatten(),
      g.nn.linear(36, 3),
    )
    const data = g.data.fromTensors(g.randn([8, 1, 8, 8]), g.zeros([8], { dtype: 'int32' }))
    const nodes = await graphOf(model, data)
    expect(scopes(nodes)).toEqual(['', '0', '1', '2', '3', '4'])
    const find = (name: string) => nodes.find((node) => node.name === name)
    expect(find('0/conv2d')).toMatchObject({ inputs: ['input', '0/weight'], shape: [4, 4, 6, 6] })
    expect(find('1/runningMean')).toMatchObject({ op: 'parameter', shape: [4] })
    expect(nodes.find(({ name }) => name.startsWith('2/'))!.shape).toEqual([4, 4, 3, 3])
    expect(find('output')).toMatchObject({ op: 'output', shape: [4, 3] })
  })

  test('of a transformer', async () => {
    class Classifier extends g.nn.Module {
      embedding = g.nn.embedding(11, 8)
      encoder = g.nn.transformerEncoder(8, 2, 2)
      head = g.nn.linear(8, 3)
      forward(x: g.Tensor) {
        return this.head.forward(this.encoder.forward(this.embedding.forward(x)).mean(1))
      }
    }
    const data = g.data.fromTensors(g.randint([8, 5], 11), g.zeros([8], { dtype: 'int32' }))
    const nodes = await graphOf(new Classifier(), data)
    const layer = (i: number) =>
      ['attention.query', 'attention.key', 'attention', 'attention.output', 'norm1', 'linear1', 'linear2'].map(
        (part) => `encoder.layers.${i}.${part}`,
      )
    expect(scopes(nodes)).toEqual(expect.arrayContaining(['', 'embedding', ...layer(0), ...layer(1), 'head']))
    const query = nodes.find(({ name }) => name === 'encoder.layers.1.attention.query/weight')
    expect(query).toMatchObject({ op: 'parameter', shape: [8, 8] })
    expect(nodes.at(-1)).toMatchObject({ op: 'output', shape: [4, 3] })
  })

  test('of several inputs and outputs by name', async () => {
    type Two = { a: g.Tensor; b: g.Tensor }
    const a = g.nn.linear(2, 3)
    const model = { forward: (x: Two) => a.forward(x.a).add(x.b), parameters: () => a.parameters() }
    const data = g.data.fromTensors({ a: g.zeros([5, 2]), b: g.zeros([5, 3]) }, g.zeros([5], { dtype: 'int32' }))
    const nodes = await graphOf(model, data)
    expect(nodes.map(({ name }) => name)).toEqual(expect.arrayContaining(['input/a', 'input/b', 'matmul', 'output']))
  })
})

describe('the program', () => {
  test('is that of the training step, with times of its instructions', async () => {
    const sink = await recorded(classifier(), clouds(60, 1), { program: true }, { epochs: 2, batchSize: 1 })
    const [program, ...others] = sink.of('program')
    expect(others).toEqual([])
    expect(program!.instructions.map(({ opcode }) => opcode)).toEqual(expect.arrayContaining(['matmul', 'adam']))
    for (const { microseconds, limitMicroseconds } of program!.instructions) {
      expect(microseconds).toBeGreaterThanOrEqual(0)
      expect(limitMicroseconds).toBeGreaterThanOrEqual(0)
    }
    expect(program!.gigaflops).toBeGreaterThan(0)
  })

  test('is measured so that the event loop turns', async () => {
    const x = g.randn([64, 64], { seed: 1 })
    const measured = inspectInTurns(((x: g.Tensor) => x.matmul(x).relu()) as never, [x], 20)
    expect(await turnsUntil(measured)).toBeGreaterThan(4)
    expect((await measured).microseconds).toBeGreaterThan(0)
    expect((await inspectInTurns(((x: g.Tensor) => x.relu()) as never, [x], 0)).microseconds).toBeUndefined()
  })
})

describe('texts', () => {
  test('are the summary, or those that are given', async () => {
    const model = classifier()
    const sink = await recorded(model, clouds(30, 1), { text: 'summary' })
    expect(sink.of('text').map(({ tag, text }) => [tag, text])).toEqual([['summary', model.summary([30, 2])]])
    const given = await recorded(classifier(), clouds(30, 1), { text: { notes: 'of mine' } })
    expect(given.of('text')).toEqual([expect.objectContaining({ tag: 'notes', text: 'of mine', step: 0 })])
  })
})

describe('options that do not fit', () => {
  test.each<[ObserveOptions, RegExp]>([
    [{ histograms: 0 }, /histograms to be/],
    [{ histograms: 'step' as never }, /histograms to be/],
    [{ images: 0 }, /images to be/],
    [{ images: 'inputs' as never }, /images to be/],
    [{ imageShape: [28] }, /imageShape/],
    [{ imageShape: [28, -1] }, /imageShape/],
    [{ examples: -1 }, /examples/],
    [{ labels: 'cat' as never }, /labels/],
    [{ labels: [1] as never }, /labels/],
    [{ text: 'all' as never }, /text/],
    [{ text: { a: 1 } as never }, /texts by name/],
  ])('%j', (given, message) => {
    expect(() => observe(new KeptRecords(), given)).toThrow(message)
  })
})

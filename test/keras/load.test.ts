/** Models and weights as Keras saved them. */
import { readFileSync } from 'node:fs'
import * as g from 'galvani'
import { describe, expect, test } from 'vitest'
import { openHdf5 } from '../../lib/keras/hdf5/hdf5.ts'
import * as keras from '../../lib/keras/index.ts'
import { expectClose } from '../support/close.ts'
import { type Case, fixture, forward, modelOf, type Numbers, pathOf, tensorOf } from './fixtures.ts'
import { customLayers, Scale } from './scale.ts'

const files = fixture<Record<string, Pick<Case, 'inputs' | 'outputs'>>>('files')

function expectOutputs(model: keras.KerasModel, name: string): void {
  const { inputs, outputs } = files[name]!
  const results = forward(model, inputs)
  expect(results.map(({ shape }) => shape)).toEqual(outputs.map(({ shape }) => shape))
  for (const [i, { values }] of outputs.entries()) expectClose(results[i]!, values, 5e-6)
}

describe.each(['mlp', 'cnn', 'graph', 'custom'])('the model %s', (name) => {
  test.each(['keras', 'h5'])('from .%s, by path and in memory', async (kind) => {
    const path = pathOf(`${name}.${kind}`)
    expectOutputs(await keras.load(path, { customLayers }), name)
    expectOutputs(await keras.load(readFileSync(path), { customLayers }), name)
  })
})

test('a file in the newest format of HDF5 gives the same', async () => {
  expectOutputs(await keras.load(pathOf('small-newest.h5')), 'small')
  const root = openHdf5('small-newest.h5', readFileSync(pathOf('small-newest.h5')))
  const names = Array.from({ length: 40 }, (_, i) => `group_${i}`)
  expect(root.child('many')!.names.toSorted()).toEqual(names.toSorted())
})

describe('a model', () => {
  test('has its parameters under the names of its layers', async () => {
    const model = await keras.load(pathOf('mlp.keras'))
    expect(Object.keys(model.namedParameters())).toEqual([
      'hidden.kernel',
      'hidden.bias',
      'norm.gamma',
      'norm.beta',
      'classes.kernel',
      'classes.bias',
    ])
    expect(Object.keys(model.namedBuffers())).toEqual(['norm.moving_mean', 'norm.moving_variance'])
    expect(model.namedParameters()['hidden.kernel']!.shape).toEqual([4, 8])
    expect(model.inputs).toEqual([{ name: 'features', shape: [null, 4], dtype: 'float32' }])
    expect(model.outputs).toEqual(['classes'])
  })

  test('calls a layer by a name that is a path of its own', async () => {
    const model = await keras.load(pathOf('cnn.keras'))
    expect(Object.keys(model.namedParameters())).toContain('stem_norm.gamma')
    expect(model.layer('stem.norm')).toBeInstanceOf(keras.KerasLayer)
    expect(() => model.layer('other')).toThrow(RangeError)
  })

  test('has frozen what was, and shared what is', async () => {
    const model = await keras.load(pathOf('graph.keras'))
    const names = Object.keys(model.namedParameters())
    expect(names.filter((name) => name.startsWith('inner.'))).toEqual([])
    expect(names.filter((name) => name.startsWith('shared.'))).toEqual(['shared.kernel', 'shared.bias'])
    expect(model.layer('inner').namedBuffers()).not.toEqual({})
    model.unfreeze('inner')
    expect(Object.keys(model.namedParameters()).filter((name) => name.startsWith('inner.'))).toHaveLength(4)
  })

  test('takes its inputs by name or in a list, and refuses others', async () => {
    const model = await keras.load<g.Tensor[]>(pathOf('graph.keras'))
    const [tokens, extra] = files.graph!.inputs.map(tensorOf) as [g.Tensor, g.Tensor]
    const byName = model.forward({ extra, tokens })
    expectClose(byName[0]!, files.graph!.outputs[0]!.values, 5e-6)
    expect(() => model.forward({ tokens })).toThrow('expected inputs tokens, extra, got tokens')
    expect(() => model.forward([tokens])).toThrow('expected 2 inputs, got 1')
    expect(() => model.forward([extra, tokens])).toThrow('expected an input tokens of shape [batch, 6, 4], got [2, 2]')
  })

  test('has a text and a summary that name the layers of Keras', async () => {
    const model = await keras.load(pathOf('mlp.keras'))
    expect(String(model)).toBe(
      [
        'Sequential(',
        '  (hidden): Dense(units=8, activation=relu)',
        '  (norm): BatchNormalization()',
        '  (drop): Dropout(rate=0.25)',
        '  (classes): Dense(units=3, activation=softmax)',
        ')',
      ].join('\n'),
    )
    expect(model.summary([1, 4])).toMatch(/hidden: Dense +\[1, 8\] +40/)
  })

  test('runs compiled', async () => {
    const model = await keras.load(pathOf('cnn.keras'))
    const { inputs, outputs } = files.cnn!
    const run = g.compile((x: g.Tensor) => model.forward(x) as g.Tensor)
    expectClose(await run(tensorOf(inputs[0]!)), outputs[0]!.values, 5e-6)
  })

  test('has custom layers that were given', async () => {
    const model = await keras.load(pathOf('custom.keras'), { customLayers })
    expect(model.layer('scale')).toBeInstanceOf(Scale)
    const byPackage = { 'test>Scale': customLayers.Scale }
    expectOutputs(await keras.load(pathOf('custom.keras'), { customLayers: byPackage }), 'custom')
  })
})

describe('weights', () => {
  test('of save_weights come into a model', async () => {
    for (const kind of ['keras', 'h5']) {
      const model = await keras.load(pathOf(`mlp.${kind}`))
      await keras.loadWeights(model, pathOf('mlp.weights.h5'))
      expectOutputs(model, 'mlp, later weights')
      await keras.loadWeights(model, pathOf('mlp.h5'))
      expectOutputs(model, 'mlp')
    }
  })

  test('of another model change nothing', async () => {
    const model = await keras.load(pathOf('mlp.keras'))
    await expect(keras.loadWeights(model, pathOf('cnn.h5'))).rejects.toThrow(g.DataFormatError)
    expectOutputs(model, 'mlp')
    await expect(keras.load(pathOf('mlp.weights.h5'))).rejects.toThrow('loadWeights')
  })
})

describe('training', () => {
  interface Training extends Omit<Case, 'inputs' | 'outputs'> {
    readonly x: Numbers
    readonly y: Numbers
    readonly losses: readonly number[]
    readonly after: readonly Numbers[]
  }

  test('by some steps of SGD gives the weights that Keras has then', () => {
    const { config, weights, x, y, losses, after } = fixture<Training>('training')
    const model = modelOf(config, weights)
    model.train()
    const optimizer = g.optim.sgd({ learningRate: 0.1 })
    const labels = tensorOf(y)
    for (const expected of losses) {
      const loss = optimizer.minimize(() =>
        g.losses.negativeLogLikelihood((model.forward(tensorOf(x)) as g.Tensor).log(), labels),
      )
      expectClose(loss, expected, 1e-5)
    }
    const names = [
      'hidden.kernel',
      'hidden.bias',
      'norm.gamma',
      'norm.beta',
      'norm.moving_mean',
      'norm.moving_variance',
    ]
    const state = model.stateDict()
    for (const [i, name] of [...names, 'classes.kernel', 'classes.bias'].entries())
      expectClose(state[name]!, after[i]!.values, 1e-5)
  })

  test('with fit changes what is trained, and what is frozen not', async () => {
    const model = await keras.load(pathOf('mlp.h5'))
    model.freeze('hidden')
    const before = model.stateDict()
    const x = g.randn([32, 4])
    const y = g.randint([32], 3)
    const loss = (p: g.Tensor, labels: g.Tensor) => g.losses.negativeLogLikelihood(p.log(), labels)
    await g.fit(model, g.data.fromTensors(x, y), {
      epochs: 1,
      batchSize: 8,
      loss,
      optimizer: g.optim.sgd({ learningRate: 0.1 }),
    })
    const after = model.stateDict()
    const changed = Object.keys(after).filter(
      (name) => String(after[name]!.dataSync()) !== String(before[name]!.dataSync()),
    )
    expect(changed).toEqual([
      'norm.gamma',
      'norm.beta',
      'norm.moving_mean',
      'norm.moving_variance',
      'classes.kernel',
      'classes.bias',
    ])
  })
})

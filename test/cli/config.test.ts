/** What may stand in a configuration, and what is said of what may not: all of it, by its key. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'
import { describe, expect, test } from 'vitest'
import { ConfigError } from '../../lib/cli/config/diagnostics.ts'
import { callbacks, optimizers, schedulesByName } from '../../lib/cli/config/functions.ts'
import { layers } from '../../lib/cli/config/layers.ts'
import { overrideOf, withOverrides } from '../../lib/cli/config/overrides.ts'
import { completed, faultsIn, type TrainConfig } from '../../lib/cli/config/schema.ts'
import * as g from '../../lib/index.ts'
import { root } from '../support/project.ts'

const good = {
  data: { type: 'csv', path: 'iris.csv', target: 'species' },
  model: [{ type: 'linear', outFeatures: 16 }, 'relu', 'linear'],
}

const faults = (change: object) => faultsIn({ ...good, ...change }).map(({ key, message }) => `${key}: ${message}`)

describe('a configuration', () => {
  test.each<[string, object]>([
    ['that says the least', {}],
    ['whose data say by their name what they are', { data: { path: 'iris.tsv', target: ['a', 'b'] } }],
    ['of MNIST', { data: { type: 'mnist' }, validation: 'test' }],
    ['of arrays', { data: { type: 'npy', x: 'x.npy', y: 'y.npy', normalize: 'standard' } }],
    ['with a model of a file', { model: './model.ts' }],
    ['with a model of a file that has options', { model: { file: './model.ts', options: { width: 3 } } }],
    ['that has functions in it', { model: () => g.nn.relu(), loss: () => 0, metrics: [{ mine: () => 0 }] }],
    ['that has things of the library in it', { optimizer: g.optim.adam(), callbacks: [g.callbacks.earlyStopping()] }],
    ['with layers in layers', { model: [{ type: 'residual', inner: ['relu', { type: 'linear', outFeatures: 4 }] }] }],
    ['with a schedule by name alone', { schedule: 'cosine', optimizer: { type: 'sgd', learningRate: 0.1 } }],
    ['with other data to validate on', { validation: { path: 'other.csv' }, test: { path: 'test.jsonl' } }],
    ['with weights of classes', { classWeights: { setosa: 2 } }],
  ])('%s is right', (_, change) => expect(faults(change)).toEqual([]))

  test('is told all its faults at once, by their keys and with the nearest names', () => {
    expect(
      faults({
        data: { type: 'csv', path: 'iris.csv', taget: 'species', normalize: 'standart' },
        model: [
          'rellu',
          { type: 'linear', outFeature: 16 },
          { type: 'linear', outFeatures: 2.5 },
          { type: 'dropout', rate: 2 },
        ],
        optimizer: { type: 'adam', learningRat: 0.1 },
        loss: 'crossentropy',
        metrics: ['acuracy'],
        epochs: 'ten',
        batch_size: 3,
        checkpoint: { every: { epoch: 1 } },
        callbacks: [{ type: 'earlyStopping', patiance: 3 }],
      }),
    ).toMatchInlineSnapshot(`
      [
        "data.taget: unknown key "taget"; did you mean target?",
        "data.normalize: unknown normalization "standart"; did you mean standard?",
        "data.target: is missing",
        "model[0]: unknown layer "rellu"; did you mean relu?",
        "model[1].outFeature: unknown key "outFeature"; did you mean outFeatures?",
        "model[2]: linear: expected a positive integer of features, got 2.5",
        "model[3]: dropout: expected a rate in [0, 1], got 2",
        "optimizer.learningRat: unknown key; did you mean learningRate?",
        "loss: unknown loss "crossentropy"; did you mean crossEntropy?",
        "metrics[0]: unknown metric "acuracy"; did you mean accuracy?",
        "epochs: expected an integer from 1, got "ten"",
        "batch_size: unknown key "batch_size"; did you mean batchSize?",
        "checkpoint.every.epoch: unknown key "epoch"; did you mean epochs?",
        "callbacks[0].patiance: unknown key; did you mean patience?",
      ]
    `)
  })

  test.each<[unknown, string]>([
    [null, ': expected an object, got null'],
    [[], ': expected an object, got []'],
    [{}, 'data: is missing; model: is missing'],
    [{ ...good, model: [] }, 'model: expected at least one layer, got none'],
    [{ ...good, data: { path: 'iris' } }, 'data.type: is missing; there are csv, jsonLines, parquet'],
    [{ ...good, data: { type: 'csvs' } }, 'data.type: unknown type of data "csvs"; did you mean csv?'],
    [{ ...good, validation: 1 }, 'validation: expected a share above 0 and below 1, "test", or { path: … }, got 1'],
    [{ ...good, optimizer: { learningRate: 1 } }, 'optimizer.type: is missing'],
    [
      { ...good, model: [{ type: 'sequential', layers: ['reluu'] }] },
      'model[0].layers[0]: unknown layer "reluu"; did you mean relu?',
    ],
    [{ ...good, name: '../up' }, 'name: expected a name of letters'],
  ])('%j is refused: %s', (config, what) => {
    const said = faultsIn(config).map(({ key, message }) => `${key}: ${message}`)
    expect(said.join('; ')).toContain(what)
  })

  test('knows its data by the name of the file', () => {
    const data = { path: 'x.jsonl', target: 'y' } as unknown as TrainConfig['data']
    expect(completed({ ...good, data } as TrainConfig).data.type).toBe('jsonLines')
  })

  test('that cannot be used is an error with a line for each fault', () => {
    const { message } = new ConfigError('iris.json', [
      { key: 'epochs', message: 'is missing' },
      { key: 'optimizer.type', message: 'is missing' },
    ])
    expect(message).toBe('2 faults in iris.json\n  epochs          is missing\n  optimizer.type  is missing')
  })
})

describe('--set', () => {
  const set = (...typed: string[]) => withOverrides(good, typed.map(overrideOf))

  test('puts values into their places, as JSON or else as texts', () => {
    expect(set('epochs=3', 'loss=mse', 'data.features=["a"]', 'name=7a')).toEqual({
      ...good,
      ...{ epochs: 3, loss: 'mse', name: '7a' },
      data: { ...good.data, features: ['a'] },
    })
    expect(good.data).not.toHaveProperty('features')
  })

  test('reaches into lists, and makes calls of names', () => {
    expect(set('model[0].outFeatures=4', 'model.2.outFeatures=3', 'optimizer.learningRate=0.1')).toMatchObject({
      model: [{ outFeatures: 4 }, 'relu', { type: 'linear', outFeatures: 3 }],
      optimizer: { learningRate: 0.1 },
    })
  })

  test.each([
    ['epochs', '--set: expected key=value, got epochs'],
    ['=3', '--set: expected key=value, got =3'],
    ['model[7].rate=1', '--set model[7].rate: expected a place from 0 to 2, got 7'],
    ['data.path.deeper.still=1', undefined],
    ['__proto__.polluted=1', '--set: expected a key of a configuration, got __proto__.polluted'],
  ])('%s', (typed, message) => {
    if (message) expect(() => set(typed)).toThrow(message)
    else expect(faultsIn(set(typed)).length).toBeGreaterThan(0)
    expect({}).not.toHaveProperty('polluted')
  })
})

/** The names of the arguments of exported functions, from their sources. */
function declaredParameters(...folders: string[]): Map<string, string[]> {
  const found = new Map<string, string[]>()
  const files = folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => join(root, folder, name)),
  )
  const note = (name: string, parameters: ts.NodeArray<ts.ParameterDeclaration>) => {
    const names = parameters.filter(({ dotDotDotToken }) => !dotDotDotToken).map((each) => each.name.getText())
    if (!found.has(name)) found.set(name, names)
  }
  for (const file of files) {
    const source = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest, true)
    source.forEachChild((node) => {
      if (ts.isFunctionDeclaration(node) && node.name) note(node.name.text, node.parameters)
      if (!ts.isVariableStatement(node)) return
      for (const { name, initializer } of node.declarationList.declarations)
        if (initializer && ts.isArrowFunction(initializer)) note(name.getText(), initializer.parameters)
    })
  }
  return found
}

describe('what is called by name', () => {
  const declared = declaredParameters('lib/nn', 'lib/data/augment', 'lib/optim', 'lib/train/callbacks')

  test.each(Object.entries({ ...layers, ...callbacks }).filter(([name]) => declared.has(name)))(
    '%s has the names of its arguments',
    (name, { parameters, hasOptions }) => {
      if (name === 'sequential') return
      const names = [...parameters.map((each) => each.name), ...(hasOptions ? ['options'] : [])]
      expect(names).toEqual(declared.get(name))
    },
  )

  test('are all layers of nn that take a tensor and give one', () => {
    const others =
      /^([A-Z].*|init|kvCache|lambda|module(Dict|List)|.*Cell|embeddingBag|(spectral|weight)Norm|sinusoidalEncoding|rotaryEmbedding|transformer(Decoder(Layer)?)?)$/
    const missing = Object.keys(g.nn).filter((name) => !others.test(name) && !(name in layers))
    expect(missing).toEqual([])
    const augmentations = Object.keys(g.data.augment).filter((name) => !/^([A-Z].*|mixup)$/.test(name))
    expect(augmentations.filter((name) => !(name in layers))).toEqual([])
  })

  test('are all optimizers, schedules and callbacks that need no function', () => {
    const none = /^([A-Z].*|accumulate|chain|clipBy.*|globalNorm|ema|swa|lossScale|optimizer|lbfgs)$/
    expect(Object.keys(g.optim).filter((name) => !none.test(name) && !(name in optimizers))).toEqual([])
    const joined = /^([A-Z].*|constant|chained|sequential|lambda|warmup|reduceOnPlateau)$/
    expect(Object.keys(g.schedules).filter((name) => !joined.test(name) && !(name in schedulesByName))).toEqual([])
    const others = ['progressBar', 'learningRateSchedule']
    expect(Object.keys(g.callbacks).filter((name) => !others.includes(name) && !(name in callbacks))).toEqual([])
  })
})

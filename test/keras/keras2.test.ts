/** Configs of Keras 2: they describe calls in another way, and a name or two means something else. */
import * as g from 'galvani'
import { describe, expect, test } from 'vitest'
import { readModel } from '../../lib/keras/architecture.ts'
import { drawModel, placesOf } from '../../lib/keras/blueprint.ts'
import { buildModel, type KerasModel } from '../../lib/keras/model.ts'
import { put, type Weights } from '../../lib/keras/weights.ts'
import { expectClose } from '../support/close.ts'
import { type Case, fixture, forward, tensorOf } from './fixtures.ts'

const cases = fixture<Record<string, Case>>('layers')

type Node = readonly unknown[]
interface Layer {
  class_name: string
  name: string
  config: Record<string, unknown>
  inbound_nodes: unknown[]
}
type Config = { class_name: string; config: { layers: Layer[]; [name: string]: unknown } }

/** The model of a config as Keras 2 would have written it, with the weights of a case. */
function keras2Model(name: string, change: (config: Config) => void): KerasModel {
  const { config, weights } = cases[name]!
  const changed = structuredClone(config) as Config
  change(changed)
  const origin = { op: 'keras.load', file: 'config', dialect: 'keras2' } as const
  const blueprint = drawModel(readModel(origin, changed), {})
  const values: Weights = new Map()
  for (const [i, place] of placesOf(blueprint).entries()) put(values, origin, place, tensorOf(weights[i]!))
  return buildModel(blueprint, values)
}

function expectCase(model: KerasModel, name: string): void {
  const { inputs, outputs } = cases[name]!
  for (const [i, output] of forward(model, inputs).entries()) expectClose(output, outputs[i]!.values, 5e-6)
}

const last = (config: Config): Layer => config.config.layers.at(-1)!
const inputName = (config: Config, i: number): string => config.config.layers[i]!.name

describe('calls', () => {
  test.each<[string, string, (config: Config) => Node]>([
    ['of one tensor', 'Dense', (config) => [[inputName(config, 0), 0, 0, {}]]],
    ['of one tensor without a list', 'Dense', (config) => [inputName(config, 0), 0, 0, {}]],
    [
      'of several',
      'Subtract',
      (config) => [
        [inputName(config, 0), 0, 0, {}],
        [inputName(config, 1), 0, 0, {}],
      ],
    ],
    [
      'with one by name',
      'MultiHeadAttention',
      (config) => [[inputName(config, 0), 0, 0, { value: [inputName(config, 1), 0, 0] }]],
    ],
    [
      'with a list by name',
      'LSTM with initial states',
      (config) => [
        [
          inputName(config, 0),
          0,
          0,
          {
            initial_state: [
              [inputName(config, 1), 0, 0],
              [inputName(config, 2), 0, 0],
            ],
          },
        ],
      ],
    ],
    [
      'with states behind the input',
      'LSTM with initial states',
      (config) => [0, 1, 2].map((i) => [inputName(config, i), 0, 0, {}]),
    ],
  ])('%s', (_, name, node) => {
    const model = keras2Model(name, (config) => {
      config.class_name = 'Model'
      for (const layer of config.config.layers)
        if (layer.class_name === 'InputLayer') layer.config.batch_input_shape = layer.config.batch_shape
      last(config).inbound_nodes = [node(config)]
    })
    expectCase(model, name)
  })
})

test('layers without an input layer before them say the shape themselves', () => {
  const dense = (config: Config): Layer => last(config)
  const model = keras2Model('Dense', (config) => {
    const layer = dense(config)
    layer.config.batch_input_shape = [null, 4]
    Object.assign(config, { class_name: 'Sequential', config: { name: 'sequential', layers: [layer] } })
  })
  expect(model.inputs).toEqual([{ name: 'input', shape: [null, 4], dtype: 'float32' }])
  expectCase(model, 'Dense')
})

test('hard_sigmoid is another function', () => {
  const model = keras2Model('Activation hard_sigmoid', () => {})
  const { inputs } = cases['Activation hard_sigmoid']!
  const expected = inputs[0]!.values.map((x) => Math.min(Math.max(0.2 * x + 0.5, 0), 1))
  expectClose(forward(model, inputs)[0]!, expected)
})

test('LeakyReLU has its slope under another name', () => {
  const model = keras2Model('LeakyReLU', (config) => {
    const { config: options } = last(config)
    options.alpha = options.negative_slope
    delete options.negative_slope
  })
  expectCase(model, 'LeakyReLU')
})

test('a list of one output is an output alone', () => {
  const model = keras2Model('Dense', (config) => {
    config.config.output_layers = [[last(config).name, 0, 0]]
  })
  expect(model.forward(tensorOf(cases.Dense!.inputs[0]!))).toBeInstanceOf(g.Tensor)
  expectCase(model, 'Dense')
})

/** What Keras computed: test/fixtures/make_keras_fixtures.py. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import * as g from 'galvani'
import { readModel } from '../../lib/keras/architecture.ts'
import { type CustomLayers, drawModel, placesOf } from '../../lib/keras/blueprint.ts'
import { buildModel, type KerasModel, type ModelOutput } from '../../lib/keras/model.ts'
import { put, type Weights } from '../../lib/keras/weights.ts'

/** An array of Keras. */
export interface Numbers {
  readonly shape: readonly number[]
  readonly values: readonly number[]
  readonly dtype?: string
}

export interface Case {
  readonly config: unknown
  readonly weights: readonly Numbers[]
  readonly inputs: readonly Numbers[]
  readonly outputs: readonly Numbers[]
}

const folder = new URL('../fixtures/keras/', import.meta.url)

export const pathOf = (name: string): string => fileURLToPath(new URL(name, folder))

export const fixture = <T>(name: string): T => JSON.parse(readFileSync(pathOf(`${name}.json`), 'utf8')) as T

export const tensorOf = ({ shape, values, dtype }: Numbers): g.Tensor =>
  g.tensor([...values], { shape, dtype: dtype === undefined ? 'float32' : 'int32' })

/** A model of a config, with weights in the order of Keras's get_weights. */
export function modelOf(config: unknown, weights: readonly Numbers[], customLayers: CustomLayers = {}): KerasModel {
  const origin = { op: 'keras.load', file: 'config', dialect: 'keras3' } as const
  const blueprint = drawModel(readModel(origin, config), customLayers)
  const values: Weights = new Map()
  const places = placesOf(blueprint)
  if (places.length !== weights.length) throw new Error(`${places.length} places for ${weights.length} weights`)
  for (const [i, place] of places.entries()) put(values, origin, place, tensorOf(weights[i]!))
  return buildModel(blueprint, values)
}

/** The outputs of a model in a list, whatever form it gives them in. */
export function listOf(output: ModelOutput): g.Tensor[] {
  if (output instanceof g.Tensor) return [output]
  return Array.isArray(output) ? output.flatMap(listOf) : Object.values(output)
}

/** Forward on inputs of a fixture. */
export const forward = (model: KerasModel, inputs: readonly Numbers[]): g.Tensor[] =>
  listOf(model.forward(inputs.length === 1 ? tensorOf(inputs[0]!) : inputs.map(tensorOf)))

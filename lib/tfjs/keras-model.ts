/** An imported model as TensorFlow.js saves it. */
import { isPlainObject } from '../base/options.ts'
import {
  type Call,
  type LayerSpec,
  type ModelSpec,
  type Reference,
  referencesIn,
  type Structure,
} from '../keras/architecture.ts'
import type { Blueprint, LayerBlueprint, ModelBlueprint } from '../keras/blueprint.ts'
import { Config } from '../keras/config.ts'
import type { KerasModel, ModelOutput } from '../keras/model.ts'
import type { Tensor } from '../tensor/tensor.ts'
import type { Variable } from '../tensor/variable.ts'
import { knownActivations, knownLayers, type SavedLayer, type SavedModel } from './saved-model.ts'

/** What a model cannot be saved for, all of it. */
export type Refuse = (what: string) => void

export function savedModel(model: KerasModel<ModelOutput>, refuse: Refuse): SavedModel {
  const { blueprint } = model
  const weights: [string, Tensor][] = []
  for (const [name, variable] of weightsOf(model, blueprint)) weights.push([name, variable.value])
  return { topology: savedNested(blueprint, blueprint.model.name, refuse), weights }
}

function savedNested(blueprint: ModelBlueprint, name: string, refuse: Refuse): SavedLayer {
  const { model } = blueprint
  for (const layer of blueprint.layers.values())
    if (layer.kind === 'custom') refuse(`${layer.spec.className} (${layer.spec.name})`)
  if (model.kind === 'Sequential')
    return { class_name: 'Sequential', config: { name, layers: sequentialLayers(blueprint, refuse) } }
  const layers = model.layers.map((spec): SavedLayer => {
    const saved = savedLayer(spec, blueprint.layers.get(spec.name)!, refuse)
    return { ...saved, name: spec.name, inbound_nodes: spec.calls.map((call) => nodeOf(model, call)) }
  })
  const ends = (structure: Structure) => referencesIn(structure).map((reference) => historyOf(model, reference))
  const config = { name, layers, input_layers: ends(model.inputs), output_layers: ends(model.outputs) }
  return { class_name: 'Functional', config }
}

/** The first layer says the shape of the input. */
function sequentialLayers(blueprint: ModelBlueprint, refuse: Refuse): SavedLayer[] {
  const { layers } = blueprint.model
  return layers.map((spec) => savedLayer(spec, blueprint.layers.get(spec.name)!, refuse))
}

/** TensorFlow.js counts the call by which a nested model was made. */
function historyOf(model: ModelSpec, { layer, call, output }: Reference): [string, number, number] {
  const spec = model.layers.find(({ name }) => name === layer)!
  return [layer, call - spec.firstCall + (spec.model === null ? 0 : 1), output]
}

function nodeOf(model: ModelSpec, { args, kwargs }: Call): unknown[] {
  const { mask: _, ...others } = kwargs
  return [...referencesIn([...args]), ...referencesIn({ ...others })].map((reference) => [
    ...historyOf(model, reference),
    {},
  ])
}

function savedLayer(spec: LayerSpec, blueprint: Blueprint, refuse: Refuse): SavedLayer {
  if (blueprint.kind === 'model') return savedNested(blueprint, spec.name, refuse)
  return { class_name: spec.className, config: savedConfig(spec, refuse) }
}

/** Options of Keras 3 under the names of Keras 2. */
const olderNames: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  InputLayer: { batch_shape: 'batch_input_shape' },
  LeakyReLU: { negative_slope: 'alpha' },
}

/** Options that change what is computed, where TensorFlow.js has but one way. */
const fixed: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  Conv1D: { groups: 1 },
  Conv2D: { groups: 1 },
  Conv3D: { groups: 1 },
  GRU: { reset_after: false },
  GRUCell: { reset_after: false },
  ReLU: { negative_slope: 0, threshold: 0 },
  Softmax: {},
}

const withoutMeaning = new Set(['seed', 'zero_output_for_mask', 'synchronized', 'optional', 'ragged'])

function savedConfig(spec: LayerSpec, refuse: Refuse): Record<string, unknown> {
  const { className, name, config, isOperation } = spec
  const { values } = config
  if (isOperation || !knownLayers.has(className)) refuse(`${className} (${name})`)
  for (const [option, value] of Object.entries(fixed[className] ?? {}))
    if ((values[option] ?? value) !== value) refuse(`${className} with ${option} (${name})`)
  if (values.padding === 'causal') refuse(`${className} with causal padding (${name})`)
  // Its kernels take other axes for the last one. Keras 2 writes the last one as a list.
  if (className === 'BatchNormalization' && typeof values.axis === 'number' && values.axis >= 0)
    refuse(`${className} with axis ${values.axis} (${name})`)
  const saved: Record<string, unknown> = { name }
  for (const [option, value] of Object.entries(values)) {
    const older = olderNames[className]?.[option] ?? option
    if (option !== 'name' && !withoutMeaning.has(option)) saved[older] = savedOption(spec, option, value, refuse)
  }
  return saved
}

function savedOption(spec: LayerSpec, option: string, value: unknown, refuse: Refuse): unknown {
  if (option === 'axis' && Array.isArray(value) && value.length === 1) return value[0]
  if (option === 'dtype') return typeof value === 'string' ? value : 'float32'
  if (/activation$/.test(option)) return savedActivation(spec, value, refuse)
  if (['layer', 'cell', 'backward_layer'].includes(option) && isPlainObject(value))
    return savedPart(spec, value, refuse)
  if (option === 'cells' && Array.isArray(value)) return value.map((cell) => savedPart(spec, cell, refuse))
  return plainObject(value)
}

function savedActivation({ name, config }: LayerSpec, value: unknown, refuse: Refuse): unknown {
  const isKnown = value === null || (typeof value === 'string' && knownActivations.has(value))
  const isSame = config.origin.dialect === 'keras2' && value === 'hard_sigmoid'
  if (typeof value === 'string' && value === 'silu') return 'swish'
  if (!isKnown && !isSame) refuse(`the activation ${typeof value === 'string' ? value : 'of an object'} (${name})`)
  return value
}

/** A layer in a layer; TensorFlow.js puts `forward_` before the name of one itself. */
function savedPart(spec: LayerSpec, value: unknown, refuse: Refuse): SavedLayer {
  const { class_name: className, config } = value as { class_name: string; config: Record<string, unknown> }
  const name = String(config.name ?? className).replace(/^(forward|backward)_/, '')
  const part = { ...spec, className, name, config: new Config(spec.config.origin, name, config) }
  return { class_name: className, config: savedConfig(part, refuse) }
}

/** Objects of Keras 3, such as initializers, as Keras 2 has them. */
function plainObject(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plainObject)
  if (!isPlainObject(value)) return value
  const {
    module: _module,
    registered_name: _name,
    build_config: _build,
    shared_object_id: _id,
    ...others
  } = value as Record<string, unknown>
  return Object.fromEntries(Object.entries(others).map(([name, part]) => [name, plainObject(part)]))
}

/** What TensorFlow.js calls each variable. */
function* weightsOf(
  model: KerasModel<ModelOutput>,
  blueprint: Blueprint,
): Generator<[name: string, variable: Variable]> {
  if (blueprint.kind === 'model') for (const layer of blueprint.layers.values()) yield* weightsOf(model, layer)
  else if (blueprint.kind === 'layer') yield* layerWeights(model, blueprint, blueprint.spec.name)
}

function* layerWeights(
  model: KerasModel<ModelOutput>,
  blueprint: LayerBlueprint,
  scope: string,
): Generator<[name: string, variable: Variable]> {
  const module = model.moduleOf(blueprint) as unknown as Record<string, Variable>
  for (const { name } of blueprint.made.slots ?? []) {
    const isDepthwise = blueprint.spec.className === 'DepthwiseConv2D' && name === 'kernel'
    yield [`${scope}/${isDepthwise ? 'depthwise_kernel' : name}`, module[name]!]
  }
  for (const [property, part] of blueprint.parts) {
    if (part.blueprint.kind !== 'layer') continue
    const plain = part.blueprint.spec.name.replace(/^(forward|backward)_/, '')
    const below: Readonly<Record<string, string>> = {
      forward_layer: `/forward_${plain}`,
      backward_layer: `/backward_${plain}`,
    }
    const cell = /^cells_(\d+)$/.exec(property)
    yield* layerWeights(
      model,
      part.blueprint,
      `${scope}${cell === null ? (below[property] ?? '') : `/RNNCell_${cell[1]}`}`,
    )
  }
}

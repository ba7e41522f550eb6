/** What a model will be made of, once its weights are known: every layer with its options read, and all that cannot be made in one error. */
import { describe } from '../base/arguments.ts'
import { expected } from '../base/errors.ts'
import { Module } from '../nn/module.ts'
import type { Tensor } from '../tensor/tensor.ts'
import type { LayerSpec, ModelSpec } from './architecture.ts'
import { fail } from './config.ts'
import type { Made, Slot } from './layer.ts'
import { makerOf } from './layers/index.ts'

/** Makes a layer of a class that is not known here: of its options, and its weights in the order in which it made them. */
export type CustomLayer = (config: Record<string, unknown>, weights: Tensor[]) => Module<never, unknown>

/** By the names of their classes. */
export type CustomLayers = Readonly<Record<string, CustomLayer>>

export interface LayerBlueprint {
  readonly kind: 'layer'
  readonly spec: LayerSpec
  readonly made: Made
  /** By the property that holds each, with where Keras 3 keeps it in a file. */
  readonly parts: ReadonlyMap<string, { readonly blueprint: Blueprint; readonly path: readonly string[] }>
}

export interface CustomBlueprint {
  readonly kind: 'custom'
  readonly spec: LayerSpec
  readonly make: CustomLayer
}

export interface ModelBlueprint {
  readonly kind: 'model'
  readonly spec: LayerSpec | null
  readonly model: ModelSpec
  readonly layers: ReadonlyMap<string, Blueprint>
}

/** Of an input there is nothing to be made. */
export interface InputBlueprint {
  readonly kind: 'input'
  readonly spec: LayerSpec
}

export type Blueprint = LayerBlueprint | CustomBlueprint | ModelBlueprint | InputBlueprint

export interface Drawn {
  readonly blueprint: ModelBlueprint
  readonly customLayers: CustomLayers
}

/**
 * The blueprint of a model.
 * @throws DataFormatError for options that a layer does not keep, and with the names of all layers that are not known
 */
export function drawModel(model: ModelSpec, customLayers: CustomLayers): ModelBlueprint {
  const unknown: LayerSpec[] = []
  const blueprint = drawn(model, null, customLayers, unknown)
  if (unknown.length > 0) {
    const classes = [...new Set(unknown.map(({ className }) => className))]
    const named = (wanted: string) => unknown.filter(({ className }) => className === wanted).map(({ name }) => name)
    const list = classes.map((className) => `${className} (${named(className).join(', ')})`)
    const what = 'layers that have a counterpart, or are among customLayers'
    fail(model.origin, what, list.join(', '))
  }
  return blueprint
}

function drawn(model: ModelSpec, spec: LayerSpec | null, customs: CustomLayers, unknown: LayerSpec[]): ModelBlueprint {
  const layers = model.layers.map((layer) => [layer.name, drawLayer(layer, customs, unknown)] as const)
  return { kind: 'model', spec, model, layers: new Map(layers) }
}

function drawLayer(spec: LayerSpec, customs: CustomLayers, unknown: LayerSpec[]): Blueprint {
  const custom = customOf(spec, customs)
  if (custom !== undefined) return { kind: 'custom', spec, make: custom }
  if (spec.model !== null) return drawn(spec.model, spec, customs, unknown)
  if (spec.className === 'InputLayer') return { kind: 'input', spec }
  const make = makerOf(spec)
  if (make === undefined) {
    unknown.push(spec)
    return { kind: 'input', spec }
  }
  const made = make(spec.config)
  const parts = Object.entries(made.parts ?? {}).map(
    ([name, part]) => [name, { blueprint: drawLayer(part.spec, customs, unknown), path: part.path }] as const,
  )
  return { kind: 'layer', spec, made, parts: new Map(parts) }
}

/** In HDF5 a class that was registered is called `package>Class`. */
const customOf = ({ registeredName, className }: LayerSpec, customs: CustomLayers): CustomLayer | undefined =>
  [registeredName, className, className.slice(className.indexOf('>') + 1)]
    .map((name) => (Object.hasOwn(customs, name) ? customs[name] : undefined))
    .find(Boolean)

/** A variable of a model. */
export interface Place {
  readonly owner: LayerBlueprint
  readonly slot: Slot
  readonly index: number
  readonly isTrainable: boolean
}

/** The variables of a blueprint in the order in which Keras has them: a layer's own, then those of the layers in it. */
export function placesOf(blueprint: Blueprint, isTrainable = true): Place[] {
  if (blueprint.kind === 'input' || blueprint.kind === 'custom') return []
  const trains = isTrainable && (blueprint.spec?.trainable ?? true)
  if (blueprint.kind === 'model') return [...blueprint.layers.values()].flatMap((layer) => placesOf(layer, trains))
  const own = (blueprint.made.slots ?? []).map(
    (slot, index): Place => ({ owner: blueprint, slot, index, isTrainable: trains && slot.trainable !== false }),
  )
  return [...own, ...[...blueprint.parts.values()].flatMap((part) => placesOf(part.blueprint, trains))]
}

/** The same in the order of files of HDF5 and TensorFlow.js: those that are trained first. */
export function placesByTraining(blueprint: Blueprint): Place[] {
  const places = placesOf(blueprint)
  return [...places.filter((place) => place.isTrainable), ...places.filter((place) => !place.isTrainable)]
}

/** The custom layers in a blueprint. */
export function customsIn(blueprint: Blueprint): CustomBlueprint[] {
  if (blueprint.kind === 'custom') return [blueprint]
  if (blueprint.kind === 'input') return []
  const inside =
    blueprint.kind === 'model'
      ? [...blueprint.layers.values()]
      : Array.from(blueprint.parts.values(), (part) => part.blueprint)
  return inside.flatMap(customsIn)
}

/** What a user's function made. */
export function checkMade(op: string, name: string, value: unknown): Module<never, unknown> {
  if (value instanceof Module) return value
  throw new TypeError(expected(op, `customLayers.${name} to give a Module`, describe(value)))
}

/** A LayersModel, whose topology is a config of Keras: its weights go to its layers by their names. */
import { isPlainObject } from '../base/options.ts'
import { readModel } from '../keras/architecture.ts'
import {
  type Blueprint,
  type CustomBlueprint,
  type CustomLayers,
  drawModel,
  type LayerBlueprint,
  type ModelBlueprint,
  placesByTraining,
} from '../keras/blueprint.ts'
import { fail, type Origin } from '../keras/config.ts'
import { dialectOf } from '../keras/load.ts'
import { buildModel, type KerasModel } from '../keras/model.ts'
import { put, putAll, type Weights } from '../keras/weights.ts'
import type { Tensor } from '../tensor/tensor.ts'
import type { Artifacts } from './artifacts.ts'

export function layersModel({ origin: plain, topology, weights }: Artifacts, customLayers: CustomLayers): KerasModel {
  const version = topology.keras_version
  const origin: Origin = { ...plain, dialect: dialectOf(typeof version === 'string' ? version : undefined) }
  const config = isPlainObject(topology.model_config) ? topology.model_config : topology
  const blueprint = drawModel(readModel(origin, config), customLayers)
  return buildModel(blueprint, assigned(origin, blueprint, weights))
}

/** A layer that is no model, with the names of the models that it is in. */
interface Unit {
  readonly blueprint: LayerBlueprint | CustomBlueprint
  readonly name: string
  readonly within: readonly string[]
  readonly count: number
}

function unitsOf(model: ModelBlueprint, within: readonly string[] = []): Unit[] {
  return [...model.layers].flatMap(([name, blueprint]): Unit[] => {
    if (blueprint.kind === 'input') return []
    if (blueprint.kind === 'model') return unitsOf(blueprint, [...within, name])
    const count = blueprint.kind === 'custom' ? Number.POSITIVE_INFINITY : placesByTraining(blueprint).length
    return [{ blueprint, name, within, count }]
  })
}

/** The names of weights are paths, in which that of their layer comes first, or behind those of models that it is in. */
function assigned(origin: Origin, model: ModelBlueprint, weights: ReadonlyMap<string, Tensor>): Weights {
  const units = unitsOf(model)
  const byName = new Map<string, Unit[]>()
  for (const unit of units) byName.set(unit.name, [...(byName.get(unit.name) ?? []), unit])
  const found = new Map<Unit, (readonly [name: string, value: Tensor])[]>()
  for (const [path, value] of weights) {
    const unit = unitFor(path, byName, found)
    if (unit !== undefined)
      found.set(unit, [...(found.get(unit) ?? []), [path.split('/').at(-1)!.replace(/:\d+$/, ''), value]])
  }
  const result: Weights = new Map()
  for (const unit of units) {
    const own = found.get(unit) ?? []
    if (unit.blueprint.kind === 'custom')
      result.set(
        unit.blueprint,
        own.map(([, value]) => value),
      )
    else if (unit.count > 0) assign(origin, unit.name, unit.blueprint, own, result)
  }
  return result
}

function unitFor(
  path: string,
  byName: ReadonlyMap<string, Unit[]>,
  found: ReadonlyMap<Unit, readonly unknown[]>,
): Unit | undefined {
  const segments = path.split('/')
  // Names of layers may have slashes in them, too.
  for (let start = 0; start < segments.length; start++)
    for (let end = segments.length - 1; end > start; end--) {
      const units = byName.get(segments.slice(start, end).join('/'))
      if (units === undefined) continue
      const before = segments.slice(0, start)
      const inside = units.filter(({ within }) => before.length > 0 && before.every((name) => within.includes(name)))
      const candidates = inside.length > 0 ? inside : units
      return candidates.find((unit) => (found.get(unit)?.length ?? 0) < unit.count) ?? candidates[0]
    }
  return undefined
}

/** What TensorFlow.js and Keras 2 call a variable otherwise. */
const otherNames: Readonly<Record<string, string>> = { depthwise_kernel: 'kernel' }

/** By the names of variables where each of them is there once; else in their order. */
function assign(
  origin: Origin,
  name: string,
  blueprint: LayerBlueprint,
  values: readonly (readonly [name: string, value: Tensor])[],
  into: Weights,
): void {
  const places = placesByTraining(blueprint satisfies Blueprint)
  const named = new Map(values)
  const matched = places.map(({ slot }) => {
    const other = Object.keys(otherNames).find((key) => otherNames[key] === slot.name)
    return named.get(slot.name) ?? (other === undefined ? undefined : named.get(other))
  })
  const isByName =
    values.length === places.length && named.size === values.length && matched.every((value) => value !== undefined)
  if (isByName) for (const [i, place] of places.entries()) put(into, origin, place, asFloat(matched[i]!))
  else if (values.length === 0) fail(origin, `${places.length} weights of the layer ${name}`, 'none')
  else
    putAll(
      into,
      origin,
      name,
      places,
      values.map(([, value]) => asFloat(value)),
      blueprint,
    )
}

const asFloat = (x: Tensor): Tensor => (x.dtype === 'float32' ? x : x.cast('float32'))

/** Weights in HDF5: the trees of objects that Keras 3 writes, and the lists by layer of whole models in `.h5`. */
import type { Tensor } from '../tensor/tensor.ts'
import { type Blueprint, type LayerBlueprint, type ModelBlueprint, placesByTraining } from './blueprint.ts'
import { fail, type Origin } from './config.ts'
import type { Hdf5Object } from './hdf5/hdf5.ts'
import { numberedNames } from './numbered-names.ts'
import { put, putAll, toTensor, type Weights } from './weights.ts'

/** The weights of a model in an HDF5 file of whichever kind. */
export async function readWeights(origin: Origin, root: Hdf5Object, model: ModelBlueprint): Promise<Weights> {
  const weights: Weights = new Map()
  const lists = root.child('model_weights') ?? root
  if (listOf(lists, 'layer_names') !== undefined) await readLists(origin, lists, model, weights)
  else await readTree(origin, root, model, weights)
  return weights
}

/** Lists were cut into attributes `name0`, `name1`, … where they were too long for one. */
function listOf(group: Hdf5Object, name: string): readonly string[] | undefined {
  const whole = group.attribute(name)
  if (Array.isArray(whole)) return whole
  const pieces: string[] = []
  for (let i = 0; ; i++) {
    const piece = group.attribute(`${name}${i}`)
    if (!Array.isArray(piece)) return i === 0 ? undefined : pieces
    pieces.push(...piece)
  }
}

interface Listed {
  readonly name: string
  readonly values: () => Promise<Tensor[]>
  readonly count: number
}

async function readLists(origin: Origin, group: Hdf5Object, model: ModelBlueprint, weights: Weights): Promise<void> {
  const listed = listOf(group, 'layer_names')!.map((name) => listedLayer(origin, group, name))
  const layers = [...model.layers].filter(([, blueprint]) => blueprint.kind !== 'input')
  const withWeights = layers.filter(
    ([, blueprint]) => blueprint.kind === 'custom' || placesByTraining(blueprint).length > 0,
  )
  const byName = new Map(listed.map((layer) => [layer.name, layer]))
  const found = withWeights.every(([name]) => byName.has(name))
    ? withWeights.map(([name]) => byName.get(name)!)
    : listed.filter(({ count }) => count > 0)
  if (found.length !== withWeights.length)
    fail(origin, `weights of ${withWeights.length} layers`, `those of ${found.length}`)
  for (const [i, [name, blueprint]] of withWeights.entries())
    putAll(weights, origin, name, placesByTraining(blueprint), await found[i]!.values(), blueprint)
}

function listedLayer(origin: Origin, group: Hdf5Object, name: string): Listed {
  const layer = group.at(...segments(name)) ?? fail(origin, `weights of the layer ${name}`, 'none')
  const names = listOf(layer, 'weight_names') ?? fail(origin, `weight_names of the layer ${name}`, 'none')
  const values = async () => {
    const tensors: Tensor[] = []
    for (const weight of names) {
      const object = layer.at(...segments(weight)) ?? fail(origin, `the weight ${weight}`, 'none')
      tensors.push(await toTensor(origin, weight, object.read()))
    }
    return tensors
  }
  return { name, values, count: names.length }
}

const segments = (path: string): string[] => path.split('/').filter((segment) => segment !== '')

/** A tree: the layers of a model are under `layers`, called by their classes, and a layer's variables under `vars`, by numbers. */
async function readTree(origin: Origin, group: Hdf5Object, model: ModelBlueprint, weights: Weights): Promise<void> {
  const layers = group.child('layers') ?? group.child('_layer_checkpoint_dependencies')
  const groups = groupsOf(model, layers)
  for (const [name, blueprint] of model.layers) {
    if (blueprint.kind === 'input') continue
    await readObject(origin, groups.get(name), blueprint, weights)
  }
}

/**
 * The group of each layer: by the name that `vars` of it has, or by its class and number where the names are others, as
 * those of a model that was built once more are.
 */
function groupsOf(model: ModelBlueprint, layers: Hdf5Object | undefined): Map<string, Hdf5Object | undefined> {
  const saved = model.model.layers.filter(({ isOperation }) => !isOperation)
  const numbered = numberedNames(saved.map(({ className }) => className))
  const byNumber = new Map(saved.map(({ name }, i) => [name, layers?.child(numbered[i]!)]))
  const named = new Map<unknown, Hdf5Object>()
  for (const name of layers?.names ?? []) {
    const object = layers!.child(name)!
    const own = object.child('vars')?.attribute('name')
    if (typeof own === 'string') named.set(own, object)
  }
  const needed = [...model.layers].filter(([, blueprint]) => placesByTraining(blueprint).length > 0)
  return needed.every(([name]) => named.has(name))
    ? new Map(saved.map(({ name }) => [name, named.get(name)]))
    : byNumber
}

async function readObject(
  origin: Origin,
  group: Hdf5Object | undefined,
  blueprint: Blueprint,
  weights: Weights,
): Promise<void> {
  if (blueprint.kind === 'custom') {
    weights.set(blueprint, group === undefined ? [] : await allIn(origin, group))
    return
  }
  const needs = placesByTraining(blueprint).length
  if (needs === 0 || blueprint.kind === 'input') return
  if (group === undefined) fail(origin, `${needs} weights of the layer ${nameOf(blueprint)}`, 'none')
  else if (blueprint.kind === 'model') await readTree(origin, group, blueprint, weights)
  else await readLayer(origin, group, blueprint, weights)
}

const nameOf = (blueprint: Blueprint): string =>
  blueprint.kind === 'model' ? blueprint.model.name : blueprint.spec.name

async function readLayer(
  origin: Origin,
  group: Hdf5Object,
  blueprint: LayerBlueprint,
  weights: Weights,
): Promise<void> {
  const counts = new Map<string, number>()
  for (const [index, slot] of (blueprint.made.slots ?? []).entries()) {
    const path = slot.path ?? []
    const number = counts.get(path.join('/')) ?? 0
    counts.set(path.join('/'), number + 1)
    const object =
      group.at(...path, 'vars', String(number)) ??
      fail(origin, `${slot.name} of the layer ${blueprint.spec.name}`, 'none')
    const value = await toTensor(origin, `${slot.name} of ${blueprint.spec.name}`, object.read())
    put(weights, origin, { owner: blueprint, slot, index, isTrainable: true }, value)
  }
  for (const { blueprint: part, path } of blueprint.parts.values())
    await readObject(origin, group.at(...path), part, weights)
}

/** Custom layers may hold others, so deep. */
const deepest = 16

/** All that a group holds, the variables of an object before those of the objects in it. */
async function allIn(origin: Origin, group: Hdf5Object, depth = 0): Promise<Tensor[]> {
  if (depth > deepest) fail(origin, `objects at most ${deepest} deep`, 'deeper ones')
  const vars = group.child('vars')
  const own = (vars?.names ?? []).toSorted((a, b) => Number(a) - Number(b))
  const tensors: Tensor[] = []
  for (const name of own) tensors.push(await toTensor(origin, `${group.path}/vars/${name}`, vars!.child(name)!.read()))
  // The state of random numbers is no weight.
  for (const name of group.names.filter((name) => name !== 'vars' && name !== 'seed_generator')) {
    const child = group.child(name)!
    if (!child.hasElements) tensors.push(...(await allIn(origin, child, depth + 1)))
  }
  return tensors
}

/** Models and weights that Keras saved: `.keras`, and HDF5 in `.h5`. */
import { checkFunction, describe } from '../base/arguments.ts'
import { expected } from '../base/errors.ts'
import { checkOptions, isPlainObject, type OptionTypes } from '../base/options.ts'
import { openSource, type PathOrBytes, type Source } from '../files/source.ts'
import { type Member, membersOf, readMember } from '../files/zip.ts'
import type { Tensor } from '../tensor/tensor.ts'
import type { Variable } from '../tensor/variable.ts'
import { readModel } from './architecture.ts'
import { type CustomLayers, drawModel } from './blueprint.ts'
import { type Dialect, fail, type Origin } from './config.ts'
import { type Hdf5Object, isHdf5, openHdf5 } from './hdf5/hdf5.ts'
import { mostJsonBytes, parseJson } from './json.ts'
import { buildModel, KerasModel, type ModelOutput } from './model.ts'
import { readWeights } from './weight-files.ts'

export interface LoadOptions {
  /**
   * By the name of its class (or `package>Class`, as it was registered), what makes each layer that is not known here, of its
   * options and its weights in the order in which it made them. One that is known here is made by yours all the same.
   */
  customLayers?: CustomLayers
}

export const loadOptions: OptionTypes<LoadOptions> = { customLayers: 'other' }

/** The functions of a record of custom layers. */
export function checkCustomLayers(op: string, customLayers: unknown): CustomLayers {
  if (customLayers === undefined) return {}
  if (!isPlainObject(customLayers))
    throw new TypeError(expected(op, 'customLayers by the names of classes', describe(customLayers)))
  for (const [name, make] of Object.entries(customLayers))
    checkFunction(op, `customLayers.${name} as a function of a config and weights`, make)
  return { ...(customLayers as CustomLayers) }
}

/** What a file holds, whichever kind it is of. */
interface Contents {
  readonly root: Hdf5Object
  readonly config: string | undefined
  readonly version: string | undefined
}

const mostWeightBytes = 2 ** 32

/** All of a file in memory, as HDF5 is read where things are. */
async function contentsOf(op: string, from: PathOrBytes): Promise<[Contents, string]> {
  const source = await openSource(op, from)
  try {
    const start = await source.read(0, Math.min(8, source.size))
    const isZip = start[0] === 0x50 && start[1] === 0x4b
    if (isZip) return [await zipContents(op, source), source.name]
    if (source.size > mostWeightBytes)
      fail(plain(op, source.name), `at most ${mostWeightBytes} bytes`, `${source.size}`)
    if (!isHdf5(start)) fail(plain(op, source.name), 'a file of Keras (.keras, .h5)', 'something else')
    const root = openHdf5(source.name, await source.read(0, source.size))
    const [config, version] = ['model_config', 'keras_version'].map((name) => root.attribute(name))
    return [{ root, config: textOf(config), version: textOf(version) }, source.name]
  } finally {
    await source.close()
  }
}

const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)

const plain = (op: string, file: string): Origin => ({ op, file, dialect: 'keras3' })

async function zipContents(op: string, source: Source): Promise<Contents> {
  const origin = plain(op, source.name)
  const members = new Map((await membersOf(source)).map((member) => [member.name, member]))
  const member = async (name: string, most: number): Promise<Uint8Array> => {
    const found: Member = members.get(name) ?? fail(origin, `${name} in the file`, 'none')
    if (found.size > most) fail(origin, `at most ${most} bytes of ${name}`, String(found.size))
    return readMember(source, found)
  }
  const text = async (name: string) => new TextDecoder().decode(await member(name, mostJsonBytes))
  const config = await text('config.json')
  const metadata = members.has('metadata.json') ? parseJson(origin, await text('metadata.json'), 'metadata.json') : {}
  const version = isPlainObject(metadata) ? (metadata as Record<string, unknown>).keras_version : undefined
  const root = openHdf5(source.name, await member('model.weights.h5', mostWeightBytes))
  return { root, config, version: textOf(version) }
}

/** Files before Keras 3 say a version of 2, or none. */
export const dialectOf = (version: string | undefined): Dialect => (/^[3-9]/.test(version ?? '') ? 'keras3' : 'keras2')

/**
 * A model that Keras saved, as a module: a whole model in a `.keras` file (Keras 3) or in HDF5 (`.h5`, of Keras 2 and 3), Sequential or
 * Functional. Its properties are the layers under their names, their parameters have the names, shapes and layouts of Keras
 * (`model.dense.kernel` [in, out]), and inputs and outputs are what they are there, images with channels last where they are. Layers
 * that were frozen are. It is in evaluation mode; `fit` trains it as it does any module.
 *
 * Of what Keras saves beside a model, the optimizer and the losses, nothing is read, and no code is run.
 *
 * @param from the path of a file, or its bytes
 * @throws (rejects with) DataFormatError for what is no such file, is damaged, or has layers that are not known, with all of them in the
 * message; TypeError for bad options; Error with the `code` of the file system
 *
 * @example
 * const model = await keras.load('classifier.keras')
 * const logits = model.forward(images)
 * @example
 * const model = await keras.load<g.Tensor[]>('of-two-outputs.keras')
 * @example
 * await keras.load('model.keras', { customLayers: { Scale: (config, [factor]) => new Scale(factor) } })
 */
export async function load<Output extends ModelOutput = Tensor>(
  from: PathOrBytes,
  options?: LoadOptions,
  ...surplus: []
): Promise<KerasModel<Output>> {
  const op = 'keras.load'
  const { customLayers } = checkOptions(op, options, loadOptions, surplus)
  const customs = checkCustomLayers(op, customLayers)
  const [{ root, config, version }, file] = await contentsOf(op, from)
  const origin: Origin = { op, file, dialect: dialectOf(version) }
  if (config === undefined)
    return fail(origin, 'a whole model, with its config', 'weights alone, for which there is loadWeights')
  const blueprint = drawModel(readModel(origin, parseJson(origin, config, 'the config')), customs)
  return buildModel(blueprint, await readWeights(origin, root, blueprint)) as unknown as KerasModel<Output>
}

/**
 * Takes over the weights of a file for a model that `load` made: those of `save_weights` (`.weights.h5` of Keras 3, `.h5` of Keras 2),
 * or those of a whole model. Layers are found by their names, or where those are others by their order. Custom layers stay as they are.
 *
 * @throws (rejects with) DataFormatError for a file that has not these weights, and nothing is changed then; TypeError for another model
 *
 * @example
 * await keras.loadWeights(model, 'epoch-12.weights.h5')
 */
export async function loadWeights<Output extends ModelOutput>(
  model: KerasModel<Output>,
  from: PathOrBytes,
  ...surplus: []
): Promise<void> {
  const op = 'keras.loadWeights'
  checkOptions(op, undefined, {}, surplus)
  if (!(model instanceof KerasModel)) throw new TypeError(expected(op, 'a model that keras.load made', describe(model)))
  const [{ root }, file] = await contentsOf(op, from)
  const weights = await readWeights(plain(op, file), root, model.blueprint)
  const pairs: [Variable, Tensor][] = []
  for (const [blueprint, values] of weights) {
    if (blueprint.kind === 'custom') continue
    const module = model.moduleOf(blueprint) as unknown as Record<string, Variable>
    for (const [i, { name }] of (blueprint.made.slots ?? []).entries()) {
      const own = module[name]!
      if (String(own.shape) !== String(values[i]!.shape))
        fail(
          plain(op, file),
          `${name} of the layer ${blueprint.spec.name} of shape [${own.shape.join(', ')}]`,
          `[${values[i]!.shape.join(', ')}]`,
        )
      pairs.push([own, values[i]!])
    }
  }
  for (const [own, value] of pairs) own.assign(value)
}

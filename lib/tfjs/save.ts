/** Writes a LayersModel: `model.json`, and files of weights beside it. */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { describe } from '../base/arguments.ts'
import { expected } from '../base/errors.ts'
import { checkOptions, type OptionTypes } from '../base/options.ts'
import { version } from '../base/version.ts'
import { writeAtomically } from '../files/atomic.ts'
import { checkPath, fileError } from '../files/file-error.ts'
import { encode } from '../files/stored.ts'
import { KerasModel, type ModelOutput } from '../keras/model.ts'
import { Sequential } from '../nn/containers.ts'
import { savedModel } from './keras-model.ts'
import type { SavedModel } from './saved-model.ts'
import { savedSequential } from './sequential.ts'

export interface SaveOptions {
  /**
   * The shape of an input without the batch, null for an extent that may be any: for a `sequential` of layers that does not begin
   * with a `linear` one. Imported models know theirs.
   */
  inputShape?: readonly (number | null)[]
}

const saveOptions: OptionTypes<SaveOptions> = { inputShape: 'other' }

/** So many bytes are in a file, as TensorFlow.js writes them. */
const shardBytes = 4 * 2 ** 20

/**
 * Writes a model for TensorFlow.js, where `tf.loadLayersModel` reads it: `model.json` and `group1-shard1of1.bin`, or more of them, in a
 * folder, which is made where there is none. It is a model that `keras.load` or `tfjs.load` made, or a `sequential` of layers that
 * have a counterpart in Keras: `linear`, `conv1d` and `conv2d` with padding 0 or 'same', pooling, `batchNorm1d` and `batchNorm2d`, `layerNorm`,
 * `embedding`, `dropout`, `flatten` and activations. Layers of lines take them with `layout: 'NLC'`.
 *
 * @throws (rejects with) TypeError for another model, and for layers that TensorFlow.js 4.22 has not, with all of them in the message; Error
 * with the `code` of the file system
 *
 * @example
 * await tfjs.save(model, 'web-model')
 */
export async function save<Output extends ModelOutput>(
  model: KerasModel<Output> | Sequential<never, unknown>,
  folder: string,
  options?: SaveOptions,
  ...surplus: []
): Promise<void> {
  const op = 'tfjs.save'
  const { inputShape } = checkOptions(op, options, saveOptions, surplus)
  const target = checkPath(op, folder)
  const isExtent = (x: unknown) => x === null || (Number.isInteger(x) && (x as number) > 0)
  if (inputShape !== undefined && !(Array.isArray(inputShape) && inputShape.every(isExtent)))
    throw new TypeError(expected(op, 'an inputShape of positive integers and nulls', describe(inputShape)))
  const refused: string[] = []
  const refuse = (what: string) => void refused.push(what)
  const saved =
    model instanceof KerasModel
      ? savedModel(model, refuse)
      : (model as unknown) instanceof Sequential
        ? savedSequential(model, inputShape, refuse)
        : undefined
  if (saved === undefined) throw new TypeError(expected(op, 'an imported model, or a sequential one', describe(model)))
  if (refused.length > 0)
    throw new TypeError(expected(op, 'a model that TensorFlow.js has all layers of', refused.join(', ')))
  await write(op, target, saved)
}

async function write(op: string, folder: string, { topology, weights }: SavedModel): Promise<void> {
  await mkdir(folder, { recursive: true }).catch((error: unknown) => {
    throw fileError(op, 'write', folder, error)
  })
  const bytes = Buffer.concat(
    await Promise.all(weights.map(async ([, value]) => encode(await value.data(), value.dtype, 'F32'))),
  )
  const count = Math.max(1, Math.ceil(bytes.length / shardBytes))
  const paths = Array.from({ length: count }, (_, i) => `group1-shard${i + 1}of${count}.bin`)
  for (const [i, path] of paths.entries())
    await writeAtomically(op, join(folder, path), once(bytes.subarray(i * shardBytes, (i + 1) * shardBytes)))
  const specs = weights.map(([name, { shape }]) => ({ name, shape, dtype: 'float32' }))
  const model = {
    ...{ format: 'layers-model', generatedBy: `galvani ${version}`, convertedBy: null },
    modelTopology: { keras_version: '2.15.0', backend: 'tensorflow', model_config: topology },
    weightsManifest: [{ paths, weights: specs }],
  }
  // Last, so that whoever finds it finds its weights.
  await writeAtomically(op, join(folder, 'model.json'), once(Buffer.from(JSON.stringify(model))))
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, void> {
  yield bytes
}

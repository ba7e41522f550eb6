/** Models that TensorFlow.js saved, or that were converted for it. */
import { checkOptions } from '../base/options.ts'
import { checkCustomLayers, type LoadOptions, loadOptions } from '../keras/load.ts'
import type { KerasModel, ModelOutput } from '../keras/model.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { type ModelArtifacts, readArtifacts } from './artifacts.ts'
import { type GraphModel, graphModel } from './graph-model.ts'
import { layersModel } from './layers-model.ts'

/**
 * A model of TensorFlow.js as a module that trains on: a LayersModel as `keras.load` gives it, with its layers under their names, or a
 * GraphModel, of which the float constants of at least one axis are parameters under their names. Weights that are quantized to uint8,
 * uint16 or float16 are made floats again. It is in evaluation mode.
 *
 * @param from the path of a `model.json`, beside which the files of weights are, or what an IOHandler gives
 * @param options `customLayers`, as those of `keras.load`
 * @throws (rejects with) DataFormatError for what is no such model, weights that are missing or outside of its folder, and layers or operations
 * that are not known, with all of them in the message; TypeError for bad options; Error with the `code` of the file system
 *
 * @example
 * const model = await tfjs.load('web-model/model.json')
 * const y = model.forward(x)
 */
export async function load<Output extends ModelOutput = Tensor>(
  from: string | ModelArtifacts,
  options?: LoadOptions,
  ...surplus: []
): Promise<KerasModel<Output> | GraphModel<Output>> {
  const op = 'tfjs.load'
  const { customLayers } = checkOptions(op, options, loadOptions, surplus)
  const customs = checkCustomLayers(op, customLayers)
  const artifacts = await readArtifacts(op, from)
  const isGraph = artifacts.json.format === 'graph-model' || 'node' in artifacts.topology
  const model = isGraph ? graphModel(artifacts) : layersModel(artifacts, customs)
  return model as unknown as KerasModel<Output> | GraphModel<Output>
}

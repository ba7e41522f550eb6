/** Models of Keras, as `galvani/keras`. */
import '../operations/methods.ts'

export type { CustomLayer, CustomLayers } from './blueprint.ts'
export { KerasLayer } from './layer.ts'
export { type LoadOptions, load, loadWeights } from './load.ts'
export { KerasModel, type ModelInput, type ModelOutput, type ModelValue } from './model.ts'

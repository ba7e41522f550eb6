/** Models of TensorFlow.js, as `galvani/tfjs`. */
import '../operations/methods.ts'

export { KerasModel, type ModelInput, type ModelOutput, type ModelValue } from '../keras/model.ts'
export type { ModelArtifacts } from './artifacts.ts'
export { GraphModel } from './graph-model.ts'
export { load } from './load.ts'
export { type SaveOptions, save } from './save.ts'
export type { WeightSpec } from './weights.ts'

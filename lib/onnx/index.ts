/** `galvani/onnx`: models of ONNX files, in and out. */
import '../operations/methods.ts'

export { type UnsupportedOperator, UnsupportedOperatorError } from './errors.ts'
export { type Exportable, type ExportOptions, exportModel as export } from './export/index.ts'
export { type LoadOptions, load } from './load.ts'
export { type ModelInfo, OnnxModel, type Outputs } from './model.ts'
export type { ValueInfo } from './signature.ts'

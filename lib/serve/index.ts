/** `galvani/serve`: a model that answers the requests of a service. */
export { ClosedError, QueueFullError, TimeoutError } from './errors.ts'
export type { Distribution } from './histogram.ts'
export type { InputSpec, InputValues, LengthOptions, RowShape, RowValues } from './inputs.ts'
export {
  type BufferOptions,
  type OnlineTrainer,
  type OnlineTrainerOptions,
  type OnlineTrainerStatistics,
  onlineTrainer,
  type Round,
} from './online-trainer.ts'
export type { PredictorOptions, RequestOptions } from './options.ts'
export type { OutputOptions, OutputType, TopClasses } from './outputs.ts'
export { type Predictor, predictor } from './predictor.ts'
export type { SharedParameter, SharedParameters } from './shared-parameters.ts'
export type { PredictorStatistics } from './statistics.ts'

/** `galvani/tensorboard`: runs as TensorBoard shows them. */
import '../operations/methods.ts'

export { type TensorBoardOptions, tensorBoard } from './callback.ts'
export type { EncodedImage, SummaryValue, TensorBoardEvent } from './event.ts'
export { isEventFile, type ReadEventsOptions, readEvents } from './read.ts'
export { recordsOf } from './records.ts'
export { tensorBoardSink } from './sink.ts'
export {
  type EmbeddingOptions,
  type HistogramSummaryOptions,
  type ImageSummaryOptions,
  type PrCurveSummaryOptions,
  type SummaryOptions,
  type SummaryWriter,
  summaryWriter,
} from './summary-writer.ts'
export type { SummaryWriterOptions } from './writer-options.ts'

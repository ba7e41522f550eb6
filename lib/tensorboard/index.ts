/** `galvani/tensorboard`: runs as TensorBoard shows them. */
import '../operations/methods.ts'

export type { EncodedImage, SummaryValue, TensorBoardEvent } from './event.ts'
export { isEventFile, type ReadEventsOptions, readEvents } from './read.ts'
export { recordsOf } from './records.ts'

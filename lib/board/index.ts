/** The live page of runs, as `galvani/board`. */
export type { ObserveOptions } from '../events/observe.ts'
export type { RecordSink, RunRecord, RunRecords } from '../events/record.ts'
export type { DamagedLine } from '../events/record-reader.ts'
export { type BoardOptions, board } from './callback.ts'
export { jsonLines, observe, type ReadRecordsOptions, readRecords, recordRun } from './recording.ts'
export { type Board, type ServeBoardOptions, serveBoard } from './server.ts'

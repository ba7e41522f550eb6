/** Data sets and streams, as `g.data`. */
export * as augment from './augment/index.ts'
export { type Batch, type BatchMap, type BatchOf, Dataset, fromTensors, type Rows } from './dataset.ts'
export { type PipelineState, StreamIterator } from './pass.ts'
export * as preprocessing from './preprocessing/index.ts'
export { fromArrow } from './readers/arrow.ts'
export type { Encoding } from './readers/blocks.ts'
export type { ColumnType } from './readers/columns.ts'
export { type CSVOptions, type Field, fromCSV, type Row } from './readers/csv.ts'
export { fromImageFolder, type ImageFolder, type ImageFolderOptions } from './readers/images.ts'
export { fromJSONLines, fromLines, type LinesOptions } from './readers/lines.ts'
export { fromParquet, type TableOptions, type TableRow } from './readers/parquet.ts'
export { fromText, type TextOptions, type TextWindow } from './readers/text.ts'
export { characterTokenizer, loadTokenizer, type Tokenizer } from './readers/tokens.ts'
export { type Column, fromArrays, fromColumns, type RowOf } from './sources/arrays.ts'
export {
  fromGenerator,
  fromIterable,
  fromStream,
  type PassInfo,
  type SourceOptions,
  type WebStream,
} from './sources/iterables.ts'
export type { DTypes, Lengths, NestedNumbers, Stacked, StackedPart } from './stacking.ts'
export type { Json } from './stage.ts'
export {
  type BatchOptions,
  type InterleaveOptions,
  type MapOptions,
  type OpenOptions,
  type Padded,
  type PaddedBatch,
  type PaddedBatchOptions,
  type RowOfBatch,
  type ShuffleOptions,
  Stream,
} from './stream.ts'
export type { Fold } from './transforms/split.ts'

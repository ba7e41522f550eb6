/** What the page and its server say to each other, all of it JSON under `/api`. */
import type { RunRecord, RunRecords } from '../events/record.ts'

/** `GET /api/runs` → `RunSummary[]`; a run is a folder, and its id the path of it under the one that is served. */
export interface RunSummary {
  readonly id: string
  readonly run?: RunRecords['run']
  readonly hyperparameters?: RunRecords['hyperparameters']['values']
  /** Of its first record, and its last one, in milliseconds since 1970. */
  readonly started?: number
  readonly updated?: number
  readonly state: 'running' | 'ended' | 'stopped' | 'failed' | 'unknown'
  readonly message?: string
  /** The last number of each tag, and where. */
  readonly last: Readonly<Record<string, number>>
  readonly step: number
  readonly epoch?: number
  /** The tags there are of each type of record. */
  readonly tags: Readonly<Record<'scalars' | 'histogram' | 'images' | 'text', readonly string[]>>
  /** The types that have no tag. */
  readonly has: readonly ('confusion' | 'examples' | 'graph' | 'program' | 'system')[]
  /** Whether this server may control it. */
  readonly controls: boolean
}

/**
 * `GET /api/series?run=…&run=…&tag=…&points=2000[&from=…&to=…]` (steps) → `Series[]`, one for each run that is asked for, in that order, and empty
 * where a run has no such tag: columns of equal length, decimated so that no peak is lost, with the first and the last of what is asked for.
 */
export interface Series {
  readonly run: string
  readonly tag: string
  readonly step: readonly number[]
  readonly epoch: readonly (number | null)[]
  readonly time: readonly number[]
  /** What is no finite number is null. */
  readonly value: readonly (number | null)[]
  /** How many there are undecimated. */
  readonly total: number
}

/** `GET /api/records?run=…&type=histogram[&tag=…]` → `RunRecord[]`, at most the newest 200 of them. */
export type RecordsAnswer = readonly RunRecord[]

/**
 * `GET /api/stream` is one stream of server-sent events: `event: records` with the records that were written since, and `event: runs` with
 * summaries that changed. The `id` says how far each run was read, and comes back as `Last-Event-ID`; `event: beat` comes every few seconds.
 */
export interface RecordsEvent {
  readonly run: string
  readonly records: readonly RunRecord[]
}

/** `POST /api/control` with the token as the header `x-galvani-token`; the answer is `{ done: string }` or `{ error: string }`. */
export type ControlRequest =
  | { readonly run: string; readonly action: 'stop' | 'checkpoint' }
  | { readonly run: string; readonly action: 'learningRate'; readonly value: number }

/**
 * `GET /api/export?run=…[&run=…]` → one HTML file, the same page without a server, which holds these: `pageWithRuns` of assets.ts makes it. A run's
 * `system` records are among its records.
 */
export interface ExportedRun {
  readonly summary: RunSummary
  readonly series: readonly Series[]
  readonly records: readonly RunRecord[]
}

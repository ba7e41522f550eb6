/**
 * What the page and its server say to each other, all of it JSON under `/api`. What is wrong with a request is said by its status and a body
 * `{ error: string }`. The files of the page (assets.ts) are served at `/` under their names.
 */
import type { RunRecord, RunRecords } from '../events/record.ts'

/** The types of records that have a tag, and those that have none. */
export type TaggedType = 'scalars' | 'histogram' | 'images' | 'text' | 'prCurve'
export type UntaggedType = 'confusion' | 'examples' | 'graph' | 'program' | 'system'

/** `GET /api/runs` → `RunSummary[]`; a run is a folder, and its id the path of it under the one that is served, `.` for that one. */
export interface RunSummary {
  readonly id: string
  readonly run?: RunRecords['run']
  readonly hyperparameters?: RunRecords['hyperparameters']['values']
  /** Of its first record, and its last one, in milliseconds since 1970. */
  readonly started?: number
  readonly updated?: number
  readonly state: 'running' | 'ended' | 'stopped' | 'failed' | 'unknown'
  /** What is wrong with it or its files. */
  readonly message?: string
  /** How much of its files was read, from 0 to 1; below 1 while the server has just started, or met the run. */
  readonly read: number
  /** The last number of each tag of scalars; null where that is no finite one. */
  readonly last: Readonly<Record<string, number | null>>
  readonly step: number
  readonly epoch?: number
  /** The tags there are of each type of record. */
  readonly tags: Readonly<Record<TaggedType, readonly string[]>>
  /** The types that have no tag. */
  readonly has: readonly UntaggedType[]
  /** Whether this server may control it now, and what its learning rate is then; a schedule has none that could be set. */
  readonly controls: boolean
  readonly learningRate?: number
}

/**
 * `GET /api/series?run=…[&run=…]&tag=…[&points=2000][&from=…&to=…]` (steps) → `Series[]`, one for each run that is asked for, in that order, and
 * empty where a run has no such tag: columns of equal length, in the order of the records, decimated so that no peak is lost: the first, lowest, highest and
 * last of each part are kept, at most so many points. With a range the points next to it are there too, so that a line reaches its borders. The
 * figures of `system` records are series too: `system/rss`, `system/eventLoopDelay`, `system/processors` and `system/threads`.
 */
export interface Series {
  readonly run: string
  readonly tag: string
  readonly step: readonly number[]
  readonly epoch: readonly (number | null)[]
  readonly time: readonly number[]
  /** What is no finite number is null. */
  readonly value: readonly (number | null)[]
  /** How many there were of this tag, undecimated. */
  readonly total: number
  /** The number of the last event of the stream that is in it: those up to it bring nothing new. */
  readonly at: number
}

/**
 * `GET /api/records?run=…&type=histogram[&tag=…][&most=200]` → `RunRecord[]`, the oldest first: at most 200 of each tag, spread over the run, always the
 * first and the newest; of images, text, examples, PR curves and confusion the newest ones.
 */
export type RecordsAnswer = readonly RunRecord[]

/**
 * `GET /api/stream` is one stream of server-sent events. The `id` of an event is `server:number`, and comes back as `Last-Event-ID`: what was
 * missed is sent then, or, where the server is another one or has no more of it, `stale`.
 */
export interface StreamEvents {
  /** Summaries of runs that are new or changed, at most every second or so. */
  runs: readonly RunSummary[]
  /** Runs that are no longer there. */
  gone: readonly string[]
  /** What was written to a run since, a few times a second. */
  records: RecordsEvent
  /**
   * More happened to these runs (or to all, where it has none) than is worth sending, or their files were written anew: what is shown of them has to be
   * asked for again.
   */
  stale: { readonly runs?: readonly string[] }
  /** Every five seconds: where none comes for fifteen, the connection is dead. */
  beat: { readonly time: number }
}

export interface RecordsEvent {
  readonly run: string
  /** Scalars, system figures, texts and the end. */
  readonly records: readonly RunRecord[]
  /** Types of which there are new ones too, which are large: they are asked for by whoever shows them. */
  readonly more: readonly RunRecord['type'][]
}

/**
 * `POST /api/control` with the token of the page's own address (`?token=…`) as the header `x-galvani-token` and `content-type: application/json`;
 * the answer is `{ done: string }`, which says in words what happens now, or `{ error: string }`.
 */
export type ControlRequest =
  | { readonly run: string; readonly action: 'stop' | 'checkpoint' }
  | { readonly run: string; readonly action: 'learningRate'; readonly value: number }

/**
 * `GET /api/export?run=…[&run=…]` → one HTML file, the same page without a server, which holds these: `pageWithRuns` of assets.ts makes it.
 */
export interface ExportedRun {
  readonly summary: RunSummary
  /** Of every tag, those of `system` among them. */
  readonly series: readonly Series[]
  /** Of every type but scalars, `system` among them, as `/api/records` gives them. */
  readonly records: readonly RunRecord[]
}

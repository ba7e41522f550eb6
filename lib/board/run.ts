/** A run as its records have it so far: series by tag, the records that are no numbers, and what is said of it in a line. */
import type { RunRecord, RunRecords } from '../events/record.ts'
import { Columns } from './columns.ts'
import { decimate } from './decimate.ts'
import { type Keeping, Kept } from './kept.ts'
import type { RunSummary, Series, TaggedType, UntaggedType } from './protocol.ts'

/** How much of each run is kept in memory: they are halved where all runs together take too much. */
export interface Limits {
  /** Of each series; a power of two. */
  points: number
  /** Of each tag. */
  records: number
}

/** Tags of one run; those beyond are left out, with a message. */
const mostTags = 2000
const longestTag = 1000

const taggedTypes = ['scalars', 'histogram', 'images', 'text', 'prCurve'] as const
const untaggedTypes = ['confusion', 'examples', 'graph', 'program', 'system'] as const

/** Those of which records are kept as they are. */
export const keptTypes = [...taggedTypes.slice(1), ...untaggedTypes] as const

const keepings: { readonly [Type in RunRecord['type']]?: Keeping } = {
  histogram: 'spread',
  system: 'spread',
  images: 'newest',
  text: 'newest',
  prCurve: 'newest',
  confusion: 'newest',
  examples: 'newest',
  graph: 'newest',
  program: 'newest',
}
/** Fewer of those that are large, or of which the last one counts. */
const mostOf: { readonly [Type in RunRecord['type']]?: number } = {
  images: 50,
  prCurve: 50,
  examples: 20,
  graph: 1,
  program: 1,
}

const systemFigures = ({ rss, eventLoopDelay, processors, threads }: RunRecords['system']) => ({
  'system/rss': rss,
  'system/eventLoopDelay': eventLoopDelay,
  'system/processors': processors,
  'system/threads': threads,
})
const systemTags = ['system/rss', 'system/eventLoopDelay', 'system/processors', 'system/threads']

/** A run without an end is thought to go on for so long after its last sign of life. */
const silence = 5 * 60_000

let made = 0

export class Run {
  readonly id: string
  /** No two have the same, not even where a run is read anew. */
  readonly number = made++
  readonly #limits: Readonly<Limits>
  readonly #series = new Map<string, Columns>()
  /** By type, and by tag in it; that of types without tags is empty. */
  readonly #kept = new Map<RunRecord['type'], Map<string, Kept>>()
  #run: RunRecords['run'] | undefined
  #hyperparameters: RunRecords['hyperparameters']['values'] | undefined
  #end: RunRecords['end'] | undefined
  #place: { step: number; epoch?: number | undefined } = { step: 0 }
  #started = Infinity
  #updated = -Infinity
  #tooMany = false

  constructor(id: string, limits: Readonly<Limits>) {
    this.id = id
    this.#limits = limits
  }

  /** Whether it was begun: another record `run` begins it anew, or goes on from an earlier step. */
  get hasBegun(): boolean {
    return this.#run !== undefined
  }

  add(record: RunRecord): void {
    if ('time' in record) {
      this.#started = Math.min(this.#started, record.time)
      this.#updated = Math.max(this.#updated, record.time)
    }
    if ('step' in record && record.type !== 'run') this.#place = record
    switch (record.type) {
      case 'run':
        this.#begin(record)
        break
      case 'hyperparameters':
        this.#hyperparameters = { ...this.#hyperparameters, ...record.values }
        break
      case 'end':
        this.#end = record
        break
      case 'scalars':
        this.#addPoints(record, Object.entries(record.values))
        break
      case 'system':
        this.#addPoints(record, Object.entries(systemFigures(record)))
        this.#keep(record)
        break
      default:
        this.#keep(record)
    }
  }

  /** What stands there of later steps than it goes on from is void. */
  #begin({ type: _, ...run }: Extract<RunRecord, { type: 'run' }>): void {
    const { step = 0 } = run
    if (this.hasBegun) {
      for (const columns of this.#series.values()) columns.dropAfter(step)
      for (const byTag of this.#kept.values()) for (const kept of byTag.values()) kept.dropAfter(step)
    }
    this.#run = run
    this.#end = undefined
  }

  #addPoints(
    { step, epoch = Number.NaN, time }: RunRecords['scalars'] | RunRecords['system'],
    values: [string, number][],
  ) {
    for (const [tag, value] of values) {
      const point = { step, epoch: epoch ?? Number.NaN, time, value: value ?? Number.NaN }
      this.#columnsOf(tag)?.add(point, this.#limits.points)
    }
  }

  #columnsOf(tag: string): Columns | undefined {
    const known = this.#series.get(tag)
    if (known !== undefined || !this.#hasRoom(this.#series, tag)) return known
    const columns = new Columns()
    this.#series.set(tag, columns)
    return columns
  }

  #keep(record: Exclude<RunRecord, { type: 'run' }>): void {
    const { type } = record
    const kept = this.#keptOf(type, 'tag' in record ? record.tag : type === 'program' ? record.title : '')
    // A graph is of no step: it is there from the first one on.
    const step = 'step' in record ? record.step : -Infinity
    kept?.add(record, step, Math.min(this.#limits.records, mostOf[type] ?? Infinity))
  }

  #keptOf(type: RunRecord['type'], tag: string): Kept | undefined {
    const byTag = this.#kept.get(type) ?? new Map<string, Kept>()
    this.#kept.set(type, byTag)
    const known = byTag.get(tag)
    if (known !== undefined || !this.#hasRoom(byTag, tag)) return known
    const kept = new Kept(keepings[type] ?? 'newest')
    byTag.set(tag, kept)
    return kept
  }

  #hasRoom(tags: ReadonlyMap<string, unknown>, tag: string): boolean {
    if (tags.size < mostTags && tag.length <= longestTag) return true
    this.#tooMany = true
    return false
  }

  get bytes(): number {
    let sum = 0
    for (const columns of this.#series.values()) sum += columns.bytes
    for (const byTag of this.#kept.values()) for (const kept of byTag.values()) sum += kept.bytes
    return sum
  }

  /** Thins what is more than the limits are by now. */
  thin(): void {
    const { points, records } = this.#limits
    for (const columns of this.#series.values()) if (columns.length > points) columns.thin(points)
    for (const byTag of this.#kept.values())
      for (const kept of byTag.values()) while (kept.length > Math.max(2, records)) kept.thin()
  }

  /** Another one after each change of a series. */
  versionOf(tag: string): number {
    return this.#series.get(tag)?.version ?? 0
  }

  get tags(): Iterable<string> {
    return this.#series.keys()
  }

  /** A series of at most `most` points, but for its place in the stream. */
  series(tag: string, most: number, from = -Infinity, to = Infinity): Omit<Series, 'at'> {
    const columns = this.#series.get(tag)
    const series = { run: this.id, tag, step: [], epoch: [], time: [], value: [], total: columns?.total ?? 0 }
    if (columns === undefined) return series
    const table = columns.settled()
    const indices = decimate(table, ...columns.range(from, to), most)
    const column = <T>(name: keyof typeof table, of: (x: number) => T): T[] => {
      const values = table[name]
      const picked: T[] = []
      for (const i of indices) picked.push(of(values[i]!))
      return picked
    }
    return {
      ...series,
      step: column('step', (x) => x),
      epoch: column('epoch', finiteOrNull),
      time: column('time', Math.round),
      value: column('value', finiteOrNull),
    }
  }

  /** The records of a type as JSON, those of all tags unless one is given. */
  records(type: RunRecord['type'], tag: string | undefined, most: number): Buffer[] {
    const byTag = this.#kept.get(type) ?? new Map<string, Kept>()
    const found = tag === undefined ? [...byTag.values()] : [byTag.get(tag) ?? []].flat()
    return found.flatMap((kept) => kept.texts(most))
  }

  /** @param modified when its files were written to last */
  stateAt(now: number, modified: number): RunSummary['state'] {
    return this.#end?.state ?? (now - modified < silence ? 'running' : 'unknown')
  }

  summary(): Omit<RunSummary, 'state' | 'read' | 'controls' | 'learningRate'> {
    const scalars = this.#scalars
    const tagged = (type: TaggedType) =>
      type === 'scalars' ? scalars.map(([tag]) => tag) : [...(this.#kept.get(type)?.keys() ?? [])]
    const { step, epoch } = this.#place
    const message =
      this.#end?.message ??
      (this.#tooMany ? `tags beyond ${mostTags}, or of more than ${longestTag} characters, are left out` : undefined)
    return {
      id: this.id,
      ...(this.#run && { run: this.#run }),
      ...(this.#hyperparameters && { hyperparameters: this.#hyperparameters }),
      ...(this.#started < Infinity && { started: this.#started, updated: this.#updated }),
      ...(message !== undefined && { message }),
      last: Object.fromEntries(scalars.map(([tag, { last }]) => [tag, finiteOrNull(last)])),
      step,
      ...(Number.isFinite(epoch) && { epoch: epoch! }),
      tags: Object.fromEntries(taggedTypes.map((type) => [type, tagged(type)])) as Record<TaggedType, string[]>,
      has: untaggedTypes.filter((type) => this.#kept.has(type)) satisfies UntaggedType[],
    }
  }

  /** Those of scalars: figures of the system have no tags. */
  get #scalars(): [tag: string, columns: Columns][] {
    return [...this.#series].filter(([tag]) => !this.#kept.has('system') || !systemTags.includes(tag))
  }
}

const finiteOrNull = (x: number): number | null => (Number.isFinite(x) ? x : null)

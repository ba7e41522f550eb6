// The series that charts show: asked for when a chart comes into view, then kept up to date by what the stream brings.
import { appendPoint, columnsOf, noPoints, thinned } from './series.js'
import { listen, source } from './store.js'

/** @typedef {import('./series.js').Columns} Columns */

/** How many points are drawn of all runs of a chart, and of one at least and at most. */
const [pointsOfChart, fewest, most] = [40_000, 300, 2000]

/** How many requests are under way: a browser opens six connections, and one is the stream's. */
const atOnce = 4

/** What names of runs may take of the line of a request. */
const longestLine = 6000

/** Milliseconds until a request that failed is made again. */
const pauseAfterFailure = 2000

/** What `system` records have of which series are made. */
export const systemFigures = /** @type {const} */ (['rss', 'eventLoopDelay', 'processors', 'threads'])

/** @param {number} runs */
export const pointsFor = (runs) => Math.max(fewest, Math.min(most, Math.floor(pointsOfChart / Math.max(1, runs))))

/**
 * A series, once it is there, and while it is asked for (again) what arrives meanwhile.
 * @typedef {{ place: { step: number, epoch?: number, time: number }, value: number | null, event: number }} Point
 * @typedef {{ columns: Columns | null, early: Point[] | null }} Entry
 */

/** By tag and run. @type {Map<string, Map<string, Entry>>} */
const cache = new Map()

const changes = new EventTarget()

/**
 * @param {string} tag
 * @param {() => void} listener
 * @param {AbortSignal} signal
 */
export const onSeries = (tag, listener, signal) => changes.addEventListener(`of ${tag}`, listener, { signal })

/** @param {string} tag */
const changed = (tag) => changes.dispatchEvent(new Event(`of ${tag}`))

/** @param {string} tag */
function entriesOf(tag) {
  let found = cache.get(tag)
  if (found === undefined) {
    found = new Map()
    cache.set(tag, found)
  }
  return found
}

/** What is there of a series. @param {string} tag @param {string} run */
export const seriesOf = (tag, run) => cache.get(tag)?.get(run)?.columns ?? null

/** Requests that wait for others, the newest first: what came into view last is looked at. @type {(() => Promise<void>)[]} */
const queue = []
let underWay = 0

function next() {
  while (underWay < atOnce) {
    const ask = queue.pop()
    if (ask === undefined) return
    underWay++
    ask().finally(() => {
      underWay--
      next()
    })
  }
}

/**
 * @template T
 * @param {() => Promise<T>} ask
 * @returns {Promise<T>}
 */
const inTurn = (ask) =>
  new Promise((resolve, reject) => {
    queue.push(() => ask().then(resolve, reject))
    next()
  })

/** @param {readonly string[]} ids @returns {string[][]} */
function requestsOf(ids) {
  /** @type {string[][]} */
  const parts = [[]]
  let length = 0
  for (const id of ids) {
    length += encodeURIComponent(id).length + 5
    if (length > longestLine) {
      parts.push([])
      length = 0
    }
    parts[parts.length - 1].push(id)
  }
  return parts
}

/**
 * Series of a part of the steps, as fine as a chart can show it, which nobody keeps.
 * @param {readonly string[]} ids
 * @param {string} tag
 * @param {readonly [number, number]} steps
 * @returns {Promise<Map<string, Columns>>}
 */
export async function seriesBetween(ids, tag, steps) {
  const points = pointsFor(ids.length)
  const answers = await Promise.all(
    requestsOf(ids).map((part) => inTurn(() => source.series(part, tag, points, steps))),
  )
  return new Map(answers.flat().map((series) => [series.run, columnsOf(series)]))
}

/**
 * Asks for the series of runs that are not there yet.
 * @param {string} tag
 * @param {readonly string[]} ids
 */
export function want(tag, ids) {
  const known = entriesOf(tag)
  ask(
    tag,
    ids.filter((id) => !known.has(id)),
    pointsFor(ids.length),
  )
}

/**
 * @param {string} tag
 * @param {readonly string[]} ids
 * @param {number} points
 */
function ask(tag, ids, points) {
  const known = entriesOf(tag)
  for (const id of ids) known.set(id, { columns: known.get(id)?.columns ?? null, early: [] })
  for (const part of ids.length === 0 ? [] : requestsOf(ids)) fetchSeries(tag, part, points)
}

/**
 * @param {string} tag
 * @param {readonly string[]} ids
 * @param {number} points
 */
async function fetchSeries(tag, ids, points) {
  const known = entriesOf(tag)
  const entries = ids.map((id) => known.get(id))
  const answer = await inTurn(() => source.series(ids, tag, points)).catch(() => null)
  if (answer === null) return void setTimeout(() => askAgain(tag, ids, points), pauseAfterFailure)
  const bySeries = new Map(answer.map((series) => [series.run, series]))
  for (const [i, id] of ids.entries()) {
    const entry = entries[i]
    // Another request was made since, and this answer is older.
    if (entry === undefined || known.get(id) !== entry) continue
    const series = bySeries.get(id)
    entry.columns = series === undefined ? noPoints() : columnsOf(series)
    for (const { place, value, event } of entry.early ?? []) appendPoint(entry.columns, place, value, event)
    entry.early = null
  }
  changed(tag)
}

/** What was not answered, unless it was asked for in another way since. @param {string} tag @param {readonly string[]} ids @param {number} points */
function askAgain(tag, ids, points) {
  const known = entriesOf(tag)
  ask(
    tag,
    ids.filter((id) => known.get(id)?.early != null),
    points,
  )
}

/**
 * Appends what a run wrote to the series that are there.
 * @param {string} run
 * @param {readonly import('./source.js').RunRecord[]} records
 * @param {number} event
 */
function append(run, records, event) {
  /** @type {Set<string>} */
  const tags = new Set()
  for (const record of records)
    if (record.type === 'scalars' || record.type === 'system')
      for (const [tag, value] of numbersIn(record)) if (appendTo(tag, run, record, value, event)) tags.add(tag)
  for (const tag of tags) {
    const entry = cache.get(tag)?.get(run)
    const { columns } = entry ?? {}
    if (columns) {
      columns.at = Math.max(columns.at, event)
      if (entry && columns.step.length > 2 * most) entry.columns = thinned(columns, most)
    }
    changed(tag)
  }
}

/** @param {Extract<import('./source.js').RunRecord, { type: 'scalars' | 'system' }>} record @returns {[string, number][]} */
const numbersIn = (record) =>
  record.type === 'scalars'
    ? Object.entries(record.values)
    : systemFigures.map((name) => [`system/${name}`, record[name]])

/**
 * @param {string} tag
 * @param {string} run
 * @param {{ step: number, epoch?: number, time: number }} place
 * @param {number | null} value
 * @param {number} event
 */
function appendTo(tag, run, place, value, event) {
  const entry = cache.get(tag)?.get(run)
  if (entry === undefined) return false
  if (entry.early === null) return entry.columns !== null && appendPoint(entry.columns, place, value, event)
  entry.early.push({ place, value, event })
  return false
}

listen('records', ({ run, records, number }) => append(run, records, number))

/** What is stale is asked for again; what is there stays until the answer. */
listen('stale', (/** @type {readonly string[] | null} */ stale) => {
  for (const [tag, known] of cache) {
    const ids = [...known.keys()].filter((id) => stale === null || stale.includes(id))
    ask(tag, ids, pointsFor(known.size))
  }
})

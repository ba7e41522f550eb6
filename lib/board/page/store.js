// What the page knows: the runs, which are shown, and what was chosen; whoever shows it listens for changes.
import { openSource } from './source.js'

/**
 * @typedef {import('./source.js').RunSummary} RunSummary
 * @typedef {import('./series.js').XAxis} XAxis
 * @typedef {'runs' | 'shown' | 'settings' | 'focus' | 'records' | 'connection' | 'stale' | 'theme'} StoreEvent
 */

export const source = openSource()

const bus = new EventTarget()

/**
 * @param {StoreEvent} event
 * @param {(detail: any) => void} listener
 * @param {AbortSignal} [signal] ends it
 */
export const listen = (event, listener, signal) =>
  bus.addEventListener(event, (happened) => listener(/** @type {CustomEvent} */ (happened).detail), { signal })

/**
 * @param {StoreEvent} event
 * @param {any} [detail]
 */
export const tell = (event, detail) => bus.dispatchEvent(new CustomEvent(event, { detail }))

/** By id, in the order in which they began. @type {Map<string, RunSummary>} */
export const runs = new Map()

/** @type {import('./source.js').Connection} */
let state = 'connecting'

export const connection = () => state

/** @param {import('./source.js').Connection} changed */
export function setConnection(changed) {
  if (changed === state) return
  state = changed
  tell('connection')
}

// What was chosen stays, where there is a place for it: files that were opened have none in some browsers.

/** @param {string} name */
function kept(name) {
  try {
    return JSON.parse(localStorage.getItem(`galvani-${name}`) ?? 'null')
  } catch {
    return null
  }
}

/** @param {string} name @param {unknown} value */
function keep(name, value) {
  try {
    localStorage.setItem(`galvani-${name}`, JSON.stringify(value))
  } catch {
    // It is as it was at the next visit.
  }
}

export const settings = {
  smoothing: 0.6,
  x: /** @type {XAxis} */ ('step'),
  logX: false,
  logY: false,
  tagFilter: '',
  theme: /** @type {'system' | 'light' | 'dark'} */ ('system'),
  closedGroups: /** @type {string[]} */ ([]),
}
restore(kept('settings'))

/** @param {any} stored what an older page may have left, or anybody: only what is of the same type is taken */
function restore(stored) {
  if (typeof stored !== 'object' || stored === null) return
  for (const [name, value] of Object.entries(settings))
    if (typeof stored[name] === typeof value && Array.isArray(stored[name]) === Array.isArray(value))
      Object.assign(settings, { [name]: stored[name] })
}

/** @param {Partial<typeof settings>} changes */
export function choose(changes) {
  Object.assign(settings, changes)
  keep('settings', settings)
  tell('settings', changes)
}

/** How many of the newest runs are shown unless it was chosen. */
const shownAtFirst = 10

/** What was chosen of each run. @type {Map<string, boolean>} */
const chosen = new Map(Object.entries(kept('shown') ?? {}))

/** @type {Set<string>} */
let newest = new Set()

/** @param {string} id */
export const isShown = (id) => chosen.get(id) ?? newest.has(id)

export const shownRuns = () => [...runs.values()].filter(({ id }) => isShown(id))

/**
 * @param {readonly string[]} ids
 * @param {boolean} show
 */
export function show(ids, show) {
  for (const id of ids) chosen.set(id, show)
  keep('shown', Object.fromEntries(chosen))
  tell('shown')
}

/** The run that is looked at alone. @type {string | null} */
let focused = null

/** @returns {RunSummary | undefined} */
export function focus() {
  return runs.get(focused ?? '') ?? shownRuns().at(-1) ?? [...runs.values()].at(-1)
}

/** @param {string} id */
export function setFocus(id) {
  if (id === focused) return
  focused = id
  tell('focus')
}

/** @type {Map<string, number>} */
const numbers = new Map()

/** How many colours there are, and forms of lines. */
const [colours, dashes] = [8, 4]

/** A run keeps its colour as long as the page is there, and when it is read again in the same order. @param {string} id */
export const colourNumber = (id) => (numbers.get(id) ?? 0) % colours

/** Beyond the colours, lines differ in their form. @param {string} id */
export const dashNumber = (id) => Math.floor((numbers.get(id) ?? 0) / colours) % dashes

/**
 * Takes what is known of runs, of all or of those that changed.
 * @param {readonly RunSummary[]} summaries
 */
export function learn(summaries) {
  const all = new Map(runs)
  for (const summary of summaries) all.set(summary.id, summary)
  setRuns(all)
}

/** @param {readonly string[]} ids */
export function forget(ids) {
  const all = new Map(runs)
  for (const id of ids) all.delete(id)
  setRuns(all)
}

/** @param {ReadonlyMap<string, RunSummary>} all */
function setRuns(all) {
  const inOrder = [...all.values()].sort(
    (a, b) => (a.started ?? Infinity) - (b.started ?? Infinity) || (a.id < b.id ? -1 : 1),
  )
  runs.clear()
  for (const run of inOrder) {
    runs.set(run.id, run)
    if (!numbers.has(run.id)) numbers.set(run.id, numbers.size)
  }
  newest = new Set(inOrder.slice(-shownAtFirst).map(({ id }) => id))
  tell('runs')
}

/** A name that people know it by. @param {RunSummary} run */
export const nameOf = (run) => (run.id === '.' ? (run.run?.name ?? 'this folder') : run.id)

/** All tags of a type that the runs which are shown have, in order. @param {import('../protocol.ts').TaggedType} type */
export const tagsOf = (type) => [...new Set(shownRuns().flatMap(({ tags }) => tags[type]))].sort(byName)

const collator = new Intl.Collator('en', { numeric: true })

/** Numbers in names count as such. @param {string} a @param {string} b */
export const byName = (a, b) => collator.compare(a, b)
